"""One run from its first line to its record: what it said, how it ended, and every save on the way."""

from __future__ import annotations

import asyncio
import atexit
import json
import os
import socket
import threading
import time
import traceback
from collections import deque
from contextvars import copy_context
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from weakref import ref

from .errors import RunCancelled, SessionConflict, UnsavableValue, WorkflowError
from .events import RunEvent, RunResponse
from .redact import redact
from .run import Run, RunContext, Status, current, logger, process_started_at
from .session import Records, Session
from .state import Encoded, differences

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

#: While a run is open, what it said and changed is saved this often, in seconds: a kill loses no more than that.
FLUSH_EVERY = 0.25

_TEXT, _COMPLETED = RunEvent.run_response.value, RunEvent.workflow_completed.value


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


class OpenRun:
    """A run that has begun: it stamps and notes what is said, and is ended once, in one of the ways in which a run can end."""

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
        #: The user's code is advanced in this context only, so that two interleaved runs each see their own.
        self.variables = copy_context()
        self.variables.run(current.set, context)
        self._ended = ended
        self.session = session
        self.workflow = workflow
        self.inputs = inputs
        self.responses: list[RunResponse] = []
        self.error: str | None = None
        self.status: Status = "running"
        self.started_at = datetime.now(UTC)
        self.ended_at: datetime | None = None
        self.changes: dict[str, str] = {}
        self._stamps = {"run_id": context.run_id, "session_id": context.session_id, "workflow_id": context.workflow_id}
        self._began = time.perf_counter()
        self._duration: float | None = None
        self._text: list[str] = []
        self._completed: list[str] = []
        self._last: RunResponse | None = None
        self._keeps = session.storage is not None
        self._unsaid: deque[tuple[float, str, str | None, Any]] = deque()  # said, and not yet in the store
        self._started_row: dict[str, Any] | None = self._start_row() if self._keeps else None
        self._seq = 0
        self._before: Encoded = session.encoded() if self._keeps else {}
        self._saving = threading.Lock()
        if self._keeps:
            _open[context.run_id] = ref(self)
            _wake.set()
            _start_saver()

    def __del__(self) -> None:
        """A dropped run is handed over: a finaliser may run anywhere, so it never touches the store itself."""
        if self.status == "running" and self._keeps:
            _dropped.append(self)

    # -- what is said ------------------------------------------------------------------------------------------------------

    def say(self, response: RunResponse) -> RunResponse:
        """Note a response, and return a copy of it that is stamped with the ids of this run."""
        said = response.stamped(self._stamps)
        content, event = said.content, said.event
        if content is not None:
            if type(content) is str:
                if event == _TEXT:
                    self._text.append(content)
                elif event == _COMPLETED:
                    self._completed.append(content)
            else:
                self._last = said
        if self._keeps:
            self._unsaid.append((time.time(), event, said.agent_id, content if content is not None else said.tools))
        self.responses.append(said)
        return said

    def text(self) -> str:
        """Return the text of the run so far: what its responses said, or its completion if they said nothing."""
        return "".join(self._text or self._completed)

    def result(self) -> RunResponse:
        """Return the run as one response: the joined text, else the last content that is no text."""
        usage = self.context.usage
        metrics: dict[str, Any] = {"duration": round(self.duration, 6)}
        if usage.requests:
            metrics |= {"input_tokens": usage.input_tokens, "output_tokens": usage.output_tokens, "cost": usage.cost}
            metrics["total_tokens"] = usage.total_tokens
        models = ", ".join(sorted(usage.models)) or None
        if self._last is not None and not (self._text or self._completed):
            return self._last.stamped({"metrics": metrics, "model": self._last.model or models})
        return RunResponse(self.text(), event=_COMPLETED, metrics=metrics, model=models, **self._stamps)

    @property
    def duration(self) -> float:
        """Seconds since the run began, until it ended."""
        return self._duration if self._duration is not None else time.perf_counter() - self._began

    def record(self) -> Run:
        """Return the run as it stands."""
        usage = self.context.usage
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
            content=self._content(),
            error=self.error,
            models=tuple(sorted(usage.models)),
            input_tokens=usage.input_tokens,
            output_tokens=usage.output_tokens,
            cost=usage.cost,
            changes=dict(self.changes),
        )

    def _content(self) -> str | None:
        if self._text or self._completed:
            return self.text()
        return self._last.get_content_as_string(default=str) if self._last is not None else None

    # -- how it ends -------------------------------------------------------------------------------------------------------

    def end(self, error: BaseException | None = None) -> None:
        """End the run and save it. Ending twice is ending once.

        A save that cannot be done raises, unless the run itself failed: then the user's own error wins, and has a note.
        """
        with self._saving:
            if self.status != "running":
                return
            self._duration, self.ended_at = self.duration, datetime.now(UTC)
            self.status = _status(error)
            if error is not None and self.status == "failed":
                self.error = "".join(traceback.format_exception_only(error)).strip()
        _open.pop(self.context.run_id, None)
        try:
            self._save_end()
        except WorkflowError as failure:
            if error is None or isinstance(error, (RunCancelled, GeneratorExit)):
                failure.response = self.result()
                raise
            error.add_note(f"and the run could not be saved: {type(failure).__name__}: {failure}")
        finally:
            self._ended(self.record())

    def _save_end(self) -> None:
        if not self._keeps:
            return
        mine = self.session.encoded()
        self.changes = {change.key: change.op for change in differences(self._before, mine)}
        self.session.save(self._records(ended=True), run_id=self.context.run_id)

    # -- what goes to the store --------------------------------------------------------------------------------------------

    def flush(self) -> None:
        """Save what was said and changed since the last time; an error waits for the next explicit save or the run's end."""
        with self._saving:
            if self.status != "running":
                return
            records = self._records(ended=False)
            try:
                self.session.save(records, run_id=self.context.run_id)
            except (UnsavableValue, SessionConflict):
                pass  # the rows are saved; the run's end says it
            except WorkflowError as error:
                logger.debug("a flush could not be done yet: %s", error)
                self._take_back(records)

    def _records(self, *, ended: bool) -> Records:
        runs = [self._started_row] if self._started_row is not None else []
        self._started_row = None
        if ended:
            runs.append(self._end_row())
        return Records(runs=runs, events=list(self._event_rows()))

    def _take_back(self, records: Records) -> None:
        self._started_row = next((row for row in records.runs if row["phase"] == "start"), None)
        self._kept_rows = [*records.events]

    _kept_rows: list[dict[str, Any]] | None = None

    def _event_rows(self) -> Iterator[dict[str, Any]]:
        """Give a row for each thing said; the pieces of one text that came since the last save are one row."""
        if self._kept_rows:
            yield from self._kept_rows
            self._kept_rows = None
        pieces: list[str] = []
        at, of = 0.0, ("", None)
        for _ in range(len(self._unsaid)):
            moment, event, agent, content = self._unsaid.popleft()
            if pieces and (type(content) is not str or (event, agent) != of):
                yield self._event_row(at, *of, "".join(pieces))
                pieces = []
            if type(content) is str:
                at = at if pieces else moment
                of = (event, agent)
                pieces.append(content)
            else:
                yield self._event_row(moment, event, agent, content)
        if pieces:
            yield self._event_row(at, *of, "".join(pieces))

    def _event_row(self, moment: float, event: str, agent: str | None, content: Any) -> dict[str, Any]:
        self._seq += 1
        text = isinstance(content, str)
        return {
            "run_id": self.context.run_id,
            "seq": self._seq,
            "happened_at": _at(datetime.fromtimestamp(moment, UTC)),
            "event": str(getattr(event, "value", event)),
            "agent": agent,
            "lane": self.context.lane,
            "content": redact(_clean(content)) if text else None,
            "data": None if text or content is None else _json(content),
        }

    def _start_row(self) -> dict[str, Any]:
        return {
            **self._row("start", self.started_at),
            "inputs": _json(self.inputs),
            "host": socket.gethostname(),
            "pid": os.getpid(),
            "process_started_at": process_started_at(os.getpid()),
        }

    def _end_row(self) -> dict[str, Any]:
        usage, content = self.context.usage, self._content()
        return {
            **self._row("end", self.ended_at or datetime.now(UTC)),
            "status": self.status,
            "duration": self.duration,
            "content": None if content is None else redact(_clean(content)),
            "error": None if self.error is None else redact(_clean(self.error)),
            "models": _json(sorted(usage.models)),
            "input_tokens": usage.input_tokens,
            "output_tokens": usage.output_tokens,
            "cost": usage.cost,
            "changes": _json(self.changes),
        }

    def _row(self, phase: str, at: datetime) -> dict[str, Any]:
        context = self.context
        return {
            "run_id": context.run_id,
            "phase": phase,
            "happened_at": _at(at),
            "workflow": self.workflow,
            "workflow_id": context.workflow_id,
        }


def _status(error: BaseException | None) -> Status:
    if error is None:
        return "completed"
    stops = (RunCancelled, KeyboardInterrupt, asyncio.CancelledError, GeneratorExit)
    return "stopped" if isinstance(error, stops) else "failed"


def _at(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%d %H:%M:%S.%f")


def _json(value: Any) -> str:
    """Return a record's value as JSON; what JSON does not have is shown by its repr, as a record is read and not loaded."""
    try:
        text = json.dumps(value, default=_shown, ensure_ascii=False, allow_nan=False)
    except (TypeError, ValueError, RecursionError):
        text = json.dumps(_reprs(value), ensure_ascii=False)
    return redact(_clean(text))


def _shown(value: Any) -> Any:
    return value.model_dump(mode="json") if hasattr(value, "model_dump") else repr(value)


def _reprs(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(key): _reprs(item) for key, item in value.items()}
    try:
        json.dumps(value, allow_nan=False)
    except (TypeError, ValueError, RecursionError):
        return repr(value)
    return value


def _clean(text: str) -> str:
    """Return text that can be written as UTF-8: half of a surrogate pair becomes a question mark."""
    return text.encode("utf-8", "replace").decode()


# -- while runs are open, when they are dropped, and at exit -------------------------------------------------------------------

_open: dict[str, ref[OpenRun]] = {}
_dropped: deque[OpenRun] = deque()
_wake = threading.Event()
_saver: threading.Thread | None = None


def drain() -> None:
    """End the runs whose streams were dropped."""
    while _dropped:
        try:
            run = _dropped.popleft()
        except IndexError:  # another thread was quicker
            return
        try:
            run.end(GeneratorExit())
        except WorkflowError as error:
            logger.warning("a run that was dropped could not be saved: %s", error)


def _start_saver() -> None:
    global _saver  # noqa: PLW0603 - one for the process is the point
    if _saver is None or not _saver.is_alive():
        _saver = threading.Thread(target=_save_open_runs, name="wf_notebook-saver", daemon=True)
        _saver.start()


def _save_open_runs() -> None:
    pause = threading.Event()
    while True:
        _wake.wait()
        pause.wait(FLUSH_EVERY)
        drain()
        for run_id, reference in list(_open.items()):
            run = reference()
            if run is None:
                _open.pop(run_id, None)
            else:
                run.flush()
            del run  # an idle saver keeps no run alive
        if not _open and not _dropped:
            _wake.clear()
            if _open or _dropped:
                _wake.set()


def _end_open_runs() -> None:
    """At exit, kernel shutdown included: every run that is still open has a record and its state saved."""
    drain()
    for reference in list(_open.values()):
        if (run := reference()) is not None:
            try:
                run.end(GeneratorExit())
            except WorkflowError as error:
                logger.warning("a run that was open at exit could not be saved: %s", error)


def _forget() -> None:
    """In a forked child the open runs and the saver are the parent's."""
    global _saver, _wake  # noqa: PLW0603
    _saver, _wake = None, threading.Event()
    for reference in list(_open.values()):
        if (run := reference()) is not None:
            run._keeps = False  # noqa: SLF001 - this module's own
    _open.clear()
    _dropped.clear()


atexit.register(_end_open_runs)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget)
