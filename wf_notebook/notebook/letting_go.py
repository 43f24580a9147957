"""A run of which nobody waits for the end: a while after Stop it is let go of, if its code does not look up."""

from __future__ import annotations

import threading
from concurrent.futures import Future, wait
from contextvars import copy_context
from typing import TYPE_CHECKING, TypeVar

from ..errors import RunCancelled
from ..sweep.leaving import PATIENCE

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..record import OpenRun

T = TypeVar("T")


class LettingGo:
    """Waits for what a run does, but no longer than a second after it was asked to end."""

    def __init__(self) -> None:
        self._run: OpenRun | None = None
        self._wake = threading.Event()

    def opened(self, run: OpenRun) -> None:
        """Hear of the run, before its code is run."""
        self._run = run
        run.context.cancel.on_cancel(self._wake.set)

    def wait(self, work: Callable[[], T]) -> T:
        """Do the work in a thread of its own; return what it gives, and raise what it raises.

        A run that has not ended although it was told to is recorded as it is, and RunCancelled is raised: what it says and
        gives from then on is not heard.
        """
        done: Future[T] = Future()

        def do() -> None:
            try:
                done.set_result(work())
            except BaseException as error:  # noqa: BLE001 - carried over to who waits
                done.set_exception(error)
            finally:
                self._wake.set()

        threading.Thread(target=copy_context().run, args=[do], name="wf_notebook-work", daemon=True).start()
        self._wake.wait()
        if not wait([done], PATIENCE).done and self._run is not None:
            self._run.end(RunCancelled())
            if self._run.status == "stopped":  # and has not just ended by itself
                raise RunCancelled
        return done.result()
