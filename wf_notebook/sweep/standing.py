"""How a sweep stands, for whoever looks at it: how far it is, its rows, and these as a table."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Literal

from ..run import way_up
from .progress import Progress
from .row import Results

if TYPE_CHECKING:
    import threading
    from collections.abc import Iterator

    from ..budget import Budget
    from .account import Account
    from .crew import Crew
    from .dispatch import Dispatch
    from .over import Over
    from .row import Row
    from .rows import Rows
    from .turns import Turns

Status = Literal["new", "running", "completed", "stopped", "failed"]


class Standing:
    """The part of a sweep that is looked at."""

    budget: Budget
    _rows: Rows
    _over: Over
    _counts: dict[str, int]
    _crew: Crew | Dispatch | None
    _turns: Turns | None
    _account: Account | None
    _began: float | None
    _ended: float | None
    _is_stopped: bool
    _spent_up: str | None
    _unkept: BaseException | None
    _undone: BaseException | None
    _lock: threading.Lock

    @property
    def status(self) -> Status:
        """How it stands: `failed` is one that could not be kept, or whose rows could not be read; a failed row is only a row."""
        if self._began is None:
            return "new"
        if self._ended is None:
            return "running"
        return "failed" if self.error is not None else "stopped" if self._is_stopped else "completed"

    @property
    def run_id(self) -> str | None:
        """The id of the run that it is itself in the store, beside those of its rows; None where nothing of it is kept."""
        return None if self._account is None else self._account.context.run_id

    @property
    def error(self) -> BaseException | None:
        """What kept it from being done, or from being kept."""
        return self._unkept or self._undone

    @property
    def reason(self) -> str | None:
        """Why it ended before all rows were done: its error, or which budget was spent; None where it is done, or was stopped."""
        error = self.error
        return self._spent_up if error is None else f"{type(error).__name__}: {error}"

    def ended(self, after: int = 0) -> Iterator[Row]:
        """Yield the rows that are over by now in the order in which they ended, without the first so many."""
        return (self._over[number] for number in range(after, len(self._over)))

    @property
    def rows(self) -> Results:
        """The rows that are over, in the order of the inputs; shown as a table."""
        return Results(sorted(self._over, key=lambda row: row.number))

    @property
    def failures(self) -> Results:
        """The rows that failed."""
        return Results(row for row in self.rows if row.status == "failed")

    @property
    def progress(self) -> Progress:
        """How far it is."""
        with self._lock:
            counts, over = dict(self._counts), len(self._over)
        seconds = 0.0 if self._began is None else (self._ended or time.monotonic()) - self._began
        total, done_now, left = self._rows.total, over - counts["hit"], None
        waits = None if self._crew is None or self._ended is not None else self._crew.waits
        if total is not None and done_now and self._ended is None and waits is None:
            left = seconds / done_now * (total - over)
        return Progress(
            total=total,
            done=counts["completed"],
            hits=counts["hit"],
            failed=counts["failed"],
            stopped=counts["stopped"],
            running=0 if self._crew is None or self._ended is not None else self._crew.going,
            tokens=self.budget.tokens,
            cost=self.budget.cost,
            seconds=seconds,
            left=left,
            elsewhere=0 if self._turns is None or self._ended is not None else self._turns.elsewhere,
            waits=waits,
        )

    @property
    def given(self) -> Any:
        """The dataframe of pandas that it was given, None where it was something else."""
        return self._rows.frame

    @property
    def listed(self) -> list[dict[str, Any]] | None:
        """All rows as they were given, None where they come one by one."""
        return self._rows.listed

    def table(self) -> Any:
        """Return the rows that are over as a Table: their inputs, and what came of them. One that was not begun is done first."""
        return way_up("Standing.table")(self)

    def pl(self) -> Any:
        """Return the rows that are over as a DataFrame of polars."""
        return self.table().pl()

    def arrow(self) -> Any:
        """Return the rows that are over as a table of Arrow."""
        return self.table().arrow()

    def df(self) -> Any:
        """Return all rows as a DataFrame of pandas: the columns that were given, and beside them what came of each row.

        It has the index that a dataframe of pandas was given with. One that was not begun is done first; of one that goes on,
        rows that are not over are empty.
        """
        return way_up("Standing.df")(self)

    def _ipython_display_(self) -> None:
        way_up("Standing._ipython_display_")(self)
