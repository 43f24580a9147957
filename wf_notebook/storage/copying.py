"""A session is carried from one store to another: all that is said of it, in one transaction there, and nothing twice."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from ..errors import SessionExists, UnknownSession
from ..owners import visible
from ..transaction import is_branch, shown_id, stored_id
from .cargo import Cargo
from .erasing import known
from .standing import Standing, lines_of, named_there, standing

if TYPE_CHECKING:
    from collections.abc import Set as AbstractSet

    from .rows import SqlTransaction
    from .sql import SqlStorage

#: So often it is looked again, where somebody writes the session there at the same time.
TRIES = 5


@dataclass(frozen=True, slots=True)
class Copied:
    """What was copied of a session, and under which id it is there; all numbers are 0 where it was there already."""

    session_id: str
    new_id: str
    versions: int = 0
    runs: int = 0
    events: int = 0
    steps: int = 0
    blobs: int = 0
    #: Whether the session is new there; else what came since was appended.
    is_new: bool = True

    @property
    def done(self) -> str:
        """What was done, in a word or two."""
        return "copied" if self.is_new else "went on" if self.has_news else "was there"

    @property
    def has_news(self) -> bool:
        """Whether anything was written."""
        return any((self.is_new, self.versions, self.runs, self.events, self.steps, self.blobs))


@dataclass(frozen=True)
class Copying:
    """One session on its way: from which store, to which, and under which id."""

    source: SqlStorage
    target: SqlStorage
    session_id: str
    new_id: str
    #: As they are stored, the sessions that are copied beside this one: whose steps it remembers, it will find there.
    along: AbstractSet[str] = frozenset()

    def done(self) -> Copied:
        """Copy it, or what is new of it. Raises UnknownSession, and SessionExists where another one has that id."""
        for _ in range(TRIES):
            copied = self._tried()
            if copied is not None:
                return copied
        raise SessionExists(f"session {self.new_id!r} in {self.target.url} is being written by others; copy it again later")

    def _tried(self) -> Copied | None:
        """Copy it; None where somebody wrote the session there in between."""
        lines, runs = self.source.transact(lambda tx: self._found(cast("SqlTransaction", tx)), write=False)
        to = {suffix: f"{stored_id(self.new_id)}{suffix}" for suffix in lines}

        def look(tx: Any) -> tuple[dict[str, str], Standing]:
            names = named_there(tx, runs, to)
            return names, standing(tx, to, [names[run] for run in runs])

        names, there = self.target.transact(look, write=False)
        with Cargo(names) as cargo:

            def pack(tx: Any) -> bool:
                cargo.begin()
                here = standing(tx, lines, runs)
                self._check(here, there)
                wanted = self._wanted(here, there, lines)
                cargo.pack(tx, {suffix: (lines[suffix], to[suffix]) for suffix in wanted}, runs, here=here, there=there)
                return not there.about

            is_new = self.source.transact(pack, write=False)
            if not cargo.has_rows:
                return Copied(self.session_id, self.new_id, is_new=False)

            def write(tx: Any) -> bool:
                tx.head(to[""], 0)  # a database in which several save at once keeps the others off a session from here on
                if look(tx) != (names, there):
                    return False
                cargo.unpack(tx, to)
                return True

            if not self.target.transact(write, write=True):
                return None
            return Copied(self.session_id, self.new_id, **cargo.counts, is_new=is_new)

    def _found(self, tx: SqlTransaction) -> tuple[dict[str, str], list[str]]:
        """Return the lines of the session, and the ids of its runs."""
        key = known(tx, self.session_id, self.source.url, alone=False)
        if tx.head(key, 0).about is None:
            raise UnknownSession(
                f"session {self.session_id!r} is kept by another program in {self.source.url}; run a workflow in it first"
                if tx.inherited(self.session_id) and not tx.head(key, 0).revision
                else f"session {self.session_id!r} was deleted; %wf restore --deleted {self.session_id} brings it back"
            )
        lines = lines_of(tx, key)
        sql = "SELECT run_id FROM run_log WHERE store = ? AND session_id = ? AND phase = 'start' ORDER BY happened_at, run_id"
        return lines, [run for stored in lines.values() for (run,) in tx.rows(sql, (tx.store, stored))]

    def _check(self, here: Standing, there: Standing) -> None:
        """Raise SessionExists where the session that has this id there is another one."""
        at = f"session {self.new_id!r}", self.target.url
        if told := here.differs_from(there):
            raise SessionExists(f"there is another {at[0]} in {at[1]} already: {told}; copy it beside that one: --as NEW_ID")
        if there.is_deleted and not here.is_deleted:
            raise SessionExists(
                f"{at[0]} was deleted in {at[1]}; copy it beside that one, --as NEW_ID, or bring that one back: "
                f"%wf restore --deleted {self.new_id} --storage {at[1]}"
            )

    def _wanted(self, here: Standing, there: Standing, lines: dict[str, str]) -> dict[str, str]:
        """Return the lines to carry: the steps of the session that it was forked from too, if it will not be there itself."""
        wanted: dict[str, str] = {}
        for suffix, stored in lines.items():
            if not suffix.endswith("@origin"):
                wanted[suffix] = stored
                continue
            of = suffix.removesuffix("@origin")
            met = there.origins.get(of)
            own = f"{stored_id(self.new_id)}{suffix}"
            if of in wanted and (met == own if met is not None else here.origins[of] not in self.along):
                wanted[suffix] = stored
        return wanted


def listed(source: SqlStorage) -> list[str]:
    """Return the ids of all sessions of a store, the first one first."""
    rows = source.read("SELECT session_id FROM sessions WHERE store = ? ORDER BY created_at, session_id", (source.table_name,))
    sees = visible(source.read, source.table_name)
    return [shown_id(stored) for (stored,) in rows if not is_branch(stored) and sees(stored)]
