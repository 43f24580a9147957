"""What a %wf line asks for, and of what: the storage and the session that it names, or those of the last run."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ..accounts import is_account
from ..errors import BadArguments, SessionConflict, StorageReadOnly, UnknownSession, UnsavableValue
from ..unit import is_unit

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from ..session import Session
    from ..storage.sql import SqlStorage
    from ..workflow import Workflow


@dataclass(frozen=True)
class Asked:
    """One line of %wf after its verb: words, options, and what is not split into words (SQL)."""

    namespace: dict[str, Any]
    words: tuple[str, ...] = ()
    options: dict[str, Any] = field(default_factory=dict)
    text: str = ""
    #: Takes a line that says what was done, or of which session it is.
    say: Callable[[str], object] = print

    def variables(self, session_id: str) -> list[str]:
        """Return the names of the variables that hold a workflow of that session."""
        found = {id(each) for each in self.of_session(session_id)}
        return [name for name, value in list(self.namespace.items()) if id(value) in found and not name.startswith("_")]

    def word(self, what: str) -> str:
        """Return the one word that the verb needs."""
        if len(self.words) != 1:
            raise BadArguments(f"write {what}{', not ' if self.words else ''}{' '.join(self.words)}")
        return self.words[0]

    # -- of what -----------------------------------------------------------------------------------------------------------

    def storage(self) -> SqlStorage:
        """Return the storage that the line names, or else that of its session or of the last run, or the default one."""
        from ..storage import open_storage

        url = self.options.get("storage")
        known = [each for each in self.workflows() if isinstance(getattr(each.storage, "url", None), str)]
        if url is not None:
            opened: Any = open_storage(url)
            there = [each for each in known if _is(each.storage, opened)]  # a memory is only where it is
        else:
            opened, named = None, self.options.get("session")
            there = [each for each in known if each.session_id == named] or known
        found: Any = there[0].storage if there else opened or open_storage("default")
        storage: SqlStorage = found
        return storage

    def workflows(self) -> list[Workflow]:
        """Return the workflows of the namespace, the one that ran last first."""
        if not self.namespace:  # a command line has none, and loads nothing to look for them
            return []
        from ..workflow import Workflow

        values = {id(value): value for value in list(self.namespace.values()) if isinstance(value, Workflow)}
        return sorted(values.values(), key=_last_ran, reverse=True)

    def of_session(self, session_id: str, storage: Any = None) -> list[Workflow]:
        """Return the workflows that are in a session, in the order in which they ran."""
        kept_in = storage if storage is not None else self.storage()
        return [each for each in self.workflows() if each.session_id == session_id and _is(each.storage, kept_in)]

    def session_id(self) -> str:
        """Return the session that the line names; or that of the last run, which is said.

        Raises UnknownSession if there is none.
        """
        meant = self.meant()
        if self.options.get("session") is None:
            self.say(f"session {meant!r}")
        return meant

    def meant(self) -> str:
        """Return the same, and say nothing."""
        named: str | None = self.options.get("session")
        if named is not None:
            return named
        storage = self.storage()
        for workflow in self.workflows():
            if _is(workflow.storage, storage) and workflow.last_run is not None:
                return workflow.session_id
        from ..frames.queries import newest_session

        if (newest := newest_session(storage)) is None:
            raise UnknownSession(f"{storage.url} has no session yet; run a workflow, or name another place: --storage URL")
        return newest

    def session(self) -> Session:
        """Return the session that the line is about: a live one, with what is unsaved saved; or as it is stored."""
        return self.session_named(self.session_id())

    def looked_at(self, session_id: str) -> Session:
        """Return a session to look at: what cannot be saved of it is said, and stands in nobody's way."""
        try:
            return self.session_named(session_id)
        except (SessionConflict, StorageReadOnly, UnsavableValue) as error:
            live = self.live(session_id)
            if not live:
                raise
            conflict = f"session {session_id!r} is in a conflict; %wf diff shows both sides, %wf resolve mine (or theirs) decides"
            self.say(f"not saved: {conflict if isinstance(error, SessionConflict) else error}")
            return live[0]

    def live(self, session_id: str) -> list[Session]:
        """Return the sessions of that id that workflows here have loaded, each once."""
        return list({id(each.session): each.session for each in self.of_session(session_id) if each.session.loaded}.values())

    def rows(self, session_id: str, *, deleted: bool | None = False) -> list[str]:
        """Return the ids of the rows of the sweep that `blog/` means (None: also of deleted ones); none for one session.

        Raises UnknownSession if there is no such sweep.
        """
        found = self.storage().rows_of(session_id, deleted=deleted) if is_unit(session_id) else []
        return [] if len(found) <= 1 and all(is_account(each, session_id.removesuffix("/")) for each in found) else found

    def of_one(self, session_id: str, instead: str) -> str:
        """Return the id of one session; raise BadArguments for one that means all rows of a sweep, with what to do instead."""
        if is_unit(session_id) and (rows := self.rows(session_id)):
            many = rows_in_words(rows, session_id).partition(" of ")[0]
            raise BadArguments(f"{session_id!r} means the {many} of a sweep, and this is done to one session; {instead}")
        return session_id

    def session_named(self, session_id: str) -> Session:
        """Return the session of that id. Raises UnknownSession if it is not there."""
        from ..frames.reading import found_session
        from ..transaction import is_branch, shown_id

        storage = self.storage()
        for workflow in self.of_session(session_id, storage):
            if workflow.session.loaded:
                if workflow.session.unsaved:
                    workflow.write_to_storage()
                return workflow.session
        stored = storage.transact(lambda tx: found_session(storage, tx, session_id), write=False)
        if not is_branch(stored):
            return storage.session(session_id)
        of, _, branch = stored.rpartition("@")
        return storage.session(shown_id(of), branch=branch)


def rows_in_words(rows: Sequence[str] | int, unit: str) -> str:
    """Return how many rows of a sweep there are.

    >>> rows_in_words(["blog/row-1", "blog/"], "blog/"), rows_in_words(1000, "blog/")
    ("1 row of 'blog/'", "1,000 rows of 'blog/'")
    """
    count = rows if isinstance(rows, int) else sum(not is_account(each, unit.removesuffix("/")) for each in rows)
    return f"{count:,} row{'' if count == 1 else 's'} of {unit!r}"


def _last_ran(workflow: Workflow) -> tuple[bool, datetime | float]:
    run = workflow.last_run
    return (run is not None, run.started_at if run is not None else 0.0)


def _is(one: Any, other: Any) -> bool:
    """Say whether two storages are the same place; every `memory:` that is opened is another one, but a line may mean any."""
    return one is other or (
        (getattr(one, "url", None), getattr(one, "table_name", None))
        == (getattr(other, "url", ""), getattr(other, "table_name", ""))
    )


def whole_number(text: str, what: str, *, kind: str = "number of a version") -> int:
    """Return the number that was written."""
    try:
        return int(text)
    except ValueError:
        raise BadArguments(f"{text!r} is no {kind}; {what}") from None
