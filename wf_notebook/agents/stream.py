"""The stream of an agent: nothing happens before the first `next`; plain code and async code read it alike."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from .. import background
from ..events import RunResponse
from ..run import way_up

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Generator

    from .answering import Answering


class AgentStream:
    """The responses of one call as they come; `close()`, or letting go of it, ends the call."""

    def __init__(self, begin: Callable[[bool], Answering], *, name: str | None = None) -> None:
        #: The agent's name: what a branch of `parallel` is called.
        self.name = name
        self._begin = begin
        self._call: Answering | None = None
        self._plain: Generator[RunResponse] | None = None
        self._async: AsyncGenerator[RunResponse] | None = None
        self._closed = False

    def __repr__(self) -> str:
        standing = "over: .result() is its answer" if self.over else "running"
        standing = "not begun: iterate it, or call .result()" if self._call is None and not self.over else standing
        return f"<stream of {f'agent {self.name!r}' if self.name else 'an agent'}, {standing}>"

    def _ipython_display_(self) -> None:
        way_up("AgentStream._ipython_display_")(self, self.name or "agent")

    @property
    def over(self) -> bool:
        """Whether it was read to its end, or ended before."""
        frames = getattr(self._plain, "gi_frame", self), getattr(self._async, "ag_frame", self)  # None of one that has ended
        return self._closed or None in frames

    def result(self) -> RunResponse:
        """Read the stream to its end; return the answer as one response."""
        if not self.over:
            for _ in self:
                pass
        return RunResponse(agent_id=self.name) if self._call is None else self._call.so_far()

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> RunResponse:
        if self._closed:
            raise StopIteration
        if self._call is None:
            self._call = self._begin(False)
            self._plain = background.iterate(self._call.responses())
        if self._plain is None:
            raise TypeError("this stream is already read by `async for`")
        try:
            response = next(self._plain)
        except StopIteration:
            self._over(self._call)
            raise
        self._call.see(response)
        return response

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> RunResponse:
        if self._closed:
            raise StopAsyncIteration
        if self._call is None:
            self._call = self._begin(True)
            self._async = self._call.awaited()
        if self._async is None:
            raise TypeError("this stream is already read by `for`")
        try:
            response = await anext(self._async)
        except StopAsyncIteration:
            self._over(self._call)
            raise
        self._call.see(response)
        return response

    def _over(self, call: Answering) -> None:
        """All was read; a stream that was closed before has only what was read, also where the call had come further."""
        if not self._closed:
            call.end()

    def close(self) -> None:
        """End the call; the text so far is in `agent.run_response`."""
        self._closed = True
        if self._plain is not None:
            self._plain.close()

    async def aclose(self) -> None:
        """End the call; the text so far is in `agent.run_response`."""
        self.close()
        if self._async is not None:
            await self._async.aclose()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()
