"""A sweep as its own run in a store tells of it: in whichever process it goes on, or went on."""

from __future__ import annotations

from dataclasses import fields, replace
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from ..accounts import MAP, account_of
from ..storage.runs import failed_runs, last_noted
from ..sweep.progress import SAID, Progress
from ..transaction import sweep_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..run import Run, Status
    from ..storage.sql import SqlStorage
    from ..sweep import Row

_FIELDS = frozenset(each.name for each in fields(Progress))


def is_sweep(run: Run) -> bool:
    """Say whether a run is that of a sweep itself."""
    return account_of(run.session_id, run.workflow) is not None


class Afar:
    """As much of a sweep as is shown of it; `heard` hears more of it."""

    def __init__(self, storage: SqlStorage, run: Run) -> None:
        self._storage = storage
        self.workflow: Any = SimpleNamespace(name=run.workflow.removesuffix(MAP), storage=storage, private=False)
        self.name = account_of(run.session_id, run.workflow) or run.session_id
        self.shares_a_session = run.inputs.get("session") == "one"
        self.run = run
        self._told, self._moment = Progress(run.inputs.get("rows")), run.started_at
        self.heard(run)

    def heard(self, run: Run | None = None) -> None:
        """Learn how far it is by now."""
        self.run = run if run is not None else self._storage.run(self.run.run_id)
        if (noted := last_noted(self._storage.read, self.run.run_id, SAID)) is not None:
            self._moment, said = noted
            self._told = Progress(**{name: value for name, value in said.items() if name in _FIELDS})

    @property
    def status(self) -> Status:
        """How it stands."""
        return self.run.status

    @property
    def reason(self) -> str | None:
        """Why it ended before all rows were done."""
        return self.run.error

    @property
    def started_at(self) -> datetime:
        """When it began."""
        return self.run.started_at

    @property
    def progress(self) -> Progress:
        """How far it is, as far as it has said so."""
        told = self._told
        if self.status != "running":
            return replace(
                told, seconds=told.seconds if self.run.duration is None else self.run.duration, running=0, left=None, waits=None
            )
        now = datetime.now(UTC)
        left = None if told.left is None else max(0.0, told.left - (now - self._moment).total_seconds())
        return replace(told, seconds=max(0.0, (now - self.run.started_at).total_seconds()), left=left)

    @property
    def is_whole(self) -> bool:
        """Whether all rows are done, and none failed."""
        progress = self.progress
        return self.status == "completed" and not progress.failed and not progress.stopped

    @property
    def failures(self) -> list[Run]:
        """The runs of the rows that failed in it, in the order in which they began."""
        until = self.run.ended_at or datetime.now(UTC)
        found = failed_runs(self._storage, self.workflow.name, self.run.started_at, until)
        return [run for run in found if (run.session_id if self.shares_a_session else sweep_of(run.session_id)) == self.name]

    def ended(self, after: int = 0) -> Iterator[Row]:
        """Yield no rows: these are told by their own runs."""
        return iter(())
