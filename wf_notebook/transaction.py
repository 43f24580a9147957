"""What a session asks of a storage: one transaction, and in it a few rows."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from .errors import UnsavableValue
from .given import checked
from .users import user

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from datetime import datetime, timedelta

    from .changes import Change, Encoded

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class About:
    """What is kept of a session besides its state."""

    workflow: str | None = None
    workflow_id: str | None = None
    user_id: str | None = None
    session_name: str | None = None
    extra_data: str | None = None
    #: Nobody chose the workflow_id: it gives way to the one that is stored.
    is_made_up: bool = field(default=False, compare=False, repr=False)
    #: Who does what is done here, which need not be whose it is; None means who works in this process.
    acting: str | None = field(default=None, compare=False, repr=False)
    #: With whom it is shared, as the store has it; None stands for everybody.
    shared: frozenset[str | None] = field(default=frozenset(), compare=False, repr=False)

    def __post_init__(self) -> None:
        """Take texts only: what is no text would be no text in the store either."""
        for name in ("workflow", "workflow_id", "user_id", "session_name"):
            if type(value := getattr(self, name)) is not str and value is not None:
                checked("name" if name == "workflow" else name, value, (str,), "a str")

    def filled(self, stored: About) -> About:
        """Return what is known here, gaps filled from what is stored.

        >>> About(workflow="Blog").filled(About(workflow="blog", user_id="ann"))
        About(workflow='Blog', workflow_id=None, user_id='ann', session_name=None, extra_data=None)
        """
        gaps = [name for name in About.__slots__ if getattr(self, name) is None]
        if self.is_made_up and stored.workflow_id:
            gaps.append("workflow_id")
        return replace(self, **{name: getattr(stored, name) for name in gaps}).owned_as(stored)

    def owned_as(self, stored: About | None) -> About:
        """Return the same with the owner that the session has: who runs in it does not take it over; a new one is who acts's.

        >>> About(user_id="ann").owned_as(About(user_id="bob")).user_id, About(acting="ann").owned_as(About()).user_id
        ('bob', None)
        >>> About(acting="ann").owned_as(None).user_id
        'ann'
        """
        if stored is None:
            owner, shared = self.user_id or self.acting or user(), self.shared
        else:
            owner, shared = stored.user_id or self.user_id, stored.shared
        return self if (owner, shared) == (self.user_id, self.shared) else replace(self, user_id=owner, shared=shared)


@dataclass(frozen=True, slots=True)
class Head:
    """Where a session stands in the store.

    `version` is its newest, written by `newest_save`; `known_save` wrote the version asked for; `revision` counts what was said
    about it, 0 if it was never there; versions up to `hidden` were deleted, those before `since` folded into that one.
    """

    version: int = 0
    newest_save: str | None = None
    known_save: str | None = None
    revision: int = 0
    hidden: int = 0
    since: int = 0
    about: About | None = None


@dataclass(frozen=True, slots=True)
class Records:
    """Rows that go along with a save: starts and ends of runs, what the runs said, and the steps that were done."""

    runs: Sequence[dict[str, Any]] = ()
    events: Sequence[dict[str, Any]] = ()
    steps: Sequence[dict[str, Any]] = ()

    def __bool__(self) -> bool:
        return bool(self.runs or self.events or self.steps)

    @classmethod
    def joined(cls, several: Iterable[Records]) -> Records:
        """Return all rows of several saves: a table takes many at once as soon as one.

        >>> Records.joined([Records(steps=[{"step_id": "1"}]), Records(events=[{"seq": 1}]), Records(steps=[{"step_id": "2"}])])
        Records(runs=[], events=[{'seq': 1}], steps=[{'step_id': '1'}, {'step_id': '2'}])
        """
        kinds = zip(*((one.runs, one.events, one.steps) for one in several), strict=True)
        return cls(*([row for rows in kind for row in rows] for kind in kinds))

    @property
    def leave_open(self) -> bool:
        """Whether a run begins in these rows that does not end in them."""
        ended = {run["run_id"] for run in self.runs if run["phase"] == "end"}
        return any(run["run_id"] not in ended for run in self.runs)

    def noting(self, error: str | None) -> Records:
        """Return the rows with an error noted in those of ended runs that have none."""
        if error is None:
            return self
        return Records(
            [{**run, "error": run["error"] or error} if run["phase"] == "end" else run for run in self.runs],
            self.events,
            self.steps,
        )


@dataclass(frozen=True, slots=True)
class Inherited:
    """A session as another program kept it, in a table of its own: it is read once, and never written."""

    about: About
    state: dict[str, Any]


@dataclass(slots=True, eq=False)
class Attempt:
    """A save that was begun: whether it is in the store will be seen if nobody says so. `made` is what mine became there."""

    save_id: str
    mine: Encoded
    rows: tuple[Records, ...]
    made: Encoded = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Save:
    """One save: by which run, and with which arrays and frames, by content."""

    save_id: str
    run_id: str | None = None
    blobs: Mapping[str, bytes] = field(default_factory=dict)


class Transaction(Protocol):
    """What a session can do inside one transaction of a storage.

    `before` and `after` are stamps: where one transaction's `after` is the next one's `before`, nobody wrote in between. None
    where that cannot be told without reading.
    """

    before: int | None
    after: int | None

    def head(self, session_id: str, known: int) -> Head:
        """Return where the session stands."""

    def changes(
        self, session_id: str, *, after: int = 0, until: int | None = None, keys: Sequence[str] | None = None
    ) -> Iterable[Change]:
        """Return what was changed after a version, until another one or the newest, in order; of all keys, or of some.

        Left out is what was undone by a later change of the whole key.
        """

    def last_changes(self, session_id: str, *, after: int, until: int) -> Sequence[tuple[str, int, int]]:
        """Return each key that is there at a version, which one changed it last, and which one set it as a whole.

        They are in the order in which `changes` leads to them.
        """

    def blobs(self, hashes: Iterable[str]) -> dict[str, bytes]:
        """Return the bytes of blobs, as far as they are there."""

    def versions(self, session_id: str, *, after: int = 0) -> Sequence[tuple[Any, ...]]:
        """Return version, saved_at, run_id, key and op of each change after a version, in order."""

    def has_save(self, session_id: str, save_id: str) -> bool:
        """Return whether that save is in the store."""

    def has_records(self, records: Records) -> bool:
        """Return whether these rows are in the store."""

    def steps(self, session_id: str, *, after: int = 0, within: int = 0) -> list[dict[str, Any]]:
        """Return the rows of a session's steps after one of them, in order; results of the newest, within so many characters."""

    def step_sizes(self, session_id: str) -> list[tuple[str, int]]:
        """Return the steps of a session in the order in which they were done, and how many characters what each gave has."""

    def erase_steps(self, session_id: str, step_ids: Sequence[str]) -> None:
        """Erase steps for good."""

    def step_at(self, session_id: str, seq: int) -> str | None:
        """Return the id of the step that a row of a session is of, None if there is no such row, or it is of none."""

    def step_texts(self, step_ids: Iterable[str], column: str) -> dict[str, str]:
        """Return what steps gave ("result"), or what they were keyed by ("parts"), as JSON text by the id of the step."""

    def inherited(self, session_id: str) -> Inherited | None:
        """Return what another program kept of the session in this database."""

    def end_lost(self, session_id: str) -> bool:
        """End runs of this session whose process is gone: they are `lost`. Return whether others are open."""

    def append_state(self, session_id: str, version: int, changes: Sequence[Change], save: Save) -> None:
        """Append the changes of one save, and the blobs that they refer to, each once."""

    def compact(self, session_id: str, version: int, state: Sequence[Change]) -> None:
        """Fold all versions up to this one into it: of the older ones nothing stays but the state that they led to."""

    def append_about(self, session_id: str, op: str, about: About) -> None:
        """Append what is kept about the session from now on."""

    def append_restored(self, session_id: str) -> bool:
        """Bring a deleted session back, with the versions that it had; return whether it was deleted."""

    def copy_deleted(self, session_id: str, new_id: str) -> bool:
        """Give what a session had when it was last deleted to a session of another id; return whether it ever was."""

    def append_records(self, session_id: str, records: Records) -> None:
        """Append rows of runs, events and steps."""


class SessionStorage(Protocol):
    """A place that runs a piece of work in one transaction: all of it is kept, or nothing."""

    def transact(self, work: Callable[[Transaction], T], *, write: bool) -> T:
        """Run `work`; durable when it returns. Raises StorageBusy, StorageReadOnly, StorageFailed or BadStorage."""

    def purge(self, session_id: str | None = None, *, older_than: datetime | timedelta | None = None) -> object:
        """Erase a session, or what is older than that, for good."""

    def stamp(self) -> int | None:
        """Return the last `after` if nobody wrote since, None where that cannot be told cheaply."""


def stored_id(session_id: str) -> str:
    """Return the id as it is stored: a user's own `@` is doubled, as one `@` marks a branch.

    >>> stored_id("ann@example.com")
    'ann@@example.com'
    """
    checked("session_id", session_id, (str,), "a str")
    try:
        session_id.encode()
    except UnicodeEncodeError:
        raise UnsavableValue(
            f"session_id {session_id!r} holds half of a surrogate pair, which is no text; clean it first", path="session_id"
        ) from None
    return session_id.replace("@", "@@")


def stored_ids(shown: str) -> list[str]:
    """Return how an id may be stored that was read in a table: as a session's, or else as that of a branch.

    >>> stored_ids("demo@run-1")
    ['demo@@run-1', 'demo@run-1']
    """
    checked("session_id", shown, (str,), "a str")
    ends = [place for place, character in enumerate(shown) if character == "@"]
    return [stored_id(shown), *(f"{stored_id(shown[:end])}@{shown[end + 1 :]}" for end in reversed(ends))]


def shown_id(stored: str) -> str:
    """Return a stored id as people know it.

    >>> shown_id("ann@@example.com"), shown_id("demo@run-1")
    ('ann@example.com', 'demo@run-1')
    """
    return stored.replace("@@", "@")


def is_branch(stored: str) -> bool:
    """Say whether a stored id is that of a branch: it has an `@` of its own.

    >>> is_branch("ann@@example.com"), is_branch("demo@run-1")
    (False, True)
    """
    return "@" in stored.replace("@@", "")


#: How the session of a row of a sweep is named after the sweep's name: by the inputs of the row, or by its place.
_ROW = re.compile(r"(?:[a-z0-9][a-z0-9-]*-)?[0-9a-f]{16}(?:-\d+)?|row-\d+")


def sweep_of(session_id: str) -> str | None:
    """Return the name of the sweep that a session is a row of, as far as its id says so; None for any other session.

    >>> sweep_of("blog/cheese-wine-f878b4483e8a63d2-2"), sweep_of("trial/row-7"), sweep_of("mine/first"), sweep_of("demo")
    ('blog', 'trial', None, None)
    """
    name, _, row = session_id.rpartition("/")
    return name if name and _ROW.fullmatch(row) else None
