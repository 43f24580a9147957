"""The verbs of %wf that look: each gives a table, a record or what differs, which is shown and can be kept.

What is large is loaded when a verb is done: the table of verbs is read wherever somebody asks for help.
"""

from __future__ import annotations

import re
from contextlib import suppress
from typing import TYPE_CHECKING

from ..accounts import MAP, account_of, shown_account
from ..errors import BadArguments, BadQuery, UnknownPath, UnknownRun, UnknownSession
from ..nearest import did_you_mean
from ..storage.runs import ids_beginning, newest_ids, sweeps
from ..transaction import shown_id
from ..unit import is_unit
from .asked import whole_number

if TYPE_CHECKING:
    from ..diffs import Diff
    from ..frames import Table
    from ..history import Versions
    from ..inspection import Inspector
    from ..run import Run
    from ..session import Session
    from ..storage.sql import SqlStorage
    from .asked import Asked

#: Among so many runs, the newest ones, is looked for the one that was meant.
_NEAR = 200
_OUT = re.compile(r"\s-o(?:\s*=\s*|\s+)([^\W\d]\w*)[ \t]*(?=\n|\Z)")


def sessions(asked: Asked) -> Table:
    """Return the sessions, the one that was used last first; the rows of a sweep as one, unless they are asked for."""
    from ..frames import folded_sessions, sessions_beginning
    from ..frames import sessions as all_sessions

    if len(asked.words) > 1:
        raise BadArguments(f"write %wf sessions BEGINNING, not %wf sessions {' '.join(asked.words)}")
    storage, all_users = asked.storage(), bool(asked.options.get("all_users"))
    if asked.words:
        return sessions_beginning(storage, asked.words[0], all_users=all_users)
    if asked.options.get("all"):
        return all_sessions(storage, branches=True, all_users=all_users)
    return folded_sessions(storage, all_users=all_users)


def inspect(asked: Asked) -> Inspector:
    """Return an inspector of a session: that of the last run if none is named, and of all where there is none yet."""
    from ..frames.queries import newest_session
    from ..inspection import Inspector, inspect_workflow  # which is large

    if len(asked.words) > 1:
        raise BadArguments(f"write %wf inspect SESSION, not {' '.join(asked.words)}")
    named = asked.words[0] if asked.words else asked.options.get("session")
    elsewhere = None if asked.options.get("storage") is None else asked.storage()
    for workflow in asked.workflows():
        is_meant = workflow.session_id == named if named is not None else workflow.last_run is not None
        if is_meant and (elsewhere is None or workflow in asked.of_session(workflow.session_id, elsewhere)):
            return inspect_workflow(workflow)
    storage = elsewhere or asked.storage()
    return Inspector(storage, session=named if named is not None else newest_session(storage))


def state(asked: Asked) -> Table:
    """Return the state of a session, or the rows of one value in it."""
    storage = asked.storage()
    if len(asked.words) > 1:
        raise BadArguments(f"write %wf state PATH, not {' '.join(asked.words)}")
    path = asked.words[0] if asked.words else None
    table: Table
    try:
        table = storage.state(asked.session_id(), path)
    except (UnknownPath, UnknownSession):
        if path is None or asked.options.get("session"):
            raise
        with suppress(UnknownSession):
            table = storage.state(path)  # it names a session: `%wf state demo`; one of another user says so
            return table
        raise
    return table


def runs(asked: Asked) -> Table:
    """Return the runs of a session, the newest first."""
    table: Table = asked.storage().runs(asked.words[0] if len(asked.words) == 1 else asked.session_id())
    return table


def events(asked: Asked) -> Table:
    """Return what a run said: the last one's, or that of which the id begins so."""
    table: Table = asked.storage().events(run_id(asked))
    return table


def show(asked: Asked) -> Run:
    """Return the record of a run, which shows it in full."""
    storage = asked.storage()
    run = storage.run(run_id(asked))
    if account_of(run.session_id, run.workflow) is not None:
        from ..swept import recorded  # which is large

        return recorded(storage, run)
    return run.told_by(run.told, whole=True)


def why(asked: Asked) -> Table:
    """Return the steps of a run, and why each was done or not."""
    run = asked.storage().run(run_id(asked))
    table: Table = run.why()
    return table


def takes(asked: Asked) -> Table:
    """Return the takes of steps that were done again."""
    step = asked.word("the name of one step") if asked.words else None
    table: Table = asked.looked_at(asked.session_id()).takes(step)
    return table


def run_id(asked: Asked) -> str:
    """Return the id of the run that is meant: ids are long, so their beginning will do; `blog/` means the sweep of that name."""
    storage = asked.storage()
    if not asked.words:
        ids = storage.runs(asked.session_id())["run_id"]
        if not ids:
            raise UnknownRun("this session has no run; %wf sessions lists others")
        return str(ids[0])
    written = asked.word("the beginning of a run's id")
    if is_unit(written):
        return _sweep_named(storage, written)
    found = ids_beginning(storage, written)
    if len(found) > 1:
        raise UnknownRun(f"{len(found)} runs begin with {written!r}; write more of the id")
    if not found:
        near = did_you_mean(written, newest_ids(storage, _NEAR))
        raise UnknownRun(f"no run {written!r} in {storage.url}{near or '; %wf runs lists them'}")
    return found[0]


def _sweep_named(storage: SqlStorage, unit: str) -> str:
    """Return the run of the sweep that has a name: the one that goes on, else the newest."""
    try:
        table: Table = storage.runs(unit)
    except UnknownSession:
        names = [shown_account(shown_id(stored), MAP) for stored in sweeps(storage.read, storage.table_name, _NEAR)]
        near = did_you_mean(unit, names)
        raise UnknownRun(f"no sweep {unit!r} in {storage.url}{near or '; %wf status lists them'}") from None
    return str(max(table, key=lambda run: (run["status"] == "running", run["started_at"]))["run_id"])


def versions(asked: Asked) -> Versions:
    """Return the versions of a session."""
    _no_words(asked, "%wf versions")
    return asked.looked_at(asked.session_id()).versions()


def diff(asked: Asked) -> Diff:
    """Return what differs between two versions or sessions; if none is named, theirs and mine in a conflict, or the last save."""
    if len(asked.words) > 2:  # noqa: PLR2004 - two sides
        raise BadArguments(f"write two versions or two sessions, not {' '.join(asked.words)}")
    if all(word.isdecimal() for word in asked.words):
        session_id = asked.session_id()
        sides = [] if asked.words else [each.conflict() for each in asked.live(session_id)]
        return next(filter(None, sides), None) or asked.looked_at(session_id).diff(*map(int, asked.words))
    if len(asked.words) == 1:
        session, version = _side(asked, asked.words[0])
        return session.diff(version, None)
    (one, before), (other, after) = (_side(asked, word) for word in asked.words)
    return one.diff(before, after, other=other)


def _side(asked: Asked, word: str) -> tuple[Session, int | None]:
    """Return a session and a version of it: `demo` or `demo:3`; of the line's own session `3`."""
    if word.isdecimal():
        return asked.looked_at(asked.session_id()), int(word)
    name, colon, number = word.rpartition(":")
    if colon and number.isdecimal():
        return asked.looked_at(name), whole_number(number, "write SESSION:VERSION")
    return asked.looked_at(word), None


def sql(asked: Asked) -> Table | None:
    """Return what a query gives, or put it into the variable that is named."""
    if not asked.text:
        raise BadArguments("write the query: %wf sql SELECT * FROM sessions")
    storage, query, variable = asked.storage(), asked.text, asked.options.get("out")
    if variable is None and (found := _out_at_the_end(query)) and not _is_query(storage, query):
        query, variable = query[: found.start()] + query[found.end() :], found[1]
    table: Table = storage.sql(query)
    if variable is None:
        return table
    asked.namespace[variable] = table
    return None


def _out_at_the_end(query: str) -> re.Match[str] | None:
    """Return the `-o VAR` at the end of a query or of its first line: an option, or a minus and a column `o`."""
    ends = {len(query.partition("\n")[0]), len(query)}
    return next((found for found in _OUT.finditer(query) if found.end() in ends), None)


def _is_query(storage: SqlStorage, text: str) -> bool:
    """Say whether the database understands a text as it stands."""
    try:
        storage.sql(f"EXPLAIN {text}")
    except BadQuery:
        return False
    return True


def _no_words(asked: Asked, usage: str) -> None:
    if asked.words:
        raise BadArguments(f"write {usage}, not {usage} {' '.join(asked.words)}; a session is named by --session ID")
