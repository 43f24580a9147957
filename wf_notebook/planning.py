"""Before paying: what a run would do, as far as that can be told without doing it."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from inspect import isawaitable
from typing import TYPE_CHECKING, Any

from .cache import PLAN, Cache
from .errors import FirstMiss
from .inputs import Inputs
from .log import span_of
from .outcome import outcome
from .record import OpenRun
from .run import RunContext
from .session import Session
from .stream import RunStream

if TYPE_CHECKING:
    from inspect import Signature

    from .done import Done
    from .workflow import Workflow

#: Characters of a text that are one token, about.
_TOKEN = 4


@dataclass(frozen=True, slots=True)
class Plan:
    """What a run would do: the steps that come from the store, and the first one that would be done.

    `first` is None where all comes from the store. What follows the first is not known before that is done; `after` is what
    followed it the last time, with what that took: seconds, tokens, US dollars.
    """

    hits: tuple[str, ...]
    first: str | None = None
    kind: str | None = None
    why: str | None = None
    tokens: int | None = None
    last: Done | None = None
    after: tuple[Done, ...] = ()

    def __repr__(self) -> str:
        lines = [f"✓ {len(self.hits)} from the store: {', '.join(self.hits)}" if self.hits else "nothing comes from the store"]
        if self.first is None:
            return "\n".join([*lines, "nothing would be done, and nothing paid"])
        size = f", about {self.tokens:,} tokens to send" if self.tokens else ""
        lines.append(f"● first would be done: {self.kind} {self.first!r} ({self.why}){size}")
        if self.last is not None:
            lines.append(f"  it took {_spent([self.last])} the last time")
        if self.after:
            lines.append(
                f"  {len(self.after)} more followed it then: {', '.join(done.name for done in self.after)}; {_spent(self.after)}"
            )
        return "\n".join(lines)


def plan(workflow: Workflow, signature: Signature, method: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Plan:
    """Return what a run with these inputs would do. run() is played on a copy, up to the first step that is not remembered.

    Nothing is saved, and no step and no model is called; what run() does by itself, between its steps, it does.
    """
    inputs = Inputs(signature).bound(args, kwargs, name=type(workflow).__name__)
    workflow.session.load()
    scratch = _copy(workflow)
    context = RunContext("plan", workflow.session_id, "", scratch, private=True)
    run = OpenRun(context, scratch.session, workflow=workflow.name or "", inputs=inputs)
    assert context.log is not None
    cache = context.cache = Cache(scratch.session, PLAN)
    try:
        answer = outcome(run, lambda: method(scratch, *args, **kwargs))
        if isinstance(answer, RunStream):
            answer.result()
        elif isawaitable(answer):
            from . import background

            background.call(answer)  # type: ignore[arg-type] # it is a coroutine
    except FirstMiss:
        pass
    hits = [event.data for event in context.log.events() if span_of(event.data) == "step" and event.data.get("hit")]
    names = tuple(told["name"] for told in hits)
    if cache.missed is None:
        return Plan(names)
    first = cache.missed
    last = first["last"]
    tokens = first["size"] // _TOKEN if first.get("size") else None
    return Plan(
        names,
        first["name"],
        first["kind"],
        first["why"],
        tokens,
        last,
        _after(workflow, last, {told["step_id"] for told in hits}),
    )


def _after(workflow: Workflow, last: Done | None, hits: set[str]) -> tuple[Done, ...]:
    """Return what was done after a step in the same run, inner steps left out, and those that come from the store."""
    if last is None:
        return ()
    same = [done for done in workflow.session.steps.all() if done.run_id == last.run_id and done.made_at > last.made_at]
    return tuple(done for done in same if done.kind in {"step", "agent"} and done.step_id not in hits)


def _copy(workflow: Workflow) -> Workflow:
    """Return a workflow whose session is a copy that is kept nowhere, and whose agents have no part in this one's."""
    scratch = copy.copy(workflow)
    session = Session(workflow.session_id, state=copy.deepcopy(workflow.session_state))
    session.load()
    session.steps = workflow.session.steps
    scratch.__dict__["_session"], scratch.__dict__["storage"] = session, None
    for name, value in vars(workflow).items():
        if callable(getattr(type(value), "deep_copy", None)):
            scratch.__dict__[name] = copy.copy(value)
    return scratch


def _spent(steps: Any) -> str:
    seconds, tokens = sum(done.seconds for done in steps), sum(done.input_tokens + done.output_tokens for done in steps)
    cost = sum(done.cost or 0 for done in steps)
    return ", ".join([f"{seconds:.1f} s", *([f"{tokens:,} tokens"] if tokens else []), *([f"${cost:.4f}"] if cost else [])])
