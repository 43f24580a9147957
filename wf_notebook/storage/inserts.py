"""The statements that insert rows: many in one, as values or as a list for each column."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from .schema import COLUMNS, quoted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .schema import Dialect


@lru_cache
def insert(table: str, columns: Sequence[str], many: int) -> str:
    """Return the statement that inserts so many rows."""
    one = f"({', '.join('?' * len(columns))})"
    return f"INSERT INTO {table} ({', '.join(map(quoted, columns))}) VALUES {', '.join([one] * many)}"


@lru_cache
def insert_lists(dialect: Dialect, table: str, columns: Sequence[str]) -> str:
    """Return the statement that inserts rows that are given as a list for each column."""
    kinds = COLUMNS[table]
    lists = ", ".join(f"unnest(CAST(? AS {getattr(dialect, kinds[column])}[]))" for column in columns)
    return f"INSERT INTO {table} ({', '.join(map(quoted, columns))}) SELECT {lists}"
