"""The list of sessions: a page of it, filtered and sorted in the store, so that thousands cost no more than a few."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..errors import BadArguments
from ..nearest import did_you_mean
from ..transaction import shown_id

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .looking import Inspector

#: By what the list can be sorted.
SORTS = ("updated_at", "session_id", "workflow", "session_name", "versions", "runs")
_COLUMNS = "session_id, workflow, session_name, versions, runs, updated_at"


def sessions(inspector: Inspector, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Return a page of the sessions: how many there are in all, and a row for each of the page."""
    sort = asked.get("sort", "updated_at")
    if sort not in SORTS:
        raise BadArguments(f"sessions are not sorted by {sort!r}{did_you_mean(str(sort), SORTS) or ''}")
    words = f"%{asked.get('filter', '')}%"
    where = "store = ? AND (session_id LIKE ? OR coalesce(workflow, '') LIKE ? OR coalesce(session_name, '') LIKE ?)"
    parameters = (inspector.storage.table_name, words, words, words)
    total = inspector.storage.read(f"SELECT count(*) FROM sessions WHERE {where}", parameters)
    rows = inspector.storage.read(
        f"SELECT {_COLUMNS} FROM sessions WHERE {where} ORDER BY {sort} {'DESC' if asked.get('descending', True) else 'ASC'},"
        " session_id LIMIT ? OFFSET ?",
        (*parameters, asked.get("count", 100), asked.get("start", 0)),
    )
    return {
        "total": total[0][0] if total else 0,
        "start": asked.get("start", 0),
        "rows": [
            {
                "id": shown_id(stored),
                "workflow": workflow,
                "name": name,
                "versions": versions,
                "runs": runs,
                "updated_at": str(updated_at),
            }
            for stored, workflow, name, versions, runs, updated_at in rows
        ],
    }
