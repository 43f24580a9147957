"""Rows at which a process was at work when it died: they are tried again after all others, in the end each by itself."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from ..errors import WorkersLost
from .row import Row

if TYPE_CHECKING:
    from collections.abc import Collection

    from .tasks import Task

#: How often a row is tried with which processes die, where nobody says so.
TRIES = 4
#: A row with which so many processes died has a process to itself, as any row beside it is lost with it.
ALONE = 2
#: So many rows are named in an error.
_NAMED = 5


class Suspects:
    """The rows that may be what kills processes. With the last try that a row has, it is by itself in any case.

    >>> from wf_notebook.sweep.tasks import Task
    >>> suspects, task = Suspects(tries=2), Task(7, {}, {}, "s")
    >>> suspects.dies_with(task)
    >>> suspects.add(task)
    >>> suspects.next({3}), suspects.next({}).number  # for a process that has row 3, and for one that has none
    (None, 7)
    >>> suspects.dies_with(task).error
    'WorkersLost: row 7 was at work when its process died, 2 times; the log of the worker may say why'
    """

    def __init__(self, *, tries: int) -> None:
        self._tries = tries
        self._deaths: Counter[int] = Counter()
        self._waiting: list[Task] = []

    def __bool__(self) -> bool:
        return bool(self._waiting)

    def dies_with(self, task: Task) -> Row | None:
        """Note that a process died that was at work on a row; return it as failed where it is not tried again."""
        self._deaths[task.number] += 1
        if self._deaths[task.number] < self._tries:
            return None
        often = "" if self._tries == 1 else f", {self._tries} times"
        error = WorkersLost(f"row {task.number} was at work when its process died{often}; the log of the worker may say why")
        return Row(task.number, task.given, "failed", error=f"{type(error).__name__}: {error}", exception=error)

    def has(self, number: int) -> bool:
        """Return whether a row is one of these, also while it is tried."""
        return self._deaths[number] > 0

    def add(self, task: Task) -> None:
        """Let a row wait for its turn."""
        self._waiting.append(task)

    def next(self, held: Collection[int]) -> Task | None:
        """Return a row for a process that has those rows; None where it would take others with it, or these it."""
        if held and not all(0 < self._deaths[number] < self._alone for number in held):
            return None
        for place, task in enumerate(self._waiting):
            if not held or self._deaths[task.number] < self._alone:
                return self._waiting.pop(place)
        return None

    @property
    def _alone(self) -> int:
        return min(ALONE, self._tries - 1)

    def named(self, error: WorkersLost) -> WorkersLost:
        """Return an error that says, too, which of them are not done: what ended the sweep may be one of these."""
        numbers = sorted(task.number for task in self._waiting)
        if not numbers:
            return error
        more = len(numbers) - _NAMED
        *others, last = [*map(str, numbers[:_NAMED]), *([f"{more:,} more"] if more > 0 else [])]
        rows = f"rows {', '.join(others)} and {last} were" if others else f"row {last} was"
        named = WorkersLost(f"{error}; {rows} at work when a process died, and may be why")
        named.__cause__ = error.__cause__
        return named
