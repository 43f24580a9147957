"""What run() gave, played as a stream of responses: nested streams, lists, strings and models, one after the other.

The loop is said once, in `_playback`. It asks its reader to advance a source, as only the reader knows whether it may wait
for the next value or must await it; the two readers are `RunStream.__next__` and `RunStream.__anext__`.
"""

from __future__ import annotations

import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from . import background
from .context import inside, stoppable, within
from .errors import BadRunOutput, RunCancelled
from .events import RunResponse
from .run import way_up

if TYPE_CHECKING:
    from collections.abc import Generator

    from .record import OpenRun
    from .run import Run


class _Source:
    """An iterator to be advanced, or to be closed; `bridge` brings an async one to plain code."""

    __slots__ = ("bridge", "closing", "values")

    def __init__(self, values: Any) -> None:
        self.values = values
        self.bridge: Generator[Any] | None = None
        self.closing = False


class _Ended:
    """A source has no more values; `value` is what a generator returned."""

    __slots__ = ("value",)

    def __init__(self, value: Any) -> None:
        self.value = value


def _playback(run: OpenRun, first: Any) -> Generator[_Source | RunResponse, Any, None]:
    """Play `first` and all that is in it: yields a source to be advanced, or a response to be given out.

    Whatever ends a run passes here: its last line, an exception of the user's, an interrupt, Stop.
    """
    sources, token, say = [_Source(first)], run.context.cancel, run.say
    try:
        while sources:
            if token.cancelled:
                raise RunCancelled  # noqa: TRY301 - Stop ends a run as an exception does
            value = yield sources[-1]
            if type(value) is _Ended:
                sources.pop()
                value = value.value
            if type(value) is RunResponse:
                yield say(value)
            elif is_source(value):
                sources.append(_Source(value))
            elif isinstance(value, (list, tuple)):
                sources.append(_Source(iter(value)))
            elif value is not None:
                yield say(response(value))
    except GeneratorExit:
        raise  # collected with its stream: the open run hands itself over
    except BaseException as error:
        while sources:  # innermost first: the user's `finally` comes before the save
            source = sources.pop()
            source.closing = True
            yield source
        run.end(error)
        if not isinstance(error, RunCancelled):
            raise
    else:
        run.end()


def is_source(value: Any) -> bool:
    """Return whether a value is a stream: an iterator or an async iterator."""
    return isinstance(value, (Iterator, AsyncIterator))


def response(value: Any) -> RunResponse:
    """Return one thing that run() gave as a response.

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
        f"run() gave a value of type {type(value).__name__!r}; "
        "yield or return RunResponse, str, a pydantic model, or a stream of these"
    )


class RunStream:
    """A run as a stream of responses: iterable, async iterable, and shown live as the last expression of a cell.

    Iterated to its end, or stopped, it is recorded and its state saved; so it is when it is dropped half-way.
    """

    def __init__(self, run: OpenRun, source: Any) -> None:
        self._open = run
        self._awaits = not isinstance(source, Iterator)
        self._loop = _playback(run, source)
        self._turn = threading.Lock()
        self._reader: Iterator[RunResponse] | None = None

    def __repr__(self) -> str:
        return f"<RunStream {self._open.status}: {self._open.workflow}, session {self._open.context.session_id!r}>"

    # -- two readers of one loop -------------------------------------------------------------------------------------------

    def __iter__(self) -> Iterator[RunResponse]:
        return self

    def __next__(self) -> RunResponse:
        if self._awaits:
            self._reader = self._reader or background.iterate(self)
            return next(self._reader)
        if not self._turn.acquire(blocking=False):
            raise ValueError("this stream is being read by another thread")
        try:
            step = next(self._loop)
            while type(step) is _Source:
                try:
                    value = self._take(step)
                except BaseException as error:  # noqa: BLE001 - the loop decides
                    step = self._loop.throw(error)
                else:
                    step = self._loop.send(value)
        finally:
            self._turn.release()
        return step  # type: ignore[return-value] # what is no _Source is a response

    def _take(self, source: _Source) -> Any:
        """Advance or close a source, in plain code."""
        values = source.values
        if not isinstance(values, Iterator):
            return self._take_async(source)
        if source.closing:
            return self._open.variables.run(_close, values)
        try:
            return self._open.variables.run(next, values)
        except StopIteration as end:
            return _Ended(end.value)

    def _take_async(self, source: _Source) -> Any:
        """Advance or close an async source in plain code: it lives on the background loop, which steps inside the run."""
        if source.closing:
            return source.bridge.close() if source.bridge is not None else None
        source.bridge = source.bridge or background.iterate(inside(self._open, source.values))
        try:
            return next(source.bridge)
        except StopIteration:
            return _Ended(None)

    def __aiter__(self) -> AsyncIterator[RunResponse]:
        return self

    async def __anext__(self) -> RunResponse:
        try:
            step = next(self._loop)
            while type(step) is _Source:
                try:
                    value = await self._await(step)
                except BaseException as error:  # noqa: BLE001 - the loop decides
                    step = self._loop.throw(error)
                else:
                    step = self._loop.send(value)
        except StopIteration:
            raise StopAsyncIteration from None
        return step  # type: ignore[return-value] # what is no _Source is a response

    async def _await(self, source: _Source) -> Any:
        """Advance or close a source, in async code."""
        values = source.values
        if not isinstance(values, AsyncIterator):
            return self._take(source)
        if source.closing:
            if hasattr(values, "aclose"):
                await within(self._open.variables, values.aclose())
            return None
        try:
            return await stoppable(self._open, values.__anext__())
        except StopAsyncIteration:
            return _Ended(None)

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

    def stop(self) -> None:
        """End the run, from any thread: the iteration ends normally, what was said is kept, the status is `stopped`."""
        self._open.context.cancel.cancel()
        if not self._awaits and self._turn.acquire(blocking=False):  # nobody is reading: end it here
            self._turn.release()
            with suppress(StopIteration):
                next(self)

    def _ipython_display_(self) -> None:
        way_up("RunStream._ipython_display_")(self)


def _close(values: Iterator[Any]) -> None:
    close = getattr(values, "close", None)
    if close is not None:
        with suppress(RunCancelled):
            close()
