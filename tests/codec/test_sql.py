"""What is stored reads well in SQL, without any of ours."""

from __future__ import annotations

import json
import sqlite3
from datetime import UTC, datetime
from typing import Any

import duckdb
import numpy as np
import pandas as pd
import pydantic
import pytest


class Post(pydantic.BaseModel):
    title: str
    more: dict[str, Any] = {}


VALUE = {
    "post": Post(title="a $ and a ü", more={"$ref": "#/x", "tags": {"b", "a"}}),
    "at": datetime(2026, 11, 25, 9, 27, tzinfo=UTC),
    "frame": pd.DataFrame({"score": [1.5, 2]}),
    "array": np.zeros((3, 4)),
    "pairs": {(1, 2): "x", 3: "y"},
}
SHOWN = [
    ("$.post.title", "a $ and a ü"),
    ('$.post."$model"', f"{__name__}:Post"),
    ('$.post.more."$$ref"', "#/x"),
    ('$.post.more.tags."$set"[0]', "a"),
    ('$.at."$datetime"', "2026-11-25T09:27:00+00:00"),
    ("$.frame.columns.score", "float64"),
    ("$.frame.rows", "2"),
    ("$.array.shape[1]", "4"),
    ('$.pairs."$dict"."3"', "y"),
]


@pytest.mark.parametrize(("path", "shown"), SHOWN, ids=[path for path, _ in SHOWN])
@pytest.mark.parametrize("connect", [sqlite3.connect, duckdb.connect], ids=["SQLite", "DuckDB"])
def test_a_query_shows_what_is_inside_of_a_value(shelf, connect, path, shown):
    text = json.dumps(shelf.tree(VALUE), ensure_ascii=False)
    with connect(":memory:") as connection:
        ((found,),) = connection.execute("SELECT CAST(? AS TEXT) ->> ?", [text, path]).fetchall()
    assert str(found) == shown
