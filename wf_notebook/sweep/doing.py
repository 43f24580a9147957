"""How one row is done: by a workflow of its own, as like the one that is mapped as its session allows."""

from __future__ import annotations

import copy
import inspect
from typing import TYPE_CHECKING, Any

from .. import background
from ..errors import RunCancelled, WorkflowError
from ..settings import own
from ..stream import RunStream
from ..transaction import Records
from ..workflow import Workflow
from .row import Row
from .session import RowSession, mark_of
from .tasks import Task

if TYPE_CHECKING:
    from ..cache import Mode
    from ..session import Session


class Doing:
    """How the rows of a sweep are done: each by a copy of the workflow, with a session and agents of its own.

    With `shared`, all rows are runs of that one session.
    """

    def __init__(self, workflow: Workflow, *, cache: Mode | None, shared: Session | None) -> None:
        self._workflow, self._cache, self._shared = workflow, cache, shared
        self.storage = workflow.storage
        self.state, self._about = copy.deepcopy(workflow.session.initial), workflow.about()
        self._agents = [name for name, value in vars(workflow).items() if own(value) is not value]
        self._awaited = type(workflow).run is Workflow.run

    def workflow(self, task: Task) -> Workflow:
        """Return the workflow that does a row."""
        mine = copy.copy(self._workflow)
        mine.go_on_in(self._shared or self.session(task), cache=self._cache)
        for name in self._agents:
            mine.__dict__[name] = own(mine.__dict__[name])
        return mine

    def session(self, task: Task) -> RowSession:
        """Return the session of a row, with the state that it begins with."""
        state, due = self.begins_with(), None if task.key is None else (task.key, task.past)
        return RowSession(task.session_id, storage=self.storage, state=state, about=self._about, is_new=task.is_new, due=due)

    def begins_with(self) -> dict[str, Any]:
        """Return the state that a row begins with, for that row alone."""
        return copy.deepcopy(self.state) if self.state else {}

    def probe(self) -> Workflow:
        """Return a workflow as a row begins with it, to ask what a row depends on."""
        return self.workflow(Task(0, {}, {}, self._workflow.session_id))

    def mark(self, session: Session, key: str, row: Row) -> None:
        """Mark a row as done in its session: with the same key it is not done again."""
        if (mark := mark_of(row, key, session.about.workflow)) is None:
            return
        if isinstance(session, RowSession):
            session.ends_with(mark)
        else:
            session.save(Records(steps=[mark]))

    def done(self, task: Task, workflow: Workflow) -> Row:
        """Do a row, and return what came of it; whatever it raises is part of that."""
        content, error = None, None
        try:
            answer = workflow.arun(**task.inputs) if self._awaited else workflow.run(**task.inputs)
            content = _content(background.call(answer) if inspect.iscoroutine(answer) else answer)
        except (Exception, RunCancelled, KeyboardInterrupt, SystemExit) as raised:  # noqa: BLE001 - a failure is a row
            error = raised
        return _row(task, workflow, content, error)

    def ended(self, task: Task, workflow: Workflow, error: BaseException) -> Row:
        """Return what came of a row that nobody waits for any more."""
        return _row(task, workflow, None, error)


def _content(answer: Any) -> Any:
    if isinstance(answer, RunStream):
        answer = answer.result()
    return [_content(one) for one in answer] if isinstance(answer, list) else getattr(answer, "content", None)


def _row(task: Task, workflow: Workflow, content: Any, error: BaseException | None) -> Row:
    run = workflow.last_run
    if run is None:  # it did not even begin
        return Row(task.number, task.given, "failed", error=_told(error), session_id=task.session_id, exception=error)
    return Row(
        task.number,
        task.given,
        run.status,
        run.content if content is None else content,
        run.error or (None if error is None or run.status == "stopped" else _told(error)),
        session_id=run.session_id,
        run_id=run.run_id,
        started_at=run.started_at,
        duration=run.duration,
        models=run.models,
        input_tokens=run.input_tokens,
        output_tokens=run.output_tokens,
        cost=run.cost,
        exception=error,
    )


def _told(error: BaseException | None) -> str:
    said = str(error).partition("\n")[0] if isinstance(error, WorkflowError) else str(error)
    return f"{type(error).__name__}: {said}" if said else type(error).__name__
