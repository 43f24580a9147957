"""What a run gave all at once: one response, or several outputs, each of which may itself be a stream."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .record import joined
from .stream import RunStream, is_source, response

if TYPE_CHECKING:
    from .events import RunResponse
    from .record import OpenRun


def settled(run: OpenRun, value: Any) -> Any:
    """Return what a batch run gave as responses: one, a list of them, or None for a run without output."""
    if value is None:
        return None
    if isinstance(value, (list, tuple)):
        return [_one(run, item) for item in value if item is not None]
    return _one(run, value)


def _one(run: OpenRun, value: Any) -> Any:
    if isinstance(value, (list, tuple)):
        return [_one(run, item) for item in value if item is not None]
    if is_source(value):
        return _drained(run, value)
    return run.say(response(value))


class _Part:
    """A part of a run: what it says is said in the run, and it can be asked for by itself."""

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
