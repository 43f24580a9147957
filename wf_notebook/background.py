"""One event loop in a thread of its own, for all that must be awaited while plain code, or code on another loop, waits for it.

All calls of models live on this one loop, so that connections are shared between plain and async callers, cells and threads.
"""

from __future__ import annotations

import asyncio
import os
import queue
import threading
from collections import deque
from concurrent.futures import CancelledError, Future, InvalidStateError
from contextlib import suppress
from contextvars import Context, copy_context
from math import inf
from time import monotonic
from typing import TYPE_CHECKING, Any, Generic, TypeVar, cast

from .errors import RunCancelled, WorkflowError
from .run import CancelToken, current

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Callable, Coroutine, Generator, Iterator

T = TypeVar("T")

#: How long a waiter that was interrupted waits for its call to end, in seconds.
GRACE = 0.1

#: How often a waiting thread looks up, in seconds: an interrupt that comes just before Python waits for a lock does not wake it.
TICK = 0.05

_loop: asyncio.AbstractEventLoop | None = None
_lock = threading.Lock()

#: An event loop knows its tasks only weakly.
_running: set[asyncio.Task[Any]] = set()


def loop() -> asyncio.AbstractEventLoop:
    """Return the background loop, started on first use; a daemon thread runs it."""
    global _loop  # noqa: PLW0603 - one loop per process is the point
    with _lock:
        if _loop is None or _loop.is_closed():
            _loop = asyncio.new_event_loop()
            threading.Thread(target=_serve, args=(_loop,), name="wf_notebook-loop", daemon=True).start()
        return _loop


def _serve(served: asyncio.AbstractEventLoop) -> None:
    while not served.is_closed():
        # asyncio lets these two through to here as well as to whoever waits; the loop is there for others too.
        with suppress(KeyboardInterrupt, SystemExit):
            served.run_forever()


def _forget() -> None:
    """In a forked child the loop's thread is gone: forget it, so that the next call starts its own."""
    global _loop, _lock
    _loop, _lock = None, threading.Lock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget)


def on_the_loop() -> bool:
    """Say whether this code runs on the background loop itself."""
    try:
        return asyncio.get_running_loop() is _loop
    except RuntimeError:
        return False


def submit(coroutine: Coroutine[Any, Any, T], target: asyncio.AbstractEventLoop, context: Context) -> Future[T]:
    """Run a coroutine on a loop of another thread in the given context; cancelling the future cancels it."""
    future: Future[T] = Future()

    def start() -> None:
        task = target.create_task(coroutine, context=context)
        task.add_done_callback(settle)
        future.add_done_callback(lambda done: done.cancelled() and target.call_soon_threadsafe(task.cancel))

    def settle(task: asyncio.Task[T]) -> None:
        error = None if task.cancelled() else task.exception()
        with suppress(InvalidStateError):  # it was cancelled meanwhile
            if task.cancelled():
                future.cancel()
            elif error is not None:
                future.set_exception(error)
            else:
                future.set_result(task.result())

    target.call_soon_threadsafe(start)
    return future


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
        error = CancelledError() if task.cancelled() else task.exception()
        if error is None:
            self._value = task.result()
        self.ended = True
        self._decide(RunCancelled() if self.stopped or task.cancelled() else error)

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
            raise self._error
        return cast("T", self._value)


class _Bell:
    """What a thread waits on: rung from the loop's thread."""

    def __init__(self) -> None:
        # In C throughout: an interrupt in the middle of a wait on a Condition can leave its lock taken.
        self._rings: queue.SimpleQueue[None] = queue.SimpleQueue()

    def ring(self) -> None:
        if self._rings.empty():  # else whoever waits has yet to look up, and will see this too
            self._rings.put(None)

    def wait(self, until: Callable[[], bool], seconds: float = inf) -> None:
        deadline = monotonic() + seconds
        while not until() and (left := deadline - monotonic()) > 0:
            with suppress(queue.Empty):
                self._rings.get(timeout=min(left, TICK))


class _AsyncBell:
    """What a task waits on: rung from the loop's thread."""

    def __init__(self) -> None:
        self._here, self._rung = asyncio.get_running_loop(), asyncio.Event()

    def ring(self) -> None:
        with suppress(RuntimeError):  # that loop has been closed: nobody waits any more
            self._here.call_soon_threadsafe(self._rung.set)

    async def wait(self, until: Callable[[], bool], seconds: float | None = None) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while not until():
                    await self._rung.wait()
                    self._rung.clear()


def _refuse_the_loop(coroutine: object) -> None:
    if on_the_loop():
        if asyncio.iscoroutine(coroutine):
            coroutine.close()
        raise WorkflowError("a waiting call was made from the background loop itself; in async code await the async twin (arun)")


def call(coroutine: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine on the background loop and wait for its result; works inside a running loop too.

    Raises what the coroutine raises, and RunCancelled when the current run is stopped meanwhile. An interrupt cancels it.

    >>> async def double(x): return 2 * x
    >>> call(double(21))
    42
    """
    _refuse_the_loop(coroutine)
    bell = _Bell()
    calling = Call(coroutine, bell.ring)
    try:
        calling.start()
        bell.wait(lambda: calling.known)
        return calling.outcome()
    finally:
        _finish(calling, bell)


async def acall(coroutine: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine on the background loop and await its result from any loop: the async twin of `call`.

    >>> async def double(x): return 2 * x
    >>> asyncio.run(acall(double(21)))
    42
    """
    bell = _AsyncBell()
    calling = Call(coroutine, bell.ring)
    try:
        calling.start()
        await bell.wait(lambda: calling.known)
        return calling.outcome()
    finally:
        await _afinish(calling, bell)


def _finish(calling: Call[Any], bell: _Bell) -> None:
    """Cancel what still runs, and wait ≤ 100 ms for it."""
    if not calling.ended:
        calling.cancel()
        if not on_the_loop():  # garbage may be collected there
            bell.wait(lambda: calling.ended, GRACE)


async def _afinish(calling: Call[Any], bell: _AsyncBell) -> None:
    if not calling.ended:
        calling.cancel()
        await bell.wait(lambda: calling.ended, GRACE)


class _Pump(Generic[T]):
    """An async iterator that runs on the background loop in one task from its start to its end.

    One task, so that its contexts (cancel scopes, spans) open and close in one place. At most `limit` items wait for the reader.
    """

    def __init__(self, source: AsyncIterator[T], limit: int, ring: Callable[[], object]) -> None:
        self._source, self._ring = source, ring
        self._items: deque[T] = deque()
        self._room = asyncio.Semaphore(limit)
        self._taken, self._batch = 0, max(1, limit // 2)
        self.calling = Call(self._run(), ring)

    async def _run(self) -> None:
        try:
            async for item in self._source:
                await self._room.acquire()
                self._items.append(item)
                self._ring()
        finally:
            close = getattr(self._source, "aclose", None)
            if close is not None:
                await close()

    def ready(self) -> bool:
        """Say whether there is an item to take, or the end is known."""
        return self.calling.known or (bool(self._items) and not self.calling.stopped)

    def take(self) -> Iterator[T]:
        """Give the items that are there; then raise what ended the source, if anything but its end did."""
        while self._items and not self.calling.stopped:
            self._taken += 1
            if self._taken % self._batch == 0:
                loop().call_soon_threadsafe(self._make_room)
            yield self._items.popleft()
        if self.calling.known:
            self.calling.outcome()

    def _make_room(self) -> None:
        for _ in range(self._batch):
            self._room.release()


def iterate(source: AsyncIterator[T], *, limit: int = 256) -> Generator[T]:
    """Iterate an async iterator that lives on the background loop; at most `limit` items wait for a slow reader.

    Closing the returned generator cancels it, and so does a Stop of the current run, which raises RunCancelled here.

    >>> async def letters():
    ...     for letter in "abc": yield letter
    >>> list(iterate(letters()))
    ['a', 'b', 'c']
    """
    _refuse_the_loop(source)
    bell = _Bell()
    pump = _Pump(source, limit, bell.ring)
    try:
        pump.calling.start()
        while True:
            bell.wait(pump.ready)
            over = pump.calling.known
            yield from pump.take()
            if over:
                return
    finally:
        _finish(pump.calling, bell)


async def aiterate(source: AsyncIterator[T], *, limit: int = 256) -> AsyncGenerator[T]:
    """Iterate an async iterator that lives on the background loop from any loop: the async twin of `iterate`.

    >>> async def letters():
    ...     for letter in "abc": yield letter
    >>> async def main(): return [letter async for letter in aiterate(letters())]
    >>> asyncio.run(main())
    ['a', 'b', 'c']
    """
    bell = _AsyncBell()
    pump = _Pump(source, limit, bell.ring)
    try:
        pump.calling.start()
        while True:
            await bell.wait(pump.ready)
            over = pump.calling.known
            for item in pump.take():
                yield item
            if over:
                return
    finally:
        await _afinish(pump.calling, bell)
