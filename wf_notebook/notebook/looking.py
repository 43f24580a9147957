"""The verbs of %wf that look: each gives a table, a record or what differs, which is shown and can be kept."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..errors import BadArguments, UnknownPath, UnknownRun, did_you_mean
from .asked import whole_number
from .views import publish

if TYPE_CHECKING:
    from ..diffs import Diff
    from ..frames import Table
    from ..history import Versions
    from ..run import Run
    from ..session import Session
    from .asked import Asked


def sessions(asked: Asked) -> Table:
    """Return the sessions, the one that was used last first."""
    _no_words(asked, "%wf sessions")
    table: Table = asked.storage().sessions()
    return table


def state(asked: Asked) -> Table:
    """Return the state of a session, or the rows of one value in it."""
    storage = asked.storage()
    if len(asked.words) > 1:
        raise BadArguments(f"write %wf state PATH, not {' '.join(asked.words)}")
    path = asked.words[0] if asked.words else None
    session_id = asked.session_id()
    try:
        table: Table = storage.state(session_id, path)
    except UnknownPath:
        if path is None or path not in storage.sessions()["session_id"] or asked.options.get("session"):
            raise
        table = storage.state(path)  # it names a session: `%wf state demo`
    return table


def runs(asked: Asked) -> Table:
    """Return the runs of a session, the newest first."""
    table: Table = asked.storage().runs(asked.words[0] if len(asked.words) == 1 else asked.session_id())
    return table


def events(asked: Asked) -> Table:
    """Return what a run said: the last one's, or that of which the id begins so."""
    table: Table = asked.storage().events(_run_id(asked))
    return table


def show(asked: Asked) -> Run:
    """Return the record of a run, which shows it in full."""
    run = asked.storage().run(_run_id(asked))
    return run.told_by(run.told, whole=True)


def publish_run(bundle: dict[str, str], metadata: dict[str, Any]) -> None:
    """Show a run in this cell: what `run.show()` does in a notebook."""
    publish(bundle, {"wf_notebook": metadata})


def _run_id(asked: Asked) -> str:
    """Return the id of the run that is meant: ids are long, so their beginning will do."""
    storage = asked.storage()
    if not asked.words:
        ids = storage.runs(asked.session_id())["run_id"]
        if not ids:
            raise UnknownRun("this session has no run; %wf sessions lists others")
        return str(ids[0])
    written = asked.word("the beginning of a run's id")
    ids = storage.runs()["run_id"]
    found = [each for each in ids if each == written] or [each for each in ids if each.startswith(written)]
    if len(found) != 1:
        many = f"{len(found)} runs begin with {written!r}; write more of the id"
        raise UnknownRun(
            many if found else f"no run {written!r} in {storage.url}{did_you_mean(written, ids) or '; %wf runs lists them'}"
        )
    return str(found[0])


def versions(asked: Asked) -> Versions:
    """Return the versions of a session."""
    _no_words(asked, "%wf versions")
    return asked.session().versions()


def diff(asked: Asked) -> Diff:
    """Return what differs between two versions, or two sessions."""
    if len(asked.words) > 2:  # noqa: PLR2004 - two sides
        raise BadArguments(f"write two versions or two sessions, not {' '.join(asked.words)}")
    if all(word.isdecimal() for word in asked.words):
        return asked.session().diff(*(int(word) for word in asked.words))
    if len(asked.words) == 1:
        session, version = _side(asked, asked.words[0])
        return session.diff(None if version is None else version, None)
    (one, before), (other, after) = (_side(asked, word) for word in asked.words)
    return one.diff(before, after, other=other)


def _side(asked: Asked, word: str) -> tuple[Session, int | None]:
    """Return a session and a version of it: `demo` or `demo:3`; of the line's own session `3`."""
    if word.isdecimal():
        return asked.session(), int(word)
    name, colon, number = word.rpartition(":")
    if colon and number.isdecimal():
        return asked.session_named(name), whole_number(number, "write SESSION:VERSION")
    return asked.session_named(word), None


def sql(asked: Asked) -> Table:
    """Return what a query gives."""
    if not asked.text:
        raise BadArguments("write the query: %wf sql SELECT * FROM sessions")
    table: Table = asked.storage().sql(asked.text)
    return table


def _no_words(asked: Asked, usage: str) -> None:
    if asked.words:
        raise BadArguments(f"write {usage}, not {usage} {' '.join(asked.words)}; a session is named by --session ID")
