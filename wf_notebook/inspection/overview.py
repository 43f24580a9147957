"""The sessions of a storage at a glance: found, sorted and counted with a few questions, however many runs they had."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime
from operator import attrgetter
from typing import TYPE_CHECKING, Any

from ..accounts import account_of
from ..errors import BadArguments
from ..frames import Column, Table
from ..frames.folding import rows_in_words, standing
from ..nearest import did_you_mean
from ..owners import IS_NEWEST, Sight
from ..storage.runs import status_of
from ..transaction import is_branch, shown_id, sweep_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ..frames.columns import Kind
    from ..storage.sql import SqlStorage

    Read = Callable[[str, Sequence[Any]], list[tuple[Any, ...]]]

#: How many bytes a value has, which is a column of JSON.
_BYTES = {
    "duckdb": "strlen(CAST(value AS VARCHAR))",
    "sqlite": "length(CAST(value AS BLOB))",
    "postgres": "octet_length(CAST(value AS VARCHAR))",
}
#: How a value names a blob that is bytes.
_NAMED = re.compile(r'"([0-9a-f]{32})"')
#: Of a run that said several things of itself, the last of these counts.
_PHASES = ("start", "lost", "end")
#: So many names stand in one question.
_NAMES = 500


#: Versions and runs of each session, and when the last were: one look at the columns, where that is quick,
_SCANNED = {
    "versions": "SELECT v.session_id, v.version, max(l.saved_at) FROM"
    " (SELECT session_id, max(version) AS version FROM state_log WHERE {of} GROUP BY session_id) v"
    " JOIN state_log l ON l.store = ? AND l.session_id = v.session_id AND l.version = v.version GROUP BY v.session_id, v.version",
    "runs": "SELECT session_id, count(CASE WHEN phase = 'start' THEN 1 END), max(happened_at) FROM run_log"
    " WHERE {of} GROUP BY session_id",
}
#: or a look into the indexes for each session, where there are some.
_ITS = "x.session_id = s.session_id AND x.store = s.store"
_KNOWN = f"(SELECT s.session_id, s.store FROM session_log s WHERE s.store = ? AND {{seen}} AND {IS_NEWEST}) s"
_LAST = ", ".join(f"(SELECT max(x.happened_at) FROM run_log x WHERE {_ITS} AND x.phase = '{phase}')" for phase in _PHASES)
_SOUGHT = {
    "versions": "SELECT s.session_id, s.version,"
    f" (SELECT max(x.saved_at) FROM state_log x WHERE {_ITS} AND x.version = s.version)"
    f" FROM (SELECT s.session_id, s.store, (SELECT max(x.version) FROM state_log x WHERE {_ITS}) AS version FROM {_KNOWN}) s",
    "runs": f"SELECT s.session_id, (SELECT count(*) FROM run_log x WHERE {_ITS} AND x.phase = 'start'), {_LAST} FROM {_KNOWN}",
}


@dataclass(slots=True)
class Glance:
    """A session at a glance. `size` is what it takes in the store, in bytes; `status` is that of the run that began last.

    Of all rows of a sweep, which are sessions each, `rows` says how many they are and how they stand.
    """

    stored: str
    name: str | None
    workflow: str | None
    updated_at: datetime
    versions: int = 0
    runs: int = 0
    size: int = 0
    status: str | None = None
    run_id: str | None = None
    rows: str | None = None

    @property
    def id(self) -> str:
        """The id as people know it."""
        return shown_id(self.stored)

    @property
    def title(self) -> str:
        """What stands first: its name if it has one."""
        return self.name or self.id


#: By what sessions are sorted.
SORTS: dict[str, Callable[[Glance], Any]] = {
    "updated_at": attrgetter("updated_at"),
    "name": lambda one: one.title.casefold(),
    "workflow": lambda one: (one.workflow or "").casefold(),
    "size": attrgetter("size"),
    "versions": attrgetter("versions"),
    "runs": attrgetter("runs"),
}
_COLUMNS: dict[str, tuple[str, Kind]] = {
    "session_id": ("id", "text"), "session_name": ("name", "text"), "workflow": ("workflow", "text"),
    "status": ("status", "text"), "updated_at": ("updated_at", "timestamp"), "size": ("size", "integer"),
    "versions": ("versions", "integer"), "runs": ("runs", "integer"),
}  # fmt: skip


def glances(
    storage: SqlStorage,
    *,
    words: str = "",
    sort: str = "updated_at",
    descending: bool = True,
    branches: bool = False,
    folded: bool = False,
    start: int = 0,
    count: int | None = None,
) -> tuple[int, list[Glance]]:
    """Return how many sessions have all of the words, each in its id, name or workflow, and a page of these sessions.

    With `folded`, the rows of a sweep are one of them.

    >>> from wf_notebook.storage import open_storage
    >>> storage = open_storage("memory:")
    >>> for name in ("Cheese", "ham"): session = storage.session(name); session.state["n"] = 1; session.save()
    >>> total, page = glances(storage, words="CHEE")
    >>> total, page[0].id, page[0].versions, page[0].size, page[0].status
    (1, 'Cheese', 1, 1, None)
    """
    if sort not in SORTS:
        raise BadArguments(f"sessions are not sorted by {sort!r}{did_you_mean(str(sort), SORTS) or ''}")

    def read(tx: Any) -> tuple[int, list[Glance]]:
        sees = Sight(tx.rows, storage.table_name)
        known = _counted(tx.rows, storage.table_name, sees=sees, indexed=bool(storage.dialect.indexes))
        found = [one for one in known if (branches or not is_branch(one.stored)) and _has(one, words.casefold().split())]
        if sort == "size":
            _weigh(tx.rows, storage, found, all_of_them=True)
        if folded:
            found = _folded(tx.rows, storage.table_name, found)
        found.sort(key=attrgetter("id"))
        found.sort(key=SORTS[sort], reverse=descending)
        page = found[start : None if count is None else start + count]
        _end(tx.rows, storage.table_name, page, all_of_them=count is None)
        if sort != "size":
            _weigh(tx.rows, storage, [one for one in page if not one.rows], all_of_them=count is None)
        return len(found), page

    answer: tuple[int, list[Glance]] = storage.transact(read, write=False)
    return answer


def _folded(read: Read, store: str, found: list[Glance]) -> list[Glance]:
    """Return sessions with one in the place of all rows of a sweep."""
    sweeps: dict[str, list[Glance]] = {}
    others = []
    for one in found:
        name = sweep_of(one.stored)
        others += [one] if name is None else []
        if name is not None:
            sweeps.setdefault(f"{name}/", []).append(one)
    stands = standing(read, store) if sweeps else {}
    for name, rows in sweeps.items():
        newest = max(rows, key=attrgetter("updated_at"))
        versions, runs, size = (sum(getattr(row, each) for row in rows) for each in ("versions", "runs", "size"))
        counts = Counter(stands.get(row.stored, "") for row in rows)
        others.append(Glance(name, None, newest.workflow, newest.updated_at, versions, runs, size, rows=rows_in_words(counts)))
    return others


def glance(read: Read, store: str, stored: str) -> Glance | None:
    """Return a session at a glance, without its size; None if it is not there."""
    found = _counted(read, store, stored)
    _end(read, store, found)
    return found[0] if found else None


def table(found: Sequence[Glance], title: str) -> Table:
    """Return sessions as a table."""
    columns = [Column.of(name, (getattr(one, attribute) for one in found), kind) for name, (attribute, kind) in _COLUMNS.items()]
    return Table(columns, title)


def _has(one: Glance, words: list[str]) -> bool:
    text = f"{one.id}\n{one.name or ''}\n{one.workflow or ''}".casefold()
    return all(word in text for word in words)


def _counted(
    read: Read, store: str, stored: str | None = None, *, sees: Sight | None = None, indexed: bool = False
) -> list[Glance]:
    """Return the sessions that are there and seen, with their versions and runs; or one of them."""
    of, given = _within(store, None if stored is None else [stored])
    seen, who = ("1 = 1", ()) if sees is None else sees.of_sessions()
    columns = ", ".join(f"s.{name}" for name in ("session_id", "happened_at", "session_name", "workflow"))
    said = f"SELECT {columns} FROM session_log s WHERE {of} AND s.op <> 'deleted' AND {seen} AND {IS_NEWEST}"
    found = {
        one: Glance(one, name or None, workflow or None, _time(happened_at))
        for one, happened_at, name, workflow in read(said, (*given, *who))
        if (stored is not None or account_of(one, workflow) is None) and (sees is None or sees.lists(one))
    }
    for counted, sql in (_SOUGHT if indexed else _SCANNED).items():
        asked = (*given, *who) if indexed else (*given, *given[:1]) if counted == "versions" else given
        for one, number, *moments in read(sql.format(of=of, seen=seen), asked):
            if one in found and number:
                setattr(found[one], counted, number)
                found[one].updated_at = max(found[one].updated_at, *(_time(moment) for moment in moments if moment))
    return list(found.values())


def _end(read: Read, store: str, page: Sequence[Glance], *, all_of_them: bool = False) -> None:
    """Note how the run stands that began last, of each session of a page."""
    of, given = _within(store, None if all_of_them else [one.stored for one in page])
    process = ("host", "pid", "process_started_at")
    newest = f"SELECT session_id, max(happened_at) AS at FROM run_log WHERE {of} AND phase = 'start' GROUP BY session_id"
    rows = read(
        f"SELECT l.session_id, l.run_id, l.phase, l.status, {', '.join(f'l.{name}' for name in process)} FROM run_log l"
        f" JOIN (SELECT r.session_id, max(r.run_id) AS run_id FROM run_log r JOIN ({newest}) x"
        " ON r.session_id = x.session_id AND r.happened_at = x.at WHERE r.store = ? AND r.phase = 'start'"
        " GROUP BY r.session_id) n ON n.run_id = l.run_id AND n.session_id = l.session_id WHERE l.store = ?",
        (*given, store, store),
    )
    last: dict[str, tuple[Any, ...]] = {}
    for row in rows:
        if row[0] not in last or _PHASES.index(last[row[0]][2]) < _PHASES.index(row[2]):
            last[row[0]] = row
    for one in page:
        if one.stored in last:
            _, one.run_id, phase, status, *where = last[one.stored]
            stands = {"start": "running", "lost": "lost"}.get(phase, status)
            one.status = status_of({"status": stands, **dict(zip(process, where, strict=True))})


def _weigh(read: Read, storage: SqlStorage, page: Sequence[Glance], *, all_of_them: bool = False) -> None:
    """Note how many bytes each session of a page takes: its values of all versions, and each large one, array or frame once.

    What lies beside a value that itself lies beside is not counted.
    """
    of, given = _within(storage.table_name, None if all_of_them else [one.stored for one in page])
    sums = f"SELECT session_id, sum({_BYTES[storage.dialect.name]}) FROM state_log WHERE {of} GROUP BY session_id"
    values: dict[str, int | None] = dict(read(sums, given))
    beside = """CAST(value AS VARCHAR) LIKE '%"blob%'"""
    naming = read(
        f"SELECT DISTINCT session_id, blob, CASE WHEN {beside} THEN CAST(value AS VARCHAR) END FROM state_log"
        f" WHERE {of} AND (blob IS NOT NULL OR {beside})",
        given,
    )
    named: dict[str, set[str]] = {}
    for one, large, value in naming:
        named.setdefault(one, set()).update([large] if large else [], _NAMED.findall(value or ""))
    sizes: dict[str, int] = {}
    wanted = sorted(set().union(*named.values()))
    for first in range(0, len(wanted), _NAMES):
        some = wanted[first : first + _NAMES]
        sizes |= dict(read(f"SELECT hash, size FROM blob WHERE hash IN ({', '.join('?' * len(some))})", some))
    for row in page:
        row.size = int(values.get(row.stored) or 0) + sum(sizes.get(name, 0) for name in named.get(row.stored, ()))


def _within(store: str, stored: Sequence[str] | None) -> tuple[str, tuple[str, ...]]:
    """Return what asks for rows of a store, or of some of its sessions."""
    if stored is None:
        return "store = ?", (store,)
    return f"store = ? AND session_id IN ({', '.join('?' * len(stored)) or 'NULL'})", (store, *stored)


def _time(value: datetime | str) -> datetime:
    moment = value if isinstance(value, datetime) else datetime.fromisoformat(value)
    return moment.replace(tzinfo=UTC)
