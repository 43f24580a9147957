"""The runs of a store that go on just now, in this process and in others."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from .. import saver
from ..accounts import MAP, account_of
from ..alone import is_alone, is_here, owner
from ..owners import Sight
from ..processes import this_process
from ..storage.runs import GOING, last_said, stored_run
from ..sweep.account import Account
from ..swept import Afar, going, is_sweep
from ..transaction import sweep_of

if TYPE_CHECKING:
    from ..processes import Process
    from ..run import Run
    from ..saver import Open
    from ..storage.sql import SqlStorage
    from ..sweep import Progress

#: So many characters are told of what a run said last.
SAID = 80


class Going(NamedTuple):
    """A run that goes on: as it stands, in which process, and the run itself where that is this one."""

    run: Run
    at: Process
    here: Open | None
    said: str | None

    @property
    def process(self) -> str:
        """In which process it goes on, in words."""
        place = "" if is_here(self.at) else f" on {self.at.host}"
        return "this process" if self.here is not None else f"PID {self.at.pid}{place}"

    @property
    def has_own_process(self) -> bool:
        """Whether it goes on in a process of `wf run --background` of this machine's user: then it can be ended from here."""
        return self.here is None and is_alone(self.at) and owner(self.at) is None


def going_on(storage: SqlStorage) -> list[Going]:
    """Return the runs of a store that go on, the one that began last first; a sweep is one, and its rows are none beside it.

    A run of another machine counts as long as its end is not in the store: from here nobody can tell whether it lives.
    """
    here = {one.context.run_id: one for one in opened(storage)}
    found = []
    seen, given = Sight(storage.read, storage.table_name).of_rows(also_deleted=True)
    for row in storage.read(GOING.format(seen=seen), (storage.table_name, *given)):
        run, process = stored_run(row, storage.read, storage.table_name, storage.url)
        is_over = is_sweep(run) and process[:2] == this_process()[:2]  # here, and its end could not be kept
        if run.run_id in here or run.status != "running" or is_over:
            continue
        told = _told(Afar(storage, run).progress) if is_sweep(run) else _end_of(last_said(storage.read, run.run_id))
        found.append(Going(run, process, None, told))
    for one in here.values():
        run = one.record()
        told = _told(one.sweep.progress) if isinstance(one, Account) else _end_of(run.content)
        found.append(Going(run, this_process(), one, told))
    return sorted(_without_rows(found), key=lambda each: each.run.started_at, reverse=True)


def _without_rows(found: list[Going]) -> list[Going]:
    """Leave out the rows of sweeps that go on themselves."""
    sweeps = {(name, one.run.workflow): one.run for one in found if (name := account_of(one.run.session_id, one.run.workflow))}

    def is_row(run: Run) -> bool:
        own = f"{run.workflow}{MAP}"
        one = sweeps.get((run.session_id, own))
        return (sweep_of(run.session_id), own) in sweeps or (one is not None and one.inputs.get("session") == "one")

    return [one for one in found if not is_row(one.run)]


def opened(storage: Any) -> list[Open]:
    """Return the runs of this process in a store; without those that leave nothing there."""
    place = getattr(storage, "url", None), getattr(storage, "table_name", None)
    return [
        one
        for one in saver.open_runs()
        if not one.context.private and (one.session.storage is storage or (place[0] != "memory:" and _place(one) == place))
    ]


def _place(one: Open) -> tuple[Any, Any]:
    storage = one.session.storage
    return getattr(storage, "url", None), getattr(storage, "table_name", None)


def _told(progress: Progress) -> str:
    """Return how far a sweep is, all of it: what counts most stands first."""
    return " · ".join(going(progress))


def _end_of(text: str | None) -> str | None:
    """Return the end of what was said, in a line."""
    said = " ".join((text or "")[-4 * SAID :].split())
    return (said if len(said) <= SAID else f"…{said[1 - SAID :]}") or None
