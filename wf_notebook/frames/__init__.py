"""Sessions, runs, events and state as tables: to look at in a notebook, and to go on with in pandas, polars or Arrow."""

from __future__ import annotations

from .columns import Column
from .copies import copied
from .folding import folded_ids, folded_sessions, sessions_beginning
from .past import diff_frame, diff_html, diff_table, timeline_frame, versions_frame, versions_html, versions_table, versions_text
from .queries import events, runs, sessions, sql, state
from .table import Table

__all__ = [
    "Column",
    "Table",
    "copied",
    "diff_frame",
    "diff_html",
    "diff_table",
    "events",
    "folded_ids",
    "folded_sessions",
    "runs",
    "sessions",
    "sessions_beginning",
    "sql",
    "state",
    "timeline_frame",
    "versions_frame",
    "versions_html",
    "versions_table",
    "versions_text",
]
