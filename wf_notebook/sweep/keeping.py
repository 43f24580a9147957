"""How rows are kept: those that ended while others were saved are saved together, and a row is over once that is durable."""

from __future__ import annotations

import threading
from collections import deque
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

from ..errors import SessionConflict, SessionOwned, UnsavableValue, WorkflowError
from .session import RowSession
from .tasks import recalled

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ..known import Known
    from ..storage.finished import Finished
    from ..writing import Writing
    from .row import Row
    from .session import Ending

#: So many rows are saved in one transaction, and so many may wait for that: who does rows then waits, too.
AT_ONCE, BACKLOG = 500, 1000
#: So long a row waits for others that end soon after it, in seconds.
PAUSE = 0.01
#: What stands against one row, and not against the others.
_OF_ONE = (SessionConflict, SessionOwned, UnsavableValue)


class _Ended(NamedTuple):
    """A row that ended, and what is yet to be saved of it."""

    row: Row
    session: RowSession
    ending: Ending

    def writing(self) -> Writing | None:
        """Return the save that is to be made; what was saved although nobody heard so is recognised by it."""
        return self.session.writing(self.ending.snapshot, run_id=self.ending.run_id)

    def heard(self, writing: Writing, known: Known) -> Row:
        """Let the session hear of its save, and return the row with what stood against that."""
        try:
            writing.done(known)
        except _OF_ONE as error:
            return self.unsaved(error)
        return self.row if self.session.meanwhile is None else self.done_by(self.session.meanwhile)

    def done_by(self, other: Finished) -> Row:
        """Return the row as another run had done it meanwhile."""
        row = self.row
        there = recalled(self.session.storage, row.number, row.given, self.session.session_id, other)
        return there or replace(row, status="completed", error=None, exception=None, hit=True, run_id=other.run_id)

    def unsaved(self, error: WorkflowError) -> Row:
        """Return the row as one that could not be kept."""
        return replace(self.row, status="failed", error=f"not saved: {error}", exception=error)


class Keeper:
    """Saves rows in a thread of its own, from the first one on until it is closed."""

    def __init__(
        self,
        storage: Any,
        over: Callable[[Sequence[Row]], object],
        failed: Callable[[Exception], object],
        *,
        pause: float = PAUSE,
    ) -> None:
        self._storage, self._over, self._failed, self._pause = storage, over, failed, pause
        self._waiting: deque[_Ended] = deque()
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None
        self._is_closed = self._is_broken = False

    def put(self, row: Row, session: Any) -> None:
        """Take a row that ended; what is yet to be saved of it is in its session."""
        ending = session.ending if isinstance(session, RowSession) else None
        if ending is None:
            self._over([row])
            return
        session.ending = None
        session.queue(ending.records)
        with self._changed:
            self._changed.wait_for(lambda: len(self._waiting) < BACKLOG or self._is_closed)
            self._waiting.append(_Ended(row, session, ending))
            if self._thread is None and not self._is_closed:
                self._thread = threading.Thread(target=self._work, name="wf_notebook-sweep-keeper", daemon=True)
                self._thread.start()
            if len(self._waiting) in {1, AT_ONCE}:  # nobody waits for any other
                self._changed.notify_all()

    def close(self, *, again: bool = False) -> bool:
        """Save what waits, and end; `again` also what could not be saved before. Return whether all is saved."""
        with self._changed:
            self._is_closed = True
            self._changed.notify_all()
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join()
        self._is_broken &= not again
        while self._waiting and not self._is_broken and self._saved():
            pass
        return not self._waiting

    def _work(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._waiting or self._is_closed)
                if not self._waiting:
                    return
                self._changed.wait_for(lambda: len(self._waiting) >= AT_ONCE or self._is_closed, self._pause)
            if not self._saved():
                return

    def _saved(self) -> bool:
        """Save what waits, in one transaction if that can be; return whether it could be saved. What could not waits on."""
        with self._changed:
            some = [self._waiting.popleft() for _ in range(min(AT_ONCE, len(self._waiting)))]
        try:
            if rows := self._together(some):
                self._over(rows)
            while some:
                self._over([_alone(self._storage, some[0])])
                some.pop(0)
        except Exception as error:  # noqa: BLE001 - of ours, or of whatever was to be saved: the sweep says it
            with self._changed:
                self._waiting.extendleft(reversed(some))
                self._thread, self._is_closed, self._is_broken = None, True, True
            self._failed(error)
        with self._changed:
            self._changed.notify_all()
        return not some

    def _together(self, some: list[_Ended]) -> list[Row]:
        """Save rows in one transaction, and return them; none, and all of them are left, where that cannot be done."""
        together = getattr(self._storage, "transact_together", None)
        if together is None or len(some) == 1:
            return []
        writings = [one.writing() for one in some]
        works = {writing.key: writing.work for writing in writings if writing is not None}
        if len(works) < len(writings) - writings.count(None):  # a row that was done twice is saved after itself
            return []
        try:
            found = iter(together(works))
        except _OF_ONE:
            return []
        saved = [one.row if to is None else one.heard(to, next(found)) for one, to in zip(some, writings, strict=True)]
        some.clear()
        return saved


def _alone(storage: Any, one: _Ended) -> Row:
    """Save a row by itself."""
    writing = one.writing()
    if writing is None:
        return one.row
    try:
        known = storage.transact(writing.work, write=True)
    except _OF_ONE as error:
        return one.unsaved(error)
    return one.heard(writing, known)
