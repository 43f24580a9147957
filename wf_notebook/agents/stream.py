"""The stream of an agent: nothing happens before the first `next`; plain code and async code read it alike."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .. import background

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Generator
    from types import TracebackType

    from ..events import RunResponse
    from .call import AgentCall


class AgentStream:
    """The responses of one call as they come; `close()`, or letting go of it, ends the call."""

    def __init__(self, call: Callable[[bool], AgentCall]) -> None:
        self._begin = call
        self._call: AgentCall | None = None
        self._plain: Generator[RunResponse] | None = None
        self._async: AsyncGenerator[RunResponse] | None = None

    def __iter__(self) -> AgentStream:
        return self

    def __next__(self) -> RunResponse:
        if self._plain is None:
            self._call = self._begin(False)
            self._plain = background.iterate(self._call.responses())
        return self._seen(next(self._plain))

    def __aiter__(self) -> AgentStream:
        return self

    async def __anext__(self) -> RunResponse:
        if self._async is None:
            self._call = self._begin(True)
            self._async = background.aiterate(self._call.responses())
        return self._seen(await anext(self._async))

    def _seen(self, response: RunResponse) -> RunResponse:
        """Remember the text that was handed on: what the agent has said when the stream ends early."""
        assert self._call is not None
        if isinstance(response.content, str):
            self._call.pieces.append(response.content)
        return response

    def close(self) -> None:
        """End the call; what was said so far is in `agent.run_response`."""
        if self._plain is not None:
            self._plain.close()

    async def aclose(self) -> None:
        """End the call; what was said so far is in `agent.run_response`."""
        self.close()
        if self._async is not None:
            await self._async.aclose()

    def __enter__(self) -> AgentStream:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    async def __aenter__(self) -> AgentStream:
        return self

    async def __aexit__(self, *_: Any) -> None:
        await self.aclose()
