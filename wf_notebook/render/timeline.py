"""The timeline of a run: what its agents, tools and branches did, and when."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, NamedTuple

from ..events import RunEvent
from ..log import span_of
from ..readable import brief
from ..run import way_up
from .bars import timeline_svg, timeline_text

if TYPE_CHECKING:
    from collections.abc import Iterable

    import pandas as pd

    from ..log import Event
    from ..run import Run

_BEGINS = {RunEvent.run_started.value, RunEvent.tool_call_started.value, "StepStarted"}
_TOOLS = {RunEvent.tool_call_started.value, RunEvent.tool_call_completed.value}
_SHOWN = {"agent", "tool", "branch", "step"}


class Bar(NamedTuple):
    """What took its time in a run; times are in seconds from the run's beginning."""

    #: "agent", "tool", "branch" or "step".
    what: str
    name: str
    lane: str | None
    start: float
    end: float
    #: "completed", "failed", "stopped", or "running" while it goes on.
    status: str


class Timeline(tuple[Bar, ...]):
    """The bars of a run, lane by lane, in the order in which they began; shown as bars, and a dataframe to who asks for one.

    >>> Timeline([Bar("agent", "writer", None, 0.0, 2.0, "completed"), Bar("tool", "search", None, 0.5, 1.0, "failed")])
    agent  writer    ████████████████████████████████  0.00–2.00 s  ✓ completed
    tool     search  ········████████                  0.50–1.00 s  ✗ failed
    """

    __slots__ = ()

    def df(self) -> pd.DataFrame:
        """Return it as a DataFrame of pandas, a row for each bar."""
        frame: pd.DataFrame = way_up("Timeline.df")(self)
        return frame

    @property
    def seconds(self) -> float:
        """Where the last bar ends."""
        return max((bar.end for bar in self), default=0.0)

    def __repr__(self) -> str:
        return timeline_text(self) or "no agent, tool or branch was at work"

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, str]:
        # No text/html: where a notebook is not trusted that would lose the drawing, and the text is what is shown then.
        return {"image/svg+xml": timeline_svg(self), "text/plain": repr(self)} if self else {"text/plain": repr(self)}

    @property
    def summary(self) -> str:
        """What it shows, in a few words."""
        counts = Counter(bar.what for bar in self)
        plural = {"branch": "branches"}
        told = [f"{n} {what if n == 1 else plural.get(what, what + 's')}" for what, n in counts.items()]
        return ", ".join([*told, f"{self.seconds:.1f} s"])


def timeline(run: Run) -> Timeline:
    """Return the timeline of a run, live or from a store."""
    events = run.told.events() if run.told is not None else ()
    bars = _bars(run, events)
    lanes: dict[str | None, float] = {}
    for bar in bars:
        lanes[bar.lane] = min(lanes.get(bar.lane, bar.start), bar.start)
    return Timeline(sorted(bars, key=lambda bar: (lanes[bar.lane] if bar.lane else bar.start, bar.lane or "", bar.start)))


def _bars(run: Run, events: Iterable[Event]) -> list[Bar]:
    """Put beginnings and ends together."""
    bars: list[Bar] = []
    begun: dict[tuple[Any, ...], int] = {}
    latest = 0.0
    for event in events:
        latest = at = max(latest, (event.happened_at - run.started_at).total_seconds(), 0.0)
        for what, key, name, status in _spans(event):
            if event.event in _BEGINS:
                begun[key] = len(bars)
                bars.append(Bar(what, name, event.lane, at, at, "running"))
            elif key in begun:
                place = begun.pop(key)
                bars[place] = bars[place]._replace(end=at, status=status)
            elif what == "step":  # it came from the store
                bars.append(Bar(what, name, event.lane, at, at, status))
            elif what == "branch":  # noted once, when it is over
                bars.append(Bar(what, name, event.lane, max(0.0, at - event.data.get("seconds", 0.0)), at, status))
    over = run.duration if run.duration is not None else latest
    status = "running" if run.status == "running" else "stopped"
    for place in begun.values():
        bars[place] = bars[place]._replace(end=max(over, bars[place].start), status=status)
    return bars


def _spans(event: Event) -> Iterable[tuple[str, tuple[Any, ...], str, str]]:
    """Return what begins or ends in an event: what it is, what tells it from others, its name and how it ended."""
    if event.event in _TOOLS:
        for call in event.data if isinstance(event.data, list) else ():
            if isinstance(call, dict):
                name = brief(str(call.get("tool_name") or "tool"))
                key = ("tool", event.agent, event.lane, name, call.get("tool_call_id"))
                yield "tool", key, name, "failed" if call.get("tool_call_error") else "completed"
    elif (what := span_of(event.data)) in _SHOWN:
        data = event.data
        if what == "step" and data.get("kind", "step") != "step":  # agents and tools tell of themselves
            return
        name = data.get("name") or (event.lane if what == "branch" else event.agent) or what
        yield str(what), (what, data.get("id"), event.lane), brief(str(name)), data.get("status") or "completed"
