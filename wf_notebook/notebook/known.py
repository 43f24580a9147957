"""What can be written on a line of %wf, as far as it is known: sessions, keys, versions, runs, views."""

from __future__ import annotations

import threading
from contextlib import suppress
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from ..frames import folded_ids
from ..frames.reading import found_session
from ..ipynb.line import written
from ..keys import key_of
from ..owners import Sight
from ..storage.schema import VIEWS
from ..transaction import is_branch, shown_id
from ..verbs.asked import Asked
from ..workflow import Workflow

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

#: How long a storage is waited for, in seconds: it may be held by others.
_PATIENCE = 0.5
#: Of each session what was last said about it.
_DELETED = """
    SELECT session_id FROM (SELECT session_id, op, row_number() OVER (PARTITION BY session_id ORDER BY revision DESC) AS newest
                            FROM session_log WHERE store = ?) s
    WHERE newest = 1 AND op = 'deleted'"""


def known(words: list[str], namespace: dict[str, Any], word: str = "") -> list[str]:
    """Return what may follow these words, as a line has it; what a storage knows only if it answers at once.

    `word` is what is written of it already.
    """
    verb, *others = words
    what = AFTER.get(words[-1]) or OF_VERB.get(verb)
    if what is None or (words[-1] == verb == "resolve"):
        return ["mine", "theirs"] if verb == "resolve" else []
    options = {AFTER_NAME[option]: value.strip("'\"") for option, value in pairwise(others) if option in AFTER_NAME}
    found: list[str] = [each.session_id for each in namespace.values() if isinstance(each, Workflow)] if what is sessions else []

    def ask() -> None:
        with suppress(Exception):  # completion never fails
            found.extend(map(str, what(Asked(namespace, options=options))))

    asking = threading.Thread(target=ask, daemon=True)
    asking.start()
    asking.join(_PATIENCE)
    offered = folded_ids(found, word) if what in {sessions, sides} else found
    return list(dict.fromkeys(map(written, offered)))


def sessions(asked: Asked) -> Iterable[str]:
    """Return the sessions, the one that was used last first."""
    listed: list[str] = asked.storage().sessions()["session_id"]
    return listed


def deleted(asked: Asked) -> Iterable[str]:
    """Return the sessions that were deleted and can be brought back."""
    storage = asked.storage()
    sees = Sight(storage.read, storage.table_name)
    found = [stored for (stored,) in storage.read(_DELETED, (storage.table_name,)) if not is_branch(stored) and sees(stored)]
    return map(shown_id, found)


def keys(asked: Asked) -> Iterable[str]:
    """Return the keys of the session's state."""
    for live in asked.live(asked.meant()):
        return [key for key in live.state if isinstance(key, str)]
    sql = "SELECT key FROM session_state WHERE store = ? AND session_id = ?"
    return [key for (text,) in _read(asked, sql) if isinstance(key := key_of(text), str)]


def versions(asked: Asked) -> Iterable[int]:
    """Return the versions of the session, the newest first."""
    return [each.version for each in reversed(asked.storage().session(asked.meant()).versions())]


def sides(asked: Asked) -> Iterable[Any]:
    """Return what may be compared: versions of the session, and sessions."""
    return [*versions(asked), *sessions(asked)]


def runs(asked: Asked) -> Iterable[str]:
    """Return the runs of the session, the newest first."""
    return [run for (run,) in _read(asked, "SELECT run_id FROM runs WHERE store = ? AND session_id = ? ORDER BY started_at DESC")]


def going(asked: Asked) -> Iterable[str]:
    """Return the runs that go on."""
    from ..ipynb.going import going_on

    return [each.run.run_id for each in going_on(asked.storage())]


def conflicts(asked: Asked) -> Iterable[Any]:
    """Return the keys of the session that are in a conflict."""
    return dict.fromkeys(one.keys[0] for live in asked.live(asked.meant()) for one in live.conflict())


def views(asked: Asked) -> Iterable[str]:
    """Return the views that can be queried."""
    return [*VIEWS, asked.storage().table_name]


def _read(asked: Asked, sql: str) -> list[tuple[Any, ...]]:
    storage = asked.storage()
    stored = storage.transact(lambda tx: found_session(storage, tx, asked.meant()), write=False)  # it may be another user's
    return storage.read(sql, (storage.table_name, stored))


#: Which option a line's storage and session are named by.
AFTER_NAME = {"-s": "session", "--session": "session", "--storage": "storage"}
#: What follows an option.
AFTER: dict[str, Callable[[Asked], Iterable[Any]]] = {
    "-s": sessions, "--session": sessions, "--deleted": deleted, "--at": versions,
}  # fmt: skip
#: What follows a verb.
OF_VERB: dict[str, Callable[[Asked], Iterable[Any]]] = {
    "sessions": sessions,
    "state": keys, "runs": sessions, "inspect": sessions, "events": runs, "show": runs, "attach": going, "stop": going,
    "diff": sides, "restore": versions,
    "delete": sessions, "copy": sessions, "share": sessions, "unshare": sessions, "resolve": conflicts, "sql": views,
}  # fmt: skip
