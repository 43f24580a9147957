"""What a storage is asked for: its sessions, runs, events and state, and whatever SQL says; each a table."""

from __future__ import annotations

import json
from contextlib import suppress
from datetime import datetime
from typing import TYPE_CHECKING, Any

from .. import codec
from ..accounts import account_of, shown_account
from ..errors import BadQuery, StorageFailed
from ..keys import key_of
from ..owners import Sight
from ..storage.runs import status_of
from ..transaction import is_branch, shown_id
from .columns import Column, unique
from .reading import found_session, read_state
from .table import Table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..storage.asking import Bounds
    from ..storage.sql import SqlStorage
    from .columns import Kind

#: Among so many rows of the store is one of a session that is listed, but where conflicts left many branches.
_FIRST = 50

_SESSIONS: dict[str, Kind] = {
    "session_id": "text", "workflow": "text", "session_name": "text", "versions": "integer", "runs": "integer",
    "updated_at": "timestamp", "created_at": "timestamp", "user_id": "text", "workflow_id": "text", "extra_data": "object",
}  # fmt: skip
_RUNS: dict[str, Kind] = {
    "session_id": "text", "workflow": "text", "status": "status", "inputs": "object", "content": "text",
    "error": "text", "started_at": "timestamp", "duration": "real", "run_id": "text", "changes": "object", "models": "object",
    "input_tokens": "integer", "output_tokens": "integer", "cost": "real", "ended_at": "timestamp", "workflow_id": "text",
}  # fmt: skip
_EVENTS: dict[str, Kind] = {
    "seq": "integer", "happened_at": "timestamp", "event": "text", "agent": "text", "lane": "text", "content": "text",
    "data": "object",
}  # fmt: skip
#: Columns of our views that hold what the codec wrote, and those that hold plain JSON.
_TYPED, _PLAIN = frozenset({"value", "session_state"}), frozenset({"inputs", "changes", "models", "data", "extra_data"})
_TIMES = frozenset({"saved_at", "happened_at", "created_at", "updated_at", "started_at", "ended_at"})
#: What the types of DuckDB are here; any other is told by its values.
_KINDS: dict[str, Kind] = {
    **dict.fromkeys(("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "UTINYINT", "USMALLINT", "UINTEGER"), "integer"),
    **dict.fromkeys(("FLOAT", "DOUBLE"), "real"),
    **dict.fromkeys(("TIMESTAMP", "TIMESTAMP_S", "TIMESTAMP_MS", "TIMESTAMP_NS", "TIMESTAMP WITH TIME ZONE"), "timestamp"),
    "VARCHAR": "text",
    "BOOLEAN": "boolean",
}


def sessions(
    storage: SqlStorage,
    *,
    user_id: str | None = None,
    workflow: str | None = None,
    branches: bool = False,
    all_users: bool = False,
) -> Table:
    """Return a row for each session, the one that was used last first; without branches, if not asked for, and deleted ones.

    Where the environment names a user, they are that user's, nobody's, and those that are shared; or all. With `user_id` those
    of them that are of that user.
    """
    own = session_rows(storage, user_id=user_id, workflow=workflow, branches=branches, all_users=all_users)
    return Table(session_columns(own), f"sessions in {storage.url}{', with branches' if branches else ''}")


def session_rows(
    storage: SqlStorage,
    *,
    user_id: str | None = None,
    workflow: str | None = None,
    branches: bool = False,
    all_users: bool = False,
    most: int | None = None,
) -> list[tuple[Any, ...]]:
    """Return the rows of the table of sessions; those in which sweeps are runs themselves are no sessions of anybody's.

    With `most` they are among the first so many rows of the store.
    """
    sees = Sight(storage.read, storage.table_name)
    seen, given = ("1 = 1", ()) if all_users else sees.of_sessions()
    rows = storage.read(
        f"SELECT {', '.join(_SESSIONS)} FROM sessions s WHERE store = ? AND (CAST(? AS VARCHAR) IS NULL OR user_id = ?)"
        f" AND (CAST(? AS VARCHAR) IS NULL OR workflow = ?) AND {seen} ORDER BY updated_at DESC, created_at DESC, session_id"
        + ("" if most is None else " LIMIT ?"),
        (storage.table_name, user_id, user_id, workflow, workflow, *given, *(() if most is None else (most,))),
    )
    return [
        (shown_id(stored), *rest)
        for stored, *rest in rows
        if (branches or not is_branch(stored)) and account_of(stored, rest[0]) is None and (all_users or sees.lists(stored))
    ]


def newest_session(storage: SqlStorage) -> str | None:
    """Return the id of the session that was used last, None where there is none."""
    rows = session_rows(storage, most=_FIRST) or session_rows(storage)
    return rows[0][0] if rows else None


def session_columns(rows: Sequence[Sequence[Any]]) -> list[Column]:
    """Return rows of the table of sessions as its columns."""
    return _declared(rows, _SESSIONS)


def runs(storage: SqlStorage, session_id: str | None = None) -> Table:
    """Return a row for each run of a session, or of all sessions that are listed; the newest first.

    Sweeps themselves are runs of the session `NAME/`.
    """
    title = f"runs in {storage.url}"
    if session_id is None:
        where, given = Sight(storage.read, storage.table_name).of_rows()
    else:
        where, title = "session_id = ?", f"runs of session {session_id!r}"
        given = (storage.transact(lambda tx: found_session(storage, tx, session_id, of_sweeps=True), write=False),)
    process = ("host", "pid", "process_started_at")
    rows = storage.read(
        f"SELECT {', '.join((*_RUNS, *process))} FROM runs r WHERE store = ? AND {where} ORDER BY started_at DESC, run_id",
        (storage.table_name, *given),
    )
    seen = []
    for row in rows:
        if session_id is None and account_of(row[0], row[1]) is not None:
            continue
        named = dict(zip((*_RUNS, *process), row, strict=True))
        named["status"] = status_of(named)
        named["session_id"] = shown_account(shown_id(named["session_id"]), named["workflow"])
        seen.append(tuple(named[name] for name in _RUNS))
    return Table(_declared(seen, _RUNS), title)


def events(storage: SqlStorage, run_id: str) -> Table:
    """Return a row for each thing that a run said, in order; UnknownRun if there is no such run."""
    storage.run(run_id)
    sql = f"SELECT {', '.join(_EVENTS)} FROM events WHERE run_id = ? AND store = ? ORDER BY seq"
    return Table(_declared(storage.read(sql, (run_id, storage.table_name)), _EVENTS), f"events of run {run_id!r}")


def state(storage: SqlStorage, session_id: str, path: Any = None) -> Table:
    """Return a row for each key of a session's state; or, with a path, the rows of the value that lies there."""
    columns, title = read_state(storage, session_id, path)
    return Table(columns, title)


def sql(storage: SqlStorage, query: str, parameters: Sequence[Any], bounds: Bounds) -> Table:
    """Return what a query gives; see `SqlStorage.sql`."""
    if not isinstance(query, str) or not query.strip():
        raise BadQuery("there is no query; write one: SELECT key, value FROM session_state")
    answer = storage.ask(query, parameters, bounds)
    values = list(zip(*answer.rows, strict=True)) or [()] * len(answer.names)
    columns = []
    for name, given, type_, cells in zip(unique(answer.names), answer.names, answer.types, values, strict=True):
        columns.append(_asked(name, given, type_, list(cells), storage))
    return Table(columns)


def _declared(rows: Sequence[Sequence[Any]], kinds: dict[str, Kind]) -> list[Column]:
    """Return rows as columns of these names and kinds; JSON is read."""
    values = list(zip(*rows, strict=True)) or [()] * len(kinds)
    return [
        Column.of(name, map(_json, cells) if kind == "object" else cells, kind)
        for (name, kind), cells in zip(kinds.items(), values, strict=True)
    ]


def _json(text: Any) -> Any:
    return json.loads(text) if isinstance(text, str) else text


def _asked(name: str, given: str, type_: str | None, cells: list[Any], storage: SqlStorage) -> Column:
    """Return a column of a query's answer. SQLite has no type for JSON and times: there the names of our own columns tell."""
    texts = all(value is None or isinstance(value, str) for value in cells)
    if type_ == "JSON" or (type_ is None and given in _TYPED | _PLAIN and texts):
        with suppress(ValueError):
            trees = [_json(value) for value in cells]
            return Column.of(name, trees if given in _PLAIN else _values(given, trees, storage), "object" if not trees else None)
    if type_ is None and given in _TIMES and texts:
        with suppress(ValueError):
            moments = [value if value is None else datetime.fromisoformat(value) for value in cells]
            return Column.of(name, moments, "timestamp")
    kind = _KINDS.get(type_ or "")
    if kind == "timestamp" and not all(value is None or isinstance(value, datetime) for value in cells):
        kind = None  # DuckDB gives a time that Python has not, such as one before our era, as a text
    return Column.of(name, cells, kind)


def _values(name: str, trees: list[Any], storage: SqlStorage) -> list[Any]:
    """Return the values of what the codec wrote; what it cannot read stays as it is."""
    hashes = set().union(*map(codec.hashes, trees)) if trees else set()
    blobs: dict[str, bytes] = storage.transact(lambda tx: tx.blobs(hashes), write=False) if hashes else {}

    def value(tree: Any) -> Any:
        try:
            if name == "session_state" and isinstance(tree, dict):
                return {key_of(key): codec.decode(item, blobs.__getitem__) for key, item in tree.items()}
            return codec.decode(tree, blobs.__getitem__)
        except (StorageFailed, ValueError):
            return tree

    return list(map(value, trees))
