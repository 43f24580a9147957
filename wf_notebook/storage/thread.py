"""One thread that makes all transactions of a kind; callers wait for it, so that an interrupt hits the wait, not the work."""

from __future__ import annotations

import atexit
import os
import queue
import threading
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any

from ..errors import StorageBusy
from ..run import CancelToken

if TYPE_CHECKING:
    from collections.abc import Callable

    Job = Callable[["Result"], None]


class Result(Future[Any]):
    """What a job will give; `given_up` says that nobody waits for it any more."""

    def __init__(self) -> None:
        super().__init__()
        self.given_up = CancelToken()


class StorageThread:
    """Runs jobs one after the other; a job tells its result when it is durable.

    >>> thread = StorageThread("demo")
    >>> thread.run(lambda result: result.set_result(42))
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
            os.register_at_fork(after_in_child=self._forget)

    def run(self, job: Job) -> Any:
        """Run a job and wait for its result.

        An interrupt takes back a job that has not begun, and ends its waiting for a lock. One that is at work is waited for, so
        that what it does is whole. Raises StorageBusy when a job asks for another one: it would wait for itself.
        """
        if threading.current_thread() is self._thread:
            raise StorageBusy("a save was begun inside another one, as a finaliser may do; save in plain code")
        result = Result()
        self._submit(job, result)
        try:
            return result.result()
        except KeyboardInterrupt:
            if not result.cancel():
                result.given_up.cancel()
                result.exception()
            raise

    def _submit(self, job: Job, result: Result) -> None:
        with self._lock:
            if self._thread is None:
                thread = threading.Thread(target=self._work, args=(self._jobs,), name=self._name, daemon=True)
                try:
                    thread.start()
                except RuntimeError:  # Python 3.12 starts no thread while it exits
                    self._do(job, result)
                    return
                self._thread = thread
        self._jobs.put((job, result))

    @classmethod
    def _work(cls, jobs: queue.SimpleQueue[tuple[Job, Result]]) -> None:
        while True:
            cls._do(*jobs.get())

    @staticmethod
    def _do(job: Job, result: Result) -> None:
        if not result.set_running_or_notify_cancel():
            return
        try:
            job(result)
        except BaseException as error:  # noqa: BLE001 - carried over to the caller's thread and raised there
            if not result.done():
                result.set_exception(error)

    def _start_over(self) -> None:
        self._thread = None
        self._lock = threading.RLock()
        self._jobs: queue.SimpleQueue[tuple[Job, Result]] = queue.SimpleQueue()

    def _forget(self) -> None:
        """In a forked child the thread is gone: start over, without touching what is the parent's."""
        if self._thread is not None:
            self._start_over()
            self._forget_more()

    def _end(self) -> None:
        if self._thread is not None:
            self._at_exit()
