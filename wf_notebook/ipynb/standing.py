"""What can be continued: of each session how its last run stands, what a rerun has for nothing, and the line that goes on."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..accounts import account_id, shown_account
from ..addresses import portable
from ..errors import UnknownSession, WorkflowError
from ..frames import Column, Table
from ..log import span_of
from ..storage import default_url_there, open_storage
from ..swept import Afar, far, is_sweep, stands
from ..transaction import stored_id
from ..users import user
from .calls import call, mapped_again
from .going import going_on
from .places import SWEEPS, Place, called, mapped, noted, stored
from .report import sources, variable_of
from .workflows import named

if TYPE_CHECKING:
    import os
    from collections.abc import Iterable, Mapping, Sequence

    from ..frames.columns import Kind
    from ..run import Run
    from ..storage.sql import SqlStorage
    from ..workflow import Workflow
    from .going import Going

_COLUMNS: dict[str, Kind] = {
    "session_id": "text", "workflow": "text", "status": "status", "stopped_at": "text", "kept_steps": "integer", "state": "text",
    "goes_on": "text", "said": "text", "process": "text", "started_at": "timestamp", "run_id": "text", "storage": "text",
}  # fmt: skip
#: So many sessions of a store are told, where no notebook says which.
SESSIONS = 20
#: Which of them a run is known by.
_RUN_ID = list(_COLUMNS).index("run_id")
#: How a run stands that somebody may go on with.
_OPEN = ("failed", "stopped", "lost")


def status(
    notebook: str | os.PathLike[str] | None = None,
    *,
    storage: SqlStorage | None = None,
    workflows: Sequence[Workflow] = (),
    namespace: Mapping[str, Any] | None = None,
) -> Table:
    """Return a row for each run that goes on, and for each session that a notebook knows: of its outputs and its workflows.

    Runs are those of all stores that it knows, in this process and in others: also what another notebook began is found again.

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
    calls: list[Place] = []
    places = dict.fromkeys(Place(each.session_id, getattr(each.storage, "url", "")) for each in workflows)
    if notebook is not None:
        places |= dict.fromkeys(noted(Path(notebook)))
        # What `wf run` did is in no output, and of sweeps their rows are told by what they are themselves.
        calls = called(Path(notebook))
        named_so = [*places, *noted(Path(notebook), "sweep"), *calls]
        sweeping = [each for place in named_so for each in _of_sweeps(place, _live(workflows, place))]
        for place in [*calls, *sweeping]:
            if place not in places and _is_there(place, open_now):
                places[place] = None
    else:
        chosen: Any = storage or open_storage()
        open_now.setdefault(chosen.url, chosen)
        places |= dict.fromkeys(stored(chosen, SESSIONS))
    for url in {place.url for place in [*places, *calls]} - open_now.keys():
        if url and (opened := _opened(url)) is not None:
            open_now[url] = opened
    # What goes on in the default storage is found again also where the notebook has no session yet.
    if (address := default_url_there()) and (usual := _opened(address)) is not None:
        open_now.setdefault(usual.url, usual)
    if notebook is not None:
        places |= dict.fromkeys(mapped(Path(notebook), open_now))
    rows, told, here = [], set(), set(places)
    known = {*places, *(sweep for place in places for sweep in _of_sweeps(place, _live(workflows, place)))}
    for one, url in _going(open_now):
        told.add(one.run.run_id)
        place = Place(one.run.session_id, url)
        here.add(place)
        rows.append(_row(place, open_now[url], workflows, namespace or {}, one))
    of_others = sum(place not in known for place in here)
    for place in places:
        if here.intersection(_of_sweeps(place, _live(workflows, place))) and not _is_there(place, open_now):
            continue  # it was mapped, and nothing else
        row = _row(place, open_now.get(place.url), workflows, namespace or {})
        if row[_RUN_ID] not in told:
            rows.append(row)
    if notebook is None:
        title = f"sessions in {chosen.url}"
    else:
        title = _title(notebook, len(rows) - of_others, of_others, _more(open_now, here | known))
    values = list(zip(*rows, strict=True)) or [()] * len(_COLUMNS)
    columns = [Column.of(name, cells, kind) for (name, kind), cells in zip(_COLUMNS.items(), values, strict=True)]
    return Table(columns, title, below="goes_on")


def _title(notebook: str | os.PathLike[str], own: int, others: int, more: int) -> str:
    """Return of what the rows are: those of a notebook, others that go on; and where there are more, which are neither.

    >>> _title("a.ipynb", 2, 0, 0), _title("a.ipynb", 0, 1, 3)
    ("sessions of 'a.ipynb'", "none of 'a.ipynb', 1 of others that goes on; 3 more in the store: %wf status --all")
    """
    goes = f", {others} of others that {'goes' if others == 1 else 'go'} on" if others else ""
    said = f"{own or 'none'} of {str(notebook)!r}{goes}" if others else f"sessions of {str(notebook)!r}"
    return said + (f"; {more:,} more in the store: %wf status --all" if more else "")


def _more(storages: Mapping[str, Any], told: set[Place]) -> int:
    """Return how many sessions and sweeps are in these stores besides those that are told."""
    found: set[Place] = set()
    for storage in storages.values():
        with suppress(WorkflowError):  # as above
            found |= {*stored(storage, SWEEPS)}
    return len(found - told)


def _going(storages: Mapping[str, Any]) -> list[tuple[Going, str]]:
    """Return the runs that go on in these stores, with the address of each, the one that began last first."""
    found = []
    for url, storage in storages.items():
        with suppress(WorkflowError):  # the store is busy, or broken: the rows of its sessions say so
            found += [(one, url) for one in going_on(storage)]
    return sorted(found, key=lambda each: each[0].run.started_at, reverse=True)


def _live(workflows: Sequence[Workflow], place: Place) -> list[Workflow]:
    return [each for each in workflows if (each.session_id, getattr(each.storage, "url", "")) == place]


def _of_sweeps(place: Place, live: Sequence[Workflow]) -> list[Place]:
    """Return the sessions in which the sweeps that are named after a session may be runs themselves."""
    return [Place(account_id(place.session_id, one), place.url) for one in {user(), *(each.user_id for each in live)}]


def _is_there(place: Place, open_now: dict[str, Any]) -> bool:
    """Say whether a session is in its store; one that was only thought of is not told."""
    with suppress(WorkflowError):
        storage = open_now.get(place.url) or open_storage(place.url)
        about: Any = storage.transact(lambda tx: tx.head(stored_id(place.session_id), 0).about, write=False)
        if about is not None:
            open_now.setdefault(place.url, storage)
            return True
    return False


def _opened(url: str) -> Any:
    try:
        return open_storage(url)
    except WorkflowError:
        return None


def _row(
    place: Place, storage: Any, workflows: Sequence[Workflow], namespace: Mapping[str, Any], one: Going | None = None
) -> tuple[Any, ...]:
    """Return what is told of a session, or of a run in it that goes on."""
    live = _live(workflows, place)
    running = next((run for each in live if (run := each.last_run) is not None and run.status == "running"), None)
    if one is not None:
        running = one.run
    address = portable(place.url, Path()) if place.url else None
    try:
        rows = [] if storage is None else list(storage.runs(place.session_id))
        last = running or (storage.run(rows[0]["run_id"]) if rows else next((each.last_run for each in live), None))
        state = _state(place.session_id, storage, live)
    except UnknownSession:
        rows, last, state = [], running, _unsaved(live) or "not there: never saved, deleted, or in another store"
    except WorkflowError as error:  # the store is busy, or broken
        return (place.session_id, None, None, None, None, f"{type(error).__name__}: {error}", *([None] * 5), address)
    if last is None:
        return (place.session_id, None, None, None, None, state, *([None] * 5), address)
    if is_sweep(last) and storage is not None:
        return _sweep_row(place, Afar(storage, last), one, workflows, namespace)
    name = next((each for workflow in live if (each := named(workflow, dict(namespace)))), None)
    return (
        place.session_id, last.workflow, last.status, stopped_at(last), _kept(last, place.session_id, storage), state,
        _going_on(one) if one is not None else _goes_on(last, place.session_id, storage, rows, name),
        one.said if one is not None else None, one.process if one is not None else None, last.started_at, last.run_id, address,
    )  # fmt: skip


def _sweep_row(
    place: Place, sweep: Afar, one: Going | None, workflows: Sequence[Workflow], namespace: Mapping[str, Any]
) -> tuple[Any, ...]:
    """Return what is told of a sweep: of one that is over how far it came, unless it is all done, or says so by how it stands."""
    run = sweep.run
    is_done = run.status == "completed"
    how = stands(sweep) if is_done and sweep.progress.failed else run.status
    came = None if one is not None or is_done else ", ".join(far(sweep.progress))
    variable, own = _mapping(sweep, place, workflows, namespace)
    again = None if sweep.is_whole else mapped_again(variable, sweep.name, run.inputs, own=own)
    goes_on = again if one is None else _going_on(one)
    return (
        shown_account(place.session_id, run.workflow), run.workflow, how, came, None, None, goes_on,
        one.said if one is not None else None, one.process if one is not None else None, run.started_at, run.run_id,
        portable(place.url, Path()),
    )  # fmt: skip


def _mapping(sweep: Afar, place: Place, workflows: Sequence[Workflow], namespace: Mapping[str, Any]) -> tuple[str, str | None]:
    """Return the variable that maps again, and after what it names its sweeps by itself, where that is known."""
    of_it = [each for each in workflows if each.name == sweep.workflow.name and getattr(each.storage, "url", "") == place.url]
    known = [(name, each.session_id if each.session_is_chosen else str(each.name)) for each in of_it
             if (name := named(each, dict(namespace)))]  # fmt: skip
    if not known:
        return variable_of(sweep.workflow.name, None), None
    return next((each for each in known if each[1].rstrip("/") == sweep.name), known[0])


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
    branches = [] if storage is None else storage.branches_of(session_id)
    told = [_unsaved(live), *([f"a conflict left {', '.join(map(repr, branches[:3]))}"] if branches else [])]
    return "; ".join(filter(None, told)) or "saved"


def _unsaved(live: Iterable[Workflow]) -> str | None:
    sessions_here = {id(each.session): each.session for each in live if each.session.loaded}.values()
    for session in sessions_here:
        if session.storage is None:
            return "in memory only"
        if session.unsaved:
            return "in conflict: %wf diff shows both sides" if session.conflict() else "unsaved: %wf save"
    return None


def _going_on(one: Going) -> str:
    """Return the line that shows a run that goes on, and the one that ends it where that can be done from here."""
    shows = f"%wf attach {one.run.run_id[:8]} shows it"
    ends = one.here is not None or one.has_own_process
    return f"{shows}; %wf stop {one.run.run_id[:8]} ends it" if ends else shows


def _goes_on(run: Run, session_id: str, storage: Any, rows: Sequence[Mapping[str, Any]], name: str | None) -> str | None:
    """Return the line that goes on with a run: to stop it or wait, where it goes on by itself."""
    if run.status == "running":
        return f"%wf show {run.run_id[:8]}" + (f"; {name}.stop() ends it" if name else "")
    if run.status not in _OPEN:
        return None
    newest, ran = sources(storage, storage.session(session_id), rows) if storage is not None else ({}, {})
    program = ran.get(run.run_id) or newest.get(run.workflow)
    return call(name or variable_of(run.workflow, program), session_id, run.inputs, program).line
