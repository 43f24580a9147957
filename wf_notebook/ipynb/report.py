"""What is told of a session when it is exported: its workflows, its runs, its state."""

from __future__ import annotations

import json
import re
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from ..addresses import portable
from ..errors import SessionConflict, StorageReadOnly, UnknownSession, UnsavableValue, WorkflowError
from ..frames.reading import found_session
from ..source import kept_source, process
from ..storage import FILE, FOLDER
from ..transaction import shown_id
from .calls import call
from .cell import snake_case

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from ..frames import Table
    from ..keying.program import Program
    from ..run import Run
    from ..session import Session
    from ..storage.sql import SqlStorage
    from .calls import Call

#: Of so many keys of the state the rows are a table of their own.
TABLES = 10


@dataclass(frozen=True)
class Told:
    """A run as it is told: its record, the line that runs it again, and how many others had the same inputs."""

    run: Run
    call: Call
    others: int = 0
    #: Whether the source that is told is not the one that ran.
    is_older: bool = False

    @property
    def runs_again(self) -> bool:
        """Whether its line is to be run again with all others: one that did not end well is for who goes on with it."""
        return self.run.status == "completed" and not self.call.lacks


@dataclass(frozen=True)
class Named:
    """A workflow of the session: what it is called, its variable, and its source as far as that was kept."""

    name: str
    variable: str
    program: Program | None = None


@dataclass(frozen=True)
class Report:
    """A session as it is exported."""

    session: Session
    storage: SqlStorage
    session_id: str
    title: str
    #: The store as it is seen from the folder of the file, and whether that is where a notebook there looks by itself.
    address: str
    folder: Path
    is_default: bool
    workflows: tuple[Named, ...]
    runs: tuple[Told, ...]
    #: The runs that the session has, in the order in which they began; of those with equal inputs one is told.
    run_ids: tuple[str, ...]
    state: Table | None = None
    tables: tuple[tuple[str, Table], ...] = ()

    @property
    def count(self) -> int:
        """How many runs there are."""
        return len(self.run_ids)


def report(session: Session, folder: Path) -> Report:
    """Return what is told of a session in a file of that folder; raises UnknownSession where no store has it."""
    session_id, storage = stored(session)
    rows = list(storage.runs(session_id))[::-1]
    runs = [storage.run(row["run_id"]) for row in _chosen(rows)]
    counts = _counts(rows)
    programs, ran = sources(storage, session, rows)
    workflows = _named(dict.fromkeys(run.workflow for run in runs), programs)
    named = {each.name: each for each in workflows}
    told = tuple(
        Told(
            run,
            call(named[run.workflow].variable, session_id, run.inputs, named[run.workflow].program),
            counts[_same(run.workflow, run.inputs)] - 1,
            is_older=ran.get(run.run_id) not in {None, named[run.workflow].program},
        )
        for run in runs
    )
    told = tuple(
        each if named[each.run.workflow].program else replace(each, call=replace(each.call, lacks=("its source",)))
        for each in told
    )
    title = session.about.session_name or _about_name(storage, session_id) or session_id
    state = storage.state(session_id)
    return Report(
        session, storage, session_id, title, portable(storage.url, folder), folder, _is_default(storage, folder), workflows, told,
        tuple(row["run_id"] for row in rows),
        state if len(state) else None, tuple(_tables(storage, session_id, state)),
    )  # fmt: skip


def stored(session: Session) -> tuple[str, SqlStorage]:
    """Return a session's id as it is shown, and its storage; what is unsaved is saved first, where it can be."""
    storage: Any = session.storage
    if storage is None:
        raise UnknownSession(
            f"session {session.session_id!r} is kept in memory only, which keeps no runs; "
            'give its workflow a storage: Workflow(storage="default")'
        )
    if session.loaded and session.unsaved:
        with suppress(SessionConflict, StorageReadOnly, UnsavableValue):  # what the store has is told
            session.save()
    session_id = shown_id(session.stored_as)
    storage.transact(lambda tx: found_session(storage, tx, session_id), write=False)
    return session_id, storage


def _same(workflow: str, inputs: dict[str, Any]) -> str:
    return json.dumps([workflow, inputs], sort_keys=True)


def _counts(rows: Sequence[dict[str, Any]]) -> dict[str, int]:
    counts: dict[str, int] = {}
    for row in rows:
        key = _same(row["workflow"], row["inputs"])
        counts[key] = counts.get(key, 0) + 1
    return counts


def _chosen(rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return of the runs with equal inputs the newest that was completed, else the newest; in the order in which they began."""
    chosen: dict[str, dict[str, Any]] = {}
    for row in rows:
        key = _same(row["workflow"], row["inputs"])
        before = chosen.pop(key, None)
        chosen[key] = row if before is None or row["status"] == "completed" or before["status"] != "completed" else before
    return sorted(chosen.values(), key=lambda row: (row["started_at"], row["run_id"]))


def sources(
    storage: SqlStorage, session: Session, rows: Sequence[Mapping[str, Any]]
) -> tuple[dict[str, Program], dict[str, Program]]:
    """Return the newest source of each workflow by its name, and of each run the one that ran, where that is known."""
    said = storage.transact(lambda tx: tx.sources(session.stored_as), write=False)  # type: ignore[attr-defined] # of our own storages
    begun = storage.read(
        "SELECT run_id, host, pid, process_started_at FROM run_log WHERE store = ? AND session_id = ? AND phase = 'start'",
        (storage.table_name, session.stored_as),
    )
    processes = {run_id: process(host, pid, started_at) for run_id, host, pid, started_at in begun}
    kept = [(name, place, _moment(at), kept_source(text)) for name, _, place, at, text in said]
    newest = {name: source for name, _, _, source in kept}
    ran: dict[str, Program] = {}
    for row in rows:
        for name, place, at, source in kept:
            if (name, place) == (row["workflow"], processes.get(row["run_id"])) and at <= row["started_at"]:
                ran[row["run_id"]] = source
    return newest, ran


def _moment(at: Any) -> datetime:
    moment = at if isinstance(at, datetime) else datetime.fromisoformat(at)
    return moment.replace(tzinfo=UTC)


def _named(names: dict[str, None], programs: dict[str, Program]) -> tuple[Named, ...]:
    """Give each workflow a variable of its own."""
    found: dict[str, Named] = {}
    for name in names:
        program = programs.get(name)
        plain = variable_of(name, program)
        taken = {each.variable for each in found.values()}
        variable = next(each for n in range(1, len(taken) + 2) if (each := plain if n == 1 else f"{plain}_{n}") not in taken)
        found[name] = Named(name, variable, program)
    return tuple(found.values())


def variable_of(name: str, program: Program | None) -> str:
    """Return the variable of a workflow: its class in small letters.

    >>> variable_of("My blog!", None), variable_of("1", None)
    ('my_blog', 'workflow_1')
    """
    plain = re.sub(r"\W+", "_", snake_case(program.name if program else name)).strip("_")
    return plain if plain.isidentifier() else f"workflow_{plain}".strip("_")


def _about_name(storage: SqlStorage, session_id: str) -> str | None:
    table = storage.sessions()
    return next((row["session_name"] for row in table if row["session_id"] == session_id), None)


def _is_default(storage: SqlStorage, folder: Path) -> bool:
    """Say whether a notebook in that folder looks here by itself."""
    here = folder.absolute()
    found = next((up / FOLDER for up in (here, *here.parents) if (up / FOLDER).is_dir()), None)
    return storage.file is not None and found is not None and (found / FILE).resolve() == storage.file.resolve()


def _tables(storage: SqlStorage, session_id: str, state: Table) -> list[tuple[str, Table]]:
    """Return the values of the state that have rows of their own, by their paths."""
    found: list[tuple[str, Table]] = []
    for row in state:
        key, value = row["key"], row["value"]
        if isinstance(key, str) and re.fullmatch(r"[^\W\d]\w*", key) and _has_rows(value) and len(found) < TABLES:
            with suppress(WorkflowError):
                found.append((key, storage.state(session_id, key)))
    return found


def _has_rows(value: Any) -> bool:
    items = list(value.values()) if isinstance(value, dict) else value if isinstance(value, list) else []
    return type(value).__name__ in {"DataFrame", "Table"} or (bool(items) and all(isinstance(each, dict) for each in items))
