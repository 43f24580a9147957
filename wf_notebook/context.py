"""The user's async code, awaited inside the context of its run, and ended by Stop."""

from __future__ import annotations

import asyncio
import types
from typing import TYPE_CHECKING, Any

from .errors import RunCancelled

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Generator
    from contextvars import Context

    from .record import OpenRun


@types.coroutine
def within(variables: Context, awaitable: Awaitable[Any]) -> Generator[Any, Any, Any]:
    """Await in a context that is not the task's: each step of the user's code runs inside it."""
    steps: Any = awaitable.__await__()
    go, argument = steps.send, None
    while True:
        try:
            step = variables.run(go, argument)
        except StopIteration as end:
            return end.value
        try:
            argument, go = (yield step), steps.send
        except BaseException as error:  # noqa: BLE001 - thrown into the user's code, which decides
            argument, go = error, steps.throw


async def stoppable(run: OpenRun, awaitable: Awaitable[Any]) -> Any:
    """Await the user's code inside its run; Stop, from any thread, cancels it and raises RunCancelled."""
    task, loop, waiting = asyncio.current_task(), asyncio.get_running_loop(), True
    assert task is not None

    def cancel() -> None:
        if waiting:
            task.cancel()

    forget = run.context.cancel.on_cancel(lambda: loop.call_soon_threadsafe(cancel))
    try:
        return await within(run.variables, awaitable)
    except asyncio.CancelledError:
        if run.context.cancel.cancelled and task.uncancel() == 0:
            raise RunCancelled from None
        raise
    finally:
        waiting = False
        forget()


async def inside(run: OpenRun, values: AsyncIterator[Any]) -> AsyncIterator[Any]:
    """Give the values of an async iterator of the user's, each step taken inside the run."""
    try:
        while True:
            try:
                value = await stoppable(run, values.__anext__())
            except StopAsyncIteration:
                return
            yield value
    finally:
        if hasattr(values, "aclose"):
            await within(run.variables, values.aclose())
