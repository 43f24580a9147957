"""What is awaited and what is heard meanwhile by callbacks, in whatever thread, as one stream of pieces."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator

    from .pieces import Piece

#: So many pieces wait at most for a reader who is slow; what callbacks hear comes on top.
LIMIT = 64


class Merging:
    """Pieces from a task that says them, and from callbacks that hear them while it goes on.

    >>> from .pieces import Text
    >>> async def letters(merging):
    ...     merging.hear(Text("a"))
    ...     await merging.say(Text("b"))
    >>> async def main():
    ...     merging = Merging()
    ...     return [piece.text async for piece in merging.of(letters)]
    >>> asyncio.run(main())
    ['a', 'b']
    """

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._pieces: asyncio.Queue[tuple[Piece | None, bool]] = asyncio.Queue()
        self._room = asyncio.Semaphore(LIMIT)
        #: Whether anything was heard or said, and whether nobody listens any more.
        self.begun = self.over = False

    def hear(self, piece: Piece) -> None:
        """Take a piece, from any thread, and hold nobody up."""
        self.begun = True
        try:
            here = asyncio.get_running_loop() is self._loop
        except RuntimeError:
            here = False
        if here:
            self._pieces.put_nowait((piece, False))
        else:
            with suppress(RuntimeError):  # the loop is closed: nobody hears it any more
                self._loop.call_soon_threadsafe(self._pieces.put_nowait, (piece, False))

    async def say(self, piece: Piece) -> None:
        """Say a piece, once there is room for it."""
        self.begun = True
        await self._room.acquire()
        self._pieces.put_nowait((piece, True))

    async def said_in_a_thread(self, pieces: Iterator[Piece]) -> None:
        """Say the pieces of plain code, which is read in a thread; once nobody listens, it is read no further."""

        def read() -> None:
            for piece in pieces:
                if self.over:
                    return
                asyncio.run_coroutine_threadsafe(self.say(piece), self._loop).result()

        await asyncio.to_thread(read)

    async def of(self, work: Callable[[Merging], Awaitable[None]]) -> AsyncGenerator[Piece]:
        """Run `work(self)` in a task of its own to its end; give the pieces as they come. Closing this cancels it."""

        async def through() -> None:
            try:
                await work(self)
            finally:
                self._pieces.put_nowait((None, False))

        task = asyncio.create_task(through())
        try:
            while (item := await self._pieces.get())[0] is not None:
                if item[1]:
                    self._room.release()
                yield item[0]
            await task
        finally:
            self.over = True
            self._room.release()  # a thread may wait for room
            if not task.done():
                task.cancel()
                with suppress(asyncio.CancelledError):
                    await task
