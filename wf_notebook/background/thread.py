"""The background loop: one event loop in a daemon thread of its own, started at first use."""

from __future__ import annotations

import asyncio
import os
import threading
from concurrent.futures import Future, InvalidStateError
from contextlib import suppress
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Coroutine
    from contextvars import Context

T = TypeVar("T")

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
        if future.cancelled():
            coroutine.close()
            return
        task = target.create_task(coroutine, context=context)
        task.add_done_callback(settle)
        future.add_done_callback(lambda done: cancel(task) if done.cancelled() else None)

    def cancel(task: asyncio.Task[T]) -> None:
        with suppress(RuntimeError):  # the loop has been closed, and with it what ran there
            target.call_soon_threadsafe(task.cancel)

    def settle(task: asyncio.Task[T]) -> None:
        error = None if task.cancelled() else task.exception()
        with suppress(InvalidStateError):  # it was cancelled meanwhile
            if task.cancelled():
                future.cancel()
            elif error is not None:
                future.set_exception(error)
            else:
                future.set_result(task.result())

    try:
        target.call_soon_threadsafe(start)
    except RuntimeError:
        coroutine.close()
        raise
    return future
