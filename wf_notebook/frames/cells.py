"""A value as it is shown in a cell of a table: in one line, without secrets, with all of it at hand if it was cut."""

from __future__ import annotations

import json
import re
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from pathlib import PurePath
from typing import TYPE_CHECKING, Any
from uuid import UUID

from ..brief import Beginning
from ..redact import redact
from ..render.status import STATUS
from ..tabular import seen
from .columns import plain

if TYPE_CHECKING:
    from .columns import Column

#: Rows that are shown of a table.
ROWS = 20
#: Characters of a value that are shown at once, and when it is unfolded.
BRIEF, LONG = 80, 5000
#: Characters that are looked at.
_MOST = 100_000
_SPACES = re.compile(r"\s+")
#: Values that are shown as they print.
PRINTED = (datetime, date, time, timedelta, Decimal, UUID, PurePath)
#: Kinds whose values stand at the right.
NUMBERS = frozenset({"integer", "real"})


def line(value: Any, column: Column) -> str:
    """Return a value in one line, however long.

    >>> from wf_notebook.frames.columns import Column
    >>> line({"title": "a"}, Column.of("value", [])), line(None, Column.of("n", []))
    ("{'title': 'a'}", '')
    """
    if value is None:
        return ""
    if column.kind == "status":
        return f"{STATUS[value][0]} {value}" if value in STATUS else _one_line(value)
    if column.kind == "timestamp" and isinstance(value, datetime):
        return f"{value.astimezone(UTC):%Y-%m-%d %H:%M:%S}"
    if column.kind == "real" and isinstance(value, (int, float)):
        return number(value)
    if isinstance(value, (str, *PRINTED)):
        return _one_line(str(value))
    return _one_line(Beginning(items=12, depth=4).repr(value))


def number(value: float) -> str:
    """Return a number with no more digits than can be read.

    >>> number(1234567.0), number(0.123456), number(0.00001), number(2.5)
    ('1234567', '0.123', '1e-05', '2.5')
    """
    if value != value or value in {float("inf"), float("-inf")} or 0 < abs(value) < 0.001 or abs(value) >= 1e15:  # noqa: PLR0124, PLR2004 - a NaN is not itself; beyond these, digits are no help
        return f"{value:.4g}"
    return f"{value:.3f}".rstrip("0").rstrip(".")


def _one_line(text: str) -> str:
    return _SPACES.sub(" ", redact(text[:_MOST])).strip()


def cut(text: str, length: int = BRIEF) -> str:
    """Return a text, cut where it is longer.

    >>> cut("a long text", 7)
    'a long…'
    """
    return text if len(text) <= length else f"{text[: length - 1]}…"


def whole(value: Any, length: int = LONG) -> str:
    """Return what a value is when it is unfolded: a text as it is, a frame or an array as it prints, anything else as JSON."""
    as_it_prints = isinstance(value, str) or seen(value)
    text = str(value) if as_it_prints else json.dumps(plain(value), ensure_ascii=False, indent=1)
    return cut(redact(text[:_MOST]), length)


def heading(column: Column) -> str:
    """Return what stands above a column."""
    return f"{column.name} (UTC)" if column.kind == "timestamp" else column.name
