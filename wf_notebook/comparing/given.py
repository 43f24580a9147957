"""Which inputs are compared, and which recorded run each is compared with."""

from __future__ import annotations

import inspect
import json
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from ..errors import BadSetting
from ..frames.records import columns_of
from ..given import checked
from ..inputs import Inputs
from ..readable import as_json
from ..storage.runs import last_runs, runs_with
from ..tabular import columns

if TYPE_CHECKING:
    from ..run import Run
    from ..workflow import Workflow

#: So many runs are compared where nobody says how many.
LAST = 50
_WAYS = "give a dataframe, a Table, a list of dicts, or of values for the one input of run()"

Given = list[tuple[dict[str, Any], "Run | None"]]


def recorded(workflow: Workflow, last: int) -> Given:
    """Return the inputs of the last runs, each with the newest run of it. Raises BadSetting where no run is kept."""
    checked("last", last, (int,), "how many runs, a number from 1 on")
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
    """Return what was given as inputs of run(), each with the newest recorded run of it; checked before anything runs."""
    signature, takes = signature_of(workflow), names_of(workflow)
    rows = {_key(row): row for row in _rows(inputs, takes)}
    bound = {
        key: as_json(Inputs(signature).bound((), taken(row, takes), name=type(workflow).__name__)) for key, row in rows.items()
    }
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


def _rows(inputs: Any, takes: tuple[str, ...] | None) -> list[dict[str, Any]]:
    if isinstance(inputs, (str, bytes, Mapping)):
        raise BadSetting(f"compare() was given one {type(inputs).__name__}; {_WAYS}")
    if columns(inputs) is not None:
        found = columns_of(inputs)
        return [
            dict(zip([each.name for each in found], row, strict=True))
            for row in zip(*(each.cells for each in found), strict=True)
        ]
    if not isinstance(inputs, Iterable):
        raise BadSetting(f"compare() was given a value of type {type(inputs).__name__!r}; {_WAYS}")
    rows = list(inputs)
    if all(isinstance(row, Mapping) for row in rows):
        return [{str(name): value for name, value in row.items()} for row in rows]
    if takes is None or len(takes) == 0 or any(isinstance(row, Mapping) for row in rows):
        raise BadSetting(f"some of what compare() was given are no dicts; {_WAYS}")
    return [{takes[0]: row} for row in rows]


def _key(inputs: Mapping[str, Any]) -> str:
    """Return what tells inputs from others, in whatever order they are."""
    return json.dumps(json.loads(as_json(dict(inputs))), sort_keys=True)
