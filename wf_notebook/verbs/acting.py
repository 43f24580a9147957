"""The verbs of %wf that change something: each says in a line what it did, and how that is undone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..errors import BadArguments, NoConflict, UnsavableValue, WorkflowError
from ..ipynb.line import written
from ..owners import SHARED, UNSHARED
from .asked import rows_in_words, whole_number

if TYPE_CHECKING:
    from collections.abc import Collection

    from ..session import Session
    from ..storage.sql import SqlStorage
    from ..storage.units import Said
    from .asked import Asked


def restore(asked: Asked) -> None:
    """Go back to a version, which becomes a new one; or bring a deleted session back."""
    deleted = asked.options.get("deleted")
    if deleted is not None:
        storage = asked.storage()
        new_id = asked.word("the new id, if its own is used again: %wf restore --deleted ID NEW") if asked.words else None
        if (rows := asked.rows(deleted, deleted=True)) and new_id is None:
            storage.restore_session(deleted)
            _read_again(asked, rows)
            asked.say(f"{rows_in_words(rows, deleted)} {_are(rows)} back")
            return
        storage.restore_session(deleted, new_id=new_id)
        deleted = new_id or deleted
        _read_again(asked, [deleted])
        asked.say(f"session {deleted!r} is back, with {_count(len(storage.session(deleted).versions()), 'version')}")
        return
    number = whole_number(asked.word("the version: %wf restore 3"), "write %wf restore 3; %wf versions lists them")
    session = asked.session()
    before = session.versions()[-1:]
    session.restore(number)
    if before and session.version == before[0].version:
        asked.say(f"session {session.session_id!r} is as it was at version {number} already")
        return
    for workflow in asked.of_session(session.session_id):
        if workflow.session is not session:
            workflow.read_from_storage()
    named = f" -s {written(session.session_id)}" if asked.options.get("session") else ""
    undo = f"; %wf restore {before[0].version}{named} undoes it" if before else ""
    asked.say(f"session {session.session_id!r} is as it was at version {number}, which is now version {session.version}{undo}")


def _read_again(asked: Asked, ids: Collection[str]) -> None:
    """Let workflows that are in one of these sessions have what is stored."""
    for workflow in asked.workflows():
        if workflow.session_id in ids and asked.of_session(workflow.session_id):
            workflow.read_from_storage()


def fork(asked: Asked) -> Session:
    """Begin a new session with the state of another one."""
    new_id = asked.word("the id of the new session: %wf fork NEW")
    at = asked.options.get("at")
    session = asked.session() if at is None else asked.looked_at(asked.session_id())
    new = session.fork(new_id, at=None if at is None else whole_number(at, "write %wf fork NEW --at 3"))
    name = next(iter(asked.variables(session.session_id)), "NAME")
    asked.say(f"session {new_id!r} begins as {session.session_id!r} was; %workflow {name} -s {written(new_id)} goes on in it")
    return new


def rename(asked: Asked) -> None:
    """Give a session a name that people read."""
    if not asked.words:
        raise BadArguments("write the name: %wf rename My first blog")
    name, session = " ".join(asked.words), asked.looked_at(asked.session_id())
    live = [workflow for workflow in asked.of_session(session.session_id) if workflow.session.loaded]
    for workflow in live:
        workflow.rename_session(name)
    if not live:
        session.rename(name)
    asked.say(f"session {session.session_id!r} is named {name!r}")


def delete(asked: Asked) -> None:
    """Hide a session, or erase it."""
    if len(asked.words) > 1 or (asked.words and asked.options.get("session")):
        raise BadArguments(f"write the id of one session, not {' '.join(asked.words)}")
    session_id = asked.words[0] if asked.words else asked.session_id()
    storage = asked.storage()
    if asked.options.get("purge"):
        _purge(asked, storage, session_id)
        return
    if rows := asked.rows(session_id):
        live = {each.session_id: each.session for each in asked.workflows() if each.session_id in rows}
        for session in live.values():
            session.delete()
        said = storage.say_of_rows(session_id, "deleted") if len(live) < len(rows) else None
        count = len(live) + (said.rows if said is not None else 0)
        asked.say(
            f"{rows_in_words(count, session_id)} {_are(count)} hidden{_left(said)}; "
            f"%wf restore --deleted {written(session_id)} brings {'it' if count == 1 else 'them'} back"
        )
        return
    sessions = [asked.looked_at(session_id), *(live.session for live in asked.of_session(session_id, storage))]
    for place, session in enumerate(sessions):
        if not any(session is other for other in sessions[:place]):
            session.delete()
    asked.say(f"session {session_id!r} is hidden; %wf restore --deleted {written(session_id)} brings it back")


def _purge(asked: Asked, storage: SqlStorage, session_id: str) -> None:
    """Erase a session, whether it is hidden already or not."""
    from ..frames.reading import unknown_session

    if rows := asked.rows(session_id, deleted=None):
        storage.purge(session_id)
        for workflow in asked.workflows():
            if workflow.session_id in rows and asked.of_session(workflow.session_id, storage):
                workflow.session.purge()
        asked.say(f"{rows_in_words(rows, session_id)} {_are(rows)} erased, and cannot be brought back")
        return
    live = [workflow.session for workflow in asked.of_session(session_id, storage)]
    erased = storage.purge(session_id)
    for session in live:
        session.purge()
    if not (erased.sessions or erased.versions or erased.runs or live):
        raise unknown_session(session_id, list(storage.sessions()["session_id"]), storage.url)
    asked.say(f"session {session_id!r} is erased, and cannot be brought back")


def save(asked: Asked) -> None:
    """Save what could not be saved before: of all workflows in the notebook, and of runs that were dropped."""
    from .. import saver

    saver.drain()
    failed: list[WorkflowError] = []
    told: dict[int, str] = {}
    for workflow in asked.workflows():
        session = workflow.session
        if id(session) in told or not session.unsaved:
            continue
        try:
            workflow.write_to_storage()
        except UnsavableValue as error:
            failed.append(error)
            told[id(session)] = (
                f"session {session.session_id!r} is saved as version {session.version}, but for what cannot be kept"
            )
        except WorkflowError as error:
            failed.append(error)
            told[id(session)] = f"session {session.session_id!r} is still unsaved"
        else:
            told[id(session)] = f"session {session.session_id!r} is saved, as version {session.version}"
    for line in told.values():
        asked.say(line)
    if failed:
        for other in failed[1:]:
            for line in (f"{type(other).__name__}: {other}", *getattr(other, "__notes__", ())):
                failed[0].add_note(line)
        raise failed[0]
    if not told:
        asked.say("nothing is unsaved")


def share(asked: Asked) -> None:
    """Let another user, or everybody, see a session, or all rows of a sweep, and run in it."""
    session_id, user = _shared(asked, "share")
    undo = f"%wf unshare {written(session_id)}{f' {written(user)}' if user else ''} takes it back"
    what = f"shared with {user or 'everybody'}, who may look at {{}} and run in {{}}"
    if asked.rows(session_id):
        said = asked.storage().say_of_rows(session_id, f"{SHARED}:{user}" if user else SHARED)
        asked.say(f"{rows_in_words(said.rows, session_id)} {_are(said.rows)} {what.format('them', 'them')}{_left(said)}; {undo}")
        return
    asked.looked_at(session_id).share(user)
    asked.say(f"session {session_id!r} is {what.format('it', 'it')}; {undo}")


def unshare(asked: Asked) -> None:
    """Take that back."""
    session_id, user = _shared(asked, "unshare")
    session, rows = None, asked.rows(session_id)
    if not rows:
        session = asked.looked_at(session_id)
        session.unshare(user)
    else:
        said = asked.storage().say_of_rows(session_id, f"{UNSHARED}:{user}" if user else UNSHARED)
    left = ", ".join(session.shared if session is not None else asked.storage().shared_rows(session_id, own=True))
    what = f"shared with {left.replace('*', 'everybody') or 'nobody'}"
    if session is not None:
        asked.say(f"session {session_id!r} is {what}")
    else:
        asked.say(f"{rows_in_words(said.rows, session_id)} {_are(said.rows)} {what}{_left(said)}")


def _shared(asked: Asked, verb: str) -> tuple[str, str | None]:
    if not 1 <= len(asked.words) <= 2:  # noqa: PLR2004 - a session and a user
        raise BadArguments(f"write %wf {verb} SESSION for everybody, or %wf {verb} SESSION USER")
    return asked.words[0], asked.words[1] if len(asked.words) > 1 else None


def _are(rows: Collection[str] | int) -> str:
    return "is" if (rows if isinstance(rows, int) else len(rows)) == 1 else "are"


def _left(said: Said | None) -> str:
    """Return how many rows were left alone, and why."""
    if said is None:
        return ""
    others = f"{said.of_others:,} of other users" if said.of_others else ""
    nobodys = f"{said.of_nobody:,} that nobody owns" if said.of_nobody else ""
    return f", but for {' and '.join(filter(None, [others, nobodys]))}" if others or nobodys else ""


def use(asked: Asked) -> None:
    """Choose among the takes of steps."""
    if not 1 <= len(asked.words) <= 2:  # noqa: PLR2004 - a number and a name
        raise BadArguments("write the number of a take: %wf use 1; %wf takes lists them")
    number = whole_number(asked.words[0], "write %wf use 1; %wf takes lists the takes")
    count = asked.session().use(number, step=asked.words[1] if len(asked.words) > 1 else None)
    asked.say(f"take {number} is used of {_count(count, 'step')}; what depends on it runs again")


def forget(asked: Asked) -> None:
    """Forget what steps gave."""
    step = asked.word("the name of one step") if asked.words else None
    asked.of_one(asked.meant(), "all rows are done again by %workflow NAME --map DATA --fresh")
    count = asked.session().forget(step=step)
    asked.say(f"{_count(count, 'step')} forgotten; the next run does {'it' if count == 1 else 'them'} again")


def resolve(asked: Asked) -> None:
    """Decide what two kernels changed at once: by "mine", "theirs", both also for some keys only, or a dict of the values."""
    choice = _choice(asked)
    session_id = asked.session_id()
    here = [workflow.session for workflow in asked.of_session(session_id)]
    if not here:
        raise BadArguments(f"no workflow here is in session {session_id!r}; run one there: %workflow NAME --session {session_id}")
    conflicts = [(session, keys) for session in here if (keys := {one.keys[0] for one in session.conflict()})]
    loaded = [workflow.session for workflow in asked.workflows() if workflow.session.loaded and not conflicts]
    if others := [session.session_id for session in loaded if session.conflict()]:
        raise NoConflict(f"session {session_id!r} is in no conflict, but {others[0]!r} is: write -s {written(others[0])}")
    for session, keys in conflicts or [(here[0], set())]:  # without a conflict it says so itself
        named = [next((key for key in keys if word in {key, repr(key)}), word) for word in asked.words[1:]]
        session.resolve(choice, keys=named or None)
    asked.say(f"session {session_id!r} is decided, and saved as version {here[0].version}")


def _choice(asked: Asked) -> Any:
    """Return what was chosen: "mine", "theirs" or a dict."""
    written = asked.text or (asked.words[0] if asked.words else "")
    if written in {"mine", "theirs"}:
        return written
    if not written:
        raise BadArguments("write mine, theirs or a dict of the values: %wf resolve theirs; %wf diff shows both sides")
    try:
        choice = eval(written, asked.namespace)  # noqa: S307 - what the user wrote, in the user's own kernel
    except (SyntaxError, NameError):
        choice = None
    if not isinstance(choice, dict):
        raise BadArguments(f"{written!r} is no choice; write mine, theirs, or a dict of the values")
    return choice


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
