"""How rows are kept: those that ended while others were saved are saved together, and a row is over once that is durable."""

from __future__ import annotations

import threading
from collections import deque
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

from ..errors import SessionConflict, SessionOwned, UnsavableValue, WorkflowError
from .session import RowSession

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ..known import Known
    from ..writing import Writing
    from .row import Row

#: So many rows are saved in one transaction, and so many may wait for that: who does rows then waits, too.
AT_ONCE, BACKLOG = 500, 2000
#: What stands against one row, and not against the others.
_OF_ONE = (SessionConflict, SessionOwned, UnsavableValue)


class _Ended(NamedTuple):
    row: Row
    session: RowSession
    writing: Writing


class Keeper:
    """Saves rows in a thread of its own, from the first one on until it is closed."""

    def __init__(
        self, storage: Any, over: Callable[[Row], object], failed: Callable[[WorkflowError], object], *, linger: float = 0.0
    ) -> None:
        self._storage, self._over, self._failed, self._linger = storage, over, failed, linger
        self._waiting: deque[_Ended] = deque()
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None
        self._is_closed = False

    def put(self, row: Row, session: Any) -> None:
        """Take a row that ended; what is yet to be saved of it is in its session."""
        writing = None
        if isinstance(session, RowSession) and (ending := session.ending) is not None:
            session.ending = None
            writing = session.writing(ending.snapshot, run_id=ending.run_id, records=ending.records)
        if writing is None:
            self._over(row)
            return
        with self._changed:
            self._changed.wait_for(lambda: len(self._waiting) < BACKLOG or self._is_closed)
            self._waiting.append(_Ended(row, session, writing))
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, name="wf_notebook-sweep-keeper", daemon=True)
                self._thread.start()
            self._changed.notify_all()

    def close(self) -> bool:
        """Save what waits, and end; what could not be saved before is tried once more. Return whether all is saved."""
        with self._changed:
            self._is_closed = True
            self._changed.notify_all()
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join()
        while self._waiting and self._saved():
            pass
        return not self._waiting

    def _work(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._waiting or self._is_closed)
                if not self._waiting:
                    return
                if self._linger:  # who does rows does not wait for this
                    self._changed.wait_for(lambda: len(self._waiting) >= AT_ONCE or self._is_closed, self._linger)
            if not self._saved():
                return

    def _saved(self) -> bool:
        """Save what waits; return whether that could be done. What could not waits on."""
        with self._changed:
            some = [self._waiting.popleft() for _ in range(min(AT_ONCE, len(self._waiting)))]
        try:
            kept = self._together(some)
        except WorkflowError as error:
            with self._changed:
                self._waiting.extendleft(reversed(some))
                self._thread, self._is_closed = None, True
                self._changed.notify_all()
            self._failed(error)
            return False
        with self._changed:
            self._changed.notify_all()
        for row in kept:
            self._over(row)
        return True

    def _together(self, some: Sequence[_Ended]) -> list[Row]:
        """Save rows in one transaction; where that cannot be done, one by one."""
        together = getattr(self._storage, "transact_together", None)
        if together is not None and len(some) > 1:
            with suppress(WorkflowError):  # of one of them, it may be
                known = together({one.writing.key: one.writing.work for one in some})
                return [_heard(one, found) for one, found in zip(some, known, strict=True)]
        return [self._alone(one) for one in some]

    def _alone(self, one: _Ended) -> Row:
        try:
            known = self._storage.transact(one.writing.work, write=True)
        except _OF_ONE as error:
            return _unsaved(one.row, error)
        return _heard(one, known)


def _heard(one: _Ended, known: Known) -> Row:
    """Let the session of a row hear of its save, and return the row with what stood against that."""
    try:
        one.writing.done(known)
    except _OF_ONE as error:
        return _unsaved(one.row, error)
    return one.row


def _unsaved(row: Row, error: WorkflowError) -> Row:
    return replace(row, status="failed", error=f"not saved: {error}", exception=error)
