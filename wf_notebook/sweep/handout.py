"""The rows that other processes do, as they are handed out: those that came back before new ones, and suspects last."""

from __future__ import annotations

import threading
from collections import deque
from typing import TYPE_CHECKING

from .suspects import Suspects

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from .keeping import Keeper
    from .tasks import Task, Tasks

#: It is looked so often whether there is a row to do, and where it may be done, in seconds.
LOOK = 0.5


class Handout:
    """The rows of a sweep that are to do, and which of them others have; `unread` hears what keeps rows from being read."""

    def __init__(
        self, tasks: Tasks, keeper: Keeper, *, total: int | None, tries: int, unread: Callable[[BaseException], object]
    ) -> None:
        self._tasks, self._keeper, self._unread = tasks, keeper, unread
        #: How many are yet to be handed out, None where nobody knows.
        self.left = total
        self.suspects = Suspects(tries=tries)
        self._again: deque[Task] = deque()
        self._out: set[int] = set()
        self._lock = threading.Lock()
        #: Whether there are no new ones, and whether none is handed out any more.
        self.is_exhausted = self._is_closed = False
        #: How long to wait until it is looked again.
        self.pause = LOOK

    def next(self, held: Collection[int]) -> Task | None:
        """Return the next row for a process that has those: one that may kill it comes last, and no other beside it."""
        if not any(map(self.suspects.has, held)) and (task := self._next()) is not None:
            return task
        with self._lock:
            last = None if self._is_closed else self.suspects.next(held)
            return None if last is None else self._handed_out(last)

    def _next(self) -> Task | None:
        with self._lock:
            while not self._is_closed:
                task = self._again.popleft() if self._again else None if self.is_exhausted else self._read()
                if isinstance(task, float):  # others do those that are left
                    self.pause = min(LOOK, task)
                    return None
                self.pause = LOOK
                if task is None:
                    self.is_exhausted = True
                    return None
                if task.done is None:
                    return self._handed_out(task)
                self.left = self.left and self.left - 1
                self._keeper.put(task.done, None)
        return None

    def _read(self) -> Task | float | None:
        """Return the next task. One that cannot be read, or looked up, is the last; the caller hears of it, and others go on."""
        try:
            return self._tasks.next()
        except BaseException as error:  # noqa: BLE001 - whatever the user's generator raises
            self._unread(error)
            return None

    def _handed_out(self, task: Task) -> Task:
        self.left = self.left and self.left - 1
        self._out.add(task.number)
        return task

    def put_back(self, task: Task) -> None:
        """Take back a row that was handed out."""
        with self._lock:
            if task.done is None and self.suspects.has(task.number):
                self.suspects.add(task)
            else:
                self._again.appendleft(task)
            self._out.discard(task.number)
            self.left = self.left if self.left is None else self.left + 1

    def over(self, *numbers: int) -> None:
        """Hear that nobody has these rows any more."""
        self._out.difference_update(numbers)

    def close(self) -> None:
        """Hand out no more."""
        self._is_closed = True

    @property
    def are_back(self) -> bool:
        """Whether nobody has any row."""
        with self._lock:
            return not self._out

    @property
    def is_over(self) -> bool:
        """Whether nobody has any row, and none is to do."""
        with self._lock:
            return self.is_exhausted and not self._again and not self.suspects and not self._out

    def has_work(self) -> bool:
        """Return whether there is a row to do; those that were done before need nobody."""
        if not self._again and (task := self._next()) is not None:
            self.put_back(task)
        return bool(self._again or self.suspects)

    @property
    def are_last(self) -> bool:
        """Whether only such rows wait as not any process may have: who comes in vain need not come again at once."""
        return bool(self.suspects) and not self._again
