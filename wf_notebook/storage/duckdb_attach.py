"""How a DuckDB file is attached: for a transaction, by its own version, and never while its header changes."""

from __future__ import annotations

import os
import sys
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

import duckdb

from . import duckdb_errors, place
from .duckdb_checkpoints import Checkpoints
from .duckdb_connection import Cursor, connection, literal
from .waiting import PATIENCE

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from ..cancel import CancelToken

#: A file of this version is opened by DuckDB 1.5 and by 2.x.
STORAGE_VERSION = "v1.5.0"
#: DuckDB's headers lie in the first bytes of a file.
HEADER = 12_288


class Attaching:
    """The part of a file that opens it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.checkpoints = Checkpoints()
        self._reader: tuple[int, int] | None = None  # the file's inode, and a descriptor of it

    @contextmanager
    def connected(
        self, *, writable: bool, write: bool, given_up: CancelToken, patience: float = PATIENCE
    ) -> Iterator[tuple[Cursor, bool]]:
        """Give a cursor in which this file is the current database, and whether it is one beside the user's own connection."""
        try:
            try:
                if not (write or self.path.exists()):
                    raise place.NotThere(self.path)
                self.attach(connection.get(), read_only=not writable, given_up=given_up, patience=patience)
            except duckdb.Error as error:
                if not duckdb_errors.is_own_connection(error):
                    if not duckdb_errors.is_outsider(error):
                        connection.drop()  # whatever it attached
                    raise
                with duckdb_errors.connect_beside(self.path, write=write) as beside:
                    yield Cursor(beside), True
            else:
                with connection.detached():
                    yield Cursor(connection.get()), False
        except duckdb.Error as error:
            raise duckdb_errors.translated(error, self.path, write=write) from error

    def attach(self, memory: duckdb.DuckDBPyConnection, *, read_only: bool, given_up: CancelToken, patience: float) -> None:
        """Attach the file to a connection, as `kept`; while another program holds it, wait so many seconds for that."""
        since = time.monotonic()
        waiting = duckdb_errors.Waiting(self.path)
        while True:
            header, started = self._header(), time.thread_time()  # what else the machine does is no cost
            # A file that is there keeps its version: to ask for a lower one is an error.
            options = ", READ_ONLY" if read_only else "" if self.path.exists() else f", STORAGE_VERSION '{STORAGE_VERSION}'"
            try:
                # Not told the type of a file, DuckDB 2.0 looks into it first, and goes by that header after it has the lock.
                memory.execute(f"ATTACH {literal(self.path)} AS kept (TYPE duckdb{options})")
            except duckdb.Error as error:
                if not duckdb_errors.is_outsider(error) or given_up.cancelled or time.monotonic() - since > patience:
                    raise
                waiting.say(error)
                time.sleep(0.02)  # another program's lock cannot be waited for otherwise
                continue
            took = time.thread_time() - started
            if header is None and not read_only:
                self.path.chmod(0o600)  # it is new, and ours
            # DuckDB 2.0 reads the header before it locks the file: one that was written in between is not the one it goes by.
            if header is None or header == self._header():
                break
            memory.execute("DETACH kept")
        self.checkpoints.attached(took)

    def _header(self) -> bytes | None:
        """Return the file's header, None where there is none yet.

        It is read through a descriptor that stays open: closing any one of a file ends all locks that the process has on it.
        """
        there = place.sign(self.path)
        if there is None or sys.platform == "win32":
            return None
        if self._reader is None or self._reader[0] != there[2]:
            try:
                self._reader = there[2], os.open(self.path, os.O_RDONLY | os.O_CLOEXEC)
            except OSError:
                return None  # attaching says why
        return os.pread(self._reader[1], HEADER, 0)
