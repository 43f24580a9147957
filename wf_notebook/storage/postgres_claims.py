"""The right to do a step, for processes that share a database: a lock that the server keeps while its holder is connected."""

from __future__ import annotations

import threading
from collections import deque
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from ..errors import WorkflowError
from .postgres_connection import connect
from .postgres_driver import psycopg
from .postgres_rows import number

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .postgres_address import Address

#: Both say something of each: the rows of `unnest` come in order.
_TAKE = "SELECT pg_try_advisory_lock(one) FROM unnest(CAST($1 AS bigint[])) one"
_LET_GO = "SELECT pg_advisory_unlock(one) FROM unnest(CAST($1 AS bigint[])) one"


class Claims:
    """What this process has the right to do; it has a connection of its own for that, from the first time on."""

    def __init__(self, address: Address) -> None:
        self._address = address
        self._connection: psycopg.Connection[Any] | None = None
        self._lock = threading.Lock()
        self._due: deque[int] = deque()
        #: What the server keeps for this process.
        self._held: set[int] = set()

    def take(self, names: Sequence[str]) -> list[bool]:
        """Take those that no other process has. Where the server cannot be asked, everyone may do all: so it is done at least."""
        with self._lock:
            numbers = [self._number(name) for name in names]
            try:
                if self._connection is None or self._connection.closed:
                    self._held.clear()
                    self._connection = connect(self._address)
                taken = [one for (one,) in self._connection.execute(_TAKE, [numbers]).fetchall()]
            except (psycopg.Error, WorkflowError):
                self._drop()
                return [True] * len(names)
            self._held.update(number for number, is_taken in zip(numbers, taken, strict=True) if is_taken)
        self._let_go()
        return taken

    def release(self, name: str) -> None:
        """Let others have it: now, or at the end of what is asked of the server just now, as the collector may run anywhere."""
        self._due.append(self._number(name))
        self._let_go()

    def _let_go(self) -> None:
        while self._due and self._lock.acquire(blocking=False):
            try:
                due = [self._due.popleft() for _ in range(len(self._due))]
                if self._connection is not None and due:
                    self._connection.execute(_LET_GO, [due])
                    self._held.difference_update(due)
            except (psycopg.Error, IndexError):
                self._drop()
            finally:
                self._lock.release()

    def _drop(self) -> None:
        connection, self._connection = self._connection, None
        self._due.clear()
        self._held.clear()
        if connection is not None:
            with suppress(psycopg.Error):
                connection.close()

    def close(self, *, unless_held: bool = False) -> None:
        """Let go of all, or of the connection if nothing is held by it."""
        self._let_go()
        with self._lock:
            if not (unless_held and self._held):
                self._drop()

    def _number(self, name: str) -> int:
        return number(self._address.schema, "may be done", name)
