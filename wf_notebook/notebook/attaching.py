"""%wf attach: a run that goes on is shown live, wherever it was begun: by another page, or in another process."""

from __future__ import annotations

import sys
import threading
from contextvars import copy_context
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from ..errors import WorkflowError
from ..render.status import standing
from ..sweep.account import Account
from ..swept import Afar, is_sweep
from ..verbs.following import EVERY, followed, meant
from .failure import rendered
from .remains import freeze
from .sweeping import freeze as freeze_sweep
from .sweeping import sweep_view
from .views import view

if TYPE_CHECKING:
    from ..run import Run
    from ..saver import Open
    from ..storage.sql import SqlStorage
    from ..verbs.asked import Asked


class Attached:
    """A run that is shown here while it goes on elsewhere; this cell holds nothing up."""

    def __init__(self, storage: SqlStorage, run: Run, here: Open | None) -> None:
        self._storage, self._here = storage, here
        self._run = run
        self._over, self._let_go = threading.Event(), threading.Event()
        ago = (datetime.now(UTC) - run.started_at).total_seconds() if run.status == "running" else run.duration or 0.0
        self._shown = view(run.workflow, run.session_id, self._as_it_stands, outlives=True, ago=ago)
        if here is not None:
            self._shown.can_stop(self.stop)
        # In a copy of the cell's context, so that what it shows belongs to this cell.
        threading.Thread(target=copy_context().run, args=[self._follow], name="wf_notebook-attached", daemon=True).start()

    def _follow(self) -> None:
        try:
            for response in followed(self._storage, self._run.run_id, wait=self._let_go.wait, seen=self._see):
                self._shown.add(response)
        except WorkflowError as error:  # the store is busy, or the run was erased: no cell is there to fail
            print("\n".join(rendered(error)), file=sys.stderr)
        finally:
            self._over.set()
            freeze(self._shown, self._run, self._run.told.responses() if self._run.told is not None else ())

    def _see(self, run: Run) -> None:
        self._run = run

    def _as_it_stands(self) -> Run:
        return self._here.record() if self._here is not None else self._run

    def __repr__(self) -> str:
        return f"<run {self._run.run_id[:8]} of {self._run.workflow}, shown above: {_next(self, self._here)}>"

    @property
    def run(self) -> Run:
        """The record of the run as it stands."""
        return self._as_it_stands()

    @property
    def done(self) -> bool:
        """Whether the run is over."""
        return self._over.is_set()

    def result(self, timeout: float | None = None) -> Run:
        """Wait for the run's end, no longer than so many seconds, and return its record; raises TimeoutError."""
        if not self._over.wait(timeout):
            raise TimeoutError(f"run {self._run.run_id[:8]} goes on")
        self._shown.show_again()
        return self._run

    def stop(self) -> None:
        """End the run, where it goes on in this kernel: what it said is kept. Of one elsewhere only the view here ends."""
        if self._here is not None:
            self._here.context.cancel.cancel()
        else:
            self._let_go.set()


class AttachedSweep:
    """A sweep that is shown here while it goes on, in this kernel or elsewhere; this cell holds nothing up."""

    def __init__(self, storage: SqlStorage, run: Run, here: Account | None) -> None:
        self._afar, self._here = Afar(storage, run), here
        self._over, self._let_go = threading.Event(), threading.Event()
        sweep: Any = self._afar if here is None else here.sweep
        self._sweep = sweep
        self._shown = sweep_view(sweep, outlives=True)
        if here is not None:
            self._shown.can_stop(self.stop)
        # In a copy of the cell's context, so that what it shows belongs to this cell.
        threading.Thread(target=copy_context().run, args=[self._follow], name="wf_notebook-attached", daemon=True).start()

    def _follow(self) -> None:
        try:
            while self._sweep.status == "running" and not self._let_go.wait(EVERY):
                if self._here is None:
                    self._afar.heard()
        except WorkflowError as error:  # the store is busy, or the run was erased: no cell is there to fail
            print("\n".join(rendered(error)), file=sys.stderr)
        finally:
            self._over.set()
            freeze_sweep(self._sweep, self._shown)

    def __repr__(self) -> str:
        return f"<sweep {self._afar.run.run_id[:8]} of {self._afar.workflow.name}, shown above: {_next(self, self._here)}>"

    @property
    def run(self) -> Run:
        """The record of the sweep as it stands."""
        return self._here.record() if self._here is not None else self._afar.run

    @property
    def done(self) -> bool:
        """Whether the sweep is over."""
        return self._over.is_set()

    def result(self, timeout: float | None = None) -> Run:
        """Wait for the sweep's end, no longer than so many seconds, and return its record; raises TimeoutError."""
        if not self._over.wait(timeout):
            raise TimeoutError(f"sweep {self._afar.run.run_id[:8]} goes on")
        self._shown.show_again()
        return self.run

    def stop(self) -> None:
        """End the sweep, where it goes on in this kernel: what is done is kept. Of one elsewhere only the view here ends."""
        if self._here is not None:
            self._here.sweep.stop()
        else:
            self._let_go.set()


def _next(shown: Attached | AttachedSweep, here: Open | None) -> str:
    """Return how it stands, once it is over; what can be done with it before that."""
    if shown.done:
        return f"{standing(shown.run.status, shown.run.error)}; .run is its record"
    return ".stop() ends it, .result() waits for its end" if here is not None else ".result() waits for its end"


def attach(asked: Asked) -> Attached | AttachedSweep:
    """Show a run that goes on, or a sweep."""
    run_id, going = meant(asked, "attach")
    storage = asked.storage()
    one = next((each for each in going if each.run.run_id == run_id), None)
    if one is not None and one.here is not None:
        one.here.flush()  # its first row, if it has just begun
    here = one.here if one is not None else None
    run = storage.run(run_id) if one is None or here is None else one.run
    if is_sweep(run):
        return AttachedSweep(storage, run, here if isinstance(here, Account) else None)
    return Attached(storage, run, here)
