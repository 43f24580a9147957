"""A coroutine on the background loop, and how a thread or a task waits for it."""

from __future__ import annotations

import asyncio
import queue
from contextlib import suppress
from contextvars import Context, copy_context
from math import inf
from time import monotonic
from typing import TYPE_CHECKING, Any, Generic, TypeVar, cast

from ..budget import BudgetSpent
from ..cancel import CancelToken
from ..errors import RunCancelled
from ..run import current
from .thread import loop, on_the_loop

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

T = TypeVar("T")

#: How long a waiter that was interrupted waits for its call to end, in seconds.
GRACE = 0.1

#: How often a waiting thread looks up, in seconds: an interrupt that comes just before Python waits for a lock does not wake it.
TICK = 0.05

#: An event loop knows its tasks only weakly.
_running: set[asyncio.Task[Any]] = set()


class Call(Generic[T]):
    """A coroutine on the background loop, in a copy of the context of whoever starts it.

    Its outcome is known when it ended, or GRACE after it was stopped: a tool in a thread cannot be ended, so it is not waited
    for. `ring` is called, on the loop, when the outcome is known and when it ended. A Stop of the run that the starter belongs
    to stops it.
    """

    def __init__(self, coroutine: Coroutine[Any, Any, T], ring: Callable[[], object]) -> None:
        self.known = self.ended = False
        self._coroutine, self._ring = coroutine, ring
        self._value: T | None = None
        self._error: BaseException | None = None
        self.stopped = False
        self._loop: asyncio.AbstractEventLoop | None = None
        self._task: asyncio.Task[T] | None = None

    def start(self) -> None:
        """Start it; a call that was stopped before never begins."""
        self._loop = loop()
        run = current.get()
        forget = (run.cancel if run else CancelToken()).on_cancel(self.stop)
        self._loop.call_soon_threadsafe(self._begin, copy_context(), forget)

    def _begin(self, context: Context, forget: Callable[[], None]) -> None:
        if self.stopped:
            self._coroutine.close()
            self.ended = True
            self._decide(RunCancelled())
            return
        self._task = loop().create_task(self._coroutine, context=context)
        _running.add(self._task)
        self._task.add_done_callback(_running.discard)
        self._task.add_done_callback(lambda _: forget())
        self._task.add_done_callback(self._end)

    def _end(self, task: asyncio.Task[T]) -> None:
        error = RunCancelled() if task.cancelled() else task.exception()
        if error is None:
            self._value = task.result()
        self.ended = True
        self._decide(RunCancelled() if self.stopped else error)

    def _decide(self, error: BaseException | None) -> None:
        if not self.known:
            self.known, self._error = True, error
        self._ring()

    def cancel(self) -> None:
        """Cancel the coroutine, from any thread."""
        if self._loop is None:
            self._coroutine.close()
            self.ended = True
        else:
            self._loop.call_soon_threadsafe(lambda: self._task and self._task.cancel())

    def stop(self) -> None:
        """Cancel the coroutine; its outcome is RunCancelled, when it ended or after GRACE."""
        self.stopped = True
        if self._loop is not None:
            self.cancel()
            self._loop.call_soon_threadsafe(self._loop.call_later, GRACE, self._decide, RunCancelled())

    def outcome(self) -> T:
        """Return what the coroutine returned, or raise what it raised."""
        if self._error is not None:
            if isinstance(self._error, BudgetSpent):
                self._error.end_run()
            raise self._error
        return cast("T", self._value)


class Bell:
    """What a thread waits on: rung from the loop's thread."""

    def __init__(self) -> None:
        # In C throughout: an interrupt in the middle of a wait on a Condition can leave its lock taken.
        self._rings: queue.SimpleQueue[None] = queue.SimpleQueue()

    def ring(self) -> None:
        """Wake whoever waits."""
        if self._rings.empty():  # else whoever waits has yet to look up, and will see this too
            self._rings.put(None)

    def wait(self, until: Callable[[], bool], seconds: float = inf) -> None:
        """Wait until something is so, or that many seconds have gone by."""
        deadline = monotonic() + seconds
        while not until() and (left := deadline - monotonic()) > 0:
            with suppress(queue.Empty):
                self._rings.get(timeout=min(left, TICK))


class AsyncBell:
    """What a task waits on: rung from the loop's thread."""

    def __init__(self) -> None:
        self._here, self._rung = asyncio.get_running_loop(), asyncio.Event()

    def ring(self) -> None:
        """Wake whoever waits."""
        with suppress(RuntimeError):  # that loop has been closed: nobody waits any more
            self._here.call_soon_threadsafe(self._rung.set)

    async def wait(self, until: Callable[[], bool], seconds: float | None = None) -> None:
        """Wait until something is so, or that many seconds have gone by."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while not until():
                    await self._rung.wait()
                    self._rung.clear()


def finish(calling: Call[Any], bell: Bell) -> None:
    """Cancel what still runs, and wait ≤ 100 ms for it."""
    if not calling.ended:
        calling.cancel()
        if not on_the_loop():  # garbage may be collected there
            bell.wait(lambda: calling.ended, GRACE)


async def afinish(calling: Call[Any], bell: AsyncBell) -> None:
    """Cancel what still runs, and await it ≤ 100 ms."""
    if not calling.ended:
        calling.cancel()
        await bell.wait(lambda: calling.ended, GRACE)


def cancel_all() -> None:
    """Cancel all that still runs on the loop, and wait ≤ 100 ms for it: for the end of the process."""
    bell = Bell()
    for task in list(_running):
        task.get_loop().call_soon_threadsafe(task.cancel)
    bell.wait(lambda: not _running, GRACE)
