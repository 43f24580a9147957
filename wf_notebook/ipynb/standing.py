"""What can be continued: of each session how its last run stands, what a rerun has for nothing, and the line that goes on."""

from __future__ import annotations

from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from ..addresses import from_folder, portable
from ..errors import UnknownSession, WorkflowError
from ..frames import Column, Table, sessions
from ..log import span_of
from ..storage import open_storage
from ..transaction import sweep_of
from .calls import call
from .file import NotebookFile
from .report import sources, variable_of
from .workflows import named

if TYPE_CHECKING:
    import os
    from collections.abc import Iterable, Mapping, Sequence

    from ..frames.columns import Kind
    from ..run import Run
    from ..storage.sql import SqlStorage
    from ..workflow import Workflow

_COLUMNS: dict[str, Kind] = {
    "session_id": "text", "workflow": "text", "status": "status", "stopped_at": "text", "kept_steps": "integer", "state": "text",
    "goes_on": "text", "started_at": "timestamp", "run_id": "text", "storage": "text",
}  # fmt: skip
#: So many sessions of a store are told, where no notebook says which.
SESSIONS = 20
#: How a run stands that somebody may go on with.
_OPEN = ("failed", "stopped", "lost")


class Place(NamedTuple):
    """A session, and the address of its store."""

    session_id: str
    url: str


def status(
    notebook: str | os.PathLike[str] | None = None,
    *,
    storage: SqlStorage | None = None,
    workflows: Sequence[Workflow] = (),
    namespace: Mapping[str, Any] | None = None,
) -> Table:
    """Return a row for each session that a notebook knows: those of its outputs, and of its kernel's workflows.

    Args:
        notebook: The file; None where it is not known: then the newest sessions of the storage are told.
        storage: Where sessions lie of which the notebook does not say it; left out, the default storage.
        workflows: The workflows of the kernel: what is unsaved or in conflict there is told.
        namespace: Where they have their names.

    Raises BadNotebook for what is no notebook.
    """
    open_now = {each.storage.url: each.storage for each in workflows if each.storage is not None}
    if storage is not None:
        open_now[storage.url] = storage
    places = dict.fromkeys(Place(each.session_id, getattr(each.storage, "url", "")) for each in workflows)
    if notebook is not None:
        places |= dict.fromkeys(noted(Path(notebook)))
        title = f"sessions of {str(notebook)!r}"
    else:
        chosen: Any = storage or open_storage()
        open_now.setdefault(chosen.url, chosen)
        listed = (each for each in chosen.sessions()["session_id"] if sweep_of(each) is None)  # a sweep goes on as a whole
        places |= dict.fromkeys(Place(each, chosen.url) for each in islice(listed, SESSIONS))
        title = f"sessions in {chosen.url}"
    rows = []
    for place in places:
        live = [each for each in workflows if (each.session_id, getattr(each.storage, "url", "")) == place]
        where: Any = open_now.get(place.url) or (_opened(place.url) if place.url else None)
        rows.append(_row(place, where, live, namespace or {}))
    values = list(zip(*rows, strict=True)) or [()] * len(_COLUMNS)
    return Table([Column.of(name, cells, kind) for (name, kind), cells in zip(_COLUMNS.items(), values, strict=True)], title)


def noted(notebook: Path) -> list[Place]:
    """Return the sessions that the outputs of a notebook are of, each once, in the order in which they stand there."""
    outputs = [
        output
        for cell in NotebookFile.read(notebook).said["cells"]
        for output in cell.get("outputs") or ()
        if isinstance(output, dict)
    ]
    said = [metadata.get("wf_notebook") for output in outputs if isinstance(metadata := output.get("metadata"), dict)]
    found = [
        Place(each["session_id"], from_folder(each["storage"], notebook.parent))
        for each in said
        if isinstance(each, dict) and isinstance(each.get("session_id"), str) and isinstance(each.get("storage"), str)
    ]
    return list(dict.fromkeys(found))


def _opened(url: str) -> Any:
    try:
        return open_storage(url)
    except WorkflowError:
        return None


def _row(place: Place, storage: Any, live: Sequence[Workflow], namespace: Mapping[str, Any]) -> tuple[Any, ...]:
    """Return what is told of a session."""
    running = next((run for each in live if (run := each.last_run) is not None and run.status == "running"), None)
    address = portable(place.url, Path()) if place.url else None
    try:
        rows = [] if storage is None else list(storage.runs(place.session_id))
        last = running or (storage.run(rows[0]["run_id"]) if rows else next((each.last_run for each in live), None))
        state = _state(place.session_id, storage, live)
    except UnknownSession:
        rows, last, state = [], running, _unsaved(live) or "not there: never saved, deleted, or in another store"
    except WorkflowError as error:  # the store is busy, or broken
        return (place.session_id, None, None, None, None, f"{type(error).__name__}: {error}", None, None, None, address)
    if last is None:
        return (place.session_id, None, None, None, None, state, None, None, None, address)
    name = next((each for workflow in live if (each := named(workflow, dict(namespace)))), None)
    return (
        place.session_id, last.workflow, last.status, stopped_at(last), _kept(last, place.session_id, storage), state,
        _goes_on(last, place.session_id, storage, rows, name), last.started_at, last.run_id, address,
    )  # fmt: skip


def stopped_at(run: Run) -> str | None:
    """Return what a run was at when it ended before it was done, or is at while it goes on."""
    if run.status == "completed":
        return None
    there = [bar for bar in run.timeline() if bar.status != "completed"]
    if there:
        return f"{there[-1].what} {there[-1].name}"
    before = [bar for bar in run.timeline() if bar.status == "completed"]
    return f"after {before[-1].what} {before[-1].name}" if before else None


def _kept(run: Run, session_id: str, storage: Any) -> int | None:
    """Return how many finished steps of a run its session remembers: of one inside another the outer alone counts."""
    if storage is None:
        return None
    steps = storage.session(session_id).steps
    steps.catch_up()
    remembered = {done.step_id for done in steps.all()}
    events = [event.data for event in run.told.events() if span_of(event.data) == "step"] if run.told is not None else []
    kept = {each["id"] for each in events if each.get("status") == "completed" and each.get("step_id") in remembered}
    return sum(each["id"] in kept and each.get("within") not in kept for each in events if "status" in each)


def _state(session_id: str, storage: Any, live: Sequence[Workflow]) -> str | None:
    """Return what is not in the session's line: unsaved here, in a conflict, or in a branch that a conflict left."""
    branches = (
        [] if storage is None else [each for each in sessions(storage, branches=True)["session_id"] if _is_of(each, session_id)]
    )
    told = [_unsaved(live), *([f"a conflict left {', '.join(map(repr, branches[:3]))}"] if branches else [])]
    return "; ".join(filter(None, told)) or "saved"


def _is_of(branch: str, session_id: str) -> bool:
    return branch.rpartition("@")[0] == session_id


def _unsaved(live: Iterable[Workflow]) -> str | None:
    sessions_here = {id(each.session): each.session for each in live if each.session.loaded}.values()
    for session in sessions_here:
        if session.storage is None:
            return "in memory only"
        if session.unsaved:
            return "in conflict: %wf diff shows both sides" if session.conflict() else "unsaved: %wf save"
    return None


def _goes_on(run: Run, session_id: str, storage: Any, rows: Sequence[Mapping[str, Any]], name: str | None) -> str | None:
    """Return the line that goes on with a run: to stop it or wait, where it goes on by itself."""
    if run.status == "running":
        return f"%wf show {run.run_id[:8]}" + (f"; {name}.stop() ends it" if name else "")
    if run.status not in _OPEN:
        return None
    newest, ran = sources(storage, storage.session(session_id), rows) if storage is not None else ({}, {})
    program = ran.get(run.run_id) or newest.get(run.workflow)
    return call(name or variable_of(run.workflow, program), session_id, run.inputs, program).line
