"""The responses of branches, merged as they come."""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from typing import TYPE_CHECKING, Any, Self

from .background.waiting import GRACE, AsyncBell, Bell
from .errors import RunCancelled
from .run import logger, way_up

if TYPE_CHECKING:
    from collections.abc import Generator

    from .cancel import CancelToken
    from .crew import Crew
    from .events import RunResponse

#: So many responses wait for a slow reader; a branch that says more waits too.
WAITING = 1024
#: So many branches are named where a stream is shown before it is read.
NAMED = 8


class _Pipe:
    """What leads from the branches to the reader; the branches know it, and not the reader, so that a reader can be dropped."""

    def __init__(self, crew: Crew, bell: Bell | AsyncBell) -> None:
        self.arrived: deque[RunResponse] = deque()
        self._crew = crew
        self._bell = bell
        self._sleeps = False
        self._full = False
        self._room = threading.Event()

    def say(self, said: RunResponse, token: CancelToken) -> None:
        """Pass a response on; wait while the reader is far behind, but no longer than who says it may go on."""
        while len(self.arrived) >= WAITING:
            self._full = True
            self._room.clear()
            if len(self.arrived) >= WAITING:
                self._room.wait(GRACE)
            if self._crew.settled or token.cancelled:
                raise RunCancelled
        self.arrived.append(said)
        if self._sleeps:
            self._sleeps = False
            self._bell.ring()

    def look(self) -> bool:
        """Return whether there is something for the reader, and else ask to be woken."""
        if self.arrived or self._crew.settled:
            return True
        self._sleeps = True
        return bool(self.arrived)

    def take(self) -> RunResponse | None:
        """Return the next response, None when there is none."""
        try:
            said = self.arrived.popleft()
        except IndexError:
            return None
        if self._full and len(self.arrived) < WAITING // 2:
            self._full = False
            self._room.set()
        return said


class Merged:
    """A stream of what branches say: read by `for` or by `async for`; nothing begins before, and it ends when it is dropped."""

    def __init__(self, crew: Crew) -> None:
        self._crew = crew
        self._bell: Bell | AsyncBell | None = None
        self._pipe: _Pipe
        self._over = False

    def __repr__(self) -> str:
        standing = "not begun: iterate it, or let it be the last line of a cell" if self._bell is None else "running"
        return f"<parallel of {self._branches()}, {'over: see .results' if self.over else standing}>"

    def _branches(self) -> str:
        branches = self._crew.branches
        names, noun = ", ".join(branch.lane for branch in branches[:NAMED]), "branch" if len(branches) == 1 else "branches"
        return f"{len(branches)} {noun} ({names}{', …' if len(branches) > NAMED else ''})"

    def _ipython_display_(self) -> None:
        way_up("Merged._ipython_display_")(self, "parallel")

    @property
    def over(self) -> bool:
        """Whether it was read to its end, or closed."""
        return self._over

    @property
    def results(self) -> list[Any]:
        """The results in order, once it was read: a stream's is its responses joined to one."""
        return self._crew.outcomes

    def _start(self, bell: Bell | AsyncBell, home: asyncio.AbstractEventLoop | None = None) -> None:
        self._bell, self._pipe = bell, _Pipe(self._crew, bell)
        self._crew.say = self._pipe.say
        try:
            self._crew.start(bell.ring, home)
        except BaseException:
            self.close()
            raise

    def _take(self) -> RunResponse | None:
        """Return the next response, None at the end; raise what ended it."""
        said = self._pipe.take()
        if said is None:
            self._over = True
            self._crew.conclude()
        return said

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> RunResponse:
        if self._over:
            raise StopIteration
        if self._bell is None:
            self._start(Bell())
        if isinstance(self._bell, AsyncBell):
            raise TypeError("this stream is already read by `async for`")
        assert self._bell is not None
        if not self._pipe.arrived:
            try:
                self._bell.wait(self._pipe.look)
            except BaseException:  # interrupted: who waited waits no more
                self.close()
                raise
        said = self._take()
        if said is None:
            raise StopIteration
        return said

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> RunResponse:
        if self._over:
            raise StopAsyncIteration
        if self._bell is None:
            self._start(AsyncBell(), asyncio.get_running_loop())
        if isinstance(self._bell, Bell):
            raise TypeError("this stream is already read by `for`")
        assert self._bell is not None
        if not self._pipe.arrived:
            try:
                await self._bell.wait(self._pipe.look)
            except BaseException:
                self.close()
                raise
        said = self._take()
        if said is None:
            raise StopAsyncIteration
        return said

    def __await__(self) -> Generator[Any, Any, list[Any]]:
        return self._all().__await__()

    async def _all(self) -> list[Any]:
        async for _ in self:
            pass
        return self.results

    def close(self) -> None:
        """End all branches."""
        if not self._over:
            self._over = True
            self._crew.leave()

    async def aclose(self) -> None:
        """End all branches."""
        self.close()

    def __del__(self) -> None:
        """End all branches; say so when nobody ever read: nothing was done then, which is easily overlooked."""
        if self._bell is None and not self._over:
            logger.warning("parallel of %s was never read, so it did nothing: yield it, iterate it or await it", self._branches())
        self.close()
