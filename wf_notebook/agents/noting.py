"""What an agent does, noted in the run that it is called in: when a call begins, how it ends, which tools it calls unheard."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any, Self

from ..events import RunEvent
from ..log import numbers
from ..run import current
from ..spans import STOPS

if TYPE_CHECKING:
    from types import TracebackType

#: What the end of a call tells of its metrics.
_TOLD = {"seconds": "duration", **{name: name for name in ("input_tokens", "output_tokens", "cost")}}


class Noted:
    """A call while it goes on: `with Noted(name, metrics) as noted:`. Outside of a run nothing is noted."""

    __slots__ = ("_metrics", "_name", "_run", "_span", "model")

    def __init__(self, name: str | None, metrics: dict[str, Any]) -> None:
        self._run, self._name, self._metrics = current.get(), name, metrics
        self._span = {"span": "agent", "id": next(numbers)}
        #: The name of the model, once it is known.
        self.model: str | None = None

    def _note(self, event: RunEvent, data: Any) -> None:
        if self._run is not None:
            self._run.note(event.value, data, self._name)

    def begin(self) -> None:
        """Note that it begins."""
        self._note(RunEvent.run_started, self._span)

    def tool(self, event: RunEvent, call: dict[str, Any]) -> None:
        """Note a call of a tool of which nobody hears otherwise, as the answer comes whole."""
        self._note(event, [{"span": "tool", **call}])

    def end(self, error: BaseException | None = None) -> None:
        """Note how it ended."""
        failed = error is not None and not isinstance(error, STOPS)
        told: dict[str, Any] = {**self._span, "status": "failed" if failed else "completed" if error is None else "stopped"}
        told |= {name: self._metrics[metric] for name, metric in _TOLD.items() if self._metrics.get(metric)}
        told |= {"model": self.model} if self.model else {}
        if failed and error is not None:
            told["error"] = in_a_line(error)
        self._note(RunEvent.run_error if failed else RunEvent.run_completed, told)

    def __enter__(self) -> Self:
        self.begin()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.end(error)


def in_a_line(error: BaseException) -> str:
    """Return what an error is and says: `LookupError: no ducks`."""
    why = type(error).__name__
    with suppress(Exception):  # the user's own __str__
        why = ": ".join(filter(None, (why, str(error))))
    return why
