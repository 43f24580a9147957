"""What run() gave, played as a stream of responses: nested streams, lists, strings and models, one after the other.

The loop is said once, in `_playback`. An async source it leaves to its reader to advance, as only the reader knows whether it may
wait for the next value or must await it; the two readers are `_waiting` and `RunStream.__anext__`.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from inspect import GEN_CREATED, GEN_RUNNING, getgeneratorstate
from typing import TYPE_CHECKING, Any

from . import background
from .context import inside, stoppable, within
from .errors import BadRunOutput, RunCancelled
from .events import RunResponse
from .place import locate
from .run import logger, way_up

if TYPE_CHECKING:
    from collections.abc import Generator

    from .cancel import CancelToken
    from .record import OpenRun
    from .run import Run


#: Streams and lists lie so deep in each other at most.
DEEPEST = 1000


class _Awaited:
    """An async iterator to be advanced, or to be closed; `bridge` brings it to plain code."""

    __slots__ = ("bridge", "closing", "values")

    def __init__(self, values: AsyncIterator[Any]) -> None:
        self.values = values
        self.bridge: Generator[Any] | None = None
        self.closing = False


def _playback(run: OpenRun, first: Any) -> Generator[_Awaited | RunResponse, Any, None]:
    """Play `first` and all that is in it: yields a response to be given out, or an async source to be advanced.

    Whatever ends a run passes here: its last line, an exception of the user's, an interrupt, Stop.
    """
    sources, token, in_run, say = [_source(first)], run.context.cancel, run.variables.run, run.say
    try:
        while sources:
            if token.cancelled:
                raise RunCancelled  # noqa: TRY301 - Stop ends a run as an exception does
            source = sources[-1]
            try:
                value = (yield source) if type(source) is _Awaited else in_run(next, source)
            except (StopIteration, StopAsyncIteration) as end:
                sources.pop()
                value = getattr(end, "value", None)  # what a generator returned
            if isinstance(value, RunResponse):
                yield say(value)
            elif not isinstance(value, str) and is_source(value):
                _enter(sources, _source(value), run.speaker)
            elif isinstance(value, (list, tuple)):
                _enter(sources, iter(value), run.speaker)
            elif value is not None:
                yield say(response(value, run.speaker))
    except GeneratorExit:
        raise  # collected with its stream: the open run hands itself over
    except BaseException as error:
        locate(error, sources)
        while sources:  # innermost first: the user's `finally` comes before the save
            source = sources.pop()
            if type(source) is _Awaited:
                source.closing = True
                yield source
            else:
                in_run(_close, source)
        run.end(error)
        if not isinstance(error, RunCancelled):
            raise
    else:
        run.end()


def _enter(sources: list[Any], source: Any, speaker: str) -> None:
    """Go on with a source inside the others; BadRunOutput for one that never gets to an end, as it gives itself again."""
    if len(sources) >= DEEPEST:
        raise BadRunOutput(
            f"{speaker} gave streams or lists inside each other, {DEEPEST:,} deep; does it give itself again? "
            "super().run(…) is the run of the class that it derives from"
        )
    sources.append(source)


def _waiting(run: OpenRun, loop: Generator[_Awaited | RunResponse, Any, None]) -> Generator[RunResponse]:
    """Read the loop in plain code, one thread at a time."""
    with suppress(StopIteration):
        for step in loop:
            while type(step) is _Awaited:
                try:
                    value = _wait(run, step)
                except BaseException as error:  # noqa: BLE001 - the loop decides
                    step = loop.throw(error)  # noqa: PLW2901 - its next step
                else:
                    step = loop.send(value)  # noqa: PLW2901 - its next step
            yield step  # type: ignore[misc] # what is not _Awaited is a response


def _wait(run: OpenRun, source: _Awaited) -> Any:
    """Advance or close an async source in plain code: it lives on the background loop, which steps inside the run."""
    values = source.values
    if isinstance(values, Iterator):
        return run.variables.run(_close if source.closing else next, values)
    if source.closing:
        return source.bridge.close() if source.bridge is not None else None
    source.bridge = source.bridge or background.iterate(inside(run, values))
    return next(source.bridge)


def _source(values: Any) -> Any:
    """Return a source of the loop: what can be awaited (an agent's stream can be read either way) is left to the reader."""
    return _Awaited(values) if isinstance(values, AsyncIterator) else values


def is_source(value: Any) -> bool:
    """Return whether a value is a stream: an iterator or an async iterator."""
    return type(value) is not str and isinstance(value, (Iterator, AsyncIterator))


def response(value: Any, speaker: str = "run()") -> RunResponse:
    """Return one thing that run(), or another `speaker`, gave as a response.

    Raises BadRunOutput for what is none: int, bool, bytes, dict…

    >>> response("hello").content
    'hello'
    """
    if isinstance(value, RunResponse):
        return value
    if isinstance(value, str):
        return RunResponse(value)
    if hasattr(value, "model_dump_json") and not isinstance(value, type):  # a pydantic model, without loading pydantic
        return RunResponse(value, content_type=type(value).__name__)
    raise BadRunOutput(
        f"{speaker} gave a value of type {type(value).__name__!r}; "
        "yield or return RunResponse, str, a pydantic model, or a stream of these"
    )


class RunStream:
    """A run as a stream of responses: iterable, async iterable, and shown live as the last expression of a cell.

    Iterated to its end, or stopped, it is recorded and its state saved; so it is when it is dropped half-way.
    """

    def __init__(self, run: OpenRun, source: Any) -> None:
        self._open = run
        self._loop = _playback(run, source)
        self._awaits = not isinstance(source, Iterator)
        self._reader: Generator[RunResponse] | None = None if self._awaits else _waiting(run, self._loop)

    def __repr__(self) -> str:
        return f"<RunStream {self._open.status}: {self._open.workflow}, session {self._open.context.session_id!r}>"

    def __getattr__(self, name: str) -> Any:
        """Say where the attribute of a response is, which a stream does not have before it is read."""
        if name in RunResponse.__dataclass_fields__:
            raise AttributeError(f"a stream has no {name!r} before it is read; read it to its end: .result().{name}")
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")

    def __del__(self) -> None:
        """Say so when nobody ever read: nothing was done then, which is easily overlooked."""
        if self._open.status == "running" and getgeneratorstate(self._loop) == GEN_CREATED:
            logger.warning("a run of %s was never read, so it did nothing: iterate it, or call .result()", self._open.workflow)

    # -- two readers of one loop -------------------------------------------------------------------------------------------

    def __iter__(self) -> Iterator[RunResponse]:
        return self

    def __next__(self) -> RunResponse:
        self._reader = self._reader or background.iterate(self)
        try:
            return next(self._reader)
        except ValueError:
            if getgeneratorstate(self._reader) == GEN_RUNNING:
                raise ValueError("this stream is being read by another thread") from None
            raise

    def __aiter__(self) -> AsyncIterator[RunResponse]:
        return self

    async def __anext__(self) -> RunResponse:
        try:
            step = next(self._loop)
            while type(step) is _Awaited:
                try:
                    value = await self._await(step)
                except BaseException as error:  # noqa: BLE001 - the loop decides
                    step = self._loop.throw(error)
                else:
                    step = self._loop.send(value)
        except StopIteration:
            raise StopAsyncIteration from None
        return step  # type: ignore[return-value] # what is not _Awaited is a response

    async def _await(self, source: _Awaited) -> Any:
        """Advance or close an async source, in async code."""
        values = source.values
        if not source.closing:
            return await stoppable(self._open, values.__anext__())
        if hasattr(values, "aclose"):
            await within(self._open.variables, values.aclose())
        return None

    def __await__(self) -> Generator[Any, Any, RunResponse]:
        return self._drained().__await__()

    async def _drained(self) -> RunResponse:
        async for _ in self:
            pass
        return self._open.result()

    # -- what it said ------------------------------------------------------------------------------------------------------

    def result(self) -> RunResponse:
        """Read the stream to its end; return one response: the joined text, else the last content that is no text."""
        for _ in self:
            pass
        return self._open.result()

    @property
    def responses(self) -> list[RunResponse]:
        """What was said so far."""
        return self._open.responses

    @property
    def workflow(self) -> Any:
        """The workflow whose run this is."""
        return self._open.context.workflow

    @property
    def run(self) -> Run:
        """The record of the run as it stands."""
        return self._open.record()

    @property
    def token(self) -> CancelToken:
        """What ends the run once it is cancelled, from any thread."""
        return self._open.context.cancel

    def stop(self) -> None:
        """End the run, from any thread: the iteration ends normally, what was said is kept, the status is `stopped`."""
        self.token.cancel()
        if not self._awaits and self._reader is not None and getgeneratorstate(self._reader) != GEN_RUNNING:  # nobody is reading
            with suppress(StopIteration):
                next(self)

    def _ipython_display_(self) -> None:
        way_up("RunStream._ipython_display_")(self)


def _close(values: Iterator[Any]) -> None:
    close = getattr(values, "close", None)
    if close is not None:
        with suppress(RunCancelled):
            close()
