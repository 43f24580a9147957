"""One writer at a time among our own processes: a companion lock file, waited for without polling."""

from __future__ import annotations

import os
import sys
import threading
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from ..errors import StorageBusy

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

if sys.platform != "win32":
    import fcntl

#: How long a save waits for other kernels, in seconds.
PATIENCE = 10.0


@contextmanager
def locked(path: Path, *, patience: float = PATIENCE) -> Iterator[None]:
    """Hold the lock file `path`, made when it is not there; raise StorageBusy when it does not come in `patience` seconds.

    The file stays: a lock file that is removed while somebody waits on it locks nothing.
    """
    descriptor = _take(path, patience)
    try:
        yield
    finally:
        os.close(descriptor)  # frees the lock


def _take(path: Path, patience: float) -> int:
    while True:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            _wait(descriptor, path, patience)
        except BaseException:
            with suppress(OSError):
                os.close(descriptor)
            raise
        if _is_still(path, descriptor):
            return descriptor
        os.close(descriptor)  # somebody replaced the file meanwhile


def _is_still(path: Path, descriptor: int) -> bool:
    try:
        there = path.stat()
    except FileNotFoundError:
        return False
    here = os.fstat(descriptor)
    return (there.st_dev, there.st_ino) == (here.st_dev, here.st_ino)


def _wait(descriptor: int, path: Path, patience: float) -> None:
    if sys.platform == "win32":
        return  # DuckDB's and SQLite's own locks alone, until somebody needs more there
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        pass
    else:
        return
    # A blocking flock wakes at once when the lock is free, where polling waits for its turn again and again.
    # It cannot be given a time limit, so it waits in a thread, on a descriptor of its own.
    waiting = os.dup(descriptor)
    taken, given_up = threading.Event(), threading.Event()
    handover = threading.Lock()

    def wait() -> None:
        fcntl.flock(waiting, fcntl.LOCK_EX)
        with handover:
            if given_up.is_set():
                fcntl.flock(waiting, fcntl.LOCK_UN)
            taken.set()
        os.close(waiting)

    threading.Thread(target=wait, name="wf_notebook-lock", daemon=True).start()
    if not taken.wait(patience):
        with handover:
            if not taken.is_set():
                given_up.set()
                database = path.name.removesuffix(".lock")
                raise StorageBusy(
                    f"{database!r} is being written by another kernel since {patience:.0f} s; the unsaved state stays in memory: "
                    "end that kernel or wait, then run write_to_storage()"
                )
