"""The one connection to DuckDB that this process has: to a database in memory, to which files are attached."""

from __future__ import annotations

from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

import duckdb

from ..errors import WorkflowError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path


class TaskFailed(Exception):
    """What one task of a transaction raised, as others may have been done with it."""

    def __init__(self, error: BaseException) -> None:
        super().__init__(error)
        self.error = error


class _Connection:
    """The one connection that files are attached to; dropped after any error, made again when it is needed."""

    def __init__(self) -> None:
        self._memory: duckdb.DuckDBPyConnection | None = None

    def get(self) -> duckdb.DuckDBPyConnection:
        if self._memory is None:
            self._memory = duckdb.connect(":memory:")
            self._memory.execute("SET enable_progress_bar = false")
            self._memory.execute("PRAGMA disable_checkpoint_on_shutdown")  # and on detaching; 1.5 knows it too
        return self._memory

    @contextmanager
    def detached(self) -> Iterator[None]:
        """Use the attached file in the block, and leave it at its end, whatever happens."""
        memory = self.get()
        try:
            memory.execute("USE kept")
            yield
            memory.execute("USE memory")
            memory.execute("DETACH kept")
        except BaseException as error:
            self._leave(memory)
            inner = error.error if isinstance(error, TaskFailed) else error
            if not isinstance(inner, WorkflowError):  # whatever state it is in
                self.drop()
            raise

    def drop(self) -> None:
        """Close it; it is made again when it is needed."""
        memory, self._memory = self._memory, None
        if memory is not None:
            with suppress(duckdb.Error):
                memory.close()

    @staticmethod
    def _leave(memory: duckdb.DuckDBPyConnection) -> None:
        for statement in ("ROLLBACK", "USE memory", "DETACH kept"):
            with suppress(duckdb.Error):
                memory.execute(statement)

    def forget(self) -> None:
        """In a forked child: neither used nor closed, ever, as either would reach into the parent's file."""
        if self._memory is not None:
            import ctypes

            ctypes.pythonapi.Py_IncRef(ctypes.py_object(self._memory))
            self._memory = None


connection = _Connection()


class Cursor:
    """Runs a statement and gives all of its rows."""

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self._connection = connection

    def execute(self, sql: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Run one statement."""
        return self._connection.execute(sql, parameters).fetchall()


def literal(path: Path) -> str:
    """Return a path as an SQL text."""
    return "'" + str(path).replace("'", "''") + "'"
