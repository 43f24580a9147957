"""The connections of this process to a database: a few, lent for one transaction at a time."""

from __future__ import annotations

import atexit
import os
import threading
import time
from collections import deque
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..errors import StorageBusy, WorkflowError
from .postgres_claims import Claims
from .postgres_connection import connect
from .postgres_driver import psycopg
from .waiting import SOON

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .postgres_address import Address

#: So many connections at most, at once.
MOST = 8
#: A connection beyond the first that was not used for so long is closed, in seconds.
IDLE = 60.0


@dataclass
class Away:
    """That a server is away: since when, and when that was last seen."""

    since: float
    seen: float = 0.0
    #: Whether somebody was told.
    said: bool = False


class Pool:
    """The connections to one address, one pool for each and its password: who has a wrong one is refused."""

    _all: dict[tuple[str, str], Pool] = {}  # noqa: RUF012 - one for each address in this process, on purpose
    _lock = threading.Lock()

    def __init__(self, address: Address) -> None:
        self.address = address
        self._free: deque[tuple[float, psycopg.Connection[Any]]] = deque()
        self._places = threading.BoundedSemaphore(MOST)
        #: The stores that are prepared.
        self.ready: set[str] = set()
        #: Whether the server was there before.
        self.met = False
        #: Since when it is away, when that was last seen, and whether it was said.
        self._away: Away | None = None
        self.claims = Claims(address)
        #: The threads that are in the middle of a transaction.
        self.at_work: set[int] = set()
        #: What looks for connections that nobody uses, as long as there may be some.
        self._clock: threading.Timer | None = None

    @classmethod
    def at(cls, address: Address) -> Pool:
        """Return the pool of an address."""
        settled = address.settled()
        which = settled.url, settled.digest
        with cls._lock:
            if (pool := cls._all.get(which)) is None:
                pool = cls._all[which] = cls(settled)
            return pool

    @contextmanager
    def lent(self, patience: float) -> Iterator[psycopg.Connection[Any]]:
        """Lend a connection; one in order is kept for the next. Raises StorageBusy when none comes free."""
        if not self._places.acquire(timeout=max(0.0, patience)):
            raise StorageBusy(f"all {MOST} connections of this process to {self.address.url} are in use; try again")
        try:
            connection = self._taken()
            try:
                yield connection
            except WorkflowError:
                with suppress(psycopg.Error):
                    connection.rollback()
                raise
            except BaseException:  # whatever state it is in
                connection.close()
                raise
            finally:
                self._give_back(connection)
        finally:
            self._places.release()

    def _taken(self) -> psycopg.Connection[Any]:
        with self._lock:
            if self._free:
                return self._free.pop()[1]
        connection = connect(self.address)
        self.met, self._away = True, None
        self.address.let_in()
        return connection

    def away(self) -> Away:
        """Note that the server is away; return since when that is known: whoever waits for it waits for the same."""
        now = time.monotonic()
        with self._lock:
            if self._away is None or now - self._away.seen > SOON:
                self._away = Away(now)
            self._away.seen = now
            return self._away

    def _give_back(self, connection: psycopg.Connection[Any]) -> None:
        now = time.monotonic()
        with self._lock:
            if is_in_order := not connection.closed and connection.info.transaction_status == psycopg.pq.TransactionStatus.IDLE:
                self._free.append((now, connection))
        if not is_in_order:
            connection.close()
        self._close_idle(now)

    def _close_idle(self, now: float) -> None:
        """Close connections beyond the first that were not used for long; look again while there are others."""
        old = []
        with self._lock:
            while len(self._free) > 1 and self._free[0][0] <= now - IDLE:
                old.append(self._free.popleft()[1])
            if len(self._free) > 1 and self._clock is None:
                self._clock = threading.Timer(IDLE, self._look)
                self._clock.daemon = True
                with suppress(RuntimeError):  # Python 3.12 starts no thread while it exits
                    self._clock.start()
        for one in old:
            one.close()

    def _look(self) -> None:
        self._clock = None
        self._close_idle(time.monotonic())

    def close(self) -> None:
        """Close the connections that nobody uses; others are made when they are needed."""
        self.ready.clear()
        with self._lock:
            free, self._free = self._free, deque()
            clock, self._clock = self._clock, None
        if clock is not None:
            clock.cancel()
        for _, connection in free:
            connection.close()

    @classmethod
    def close_all(cls) -> None:
        """Close all connections of this process."""
        for pool in list(cls._all.values()):
            pool.close()
            pool.claims.close()

    @classmethod
    def forget(cls) -> None:
        """In a forked child the connections are the parent's: neither used nor closed."""
        _of_the_parent.extend(cls._all.values())
        cls._lock = threading.Lock()
        cls._all = {}


_of_the_parent: list[Pool] = []
atexit.register(Pool.close_all)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=Pool.forget)
