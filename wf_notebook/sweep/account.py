"""The run that a sweep itself leaves in its store: what it is mapped over, now and then how far it is, and how it ended."""

from __future__ import annotations

import threading
from contextlib import suppress
from dataclasses import asdict, replace
from datetime import UTC, datetime
from time import monotonic, time
from typing import TYPE_CHECKING, Any, Protocol
from uuid import uuid4

from .. import saver
from ..accounts import MAP, account_id
from ..journal import Journal, end_row, start_row
from ..run import Run, RunContext, logger
from ..transaction import Records
from .progress import SAID, Progress
from .session import RowSession

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..run import Status
    from ..session import Session
    from ..workflow import Workflow

#: How far it is is noted at most once in so many seconds, and in this share of the time that has gone by.
EVERY, SHARE = 1.0, 0.01
#: Where that could not be saved, rows have the store to themselves for so many seconds.
AFTER_FAILURE = 30.0


class Accounted(Protocol):
    """As much of a sweep as is needed here."""

    workflow: Workflow
    name: str
    shares_a_session: bool

    @property
    def progress(self) -> Progress:
        """How far it is."""

    def stop(self) -> None:
        """End it."""


def opened(sweep: Accounted, given: dict[str, Any], leave: Callable[[], object]) -> Account | None:
    """Open the run of a sweep that begins; there is none where its rows leave none either."""
    workflow = sweep.workflow
    return None if workflow.storage is None or workflow.private else Account(sweep, given, leave)


class _AccountSession(RowSession):
    """The session of the runs that sweeps of one name are: nothing is in it but these."""

    def load(self) -> None:
        """Load it; what is saved first ends those of them whose process is gone, as with any run."""
        super().load()
        self._line.looked_back = False


class Account:
    """The run of a sweep, for those who look after runs that go on; `given` says what it is mapped over, and how.

    It is saved as they are, by the saver, and never in the way of rows: what cannot be saved is tried again later, and is no
    failure of the sweep.
    """

    def __init__(self, sweep: Accounted, given: dict[str, Any], leave: Callable[[], object]) -> None:
        workflow = sweep.workflow
        self.sweep, self._given, self._leave = sweep, given, leave
        session_id = account_id(workflow.session_id if sweep.shares_a_session else sweep.name, workflow.user_id)
        self.context = RunContext(str(uuid4()), session_id, workflow.workflow_id or "", sweep)
        self.context.cancel.on_cancel(sweep.stop)
        self._name = f"{workflow.name}{MAP}"
        about = replace(workflow.about(), workflow=self._name, session_name=None, extra_data=None)
        self.session: Session = _AccountSession(session_id, storage=workflow.storage, state={}, about=about, is_new=True)
        self._lock = threading.Lock()
        self._status: Status = "running"
        self._why: str | None = None
        self._began, self._started_at = monotonic(), datetime.now(UTC)
        self._ended_at: datetime | None = None
        self._due, self._told = self._began, sweep.progress
        self._is_saved = self._is_disowned = False
        self._journal = Journal(self.context.run_id)
        self._start = start_row(self.record())
        self._begun = [self._start]
        saver.watch(self)

    def record(self) -> Run:
        """Return the run as it stands."""
        progress = self.sweep.progress
        return Run(
            run_id=self.context.run_id,
            session_id=self.context.session_id,
            workflow=self._name,
            workflow_id=self.context.workflow_id,
            status=self._status,
            inputs=dict(self._given),
            started_at=self._started_at,
            ended_at=self._ended_at,
            duration=progress.seconds,
            content="; ".join([str(progress), self._where(), *self._rest(progress)]),
            error=self._why,
        )

    def _where(self) -> str:
        if self.sweep.shares_a_session:
            return f"kept in session {self.sweep.workflow.session_id}"
        return f"kept in the sessions {self.sweep.name}/…"

    def _rest(self, progress: Progress) -> list[str]:
        is_whole = self._status == "completed" and progress.done == progress.over
        return [] if is_whole or self._status == "running" else ["the same again goes on with what is not done"]

    # -- while it goes on --------------------------------------------------------------------------------------------------

    def flush(self) -> None:
        """Save that it began, and now and then how far it is; never raises what a save may raise."""
        with self._lock:
            if self._status != "running" or (now := monotonic()) < self._due:
                return
            self._due = now + max(EVERY, SHARE * (now - self._began))
            self._tell()
            if not self._save(self._rows()):
                self._due = monotonic() + AFTER_FAILURE

    def _tell(self) -> None:
        """Note how far it is, if it got any further, or waits for something else."""
        progress, told = self.sweep.progress, self._told
        if _far(progress) != _far(told):
            self._told = progress
            self._journal.hear(time(), (SAID, None, None), {"span": "progress", **asdict(progress)})

    def _rows(self) -> Records:
        begun, self._begun = self._begun, []
        return Records(begun, list(self._journal.rows()))

    def _save(self, rows: Records) -> bool:
        if rows and not self._is_disowned:
            try:
                self.session.save(rows)
            except Exception as error:  # noqa: BLE001 - whatever a storage raises: rows go on, and say it themselves
                logger.debug("what the sweep %s is at could not be saved yet: %s", self.context.run_id, error)
                return False
        return True

    # -- how it ends -------------------------------------------------------------------------------------------------------

    def close(self, status: Status, why: str | None, *, can_save: bool) -> None:
        """Say how the sweep ended, the last time counts; where nothing can be saved, nothing is tried."""
        with self._lock:
            if self._is_saved:
                return
            self._status, self._why, self._ended_at = status, why, datetime.now(UTC)
            saver.unwatch(self)
            if not can_save:
                return
            self._tell()
            rows = self._rows()
            ends = Records([*rows.runs, end_row(self.record(), self._start)], rows.events)
            self._is_saved = True
            self._save(ends)
        if (finish := getattr(self.session.storage, "catch_up", None)) is not None:
            with suppress(Exception):
                finish()

    def end(self, error: BaseException | None = None) -> None:
        """At exit, end the sweep, which then says so."""
        self._leave()

    def disown(self) -> None:
        """Never save this run: it is another process's."""
        self._is_disowned = True


def _far(progress: Progress) -> tuple[object, ...]:
    return progress.over, progress.total, progress.tokens, progress.cost, progress.waits
