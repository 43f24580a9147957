"""A row in another process than its store: what is to be kept goes over the wire, and what it asks of the store comes back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from ..budget import Budget, BudgetSpent
from ..errors import StorageFailed, StorageReadOnly, UnsavableValue
from ..prices import is_unknown
from ..storage.no_rows import NoRows
from ..transaction import Records
from .doing import Doing
from .session import RowSession
from .wire import Severed

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ..encoding import Snapshot
    from ..kept import Kept
    from ..transaction import About
    from .tasks import Task
    from .wire import Wire

#: What a row may ask of the store.
READS = frozenset({"head", "changes", "last_changes", "blobs", "versions", "has_save", "has_records", "steps", "step_sizes",
                   "step_at", "step_texts", "inherited", "sources"})  # fmt: skip


class Parcel(NamedTuple):
    """What is to be kept of a row: what changed in the state since the last parcel, and the rows that go along."""

    changed: dict[str, Kept]
    gone: list[str]
    refused: Mapping[str, UnsavableValue]
    blobs: dict[str, bytes]
    records: Records
    run_id: str | None


class AwayDoing(Doing):
    """Does rows whose store is elsewhere."""

    def __init__(self, workflow: Any, *, cache: Any, wire: Wire) -> None:
        super().__init__(workflow, cache=cache, shared=None)
        self._wire = wire

    def session(self, task: Task) -> RowSession:
        """Return the session of a row, with the state that it begins with."""
        return AwaySession(task, wire=self._wire, state=self.begins_with(), about=self._workflow.about())


class AwaySession(RowSession):
    """The session of a row whose store is elsewhere: it is saved when that says so."""

    storage: AwayStorage

    def __init__(self, task: Task, *, wire: Wire, state: dict[str, Any], about: About) -> None:
        store = AwayStorage(wire, is_new=task.is_new)
        super().__init__(task.session_id, storage=store, state=state, about=about, is_new=True, due=None)
        self._number, self._wire = task.number, wire
        self._sent: set[str] = set()

    def save(self, records: Records | None = None, *, run_id: str | None = None, snapshot: Snapshot | None = None) -> None:
        """Save what changed since the last time, with the rows that go along; durable when it returns."""
        with self._lock:
            if not self.loaded:
                self.load()
            mine = snapshot or self.snapshot()
            if records or mine.kept != self._base:
                parcel = self.parcel(mine, records or Records(), run_id)
                try:
                    self._wire.ask("keep", self._number, parcel)
                except Severed as error:
                    raise StorageFailed("the process of the sweep is gone, and keeps nothing of this row any more") from error
                self.is_sent(mine, parcel)
            if mine.refused:
                raise UnsavableValue.joined(mine.refused.values())

    def parcel(self, mine: Snapshot, records: Records, run_id: str | None) -> Parcel:
        """Return what is to be sent of this state, with rows."""
        changed = {key: kept for key, kept in mine.kept.items() if self._base.get(key) != kept}
        gone = [key for key in self._base if key not in mine.kept]
        blobs = {name: data for name, data in self._encoder.blobs.items() if name not in self._sent}
        return Parcel(changed, gone, mine.refused, blobs, records, run_id)

    def is_sent(self, mine: Snapshot, parcel: Parcel) -> None:
        """Know that a parcel has arrived."""
        self._base, self.storage.is_new = mine.kept, False
        self._sent |= parcel.blobs.keys()


class AwayStorage:
    """The store of the process that has the sweep, as a row may ask for it."""

    file, table_name, url = None, "", "elsewhere"

    def __init__(self, wire: Wire, *, is_new: bool) -> None:
        self._wire, self.is_new = wire, is_new

    def stamp(self) -> int:
        """Return always the same: nobody else writes this session."""
        return 0

    def transact(self, work: Callable[[Any], Any], *, write: bool) -> Any:
        """Let something be read; of a session that is new there is nothing."""
        if write:
            raise StorageReadOnly("a row that another process does cannot change its store; save by write_to_storage()")
        return work(_Nothing() if self.is_new else _There(self._wire))

    def purge(self, session_id: str | None = None, *, older_than: object = None) -> object:
        """Refuse: rows are kept elsewhere."""
        return self.transact(lambda _: None, write=True)


class _Nothing(NoRows):
    before = after = 0  # type: ignore[assignment] # the stamp that never changes


class _There:
    before = after = 0

    def __init__(self, wire: Wire) -> None:
        self._wire = wire

    def __getattr__(self, name: str) -> Callable[..., Any]:
        if name not in READS:
            raise AttributeError(name)

        def read(*given: Any, **named: Any) -> Any:
            try:
                return self._wire.ask("read", name, tuple(map(_plain, given)), named)
            except Severed as error:
                raise StorageFailed("the process of the sweep is gone, and reads nothing for this row any more") from error

        return read


def _plain(given: Any) -> Any:
    return given if isinstance(given, str | int | Records) or given is None else list(given)


class AwayBudget(Budget):
    """The budget of a sweep that another process has: what is spent is told there, and asked before each request."""

    def __init__(self, wire: Wire, *, is_limited: bool, max_tokens: int | None, max_cost: float | None) -> None:
        self._wire, self._is_limited = wire, is_limited
        self.max_tokens, self.max_cost, self.within = max_tokens, max_cost, None
        self._unpriced = None

    def __getattr__(self, name: str) -> Any:
        if name in {"tokens", "cost"}:
            return self._wire.ask("spending", name)
        if name == "exhausted":
            return False
        raise AttributeError(name)

    def __setattr__(self, name: str, value: Any) -> None:
        if name == "exhausted":
            self._wire.tell("exhausted")
        else:
            super().__setattr__(name, value)

    def count(self, *, tokens: int = 0, cost: float | None = None, model: str | None = None) -> None:
        """Tell what was spent."""
        self._wire.tell("count", tokens, cost, model, is_unknown(model))

    def refuse(self, model: str, *, is_known: bool = True) -> None:
        """Raise BudgetSpent before a model is asked of which no price is known, here or there, where US dollars are limited."""
        if self._is_limited:
            self._raise(self._wire.ask("refuse", model, is_known and not is_unknown(model)))

    def tightest(self) -> tuple[int, Budget] | None:
        """Return how many tokens are left of that of which the fewest are, of the sweep's and those around it."""
        left: int | None = self._wire.ask("tightest") if self._is_limited else None
        return None if left is None else (left, self)

    def reckon(self, tokens: int) -> None:
        """Tell what a request under way has used."""
        if self._is_limited:
            self._wire.tell("reckon", tokens)

    def check(self, *, tokens: int = 0, cost: float = 0.0) -> None:
        """Raise BudgetSpent if more was spent than may be."""
        if self._is_limited:
            self._raise(self._wire.ask("check", tokens, cost))

    def left(self) -> int | None:
        """Return how many tokens a next request may use."""
        if not self._is_limited:
            return None
        left: int | str | None = self._wire.ask("left")
        if isinstance(left, str):
            self._raise(left)
            return None
        return left

    def overspent(self) -> str | None:
        """Return why nothing more may be spent."""
        why: str | None = self._wire.ask("overspent") if self._is_limited else None
        return why

    def _raise(self, why: str | None) -> None:
        if why is not None:
            raise BudgetSpent(why, lambda said: self._wire.tell("spent", said))
