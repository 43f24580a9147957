"""The session of one row: it begins with the state that the workflow was given, and how it ended is saved with that of others.

It is done once, whoever did it: a save in which it is found that another run has done the row meanwhile changes nothing.
"""

from __future__ import annotations

import threading
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

from ..cache.given import Given, text_of
from ..done import stored
from ..errors import UnsavableValue
from ..session import Session
from ..steps import Steps
from ..transaction import Records

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from ..encoding import Snapshot
    from ..known import Known
    from ..storage.finished import Finished
    from ..transaction import About, Attempt, Save, SessionStorage, Transaction
    from .row import Row

#: What a row is among the steps of a session.
KIND = "row"
#: What is said of a run that did a row when another one had done it.
MEANWHILE = "this row was done meanwhile by another process, whose run counts"


class Ending(NamedTuple):
    """How a run ended, and is yet to be saved."""

    records: Records
    run_id: str | None
    snapshot: Snapshot


class RowSteps(Steps):
    """The steps of a row whose session was not there: but for other processes nobody writes any of them but the row itself."""

    def __init__(self, session_id: str, storage: Any, others: int) -> None:
        super().__init__(session_id, storage)
        self._others: int | None = others

    def catch_up(self) -> None:
        """Learn what others wrote; nothing is asked while nobody did."""
        others = _others(self._storage)
        if others != self._others:
            self._others = others
            super().catch_up()


def _others(storage: Any) -> int | None:
    """Return a number that stays the same while no other process wrote to a storage; None where it has none."""
    others: int | None = storage.others() if hasattr(storage, "others") else None
    return others


class RowSession(Session):
    """The session of one row. Each row begins anew: what the session had from another attempt stays one of its versions."""

    #: How its run ended, until that is saved.
    ending: Ending | None = None
    #: What another run had done when this one was saved.
    meanwhile: Finished | None = None

    def __init__(
        self,
        session_id: str,
        *,
        storage: SessionStorage | None,
        state: dict[str, Any],
        about: About,
        is_new: bool,
        due: tuple[str, str | None] | None = None,
    ) -> None:
        """`due` is the key of the row, and the run that had done it before it was to be done now."""
        self._is_new, self._due, self._doer = is_new, due, threading.get_ident()
        self._others = _others(storage) if is_new else None
        super().__init__(session_id, storage=storage, state=state, about=about)

    def _known_steps(self) -> Steps:
        if self._others is not None:
            return RowSteps(self.session_id, self.storage, self._others)
        return super()._known_steps()

    @property
    def sources(self) -> dict[tuple[int, str], str]:
        """What a process said last of the source of each workflow: of a session that was not there, nothing."""
        return {} if self._is_new and self._steps is None else super().sources

    def load(self) -> None:
        """Load it; of one that is in no store, nothing is asked for."""
        if self.loaded:
            super().load()
        elif self._is_new:
            self._start()
            self.loaded = True
            self._line.looked_back = True
        else:
            super().load()
            self.replace(self.initial)

    def conclude(self, records: Records, *, run_id: str | None, snapshot: Snapshot) -> None:
        """Keep how the run ended, for who does the row; where another thread ends it, it is saved at once."""
        if threading.get_ident() == self._doer:
            self.ending = Ending(records, run_id, snapshot)
        else:
            super().conclude(records, run_id=run_id, snapshot=snapshot)

    def ended_away(self, ending: Ending, blobs: dict[str, bytes]) -> None:
        """Take how its run ended in another process, with the arrays and frames of the state."""
        self.lent(blobs)
        self.ending = ending

    def lent(self, blobs: dict[str, bytes]) -> None:
        """Take arrays and frames of a state that is in another process."""
        if not self.loaded:
            self.load()
        self._encoder.blobs |= blobs

    def ends_with(self, mark: dict[str, Any]) -> None:
        """Let a row of a step go along with how the run ended."""
        if self.ending is not None:
            rows = self.ending.records
            self.ending = self.ending._replace(records=Records(rows.runs, rows.events, [*rows.steps, mark]))

    # -- done meanwhile ----------------------------------------------------------------------------------------------------

    def _written(self, tx: Transaction, found: Known, attempt: Attempt, save: Save, branch: str) -> Known:
        """Append what is to be saved; where another run has done the row meanwhile, only that this one came too late."""
        other = self._done_by_another(tx, found, save.run_id) if self._due is not None else None
        if other is not None:
            attempt, found.rows = replace(attempt, mine=found.base), tuple(_too_late(found.rows))
        known = super()._written(tx, found, attempt, save, branch)
        known.meanwhile = other
        return known

    def _done_by_another(self, tx: Transaction, found: Known, run_id: str | None) -> Finished | None:
        """Return what another run has done of the row since it was to be done here.

        It is asked for where this save would say so, too, and where somebody else has changed the state.
        """
        assert self._due is not None
        has_moved = found.line.save_id != self._line.save_id
        if not found.line.was_there or not (has_moved or any(run["phase"] == "end" for some in found.rows for run in some.runs)):
            return None
        (key, past), finished = self._due, getattr(tx, "finished", None)  # a storage of the user's own may have none
        there = finished(self._line.key, KIND) if finished is not None else ()
        others = [one for one in there if one.key == key and one.run_id not in {run_id, past}]
        return others[-1] if others else None

    def _take(self, known: Known) -> None:
        super()._take(known)
        self.meanwhile = known.meanwhile or self.meanwhile


def _too_late(rows: Iterable[Records]) -> Iterator[Records]:
    """Yield rows as those of a run that came too late: it has not completed, and the row is not marked as done by it."""
    for some in rows:
        late = [run | {"status": "stopped", "error": MEANWHILE} if run.get("status") == "completed" else run for run in some.runs]
        yield Records(late, some.events, [row for row in some.steps if row.get("kind") != KIND])


def mark_of(row: Row, key: str, workflow: str | None) -> dict[str, Any] | None:
    """Return the row of a step that says that a row is done, and what it gave; None where that cannot be kept."""
    if row.run_id is None or row.started_at is None:
        return None
    blobs: dict[str, bytes] = {}
    try:
        result = text_of(Given(row.content, used={"models": [*row.models]} if row.models else {}), blobs)
    except UnsavableValue:
        return None
    return {
        "op": "done",
        "happened_at": stored(row.started_at),
        "step_id": row.run_id,
        "name": workflow or "",
        "kind": KIND,
        "nth": 1,
        "key": key,
        "place": "#1",
        "run_id": row.run_id,
        "seconds": row.duration or 0.0,
        "input_tokens": row.input_tokens,
        "output_tokens": row.output_tokens,
        "cost": row.cost,
        "result": result,
        "blobs": blobs,
    }
