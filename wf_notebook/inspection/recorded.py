"""The runs that were looked at last: a page asks of one run many times, and one that is over does not change."""

from __future__ import annotations

from collections import OrderedDict
from threading import RLock
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ..run import Run

#: So many runs are kept at hand.
RUNS = 4


class Recorded:
    """Runs by their id; those that were not asked for any more are let go."""

    def __init__(self) -> None:
        self._known: OrderedDict[str, Run] = OrderedDict()
        self._lock = RLock()

    def at(self, storage: Any, run_id: str) -> Run:
        """Return the record of a run. Raises UnknownRun if it is not there."""
        with self._lock:
            known = self._known.get(run_id)
        run: Run = known if known and self._is_there(storage, run_id) else storage.run(run_id)
        if run.status != "running":
            with self._lock:
                self._known[run_id] = run
                self._known.move_to_end(run_id)
                while len(self._known) > RUNS:
                    self._known.popitem(last=False)
        return run

    @staticmethod
    def _is_there(storage: Any, run_id: str) -> bool:
        """Say whether it was not erased meanwhile."""
        sql = "SELECT 1 FROM run_log WHERE run_id = ? AND store = ? LIMIT 1"
        return bool(storage.read(sql, (run_id, storage.table_name)))
