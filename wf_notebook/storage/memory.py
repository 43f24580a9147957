"""A storage that lives as long as the process: SQLite without a file, so that it keeps every promise of the others but one."""

from __future__ import annotations

import os
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

from . import apart
from .apart import NoProcess, Request
from .sqlite import Kept, SqliteWorkflowStorage, connect

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from .asking import Answer, Bounds
    from .place import Signature

#: A memory of so many bytes is copied for a query.
COPIED = 50_000_000


class MemoryWorkflowStorage(SqliteWorkflowStorage):
    """Sessions in memory, for tests and trials.

    >>> storage = MemoryWorkflowStorage()
    >>> session = storage.session("demo"); session.state["n"] = 1; session.save()
    >>> storage.session("demo").state
    {'n': 1}
    """

    def __init__(self, table_name: str = "workflow_sessions") -> None:
        super().__init__(table_name, db_file=os.devnull)  # there is no file
        self.url, self.file = "memory:", None
        self._kept = self._only = Kept(self, connect(":memory:"), wal=True)

    def sign(self) -> Signature:
        """Return what is different after every save: how many rows were changed."""
        return ((0, self._only.connection.total_changes, id(self._only)),)

    def ask(self, query: str, parameters: Sequence[Any], bounds: Bounds) -> Answer:
        """Return what a query of the user's gives of a copy, in a process of its own; of a large one, in this process."""
        with self._lock:
            ((size,),) = self._only.connection.execute("SELECT page_count * page_size FROM pragma_page_count, pragma_page_size")
            database = self._only.connection.serialize() if 0 < size <= COPIED else None  # of nothing there is no copy
        if database is not None:
            request = Request.of("memory", self.path, query, parameters, bounds, database=database)
            with suppress(NoProcess):
                return apart.ask(request, given_up=bounds.stop)
        return self.ask_here(query, parameters, bounds)

    def _shrink(self) -> None:
        """There is no file."""

    def _exists(self) -> bool:
        return True

    @contextmanager
    def _connected(self, *, write: bool) -> Iterator[Kept]:
        yield self._only

    def close(self) -> None:
        """Keep what is there: the storage can be used again afterwards."""

    def _forget(self) -> None:
        self._start_over()  # a forked child has a memory of its own
