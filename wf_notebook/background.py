"""One event loop in a thread of its own, for all that must be awaited while plain code, or code on another loop, waits for it.

All calls of models live on this one loop, so that connections are shared between plain and async callers, cells and threads.
"""

from __future__ import annotations

import asyncio
import os
import queue
import threading
from concurrent.futures import Future, InvalidStateError, wait
from contextlib import suppress
from contextvars import Context, copy_context
from typing import TYPE_CHECKING, Any, Generic, Literal, TypeVar

from .errors import RunCancelled, WorkflowError
from .run import CancelToken, current

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Callable, Coroutine, Generator

T = TypeVar("T")
_Parcel = tuple[Literal["item", "end", "error", "stop"], Any]

#: How long a waiter that was interrupted waits for its call to end, in seconds.
GRACE = 0.1

_loop: asyncio.AbstractEventLoop | None = None
_lock = threading.Lock()


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
    """A coroutine on the background loop, in a copy of the caller's context.

    `answer` is what came of it, `ended` is done when it really ended. A Stop of the run that the caller belongs to cancels it;
    then the answer is RunCancelled, at the latest after GRACE: a tool in a thread cannot be ended, so it is not waited for.
    """

    def __init__(self, coroutine: Coroutine[Any, Any, T]) -> None:
        self.answer: Future[T] = Future()
        self.ended: Future[None] = Future()
        self._stopped = False
        self._task: asyncio.Task[T] | None = None
        self._loop = loop()
        run = current.get()
        forget = (run.cancel if run else CancelToken()).on_cancel(self.stop)
        self.ended.add_done_callback(lambda _: forget())
        self._loop.call_soon_threadsafe(self._start, coroutine, copy_context())

    def _start(self, coroutine: Coroutine[Any, Any, T], context: Context) -> None:
        if self._stopped:
            coroutine.close()
            self._give_up()
            self.ended.set_result(None)
            return
        self._task = self._loop.create_task(coroutine, context=context)
        self._task.add_done_callback(self._settle)

    def _settle(self, task: asyncio.Task[T]) -> None:
        error = RunCancelled() if self._stopped or task.cancelled() else task.exception()
        with suppress(InvalidStateError):  # whoever waited has given up meanwhile
            if error is None:
                self.answer.set_result(task.result())
            else:
                self.answer.set_exception(error)
        self.ended.set_result(None)

    def _give_up(self) -> None:
        with suppress(InvalidStateError):
            self.answer.set_exception(RunCancelled())

    def cancel(self) -> None:
        """Cancel the coroutine, from any thread."""
        self._loop.call_soon_threadsafe(lambda: self._task and self._task.cancel())

    def stop(self) -> None:
        """Cancel the coroutine, and answer RunCancelled when it ended or after GRACE."""
        self._stopped = True
        self.cancel()
        self._loop.call_soon_threadsafe(self._loop.call_later, GRACE, self._give_up)

    def finish(self) -> None:
        """Cancel what still runs, and wait ≤ 100 ms for it."""
        if not self.ended.done():
            self.cancel()
            if not on_the_loop():
                wait([self.ended], timeout=GRACE)

    async def afinish(self) -> None:
        """Cancel what still runs, and await it ≤ 100 ms."""
        if not self.ended.done():
            self.cancel()
            await asyncio.wait([asyncio.wrap_future(self.ended)], timeout=GRACE)


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
    calling = Call(coroutine)
    try:
        return calling.answer.result()
    finally:
        calling.finish()


async def acall(coroutine: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine on the background loop and await its result from any loop: the async twin of `call`.

    >>> async def double(x): return 2 * x
    >>> asyncio.run(acall(double(21)))
    42
    """
    calling = Call(coroutine)
    try:
        return await asyncio.wrap_future(calling.answer)
    finally:
        await calling.afinish()


class _Pump(Generic[T]):
    """An async iterator that runs on the background loop in one task from its start to its end, and delivers what it gives.

    One task, so that its contexts (cancel scopes, spans) open and close in one place. At most `limit` items wait for the reader.
    """

    def __init__(self, source: AsyncIterator[T], limit: int, deliver: Callable[[_Parcel], object]) -> None:
        self._source, self._deliver = source, deliver
        self._room = asyncio.Semaphore(limit)
        self._taken, self._batch = 0, max(1, limit // 2)
        run = current.get()
        self._token = run.cancel if run else CancelToken()
        self.calling = Call(self._run())
        forget = self._token.on_cancel(lambda: deliver(("stop", None)))
        self.calling.ended.add_done_callback(lambda _: forget())

    async def _run(self) -> None:
        try:
            async for item in self._source:
                await self._room.acquire()
                self._deliver(("item", item))
        except BaseException as error:
            self._deliver(("stop", None) if isinstance(error, asyncio.CancelledError) else ("error", error))
            if isinstance(error, asyncio.CancelledError):
                raise
        else:
            self._deliver(("end", None))
        finally:
            close = getattr(self._source, "aclose", None)
            if close is not None:
                await close()

    def _make_room(self) -> None:
        for _ in range(self._batch):
            self._room.release()

    def open(self, parcel: _Parcel) -> bool:
        """Say whether there is an item in the parcel; raise what it says otherwise."""
        kind, item = parcel
        if kind == "item":
            self._taken += 1
            if self._taken % self._batch == 0:
                loop().call_soon_threadsafe(self._make_room)
            return True
        if kind == "end":
            return False
        if kind == "error" and not self._token.cancelled:
            raise item
        raise RunCancelled


def iterate(source: AsyncIterator[T], *, limit: int = 256) -> Generator[T]:
    """Iterate an async iterator that lives on the background loop; at most `limit` items wait for a slow reader.

    Closing the returned generator cancels it, and so does a Stop of the current run, which raises RunCancelled here.

    >>> async def letters():
    ...     for letter in "abc": yield letter
    >>> list(iterate(letters()))
    ['a', 'b', 'c']
    """
    _refuse_the_loop(source)
    parcels: queue.SimpleQueue[_Parcel] = queue.SimpleQueue()
    pump = _Pump(source, limit, parcels.put)
    try:
        while pump.open(parcel := parcels.get()):
            yield parcel[1]
    finally:
        pump.calling.finish()


async def aiterate(source: AsyncIterator[T], *, limit: int = 256) -> AsyncGenerator[T]:
    """Iterate an async iterator that lives on the background loop from any loop: the async twin of `iterate`.

    >>> async def letters():
    ...     for letter in "abc": yield letter
    >>> async def main(): return [letter async for letter in aiterate(letters())]
    >>> asyncio.run(main())
    ['a', 'b', 'c']
    """
    parcels: asyncio.Queue[_Parcel] = asyncio.Queue()
    here = asyncio.get_running_loop()
    pump = _Pump(source, limit, lambda parcel: here.call_soon_threadsafe(parcels.put_nowait, parcel))
    try:
        while pump.open(parcel := await parcels.get()):
            yield parcel[1]
    finally:
        await pump.calling.afinish()
