"""A storage in a DuckDB file that stays open to others: it is attached for one transaction at a time.

DuckDB lets one process write, or many read. So nothing is held between two transactions, and one thread of the process makes
them all: an interrupt, which goes to the main thread, never hits a transaction.
"""

from __future__ import annotations

from concurrent.futures import CancelledError
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from ..errors import BadSetting, BadStorage, StorageBusy
from . import duckdb_asked, place
from .asking import Answer, Bounds, not_there, stopped
from .duckdb_connection import connection
from .duckdb_file import File, Task
from .duckdb_rewrite import rewriting
from .schema import Dialect
from .sql import SqlStorage, checked_table_name
from .thread import Job, StorageThread

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Sequence

    from .place import Signature
    from .rows import Opened

T = TypeVar("T")

DUCKDB = Dialect(
    name="duckdb",
    json="JSON",
    text="VARCHAR",
    integer="BIGINT",
    real="DOUBLE",
    timestamp="TIMESTAMP",
    long_text="VARCHAR USING COMPRESSION zstd",
    bytes="BLOB",
    hash="VARCHAR",
    json_object="json_group_object(t.key, t.value)",
    takes_lists=True,
    catalog="SELECT 'table', table_name FROM duckdb_tables() WHERE NOT internal AND database_name = current_database()"
    " UNION ALL SELECT 'view', view_name FROM duckdb_views() WHERE NOT internal AND database_name = current_database()",
    columns="SELECT table_name, column_name, data_type FROM duckdb_columns() WHERE NOT internal"
    " AND database_name = current_database() ORDER BY table_name, column_index",
)

#: How long the end of the process waits for others before it leaves the WAL as it is, in seconds.
PATIENCE_AT_EXIT = 1.0


class DuckDbWorkflowStorage(SqlStorage):
    """Sessions in a DuckDB file; parent folders are made.

    >>> import duckdb, tempfile; folder = tempfile.mkdtemp()
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
            raise BadSetting(f"DuckDbWorkflowStorage takes no {name}=; give db_file=")
        self.table_name = checked_table_name(table_name)
        # Of a link, the file that it leads to: DuckDB puts the WAL, and we the lock, beside the name that is opened.
        self.path = self.file = place.checked_file(db_file or ".workflows/workflows.duckdb", follow=True)
        if "?" in str(self.path):  # it takes what follows for settings, and puts the WAL before them
            raise BadStorage(
                f"{str(self.path)!r} has a question mark in it, which DuckDB does not take for a name; choose another"
            )
        self.url = f"duckdb:///{self.path}"
        self._file = File.at(self.path)

    def stamp(self) -> int | None:
        """Return a number that stays the same while nobody writes to the file, None when somebody did."""
        return self._file.stamp()

    def others(self) -> int:
        """Return a number that stays the same while no other process was seen to write; whoever saves sees it."""
        return self._file.others()

    def sign(self) -> Signature:
        """Return what is different after every save; it is told without a lock."""
        return self._file.signed()

    def _exists(self) -> bool:
        return place.exists(self.path)

    def catch_up(self) -> None:
        """Wait for what was begun before; after a checkpoint the file is held for a moment more."""
        _thread.catch_up()

    def _transact(self, work: Callable[[Opened], T], *, write: bool) -> T:
        task = Task(work, self.table_name, write)
        result: T = _thread.run(Job(self._file.transact, task, group=self._file))
        return result

    def _shrink(self) -> None:
        _thread.run(rewriting(self._file))

    def ask(self, query: str, parameters: Sequence[Any], bounds: Bounds) -> Answer:
        """Return what a query of the user's gives; it is done where nothing can be written, and nothing else be read."""
        if not self._exists():
            raise not_there(self.url)
        job = Job(partial(partial(duckdb_asked.answer, query=query, parameters=parameters, bounds=bounds), self._file))
        forget = bounds.stop.on_cancel(job.give_up)
        try:
            found: Answer = _thread.run(job)
        except (CancelledError, StorageBusy):  # it had not begun
            if bounds.stop.cancelled:
                raise stopped() from None
            raise
        finally:
            forget()
        return found

    def close(self) -> None:
        """Fold the WAL into the file, so that a copy of the one file is whole; the storage can be used again."""
        _thread.run(Job(self._file.fold))


def _fold_all() -> None:
    for file in File.all():
        with suppress(Exception):  # what is in the WAL is durable as it is
            _thread.run(Job(file.fold, PATIENCE_AT_EXIT))


_thread = StorageThread("wf_notebook-duckdb", at_exit=_fold_all, forget=connection.forget)
