"""A function as an agent: called, its values are said as responses, as they come."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import AsyncIterator, Iterator
from contextvars import copy_context
from functools import partial
from time import perf_counter
from typing import TYPE_CHECKING, Any, Self

from .. import background
from ..context import within
from ..events import RunResponse
from ..record import joined
from ..run import way_up
from ..spans import begin
from ..stream import is_source
from .noting import Noted

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine

_END = object()


class FunctionAgent:
    """A function, generator function, coroutine function or async generator function that speaks as an agent does.

    It can still be called as the function, and has its attributes.

    >>> def words(text):
    ...     yield from text.split()
    >>> agent = FunctionAgent(words)
    >>> agent.run("a b").content, [said.content for said in agent.run("a b", stream=True)]
    ('ab', ['a', 'b'])
    >>> list(agent("a b")), agent.__name__
    (['a', 'b'], 'words')
    """

    def __init__(self, function: Callable[..., Any], *, name: str | None = None) -> None:
        self.function = self.__wrapped__ = function
        self.name = name or name_of(function)
        self._last: FunctionStream | None = None

    def __repr__(self) -> str:
        return f"<FunctionAgent {self.name or self.function!r}>"

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Call the function, as if it were not adapted."""
        return self.function(*args, **kwargs)

    def __getattr__(self, name: str) -> Any:
        if name == "function" or (name[0] == "_" and name not in {"__name__", "__qualname__"}):
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
        return getattr(self.function, name)

    @property
    def run_response(self) -> RunResponse | None:
        """The last response, with what was said so far while it runs."""
        return self._last.so_far() if self._last else None

    def _key_parts_(self) -> dict[str, Any]:
        return {"function": self.function}

    def deep_copy(self) -> FunctionAgent:
        """Return an agent of the same function that has said nothing yet."""
        return FunctionAgent(self.function, name=self.name)

    def run(self, *args: Any, stream: bool = False, **kwargs: Any) -> Any:
        """Call the function with these arguments; return one response, or with `stream=True` its responses as they come.

        What it awaits is awaited on the background loop. The stream is lazy, and can be read by `for` and by `async for`.
        """
        said = self._begin(args, kwargs)
        if stream:
            return said
        for _ in said:
            pass
        return said.so_far()

    def arun(self, *args: Any, stream: bool = False, **kwargs: Any) -> Any:
        """Return a coroutine for the response, or with `stream=True` an async iterator: the async twin of `run`.

        What the function awaits is awaited on the loop of the caller; a plain function runs in a thread, and holds nobody up.
        """
        said = self._begin(args, kwargs)
        return said if stream else self._drained(said)

    async def _drained(self, said: FunctionStream) -> RunResponse:
        async for _ in said:
            pass
        return said.so_far()

    def _begin(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> FunctionStream:
        return FunctionStream(partial(self.function, *args, **kwargs), name=self.name, begun=self._note)

    def _note(self, said: FunctionStream) -> None:
        self._last = said


class FunctionStream:
    """The responses of one call of a function as they come; nothing happens before the first one is asked for."""

    def __init__(self, function: Callable[[], Any], *, name: str | None, begun: Callable[[FunctionStream], object]) -> None:
        self.name = name
        self._function, self._begun = function, begun
        self._sources: list[Any] | None = None
        self._responses: list[RunResponse] = []
        self._duration: float | None = None
        self._metrics: dict[str, Any] = {}

    def __repr__(self) -> str:
        standing = "over: .result() is its answer" if self.over else "running"
        standing = "not begun: iterate it, or call .result()" if self._sources is None and not self.over else standing
        return f"<stream of {f'function {self.name!r}' if self.name else 'a function'}, {standing}>"

    def _ipython_display_(self) -> None:
        way_up("FunctionStream._ipython_display_")(self, self.name or "function")

    @property
    def over(self) -> bool:
        """Whether it was read to its end, or ended before."""
        return self._duration is not None

    def result(self) -> RunResponse:
        """Read the stream to its end; return what it said as one response."""
        if not self.over:
            for _ in self:
                pass
        return self.so_far()

    def so_far(self) -> RunResponse:
        """Return what was said so far as one response."""
        said = self._responses[0] if len(self._responses) == 1 else joined(self._responses)
        metrics = said.metrics or {"duration": self._duration or perf_counter() - self._started}
        return said.stamped({"metrics": metrics, "agent_id": said.agent_id or self.name})

    def _begin(self) -> list[Any]:
        self._begun(self)
        self._started = perf_counter()
        #: The function runs in a context of its own, inside the span of this call.
        self._variables = copy_context()
        named = {"gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": self.name}
        self._span = begin(f"invoke_agent {self.name or 'function'}", named)
        self._span.inside(self._variables)
        self._noted = Noted(self.name, self._metrics)
        self._noted.begin()
        return []

    def _end(self, error: BaseException | None = None) -> None:
        if self._duration is None:
            self._duration = self._metrics["duration"] = perf_counter() - self._started
            self._span.end(error)
            self._noted.end(error)

    def _say(self, value: Any) -> RunResponse:
        said = value
        if not isinstance(said, RunResponse):
            said = RunResponse(value, content_type=type(value).__name__, agent_id=self.name)
        self._responses.append(said)
        return said

    # -- in plain code -----------------------------------------------------------------------------------------------------

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> RunResponse:
        try:
            if self._sources is None:
                self._sources = self._begin()
                self._sources.append(_values(self._variables.run(self._call)))
            while self._sources:
                value = self._variables.run(next, self._sources[-1], _END)
                if value is _END:
                    self._sources.pop()
                elif is_source(value):
                    self._sources.append(_values(value))
                elif value is not None:
                    return self._say(value)
        except BaseException as error:
            self._end(error)
            self.close()
            raise
        self._end()
        raise StopIteration

    def _call(self) -> Any:
        value = self._function()
        return background.call(_awaited(value)) if inspect.isawaitable(value) else value

    def close(self) -> None:
        """End the call; what was said so far is in `agent.run_response`."""
        while self._sources:
            source = self._sources.pop()
            if hasattr(source, "close"):
                self._variables.run(source.close)
            self._end(GeneratorExit())

    # -- in async code -----------------------------------------------------------------------------------------------------

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> RunResponse:
        try:
            if self._sources is None:
                self._sources = self._begin()
                value = await self._acall()
                self._sources.append(value if is_source(value) else iter([value]))
            while self._sources:
                value = await self._anext(self._sources[-1])
                if value is _END:
                    self._sources.pop()
                elif is_source(value):
                    self._sources.append(value)
                elif value is not None:
                    return self._say(value)
        except BaseException as error:
            self._end(error)
            await self.aclose()
            raise
        self._end()
        raise StopAsyncIteration

    async def _acall(self) -> Any:
        if _awaits(self._function):
            value = self._variables.run(self._function)
        else:
            value = await asyncio.to_thread(partial(self._variables.run, self._function))
        return await within(self._variables, value) if inspect.isawaitable(value) else value

    async def _anext(self, source: Any) -> Any:
        if not isinstance(source, AsyncIterator):
            return await asyncio.to_thread(partial(self._variables.run, next, source, _END))
        try:
            return await within(self._variables, anext(source))
        except StopAsyncIteration:
            return _END

    async def aclose(self) -> None:
        """End the call; what was said so far is in `agent.run_response`."""
        while self._sources:
            source = self._sources.pop()
            if hasattr(source, "aclose"):
                await within(self._variables, source.aclose())
            elif hasattr(source, "close"):
                self._variables.run(source.close)
            self._end(GeneratorExit())


def name_of(function: Any) -> str | None:
    """Return what a function is called, or None where that says nothing.

    >>> name_of(partial(print, 1)), name_of(lambda: 1)
    ('print', None)
    """
    while isinstance(function, partial):
        function = function.func
    name = getattr(function, "__name__", "<")
    return name if name.isidentifier() else None


def _values(value: Any) -> Iterator[Any]:
    """What a call gave, as an iterator for plain code."""
    if isinstance(value, Iterator):
        return value
    return background.iterate(value) if isinstance(value, AsyncIterator) else iter([value])


def _awaits(function: Any) -> bool:
    """Say whether calling a function only makes something to be awaited."""
    while isinstance(function, partial):
        function = function.func
    return any(
        inspect.iscoroutinefunction(one) or inspect.isasyncgenfunction(one)
        for one in (function, getattr(type(function), "__call__", None))  # noqa: B004 - the method, not whether there is one
    )


def _awaited(value: Awaitable[Any]) -> Coroutine[Any, Any, Any]:
    async def wait() -> Any:
        return await value

    return wait()
