"""Sessions that are copied into another store, a row for each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..errors import BadArguments, BadStorage, SessionExists
from ..storage import opened
from ..storage.copying import Copying, listed
from ..storage.sql import SqlStorage
from ..transaction import stored_id
from .columns import Column
from .table import Table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..storage.copying import Copied
    from .columns import Kind

_COLUMNS: dict[str, Kind] = {
    "session_id": "text", "new_id": "text", "done": "text", "versions": "integer", "runs": "integer", "events": "integer",
    "steps": "integer", "blobs": "integer",
}  # fmt: skip


def copied(storage: SqlStorage, sessions: str | Sequence[str] | None, to: Any, new_id: str | None) -> Table:
    """Copy sessions and return what was copied; see `Elsewhere.copy`."""
    target = opened(to)
    if not isinstance(target, SqlStorage):
        raise BadStorage(f"{target!r} is a storage of your own, into which rows cannot be copied; name another one")
    ids = listed(storage) if sessions is None else [sessions] if isinstance(sessions, str) else list(dict.fromkeys(sessions))
    if new_id is not None and len(ids) != 1:
        raise BadArguments(f"one id is for one session, not for {len(ids)}; copy them one by one, or without --as")
    along = frozenset(map(stored_id, ids)) if new_id is None else frozenset()
    done: list[Copied] = []
    refused: list[SessionExists] = []
    for session_id in ids:
        try:
            done.append(Copying(storage, target, session_id, session_id if new_id is None else new_id, along).done())
        except SessionExists as error:  # the others do not wait for it
            refused.append(error)
    if refused:
        for other in refused[1:]:
            refused[0].add_note(f"SessionExists: {other}")
        if done:
            refused[0].add_note(f"copied but for that: {', '.join(repr(each.session_id) for each in done)}")
        raise refused[0]
    columns = [Column.of(name, [getattr(each, name) for each in done], kind) for name, kind in _COLUMNS.items()]
    return Table(columns, f"copied to {target.url}")
