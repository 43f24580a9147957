"""Who does a step: one at a time, in all kernels of this machine that share a store, and in all that share a server.

The right to do it is a lock that the system keeps on one byte of a file, or a server for one who is connected to it. It goes
with its holder, however that ends: whoever waits takes over at once.
"""

from __future__ import annotations

import os
import threading
from contextlib import suppress
from contextvars import ContextVar
from hashlib import blake2b
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path
    from typing import Protocol

    from ..session import Session

    class Claims(Protocol):
        """What keeps the rights of processes that share a server."""

        def take(self, name: str) -> bool:
            """Take one if no other process has it."""

        def release(self, name: str) -> None:
            """Let others have it."""


try:
    import fcntl
except ImportError:  # on Windows the kernels of one machine do not know of each other; each by itself does a step once
    fcntl = None  # type: ignore[assignment]

#: Seconds between two looks whether another one is done, from the first to the longest.
PAUSE, LONGEST = 0.01, 0.1

#: The thread whose code waits for what this code does, where that is another one: agents are asked on a loop of their own.
driver: ContextVar[int] = ContextVar("wf_notebook_driver", default=0)

#: What is held, and by whose thread.
_held: dict[tuple[str, str], int] = {}
_files: dict[str, int] = {}
_lock = threading.RLock()  # the collector may run anywhere, and let go of one


def driving() -> int:
    """Return the thread that waits for what this code does."""
    return driver.get() or threading.get_ident()


class Lease:
    """The right to do one step; who lets go of this, lets go of it.

    A thread that has it already, in a stream that it left for a while, would wait for itself: it does the step once more.

    >>> mine, again = Lease(None, "outline"), Lease(None, "outline")
    >>> mine.take(), again.take(), again.is_mine, mine.is_mine
    (True, True, False, True)
    >>> from concurrent.futures import ThreadPoolExecutor
    >>> with ThreadPoolExecutor() as another: another.submit(Lease(None, "outline").take).result()
    False
    >>> mine.release()
    """

    def __init__(self, store: Path | None, name: str, claims: Claims | None = None) -> None:
        self._file = None if store is None else str(store) + ".leases"
        self._claims, self._name = claims, (self._file or "", name)
        self._byte = int.from_bytes(blake2b(name.encode(), digest_size=7).digest()) if self._file else 0
        self.is_mine = False

    @classmethod
    def of(cls, session: Session, step: str) -> Lease:
        """Return the right to do a step of a session."""
        storage = session.storage
        name = f"{getattr(storage, 'table_name', '')}/{session.session_id}/{step}"
        return cls(getattr(storage, "file", None), name, getattr(storage, "claims", None))

    def take(self) -> bool:
        """Take it if nobody has it; return whether the step may be done here."""
        with _lock:
            if self._name in _held:
                return _held[self._name] == driving()
            if self._file and fcntl and (descriptor := _opened(self._file)) is not None:
                try:
                    fcntl.lockf(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, self._byte)
                except OSError:
                    return False
            if self._claims is not None and not self._claims.take(self._name[1]):
                return False
            _held[self._name] = driving()
            self.is_mine = True
            return True

    def release(self) -> None:
        """Let others have it."""
        with _lock:
            if self.is_mine:
                self.is_mine = False
                _held.pop(self._name, None)
                if self._claims is not None:
                    self._claims.release(self._name[1])
                if self._file and fcntl and (descriptor := _files.get(self._file)) is not None:
                    with suppress(OSError):
                        fcntl.lockf(descriptor, fcntl.LOCK_UN, 1, self._byte)

    def __del__(self) -> None:
        if self.is_mine:
            self.release()


def _opened(file: str) -> int | None:
    """Return a descriptor of the file, which stays open: to close one would let go of all locks on it."""
    if file not in _files:
        try:
            _files[file] = os.open(file, os.O_RDWR | os.O_CREAT | getattr(os, "O_CLOEXEC", 0), 0o600)
        except OSError:  # a folder that cannot be written: nothing will be kept there either
            return None
    return _files[file]


def _forget() -> None:
    """In a forked child nothing is held: the locks are the parent's."""
    global _lock  # noqa: PLW0603 - a thread that is not there may hold it
    _lock = threading.RLock()
    _held.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget)
