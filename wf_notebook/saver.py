"""While runs are open they are saved every quarter of a second; dropped ones are ended here, and all of them at exit."""

from __future__ import annotations

import atexit
import os
import threading
from collections import deque
from contextlib import suppress
from typing import TYPE_CHECKING, Protocol
from weakref import ref

from .exiting import hold_interrupts
from .run import logger

if TYPE_CHECKING:
    from .run import Run, RunContext
    from .session import Session

#: What an open run said and changed is saved this often, in seconds: a kill loses no more than that.
FLUSH_EVERY = 0.25


class Open(Protocol):
    """A run that has begun."""

    context: RunContext

    @property
    def session(self) -> Session:
        """The session that it belongs to."""

    def record(self) -> Run:
        """Return the run as it stands."""

    def flush(self) -> object:
        """Save what was said and changed since the last time; never raises what a save may raise."""

    def end(self, error: BaseException | None = None) -> None:
        """End the run and save it."""

    def disown(self) -> None:
        """Never save this run: it is another process's."""


_open: dict[str, ref[Open]] = {}
_dropped: deque[Open] = deque()
_draining = threading.RLock()
_wake = threading.Event()
_thread: threading.Thread | None = None
#: How much was registered to be done at exit when the end of all runs was the last of it.
_last_of: int | None = None


def watch(run: Open) -> None:
    """Save `run` while it is open; it is not kept alive for that."""
    global _thread  # noqa: PLW0603 - one for the process is the point
    _open[run.context.run_id] = ref(run)
    _end_first()
    if not _wake.is_set():
        _wake.set()
    if _thread is None or not _thread.is_alive():
        thread = threading.Thread(target=_save_open_runs, name="wf_notebook-saver", daemon=True)
        with suppress(RuntimeError):  # Python 3.12 starts no thread while it exits: the run is saved when it ends
            thread.start()
            _thread = thread


def unwatch(run: Open) -> None:
    """Leave `run` alone: it has ended."""
    _open.pop(run.context.run_id, None)


def open_runs() -> list[Open]:
    """Return the runs that go on in this process and are saved."""
    return [run for reference in list(_open.values()) if (run := reference()) is not None]


def hand_over(run: Open) -> None:
    """Take a run from a finaliser, which may run anywhere, even inside a save: so nothing is done here but to note it."""
    _dropped.append(run)


def drain() -> None:
    """End the runs that were handed over; when it returns, no other thread is still at it."""
    with _draining:
        while _dropped:
            _end(_dropped.popleft(), "dropped")


def _end(run: Open, how: str) -> None:
    try:
        run.end(GeneratorExit())
    except Exception as error:  # noqa: BLE001 - nobody is there to hear it, and others wait for their turn
        logger.warning("a run that was %s could not be saved: %s", how, error)


def _flush(run: Open) -> None:
    try:
        run.flush()
    except Exception as error:  # noqa: BLE001 - it keeps no other run from being saved, and is raised when this one ends
        logger.debug("run %s could not be saved yet: %r", run.context.run_id, error)


def _save_open_runs() -> None:
    pause = threading.Event()
    while True:
        _wake.wait()
        pause.wait(FLUSH_EVERY)
        drain()
        for run_id, reference in list(_open.items()):
            run = reference()
            if run is None:
                _open.pop(run_id, None)
            else:
                _flush(run)
            del run  # an idle saver keeps no run alive
        if not _open and not _dropped:
            _wake.clear()
            if _open or _dropped:
                _wake.set()


def _end_all() -> None:
    """At exit, kernel shutdown included: every run that is still open gets its record, and its state is saved."""
    hold_interrupts()
    drain()
    for reference in list(_open.values()):
        if (run := reference()) is not None:
            _end(run, "open at exit")


def _end_all_first() -> None:
    _end_all()


def _end_first() -> None:
    """See to it that runs are ended before the storage closes that was there before them: what was registered last is done first.

    Each time costs the more the more often it was done: `atexit` keeps the place of what was unregistered. So it is done only
    where something else was registered since.
    """
    global _last_of  # noqa: PLW0603 - of the one in the process
    if _last_of is None or _last_of != _registered():
        atexit.unregister(_end_all_first)
        atexit.register(_end_all_first)
        _last_of = _registered()


def _registered() -> int | None:
    """Return how much is registered to be done at exit; None where this Python does not say."""
    count = getattr(atexit, "_ncallbacks", None)
    return None if count is None else count()


def _forget() -> None:
    """In a forked child the open runs are the parent's, and the thread is not there."""
    global _thread, _wake, _draining
    _thread, _wake, _draining = None, threading.Event(), threading.RLock()
    for reference in list(_open.values()):
        if (run := reference()) is not None:
            run.disown()
    _open.clear()
    _dropped.clear()


atexit.register(_end_all)  # for a run that begins while the process ends: nothing new is registered then
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget)
