"""The workflow as it is now over recorded inputs, so many at once, each in a scratch session as the session was then."""

from __future__ import annotations

import threading
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from .. import background
from ..branches import parallel
from ..errors import BadSetting, RunCancelled
from ..nearest import did_you_mean
from ..readable import brief
from ..scratch import agents_in, scratch
from ..workflow import Workflow
from .comparison import Comparison
from .given import LAST, counted, given, names_of, recorded, taken
from .home import as_it_is_now, state_at, state_before
from .row import Compared
from .scoring import scored, scorers

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ..history import Versions
    from ..run import Run
    from ..session import Session
    from .scoring import Scorers

T = TypeVar("T")

#: What compare() takes.
OPTIONS = ("inputs", "last", "model", "score", "limit")


def compare(
    workflow: Workflow, inputs: Any, *, last: int | None, model: Any, score: Any, limit: int, **others: Any
) -> Comparison:
    """Compare what was recorded with what comes now; see `Workflow.compare`."""
    for name in others:
        listed = f"; it takes {', '.join(OPTIONS)}"
        raise BadSetting(f"compare() knows no {name}={did_you_mean(name, OPTIONS) or listed}")
    if inputs is not None and last is not None:
        raise BadSetting("compare() was given inputs and last=; give one of the two")
    counted("limit", limit, "how many are run at once")
    scoring, now = scorers(score), as_it_is_now(workflow)
    chosen = given(workflow, inputs) if inputs is not None else recorded(workflow, LAST if last is None else last)
    if not chosen:
        raise BadSetting("there is nothing to compare: the inputs that were given are empty")
    if model is not None:
        check_model(scratch(now, workflow.session_id, {}, workflow.session.steps), model)
    trials = Trials(workflow, now, model, scoring)
    came = each(chosen, trials.tried, limit=limit, stop=trials.stop)
    rows = [
        one if isinstance(one, Compared) else Compared(row, old, error=None if one is None else _told(one))
        for (row, old), one in zip(chosen, came, strict=True)
    ]
    what = "given inputs" if inputs is not None else "the inputs of recorded runs"
    return Comparison(tuple(rows), workflow.name or "", what, tuple(scoring))


def each(
    inputs: Sequence[Any], do: Callable[[Any], T], *, limit: int, stop: Callable[[], object]
) -> list[T | BaseException | None]:
    """Do something with each, so many at once; return what came of each in order: its error where it failed.

    None is what was not come to, as somebody interrupted; `stop` ends what goes on then.
    """
    came: list[T | BaseException | None] = [None] * len(inputs)

    def one(place: int) -> None:
        try:
            came[place] = do(inputs[place])
        except Exception as error:  # noqa: BLE001 - it is told in its row
            came[place] = error

    try:
        parallel(*(partial(one, place) for place in range(len(inputs))), limit=limit, on_error="keep")
    except (KeyboardInterrupt, RunCancelled):
        stop()
    return came


class Trials:
    """Runs a workflow over one input after the other, each in a scratch session of its own."""

    def __init__(self, workflow: Workflow, now: Workflow, model: Any, scoring: Scorers) -> None:
        self._workflow, self._now, self._model, self._scoring = workflow, now, model, scoring
        self._sessions: dict[str, tuple[Session, Versions | None]] = {}
        self._going_on: set[Workflow] = set()
        self._takes = names_of(now)
        self._lock = threading.Lock()
        self._stopped = False

    def stop(self) -> None:
        """End the runs that go on."""
        with self._lock:
            self._stopped = True
            going_on = list(self._going_on)
        for twin in going_on:
            twin.stop()

    def tried(self, one: tuple[dict[str, Any], Run | None]) -> Compared:
        """Run one input, and score what came."""
        inputs, old = one
        twin = self._twin(old)
        with self._lock:
            if self._stopped:
                return Compared(inputs, old)
            self._going_on.add(twin)
        try:
            new = ran(twin, taken(inputs, self._takes) if old is None or inputs is not old.inputs else inputs)
        finally:
            with self._lock:
                self._going_on.discard(twin)
        return self._scored(Compared(inputs, old, new))

    def _twin(self, old: Run | None) -> Workflow:
        """Return a copy of the workflow in a session as it was when the recorded run began; as it is now, where there is none."""
        with self._lock:
            session, versions = self._session(self._workflow.session_id if old is None else old.session_id)
            if old is None or versions is None:
                state = state_at(session, None)
            else:
                state = state_before(session, versions, old, self._workflow.session.initial)
            twin = scratch(self._now, session.session_id, state, session.steps)
        twin.cache, twin.cache_limit = "use", None
        if self._model is not None:
            with_model(twin, self._model)
        return twin

    def _session(self, session_id: str) -> tuple[Session, Versions | None]:
        """Return a session, and its versions; each is read once."""
        if session_id not in self._sessions:
            session, storage = self._workflow.session, self._workflow.storage
            if session_id != self._workflow.session_id:
                assert storage is not None  # a run of another session came from there
                session = storage.session(session_id)
            self._sessions[session_id] = session, None if storage is None else session.versions()
        return self._sessions[session_id]

    def _scored(self, row: Compared) -> Compared:
        """Return a row with its scores; of two equal texts the score is asked once, as it is one answer."""
        scores, unscored = {}, {}
        for name, function in self._scoring.items():
            pair: list[float | None] = []
            for run, text in zip((row.old, row.new), row.texts, strict=True):
                value = None
                if pair and pair[0] is not None and row.texts[0] == row.texts[1]:
                    value = pair[0]
                elif run is not None and run.status == "completed":
                    try:
                        value = scored(function, run, text or "", row.inputs)
                    except Exception as error:  # noqa: BLE001 - the user's own; it is told in the row
                        unscored[name] = _told(error)
                pair.append(value)
            scores[name] = pair[0], pair[1]
        return replace(row, scores=scores, unscored=unscored)


def ran(workflow: Workflow, inputs: dict[str, Any]) -> Run:
    """Run a workflow to its end; return the record of that, also where it failed."""
    begun = workflow.last_run
    try:
        is_async = type(workflow).run is Workflow.run
        value = background.call(_awaited(workflow.arun(**inputs))) if is_async else workflow.run(**inputs)
        if hasattr(value, "result") and hasattr(value, "responses"):
            value.result()
        elif hasattr(value, "__await__"):
            background.call(_awaited(value))
    except Exception:
        if (failed := workflow.last_run) is None or failed is begun:
            raise  # it never began
    record = workflow.last_run
    assert record is not None
    return record


async def _awaited(value: Any) -> Any:
    return await value


def check_model(twin: Workflow, model: Any) -> None:
    """Refuse a model that no agent of a copy takes, or that nobody knows: before it fails each row."""
    from ..agents import Agent
    from ..agents.resolve import resolve

    with_model(twin, model)
    if any(isinstance(agent, Agent) for agent in agents_in(twin)):
        resolve(model)


def with_model(twin: Workflow, model: Any) -> None:
    """Give another model to the agents of a copy. Raises BadSetting where it has none that takes one."""
    agents = [agent for agent in agents_in(twin) if "model" in vars(agent)]
    if not agents:
        raise BadSetting(
            f"{type(twin).__name__} has no agent among its attributes that takes another model;"
            " make model= an input of run(), and compare inputs that have it"
        )
    for agent in agents:
        agent.model = model


def _told(error: BaseException) -> str:
    return brief(f"{type(error).__name__}: {error}")
