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
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any, Protocol

    from ..session import Session

    class Claims(Protocol):
        """What keeps the rights of processes that share a server."""

        def take(self, names: Sequence[str]) -> list[bool]:
            """Take those that no other process has; say of each whether it was taken."""

        def release(self, name: str) -> None:
            """Let others have it."""


try:
    import fcntl
except ImportError:  # on Windows the kernels of one machine do not know of each other; each by itself does a step once
    fcntl = None  # type: ignore[assignment] # a module, wherever there is one

#: Seconds between two looks whether another one is done, from the first to the longest.
PAUSE, LONGEST = 0.01, 0.1

#: The thread whose code waits for what this code does, where that is another one: agents are asked on a loop of their own.
driver: ContextVar[int] = ContextVar("wf_notebook_driver", default=0)

#: What is held, and by whom.
_held: dict[tuple[str, str], object] = {}
_files: dict[str, int] = {}
_lock = threading.RLock()  # the collector may run anywhere, and let go of one


def driving() -> int:
    """Return the thread that waits for what this code does."""
    return driver.get() or threading.get_ident()


class Lease:
    """The right to do one step, or one row; who lets go of this, lets go of it.

    A thread that has it already, in a stream that it left for a while, would wait for itself: it does the step once more. With an
    `owner` it is that which has it, in whatever thread, and lets go of it in any other.

    >>> mine, again = Lease(None, "outline"), Lease(None, "outline")
    >>> mine.take(), again.take(), again.is_mine, mine.is_mine
    (True, True, False, True)
    >>> from concurrent.futures import ThreadPoolExecutor
    >>> with ThreadPoolExecutor() as another: another.submit(Lease(None, "outline").take).result()
    False
    >>> mine.release()
    """

    def __init__(
        self, store: Path | None, name: str, claims: Claims | None = None, *, owner: object = None, at: str = ""
    ) -> None:
        self._file = None if store is None else str(store) + ".leases"
        self._claims, self._owner, self._name = claims, owner, (self._file or at, name)
        self._byte = int.from_bytes(blake2b(name.encode(), digest_size=7).digest()) if self._file else 0
        self.is_mine = False

    @classmethod
    def of(cls, session: Session, step: str) -> Lease:
        """Return the right to do a step of a session."""
        return cls.at(session.storage, session.session_id, step)

    @classmethod
    def at(cls, storage: Any, session_id: str, what: str, *, owner: object = None) -> Lease:
        """Return the right to do something in a session of a storage."""
        name, claims = f"{getattr(storage, 'table_name', '')}/{session_id}/{what}", getattr(storage, "claims", None)
        at = f"{id(storage)}" if claims is None else getattr(storage, "url", "")
        return cls(getattr(storage, "file", None), name, claims, owner=owner, at=at)

    def take(self) -> bool:
        """Take it if nobody has it; return whether the step may be done here."""
        return self.is_mine or bool(taken([self])) or _held.get(self._name) == self._asks

    @property
    def _asks(self) -> object:
        return self._owner or driving()

    def _take(self) -> bool:
        """Take it in this process, and of the file."""
        if self._name in _held:
            return False
        if self._file and fcntl and (descriptor := opened(self._file)) is not None:
            try:
                fcntl.lockf(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, self._byte)
            except OSError:
                return False
        _held[self._name] = self._asks
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


def taken(leases: Sequence[Lease]) -> list[Lease]:
    """Take those that nobody has, asking a server once for all of them; return them."""
    with _lock:
        mine = [lease for lease in leases if lease._take()]  # noqa: SLF001 - this module's own
    claims = mine[0]._claims if mine else None  # noqa: SLF001 - this module's own
    if claims is None:
        return mine
    told = claims.take([lease._name[1] for lease in mine])  # noqa: SLF001 - this module's own
    with _lock:
        for lease, is_taken in zip(mine, told, strict=True):
            if not is_taken:
                lease.is_mine = False
                _held.pop(lease._name, None)  # noqa: SLF001 - this module's own
        return [lease for lease in mine if lease.is_mine]


def opened(file: str) -> int | None:
    """Return a descriptor of the file, which stays open: to close one would let go of all locks on it."""
    if file not in _files:
        flags = os.O_RDWR | os.O_CREAT | os.O_APPEND | getattr(os, "O_CLOEXEC", 0)
        try:
            Path(file).parent.mkdir(parents=True, exist_ok=True)
            _files[file] = os.open(file, flags, 0o600)
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
