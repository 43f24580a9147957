"""What comes back from run(): the returned value decides.

An iterator is a stream, and is played as it is read. Anything else has run at call time: one response, several outputs, each of
which may itself be a stream, or none. An awaitable is awaited first.
"""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any

from .context import stoppable
from .errors import RunCancelled
from .events import RunEvent
from .place import locate
from .record import joined
from .stream import RunStream, is_source, response

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from .events import RunResponse
    from .record import OpenRun


def outcome(run: OpenRun, call: Callable[[], Any]) -> Any:
    """Call the user's code inside its run; return a RunStream, a coroutine, a response, a list of responses, or None.

    The run is ended here, or by the stream or coroutine that is returned.
    """
    try:
        value = run.variables.run(call)
        if is_source(value):
            return RunStream(run, value)
        if inspect.isawaitable(value):
            return _awaited(run, value)
        answer = _settled(run, value)
    except BaseException as error:
        locate(error)
        run.end(error)
        if not _is_spent(run, error):
            raise
        answer = _so_far(run)
    run.end()
    return _whole(run, answer)


async def _awaited(run: OpenRun, awaitable: Awaitable[Any]) -> Any:
    try:
        value = await stoppable(run, awaitable)
        if is_source(value):
            return await RunStream(run, value)
        answer = _settled(run, value)
    except BaseException as error:
        locate(error)
        run.end(error)
        if not _is_spent(run, error):
            raise
        answer = _so_far(run)
    run.end()
    return _whole(run, answer)


async def already(value: Any) -> Any:
    """Return a value that is there, to code that awaits it."""
    return value


def _is_spent(run: OpenRun, error: BaseException) -> bool:
    """Say whether it is its budget that ended the run: as a stream it ends with what it has, and nothing is raised."""
    return isinstance(error, RunCancelled) and run.context.cancel.reason is not None


def _whole(run: OpenRun, answer: Any) -> Any:
    """What a batch run gives back at its end: where its last request went over the budget, it says so."""
    if run.status != "stopped":
        return answer
    return _so_far(run) if answer is None else _cancelled(answer)


def _cancelled(answer: Any) -> Any:
    if isinstance(answer, list):
        return [_cancelled(one) for one in answer]
    return answer.stamped({"event": RunEvent.run_cancelled.value})


def _so_far(run: OpenRun) -> RunResponse:
    said = run.result()
    return said.stamped({"event": RunEvent.run_cancelled.value, "content": said.content or None})


def _settled(run: OpenRun, value: Any) -> Any:
    """Return what a batch run gave as responses: one, a list of them, or None for a run without output."""
    if value is None:
        return None
    return _one(run, value)


def _one(run: OpenRun, value: Any) -> Any:
    if isinstance(value, (list, tuple)):
        outputs: list[Any] = []
        for item in value:
            if item is not None:
                if outputs:
                    run.apart()
                outputs.append(_one(run, item))
        return outputs
    if is_source(value):
        return _drained(run, value)
    return run.say(response(value))


class _Part:
    """A part of a run: what it says is said in the run, and it can be asked for by itself."""

    speaker = "run()"

    def __init__(self, run: OpenRun) -> None:
        self.context, self.variables, self.status = run.context, run.variables, run.status
        self.responses: list[RunResponse] = []
        self._run = run

    def say(self, said: RunResponse) -> RunResponse:
        self.responses.append(self._run.say(said))
        return self.responses[-1]

    def end(self, error: BaseException | None = None) -> None:
        """Its end is not the run's."""

    def result(self) -> RunResponse:
        return joined(self.responses)


def _drained(run: OpenRun, source: Any) -> RunResponse:
    """Play one of several outputs to its end, inside the run; return it as one response."""
    part = RunStream(_Part(run), source).result()  # type: ignore[arg-type] # as much of an open run as a stream needs
    run.context.cancel.check()
    return part
