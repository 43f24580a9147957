"""Whose turn it is: of all sweeps that map the same rows one does a row; what others do is put aside meanwhile."""

from __future__ import annotations

import threading
from itertools import islice
from time import monotonic
from typing import TYPE_CHECKING, Any

from ..cache.lease import LONGEST, PAUSE, Lease, taken
from ..cache.trail import Trail
from ..run import logger

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from .row import Row
    from .tasks import Recall, Task

#: So many seconds of work are taken at once, and so many rows at most: what is taken here is not done elsewhere.
AHEAD, MOST = 0.1, 32
#: Who waits longer than this for rows of others is told so, in seconds.
PATIENCE = 2.0


def waits_for(count: int) -> str:
    """Return what is said of so many rows that others do.

    >>> waits_for(1)
    '1 row is being done elsewhere; this sweep waits for what comes of it'
    >>> waits_for(2000)
    '2,000 rows are being done elsewhere; this sweep waits for what comes of them'
    """
    rows, them = ("1 row is", "it") if count == 1 else (f"{count:,} rows are", "them")
    return f"{rows} being done elsewhere; this sweep waits for what comes of {them}"


class Turns:
    """The rows that are this sweep's to do, each from when it is handed out until it is kept.

    Those that another sweep does are tried again at the end, and looked up again: what was done meanwhile is a hit, and what that
    one failed with, or died on, is done here. With `shared` all rows are in one session.
    """

    def __init__(self, storage: Any, recall: Recall, *, shared: bool) -> None:
        self._storage, self._recall, self._shared = storage, recall, shared
        self._trail = Trail(storage)
        self._seen: int | None = None
        self._leases: dict[int, Lease] = {}
        self._aside: list[Task] = []
        #: How many rows are waited for, as another sweep does them.
        self.elsewhere = 0
        self._lock = threading.Lock()
        #: How long a row takes, in seconds; None until one is done.
        self._pace: float | None = None

    # -- handed out --------------------------------------------------------------------------------------------------------

    def looked_up(self, tasks: Sequence[Task]) -> Iterator[Task]:
        """Yield tasks with what is known of each: those that were done, and those that are to be done here."""
        before, seen = self._seen, self._trail.others()
        known = iter(list(self._recall.looked_up(tasks, anew=seen is None or seen != before)))
        self._seen = seen
        while some := list(islice(known, self._many)):
            yield from (task for task in some if task.done is not None)
            yield from self._taken([task for task in some if task.done is None], seen)
            self.elsewhere = len(self._aside)

    def rest(self) -> Iterator[Task | float]:
        """Yield tasks that were put aside, as soon as others do not do them any more; till then how long to wait, in seconds."""
        pause, since, told = PAUSE, monotonic(), False
        while self._aside:
            aside, self._aside = iter(self._aside), []
            left = None
            while some := list(islice(aside, MOST)):
                for task in self._taken(some, None):
                    left = task
                    yield task
            self.elsewhere = len(self._aside)
            if left is not None:
                pause, since = PAUSE, monotonic()
                continue
            if not told and monotonic() - since > PATIENCE:
                told = True
                logger.info("%s", waits_for(self.elsewhere))
            until, pause = monotonic() + pause, min(LONGEST, 1.5 * pause)
            while (seconds := until - monotonic()) > 0:
                yield seconds

    @property
    def _many(self) -> int:
        return 1 if self._pace is None else max(1, min(MOST, int(AHEAD / max(self._pace, 1e-6))))

    def _taken(self, tasks: Sequence[Task], seen: int | None) -> Iterator[Task]:
        """Yield those that nobody else does; `seen` is how many marks others had left when these were looked up."""
        leases = {task.number: lease for task in tasks if (lease := self._lease(task)) is not None}
        mine = {*taken(list(leases.values()))}
        with self._lock:
            self._leases |= {number: lease for number, lease in leases.items() if lease in mine}
        here = [task for task in tasks if task.number not in leases or leases[task.number] in mine]
        self._aside += [task for task in tasks if task.number in leases and leases[task.number] not in mine]
        if here and (seen is None or self._trail.others() != seen):  # others may have done them since
            here = list(self._recall.looked_up(here, anew=True))
        for task in here:
            if task.done is not None:
                self._let_go([task.number])
            yield task

    def _lease(self, task: Task) -> Lease | None:
        """Return the right to do a row: none where rows of one session cannot be told from each other."""
        if not self._shared:
            return Lease.at(self._storage, task.session_id, "row", owner=self)
        return None if task.key is None else Lease.at(self._storage, task.session_id, f"row/{task.key}", owner=self)

    # -- over --------------------------------------------------------------------------------------------------------------

    def over(self, rows: Sequence[Row]) -> None:
        """Hear that rows are over, and kept: others may look them up."""
        for row in rows:
            if row.duration is not None and not row.hit:
                self._pace = row.duration if self._pace is None else 0.7 * self._pace + 0.3 * row.duration
        if any(row.number in self._leases for row in rows):
            self._trail.leave()
            self._let_go([row.number for row in rows])

    def close(self) -> None:
        """Let others have all that is not over."""
        self._let_go(list(self._leases))

    def _let_go(self, numbers: Sequence[int]) -> None:
        with self._lock:
            leases = [lease for number in numbers if (lease := self._leases.pop(number, None)) is not None]
        for lease in leases:
            lease.release()
