"""%wf plan, what a run would do; and %wf replay, a run as it was: neither asks a model."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..errors import BadArguments
from ..ipynb.line import read_line
from ..ipynb.workflows import find, missing, needs
from ..verbs.looking import run_id
from .remains import freeze
from .stopping import Stop
from .views import view

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..events import RunResponse
    from ..planning import Plan
    from ..run import Run
    from ..verbs.asked import Asked

#: Between two things that were said a replay waits as long as it took then, but no longer than this, in seconds.
LONGEST = 1.0


def line(rest: str) -> tuple[str, str]:
    """Take the line as it is: a name and inputs in Python, as %workflow has them."""
    return rest, ""


def plan(asked: Asked) -> Plan:
    """Return what a run would do."""
    read = read_line(asked.text)
    if read.name is None:
        raise BadArguments('write the name of a workflow and its inputs: %wf plan blog topic="cheese"')
    cls, name, workflow = find(asked.namespace, read.name)
    if workflow is None:
        raise BadArguments(f"{name!r} was not made yet, so nothing is remembered; run it once: %workflow {name}")
    inputs = read.inputs(asked.namespace)
    if absent := missing(cls, inputs, name):
        raise needs(cls, name, absent)
    planned: Plan = workflow.plan(**inputs)
    return planned


def replay(asked: Asked) -> None:
    """Play a run again, at the pace at which it was said."""
    run = asked.storage().run(run_id(asked))
    shown = view(run.workflow, run.session_id, lambda: run)
    try:
        with Stop(lambda: None, said=lambda: "the replay was stopped") as stop:
            shown.can_stop(stop.press)
            for pause, response in _paced(run):
                if pause and stop.wait(pause):
                    break
                shown.add(response)
    finally:
        freeze(shown, run, run.told.responses() if run.told is not None else ())


def _paced(run: Run) -> Iterator[tuple[float, RunResponse]]:
    """Yield what was said, word by word, each with the time to wait before it."""
    moments: Any = run.told.moments() if run.told is not None else ()
    before = run.started_at
    for at, response in moments:
        gap, before = min(LONGEST, max(0.0, (at - before).total_seconds())), at
        if not isinstance(response.content, str):
            yield gap, response
            continue
        words = response.content.split(" ")
        for number, word in enumerate(words):
            text = word if number == len(words) - 1 else f"{word} "
            yield (gap if number == 0 else 0.01), response.stamped({"content": text})
