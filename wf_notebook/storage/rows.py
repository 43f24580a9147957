"""The rows of one store, read and appended inside one transaction."""

from __future__ import annotations

import socket
from dataclasses import dataclass, field
from itertools import chain
from operator import itemgetter
from typing import TYPE_CHECKING, Any

from ..changes import Change
from ..codec.blobs import digest
from ..codec.kind import LARGE
from ..owners import line_of, shared_by
from ..processes import process_started_at
from ..transaction import About, Head, Records, is_branch
from .carried import CarriedRows
from .inserts import insert, insert_lists
from .moment import now
from .schema import COLUMNS, TABLES, quoted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from datetime import datetime

    from ..transaction import Inherited, Save
    from .schema import Cursor, Dialect

#: What is kept about a session.
ABOUT = ("workflow", "workflow_id", "user_id", "session_name", "extra_data")
_RUN = tuple(name for name in TABLES["run_log"] if name not in {"store", "session_id"})
_EVENT = tuple(TABLES["event_log"])
_STATE = tuple(TABLES["state_log"])
_BLOB = tuple(TABLES["blob"])
#: Rows in one INSERT: DuckDB takes 20 times longer for them one by one. Of so many it is quicker with a list for each column.
_CHUNK, _MANY = 200, 10


@dataclass(slots=True)
class Opened:
    """A database inside a transaction, and what is known of it.

    `ready` says that tables and views are there; equal numbers of `before` and `after` (None: it cannot be told) that nobody
    wrote in between.
    """

    cursor: Cursor
    ready: bool = False
    has_steps: bool = True
    before: int | None = None
    after: int | None = None
    #: Of store and session the newest row of its steps, and after which number that was seen.
    newest_steps: dict[tuple[str, str], tuple[int, int]] = field(default_factory=dict)


class SqlTransaction(CarriedRows):
    """The rows of one store, inside one transaction."""

    #: What an INSERT into a table ends with.
    endings: Mapping[str, str] = {}

    def __init__(self, opened: Opened, store: str, inherited: Callable[[str], Inherited | None], dialect: Dialect) -> None:
        self._execute = opened.cursor.execute
        self.store = store
        self.before, self.after = opened.before, opened.after
        self.newest_steps = opened.newest_steps
        self.has_steps = opened.has_steps
        self.inherited = inherited
        self._dialect = dialect

    def rows(self, sql: str, parameters: Sequence[Any]) -> list[tuple[Any, ...]]:
        """Return what a query gives."""
        return self._execute(sql, parameters)

    def head(self, session_id: str, known: int) -> Head:
        """Return where the session stands."""
        of, at = "WHERE store = ? AND session_id = ?", (self.store, session_id)
        # Plain questions, as DuckDB thinks longer about one that says all of this, and about one that sorts.
        saves = self._execute(f"SELECT version, save_id FROM state_log {of} AND version >= ?", (*at, known)) if known else []
        if not saves:
            saves = self._execute(f"SELECT version, save_id FROM state_log {of} ORDER BY version DESC LIMIT 1", at)
        version, newest_save = max(saves, default=(0, None))
        known_save = dict(saves).get(known)
        columns = ", ".join(("revision", "op", "hidden", "since", *ABOUT))
        said = self._execute(f"SELECT {columns} FROM session_log {of}", at)
        if not said:
            return Head(version, newest_save, known_save)
        revision, op, hidden, since, *told = max(said, key=itemgetter(0))
        about = About(**dict(zip(ABOUT, told, strict=True)), shared=shared_by(said)) if op != "deleted" else None
        return Head(
            version, newest_save, known_save, revision, hidden or 0, since or 0, about and self.of_line(session_id, about)
        )

    def of_line(self, session_id: str, about: About) -> About:
        """Return what is kept about a session; whose a branch is, and with whom it is shared, its line says."""
        line = SqlTransaction.head(self, line_of(session_id), 0).about if is_branch(session_id) else None
        return about if line is None else about.owned_as(line)

    def changes(
        self, session_id: str, *, after: int = 0, until: int | None = None, keys: Sequence[str] | None = None
    ) -> list[Change]:
        """Return what was changed after a version, until another one or the newest, in order; of all keys, or of some.

        Left out is what was undone by a later change of the whole key.
        """
        within = "store = ? AND session_id = ? AND version > ?" + ("" if until is None else " AND version <= ?")
        within += "" if keys is None else f" AND key IN ({', '.join('?' * len(keys))})"
        bounds = (self.store, session_id, after, *(() if until is None else (until,)), *(keys or ()))
        rows = self._execute(
            "SELECT l.key, l.op, coalesce(b.text, CAST(l.value AS VARCHAR)), l.path FROM"
            f" (SELECT *, rowid AS place FROM state_log WHERE {within}) l"
            " JOIN (SELECT key, max(CASE WHEN path IS NULL AND op IN ('set', 'delete') THEN version ELSE 0 END) AS since"
            f" FROM state_log WHERE {within} GROUP BY key) k ON k.key = l.key AND l.version >= k.since"
            " LEFT JOIN blob b ON b.hash = l.blob ORDER BY l.version, l.place",
            bounds * 2,
        )
        return [Change(*row) for row in rows]

    def last_changes(self, session_id: str, *, after: int, until: int) -> list[tuple[str, int, int]]:
        """Return each key that is there at a version, which one changed it last, and which one set it as a whole."""
        newest = "max(CASE WHEN path IS NULL AND op = '{}' THEN {} ELSE 0 END)".format
        rows = self._execute(
            f"SELECT key, max(version), {newest('set', 'version')}, {newest('delete', 'version')}, {newest('set', 'rowid')}"
            " FROM state_log WHERE store = ? AND session_id = ? AND version > ? AND version <= ? GROUP BY key",
            (self.store, session_id, after, until),
        )
        there = [(whole, place, key, last) for key, last, whole, gone, place in rows if whole > gone]
        return [(key, last, whole) for whole, _, key, last in sorted(there)]

    def blobs(self, hashes: Iterable[str]) -> dict[str, bytes]:
        """Return the bytes of blobs, as far as they are there."""
        wanted = list(hashes)
        marks = ", ".join("?" * len(wanted))
        return dict(self._execute(f"SELECT hash, bytes FROM blob WHERE hash IN ({marks})", wanted)) if wanted else {}

    def versions(self, session_id: str, *, after: int = 0) -> list[tuple[Any, ...]]:
        """Return version, saved_at, run_id, key and op of each change after a version, in order."""
        return self._execute(
            "SELECT version, saved_at, run_id, key, op FROM state_log WHERE store = ? AND session_id = ? AND version > ?"
            " ORDER BY version, rowid",
            (self.store, session_id, after),
        )

    def has_save(self, session_id: str, save_id: str) -> bool:
        """Return whether that save is in the store."""
        sql = "SELECT 1 FROM state_log WHERE store = ? AND session_id = ? AND save_id = ? LIMIT 1"
        return bool(self._execute(sql, (self.store, session_id, save_id)))

    def has_records(self, records: Records) -> bool:
        """Return whether these rows are in the store; rows of one save are there together, or not at all."""
        for run in records.runs:
            sql = "SELECT 1 FROM run_log WHERE run_id = ? AND phase = ? LIMIT 1"
            return bool(self._execute(sql, (run["run_id"], run["phase"])))
        for event in records.events:
            sql = "SELECT 1 FROM event_log WHERE run_id = ? AND seq = ? LIMIT 1"
            return bool(self._execute(sql, (event["run_id"], event["seq"])))
        return any(self.has_step(step["step_id"]) for step in records.steps[:1])

    def end_lost(self, session_id: str) -> bool:
        """End runs of this session whose process, on this machine, is gone: they are `lost`. Return whether others are open."""
        open_runs = self._execute(
            "SELECT run_id FROM run_log WHERE store = ? AND session_id = ? GROUP BY run_id HAVING min(phase) = 'start'",
            (self.store, session_id),
        )
        if not open_runs:
            return False
        marks = ", ".join("?" * len(open_runs))
        begun = self._execute(
            f"SELECT {', '.join(_RUN)} FROM run_log WHERE host = ? AND phase = 'start' AND run_id IN ({marks})",
            [socket.gethostname(), *(run_id for (run_id,) in open_runs)],
        )
        end = {"phase": "end", "status": "lost", "happened_at": now()}
        starts = [dict(zip(_RUN, row, strict=True)) for row in begun]
        lost = [
            {**start, **end, "started_at": start["happened_at"]}
            for start in starts
            if process_started_at(start["pid"]) != start["process_started_at"]
        ]
        self.append_records(session_id, Records(runs=lost))
        return len(lost) < len(open_runs)

    def append_state(self, session_id: str, version: int, changes: Sequence[Change], save: Save) -> None:
        """Append the changes of one save, and the blobs that they refer to, each once."""
        self._keep({content_hash: (len(content), None, content) for content_hash, content in save.blobs.items()})
        self._append(session_id, version, changes, (save.run_id, save.save_id, now()))

    def _append(
        self, session_id: str, version: int, changes: Sequence[Change], save: tuple[str | None, str, datetime | str]
    ) -> None:
        rows, beside = [], {}
        for change in changes:
            value, content_hash = change.value, None
            if value is not None and len(value) > LARGE:
                content_hash = digest("json", [value.encode()])
                beside[content_hash] = (len(value), value, None)
                value = None
            rows.append((self.store, session_id, version, change.key, change.op, change.path, value, content_hash, *save))
        self._keep(beside)
        self._insert("state_log", _STATE, rows)

    def _keep(self, beside: Mapping[str, tuple[int, str | None, bytes | None]]) -> None:
        if beside:
            missing = self._missing([*beside])
            self._insert("blob", _BLOB, [(name, *what) for name, what in sorted(beside.items()) if name in missing])

    def _missing(self, hashes: Sequence[str]) -> set[str]:
        """Return which of these blobs are not in the store."""
        marks = ", ".join("?" * len(hashes))
        return {*hashes} - {name for (name,) in self._execute(f"SELECT hash FROM blob WHERE hash IN ({marks})", hashes)}

    def compact(self, session_id: str, version: int, state: Sequence[Change]) -> None:
        """Fold all versions up to this one into it: of the older ones nothing stays but the state that they led to."""
        at = (self.store, session_id, version)
        save = self._execute(
            "SELECT max(run_id), max(save_id), max(saved_at) FROM state_log WHERE store = ? AND session_id = ? AND version = ?",
            at,
        )[0]
        self._execute("DELETE FROM state_log WHERE store = ? AND session_id = ? AND version <= ?", at)
        self._append(session_id, version, state, save)
        self.append_about(session_id, "compacted", self.head(session_id, 0).about or About(), since=version)

    def append_about(self, session_id: str, op: str, about: About, *, since: int = 0) -> None:
        """Append what is kept about the session from now on; op "deleted" hides its versions so far."""
        of, at = "WHERE store = ? AND session_id = ?", (self.store, session_id)
        last = self._execute(f"SELECT revision, hidden, since FROM session_log {of} ORDER BY revision DESC LIMIT 1", at)
        revision, hidden, before = last[0] if last else (0, 0, 0)
        if op == "deleted":
            hidden = self._execute(f"SELECT coalesce(max(version), 0) FROM state_log {of}", at)[0][0]
            self.say_of_steps(session_id, "deleted")
        values = [text(getattr(about, name)) for name in ABOUT]
        self._insert(
            "session_log",
            ("store", "session_id", "revision", "op", "happened_at", "hidden", "since", *ABOUT),
            [(self.store, session_id, revision + 1, op, now(), hidden or 0, since or before or 0, *values)],
        )

    def append_restored(self, session_id: str) -> bool:
        """Bring a deleted session back, with the versions that it had; return whether it was deleted."""
        self.hold(session_id)
        within = "FROM session_log WHERE store = ? AND session_id = ?"
        revisions = self._execute(
            f"SELECT revision, op, hidden, since, {', '.join(ABOUT)} {within} ORDER BY revision DESC", (self.store, session_id)
        )
        before = next((row for row in revisions if row[1] != "deleted"), None)
        if before is None or revisions[0][1] != "deleted":
            return False
        self.say_of_steps(session_id, "restored")
        self._insert(
            "session_log",
            ("store", "session_id", "revision", "op", "happened_at", "hidden", "since", *ABOUT),
            [(self.store, session_id, revisions[0][0] + 1, "restored", now(), *before[2:])],
        )
        return True

    def copy_deleted(self, session_id: str, new_id: str) -> bool:
        """Give what a session had when it was last deleted to a session of another id; return whether it ever was."""
        self.hold(new_id)
        if self.head(new_id, 0).revision:
            return True  # it was done, and is done again as nobody heard of it
        at = (self.store, session_id)
        within = "FROM session_log WHERE store = ? AND session_id = ?"
        hidden = self._execute(f"SELECT coalesce(max(hidden), 0) {within}", at)[0][0]
        before = self._execute(f"SELECT coalesce(max(hidden), 0) {within} AND hidden < ?", (*at, hidden))[0][0]
        about = self._execute(
            f"SELECT since, {', '.join(ABOUT)} {within} AND hidden = ? AND op <> 'deleted' ORDER BY revision DESC LIMIT 1",
            (*at, before),
        )
        if not hidden or not about:
            return False
        other = {"version": "version - ?", "session_id": "?"}
        names = ", ".join(other.get(name) or quoted(name) for name in _STATE)
        self._execute(
            f"INSERT INTO state_log ({', '.join(map(quoted, _STATE))}) SELECT {names} FROM state_log"
            " WHERE store = ? AND session_id = ? AND version > ? AND version <= ? ORDER BY version, rowid",
            (new_id, before, *at, before, hidden),
        )
        self.append_about(new_id, "restored", About(*about[0][1:]), since=max(0, about[0][0] - before))
        return True

    def append_records(self, session_id: str, records: Records) -> None:
        """Append rows of runs, events and steps."""
        runs = [(self.store, session_id, *map(row.get, _RUN)) for row in records.runs]
        self._insert("run_log", ("store", "session_id", *_RUN), runs)
        self._insert("event_log", _EVENT, [tuple(map(row.get, _EVENT)) for row in records.events])
        self.append_steps(session_id, records.steps)

    def _insert(self, table: str, columns: Sequence[str], rows: Sequence[tuple[Any, ...]]) -> None:
        if self._dialect.takes_lists and len(rows) >= _MANY and "bytes" not in COLUMNS[table]:
            lists = [list(values) for values in zip(*rows, strict=True)]
            self._execute(insert_lists(self._dialect, table, columns), lists)
            return
        for start in range(0, len(rows), _CHUNK):
            chunk = rows[start : start + _CHUNK]
            statement = insert(table, columns, len(chunk)) + self.endings.get(table, "")
            self._execute(statement, list(chain.from_iterable(chunk)))


def text(said: str | None) -> str | None:
    """Return text that can be written: half of a surrogate pair becomes a question mark."""
    return None if said is None else said.encode("utf-8", "replace").decode()
