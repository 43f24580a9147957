"""A stream of no workflow, of an agent or of branches, as a run that is shown: it has a record, and nothing of it is saved."""

from __future__ import annotations

import traceback
from contextvars import copy_context
from datetime import UTC, datetime
from time import perf_counter
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from ..log import Log
from ..run import Run, RunContext, Status, Usage, current
from ..spans import STOPS
from ..stream import RunStream
from ..told import Told

if TYPE_CHECKING:
    from ..events import RunResponse


class Loose:
    """As much of an open run as a stream needs. Inside a run it belongs to that one: its Stop, its budget."""

    speaker = "the stream"

    def __init__(self, name: str) -> None:
        outer = current.get()
        self._log = Log()
        self.context = outer or RunContext(str(uuid4()), "", "", None, log=self._log)
        self.variables = copy_context()
        self.variables.run(current.set, self.context)
        self.status: Status = "running"
        self.workflow = name
        self.responses: list[RunResponse] = []
        self._usage = Usage() if outer else self.context.usage  # that of a run counts more than this stream
        self._error: str | None = None
        self._started_at, self._began = datetime.now(UTC), perf_counter()
        self._duration: float | None = None

    def say(self, said: RunResponse) -> RunResponse:
        """Keep what is said."""
        self.responses.append(said)
        return said

    def end(self, error: BaseException | None = None) -> None:
        """Note how it ended."""
        self._duration = perf_counter() - self._began
        self.status = "completed" if error is None else "stopped" if isinstance(error, STOPS) else "failed"
        if error is not None and self.status == "failed":
            self._error = "".join(traceback.format_exception_only(error)).strip()

    def record(self) -> Run:
        """Return the run as it stands."""
        usage, duration = self._usage, self._duration
        return Run(
            run_id=self.context.run_id,
            session_id="",
            workflow=self.workflow,
            status=self.status,
            inputs={},
            started_at=self._started_at,
            duration=perf_counter() - self._began if duration is None else duration,
            error=self._error,
            models=tuple(sorted(usage.models)),
            input_tokens=usage.input_tokens,
            output_tokens=usage.output_tokens,
            cost=usage.cost,
        ).told_by(Told(self, self.responses, self._log, None))


def as_run(source: Any, name: str) -> RunStream:
    """Return a stream as a run of that name."""
    return RunStream(Loose(name), source)  # type: ignore[arg-type] # as much of an open run as a stream needs
