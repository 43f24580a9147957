"""One event loop in a thread of its own, for all that must be awaited while somebody waits for it in plain code."""

from __future__ import annotations

import asyncio
import os
import queue
import threading
from contextvars import copy_context
from typing import TYPE_CHECKING, Any, TypeVar

from .errors import RunCancelled, WorkflowError
from .run import CancelToken, current

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Coroutine, Iterator

T = TypeVar("T")

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
            threading.Thread(target=_loop.run_forever, name="wf_notebook-loop", daemon=True).start()
        return _loop


def _forget() -> None:
    """In a forked child the loop's thread is gone: forget it, so that the next call starts its own."""
    global _loop, _lock  # noqa: PLW0603
    _loop, _lock = None, threading.Lock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget)


class Call:
    """A coroutine on the background loop, in a copy of the caller's context: waited for, or cancelled."""

    def __init__(self, coroutine: Coroutine[Any, Any, Any]) -> None:
        self._done = threading.Event()
        self._task: asyncio.Task[Any] | None = None
        target, context = loop(), copy_context()
        if _is_running(target):
            coroutine.close()
            raise WorkflowError(
                "a waiting call was made from the background loop itself; in async code await the async twin (arun)"
            )

        def start() -> None:
            self._task = target.create_task(coroutine, context=context)
            self._task.add_done_callback(lambda _: self._done.set())

        target.call_soon_threadsafe(start)

    def cancel(self) -> None:
        """Cancel the coroutine, from any thread."""
        loop().call_soon_threadsafe(lambda: self._task and self._task.cancel())

    def result(self) -> Any:
        """Wait for the coroutine's result; a Stop of the current run or an interrupt cancels it and waits ≤ 100 ms."""
        run = current.get()
        token = run.cancel if run else CancelToken()
        stopped = threading.Event()

        def stop() -> None:
            stopped.set()
            self.cancel()
            # A tool in a thread cannot be ended: give up waiting for it.
            loop().call_soon_threadsafe(loop().call_later, GRACE, self._done.set)

        forget = token.on_cancel(stop)
        try:
            self._done.wait()
        except BaseException:
            self.cancel()
            self._done.wait(GRACE)
            raise
        finally:
            forget()
        if stopped.is_set():
            raise RunCancelled
        assert self._task is not None
        return self._task.result()

    def finish(self) -> None:
        """Cancel what still runs, and wait ≤ 100 ms for it."""
        if not self._done.is_set():
            self.cancel()
            self._done.wait(GRACE)


def _is_running(target: asyncio.AbstractEventLoop) -> bool:
    try:
        return asyncio.get_running_loop() is target
    except RuntimeError:
        return False


def call(coroutine: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine on the background loop and wait for its result; works inside a running loop too.

    Raises what the coroutine raises, and RunCancelled when the current run is stopped meanwhile.

    >>> async def double(x): return 2 * x
    >>> call(double(21))
    42
    """
    result: T = Call(coroutine).result()
    return result


def iterate(source: AsyncIterator[T], *, limit: int = 256) -> Iterator[T]:
    """Iterate an async iterator that lives on the background loop; at most `limit` items wait for a slow reader.

    One task runs the iterator from its start to its end, so that its contexts (cancel scopes, spans) open and close in one place.
    Closing the returned generator cancels it.

    >>> async def letters():
    ...     for letter in "abc": yield letter
    >>> list(iterate(letters()))
    ['a', 'b', 'c']
    """
    items: queue.SimpleQueue[tuple[str, Any]] = queue.SimpleQueue()
    room = threading.Semaphore(limit)

    async def pump() -> None:
        try:
            async for item in source:
                while not room.acquire(blocking=False):
                    await asyncio.sleep(0.005)
                items.put(("item", item))
        except asyncio.CancelledError:
            items.put(("stop", None))
            raise
        except BaseException as error:  # noqa: BLE001 - carried over to the reader's thread and raised there
            items.put(("error", error))
        else:
            items.put(("end", None))
        finally:
            close = getattr(source, "aclose", None)
            if close is not None:
                await close()

    run = current.get()
    token = run.cancel if run else CancelToken()
    pumping = Call(pump())
    forget = token.on_cancel(lambda: items.put(("stop", None)))
    try:
        while True:
            kind, item = items.get()
            if kind == "item":
                room.release()
                yield item
            elif kind == "end":
                return
            elif kind == "error" and not token.cancelled:
                raise item
            else:
                raise RunCancelled
    finally:
        forget()
        pumping.finish()
