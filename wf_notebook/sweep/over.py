"""The rows that are over: the newest in memory, and of a long sweep the others in a file."""

from __future__ import annotations

import os
import pickle
import tempfile
import threading
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING
from weakref import finalize

if TYPE_CHECKING:
    from collections.abc import Iterator
    from io import FileIO

    from .row import Row

#: Rows that are written and read at once, and how many of these blocks stay in memory.
BLOCK, KEPT = 1000, 10


class Over:
    """Rows in the order in which they ended; what is appended by one thread is read by others.

    >>> from wf_notebook.sweep.row import Row
    >>> over = Over(block=2, kept=1)
    >>> for number in range(7): over.append(Row(number, {"n": number}, "completed"))
    >>> len(over), over[0].given, [row.number for row in over]
    (7, {'n': 0}, [0, 1, 2, 3, 4, 5, 6])
    """

    def __init__(self, *, block: int = BLOCK, kept: int = KEPT) -> None:
        self._block, self._kept = block, kept
        #: Blocks in memory, or where in the file they begin, and how long they are there.
        self._blocks: list[list[Row] | tuple[int, int]] = []
        self._file: FileIO | None = None
        self._lock = threading.Lock()
        self._count = 0
        self._last: tuple[int, list[Row]] | None = None

    def __len__(self) -> int:
        return self._count

    def append(self, row: Row) -> None:
        """Add a row."""
        with self._lock:
            if self._count % self._block == 0:
                self._blocks.append([])
                self._put_aside(len(self._blocks) - 1 - self._kept)
            block = self._blocks[-1]
            assert isinstance(block, list)
            block.append(row)
            self._count += 1

    def __getitem__(self, number: int) -> Row:
        with self._lock:
            return self._read(number // self._block)[number % self._block]

    def __iter__(self) -> Iterator[Row]:
        for number in range(len(self)):
            yield self[number]

    def _put_aside(self, number: int) -> None:
        """Write a block to the file; one that cannot be written stays in memory. Errors themselves are not kept there."""
        if number < 0 or not isinstance(block := self._blocks[number], list):
            return
        with suppress(Exception):  # of a full disk, or whatever a class of the user's raises
            self._blocks[number] = self._written(pickle.dumps([replace(row, exception=None) for row in block]))

    def _written(self, data: bytes) -> tuple[int, int]:
        if self._file is None:
            self._file = tempfile.TemporaryFile(buffering=0)  # noqa: SIM115 - it goes with this object
            finalize(self, self._file.close)
        place, left = self._file.seek(0, os.SEEK_END), memoryview(data)
        while left:
            left = left[self._file.write(left) :]
        return place, len(data)

    def _read(self, number: int) -> list[Row]:
        block = self._blocks[number]
        if isinstance(block, list):
            return block
        if self._last is None or self._last[0] != number:
            assert self._file is not None
            place, length = block
            self._file.seek(place)
            self._last = number, pickle.loads(self._file.read(length))  # noqa: S301 - this object wrote it, and nobody else can
        return self._last[1]
