"""The run that this code belongs to: its ids, its cancel token, its usage, in one ContextVar; and the record it leaves."""

from __future__ import annotations

import logging
import sys
import threading
from contextvars import ContextVar
from dataclasses import dataclass, field
from importlib import import_module
from typing import TYPE_CHECKING, Any, Literal, Protocol, Self

from .budget import Budget
from .cancel import CancelToken

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Sequence
    from datetime import datetime
    from pathlib import Path

    from .log import Event, Log


class _Stderr(logging.Handler):
    """Writes to the stderr of the moment: a notebook's cell, a terminal, a test."""

    def emit(self, record: logging.LogRecord) -> None:
        if sys.stderr is not None:  # at the very end of a process
            sys.stderr.write(f"{record.levelname:<8} {self.format(record)}\n")


def _logger() -> logging.Logger:
    ours = logging.getLogger("wf_notebook")
    if not ours.handlers:
        ours.addHandler(_Stderr())
        ours.setLevel(logging.INFO)
        ours.propagate = False
    return ours


logger = _logger()

#: Methods of a lower room that show, export or adapt, and the higher room that does it. The only doors that open upwards.
WAYS_UP: dict[str, str] = {
    "RunStream._ipython_display_": "wf_notebook.notebook.live:display_stream",
    "Merged._ipython_display_": "wf_notebook.notebook.live:display_loose",
    "AgentStream._ipython_display_": "wf_notebook.notebook.live:display_loose",
    "FunctionStream._ipython_display_": "wf_notebook.notebook.live:display_loose",
    "Offering.plan": "wf_notebook.planning:plan",
    "Offering.compare": "wf_notebook.comparing:compare",
    "Offering.map": "wf_notebook.sweep:mapped",
    "Offering.form": "wf_notebook.notebook.form:form",
    "Offering.inspect": "wf_notebook.inspection:inspect_workflow",
    "Inspector.__repr__": "wf_notebook.inspection.static:static_text",
    "Inspector._repr_mimebundle_": "wf_notebook.inspection.static:static_bundle",
    "Inspector._ipython_display_": "wf_notebook.notebook.inspecting:display",
    "RunResponse._repr_mimebundle_": "wf_notebook.render:response_bundle",
    "Run._repr_mimebundle_": "wf_notebook.render:run_bundle",
    "Run.to_html": "wf_notebook.render.player:to_html",
    "Run.show": "wf_notebook.render:show",
    "Run.timeline": "wf_notebook.render:timeline",
    "Run.why": "wf_notebook.frames.steps:why",
    "Run.step": "wf_notebook.comparing:step_of",
    "Remembers.takes": "wf_notebook.frames.steps:takes",
    "Timeline.df": "wf_notebook.frames:timeline_frame",
    "Exported.to_notebook": "wf_notebook.ipynb.exporting:to_notebook",
    "show": "wf_notebook.notebook.views:publish_run",
    "adapt": "wf_notebook.agents.adapters:adapt",
    "Standing.table": "wf_notebook.frames.sweeps:sweep_table",
    "Results.table": "wf_notebook.frames.sweeps:results_table",
    "Sweep.result": "wf_notebook.swept.watched:watched",
    "Standing.df": "wf_notebook.frames.sweeps:sweep_frame",
    "Standing._ipython_display_": "wf_notebook.notebook.sweeping:display_sweep",
    "Diff._repr_html_": "wf_notebook.frames:diff_html",
    "Diff.df": "wf_notebook.frames:diff_frame",
    "Versions.__repr__": "wf_notebook.frames:versions_text",
    "Versions._repr_html_": "wf_notebook.frames:versions_html",
    "Versions.df": "wf_notebook.frames:versions_frame",
    "Tables.sessions": "wf_notebook.frames:sessions",
    "Tables.runs": "wf_notebook.frames:runs",
    "Tables.events": "wf_notebook.frames:events",
    "Tables.state": "wf_notebook.frames:state",
    "Tables.sql": "wf_notebook.frames:sql",
    "Elsewhere.copy": "wf_notebook.frames:copied",
    "adapted": "wf_notebook.agents.adapters:adapted",
    "pprint_run_response": "wf_notebook.notebook.live:printed",
}


def way_up(name: str) -> Callable[..., Any]:
    """Return the function of a higher room that does what the method `name` promises."""
    module, _, function = WAYS_UP[name].partition(":")
    way: Callable[..., Any] = getattr(import_module(module), function)
    return way


Status = Literal["running", "completed", "failed", "stopped", "lost"]


@dataclass(slots=True)
class Usage:
    """What the agents of a run used so far: tokens as counts, cost in US dollars (None while no price is known)."""

    requests: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    cost: float | None = None
    models: set[str] = field(default_factory=set)
    #: What may be spent, where that is limited.
    budget: Budget | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False, compare=False)

    def add(self, *, model: str | None, requests: int, input_tokens: int, output_tokens: int, cost: float | None = None) -> None:
        """Count one agent call."""
        with self._lock:
            self.requests += requests
            self.input_tokens += input_tokens
            self.output_tokens += output_tokens
            if cost is not None:
                self.cost = (self.cost or 0.0) + cost
            self.models |= {model} if model else set()
        if self.budget is not None:
            self.budget.count(tokens=input_tokens + output_tokens, cost=cost, model=model)
        for meter in meters.get() if self not in meters.get() else ():
            meter.add(model=model, requests=requests, input_tokens=input_tokens, output_tokens=output_tokens, cost=cost)

    def recall(self, used: Usage) -> None:
        """Count what was used when it was made, and costs nothing now."""
        for usage in (self, *meters.get()):
            with usage._lock:  # noqa: SLF001 - of its own kind
                usage.requests += used.requests
                usage.input_tokens += used.input_tokens
                usage.output_tokens += used.output_tokens
                usage.cost = usage.cost if used.cost is None else (usage.cost or 0.0) + used.cost
                usage.models |= used.models

    @property
    def total_tokens(self) -> int:
        """Input and output tokens together."""
        return self.input_tokens + self.output_tokens


#: What counts beside the run what is used here: each step that this code is inside of.
meters: ContextVar[tuple[Usage, ...]] = ContextVar("wf_notebook_meters", default=())


class Remembering(Protocol):
    """What a run remembers of the steps that were done before."""

    @property
    def mode(self) -> str:
        """How it deals with them: use, refresh, only or off."""


@dataclass(slots=True, eq=False, weakref_slot=True)
class RunContext:
    """What code inside run() can know of its run."""

    run_id: str
    session_id: str
    workflow_id: str
    #: The Workflow whose run this is: `super().run()` belongs to the same run.
    workflow: object
    cancel: CancelToken = field(default_factory=CancelToken)
    usage: Usage = field(default_factory=Usage)
    lane: str | None = None
    #: Whether the run leaves no record and no events in the store, and what it changed in the state bears no run's id.
    private: bool = False
    #: Where it is noted what agents, tools and branches do.
    log: Log | None = None
    #: What is remembered of steps; None where the run asks for none.
    cache: Remembering | None = None

    def note(self, event: str, data: Any, agent: str | None = None) -> None:
        """Note what happens now in the run, in the lane of this code."""
        if self.log is not None:
            self.log.note(event, data, agent=agent, lane=self.lane)

    def limit(self, max_tokens: int | None, max_cost: float | None) -> None:
        """Give the run a budget; what it spends counts for the run that it is made in, too."""
        outer = current.get()
        within = outer.usage.budget if outer is not None else None
        if max_tokens is not None or max_cost is not None or within is not None:
            self.usage.budget = Budget(max_tokens=max_tokens, max_cost=max_cost, stop=self.cancel.cancel, within=within)

    def overspent(self) -> str | None:
        """Return why the run's own budget is spent; None while it is not, or where there is none."""
        return self.usage.budget.overspent() if self.usage.budget is not None else None


current: ContextVar[RunContext | None] = ContextVar("wf_notebook_run", default=None)


class Told(Protocol):
    """What a run said, and what happened in it: from memory or from a store; `url` is the address of that."""

    url: str | None

    def responses(self) -> Sequence[Any]:
        """Return what was said, as far as it was kept."""

    def events(self) -> Sequence[Event]:
        """Return what happened, in order."""

    def moments(self) -> Sequence[tuple[datetime, Any]]:
        """Return what was said, each thing with the moment when it was begun; empty where only the order is known."""

    def changes(self) -> Sequence[tuple[datetime, str, str]]:
        """Return what changed in the state and when: the key, and set, append, put or delete; empty where that is not known."""

    def other(self, run_id: str) -> Run | None:
        """Return another run of the same store; None where that is not known."""

    def workflow(self) -> Any:
        """Return the workflow whose run it was, None where that is not here any more."""

    def storage(self) -> Any:
        """Return where the run is kept, None where it is not."""


class _Shown:
    """What a record is shown by, and no part of it: copied, compared and kept it is without."""

    __slots__ = ("_told", "_whole")

    def told_by(self, told: Told | None, *, whole: bool = False) -> Self:
        """Say, of a record that was just made, who tells more of its run, and whether it is shown in full."""
        object.__setattr__(self, "_told", told)
        object.__setattr__(self, "_whole", whole)
        return self

    @property
    def told(self) -> Told | None:
        """Who tells what the run said, None if nobody does."""
        return getattr(self, "_told", None)

    @property
    def whole(self) -> bool:
        """Whether it is shown in full, however long it is."""
        return getattr(self, "_whole", False)


@dataclass(frozen=True, slots=True)
class Run(_Shown):
    """The record of one run: what was asked, how it ended, what it used and changed.

    `duration` is in seconds, `cost` in US dollars (None when no price is known), times are UTC.
    `changes` maps the top-level keys of session_state that the run changed to what it did: set, append, put or delete.
    """

    run_id: str
    session_id: str
    workflow: str
    status: Status
    inputs: dict[str, Any]
    started_at: datetime
    workflow_id: str | None = None
    ended_at: datetime | None = None
    duration: float | None = None
    content: str | None = None
    error: str | None = None
    models: tuple[str, ...] = ()
    input_tokens: int = 0
    output_tokens: int = 0
    cost: float | None = None
    changes: dict[str, str] = field(default_factory=dict)

    def show(self) -> None:
        """Show the run in full, now: in a notebook or a terminal."""
        way_up("Run.show")(self)

    def to_html(self, path: str | os.PathLike[str]) -> Path:
        """Write the run as one file in which it plays again, offline: its lanes stream, and its state changes beside them.

        Returns the path. Nothing in the file fetches anything, and nothing that was said runs in it.
        """
        written: Path = way_up("Run.to_html")(self, path)
        return written

    def why(self) -> Any:
        """Return a table of its steps: which came from the store, which were done, and what had changed for that."""
        return way_up("Run.why")(self)

    def step(self, name: str, nth: int = 1, *, kind: str | None = None) -> Any:
        """Return a step of it as it is remembered; `.again(instructions=…, model=…)` of that asks once more, and compares.

        `name` is that of a `@step` function, of an agent or the attribute that holds it, or of a tool. `nth` counts those of a
        name in the order in which they began. `kind` is step, agent, request (to a model, inside of an agent's call) or tool;
        left out, requests are passed over. Raises UnknownStep, which lists the steps that there are.
        """
        return way_up("Run.step")(self, name, nth, kind)

    def timeline(self) -> Any:
        """Return what its agents, tools and branches did, and when: rows, `.df()`, and shown as bars."""
        return way_up("Run.timeline")(self)

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, str]:
        bundle: dict[str, str] = way_up("Run._repr_mimebundle_")(self)
        return bundle
