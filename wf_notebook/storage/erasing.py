"""What is taken out of a store for good: old versions and runs, whole sessions, and the blobs that nothing refers to any more."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING

from ..errors import BadSetting, UnknownSession
from ..history import folded
from ..nearest import did_you_mean
from ..owners import Sight, line_of, refuse_others
from ..transaction import About, is_branch, shown_id, stored_id
from ..users import users
from .standing import among, branches_of, groups

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .no_rows import NoRows
    from .rows import SqlTransaction

#: How a value names a blob.
_NAMED = re.compile(r'"blob":"([0-9a-f]{32})"|"([0-9a-f]{32})"')


def named_blobs(text: str | None) -> list[str]:
    """Return the blobs that a value names, as it is stored.

    >>> named_blobs('{"$ndarray":{"blob":"0123456789abcdef0123456789abcdef"}}')
    ['0123456789abcdef0123456789abcdef']
    """
    return [one or other for one, other in _NAMED.findall(text)] if text and '"' in text else []


#: What refers to blobs: table, the column whose values name them, and the one that has the name of a value that is one.
REFERRING = (("state_log", "value", "blob"), ("step_log", "result", "blob"), ("step_log", "parts", "parts_blob"))


@dataclass(frozen=True, slots=True)
class Purged:
    """What was erased: so many sessions, versions, runs and blobs."""

    sessions: int = 0
    versions: int = 0
    runs: int = 0
    blobs: int = 0


def known(tx: SqlTransaction | NoRows, session_id: str, url: str, *, alone: bool = True) -> str:
    """Return how the id of a session is stored, of one that is there or was deleted; UnknownSession if there never was one.

    SessionOwned if it is another user's: `alone`, also if that user shared it.
    """
    key = stored_id(session_id)
    if not (tx.head(key, 0).revision or tx.inherited(session_id)):
        sees = Sight(tx.rows, tx.store)
        ids = [shown_id(stored) for stored in live_sessions(tx) if not is_branch(stored) and sees(stored)]
        hint = did_you_mean(session_id, ids) or "; storage.sessions() lists those that are there"
        raise UnknownSession(f"no session {session_id!r} in {url}{hint}")
    if (about := tx.head(key, 0).about) is None:
        refuse_hidden(tx, key)
    refuse_others(session_id, about, alone=alone)
    return key


def refuse_hidden(tx: SqlTransaction | NoRows, key: str) -> None:
    """Raise SessionOwned where what was deleted last under a stored id was another user's, who alone brings it back."""
    sql = "SELECT user_id FROM session_log WHERE store = ? AND session_id = ? AND op = 'deleted' ORDER BY revision DESC LIMIT 1"
    for (owner,) in tx.rows(sql, (tx.store, line_of(key))):
        refuse_others(shown_id(key), About(user_id=owner), alone=True)


def own(tx: SqlTransaction | NoRows, session_ids: Sequence[str], *, also_deleted: bool = False) -> set[str]:
    """Return which of many sessions are there, and not another user's: asked for at once; of the others `known` says more."""
    mine, found = users(), set()
    there = "newest = 1" if also_deleted else "newest = 1 AND op <> 'deleted'"
    newest = "row_number() OVER (PARTITION BY session_id ORDER BY revision DESC) AS newest"
    for some in groups([*map(stored_id, session_ids)]):
        sql = (
            f"SELECT session_id, user_id FROM (SELECT session_id, op, user_id, {newest} FROM session_log WHERE store = ?"
            f" AND {among('session_id', some)}) s WHERE {there}"
        )
        rows = tx.rows(sql, (tx.store, *some))
        found |= {stored for stored, owner in rows if owner is None or mine is None or owner in mine}
    return found


def erase_sessions(tx: SqlTransaction, keys: Sequence[str]) -> tuple[int, int, int]:
    """Erase sessions with their branches and all rows of them; return how many sessions, versions and runs that were."""
    sessions = versions = erased = 0
    for some in groups([*keys, *branches_of(tx, keys)] if keys else []):
        of, given = f"store = ? AND {among('session_id', some)}", (tx.store, *some)
        saved = f"SELECT count(*) FROM (SELECT DISTINCT session_id, version FROM state_log WHERE {of}) v"
        there = tx.rows(
            f"SELECT count(DISTINCT session_id), ({saved}) FROM session_log WHERE {of}",
            given * 2,
        )[0]
        runs = [run_id for (run_id,) in tx.rows(f"SELECT DISTINCT run_id FROM run_log WHERE {of}", given)]
        erase_runs(tx, runs)
        for table in ("run_log", "state_log", "session_log", "step_log"):
            tx.rows(f"DELETE FROM {table} WHERE {of}", given)
        sessions, versions, erased = sessions + there[0], versions + there[1], erased + len(runs)
    return sessions, versions, erased


def erase_runs(tx: SqlTransaction, runs: Sequence[str]) -> None:
    """Erase runs and what they said."""
    for start in range(0, len(runs), 500):
        some = list(runs[start : start + 500])
        marks = ", ".join("?" * len(some))
        for table in ("event_log", "run_log"):
            tx.rows(f"DELETE FROM {table} WHERE run_id IN ({marks})", some)


def runs_before(tx: SqlTransaction, moment: str, keys: Sequence[str] | None) -> list[tuple[str, str]]:
    """Return the runs that ended before a moment, of some sessions or of all, each with its session as it is stored."""
    sql = "SELECT run_id, session_id FROM run_log WHERE store = ? AND phase = 'end' AND happened_at < ?"
    if keys is None:
        return tx.rows(sql, (tx.store, moment))
    asked = ((f"{sql} AND {among('session_id', some)}", (tx.store, moment, *some)) for some in groups(keys))
    return [row for one in asked for row in tx.rows(*one)]


def version_at(tx: SqlTransaction, key: str, moment: str) -> int:
    """Return the version that a session had at a moment, 0 if it had none yet."""
    sql = "SELECT coalesce(max(version), 0) FROM state_log WHERE store = ? AND session_id = ? AND saved_at < ?"
    version: int = tx.rows(sql, (tx.store, key, moment))[0][0]
    return version


def deleted_sessions(tx: SqlTransaction, moment: str | None) -> list[str]:
    """Return the sessions that were deleted, before a moment or at any time, and not saved since."""
    sql = (
        "SELECT session_id FROM (SELECT session_id, op, happened_at, row_number() OVER"
        " (PARTITION BY session_id ORDER BY revision DESC) AS newest FROM session_log WHERE store = ?) s"
        " WHERE newest = 1 AND op = 'deleted' AND (CAST(? AS VARCHAR) IS NULL OR happened_at < ?)"
    )
    return [key for (key,) in tx.rows(sql, (tx.store, moment, moment))]


def live_sessions(tx: SqlTransaction | NoRows) -> list[str]:
    """Return the sessions and branches that are there."""
    return [key for (key,) in tx.rows("SELECT DISTINCT session_id FROM session_log WHERE store = ?", (tx.store,))]


def sweep(tx: SqlTransaction) -> int:
    """Erase the blobs that nothing refers to any more, in any store of this database; return how many."""
    needed, values = set(), []
    for table, column, beside in REFERRING:
        needed |= {name for (name,) in tx.rows(f"SELECT DISTINCT {beside} FROM {table} WHERE {beside} IS NOT NULL", ())}
        value = f"CAST({column} AS VARCHAR)"
        values += tx.rows(f"""SELECT {value} FROM {table} WHERE {value} LIKE '%"blob%'""", ())
        values += tx.rows(f"""SELECT b.text FROM blob b JOIN {table} l ON l.{beside} = b.hash WHERE b.text LIKE '%"blob%'""", ())
    for (value,) in values:
        needed.update(named_blobs(value))
    there = {content_hash for (content_hash,) in tx.rows("SELECT hash FROM blob", ())}
    gone = sorted(there - needed)
    for start in range(0, len(gone), 500):
        some = gone[start : start + 500]
        tx.rows(f"DELETE FROM blob WHERE hash IN ({', '.join('?' * len(some))})", some)
    return len(gone)


def purged(tx: SqlTransaction, keys: Sequence[str] | None, moment: str | None) -> Purged:
    """Erase what `SqlStorage.purge` says; where no sessions are named, of those that are not another user's."""
    tx.hold_all()
    own = Sight(tx.rows, tx.store, alone=True)
    runs = [] if moment is None else [run for run, key in runs_before(tx, moment, keys) if keys is not None or own(key)]
    erase_runs(tx, runs)
    whole = [*filter(own, deleted_sessions(tx, moment))] if keys is None else keys if moment is None else []
    sessions, versions, erased = erase_sessions(tx, whole)
    if moment is not None:
        for one in filter(own, live_sessions(tx)) if keys is None else keys:
            versions += folded(tx, one, version_at(tx, one, moment))
    return Purged(sessions, versions, erased + len(runs), sweep(tx))


def moment(since: object) -> str:
    """Return a moment, or what lies so long ago, as it is stored."""
    if isinstance(since, timedelta):
        since = datetime.now(UTC) - since
    elif isinstance(since, date) and not isinstance(since, datetime):
        since = datetime(since.year, since.month, since.day).astimezone()
    if not isinstance(since, datetime):
        raise BadSetting(f"older_than={since!r} is no time; give a timedelta(days=30), a date or a datetime")
    return since.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S.%f")
