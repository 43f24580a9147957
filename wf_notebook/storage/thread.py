"""One thread that makes all transactions of a kind; callers wait for it, so that an interrupt hits the wait, not the work."""

from __future__ import annotations

import atexit
import os
import queue
import threading
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    Job = Callable[[Future[Any]], None]


class StorageThread:
    """Runs jobs one after the other; a job tells its future when the result is durable.

    >>> thread = StorageThread("demo")
    >>> thread.run(lambda done: done.set_result(42))
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

        An interrupt takes back a job that has not begun; one that has is waited for, so that what it does is whole.
        """
        done: Future[Any] = Future()
        self._start()
        self._jobs.put((job, done))
        try:
            return done.result()
        except KeyboardInterrupt:
            if not done.cancel():
                done.exception()
            raise

    def _start(self) -> None:
        with self._lock:
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, args=(self._jobs,), name=self._name, daemon=True)
                self._thread.start()

    @staticmethod
    def _work(jobs: queue.SimpleQueue[tuple[Job, Future[Any]]]) -> None:
        while True:
            job, done = jobs.get()
            if not done.set_running_or_notify_cancel():
                continue
            try:
                job(done)
            except BaseException as error:  # noqa: BLE001 - carried over to the caller's thread and raised there
                if not done.done():
                    done.set_exception(error)
            del job, done  # an idle thread keeps nothing alive

    def _start_over(self) -> None:
        self._thread = None
        self._lock = threading.Lock()
        self._jobs: queue.SimpleQueue[tuple[Job, Future[Any]]] = queue.SimpleQueue()

    def _forget(self) -> None:
        """In a forked child the thread is gone: start over, without touching what is the parent's."""
        if self._thread is not None:
            self._start_over()
            self._forget_more()

    def _end(self) -> None:
        if self._thread is not None:
            self._at_exit()
