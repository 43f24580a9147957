"""Rows that are done in other processes: they are asked to come for rows, and what comes back is kept here."""

from __future__ import annotations

import secrets
import socket
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from time import monotonic
from typing import TYPE_CHECKING, Any

from ..background.waiting import Bell
from ..errors import WorkersLost
from .hand import Hand
from .handout import Handout
from .posting import Posting
from .row import Row
from .wire import Severed, closed_in_a_child

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator
    from concurrent.futures import Executor

    from ..budget import Budget
    from .doing import Doing
    from .halls import Hall
    from .hand import Held
    from .keeping import Keeper
    from .remote import Terms
    from .session import RowSession
    from .shipped import Cargo
    from .tasks import Recall, Task, Tasks

#: So many saves are made at once, and so long rows that were stopped are waited for, in seconds.
SAVES, PATIENCE = 16, 5.0
#: So long those that came are waited for to be back, in seconds.
HOME = 1.0


class Dispatch:
    """Does what a crew does, by other processes: each comes for rows, for a while, and is asked again."""

    def __init__(
        self,
        tasks: Tasks,
        doing: Doing,
        keeper: Keeper,
        *,
        hall: Hall,
        cargo: Cargo,
        terms: Terms,
        limit: int | None,
        total: int | None,
        storage: Any,
        budget: Budget,
        recall: Recall | None,
        idle: Callable[[], object],
        spent: Callable[[str], object],
    ) -> None:
        self._keeper, self._hall, self._recall, self._idle, self._spent = keeper, hall, recall, idle, spent
        self._rows = Handout(tasks, keeper, total=total, tries=hall.tries, unread=self._ends_with)
        self.storage, self.budget = storage, budget
        self.offer, self.classes = (cargo.data, terms), cargo.classes
        self.session = doing.session
        self.saving: Executor = ThreadPoolExecutor(SAVES, thread_name_prefix="wf_notebook-sweep-save")
        self._secret, self._bell = secrets.token_bytes(32), Bell()
        self._hands: list[Hand] = []
        self._changing = threading.Lock()
        self._posting = Posting(hall, limit=limit, back=self._ring, failed=self.failed)
        self._is_over = self._has_news = False
        self._stopped_at: float | None = None
        self.error: BaseException | None = None

    def start(self) -> None:
        """Begin."""
        self._door = socket.create_server((self._hall.host, 0))
        closed_in_a_child(self._door)
        self._posting.leads_to(self._hall.host, self._door.getsockname()[1], self._secret)
        threading.Thread(target=self._open, name="wf_notebook-sweep-door", daemon=True).start()
        threading.Thread(target=self._manage, name="wf_notebook-sweep-dispatch", daemon=True).start()

    # -- as a crew ---------------------------------------------------------------------------------------------------------

    @property
    def going(self) -> int:
        """How many rows go on."""
        return sum(hand.going for hand in list(self._hands))

    @property
    def waits(self) -> str | None:
        """For what is waited while no row can be done."""
        return self._hall.waits

    @property
    def is_idle(self) -> bool:
        """Whether nobody does anything any more."""
        return self._is_over

    @property
    def is_stopped(self) -> bool:
        """Whether no other row is begun."""
        return self._stopped_at is not None

    def stop(self) -> None:
        """Begin no other row, and end those that go on."""
        with self._changing:
            if self.is_stopped:
                return
            self._stopped_at = monotonic()
            self._rows.close()
            hands = list(self._hands)
        for hand in hands:
            with suppress(Severed):
                hand.wire.tell("stop")
        self._bell.ring()

    def leave(self, error: BaseException) -> None:
        """Let go of the rows that have not ended although they were told to: they are recorded as they are."""
        for hand in list(self._hands):
            for one in hand.gives_back():
                if one.is_begun:
                    task = one.task
                    self._keeper.put(Row(task.number, task.given, "stopped", session_id=task.session_id, exception=error), None)
                self._rows.over(one.task.number)
        self._bell.ring()

    # -- those who come ----------------------------------------------------------------------------------------------------

    def _open(self) -> None:
        """Let in who comes."""
        while True:
            try:
                connection, _ = self._door.accept()
            except OSError:
                return
            threading.Thread(target=self._attend, args=(connection,), name="wf_notebook-sweep-hand", daemon=True).start()

    def _attend(self, connection: socket.socket) -> None:
        hand = Hand(connection, self)
        with self._changing:
            self._hands.append(hand)
            is_late = self.is_stopped or self._is_over
        if is_late:
            self._posting.heard()
            hand.wire.sever()
        try:
            hand.attend(self._secret)
        finally:
            with self._changing:
                self._hands.remove(hand)
            self._bell.ring()

    def take(self, want: int, held: Collection[int]) -> Iterator[Task]:
        """Give rows to do to a process that has those; of the last ones to each only a few."""
        self._posting.heard()
        if self._rows.left is not None:
            want = min(want, max(1, self._rows.left // (2 * self._posting.slots)))
        while want and not self.is_stopped and (task := self._rows.next(held)) is not None:
            want -= 1
            yield task

    def over(self, row: Row, session: RowSession | None) -> None:
        """Take a row that ended."""
        self._keeper.put(row, session)
        self._rows.over(row.number)
        if self._rows.is_exhausted:
            self._bell.ring()

    def lost(self, held: list[Held]) -> None:
        """Take back rows whose process is gone."""
        for one in held:
            if one.is_begun and (row := self._rows.suspects.dies_with(one.task)) is not None:
                self.over(row, None)
            else:
                self._rows.put_back(self._looked_up(one.task) if one.is_begun else one.task)
        self._bell.ring()

    def _looked_up(self, task: Task) -> Task:
        """Return a row to do again: what it had kept is in the store, and it may be that it had ended.

        What its process had sent to a server may come there later yet: then the row is done twice, and kept once. Where it cannot
        be looked up, the sweep has failed.
        """
        if self.is_stopped or self._recall is None:
            return task
        try:
            return self._recall.ended(task)
        except Exception as error:  # noqa: BLE001 - whatever a storage raises: the caller hears of it
            self.failed(error)
            return task

    def ended(self, held: list[Held]) -> None:
        """Hear that rows were stopped, and do not go on any more."""
        self._rows.over(*(one.task.number for one in held))
        self._bell.ring()

    def failed(self, error: BaseException) -> None:
        """Hear that rows cannot be kept, or not be done."""
        self._ends_with(error)
        self.stop()

    def _ends_with(self, error: BaseException) -> None:
        self.error = self.error or error

    def spent(self, why: str) -> None:
        """Hear that the budget is spent."""
        self._spent(why)

    # -- those who are asked to come ---------------------------------------------------------------------------------------

    def _manage(self) -> None:
        try:
            while not self._has_ended():
                self._has_news = False
                if not self.is_stopped and self._rows.has_work():
                    self._posting.post()
                self._bell.wait(lambda: (self._has_news and not self._rows.are_last) or self._has_ended(), self._rows.pause)
        except BaseException as error:  # noqa: BLE001 - the caller hears of it
            self.failed(error)
            self._bell.wait(self._has_ended, PATIENCE)
        self._close()
        if isinstance(self.error, WorkersLost):
            self.error = self._rows.suspects.named(self.error)
        self._idle()

    def _ring(self) -> None:
        self._has_news = True
        self._bell.ring()

    def _has_ended(self) -> bool:
        if self._stopped_at is not None:
            return self._rows.are_back or monotonic() - self._stopped_at > PATIENCE
        return self._rows.is_over

    def _close(self) -> None:
        """Nobody need come any more."""
        self._is_over = True
        self._posting.close()
        with suppress(OSError):
            self._door.shutdown(socket.SHUT_RDWR)
        self._door.close()
        for hand in list(self._hands):
            hand.wire.sever()
        self._bell.wait(lambda: self._posting.is_empty, HOME)  # one that is cancelled on its way home is a warning of Dask's
        self._posting.cancel()
        self.saving.shutdown(wait=False)
