"""An agent of another package that speaks as ours do, and what it has and ours have not."""

from __future__ import annotations

from contextvars import copy_context
from typing import TYPE_CHECKING, Any

from .. import background
from ..context import within
from .asked import ForeignCall
from .remembered import Recalled
from .stream import AgentStream

if TYPE_CHECKING:
    from collections.abc import Coroutine, Mapping

    from ..events import RunResponse
    from .pieces import Dialect
    from .remembered import Memory


class ForeignAgent:
    """An agent of another package, asked in its own dialect: its model, tools and memory are its own.

    What it has and ours have not is looked up there, and there it is as `.foreign`.
    """

    def __init__(self, dialect: Dialect, *, name: str | None = None) -> None:
        self.dialect = dialect
        self.name = name or dialect.name
        self._last: ForeignCall | Recalled | None = None

    def __repr__(self) -> str:
        return f"<{self.label}: {type(self.foreign).__module__.partition('.')[0]}'s {type(self.foreign).__name__}>"

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_") or name == "dialect":
            raise AttributeError(f"{type(self).__name__!r} has no attribute {name!r}")
        return getattr(self.foreign, name)

    @property
    def foreign(self) -> Any:
        """The agent itself."""
        return self.dialect.foreign

    @property
    def label(self) -> str:
        """How errors name it."""
        return f"agent {self.name!r}" if self.name else "agent"

    @property
    def run_response(self) -> RunResponse | None:
        """The last response: whole when the call has ended, with the text so far while it runs or when it was ended early."""
        return self._last.so_far() if self._last else None

    def recall(self, memory: Memory) -> None:
        """Be as after a call that is not made again, as the step that made it is remembered."""
        self._last = Recalled(memory)

    def _key_parts_(self) -> Mapping[str, Any]:
        return self.dialect.parts()

    def deep_copy(self) -> ForeignAgent:
        """Return one for another instance of the workflow, that has said nothing yet."""
        return ForeignAgent(self.dialect.copy(), name=self.name)

    def run(self, message: Any = None, *, stream: bool = False, **options: Any) -> Any:
        """Ask it and wait for its answer; with `stream=True` return the answer as it comes.

        `options` are its own: of `arun` of an agno agent, of `ainvoke` and `astream` of a runnable or graph (`config=…`). It is
        awaited on the background loop; the stream is lazy, and can be read by `for` and by `async for`.
        """
        if stream:
            return self._stream(message, options)
        return background.call(self._answer(self._begin(message, options, streaming=False)))

    def arun(self, message: Any = None, *, stream: bool = False, **options: Any) -> Any:
        """Return a coroutine for the answer, or with `stream=True` an async iterator: the async twin of `run`.

        It is awaited on the loop of the caller.
        """
        if stream:
            return self._stream(message, options)
        answer = self._arun(message, options)
        answer.__name__ = self.name or "_arun"  # type: ignore[attr-defined] # what a branch of `parallel` is called
        return answer

    async def _arun(self, message: Any, options: Mapping[str, Any]) -> RunResponse:
        answer: Coroutine[Any, Any, RunResponse] = self._answer(self._begin(message, options, streaming=False))
        answered: RunResponse = await within(copy_context(), answer)
        return answered

    def _stream(self, message: Any, options: Mapping[str, Any]) -> AgentStream:
        return AgentStream(lambda _: self._begin(message, options, streaming=True), name=self.name)

    def _begin(self, message: Any, options: Mapping[str, Any], *, streaming: bool) -> ForeignCall:
        call = self._last = ForeignCall(self, message, options, streaming=streaming)
        return call

    async def _answer(self, call: ForeignCall) -> RunResponse:
        async for response in call.responses():
            call.see(response)
        return call.so_far()
