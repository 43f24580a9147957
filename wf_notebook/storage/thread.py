"""One thread that makes all transactions of a kind; callers wait for it, so that an interrupt hits the wait, not the work.

What waits for the same file is done together: one transaction, one flush to the disk.
"""

from __future__ import annotations

import atexit
import os
import queue
import threading
import time
from collections import deque
from concurrent.futures import Future
from contextlib import suppress
from copy import copy
from typing import TYPE_CHECKING, Any

from ..cancel import CancelToken
from ..errors import StorageBusy
from ..exiting import hold_interrupts
from .waiting import longest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    #: Does jobs; each hears of its result when it is durable. What is raised is the result of all that have heard nothing.
    Do = Callable[[Sequence["Job"]], None]
    #: Waits until that moment of the monotonic clock for further jobs of the group; none have come when it is there.
    More = Callable[[float], Sequence["Job"]]

#: A fork waits so many seconds at most for what is being done.
HOLD = 3.0


class Job(Future[Any]):
    """Something to do, and what it will give; `given_up` says that nobody waits for it any more.

    Jobs of one `group` may be done together.
    """

    def __init__(self, do: Do, task: Any = None, *, group: object = None) -> None:
        super().__init__()
        self.do, self.task, self.group = do, task, group
        self.given_up = CancelToken()
        #: So long who gave it waits at most for a file to read.
        self.limit = longest.get()
        #: What the first of jobs that are done together may ask for, while it is done.
        self.more: More = _none

    def give_up(self) -> bool:
        """Say that nobody waits for it any more; return whether it had not begun, and so is taken back."""
        if self.cancel():
            return True
        self.given_up.cancel()
        return False


def _none(until: float) -> Sequence[Job]:
    if (left := until - time.monotonic()) > 0:
        time.sleep(left)
    return ()


class _Waiting:
    """The jobs that wait, in the order in which they came."""

    def __init__(self, jobs: queue.SimpleQueue[Job]) -> None:
        self._coming = jobs
        self._jobs: deque[Job] = deque()

    def first(self) -> list[Job]:
        """Wait for a job, and return it with those of its group."""
        if not self._jobs:
            self._jobs.append(self._coming.get())
        self._look()
        first = self._jobs.popleft()
        return [first, *self._of(first.group)]

    def more(self, group: object, until: float) -> list[Job]:
        """Wait for jobs of a group until that moment, and return them."""
        while True:
            self._look()
            if found := self._of(group):
                return found
            left = until - time.monotonic()
            if left <= 0:
                return []
            with suppress(queue.Empty):
                self._jobs.append(self._coming.get(timeout=left))

    def _look(self) -> None:
        with suppress(queue.Empty):
            while True:
                self._jobs.append(self._coming.get_nowait())

    def _of(self, group: object) -> list[Job]:
        found = [job for job in self._jobs if group is not None and job.group is group]
        self._jobs = deque(job for job in self._jobs if job not in found)
        return found


class StorageThread:
    """Does jobs one after the other, and those of one group together when they wait together.

    >>> thread = StorageThread("demo")
    >>> thread.run(Job(lambda jobs: jobs[0].set_result(jobs[0].task + 1), 41))
    42
    """

    def __init__(
        self, name: str, *, at_exit: Callable[[], None] = lambda: None, forget: Callable[[], None] = lambda: None
    ) -> None:
        self._name = name
        self._at_exit = at_exit
        self._forget_more = forget
        self._thread: threading.Thread | None = None
        self._start_over()
        atexit.register(self._end)
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(before=self._hold, after_in_parent=self._let_go_on, after_in_child=self._forget)

    def run(self, job: Job) -> Any:
        """Let a job be done, and wait for its result.

        An interrupt takes back a job that has not begun, and ends its waiting for a lock. One that is at work is waited for, so
        that what it does is whole. Raises StorageBusy when a job asks for another one: it would wait for itself.
        """
        if threading.current_thread() is self._thread:
            raise StorageBusy("a save was begun inside another one, as a finaliser may do; save in plain code")
        try:
            self._submit(job)
            return job.result()
        except KeyboardInterrupt:
            if not job.give_up():
                job.exception()
            raise

    def catch_up(self) -> None:
        """Wait until all is done that was begun before, also what nobody waits for any more."""
        self.run(Job(lambda jobs: jobs[0].set_result(None)))

    def _submit(self, job: Job) -> None:
        if self._thread is None:
            try:
                threading.Thread(target=self._work, args=(self._jobs,), name=self._name, daemon=True).start()
            except RuntimeError:  # Python 3.12 starts no thread while it exits
                self._do([job])
                return
        self._jobs.put(job)

    def _work(self, jobs: queue.SimpleQueue[Job]) -> None:
        with self._lock:
            if self._thread is not None:  # whoever starts one may be interrupted, and start another: there is one that works
                return
            self._thread = threading.current_thread()
        waiting = _Waiting(jobs)
        while True:
            first = waiting.first()
            with self._at_work:
                self._do(first, waiting)

    @staticmethod
    def _do(jobs: Sequence[Job], waiting: _Waiting | None = None) -> None:
        begun = _begun(jobs)
        if not begun:
            return
        first = begun[0]

        def more(until: float) -> Sequence[Job]:
            while waiting and (come := waiting.more(first.group, until)):
                if running := _begun(come):
                    begun.extend(running)
                    return running
            return _none(until)

        first.more = more
        try:
            first.do(begun.copy())
        except BaseException as error:  # noqa: BLE001 - carried over to the callers' threads and raised there
            undecided = [job for job in begun if not job.done()]
            for number, job in enumerate(undecided):
                job.set_exception(error if number == 0 else _another(error))
        finally:
            first.more = _none

    def _start_over(self) -> None:
        self._thread = None
        self._lock = threading.RLock()
        self._at_work, self._holder = threading.Lock(), 0
        self._jobs: queue.SimpleQueue[Job] = queue.SimpleQueue()

    def _hold(self) -> None:
        """Before a fork: let it do nothing meanwhile, or a file that it has attached would be so for ever in the child."""
        if threading.current_thread() is not self._thread and self._at_work.acquire(timeout=HOLD):
            self._holder = threading.get_ident()

    def _let_go_on(self) -> None:
        if self._holder == threading.get_ident():
            self._holder = 0
            self._at_work.release()

    def _forget(self) -> None:
        """In a forked child the thread is gone: start over, without touching what is the parent's."""
        if self._thread is not None:
            self._start_over()
            self._forget_more()
        else:
            self._let_go_on()

    def _end(self) -> None:
        if self._thread is not None:
            hold_interrupts()
            self._at_exit()


def _begun(jobs: Iterable[Job]) -> list[Job]:
    """Return the jobs that were not taken back, from now on at work."""
    return [job for job in jobs if job.set_running_or_notify_cancel()]


def _another(error: BaseException) -> BaseException:
    """Return the same error once more: each thread adds its own frames and notes."""
    with suppress(Exception):
        other = copy(error)
        other.__cause__ = error.__cause__
        return other
    return error


def tell(jobs: Sequence[Job], values: Sequence[Any]) -> None:
    """Give each job its result, if it has none yet."""
    for job, value in zip(jobs, values, strict=True):
        if not job.done():
            job.set_result(value)


def all_given_up(jobs: Sequence[Job]) -> CancelToken:
    """Return a token that is cancelled when nobody waits any more."""
    if len(jobs) == 1:
        return jobs[0].given_up
    token = CancelToken()

    def look() -> None:
        if all(job.given_up.cancelled for job in jobs):
            token.cancel()

    for job in jobs:
        job.given_up.on_cancel(look)
    return token
