"""One run from its first line to its record: what it said, how it ended, and every save on the way."""

from __future__ import annotations

import threading
import time
from contextvars import copy_context
from datetime import UTC, datetime
from itertools import islice
from typing import TYPE_CHECKING, Any

from . import saver
from .changes import summed_up
from .errors import RunCancelled, UnsavableValue, WorkflowError
from .events import RunEvent, RunResponse
from .foreign import advise
from .journal import Journal, NoJournal, begun_row, end_row
from .keys import key_of
from .log import Log
from .readable import glimpse
from .run import Run, RunContext, Status, current, logger
from .source import source_rows
from .spans import NOTHING, STOPS, begin
from .told import Told, as_responses
from .traced import failing
from .transaction import Records

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from .changes import Encoded
    from .session import Session

#: Of so many changed values the beginning is kept.
_VALUES = 100
_TEXT, _COMPLETED = RunEvent.run_response.value, RunEvent.workflow_completed.value


class OpenRun:
    """A run that has begun: it stamps and notes what is said, and is ended once, in one of the ways in which a run can end."""

    #: Who gave what cannot be said.
    speaker = "run()"

    def __init__(
        self,
        context: RunContext,
        session: Session,
        *,
        workflow: str,
        inputs: dict[str, Any],
        ended: Callable[[Run], object] = lambda _: None,
    ) -> None:
        self.context = context
        context.log = self._log = Log()
        #: The user's code is advanced in this context only, so that two interleaved runs each see their own.
        self.variables = copy_context()
        self.variables.run(current.set, context)
        self.session = session
        self.workflow = workflow
        self.inputs = inputs
        #: What was said: of each response its fields, as dicts of texts cost the garbage collector nothing, and objects do.
        self._said_so_far: list[dict[str, Any] | RunResponse] = []
        self.error: str | None = None
        self.status: Status = "running"
        self.started_at = datetime.now(UTC)
        self.ended_at: datetime | None = None
        self.changes: dict[str, str] = {}
        self._stamps: dict[str, Any] = {
            "run_id": context.run_id,
            "session_id": context.session_id,
            "workflow_id": context.workflow_id,
        }
        self._began = time.perf_counter()
        self._duration: float | None = None
        self._text: list[str] = []
        self._completed: list[str] = []
        self._last: RunResponse | None = None
        self._ended, self._ending = ended, threading.Lock()
        self._journal: Journal | None = None
        self._span = begin(f"invoke_workflow {workflow}", _named(context, workflow))
        self._span.inside(self.variables)
        if session.storage is not None:
            self._journal = NoJournal("") if context.private else Journal(context.run_id)
            self._log.hears = self._journal.hear
            self._before: Encoded = session.snapshot().kept
            self._start = begun_row(context.run_id, workflow, context.workflow_id, inputs, self.started_at)
            source = source_rows(context, workflow, session, self._start["happened_at"])
            self._begun = Records() if context.private else Records([self._start], steps=source)
        if self._journal is not None or self._span.is_there:
            saver.watch(self)

    def __del__(self) -> None:
        """Hand over a dropped run: a finaliser may run anywhere, so it never touches the store itself."""
        if self.status == "running" and (self._journal is not None or self._span.is_there):
            saver.hand_over(self)

    # -- what is said ------------------------------------------------------------------------------------------------------

    def say(self, response: RunResponse) -> RunResponse:
        """Note a response, and return a copy of it that is stamped with the ids of this run."""
        said = response.stamped(self._stamps)
        if self.status != "running":
            return said  # it was let go of: nobody hears it
        content = said.content
        if content is not None:
            if not isinstance(content, str):
                self._last = said
            elif said.event == _TEXT:
                self._text.append(content)
            elif said.event == _COMPLETED:
                self._completed.append(content)
            if self._journal is not None:
                self._journal.note(said)
        else:
            self._log.note(said.event, said.extra_data if said.tools is None else said.tools, agent=said.agent_id, lane=said.lane)
        if said.images:
            self._log.note(said.event, {"span": "images", "images": said.images}, agent=said.agent_id, lane=said.lane)
        self._said_so_far.append(said.__dict__ if type(said) is RunResponse else said)
        return said

    def apart(self) -> None:
        """What is said from now on is an output by itself."""
        self.say(RunResponse(event=RunEvent.run_continued.value, extra_data={"span": "output"}))

    @property
    def responses(self) -> list[RunResponse]:
        """What was said so far."""
        return as_responses(self._said_so_far)

    def result(self) -> RunResponse:
        """Return the run as one response: the joined text, else the last content that is no text."""
        usage = self.context.usage
        metrics: dict[str, Any] = {"duration": self.duration}
        if usage.requests:
            tokens = {"input_tokens": usage.input_tokens, "output_tokens": usage.output_tokens}
            metrics |= {**tokens, "total_tokens": usage.total_tokens, "cost": usage.cost}
        models = ", ".join(sorted(usage.models)) or None
        if self._last is not None and not (self._text or self._completed):
            return self._last.stamped({"metrics": metrics, "model": self._last.model or models})
        return RunResponse(self._said(), event=_COMPLETED, metrics=metrics, model=models, **self._stamps)

    def _said(self) -> str:
        return "".join(self._text or self._completed)

    @property
    def duration(self) -> float:
        """Seconds since the run began, until it ended."""
        return self._duration if self._duration is not None else time.perf_counter() - self._began

    def record(self) -> Run:
        """Return the run as it stands."""
        usage, last = self.context.usage, self._last
        content = self._said() if self._text or self._completed else None if last is None else _shown(last)
        return Run(
            run_id=self.context.run_id,
            session_id=self.context.session_id,
            workflow=self.workflow,
            workflow_id=self.context.workflow_id,
            status=self.status,
            inputs=dict(self.inputs),
            started_at=self.started_at,
            ended_at=self.ended_at,
            duration=self.duration,
            content=content,
            error=self.error,
            models=tuple(sorted(usage.models)),
            input_tokens=usage.input_tokens,
            output_tokens=usage.output_tokens,
            cost=usage.cost,
            changes=dict(self.changes),
        ).told_by(Told(self, self._said_so_far, self._log, None if self.context.private else self.session.storage))

    # -- how it ends -------------------------------------------------------------------------------------------------------

    def end(self, error: BaseException | None = None) -> None:
        """End the run and save it. Ending twice is ending once. A run that spent more than it may is `stopped`, whatever it did.

        A save that cannot be done raises, unless the run itself failed: then the user's own error wins, and has a note.
        """
        with self._ending:
            if self.status != "running":
                return
            self._duration, self.ended_at = self.duration, datetime.now(UTC)
            if error is not None and not isinstance(error, STOPS):
                advise(error)
                self.status, self.error = "failed", failing(error, self._log)
            elif error is not None:
                self.status, self.error = "stopped", self.context.cancel.reason
            else:
                self.error = self.context.overspent()
                self.status = "completed" if self.error is None else "stopped"
        saver.unwatch(self)
        record = None
        try:
            record = self._save_end()
        except WorkflowError as failure:
            self.error = self.error or f"not saved: {failure}"
            if error is None or isinstance(error, (RunCancelled, GeneratorExit)):
                failure.response = self.result()
                self._span.end(failure)
                raise
            error.add_note(f"and the run could not be saved: {type(failure).__name__}: {failure}")
        finally:
            record = record or self.record()
            self._span.note(_used(record))
            self._span.end(error)
            self._ended(record)

    def _save_end(self) -> Run:
        if self._journal is not None:
            snapshot = self.session.snapshot()
            if snapshot.refused:
                self.error = self.error or f"not saved: {UnsavableValue.joined(snapshot.refused.values())}"
            self.changes = summed_up(self._before, snapshot.kept)
            if self.changes:
                self._log.note(RunEvent.updating_memory.value, {"span": "state", "values": self._values()})
        self._log.close()
        record = self.record()
        if self._journal is not None:
            new, ends = self._new(), [] if self.context.private else [end_row(record, self._start)]
            rows = Records([*new.runs, *ends], list(self._journal.rows()), new.steps)
            self.session.conclude(rows, run_id=self._saved_as, snapshot=snapshot)
        return record

    def _values(self) -> dict[str, str]:
        """Return how the values begin that the run changed; they are told with it, as the state goes on."""
        state = self.session.state
        changed = {key: key_of(key) for key, op in islice(self.changes.items(), _VALUES) if op != "delete"}
        return {stored: glimpse(state[key]) for stored, key in changed.items() if key in state}

    def flush(self, steps: Sequence[dict[str, Any]] = ()) -> bool:
        """Save what was changed since the last time, and what was said or the rows of steps; return whether it is durable.

        With steps, what was said waits for the next flush: each kind of rows costs as much again, and somebody waits. Branches
        that wait share one transaction. What could not be saved goes along with the next save, and that raises.
        """
        with self._ending:
            if self._journal is None or (self.status != "running" and not steps):
                return False
            new = self._new()
            rows = Records(new.runs, [] if steps else list(self._journal.rows()), [*new.steps, *steps])
            if not steps:  # the run's end waits until what it said is saved
                return self._is_saved(rows)
        return self._is_saved(rows)

    def _is_saved(self, rows: Records) -> bool:
        try:
            self.session.save(rows, run_id=self._saved_as)
        except WorkflowError as error:
            logger.debug("run %s could not be saved yet: %s", self.context.run_id, error)
            return False
        return True

    def _new(self) -> Records:
        begun, self._begun = self._begun, Records()  # the rows of its start, once
        return begun

    @property
    def _saved_as(self) -> str | None:
        return None if self.context.private else self.context.run_id

    def disown(self) -> None:
        """Never save this run: it is another process's."""
        self._journal, self._span = None, NOTHING


def _named(context: RunContext, workflow: str) -> dict[str, Any]:
    """What a run's span is found by."""
    ids = {"wf.run_id": context.run_id, "wf.session_id": context.session_id}
    return {"gen_ai.operation.name": "invoke_workflow", "gen_ai.workflow.name": workflow, **ids}


def _used(run: Run) -> dict[str, Any]:
    """How a run ended and what it used, for its span; the tokens of each call are told by the spans inside it."""
    tokens = {"wf.input_tokens": run.input_tokens, "wf.output_tokens": run.output_tokens}
    return {"wf.status": run.status, **tokens, "wf.cost": run.cost}


def _shown(response: RunResponse) -> str:
    try:
        return response.get_content_as_string()
    except (TypeError, ValueError):  # content may be any object
        return repr(response.content)


def joined(responses: Iterable[RunResponse]) -> RunResponse:
    """Return responses as one: their text joined, or their completion if they said nothing, else the last that is no text.

    >>> joined([RunResponse("Hello, "), RunResponse("Ada")]).content
    'Hello, Ada'
    """
    said = [r for r in responses if r.content is not None]
    for event in (_TEXT, _COMPLETED):
        texts = [r for r in said if r.event == event and isinstance(r.content, str)]
        if texts:
            return texts[-1].stamped({"content": "".join(r.content for r in texts)})
    others = [r for r in said if not isinstance(r.content, str)]
    return others[-1] if others else RunResponse()
