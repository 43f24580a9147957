"""A table that Agno 1.x left in a SQLite file or in Postgres: what it kept of a session is read at the session's first load."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from ..errors import StorageFailed
from ..transaction import About, Inherited
from .schema import quoted

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .schema import Cursor

#: Columns without which a table of that name is not Agno's.
_NEEDED = {"session_id", "workflow_id", "user_id", "session_data"}
#: In which column it keeps what else there is; phidata, as it was called before, in the second.
_EXTRA = ("extra_data", "user_data")

#: Where its storage in Postgres makes its tables, unless it is told otherwise.
_SCHEMA = "ai"

#: What Agno's storage takes beside ours, and the values that ask for what is so here anyway.
_SETTINGS: dict[str, tuple[object, ...]] = {
    "db_engine": (None,),
    "schema_version": (1,),
    "auto_upgrade_schema": (True, False),
    "mode": ("workflow",),
}


def without_meaning_here(settings: Mapping[str, object]) -> list[str]:
    """Return the names of the settings of Agno's storage that ask for what is not so here, and of those that nobody knows.

    >>> without_meaning_here({"mode": "workflow", "db_engine": "engine", "schema_version": 1})
    ['db_engine']
    """
    return [name for name, value in settings.items() if value not in _SETTINGS.get(name, ())]


def inherited(cursor: Cursor, table: str, session_id: str) -> Inherited | None:
    """Return what Agno's table says about a session, None where there is no such table or row.

    Raises StorageFailed for a row that is damaged: an empty state in its place would be a loss.
    """
    columns = {row[1] for row in cursor.execute(f"PRAGMA table_info({quoted(table)})")}
    return _inherited(cursor, table, quoted(table), columns, session_id)


def inherited_in_postgres(cursor: Cursor, table: str, session_id: str) -> Inherited | None:
    """Return the same of a table in our schema, or in the one that Agno makes."""
    sql = (
        "SELECT CAST(n.nspname AS TEXT), CAST(a.attname AS TEXT) FROM pg_catalog.pg_class c"
        " JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace"
        " JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped"
        " WHERE c.relname = ? AND c.relkind = 'r' AND n.nspname IN (current_schema(), ?)"
    )
    columns: dict[str, set[str]] = {}
    for schema, column in cursor.execute(sql, (table, _SCHEMA)):
        columns.setdefault(schema, set()).add(column)
    found = (
        _inherited(cursor, table, f"{quoted(schema)}.{quoted(table)}", columns[schema], session_id) for schema in sorted(columns)
    )
    return next((one for one in found if one), None)


def _inherited(cursor: Cursor, table: str, place: str, columns: set[str], session_id: str) -> Inherited | None:
    extra = next((column for column in _EXTRA if column in columns), None)
    if extra is None or not columns >= _NEEDED:
        return None
    sql = f"SELECT workflow_id, user_id, session_data, {extra} FROM {place} WHERE session_id = ?"
    rows = cursor.execute(sql, (session_id,))
    if not rows:
        return None
    workflow_id, user_id, session_data, extra_data = rows[0]
    data = _dict(session_data, table, session_id)
    state = _dict(data.get("session_state"), table, session_id)
    return Inherited(
        About(None, workflow_id, user_id, data.get("session_name"), _json(extra_data)), _dict(state, table, session_id)
    )


def _dict(data: Any, table: str, session_id: str) -> dict[str, Any]:
    try:
        value = json.loads(data) if isinstance(data, (str, bytes)) else data
    except ValueError:
        value = ""
    if value is None:
        return {}
    if isinstance(value, dict):
        return value
    raise StorageFailed(
        f"the row of session {session_id!r} in the table {table!r} of Agno is damaged; nothing was overwritten: mend or delete it"
    )


def _json(text: str | None) -> str | None:
    return None if text in {None, "null"} else text
