"""What all SQL storages share: the rows of a session, read and appended inside one transaction."""

from __future__ import annotations

import json
import socket
from contextlib import suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Self, TypeVar, cast

from ..errors import BadStorage
from ..run import Run, process_started_at
from ..session import Session
from ..state import Change
from ..transaction import About, Head, Records, stored_id
from .schema import MIGRATIONS, RESERVED, TABLES, Cursor, Dialect, create_store_view

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ..transaction import Transaction

T = TypeVar("T")

_ABOUT = ("workflow", "workflow_id", "user_id", "session_name", "extra_data")
_RUN = tuple(name for name in TABLES["run_log"] if name not in {"store", "session_id"})
_EVENT = tuple(TABLES["event_log"])
#: Rows in one INSERT: DuckDB takes 20 times longer for them one by one.
_CHUNK = 200


def now() -> str:
    """Return the time in UTC as it is stored: sortable text that both databases read as a timestamp."""
    return datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%S.%f")


class SqlTransaction:
    """The rows of one store, inside one transaction."""

    def __init__(self, cursor: Cursor, store: str) -> None:
        self._execute = cursor.execute
        self._store = store

    def head(self, session_id: str, known: int) -> Head:
        """Return where the session stands."""
        at = (self._store, session_id)
        version, save = self._execute(
            "SELECT max(version), max(CASE WHEN version = ? THEN save_id END) FROM state_log WHERE store = ? AND session_id = ?",
            (known, *at),
        )[0]
        rows = self._execute(
            f"SELECT op, hidden, {', '.join(_ABOUT)} FROM session_log WHERE store = ? AND session_id = ?"
            " ORDER BY revision DESC LIMIT 1",
            at,
        )
        hidden = rows[0][1] if rows else 0
        about = About(*rows[0][2:]) if rows and rows[0][0] != "deleted" else None
        return Head(version or 0, save, hidden, about)

    def state_since(self, session_id: str, version: int) -> list[Change]:
        """Return the newest change of each key that changed after `version`, hidden ones left out."""
        at = (self._store, session_id)
        rows = self._execute(
            "SELECT key, op, value FROM (SELECT *, row_number() OVER (PARTITION BY key ORDER BY version DESC) AS newest"
            " FROM state_log WHERE store = ? AND session_id = ? AND version > ? AND version > coalesce("
            "(SELECT max(hidden) FROM session_log WHERE store = ? AND session_id = ?), 0)) l WHERE newest = 1 ORDER BY version",
            (*at, version, *at),
        )
        return [Change(key, op, value) for key, op, value in rows]

    def has_save(self, session_id: str, save_id: str) -> bool:
        """Return whether that save is in the store."""
        sql = "SELECT 1 FROM state_log WHERE store = ? AND session_id = ? AND save_id = ? LIMIT 1"
        return bool(self._execute(sql, (self._store, session_id, save_id)))

    def append_state(self, session_id: str, version: int, changes: Sequence[Change], *, run_id: str | None, save_id: str) -> None:
        """Append the changes of one save."""
        at = now()
        self._insert(
            "state_log",
            tuple(TABLES["state_log"]),
            [(self._store, session_id, version, c.key, c.op, None, c.value, run_id, save_id, at) for c in changes],
        )

    def append_about(self, session_id: str, op: str, about: About) -> None:
        """Append what is kept about the session from now on; op "deleted" hides its versions so far."""
        revision, hidden, version = self._execute(
            "SELECT coalesce(max(revision), 0) + 1, coalesce(max(hidden), 0), (SELECT coalesce(max(version), 0) FROM state_log"
            " WHERE store = ? AND session_id = ?) FROM session_log WHERE store = ? AND session_id = ?",
            (self._store, session_id) * 2,
        )[0]
        hidden = version if op == "deleted" else hidden
        values = [getattr(about, name) for name in _ABOUT]
        self._insert(
            "session_log",
            ("store", "session_id", "revision", "op", "happened_at", "hidden", *_ABOUT),
            [(self._store, session_id, revision, op, now(), hidden, *values)],
        )

    def append_records(self, session_id: str, records: Records) -> None:
        """Append rows of runs and events."""
        runs = [(self._store, session_id, *map(row.get, _RUN)) for row in records.runs]
        self._insert("run_log", ("store", "session_id", *_RUN), runs)
        self._insert("event_log", _EVENT, [tuple(map(row.get, _EVENT)) for row in records.events])

    def _insert(self, table: str, columns: Sequence[str], rows: Sequence[tuple[Any, ...]]) -> None:
        one = f"({', '.join('?' * len(columns))})"
        for start in range(0, len(rows), _CHUNK):
            chunk = rows[start : start + _CHUNK]
            values = ", ".join([one] * len(chunk))
            self._execute(f"INSERT INTO {table} ({', '.join(columns)}) VALUES {values}", [v for row in chunk for v in row])


class NoRows:
    """A transaction over a database that is not there yet: nothing to read in it."""

    def head(self, session_id: str, known: int) -> Head:
        """Return the head of a session that was never saved."""
        return Head()

    def state_since(self, session_id: str, version: int) -> list[Change]:
        """Return no change."""
        return []

    def has_save(self, session_id: str, save_id: str) -> bool:
        """Return that it is not there."""
        return False


class SqlStorage:
    """A storage over SQL; a dialect states how a transaction is opened, and what its words are."""

    dialect: Dialect
    table_name: str
    #: The address that open_storage takes.
    url: str

    def transact(self, work: Callable[[Transaction], T], *, write: bool) -> T:
        """Run `work` in one transaction; durable when it returns."""
        if not write and not self._exists():
            return work(cast("Transaction", NoRows()))
        return self._transact(lambda cursor: work(SqlTransaction(cursor, self.table_name)), write=write)

    def _rows(self, sql: str, parameters: Sequence[Any]) -> list[tuple[Any, ...]]:
        return self._transact(lambda cursor: cursor.execute(sql, parameters), write=False) if self._exists() else []

    def _transact(self, work: Callable[[Cursor], T], *, write: bool) -> T:
        """Open the database, prepare it where it is new, and run `work` in one transaction."""
        raise NotImplementedError

    def _exists(self) -> bool:
        """Return whether there is a database to read from."""
        raise NotImplementedError

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.url!r}, table_name={self.table_name!r})"

    def session(self, session_id: str, *, branch: str | None = None) -> Session:
        """Return a session of this storage, whether it was saved before or not; or a branch that a conflict left of it."""
        return Session(session_id, storage=self, branch=branch)

    def run(self, run_id: str) -> Run:
        """Return the record of a run.

        Raises LookupError when no run has that id.
        """
        sql = f"SELECT {', '.join(_RECORD)} FROM runs WHERE run_id = ? AND store = ?"
        rows = self._rows(sql, (run_id, self.table_name))
        if not rows:
            raise LookupError(f"no run {run_id!r} in {self.url}")
        return _record(dict(zip(_RECORD, rows[0], strict=True)))

    def get_all_session_ids(self, user_id: str | None = None, workflow_id: str | None = None) -> list[str]:
        """Return the ids of the sessions, newest first, as the old API does."""
        sql = (
            "SELECT session_id FROM sessions WHERE store = ? AND (? IS NULL OR user_id = ?) AND (? IS NULL OR workflow_id = ?)"
            " ORDER BY created_at DESC"
        )
        parameters = (self.table_name, user_id, user_id, workflow_id, workflow_id)
        ids = (row[0].replace("@@", "\0") for row in self._rows(sql, parameters))
        return [session_id.replace("\0", "@") for session_id in ids if "@" not in session_id]

    def delete_session(self, session_id: str) -> None:
        """Hide a session: it is no longer listed or loaded; its rows stay."""
        key = stored_id(session_id)
        self.transact(lambda tx: tx.append_about(key, "deleted", tx.head(key, 0).about or About()), write=True)

    def close(self) -> None:
        """Close what is open; the storage can be used again afterwards."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def _prepare(self, cursor: Cursor, tables: set[str]) -> None:
        """Bring a file up to this release, inside the transaction that opens it first. `tables` are those it has."""
        done = 0
        if "schema_log" in tables:
            done, by = cursor.execute("SELECT max(migration), max(written_by) FROM schema_log")[0]
            if done > len(MIGRATIONS):
                raise BadStorage(f"{self.url} was written by wf_notebook {by}, which is newer than this one; upgrade wf_notebook")
        for number, migrate in enumerate(MIGRATIONS[done:], start=done + 1):
            migrate(cursor, self.dialect)
            cursor.execute("INSERT INTO schema_log VALUES (?, ?, ?)", (number, _release(), now()))
        name = f"{self.table_name}_sessions" if self.table_name in tables else self.table_name
        create_store_view(cursor, self.dialect, self.table_name, name)


def checked_table_name(name: str) -> str:
    """Return `name`, or raise BadStorage when one of our own tables or views has it."""
    if name.lower() in RESERVED or not name:
        raise BadStorage(f"table_name={name!r} is the name of one of our own tables or views; choose another")
    return name


def _release() -> str:
    from importlib.metadata import version

    with suppress(Exception):
        return version("wf-notebook")
    return "unknown"


# -- records of runs -----------------------------------------------------------------------------------------------------------

_RECORD = (
    "run_id", "session_id", "workflow", "workflow_id", "inputs", "status", "started_at", "ended_at", "duration", "content",
    "error", "models", "input_tokens", "output_tokens", "cost", "changes", "host", "pid", "process_started_at",
)  # fmt: skip


def _record(row: dict[str, Any]) -> Run:
    host, pid, born = row.pop("host"), row.pop("pid"), row.pop("process_started_at")
    if row["status"] == "running" and host == socket.gethostname() and process_started_at(pid) != born:
        row["status"] = "lost"
    for name, empty in (("inputs", {}), ("models", []), ("changes", {})):
        row[name] = json.loads(row[name]) if row[name] else empty
    for name in ("started_at", "ended_at"):
        row[name] = _time(row[name])
    row["session_id"] = row["session_id"].replace("@@", "@")
    row["models"] = tuple(row["models"])
    return Run(**{**row, "input_tokens": row["input_tokens"] or 0, "output_tokens": row["output_tokens"] or 0})


def _time(value: datetime | str | None) -> datetime | None:
    if value is None:
        return None
    moment = value if isinstance(value, datetime) else datetime.fromisoformat(value)
    return moment.replace(tzinfo=UTC)
