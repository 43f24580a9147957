"""One writer at a time among our own processes: a companion lock file, waited for without polling."""

from __future__ import annotations

import os
import sys
import threading
import time
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from ..cancel import CancelToken
from ..errors import StorageFailed
from ..run import logger
from .waiting import PATIENCE, SILENCE, busy

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

if sys.platform != "win32":
    import fcntl


@contextmanager
def locked(path: Path, *, patience: float = PATIENCE, given_up: CancelToken | None = None, write: bool = True) -> Iterator[None]:
    """Hold the lock file `path`, made when it is not there.

    Raises StorageBusy when it does not come in `patience` seconds or the wait is given up, StorageFailed when it cannot be made.
    The file stays: a lock file that is removed while somebody waits on it locks nothing.
    """
    try:
        descriptor = _take(path, patience, given_up or CancelToken(), write=write)
    except OSError as error:
        raise StorageFailed(
            f"{str(path)!r} cannot be locked ({error.strerror}); the unsaved state stays in memory: make it writable, "
            "or choose another place"
        ) from error
    try:
        yield
    finally:
        _unlock(descriptor)


def _unlock(descriptor: int) -> None:
    """Free the lock, and do not only close it: a process that was forked meanwhile has the descriptor, too."""
    if sys.platform != "win32":
        fcntl.flock(descriptor, fcntl.LOCK_UN)
    os.close(descriptor)


def _take(path: Path, patience: float, given_up: CancelToken, *, write: bool) -> int:
    while True:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            if not (sys.platform == "win32" or _lock_at_once(descriptor)):  # there, the databases' own locks alone
                _Wait(descriptor).until_locked(path, patience, given_up, write=write)
        except BaseException:
            with suppress(OSError):
                os.close(descriptor)
            raise
        if _is_still(path, descriptor):
            return descriptor
        _unlock(descriptor)  # somebody replaced the file meanwhile


def _database(lock: Path) -> str:
    return lock.name.removesuffix(".lock")


def _is_still(path: Path, descriptor: int) -> bool:
    try:
        there = path.stat()
    except FileNotFoundError:
        return False
    here = os.fstat(descriptor)
    return (there.st_dev, there.st_ino) == (here.st_dev, here.st_ino)


def _lock_at_once(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


class _Wait:
    """A wait for a lock that others hold.

    A blocking flock wakes at once when the lock is free, where polling waits for its turn again and again. It cannot be given a
    time limit, so it waits in a thread, on a descriptor of its own; a lock that arrives after all is released at once.
    """

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._woken = threading.Event()
        self._handover = threading.Lock()
        self._taken = self._left = False

    def until_locked(self, path: Path, patience: float, given_up: CancelToken, *, write: bool) -> None:
        """Return when the lock is there; raise StorageBusy when it does not come."""
        forget = given_up.on_cancel(self._woken.set)
        try:
            if not self._start():
                self._poll(patience, given_up)
            if not self._woken.wait(min(patience, SILENCE)):
                logger.warning("waiting for %r, which another kernel is writing", _database(path))
                self._woken.wait(patience - SILENCE)
        finally:
            forget()
            with self._handover:
                self._left = not self._taken
        if self._left:
            waited = "the wait was interrupted" if given_up.cancelled else f"since {patience:g} s"
            fact = f"{_database(path)!r} is being written by another kernel ({waited})"
            raise busy(fact, "end that kernel or wait", write=write)

    def _start(self) -> bool:
        waiting = os.dup(self._descriptor)
        try:
            threading.Thread(target=self._block, args=(waiting,), name="wf_notebook-lock", daemon=True).start()
        except RuntimeError:  # Python 3.12 starts no thread while it exits
            os.close(waiting)
            return False
        return True

    def _block(self, waiting: int) -> None:
        with suppress(OSError):
            fcntl.flock(waiting, fcntl.LOCK_EX)
            with self._handover:
                self._taken = not self._left
                if self._left:
                    fcntl.flock(waiting, fcntl.LOCK_UN)
        self._woken.set()
        os.close(waiting)

    def _poll(self, patience: float, given_up: CancelToken) -> None:
        deadline = time.monotonic() + patience
        while not (self._taken or given_up.cancelled or time.monotonic() > deadline):
            time.sleep(0.01)
            self._taken = _lock_at_once(self._descriptor)
        self._woken.set()
