"""Sessions are carried from one store to another: all that is said of each, many in one transaction there, and nothing twice."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from ..errors import (
    BadStorage,
    SessionExists,
    StorageBusy,
    StorageFailed,
    StorageReadOnly,
    UnknownSession,
    WorkflowError,
)
from ..owners import Sight
from ..transaction import is_branch, shown_id, stored_id
from .cargo import Cargo, TooMuch
from .erasing import known, own
from .standing import Standing, Trip, among, groups, lines_of, named_there, standings

if TYPE_CHECKING:
    from collections.abc import Mapping
    from collections.abc import Set as AbstractSet

    from .rows import SqlTransaction
    from .sql import SqlStorage

#: So often it is looked again, where somebody writes the session there at the same time.
TRIES = 5
#: So many sessions go in one transaction, at first and later; and so many bytes of several.
FIRST, AT_ONCE, MOST = 8, 200, 32_000_000
#: After so many in a row that could not be written the others are not tried.
IN_A_ROW = 5


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
    #: How often something was said about it: that it is named so, shared, deleted.
    said: int = 0
    #: Whether the session is new there; else what came since was appended.
    is_new: bool = True

    @property
    def done(self) -> str:
        """What was done, in a word or two."""
        return "copied" if self.is_new else "went on" if self.has_news else "was there"

    @property
    def has_news(self) -> bool:
        """Whether anything was written."""
        return any((self.is_new, self.versions, self.runs, self.events, self.steps, self.blobs, self.said))


def carried(
    source: SqlStorage, target: SqlStorage, ids: Mapping[str, str], *, along: AbstractSet[str] = frozenset()
) -> dict[str, Copied | WorkflowError]:
    """Copy sessions, or what is new of them, each under its id there; return of each what was copied, or why it could not be.

    `along` are the sessions, as they are stored, that are copied beside these: whose steps are remembered, they will be there.
    """
    done: dict[str, Copied | WorkflowError] = {}
    left, many = list(ids), FIRST
    while left:
        some, left = left[:many], left[many:]
        done |= _some(source, target, {each: ids[each] for each in some}, along)
        failed = [isinstance(each, StorageFailed) for each in list(done.values())[-IN_A_ROW:]]
        if all(failed) and len(failed) == IN_A_ROW:
            break
        many = min(4 * many, AT_ONCE)
    return done


def _some(
    source: SqlStorage, target: SqlStorage, ids: Mapping[str, str], along: AbstractSet[str]
) -> dict[str, Copied | WorkflowError]:
    """Copy these in one transaction, or where that cannot be done, a half of them and the other half."""
    try:
        return Copying(source, target, ids, along).done()
    except (StorageBusy, StorageReadOnly, BadStorage):
        raise
    except (WorkflowError, TooMuch) as error:
        if len(ids) == 1 and isinstance(error, WorkflowError):
            return dict.fromkeys(ids, error)
        listed, half = list(ids), len(ids) // 2
        halves = ({each: ids[each] for each in some} for some in (listed[:half], listed[half:]))
        return {name: told for some in halves for name, told in _some(source, target, some, along).items()}


@dataclass(frozen=True)
class Copying:
    """Sessions on their way, all in one transaction: from which store, to which, and under which id each."""

    source: SqlStorage
    target: SqlStorage
    ids: Mapping[str, str]
    along: AbstractSet[str] = frozenset()

    def done(self) -> dict[str, Copied | WorkflowError]:
        """Copy them, or what is new of them. Raises TooMuch, and SessionExists where others write them all the time."""
        for _ in range(TRIES):
            copied = self._tried()
            if copied is not None:
                return copied
        first = next(iter(self.ids.values()))
        raise SessionExists(f"session {first!r} in {self.target.url} is being written by others; copy it again later")

    def _tried(self) -> dict[str, Copied | WorkflowError] | None:
        """Copy them; None where somebody wrote one of them there in between."""
        refused: dict[str, Copied | WorkflowError] = {}
        lines, runs = self.source.transact(lambda tx: self._found(cast("SqlTransaction", tx), refused), write=False)
        if not lines:
            return refused
        ids = {stored_id(each): each for each in self.ids}
        to = {key: {suffix: f"{stored_id(self.ids[ids[key]])}{suffix}" for suffix in each} for key, each in lines.items()}

        def look(tx: Any) -> tuple[dict[str, str], dict[str, Standing]]:
            names = named_there(tx, runs, to)
            return names, standings(tx, to, {names[run]: key for run, key in runs.items()})

        names, there = self.target.transact(look, write=False)
        with Cargo(names, most=MOST if len(lines) > 1 else None) as cargo:

            def pack(tx: Any) -> dict[str, Trip]:
                cargo.begin()
                trips = {}
                for key, here in standings(tx, lines, runs).items():
                    if (error := self._refusal(ids[key], here, there[key])) is not None:
                        refused[ids[key]] = error
                        continue
                    wanted = _wanted(here, there[key], lines[key], to[key], self.along)
                    trips[key] = Trip(wanted, to[key], here, there[key])
                cargo.pack(tx, trips, {run: key for run, key in runs.items() if key in trips})
                return trips

            trips = self.source.transact(pack, write=False)

            def write(tx: Any) -> bool:
                for key in sorted(each[""] for each in to.values()):
                    tx.hold(key)  # a database in which several save at once keeps the others off from here on
                if look(tx) != (names, there):
                    return False
                cargo.unpack(tx)
                return True

            if cargo.has_rows and not self.target.transact(write, write=True):
                return None
            done = {
                ids[key]: Copied(ids[key], self.ids[ids[key]], **cargo.counts[key], is_new=not trips[key].there.about)
                for key in trips
            }
        return {each: (done | refused)[each] for each in self.ids}

    def _found(
        self, tx: SqlTransaction, refused: dict[str, Copied | WorkflowError]
    ) -> tuple[dict[str, dict[str, str]], dict[str, str]]:
        """Return the lines of the sessions, and of which session each of their runs is. Raises TooMuch."""
        refused.clear()
        keys, there = [], own(tx, list(self.ids))
        for session_id in self.ids:
            try:
                keys.append(key if (key := stored_id(session_id)) in there else self._known(tx, session_id))
            except WorkflowError as error:
                refused[session_id] = error
        lines = lines_of(tx, keys) if keys else {}
        whose = {stored: key for key, each in lines.items() for stored in each.values()}
        runs: dict[str, str] = {}
        for some in groups([*whose]):
            sql = f"SELECT run_id, session_id FROM run_log WHERE store = ? AND phase = 'start' AND {among('session_id', some)}"
            for run, stored in tx.rows(f"{sql} ORDER BY happened_at, run_id", (tx.store, *some)):
                if runs.setdefault(run, whose[stored]) != whose[stored]:
                    raise TooMuch  # a run of two sessions has two names there
        return lines, runs

    def _known(self, tx: SqlTransaction, session_id: str) -> str:
        """Return how the id of a session is stored that is there."""
        key = known(tx, session_id, self.source.url, alone=False)
        if tx.head(key, 0).about is None:
            raise UnknownSession(
                f"session {session_id!r} is kept by another program in {self.source.url}; run a workflow in it first"
                if tx.inherited(session_id) and not tx.head(key, 0).revision
                else f"session {session_id!r} was deleted; %wf restore --deleted {session_id} brings it back"
            )
        return key

    def _refusal(self, session_id: str, here: Standing, there: Standing) -> SessionExists | None:
        """Return what is said where the session that has this id there is another one."""
        new_id = self.ids[session_id]
        at = f"session {new_id!r}", self.target.url
        if told := here.differs_from(there):
            return SessionExists(f"there is another {at[0]} in {at[1]} already: {told}; copy it beside that one: --as NEW_ID")
        if there.is_deleted and not here.is_deleted:
            return SessionExists(
                f"{at[0]} was deleted in {at[1]}; copy it beside that one, --as NEW_ID, or bring that one back: "
                f"%wf restore --deleted {new_id} --storage {at[1]}"
            )
        return None


def _wanted(
    here: Standing, there: Standing, lines: Mapping[str, str], to: Mapping[str, str], along: AbstractSet[str]
) -> dict[str, str]:
    """Return the lines to carry: the steps of the session that it was forked from too, if it will not be there itself."""
    wanted: dict[str, str] = {}
    for suffix, stored in lines.items():
        if not suffix.endswith("@origin"):
            wanted[suffix] = stored
            continue
        of = suffix.removesuffix("@origin")
        met = there.origins.get(of)
        if of in wanted and (met == to[suffix] if met is not None else here.origins[of] not in along):
            wanted[suffix] = stored
    return wanted


def listed(source: SqlStorage) -> list[str]:
    """Return the ids of all sessions of a store, the first one first."""
    seen, given = Sight(source.read, source.table_name).of_sessions()
    sql = f"SELECT session_id FROM sessions s WHERE store = ? AND {seen} ORDER BY created_at, session_id"
    return [shown_id(stored) for (stored,) in source.read(sql, (source.table_name, *given)) if not is_branch(stored)]
