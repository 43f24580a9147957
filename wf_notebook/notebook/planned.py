"""%wf plan, what a run would do; and %wf replay, a run as it was: neither asks a model."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..errors import BadArguments
from ..ipynb.line import read_line
from ..ipynb.workflows import find, missing, needs
from ..verbs.looking import run_id
from ..verbs.replaying import paced
from .remains import freeze
from .stopping import Stop
from .views import view

if TYPE_CHECKING:
    from ..planning import Plan
    from ..verbs.asked import Asked


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
            for pause, response in paced(run):
                if pause and stop.wait(pause):
                    break
                shown.add(response)
    finally:
        freeze(shown, run, run.told.responses() if run.told is not None else ())
