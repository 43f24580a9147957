"""A process that does rows, as the one that has the sweep sees it: which rows it has, and what it tells of them and asks for."""

from __future__ import annotations

import pickle
import threading
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Protocol

from ..budget import BudgetSpent
from ..encoding import Snapshot
from ..errors import StorageFailed, UnsavableValue, Unshippable
from ..prices import note_unknown
from .away import READS
from .row import Row
from .session import Ending
from .shipped import packed_rows, unpacked
from .wire import Wire

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable, Collection, Iterator, Sequence
    from concurrent.futures import Executor

    from ..budget import Budget
    from ..kept import Kept
    from .away import Parcel
    from .session import RowSession
    from .tasks import Task


@dataclass(slots=True, eq=False)
class Held:
    """A row that another process has, and what is known of its state."""

    task: Task
    session: RowSession | None = None
    is_begun: bool = False
    kept: dict[str, Kept] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def takes(self, parcel: Parcel) -> Snapshot:
        """Take what changed; return the state as it is now."""
        self.kept = {key: kept for key, kept in self.kept.items() if key not in parcel.gone} | parcel.changed
        if self.session is not None:
            self.session.lent(parcel.blobs)
        return Snapshot(self.kept, parcel.refused)


class Sweeping(Protocol):
    """The sweep, as it is needed here."""

    budget: Budget
    storage: Any
    saving: Executor
    offer: tuple[bytes, Any]
    classes: list[type]

    def take(self, want: int, held: Collection[int]) -> Iterator[Task]:
        """Give rows to do to a process that has those."""

    def session(self, task: Task) -> RowSession:
        """Return the session of a row."""

    def over(self, row: Row, session: RowSession | None) -> None:
        """Take a row that ended."""

    def lost(self, held: list[Held]) -> None:
        """Take back rows that will not end where they were."""

    def failed(self, error: BaseException) -> None:
        """Hear that rows cannot be kept."""

    def spent(self, why: str) -> None:
        """Hear that the budget is spent."""

    def ended(self, held: list[Held]) -> None:
        """Hear that rows were stopped, and do not go on any more."""


class Hand:
    """A process that does rows."""

    def __init__(self, connection: socket.socket, sweep: Sweeping) -> None:
        self._sweep = sweep
        self.wire = Wire(connection, self._hear)
        self.held: dict[int, Held] = {}
        self._reckoned = 0
        self._ways: dict[str, Callable[..., Any]] = {
            "sweep": lambda: sweep.offer,
            "rows": self._rows,
            "begun": self._begun,
            "done": self._done,
            "read": self._read,
            "ended": self._ended,
            "failed": self._failed,
            "count": self._count,
            "reckon": self._reckon,
            "check": self._check,
            "left": self._left,
            "spent": sweep.spent,
            "overspent": sweep.budget.overspent,
            "exhausted": sweep.budget.exhaust,
            "refuse": self._refuse,
            "tightest": self._tightest,
            "spending": lambda name: getattr(sweep.budget, name),
        }

    def attend(self, secret: bytes) -> None:
        """Hear it until it is gone; then its rows are for others."""
        try:
            with suppress(ConnectionError):
                self.wire.prove(secret, first=True)
                self.wire.attend()
        finally:
            self._sweep.budget.reckon(-self._reckoned)
            self._sweep.lost(self.gives_back())

    def gives_back(self) -> list[Held]:
        """Return the rows that it had, which from now on are not its own."""
        held, self.held = self.held, {}
        return list(held.values())

    @property
    def going(self) -> int:
        """How many rows go on there."""
        return sum(held.is_begun for held in list(self.held.values()))

    def _hear(self, what: str, number: int, said: tuple[Any, ...]) -> None:
        try:
            if what == "keep":
                self._keep(number, *said)
                return
            answer = self._ways[what](*said)
        except BaseException as error:  # noqa: BLE001 - carried over to who asked
            if number:
                self.wire.refuse(number, _as_told(error))
            else:
                self._sweep.failed(error)
            return
        if number:
            self.wire.answer(number, answer)

    # -- rows --------------------------------------------------------------------------------------------------------------

    def _rows(self, want: int) -> bytes:
        """Give rows to do; one that cannot be shipped has failed."""
        tasks = []
        for task in self._sweep.take(want, self.held):
            self.held[task.number] = Held(task)
            tasks.append(task)
        try:
            return self._packed(tasks)
        except Exception:  # noqa: BLE001 - whatever a class of the user's may raise
            return self._packed([task for task in tasks if self._can_go(task)])

    def _packed(self, tasks: Sequence[Task]) -> bytes:
        told = [(task.number, task.inputs, task.session_id, task.key, task.is_new, task.past) for task in tasks]
        return packed_rows(told, self._sweep.classes)

    def _can_go(self, task: Task) -> bool:
        try:
            self._packed([task])
        except Exception as raised:  # noqa: BLE001 - whatever a class of the user's may raise
            error = Unshippable(
                f"row {task.number} cannot be shipped to other processes ({type(raised).__name__}: {raised}); "
                "give what it is made of, and make it inside run()"
            )
            row = Row(task.number, task.given, "failed", error=f"{type(error).__name__}: {error}", exception=error)
            if self.held.pop(task.number, None) is not None:
                self._sweep.over(row, None)
            return False
        return True

    def _begun(self, number: int) -> None:
        if (held := self.held.get(number)) is not None:
            held.is_begun = True

    def _keep(self, asked: int, number: int, parcel: Parcel) -> None:
        """Keep what a row has so far, and say when that is durable."""
        held = self.held.get(number)
        if held is None:
            raise StorageFailed("this row was given to another process, or is over")
        held.session = held.session or self._sweep.session(held.task)
        snapshot = held.takes(parcel)
        self._sweep.saving.submit(self._save, asked, held, snapshot, parcel)

    def _save(self, asked: int, held: Held, snapshot: Snapshot, parcel: Parcel) -> None:
        assert held.session is not None
        try:
            with held.lock, suppress(UnsavableValue):  # of what cannot be kept the other process knows
                held.session.save(parcel.records, run_id=parcel.run_id, snapshot=snapshot)
        except BaseException as error:  # noqa: BLE001 - carried over to who asked
            self.wire.refuse(asked, _as_told(error))
        else:
            self.wire.answer(asked)

    def _done(self, row: Row, content: bytes | None, error: bytes | None, parcel: Parcel | None) -> None:
        """A row is over there; what is to be kept of it came along."""
        held = self.held.pop(row.number, None)
        if held is None:
            return
        row = replace(row, given=held.task.given, content=self._unpacked(content), exception=self._unpacked(error))
        session = held.session
        if parcel is not None:
            session = held.session = session or self._sweep.session(held.task)
            session.ended_away(Ending(parcel.records, parcel.run_id, held.takes(parcel)), parcel.blobs)
        self._sweep.over(row, session)

    def _unpacked(self, data: bytes | None) -> Any:
        try:
            return None if data is None else unpacked(data, self._sweep.classes)
        except Exception:  # noqa: BLE001 - whatever a class of the user's may raise
            return None

    def _read(self, name: str, given: tuple[Any, ...], named: dict[str, Any]) -> Any:
        if name not in READS:
            raise StorageFailed(f"{name!r} is nothing that is read")
        return self._sweep.storage.transact(lambda tx: _listed(getattr(tx, name)(*given, **named)), write=False)

    def _ended(self) -> None:
        """It was stopped, and nothing goes on there any more."""
        self._sweep.ended(self.gives_back())

    def _failed(self, error: str) -> None:
        self._sweep.failed(StorageFailed(error))

    # -- what is spent -----------------------------------------------------------------------------------------------------

    def _count(self, tokens: int, cost: float | None, model: str | None, is_unknown: bool) -> None:
        if is_unknown:
            note_unknown(model)
        self._sweep.budget.count(tokens=tokens, cost=cost, model=model)

    def _reckon(self, tokens: int) -> None:
        self._reckoned += tokens
        self._sweep.budget.reckon(tokens)

    def _check(self, tokens: int, cost: float) -> str | None:
        try:
            self._sweep.budget.check(tokens=tokens, cost=cost)
        except BudgetSpent as spent:
            return str(spent)
        return None

    def _left(self) -> int | str | None:
        try:
            return self._sweep.budget.left()
        except BudgetSpent as spent:
            return str(spent)

    def _refuse(self, model: str, is_known: bool) -> str | None:
        try:
            self._sweep.budget.refuse(model, is_known=is_known)
        except BudgetSpent as spent:
            return str(spent)
        return None

    def _tightest(self) -> int | None:
        tightest = self._sweep.budget.tightest()
        return None if tightest is None else tightest[0]


def _listed(read: Any) -> Any:
    return (
        read if isinstance(read, list | dict | str | bytes | bool | int | tuple) or not hasattr(read, "__iter__") else list(read)
    )


def _as_told(error: BaseException) -> BaseException:
    """Return an error as another process can have it."""
    try:
        pickle.loads(pickle.dumps(error))  # noqa: S301 - just made
    except Exception:  # noqa: BLE001 - whatever a class of the user's may raise
        return StorageFailed(f"{type(error).__name__}: {error}")
    return error
