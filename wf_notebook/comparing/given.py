"""Which inputs are compared, and which recorded run each is compared with."""

from __future__ import annotations

import inspect
import json
from typing import TYPE_CHECKING, Any

from ..errors import BadSetting
from ..given import checked
from ..inputs import Inputs
from ..readable import as_json
from ..storage.files import rows_of_file
from ..storage.runs import last_runs, runs_with
from ..sweep.kinds import Kinds
from ..sweep.rows import Takes, read_rows

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..run import Run
    from ..workflow import Workflow

#: So many runs are compared where nobody says how many.
LAST = 50

Given = list[tuple[dict[str, Any], "Run | None"]]


def recorded(workflow: Workflow, last: int) -> Given:
    """Return the inputs of the last runs, each with the newest run of it. Raises BadSetting where no run is kept."""
    counted("last", last, "how many runs are compared")
    if workflow.storage is None:
        raise BadSetting(f"{workflow.name} keeps no runs: give it a storage, or give the inputs: compare([{{…}}])")
    runs = [run for run in last_runs(workflow.storage, workflow.name or "", last, workflow.user_id) if run.status != "running"]
    if not runs:
        raise BadSetting(
            f"no run of {workflow.name} is in {workflow.storage.url}; run it first, or give the inputs: compare([{{…}}])"
        )
    newest: dict[str, Run] = {}
    for run in runs:
        newest.setdefault(_key(run.inputs), run)
    return [(run.inputs, run) for run in newest.values()]


def given(workflow: Workflow, inputs: Any) -> Given:
    """Return what was given as inputs of run(), each with the newest recorded run of it; it is read and checked as map() does."""
    signature, kinds = signature_of(workflow), Kinds(workflow.opening())
    takes = Takes(signature, {}, name=type(workflow).__name__, kinds=kinds)
    rows, bound = {}, {}
    for row, made in read_rows(inputs, takes, read=rows_of_file):
        key = _key(row)
        rows[key] = {**row, **made}
        bound[key] = as_json(Inputs(signature).bound((), made, name=type(workflow).__name__))
    runs: dict[str, Run] = {}
    if workflow.storage is not None:
        for run in runs_with(workflow.storage, workflow.name or "", sorted({*bound.values()}), workflow.user_id):
            if run.status != "running":
                runs.setdefault(as_json(run.inputs), run)
    return [(row, runs.get(bound[key])) for key, row in rows.items()]


def signature_of(workflow: Workflow) -> inspect.Signature:
    """Return the signature of run(), or of arun() where there is only that."""
    return inspect.signature(workflow.opening())


def names_of(workflow: Workflow) -> tuple[str, ...] | None:
    """Return the names of the inputs that run() takes, None where it takes any."""
    parameters = list(signature_of(workflow).parameters.values())[1:]
    if any(each.kind is each.VAR_KEYWORD for each in parameters):
        return None
    return tuple(each.name for each in parameters if each.kind in {each.POSITIONAL_OR_KEYWORD, each.KEYWORD_ONLY})


def taken(row: Mapping[str, Any], takes: tuple[str, ...] | None) -> dict[str, Any]:
    """Return of a row what run() takes."""
    return {name: value for name, value in row.items() if takes is None or name in takes}


def counted(name: str, value: int, what: str) -> int:
    """Return a number of things that a user gave; raise BadSetting for what is none.

    >>> counted("last", 0, "how many runs are compared")
    Traceback (most recent call last):
    wf_notebook.errors.BadSetting: last=0 is not how many runs are compared; give a whole number from 1 on
    """
    if checked(name, value, (int,), f"{what}, a whole number from 1 on") >= 1:
        return value
    raise BadSetting(f"{name}={value} is not {what}; give a whole number from 1 on")


def _key(inputs: Mapping[str, Any]) -> str:
    """Return what tells inputs from others, in whatever order they are."""
    return json.dumps(json.loads(as_json(dict(inputs))), sort_keys=True)
