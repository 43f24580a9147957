"""The state of a session as rows: a row for each key, or the rows of one value in it."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Any

from ..accounts import account_id, account_of, is_account
from ..changes import replay
from ..codec import hashes
from ..errors import UnknownPath, UnknownSession
from ..keys import key_of
from ..nearest import did_you_mean
from ..owners import Sight, line_of, refuse_others
from ..state import decoded
from ..transaction import is_branch, shown_id, stored_id, stored_ids, sweep_of
from ..unit import is_unit
from ..users import user
from .columns import Column, fields_of
from .records import columns_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..storage.sql import SqlStorage
    from ..transaction import Transaction

#: Names that an error lists.
_LISTED = 8


def found_session(storage: SqlStorage, tx: Transaction, session_id: str, *, of_sweeps: bool = False) -> str:
    """Return a session's id as it is stored; it may be a branch, named as it is shown.

    With `of_sweeps`, `blog/` is the session in which the sweeps of that name are runs themselves, this user's own before others'.
    Raises UnknownSession if there is none, SessionOwned if it is another user's.
    """
    ids = [*stored_ids(session_id)]
    means_sweeps = of_sweeps and is_unit(session_id)
    own = [stored_id(account_id(session_id[:-1], user()))] if means_sweeps else []
    for stored in [*own, *ids]:
        about = tx.head(stored, 0).about
        if about is not None and (of_sweeps or account_of(session_id, about.workflow) is None):
            refuse_others(session_id, tx.head(line_of(stored), 0).about)
            return stored
    read = tx.rows  # type: ignore[attr-defined] # all of ours have it
    seen, given = Sight(read, storage.table_name).of_sessions()
    sql = f"SELECT session_id FROM sessions s WHERE store = ? AND {seen} ORDER BY updated_at DESC"
    known = [shown_id(stored) for (stored,) in read(sql, (storage.table_name, *given)) if not is_branch(stored)]
    for shown in known:
        if means_sweeps and is_account(shown, session_id[:-1]):  # another user's, who may share it
            return stored_id(shown)
    raise unknown_session(session_id, known, storage.url)


def unknown_session(session_id: str, known: list[str], url: str) -> UnknownSession:
    """Return what to say of a session that is not there."""
    if rows := [each for each in known if is_unit(session_id) and sweep_of(each) == session_id[:-1]]:
        return UnknownSession(
            f"{session_id!r} means the {len(rows):,} rows of a sweep, and this is asked of one session: "
            f"%wf sessions {session_id} lists them"
        )
    return UnknownSession(f"no session {session_id!r} in {url}{_hint(session_id, known, 'it has no session yet')}")


def read_state(storage: SqlStorage, session_id: str, path: Any) -> tuple[list[Column], str]:
    """Return the columns of a session's state, or of the value at a path, and what they are."""

    def read(tx: Transaction) -> Any:
        stored = found_session(storage, tx, session_id)
        head = tx.head(stored, 0)
        kept = replay({}, tx.changes(stored, after=head.hidden))
        needed = set().union(*(hashes(one.tree) for one in kept.values() if one.may_have_blobs))
        return kept, tx.blobs(needed), tx.versions(stored, after=head.hidden)

    kept, blobs, versions = storage.transact(read, write=False)
    values = {key_of(key): decoded(key, one, blobs.__getitem__) for key, one in kept.items()}
    if path is not None:
        value = at_path(values, path, session_id)
        return columns_of(value), f"{_shown(path)} of session {session_id!r}"
    saved = {key: (version, saved_at) for version, saved_at, _, key, _ in versions}
    columns = [
        Column.of("key", values),
        Column.of("value", values.values(), "object"),
        Column.of("type", [type(value).__name__ for value in values.values()], "text"),
        Column.of("version", [saved[key][0] for key in kept], "integer"),
        Column.of("saved_at", [saved[key][1] for key in kept], "timestamp"),
    ]
    return columns, f"state of session {session_id!r}"


def at_path(values: Any, path: Any, session_id: str) -> Any:
    """Return the value at a path: "posts", "stats.posts", "posts.0.title", 'session_state["posts"][0]', or a tuple of keys.

    Raises UnknownPath for one that leads nowhere.

    >>> at_path({"stats": {"posts": [{"n": 1}]}, "a.b": 2}, "stats.posts.0.n", "demo"), at_path({"a.b": 2}, "a.b", "demo")
    (1, 2)
    """
    if isinstance(path, (tuple, list)):
        for key in path:
            values = _step(values, key, path, session_id)
        return values
    if not isinstance(path, str) or _has(values, path):
        return _step(values, path, path, session_id)
    subscripts = _subscripts(path)
    if subscripts is not None:
        return at_path(values, subscripts, session_id)
    parts = path.split(".")
    while parts:  # a key may have a dot in it: the longest that is there counts
        for end in range(len(parts), 0, -1):
            if _has(values, ".".join(parts[:end])) or end == 1:
                values = _step(values, ".".join(parts[:end]), path, session_id)
                parts = parts[end:]
                break
    return values


def _has(value: Any, key: Any) -> bool:
    inner = fields_of(value)
    return inner is not None and key in inner


def _step(value: Any, key: Any, path: Any, session_id: str) -> Any:
    inner = fields_of(value)
    if inner is not None:
        for name, item in inner.items():
            if name == key or (isinstance(key, str) and not isinstance(name, str) and repr(name) == key and key not in inner):
                return item
        raise UnknownPath(f"session {session_id!r} has no {_shown(path)}: {_missing(key, inner)}")
    if isinstance(value, (list, tuple)):
        try:
            return value[int(key)]
        except (ValueError, IndexError, TypeError):
            there = f"0 to {len(value) - 1}" if value else "none"
            raise UnknownPath(f"session {session_id!r} has no {_shown(path)}: no item {key!r}; there are {there}") from None
    raise UnknownPath(
        f"session {session_id!r} has no {_shown(path)}: there is no {key!r} in a value of type {type(value).__name__}"
    )


def _missing(key: Any, inner: Mapping[Any, Any]) -> str:
    return f"no key {key!r}{_hint(str(key), [name for name in inner if isinstance(name, str)], 'it holds nothing')}"


def _hint(name: str, known: list[str], none: str) -> str:
    near = did_you_mean(name, known)
    return near or (f"; there are {', '.join(map(repr, known[:_LISTED]))}" if known else f"; {none}")


def _subscripts(path: str) -> tuple[Any, ...] | None:
    """Return the keys of a path as Python and our errors write it: `session_state["posts"][0]`."""
    try:
        node = ast.parse(path.strip(), mode="eval").body
        keys: list[Any] = []
        while isinstance(node, ast.Subscript):
            keys.append(ast.literal_eval(node.slice))
            node = node.value
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    if not keys or not isinstance(node, ast.Name):
        return None
    return (*([] if node.id == "session_state" else [node.id]), *reversed(keys))


def _shown(path: Any) -> str:
    return repr(path)
