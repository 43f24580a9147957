"""Threads that do the rows of a sweep, and what is done when a row takes too long, or all are to end."""

from __future__ import annotations

import threading
from concurrent.futures import Future
from contextvars import copy_context
from dataclasses import dataclass, field
from time import monotonic
from typing import TYPE_CHECKING, Any, Protocol

from ..background.waiting import GRACE
from ..errors import RowTimeout, WorkersLost
from ..run import logger

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..workflow import Workflow
    from .doing import Doing
    from .row import Row
    from .tasks import Task

#: What is said where an executor takes back all that it had agreed to do.
_CANCELLED = "the executor was shut down; what is done is kept: make a new one, and map again, which goes on where this ended"
#: A row that is out of time is seen after so many seconds at most.
TICK = 0.05


@dataclass(slots=True, eq=False)
class _Going:
    """A row that goes on."""

    task: Task
    workflow: Workflow
    since: float = field(default_factory=monotonic)
    #: When it was told to end, as it was out of time.
    told: float | None = None


class NextTask(Protocol):
    """Who has the tasks."""

    def next(self) -> Task | float | None:
        """Return the next task, None when there is none; where others do those that are left, how long to wait, in seconds."""


class Takes(Protocol):
    """Who takes rows that ended."""

    def put(self, row: Row, session: Any) -> None:
        """Take a row; what is yet to be saved of it is in its session."""


def in_a_thread(work: Callable[..., object], *given: Any) -> None:
    """Let a thread of its own do something."""
    threading.Thread(target=work, args=given, name="wf_notebook-sweep", daemon=True).start()


class Crew:
    """Threads, each of which does the next row that nobody does yet."""

    #: They wait for nobody.
    waits: str | None = None

    def __init__(
        self,
        tasks: NextTask,
        doing: Doing,
        keeper: Takes,
        *,
        limit: int,
        timeout: float | None,
        idle: Callable[[], object],
        hire: Callable[..., object] | None = None,
    ) -> None:
        self._tasks, self._doing, self._keeper, self._by = tasks, doing, keeper, hire or in_a_thread
        self._limit, self._timeout, self._idle = limit, timeout, idle
        self._lock = threading.Lock()
        self._going: dict[int, _Going] = {}
        self._busy = 0
        self._stopping = threading.Event()
        self.error: BaseException | None = None

    def start(self) -> None:
        """Begin, in the context of whoever asks."""
        self._busy = self._limit
        for _ in range(self._limit):
            self._hire(self._by)
        if self._timeout is not None:
            threading.Thread(target=self._watch, args=(self._timeout,), name="wf_notebook-sweep-clock", daemon=True).start()

    def _hire(self, by: Callable[..., object]) -> None:
        hired = by(copy_context().run, self._work)
        if isinstance(hired, Future):
            hired.add_done_callback(self._heard)

    def _heard(self, hired: Future[object]) -> None:
        """Hear of a thread of an executor; one that was cancelled did not even begin."""
        if not hired.cancelled():
            return
        if self._busy == 1 and not self.is_stopped and self._next() is not None:  # nobody else is there to do the others
            self.error = self.error or WorkersLost(_CANCELLED)
        self._has_left()

    @property
    def going(self) -> int:
        """How many rows go on."""
        return len(self._going)

    @property
    def is_idle(self) -> bool:
        """Whether nobody does anything any more."""
        return not self._busy

    @property
    def is_stopped(self) -> bool:
        """Whether no other row is begun."""
        return self._stopping.is_set()

    def stop(self) -> None:
        """Begin no other row, and end those that go on."""
        self._stopping.set()
        for going in list(self._going.values()):
            going.workflow.stop()

    def leave(self, error: BaseException) -> None:
        """Let go of the rows that have not ended although they were told to: they are recorded as they are."""
        for going in list(self._going.values()):
            self._let_go(going, error)

    # -- in each thread ----------------------------------------------------------------------------------------------------

    def _work(self) -> None:
        try:
            while not self.is_stopped and (task := self._next()) is not None:
                if isinstance(task, float):
                    self._stopping.wait(task)
                elif not self._do(task):
                    return  # somebody else has taken this thread's place
        except BaseException as error:  # noqa: BLE001 - of a row, but no failure of its run: the caller hears of it
            self.error = self.error or error
            self.stop()
        self._has_left()

    def _next(self) -> Task | float | None:
        """Return the next task. One that cannot be read, or looked up, is the last; the caller hears of it, and others go on."""
        try:
            return self._tasks.next()
        except BaseException as error:  # noqa: BLE001 - whatever the user's generator raises
            self.error = self.error or error
            return None

    def _has_left(self) -> None:
        """Hear that a thread does nothing any more."""
        with self._lock:
            self._busy -= 1
        self._idle()

    def _do(self, task: Task) -> bool:
        """Do a row; return whether it was waited for."""
        if task.done is not None:
            self._keeper.put(task.done, None)
            return True
        going = _Going(task, self._doing.workflow(task))
        self._going[task.number] = going
        if self.is_stopped and self._going.pop(task.number, None) is not None:
            return True  # the stop came just before it was there to be stopped
        row = self._doing.done(task, going.workflow)
        if self._going.pop(task.number, None) is None:
            return False
        session = going.workflow.session
        if row.status == "completed" and task.key is not None:
            self._doing.mark(session, task.key, row)
        self._keeper.put(row, session)
        return True

    # -- what takes too long -----------------------------------------------------------------------------------------------

    def _watch(self, timeout: float) -> None:
        pause = threading.Event()
        while self._busy and not (self.is_stopped and not self._going):
            pause.wait(min(TICK, timeout))
            now = monotonic()
            for going in list(self._going.values()):
                if going.told is None and now - going.since > timeout:
                    going.told = now
                    going.workflow.give_up(_late(going, timeout))
                    going.workflow.stop()
                elif going.told is not None and now - going.told > GRACE:
                    self._hire_for(going, timeout)

    def _hire_for(self, going: _Going, timeout: float) -> None:
        """A row cannot be ended, as plain code does not look up: it goes on unheard, and another thread does the next one."""
        if self._let_go(going, _late(going, timeout)):
            logger.warning("row %d cannot be ended, and goes on unheard", going.task.number)
            self._hire(in_a_thread)  # that of an executor may be the one that is taken

    def _let_go(self, going: _Going, error: BaseException) -> bool:
        if self._going.pop(going.task.number, None) is None:
            return False
        going.workflow.give_up(error)
        self._keeper.put(self._doing.ended(going.task, going.workflow, error), going.workflow.session)
        return True


def _late(going: _Going, timeout: float) -> RowTimeout:
    return RowTimeout(f"row {going.task.number} took longer than {timeout:g} s")
