"""What is in the files of the corpus: the states of the session "values", version by version."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

import numpy as np
import pandas as pd

PLAIN = {"text": "käse", "n": 1, "half": 0.5, "none": None, "yes": True, "nested": {"a": [1, {"b": []}]}, "$ref": "mine"}

TYPED = {
    "when": datetime(2026, 1, 2, 3, 4, 5, 6, UTC),
    "day": date(2026, 1, 2),
    "span": timedelta(days=1, microseconds=1),
    "price": Decimal("1.10"),
    "id": UUID(int=7),
    "path": Path("a/b"),
    "bytes": b"\0\xff",
    "set": {"a", "b"},
    "tuple": (1, (2, 3)),
    "keys": {1: "one", (1, 2): "two", None: "none"},
    "big": 10**400,
    "inf": float("inf"),
    "complex": 1 + 2j,
    ("a", 1): "a key that is no text",
}

LARGE = {
    "long": "x" * 100_000,
    "array": np.arange(12.0).reshape(3, 4),
    "frame": pd.DataFrame({"a": [1, 2], "b": ["x", None], "c": pd.to_datetime(["2026-01-01", "2026-01-02"], utc=True)}),
}

STATES: list[dict[Any, Any]] = [
    PLAIN,
    PLAIN | TYPED,
    PLAIN | TYPED | LARGE,
    {**PLAIN, **TYPED, **LARGE, "items": ["a"], "entries": {"x": 1, "y": 2}},
    {**PLAIN, **TYPED, **LARGE, "items": ["a", "b", (1,)], "entries": {"x": 1, "y": 3, "z": 4}},
    {**PLAIN, **LARGE, "items": ["a", "b", (1,), "c"], "entries": {"y": 3, "z": 4}},
]
