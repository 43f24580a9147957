"""How a session goes to its store: what changed, and the rows that go along, in one transaction or with those of others."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from .conflicts import Deciding
from .errors import StorageBusy, StorageReadOnly, UnsavableValue
from .ids import new_hex
from .sharing import Sharing
from .transaction import Attempt, Records, Save

if TYPE_CHECKING:
    import threading
    from collections import deque

    from .changes import Encoded
    from .encoding import Encoder, Snapshot
    from .known import Known
    from .line import Line
    from .transaction import SessionStorage, Transaction

#: So many saves are remembered of which nobody heard whether they are in the store.
ATTEMPTS = 100


@dataclass(slots=True, eq=False)
class Writing:
    """A save that is to be made of a session: `work` does it in a transaction.

    `done` hears what came of that once it is durable, and raises SessionConflict; `not_begun`, that it was not even begun.
    """

    _session: Saving
    _attempt: Attempt
    _save: Save
    _branch: str
    #: What is known before it is made for the first time; made again, it may be there.
    _known: Known | None

    @property
    def key(self) -> str:
        """What the session is stored under."""
        return self._session._line.key  # noqa: SLF001 - of its own kind

    def work(self, tx: Transaction) -> Known:
        """Make the save, and return what is known of the session then."""
        known, check = self._known or self._session._grasp(), self._session._check_owner  # noqa: SLF001 - of its own kind
        found = known.copy().fetch(tx, check, inherits=False)
        self._known = None
        return self._session._written(tx, found, self._attempt, self._save, self._branch)  # noqa: SLF001 - of its own kind

    def done(self, saved: Known) -> None:
        """Let the session know."""
        self._session._take(saved)  # noqa: SLF001 - of its own kind
        if saved.conflicts:
            raise self._session._conflict(saved.conflicts, self._attempt.mine, self._branch)  # noqa: SLF001 - of its own kind

    def not_begun(self) -> None:
        """Let the session forget it: it will be tried again and again."""
        others = (other for other in self._session._attempts if other is not self._attempt)  # noqa: SLF001 - of its own kind
        self._session._attempts = tuple(others)  # noqa: SLF001 - of its own kind


class Saving(Sharing, Deciding):
    """The part of a session that saves."""

    storage: SessionStorage | None
    loaded: bool
    _base: Encoded
    _encoder: Encoder
    _line: Line
    _attempts: tuple[Attempt, ...]
    _rows: tuple[Records, ...]
    _queued: deque[Records]
    _lock: threading.RLock

    @cached_property
    def _own_branch(self) -> str:
        """What a branch of this session object is named after where no run has a part in it."""
        return new_hex()

    def load(self) -> None:
        """Bring in what the store has."""
        raise NotImplementedError

    def snapshot(self) -> Snapshot:
        """Return the live state as it is kept."""
        raise NotImplementedError

    def _grasp(self) -> Known:
        raise NotImplementedError

    def _take(self, known: Known) -> None:
        raise NotImplementedError

    def save(self, records: Records | None = None, *, run_id: str | None = None, snapshot: Snapshot | None = None) -> None:
        """Save what changed since the last save, with the rows that go along; durable when it returns.

        `snapshot` is the state to save, where it is known already. The live dict is never changed: what others saved meanwhile
        arrives at the next load, or by `write`. Raises SessionConflict (all of mine are then kept in a branch, and the rows are
        saved), UnsavableValue (everything else is saved), and what the storage raises.
        """
        if self.storage is None:
            return
        if records:
            self.queue(records)
        with self._lock:  # whoever is first saves what the others wait for
            if not self.loaded:
                self.load()
            mine = snapshot or self.snapshot()
            if (writing := self.writing(mine, run_id=run_id)) is not None:
                self._write(writing)
            if mine.refused:
                raise UnsavableValue.joined(mine.refused.values())

    def _write(self, writing: Writing) -> None:
        assert self.storage is not None
        try:
            saved = self.storage.transact(writing.work, write=True)
        except (StorageBusy, StorageReadOnly):
            writing.not_begun()
            raise
        try:
            writing.done(saved)
        finally:
            self._line.remember(self.storage)

    def queue(self, records: Records) -> None:
        """Let rows go along with the next save."""
        self._queued.append(records)

    def writing(self, mine: Snapshot, *, run_id: str | None) -> Writing | None:
        """Return the save that is to be made for this state, and the rows that wait; None where there is nothing to save."""
        while self._queued:
            self._rows = (*self._rows, self._queued.popleft())
        if mine.kept == self._base and not self._rows and not self._grasp().has_news:
            return None
        attempt = Attempt(new_hex(), mine.kept, self._rows)
        known, save = self._grasp(), Save(attempt.save_id, run_id, self._encoder.blobs)
        self._attempts = (*self._attempts[-ATTEMPTS:], attempt)
        return Writing(self, attempt, save, run_id or self._own_branch, known)

    def _written(self, tx: Transaction, found: Known, attempt: Attempt, save: Save, branch: str) -> Known:
        """Append what is to be saved to what was found in the store."""
        return found.append(tx, attempt, save, branch)

    def conclude(self, records: Records, *, run_id: str | None, snapshot: Snapshot) -> None:
        """Save how a run ended, as `save` does, and let the storage finish: then others in this process may open its file."""
        self.save(records, run_id=run_id, snapshot=snapshot)
        finish = getattr(self.storage, "catch_up", None)
        if finish is not None:
            finish()
