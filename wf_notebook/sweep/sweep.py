"""A sweep, as the user holds it: begun when it is read, watched while it grows, and a table in the end."""

from __future__ import annotations

import asyncio
import threading
import time
from contextlib import contextmanager
from contextvars import copy_context
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Literal
from uuid import uuid4

from ..background.waiting import Bell
from ..budget import Budget
from ..errors import RunCancelled
from ..run import RunContext, Usage, current, way_up
from .account import Account, opened
from .hiring import hired
from .keeping import PAUSE, Keeper
from .leaving import PATIENCE, ended_at_exit
from .over import Over
from .progress import Progress

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

    from ..workflow import Workflow
    from .row import Row
    from .rows import Rows
    from .settings import Settings
    from .shipped import Cargo

#: So long rows that other processes did wait for others to be saved with: nobody waits for them, in seconds.
AWAY = 0.1

Status = Literal["new", "running", "completed", "stopped", "failed"]


class Sweep:
    """A run of a workflow for each row. It begins when it is read (`for row in sweep`), shown, started, or asked for its table.

    Rows come as they end; `rows` has those that are there, in the order of the inputs, and `df()` as a dataframe.

    >>> from wf_notebook import Workflow
    >>> class Double(Workflow):
    ...     def run(self, n: int):
    ...         return f"{2 * n}"
    >>> sweep = Double(storage="memory:").map([{"n": 1}, {"n": 2}])
    >>> [row.content for row in sweep.result()], sweep.status
    (['2', '4'], 'completed')
    >>> sweep.df()[["n", "content", "status"]].values.tolist()
    [[1, '2', 'completed'], [2, '4', 'completed']]
    """

    def __init__(
        self, workflow: Workflow, rows: Rows, settings: Settings, *, cargo: Cargo | None = None, given: dict[str, Any]
    ) -> None:
        self.workflow, self._rows, self._settings, self._cargo = workflow, rows, settings, cargo
        #: What the sessions of the rows are named after.
        self.name = settings.name
        #: Whether all rows are runs of one session.
        self.shares_a_session = settings.session == "one"
        #: Why it ended before all rows were done, where that was no error: a budget that was spent.
        self.reason: str | None = None
        self._over = Over()
        self._counts = {"completed": 0, "failed": 0, "stopped": 0, "hit": 0}
        self._lock, self._bell = threading.Lock(), Bell()
        self._error: BaseException | None = None
        #: When it began.
        self.started_at: datetime | None = None
        self._began: float | None = None
        self._ended: float | None = None
        self._is_stopped = self._is_over = False
        self._given = given
        self._account: Account | None = None
        self.budget = Budget(max_tokens=settings.max_tokens, max_cost=settings.max_cost, stop=self._spent, within=_around())

    def __repr__(self) -> str:
        return f"<Sweep {self.status}: {self.workflow.name}, {self.progress}>"

    # -- its course --------------------------------------------------------------------------------------------------------

    def start(self) -> Sweep:
        """Begin, and return at once: rows are done by threads, and `progress`, `rows` and `df()` say how far it is."""
        with self._lock:
            if self._began is not None:
                return self
            self._began, self.started_at = time.monotonic(), datetime.now(UTC)
        ended_at_exit(self)
        pause = PAUSE if self._cargo is None else AWAY
        self._keeper = Keeper(self.workflow.storage, self._note, self._failed, pause=pause)
        self._crew = hired(self, self._rows, self._settings, self._keeper, cargo=self._cargo, idle=self._idle, spent=self._spent)
        self._account = opened(self, self._given, self._leave)
        if (around := current.get()) is not None:
            around.cancel.on_cancel(self.stop)
        variables = copy_context()
        variables.run(current.set, RunContext(str(uuid4()), self.workflow.session_id, "", self, usage=Usage(budget=self.budget)))
        variables.run(self._crew.start)
        return self

    def _note(self, row: Row) -> None:
        """A row is over, and what there is to keep of it is kept."""
        with self._lock:
            self._over.append(row)
            self._counts[row.status] += 1
            self._counts["hit"] += row.hit
        self._bell.ring()

    def _failed(self, error: BaseException) -> None:
        """Rows cannot be kept: no others are begun."""
        self._error = self._error or error
        self._crew.stop()
        self._bell.ring()

    def _spent(self, reason: str | None = None) -> None:
        self.reason = self.reason or reason
        self.stop()

    def _idle(self) -> None:
        """Nobody does rows any more: what ended is saved, and then it is over."""
        if self._crew.is_idle:
            self._end()

    def _end(self) -> None:
        self._keeper.close()
        self._error = self._error or self._crew.error
        with self._lock:
            self._ended = self._ended or time.monotonic()
        try:
            self._conclude()
        finally:
            self._is_over = True
            self._bell.ring()

    def _conclude(self) -> None:
        """Say in its own run how it ended; where rows could not be kept, that cannot be either."""
        if self._account is not None and (status := self.status) != "new":
            error = self._error
            why = self.reason if error is None else f"{type(error).__name__}: {error}"
            self._account.close(status, why, can_save=error is None or error is self._crew.error)

    def stop(self) -> None:
        """End it, from any thread: no other row is begun, those that go on are ended, and what is done is kept."""
        self._is_stopped = True
        if self._began is not None:
            self._crew.stop()
        self._bell.ring()

    def wait(self, seconds: float | None = None) -> bool:
        """Wait until it is over, or that many seconds have gone by; return whether it is over. An interrupt stops it."""
        self.start()
        with self._interruptible():
            self._bell.wait(lambda: self._is_over, *(() if seconds is None else (seconds,)))
        return self._is_over

    @contextmanager
    def _interruptible(self) -> Iterator[None]:
        try:
            yield
        except BaseException:
            self._leave()
            raise

    def _leave(self) -> None:
        """Nobody waits for it any more: it is ended, and what is done is kept."""
        self.stop()
        self._bell.wait(lambda: self._is_over, PATIENCE)
        if self._ended is None:
            self._crew.leave(RunCancelled())
            self._end()

    def result(self) -> tuple[Row, ...]:
        """Do all rows, and return them in the order of the inputs. Raises what kept it from being done, or from being kept.

        Rows that could not be kept are kept now, if that can be done meanwhile.
        """
        self.wait()
        if self._error is not None and self._keeper.close(again=True) and self._crew.error is None:
            self._error = None
            self._conclude()
        if self._error is not None:
            raise self._error
        if (around := current.get()) is not None:
            around.cancel.check()
        return self.rows

    def __await__(self) -> Generator[Any, Any, tuple[Row, ...]]:
        return asyncio.to_thread(self.result).__await__()

    def __iter__(self) -> Iterator[Row]:
        """Yield rows as they end. One that is begun by this ends when nobody reads it any more."""
        is_mine, number = self.status == "new", 0
        self.start()
        try:
            while self._has(number):
                yield self._over[number]
                number += 1
        except GeneratorExit:
            if is_mine:
                self._leave()
            raise
        if self._error is not None:
            raise self._error

    def _has(self, number: int) -> bool:
        """Wait until so many rows are over, and one more; return whether there is one."""
        with self._interruptible():
            self._bell.wait(lambda: len(self._over) > number or self._is_over)
        return len(self._over) > number

    # -- how it stands -----------------------------------------------------------------------------------------------------

    @property
    def status(self) -> Status:
        """How it stands: `failed` is one that could not be kept, or whose rows could not be read; a failed row is only a row."""
        if self._began is None:
            return "new"
        if self._ended is None:
            return "running"
        return "failed" if self._error is not None else "stopped" if self._is_stopped else "completed"

    @property
    def run_id(self) -> str | None:
        """The id of the run that it is itself in the store, beside those of its rows; None where nothing of it is kept."""
        return None if self._account is None else self._account.context.run_id

    @property
    def error(self) -> BaseException | None:
        """What kept it from being done, or from being kept."""
        return self._error

    def ended(self, after: int = 0) -> Iterator[Row]:
        """Yield the rows that are over by now in the order in which they ended, without the first so many."""
        return (self._over[number] for number in range(after, len(self._over)))

    @property
    def rows(self) -> tuple[Row, ...]:
        """The rows that are over, in the order of the inputs."""
        return tuple(sorted(self._over, key=lambda row: row.number))

    @property
    def failures(self) -> tuple[Row, ...]:
        """The rows that failed."""
        return tuple(row for row in self.rows if row.status == "failed")

    @property
    def progress(self) -> Progress:
        """How far it is."""
        with self._lock:
            counts, over = dict(self._counts), len(self._over)
        seconds = 0.0 if self._began is None else (self._ended or time.monotonic()) - self._began
        total, done_now, left = self._rows.total, over - counts["hit"], None
        if total is not None and done_now and self._ended is None:
            left = seconds / done_now * (total - over)
        return Progress(
            total=total,
            done=counts["completed"],
            hits=counts["hit"],
            failed=counts["failed"],
            stopped=counts["stopped"],
            running=0 if self._began is None or self._ended is not None else self._crew.going,
            tokens=self.budget.tokens,
            cost=self.budget.cost,
            seconds=seconds,
            left=left,
        )

    # -- as a table --------------------------------------------------------------------------------------------------------

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
        return way_up("Sweep.table")(self)

    def df(self) -> Any:
        """Return all rows as a DataFrame of pandas: the columns that were given, and beside them what came of each row.

        It has the index that a dataframe of pandas was given with. One that was not begun is done first; of one that goes on,
        rows that are not over are empty.
        """
        return way_up("Sweep.df")(self)

    def _ipython_display_(self) -> None:
        way_up("Sweep._ipython_display_")(self)


def _around() -> Budget | None:
    """Return the budget of the run that this code belongs to."""
    run = current.get()
    return run.usage.budget if run is not None else None
