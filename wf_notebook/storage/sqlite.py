"""A storage in a SQLite file, or in memory: the same tables and views, with the standard library alone."""

from __future__ import annotations

import atexit
import os
import sqlite3
import threading
import time
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Any, TypeVar
from weakref import WeakSet, finalize

from ..errors import BadSetting, BadStorage, StorageBusy
from ..run import logger
from . import agno, apart, place, sqlite_asked, sqlite_errors
from .apart import Request
from .asking import Answer, Bounds, needs_more, not_there
from .rows import Opened
from .schema import Cursor, Dialect
from .sql import SqlStorage, checked_table_name
from .waiting import SILENCE, longest, patience_for, remembered

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from ..transaction import Inherited
    from .place import Signature

T = TypeVar("T")

#: JSON columns are declared TEXT: a column declared JSON would turn the text 1.0 into a number.
SQLITE = Dialect(
    name="sqlite",
    json="TEXT",
    text="TEXT",
    integer="INTEGER",
    real="REAL",
    timestamp="TEXT",
    long_text="TEXT",
    bytes="BLOB",
    hash="TEXT",
    json_object="json_group_object(t.key, json(t.value))",
    catalog="SELECT type, name FROM sqlite_master WHERE type IN ('table', 'view')",
    columns="SELECT v.name, c.name, c.type FROM sqlite_master v JOIN pragma_table_info(v.name) c WHERE v.type = 'view'"
    " ORDER BY v.name, c.cid",
    indexes=(
        ("state_log", "session_id, store, key, version"),
        ("state_log", "session_id, store, version"),
        ("session_log", "session_id, store, revision"),
        ("run_log", "session_id, store, phase, happened_at, run_id"),
        ("run_log", "run_id, phase"),
        ("event_log", "run_id, seq"),
        ("blob", "hash"),
        ("step_log", "session_id, store, seq"),
    ),
)


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
        for name in agno.without_meaning_here(unsupported):
            raise BadSetting(f"SqliteWorkflowStorage takes no {name}=; give db_file= or db_url='sqlite:///file.db'")
        if db_url is not None:
            if not str(db_url).startswith("sqlite:///"):
                raise BadStorage(f"db_url={db_url!r} is no SQLite address; write 'sqlite:///file.db'")
            db_file = db_url.removeprefix("sqlite:///")
        self.table_name = checked_table_name(table_name)
        self.path = self.file = place.checked_file(db_file or ".workflows/workflows.db")
        self.url = f"sqlite:///{self.path}"
        self._kept: Kept | None = None
        self._start_over()
        _storages.add(self)

    def _start_over(self) -> None:
        self._lock = threading.RLock()
        self._at_work = False

    def _exists(self) -> bool:
        return place.exists(self.path) and self.path.stat().st_size > 0

    def sign(self) -> Signature:
        """Return what is different after every save; it is told without a lock."""
        wal = place.sign(self.path.with_name(self.path.name + "-wal"))
        return place.sign(self.path), wal if wal and wal[1] else None  # who only reads may make an empty one

    def _inherited(self, cursor: Cursor, session_id: str) -> Inherited | None:
        return agno.inherited(cursor, self.table_name, session_id)

    # -- the transaction ---------------------------------------------------------------------------------------------------

    def _transact(self, work: Callable[[Opened], T], *, write: bool) -> T:
        limit = longest.get()
        with remembered(self.path, limit=limit):
            return self._patiently(work, write=write, wait=patience_for(self.path, write=write, limit=limit))

    def _patiently(self, work: Callable[[Opened], T], *, write: bool, wait: float) -> T:
        since, said = time.monotonic(), False
        while True:
            try:
                with self._lock, self._connected(write=write) as kept:
                    return self._once(kept, work, write=write)
            except sqlite3.Error as error:
                waited = time.monotonic() - since
                if not sqlite_errors.is_busy(error) or waited > wait:
                    raise sqlite_errors.translated(error, str(self.path), wait, write=write) from error
            if waited > SILENCE and not said:
                said = True
                logger.warning("waiting for %r, which is held by another program", self.path.name)
            time.sleep(0.01)  # not in SQLite itself: there an interrupt would not be heard

    def _once(self, kept: Kept, work: Callable[[Opened], T], *, write: bool) -> T:
        if self._at_work:
            raise StorageBusy("a save was begun inside another one, as a finaliser may do; save in plain code")
        connection, opened = kept.connection, Opened(_Cursor(kept.connection), kept.ready)
        self._at_work = True
        try:
            if connection.in_transaction:  # an interrupt came between two of the lines below
                connection.execute("ROLLBACK")
            if write and not kept.wal:
                connection.execute("PRAGMA journal_mode = WAL")  # readers and the writer do not wait for each other
                kept.wal = True
            connection.execute("BEGIN IMMEDIATE" if write else "BEGIN")
            result = work(opened)
            connection.execute("COMMIT")
            kept.ready = opened.ready
        except BaseException:  # an interrupt too: the old state or the new one, never a mixture
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise
        finally:
            self._at_work = False
        return result

    def _shrink(self) -> None:
        with self._lock, self._connected(write=True) as kept:
            try:
                kept.connection.execute("VACUUM")
                kept.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            except sqlite3.Error as error:
                raise sqlite_errors.translated(error, str(self.path)) from error

    def ask(self, query: str, parameters: Sequence[Any], bounds: Bounds) -> Answer:
        """Return what a query of the user's gives; it is done where nothing can be written, and nothing else be read."""
        if not self._exists():
            raise not_there(self.url)
        try:
            return apart.ask(Request.of("sqlite", self.path, query, parameters, bounds), given_up=bounds.stop)
        except apart.NoProcess:
            return self.ask_here(query, parameters, bounds)

    def ask_here(self, query: str, parameters: Sequence[Any], bounds: Bounds) -> Answer:
        """Return what a query gives that is made in this process: there is no end to a function that hears no interrupt."""
        try:
            with self._lock, self._connected(write=False) as kept:
                return sqlite_asked.answer(kept.connection, query, parameters, bounds)
        except sqlite3.Error as error:
            raise sqlite_errors.translated(error, str(self.path), write=False) from error
        except MemoryError:
            raise needs_more(bounds.memory) from None

    # -- the connection ----------------------------------------------------------------------------------------------------

    @contextmanager
    def _connected(self, *, write: bool) -> Iterator[Kept]:
        if place.check(self.path, write=write):
            if write:
                place.warn_if_remote(self.path)
            if self._kept is not None and (self._kept.inode != _inode(self.path) or not self._kept.close.alive):
                self.close()  # the file was deleted or replaced under us: from now on the new one counts
            if self._kept is None:
                if not (write or self.path.exists()):
                    raise place.NotThere(self.path)
                place.make(self.path)
                self._kept = Kept(self, _connect_whole(self.path), _inode(self.path))
            yield self._kept
        else:
            with closing(self._connect_read_only()) as connection:
                yield Kept(self, connection)

    def _connect_read_only(self) -> sqlite3.Connection:
        wal = self.path.with_name(self.path.name + "-wal")
        # Without a WAL nothing can change but by replacing the file; with one, SQLite needs to see its other files.
        how = "mode=ro" if wal.exists() and wal.stat().st_size else "mode=ro&immutable=1"
        return connect(f"{self.path.as_uri()}?{how}")

    def close(self) -> None:
        """Close the connection; it is opened again when it is needed."""
        with self._lock:
            kept, self._kept = self._kept, None
            if kept is not None:
                kept.close()

    def _forget(self) -> None:
        """In a forked child the connection is the parent's: neither used nor closed."""
        self._start_over()
        if self._kept is not None:
            self._kept.close.detach()
            _of_the_parent.append(self._kept)
            self._kept = None


class Kept:
    """An open connection, closed with its storage; `wal` and `ready` say what need not be set up again."""

    def __init__(
        self, storage: SqliteWorkflowStorage, connection: sqlite3.Connection, inode: tuple[int, int] | None = None,
        *, wal: bool = False,
    ) -> None:  # fmt: skip
        self.connection, self.inode = connection, inode
        self.wal, self.ready = wal, False
        self.close = finalize(storage, connection.close)
        self.close.atexit = False  # but then after the last runs are saved


def connect(database: str) -> sqlite3.Connection:
    """Open a file, a URI or ":memory:"; it says at once when it is held by others, and durable when a commit returns."""
    connection = sqlite3.connect(
        database, uri=database.startswith("file:"), timeout=0, isolation_level=None, check_same_thread=False
    )
    try:
        connection.execute("PRAGMA synchronous = FULL")
    except BaseException:
        connection.close()
        raise
    return connection


_storages: WeakSet[SqliteWorkflowStorage] = WeakSet()
_of_the_parent: list[Kept] = []


def _close_all() -> None:
    for storage in list(_storages):
        if storage._kept is not None:  # noqa: SLF001 - this module's own
            storage._kept.close()  # noqa: SLF001 - as above


def _forget_all() -> None:
    for storage in list(_storages):
        storage._forget()  # noqa: SLF001 - this module's own


atexit.register(_close_all)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_all)


def _inode(path: Path) -> tuple[int, int] | None:
    try:
        there = path.stat()
    except FileNotFoundError:
        return None
    return there.st_dev, there.st_ino


def _connect_whole(path: Path) -> sqlite3.Connection:
    """Open a file that does not end in the middle of a page: SQLite would make up the rest of it.

    Its size is asked of SQLite: to open and close the file ourselves would end the locks of this process's other connections.
    """
    connection = connect(str(path))
    beside = [path.with_name(path.name + suffix) for suffix in ("-wal", "-journal")]
    try:
        ((page,),) = connection.execute("PRAGMA page_size").fetchall()
    except BaseException:
        connection.close()
        raise
    if path.stat().st_size % page and not any(other.exists() for other in beside):  # those would mend it
        connection.close()
        raise sqlite_errors.damaged(str(path), "the end of its last page is missing")
    return connection


class _Cursor:
    """Runs a statement and gives all of its rows."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def execute(self, sql: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        return self._connection.execute(sql, parameters).fetchall()
