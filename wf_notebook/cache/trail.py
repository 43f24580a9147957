"""Whether others did something meanwhile: who does it leaves a mark beside the store, and how many there are is told at once."""

from __future__ import annotations

import os
import threading
from contextlib import suppress
from typing import Any

from .lease import opened

#: The marks of those who share no file: they are in this process.
_here = 0
_lock = threading.Lock()


class Trail:
    """The marks that are left beside a store, one for rows that are over together; and how many of them others have left.

    >>> mine, theirs = Trail(None), Trail(None)
    >>> before = mine.others()
    >>> mine.leave(); mine.others() == before
    True
    >>> theirs.leave(); mine.others() == before
    False
    """

    def __init__(self, storage: Any) -> None:
        file = getattr(storage, "file", None)
        self._descriptor = None if file is None else opened(f"{file}.leases")
        self._is_told = getattr(storage, "claims", None) is None
        self._mine = 0
        self._lock = threading.Lock()

    def leave(self) -> None:
        """Leave a mark; where the disk is full there is none, and others look rows up again only when they save them."""
        global _here  # noqa: PLW0603 - one for the process, on purpose
        with self._lock, suppress(OSError):
            if self._descriptor is not None:
                os.write(self._descriptor, b".")  # at the end of the file, whoever writes at the same moment
            else:
                with _lock:
                    _here += 1
            self._mine += 1

    def others(self) -> int | None:
        """Return a number that stays the same while nobody else leaves a mark; None where that cannot be told."""
        if not self._is_told:
            return None
        with self._lock:
            return (_here if self._descriptor is None else os.fstat(self._descriptor).st_size) - self._mine
