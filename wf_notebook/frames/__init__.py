"""Sessions, runs, events and state as tables: to look at in a notebook, and to go on with in pandas, polars or Arrow."""

from __future__ import annotations

from .columns import Column
from .queries import events, runs, sessions, sql, state
from .table import Table

__all__ = ["Column", "Table", "events", "runs", "sessions", "sql", "state"]
