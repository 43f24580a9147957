"""A sweep, as the user holds it: begun when it is read, watched while it grows, and a table in the end."""

from __future__ import annotations

import asyncio
import threading
import time
from contextlib import contextmanager, suppress
from contextvars import copy_context
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from ..background.waiting import Bell
from ..budget import Budget
from ..errors import RunCancelled
from ..run import RunContext, Usage, current, way_up
from .account import opened
from .crew import in_a_thread
from .hiring import hired
from .keeping import PAUSE, Keeper
from .leaving import PATIENCE, ended_at_exit
from .over import Over
from .sight import SOON, is_seen
from .standing import Standing

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator, Sequence

    from ..workflow import Workflow
    from .account import Account
    from .crew import Crew
    from .dispatch import Dispatch
    from .row import Results, Row
    from .rows import Rows
    from .settings import Settings
    from .shipped import Cargo
    from .turns import Turns

#: So long rows that other processes did wait for others to be saved with: nobody waits for them, in seconds.
AWAY = 0.1


class Sweep(Standing):
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
        #: Which budget was spent.
        self._spent_up: str | None = None
        self._over = Over()
        self._counts = {"completed": 0, "failed": 0, "stopped": 0, "hit": 0}
        self._lock, self._bell = threading.Lock(), Bell()
        self._crew: Crew | Dispatch | None = None
        self._turns: Turns | None = None
        #: What kept rows from being kept, and what kept them from being done.
        self._unkept: BaseException | None = None
        self._undone: BaseException | None = None
        #: When it began.
        self.started_at: datetime | None = None
        self._began: float | None = None
        self._ended: float | None = None
        self._is_stopped = self._is_over = False
        self._given = given
        self._account: Account | None = None
        #: Lets the run around it go on without knowing of it.
        self._forget: Callable[[], None] = lambda: None
        within = None if (around := current.get()) is None else around.usage.budget
        self.budget = Budget(max_tokens=settings.max_tokens, max_cost=settings.max_cost, stop=self._spent, within=within)

    def __repr__(self) -> str:
        why = "" if self.reason is None else f"; {' '.join(self.reason.split())}"
        return f"<Sweep {self.status}: {self.workflow.name}, {self.progress}{why}>"

    # -- its course --------------------------------------------------------------------------------------------------------

    def start(self) -> Sweep:
        """Begin, and return at once: rows are done by threads, and `progress`, `rows` and `df()` say how far it is."""
        with self._lock:
            if self._began is not None:
                return self
            self._began, self.started_at = time.monotonic(), datetime.now(UTC)
        ended_at_exit(self)
        self._keeper = Keeper(self.workflow.storage, self._note, self._failed, pause=PAUSE if self._cargo is None else AWAY)
        try:
            self._hire()
        except BaseException as error:
            self._undone = error
            self._end()
            raise
        return self

    def _hire(self) -> None:
        """Let others do the rows."""
        ways: dict[str, Any] = {"idle": self._idle, "spent": self._spent}
        crew, self._turns = hired(self, self._rows, self._settings, self._keeper, cargo=self._cargo, **ways)
        self._crew, self._account = crew, opened(self, self._given, self._leave)
        if self._is_stopped:
            crew.stop()
        if (around := current.get()) is not None:
            self._forget = around.cancel.on_cancel(self.stop)
        variables = copy_context()
        variables.run(current.set, RunContext(str(uuid4()), self.workflow.session_id, "", self, usage=Usage(budget=self.budget)))
        variables.run(crew.start)

    def _note(self, rows: Sequence[Row]) -> None:
        """Rows are over, and what there is to keep of them is kept."""
        if self._turns is not None:
            self._turns.over(rows)
        with self._lock:
            for row in rows:
                self._over.append(row)
                self._counts[row.status] += 1
                self._counts["hit"] += row.hit
        self._bell.ring()

    def _failed(self, error: BaseException) -> None:
        """Rows cannot be kept: no others are begun."""
        self._unkept = self._unkept or error
        if self._crew is not None:
            self._crew.stop()
        self._bell.ring()

    def _spent(self, reason: str | None = None) -> None:
        self._spent_up = self._spent_up or (reason and reason.partition(" (")[0])  # rows that go on spend more than it says
        self._halt()

    def _idle(self) -> None:
        """Nobody does rows any more: what ended is saved, and then it is over."""
        if self._crew is not None and self._crew.is_idle:
            self._end()

    def _end(self) -> None:
        self._keeper.close()
        if self._turns is not None:
            self._turns.close()
        if self._crew is not None:
            self._undone = self._undone or self._crew.error
        self._forget()
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
            self._account.close(status, self.reason, can_save=self._unkept is None)

    def stop(self) -> None:
        """End it, from any thread: no other row is begun, those that go on are ended, and what is done is kept.

        A row that does not look up, as plain code that waits, is let go of after a second, and recorded as stopped.
        """
        is_first = not self._is_stopped
        self._halt()
        if is_first and self._crew is not None and self._cargo is None and not self._is_over:
            with suppress(RuntimeError):  # Python 3.12 starts no thread while it exits
                in_a_thread(self._let_go)

    def _halt(self) -> None:
        self._is_stopped = True
        if self._crew is not None:
            self._crew.stop()
        self._bell.ring()

    def _let_go(self) -> None:
        """End it without the rows that have not ended although they were told to: they are recorded as they are."""
        self._bell.wait(lambda: self._is_over, PATIENCE)
        if self._ended is None and self._crew is not None:
            self._crew.leave(RunCancelled())
            self._end()

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
        self._halt()
        self._let_go()

    def result(self) -> Results:
        """Do all rows, and return them in the order of the inputs. Raises what kept it from being done, or from being kept.

        Rows that could not be kept are kept now, if that can be done meanwhile. In a terminal, a bar on stderr says how far it
        is, unless WF_QUIET=1 is set.
        """
        if is_seen() and not self.wait(SOON):
            way_up("Sweep.result")(self)
        self.wait()
        if self._unkept is not None and self._keeper.close(again=True):
            self._unkept = None
            self._conclude()
        if self.error is not None:
            raise self.error
        if (around := current.get()) is not None:
            around.cancel.check()
        return self.rows

    def __await__(self) -> Generator[Any, Any, Results]:
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
        if self.error is not None:
            raise self.error

    def _has(self, number: int) -> bool:
        """Wait until so many rows are over, and one more; return whether there is one."""
        with self._interruptible():
            self._bell.wait(lambda: len(self._over) > number or self._is_over)
        return len(self._over) > number
