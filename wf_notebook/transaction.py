"""What a session asks of a storage: one transaction, and in it a few rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from .state import Change

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class About:
    """What is kept of a session besides its state."""

    workflow: str | None = None
    workflow_id: str | None = None
    user_id: str | None = None
    session_name: str | None = None
    extra_data: str | None = None


@dataclass(frozen=True, slots=True)
class Head:
    """Where a session stands in the store.

    `version` is its newest; `known_save` the save that wrote the version asked for; versions up to `hidden` were deleted.
    """

    version: int = 0
    known_save: str | None = None
    hidden: int = 0
    about: About | None = None


@dataclass(frozen=True, slots=True)
class Records:
    """Rows that go along with a save: starts and ends of runs, and what the runs said."""

    runs: Sequence[dict[str, Any]] = ()
    events: Sequence[dict[str, Any]] = ()

    def __bool__(self) -> bool:
        return bool(self.runs or self.events)


class Transaction(Protocol):
    """What a session can do inside one transaction of a storage."""

    def head(self, session_id: str, known: int) -> Head:
        """Return where the session stands."""

    def state_since(self, session_id: str, version: int) -> Iterable[Change]:
        """Return the newest change of each key that changed after `version`, hidden ones left out."""

    def has_save(self, session_id: str, save_id: str) -> bool:
        """Return whether that save is in the store."""

    def append_state(self, session_id: str, version: int, changes: Sequence[Change], *, run_id: str | None, save_id: str) -> None:
        """Append the changes of one save."""

    def append_about(self, session_id: str, op: str, about: About) -> None:
        """Append what is kept about the session from now on."""

    def append_records(self, session_id: str, records: Records) -> None:
        """Append rows of runs and events."""


class SessionStorage(Protocol):
    """A place that runs a piece of work in one transaction: all of it is kept, or nothing."""

    def transact(self, work: Callable[[Transaction], T], *, write: bool) -> T:
        """Run `work`; durable when it returns. Raises StorageBusy, StorageReadOnly, StorageFailed or BadStorage."""


def stored_id(session_id: str) -> str:
    """Return the id as it is stored: a user's own `@` is doubled, as one `@` marks a branch.

    >>> stored_id("ann@example.com")
    'ann@@example.com'
    """
    return session_id.replace("@", "@@")
