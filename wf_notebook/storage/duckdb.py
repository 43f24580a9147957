"""A storage in a DuckDB file that stays open to others: it is attached for one transaction at a time.

DuckDB lets one process write, or many read. So nothing is held between two transactions, and one thread of the process makes
them all: an interrupt, which goes to the main thread, never hits a transaction.
"""

from __future__ import annotations

import os
import time
from contextlib import contextmanager, nullcontext, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import duckdb

from ..errors import BadStorage, StorageReadOnly
from . import duckdb_errors
from .lock import PATIENCE, locked
from .schema import Cursor, Dialect
from .sql import SqlStorage, checked_table_name
from .thread import StorageThread

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from concurrent.futures import Future

T = TypeVar("T")

DUCKDB = Dialect(json="JSON", text="VARCHAR", integer="BIGINT", real="DOUBLE", timestamp="TIMESTAMP", json_value="t.value")

#: A file of this version is opened by DuckDB 1.5 and by 2.x.
STORAGE_VERSION = "v1.5.0"
#: A WAL beyond this is folded into the file, in bytes.
WAL_LIMIT = 2_000_000
#: After a checkpoint the file stays attached this long, in seconds: DuckDB 2.0 reads a file's header before it locks the file,
#: so one who opens it in that moment must fail on the lock, or would later write over the checkpoint.
STAY = 0.1


class DuckDbWorkflowStorage(SqlStorage):
    """Sessions in a DuckDB file; parent folders are made.

    >>> import tempfile; folder = tempfile.mkdtemp()
    >>> storage = DuckDbWorkflowStorage(db_file=folder + "/runs.duckdb")
    >>> session = storage.session("demo"); session.state["topic"] = "cheese"; session.save()
    >>> with duckdb.connect(folder + "/runs.duckdb") as db:
    ...     db.sql("SELECT key, value FROM session_state").fetchall()
    [('topic', '"cheese"')]
    """

    dialect = DUCKDB

    def __init__(
        self, table_name: str = "workflow_sessions", db_file: str | os.PathLike[str] | None = None, **unsupported: Any
    ) -> None:
        for name in unsupported:
            raise TypeError(f"DuckDbWorkflowStorage takes no {name}=; give db_file=")
        self.table_name = checked_table_name(table_name)
        self.path = Path(db_file or ".workflows/workflows.duckdb").expanduser().absolute()
        self.url = f"duckdb:///{self.path}"
        self._known = File.at(self.path)

    def _exists(self) -> bool:
        return self.path.exists()

    def _transact(self, work: Callable[[Cursor], T], *, write: bool) -> T:
        file = self._known
        result: T = _thread.run(lambda done: file.transact(self._prepared(work), done, write=write))
        return result

    def _prepared(self, work: Callable[[Cursor], T]) -> Callable[[Cursor], T]:
        def prepare_and_work(cursor: Cursor) -> T:
            known = self._known.inode(), self.table_name
            if known not in self._known.prepared:
                sql = "SELECT table_name FROM duckdb_tables() WHERE NOT internal AND database_name = current_database()"
                self._prepare(cursor, {row[0] for row in cursor.execute(sql)})
                self._known.preparing = known
            return work(cursor)

        return prepare_and_work

    def close(self) -> None:
        """Fold the WAL into the file, so that a copy of the one file is whole; the storage can be used again."""
        _thread.run(self._known.fold)


class File:
    """A DuckDB file as this process knows it; used in the storage thread only."""

    _files: dict[Path, File] = {}  # noqa: RUF012 - one for each path in this process, on purpose

    def __init__(self, path: Path) -> None:
        self.path = path
        self.wal = path.with_name(path.name + ".wal")
        self.prepared: set[tuple[int, str]] = set()
        self.preparing: tuple[int, str] | None = None
        self._replayed = 0.0  # seconds spent on replaying the WAL since the last checkpoint
        self._checkpoint_cost = STAY

    @classmethod
    def at(cls, path: Path) -> File:
        """Return what this process knows of the file at `path`."""
        return cls._files.setdefault(path, cls(path))

    def inode(self) -> int:
        """Return which file lies at the path now."""
        return self.path.stat().st_ino

    def transact(self, work: Callable[[Cursor], T], done: Future[T], *, write: bool) -> None:
        """Lock, attach, run `work` in one transaction, detach; `done` hears of it when it is durable."""
        writable = self._check_place(write=write)
        self.preparing = None
        with locked(self.path.with_name(self.path.name + ".lock")) if writable else nullcontext():
            with self._connected(read_only=not writable) as connection:
                connection.execute("BEGIN")
                result = work(_Cursor(connection))
                connection.execute("COMMIT")
                self._own_only()
                fold = writable and self._worth_a_checkpoint()
                if fold:
                    done.set_result(result)
                    self._checkpoint(connection)
            self._remember()
        if not done.done():
            done.set_result(result)

    def _remember(self) -> None:
        """What was prepared in a transaction that is durable need not be prepared again."""
        if self.preparing:
            self.prepared.add(self.preparing)

    def fold(self, done: Future[None]) -> None:
        """Checkpoint, if there is something in the WAL."""
        if self.wal.exists() and os.access(self.path, os.W_OK):
            with locked(self.path.with_name(self.path.name + ".lock")), self._connected(read_only=False) as connection:
                self._checkpoint(connection)
        done.set_result(None)

    def _check_place(self, *, write: bool) -> bool:
        """Return whether the place can be written; raise what stands against its use."""
        if self.path.is_dir():
            raise BadStorage(f"{str(self.path)!r} is a folder; name a file in it")
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        except (FileExistsError, NotADirectoryError) as error:
            raise BadStorage(f"{str(self.path)!r} lies below a file, not a folder; choose another place") from error
        except OSError as error:
            raise StorageReadOnly(f"{str(self.path.parent)!r} cannot be made ({error.strerror}); choose another place") from error
        writable = os.access(self.path.parent, os.W_OK) and (not self.path.exists() or os.access(self.path, os.W_OK))
        if write and not writable:
            raise StorageReadOnly(
                f"{str(self.path)!r} cannot be written; the unsaved state stays in memory: choose another place"
            )
        return writable

    @contextmanager
    def _connected(self, *, read_only: bool) -> Iterator[duckdb.DuckDBPyConnection]:
        try:
            with self._attached(read_only=read_only) as connection:
                yield connection
        except duckdb.Error as error:
            raise duckdb_errors.translated(error, self.path) from error

    @contextmanager
    def _attached(self, *, read_only: bool) -> Iterator[duckdb.DuckDBPyConnection]:
        connection, beside = self._attach(read_only=read_only)
        try:
            yield connection
            if not beside:
                connection.execute("USE memory")
                connection.execute("DETACH kept")
        except BaseException:
            _memory.drop()  # whatever state it is in
            raise
        finally:
            if beside:
                connection.close()

    def _attach(self, *, read_only: bool) -> tuple[duckdb.DuckDBPyConnection, bool]:
        """Return a connection in which our file is the current database, and whether it is one beside the user's own."""
        options = "READ_ONLY" if read_only else f"STORAGE_VERSION '{STORAGE_VERSION}'"
        quoted_path = str(self.path).replace("'", "''")
        deadline = time.monotonic() + PATIENCE
        connection = _memory.get()
        started = time.perf_counter()
        while True:
            try:
                connection.execute(f"ATTACH '{quoted_path}' AS kept (TYPE duckdb, {options})")
                break
            except duckdb.Error as error:
                if duckdb_errors.is_own_connection(error):
                    return duckdb_errors.connect_beside(self.path), True
                if not duckdb_errors.is_outsider(error) or time.monotonic() > deadline:
                    raise
                duckdb_errors.say_waiting(error, self.path, deadline - PATIENCE)
                time.sleep(0.02)  # another program's lock cannot be waited for otherwise
        connection.execute("USE kept")
        self._replayed += time.perf_counter() - started
        return connection, False

    def _own_only(self) -> None:
        for path in (self.path, self.wal):  # DuckDB makes both readable by everybody
            with suppress(FileNotFoundError, PermissionError):
                if path.stat().st_mode & 0o077:
                    path.chmod(0o600)

    def _worth_a_checkpoint(self) -> bool:
        return self.wal.exists() and (self.wal.stat().st_size > WAL_LIMIT or self._replayed > self._checkpoint_cost)

    def _checkpoint(self, connection: duckdb.DuckDBPyConnection) -> None:
        started = time.perf_counter()
        connection.execute("CHECKPOINT")
        self._own_only()
        time.sleep(STAY)
        self._replayed, self._checkpoint_cost = 0.0, time.perf_counter() - started


class _Memory:
    """The one connection that files are attached to; dropped after any error, made again when it is needed."""

    def __init__(self) -> None:
        self._connection: duckdb.DuckDBPyConnection | None = None

    def get(self) -> duckdb.DuckDBPyConnection:
        if self._connection is None:
            self._connection = duckdb.connect(":memory:")
            self._connection.execute("SET enable_progress_bar = false")
            self._connection.execute("SET checkpoint_on_detach = 'DISABLED'")
        return self._connection

    def drop(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            with suppress(duckdb.Error):
                connection.execute("ROLLBACK")
            with suppress(duckdb.Error):
                connection.close()

    def forget(self) -> None:
        """In a forked child: neither used nor closed, as either would reach into the parent's file."""
        self._kept_for_ever, self._connection = self._connection, None


class _Cursor:
    """Runs a statement and gives all of its rows."""

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self._connection = connection

    def execute(self, sql: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        return self._connection.execute(sql, parameters).fetchall()


def _fold_all() -> None:
    for file in list(File._files.values()):  # noqa: SLF001 - this module's own
        with suppress(Exception):  # at exit: what is in the WAL is durable as it is
            _thread.run(file.fold)


_memory = _Memory()
_thread = StorageThread("wf_notebook-duckdb", at_exit=_fold_all, forget=_memory.forget)
