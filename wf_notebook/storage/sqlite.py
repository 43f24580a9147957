"""A storage in a SQLite file, or in memory: the same tables and views, with the standard library alone."""

from __future__ import annotations

import os
import sqlite3
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from ..errors import BadStorage, StorageBusy, StorageFailed, StorageReadOnly, WorkflowError
from .lock import PATIENCE
from .schema import Cursor, Dialect
from .sql import SqlStorage, checked_table_name

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

T = TypeVar("T")

#: JSON columns are declared TEXT: a column declared JSON would turn the text 1.0 into a number.
SQLITE = Dialect(json="TEXT", text="TEXT", integer="INTEGER", real="REAL", timestamp="TEXT", json_value="json(t.value)")

MEMORY = ":memory:"


class SqliteWorkflowStorage(SqlStorage):
    """Sessions in a SQLite file; parent folders are made.

    >>> import tempfile; folder = tempfile.mkdtemp()
    >>> storage = SqliteWorkflowStorage(table_name="blog", db_file=folder + "/tmp/workflows.db")
    >>> session = storage.session("demo"); session.state["topic"] = "cheese"; session.save()
    >>> storage.session("demo").state
    {'topic': 'cheese'}
    """

    dialect = SQLITE

    def __init__(
        self, table_name: str = "workflow_sessions", db_url: str | None = None, db_file: str | os.PathLike[str] | None = None,
        **unsupported: Any,
    ) -> None:  # fmt: skip
        for name in unsupported:
            raise TypeError(f"SqliteWorkflowStorage takes no {name}=; give db_file= or db_url='sqlite:///file.db'")
        if db_url is not None:
            if not db_url.startswith("sqlite:///"):
                raise BadStorage(f"db_url={db_url!r} is no SQLite address; write 'sqlite:///file.db'")
            db_file = db_url.removeprefix("sqlite:///")
        self.table_name = checked_table_name(table_name)
        self.path = Path(db_file or ".workflows/workflows.db").expanduser().absolute()
        self.url = f"sqlite:///{self.path}"
        self._in_memory = False
        self._lock = threading.RLock()
        self._connection: sqlite3.Connection | None = None
        self._process = os.getpid()

    def _exists(self) -> bool:
        return self._connection is not None or (self.path.exists() and (self.path.is_dir() or self.path.stat().st_size > 0))

    def _transact(self, work: Callable[[Cursor], T], *, write: bool) -> T:
        with self._lock:
            try:
                return self._in_transaction(self._open(), work, write=write)
            except sqlite3.Error as error:
                raise self._translated(error) from error

    def _in_transaction(self, connection: sqlite3.Connection, work: Callable[[Cursor], T], *, write: bool) -> T:
        connection.execute("BEGIN IMMEDIATE" if write else "BEGIN")
        try:
            result = work(_Cursor(connection))
            connection.execute("COMMIT")
        except BaseException:  # an interrupt too: the old state or the new one, never a mixture
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise
        return result

    def _open(self) -> sqlite3.Connection:
        if self._process != os.getpid():  # a connection must not be used, nor closed, in a forked child
            self._process, self._lock, self._forgotten, self._connection = os.getpid(), threading.RLock(), self._connection, None
        if self._connection is not None and not self._in_memory and not self.path.exists():
            self.close()  # the file was deleted under us: what is saved from now on goes to a new one
        if self._connection is None:
            connection = self._connect()
            try:
                self._set_up(connection)
            except BaseException:
                connection.close()
                raise
            self._connection = connection
        return self._connection

    def _connect(self) -> sqlite3.Connection:
        if self._in_memory:
            return sqlite3.connect(MEMORY, isolation_level=None, check_same_thread=False)
        if self.path.is_dir():
            raise BadStorage(f"{str(self.path)!r} is a folder; name a file in it")
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            if not self.path.exists():
                os.close(os.open(self.path, os.O_CREAT | os.O_RDWR, 0o600))  # SQLite gives its other files the same mode
        except (FileExistsError, NotADirectoryError) as error:
            raise BadStorage(f"{str(self.path)!r} lies below a file, not a folder; choose another place") from error
        except OSError as error:
            raise StorageReadOnly(f"{str(self.path)!r} cannot be made ({error.strerror}); choose another place") from error
        connection = sqlite3.connect(self.path, timeout=PATIENCE, isolation_level=None, check_same_thread=False)
        if os.access(self.path, os.W_OK) and os.access(self.path.parent, os.W_OK):
            try:
                connection.execute("PRAGMA journal_mode = WAL")  # readers and the writer do not wait for each other
                connection.execute("PRAGMA synchronous = FULL")  # durable when it returns
            except BaseException:
                connection.close()
                raise
        return connection

    def _set_up(self, connection: sqlite3.Connection) -> None:
        def prepare(cursor: Cursor) -> None:
            names = {row[0] for row in cursor.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
            self._prepare(cursor, names)

        writable = self._in_memory or os.access(self.path, os.W_OK)
        if writable or not self._has_schema(connection):
            self._in_transaction(connection, prepare, write=True)

    @staticmethod
    def _has_schema(connection: sqlite3.Connection) -> bool:
        return bool(connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'schema_log'").fetchall())

    def close(self) -> None:
        """Close the connection; it is opened again when it is needed."""
        with self._lock:
            if self._connection is not None and not self._in_memory:
                self._connection.close()
                self._connection = None

    def _translated(self, error: sqlite3.Error) -> WorkflowError:
        path, name = str(self.path), getattr(error, "sqlite_errorname", "") or ""
        if name.startswith(("SQLITE_BUSY", "SQLITE_LOCKED")):
            return StorageBusy(
                f"{path!r} is held by another program since {PATIENCE:.0f} s; the unsaved state stays in memory: "
                "close it there, then run write_to_storage()"
            )
        if name.startswith("SQLITE_NOTADB"):
            return BadStorage(f"{path!r} is no SQLite database; it was left as it is: choose another file")
        if name.startswith("SQLITE_CORRUPT"):
            return BadStorage(f"{path!r} is damaged ({error}); it was left as it is: restore a copy or choose another file")
        if name.startswith("SQLITE_READONLY"):
            return StorageReadOnly(f"{path!r} cannot be written; the unsaved state stays in memory: choose another place")
        return StorageFailed(f"{path!r}: {error}; what was saved before is still there, the unsaved state stays in memory")


class _Cursor:
    """Runs a statement and gives all of its rows."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def execute(self, sql: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        return self._connection.execute(sql, parameters).fetchall()
