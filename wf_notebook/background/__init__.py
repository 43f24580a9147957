"""One event loop in a thread of its own, for all that must be awaited while plain code, or code on another loop, waits for it.

All calls of models live on this one loop, so that connections are shared between plain and async callers, cells and threads.
"""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from ..errors import WorkflowError
from .thread import loop, on_the_loop, submit
from .waiting import GRACE, AsyncBell, Bell, Call, afinish, cancel_all, finish

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Callable, Coroutine, Generator, Iterator

__all__ = ["GRACE", "acall", "aiterate", "call", "cancel_all", "iterate", "loop", "on_the_loop", "submit"]

T = TypeVar("T")


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
    bell = Bell()
    calling = Call(coroutine, bell.ring)
    try:
        calling.start()
        bell.wait(lambda: calling.known)
        return calling.outcome()
    finally:
        finish(calling, bell)


async def acall(coroutine: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine on the background loop and await its result from any loop: the async twin of `call`.

    >>> async def double(x): return 2 * x
    >>> asyncio.run(acall(double(21)))
    42
    """
    bell = AsyncBell()
    calling = Call(coroutine, bell.ring)
    try:
        calling.start()
        await bell.wait(lambda: calling.known)
        return calling.outcome()
    finally:
        await afinish(calling, bell)


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
    bell = Bell()
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
        finish(pump.calling, bell)


async def aiterate(source: AsyncIterator[T], *, limit: int = 256) -> AsyncGenerator[T]:
    """Iterate an async iterator that lives on the background loop from any loop: the async twin of `iterate`.

    >>> async def letters():
    ...     for letter in "abc": yield letter
    >>> async def main(): return [letter async for letter in aiterate(letters())]
    >>> asyncio.run(main())
    ['a', 'b', 'c']
    """
    bell = AsyncBell()
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
        await afinish(pump.calling, bell)
