"""A step of a run as it is remembered: what was asked, what came, and the way to ask once more."""

from __future__ import annotations

import ast
from collections import Counter
from dataclasses import dataclass, field
from datetime import timedelta
from html import escape
from typing import TYPE_CHECKING, Any

from ..agents.prompt import as_read
from ..errors import BadSetting, UnknownStep
from ..frames.differing import NOTHING, as_text
from ..frames.html import EDGE, QUIET, folded
from ..frames.steps import steps_of
from ..nearest import did_you_mean
from ..readable import brief
from ..redact import redact
from .again import indented, used
from .asking import do_again
from .home import session_of, workflow_of
from .remembered import Recorded

if TYPE_CHECKING:
    from datetime import datetime

    from ..done import Done
    from ..run import Run
    from .again import Again

#: The kinds of steps, in the order in which a name is looked for; requests are asked for by their kind.
KINDS = ("step", "agent", "tool", "request")
#: What is no news of a step: code, and versions of packages.
_ASKED = {"argument", "default", "state", "attribute", "file"}
#: What is told at the head of a step.
_AT_THE_HEAD = {"agent": {"model"}, "request": {"model"}}
#: What is said of an agent's call only where it is something.
_NOTHING = {"None", "[]", "[{}, None]", "[{}, False]", "{}", "('text', [], None)"}


@dataclass(frozen=True, slots=True)
class Step:
    """A step of a run as it is remembered: `asked` is what it was given, by name, as it looks; `came` what it gave.

    Seconds are of the step by itself, tokens counts, cost in US dollars (None when no price is known), `made_at` is in UTC.
    """

    name: str
    kind: str
    run_id: str
    asked: dict[str, str]
    came: Any
    model: str | None
    made_at: datetime
    seconds: float
    tokens: int
    cost: float | None
    _recorded: Recorded = field(repr=False, compare=False)

    def again(self, **others: Any) -> Again:
        """Do it once more with what is recorded, or with something else, and return both answers side by side.

        Of an agent and of a request: `instructions`, `message`, `model`, `tools`, `response_model`, and any other name is a
        setting of the request (`temperature=0`). Of a `@step` function and of a tool: its arguments; the code is that of now.

        It is apart from the session: what it changes is a copy's, and no step, run or event of it is kept. Limits of models
        hold, and a budget of the workflow is that of the one call. What is inside of a function is done anew, too.

        Raises BadSetting where what is recorded is not enough, and what the step itself raises.
        """
        for name in ("images", "files") if self.kind in {"agent", "request"} else ():
            if name in others:
                raise BadSetting(
                    f"{name} go along as they were; write again(message=…) for another text, or ask the agent itself"
                )
        return do_again(self._recorded, others)

    def _head(self) -> str:
        return f"{self.kind} {self.name!r} · {used(self.model, self.tokens, self.cost, self.seconds)}"

    def _read(self) -> list[tuple[str, str]]:
        """Return what it was given as people read it."""
        return [(name, as_read(shown) if name == "instructions" else shown) for name, shown in self.asked.items()]

    def __repr__(self) -> str:
        lines = [self._head(), *(f"  {name}: {brief(shown)}" for name, shown in self._read())]
        return "\n".join([*lines, "gave", *indented(as_text(self.came))])

    def _repr_html_(self) -> str:
        rows = [(name, shown, brief(shown)) for name, shown in self._read()]
        rows.append(("gave", as_text(self.came), brief(as_text(self.came))))
        cells = "".join(
            f'<tr><td style="{EDGE}; color: {QUIET}; text-align: left">{escape(name)}</td>'
            f'<td style="{EDGE}; text-align: left">{folded(value, line, code=False) or NOTHING}</td></tr>'
            for name, value, line in rows
        )
        table = f'<table style="border-collapse: collapse; font-size: 92%">{cells}</table>'
        return f'<div class="wf-step"><strong>{escape(redact(self._head()))}</strong>{table}</div>'


def step_of(run: Run, name: str, nth: int = 1, kind: str | None = None) -> Step:
    """Return a step of a run; see `Run.step`."""
    if kind is not None and kind not in KINDS:
        raise BadSetting(
            f"kind={kind!r} is no kind of step{did_you_mean(str(kind), KINDS) or '; write one of ' + ', '.join(KINDS)}"
        )
    every = remembered(run)
    names = {name, *_of_attribute(run, name)}
    found = [one for one in every if one.done.name in names and (kind is None or one.done.kind == kind)]
    if kind is None:
        found = [one for one in found if one.done.kind != "request"] or found
    if not found:
        raise UnknownStep(f"run {run.run_id[:8]!r} remembers no {kind or 'step'} {name!r}{_listed(name, every)}")
    if type(nth) is not int or not 1 <= nth <= len(found):
        raise UnknownStep(f"run {run.run_id[:8]!r} did {name!r} {_times(len(found))}; nth={nth!r} is none of them")
    one = found[nth - 1]
    done = one.done
    asked = {
        part.name: redact(_looks(part.shown))
        for part in one.parts
        if part.what in _ASKED and part.shown not in _NOTHING and part.name not in _AT_THE_HEAD.get(done.kind, ())
    }
    tokens = done.input_tokens + done.output_tokens
    about = done.name, done.kind, run.run_id, asked, one.came(), one.model(), done.made_at, done.seconds, tokens, done.cost
    return Step(*about, one)


def _looks(shown: str) -> str:
    """Return a text as it reads, and anything else as it prints."""
    try:
        value = ast.literal_eval(shown)
    except (ValueError, SyntaxError, RecursionError):
        return shown
    return value if isinstance(value, str) else shown


def remembered(run: Run) -> list[Recorded]:
    """Return the steps of a run that are remembered, in the order in which they began; with what was inside of those."""
    session = session_of(run)
    session.steps.catch_up()
    known = {done.step_id: done for done in session.steps.all()}
    told = [data for data in steps_of(run) if data.get("step_id") in known]
    calls = {data["id"]: known[data["step_id"]] for data in told if data["kind"] == "agent"}
    found: list[Recorded] = []
    counts: Counter[str] = Counter()
    for data in told:
        done, outer = known[data["step_id"]], calls.get(data.get("within"))
        if done.kind == "request" and outer is not None:
            found.append(Recorded(run, session, done, outer, counts[outer.step_id]))
            counts[outer.step_id] += 1
        else:
            found.append(Recorded(run, session, done))
        if data["hit"]:
            found += _inside(run, session, done, list(known.values()))
    return list({one.done.step_id: one for one in reversed(found)}.values())[::-1]


def _inside(run: Run, session: Any, outer: Done, every: list[Done]) -> list[Recorded]:
    """Return what was done inside of a step that came from the store, when it was done: in its run, its branch and its time."""
    until, lane = outer.made_at + timedelta(seconds=outer.seconds), outer.place.rpartition("#")[0]
    inner = [
        done
        for done in every
        if done.run_id == outer.run_id and done is not outer and outer.made_at <= done.made_at <= until
        if done.place.rpartition("#")[0] == lane
    ]
    found, number = [], 0
    for done in sorted(inner, key=lambda one: one.made_at):
        is_request = done.kind == "request" and outer.kind == "agent"
        found.append(Recorded(run, session, done, outer if is_request else None, number if is_request else 0))
        number += is_request
    return found


def _of_attribute(run: Run, name: str) -> list[str]:
    """Return the name of the agent that is this attribute of the workflow."""
    there = run.told.workflow() if run.told is not None else None
    given = getattr(getattr(there or workflow_of(run, name), name, None), "name", None)
    return [given] if isinstance(given, str) else []


def _listed(name: str, every: list[Recorded]) -> str:
    counts = Counter((one.done.name, one.done.kind) for one in every if one.done.kind != "request")
    if not counts:
        return "; it remembers none: run it with cache='use'"
    near = did_you_mean(name, [each for each, _ in counts])
    return near or "; it has " + ", ".join(
        f"{each} ({kind}{', ' + _times(count) if count > 1 else ''})" for (each, kind), count in counts.items()
    )


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count} times"
