"""The list of sessions, a page at a time, and the head over the one that is looked at; renamed, hidden, brought back."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ..errors import BadArguments
from ..frames.reading import found_session
from ..owners import line_of, refuse_others
from ..redact import redact
from ..storage.erasing import refuse_hidden
from ..transaction import About, is_branch, stored_ids
from .overview import glance, glances

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ..transaction import Transaction
    from .looking import Inspector
    from .overview import Glance

#: A page has so many rows at most.
ROWS = 200
#: A name or a summary is shown to so many characters.
SHOWN = 200


def sessions(inspector: Inspector, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Return a page of the sessions: how many there are in all, and a row for each of the page.

    The rows of a sweep are one, unless the filter names them: `blog/`.
    """
    words = str(asked.get("filter", ""))
    start = max(0, int(asked.get("start", 0)))
    total, page = glances(
        inspector.storage,
        words=words,
        folded="/" not in words,
        sort=asked.get("sort", "updated_at"),
        descending=bool(asked.get("descending", True)),
        branches=bool(asked.get("branches", False)),
        start=start,
        count=min(max(0, int(asked.get("count", 100))), ROWS),
    )
    return {"total": total, "start": start, "rows": [{**_row(one), "size": one.size} for one in page]}


def head(inspector: Inspector, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Return what stands over a session: its row. Raises UnknownSession."""
    storage = inspector.storage

    def read(tx: Any) -> Glance | None:
        return glance(tx.rows, storage.table_name, found_session(storage, tx, asked["session"]))

    row = storage.transact(read, write=False)
    assert row is not None  # found_session raises
    return _row(row)


def rename_session(inspector: Inspector, asked: Mapping[str, Any]) -> None:
    """Give a session a name that people read; an empty one takes it away."""
    name = str(asked["name"]).strip()

    def write(tx: Transaction) -> None:
        stored = found_session(inspector.storage, tx, asked["session"])
        tx.append_about(stored, "changed", replace(tx.head(stored, 0).about or About(), session_name=name))

    inspector.storage.transact(write, write=True)


def delete_sessions(inspector: Inspector, asked: Mapping[str, Any]) -> None:
    """Hide sessions: they are no longer listed or loaded; their rows stay, and `restore_sessions` brings them back."""
    gone = _several(asked)

    def write(tx: Transaction) -> None:
        for session_id in gone:
            stored = found_session(inspector.storage, tx, session_id)
            refuse_others(session_id, tx.head(line_of(stored), 0).about, alone=True)
            tx.append_about(stored, "deleted", tx.head(stored, 0).about or About())

    inspector.storage.transact(write, write=True)
    place = inspector.place
    left = [one for one in place.selected if one not in gone]
    inspector.go(selected=left, **({"session": "", "version": None, "path": []} if place.session in gone else {}))


def restore_sessions(inspector: Inspector, asked: Mapping[str, Any]) -> None:
    """Bring sessions back that were hidden; one whose id is used again stays hidden."""
    back = _several(asked)

    def write(tx: Transaction) -> None:
        for session_id in back:
            for stored in stored_ids(session_id):
                refuse_hidden(tx, stored)  # type: ignore[arg-type] # of our own storages
            any(tx.append_restored(stored) for stored in stored_ids(session_id))

    inspector.storage.transact(write, write=True)


def _several(asked: Mapping[str, Any]) -> Sequence[str]:
    ids = asked["sessions"]
    if not isinstance(ids, list) or not all(isinstance(one, str) for one in ids):
        raise BadArguments("sessions are named by a list of their ids")
    return ids


def _row(one: Glance) -> dict[str, Any]:
    return {
        "id": one.id,
        "name": _cut(one.name),
        "workflow": _cut(one.workflow),
        "branch": is_branch(one.stored),
        "status": one.status,
        "run_id": one.run_id,
        "updated_at": one.updated_at.isoformat(),
        "versions": one.versions,
        "runs": one.runs,
        **({"rows": one.rows} if one.rows else {}),
    }


def _cut(text: str | None) -> str | None:
    if text is None:
        return None
    shown = redact(text)
    return shown if len(shown) <= SHOWN else f"{shown[: SHOWN - 1]}…"
