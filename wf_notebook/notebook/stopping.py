"""Stop, pressed while a cell waits: the run is asked to end; a main thread still blocked soon after is interrupted."""

from __future__ import annotations

import signal
import sys
import threading
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Self

from ..errors import RunCancelled, RunStopped

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

#: What has not ended so many seconds after Stop is interrupted, if it blocks the main thread.
GRACE = 0.1


class Stop:
    """Around a run that a cell waits for: `press` may be called at any time, from any thread, as often as you like.

    >>> pressed = []
    >>> with Stop(lambda: pressed.append("the token is set")) as stop:
    ...     stop.press()
    ...     stop.wait(10)
    Traceback (most recent call last):
        ...
    wf_notebook.errors.RunStopped: the run was stopped
    >>> pressed
    ['the token is set']
    """

    def __init__(
        self,
        cancel: Callable[[], object],
        *,
        running: Callable[[], bool] = lambda: True,
        said: Callable[[], str] = lambda: "the run was stopped",
    ) -> None:
        self._cancel, self._running, self._said = cancel, running, said
        self._pressed = threading.Event()
        self._over = threading.Event()
        self._ending = threading.Lock()
        self._thread = threading.current_thread()

    def press(self) -> None:
        """Ask the run to end; it has GRACE to do so by itself, but not a second time.

        Only starts a thread: it is called where messages of the browser are read.
        """
        grace = 0.0 if self._pressed.is_set() else GRACE
        self._pressed.set()
        threading.Thread(target=self._stop, args=[grace], name="wf_notebook-stop", daemon=True).start()

    def wait(self, seconds: float) -> bool:
        """Wait for the run to have been asked to end; return whether it was."""
        return self._pressed.wait(seconds)

    def _stop(self, grace: float) -> None:
        self._cancel()
        if self._thread is threading.main_thread() and not self._over.wait(grace):
            with self._ending:
                if not self._over.is_set() and self._running():  # a run that ends saves its state, and is let to
                    _interrupt(self._thread)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None) -> None:
        """End the cell of a run that was stopped by a line that says so."""
        while not self._over.is_set():  # an interrupt may hit this line, too
            with suppress(KeyboardInterrupt), self._ending:
                self._over.set()
        if isinstance(error, (RunCancelled, KeyboardInterrupt)) or (error is None and self._pressed.is_set()):
            raise RunStopped(self._said()) from None


def _interrupt(thread: threading.Thread) -> None:
    """Interrupt the main thread as a kernel's interrupt does, also where it sleeps."""
    if sys.platform == "win32":
        untyped: Any = __import__("_thread")
        untyped.interrupt_main()
    elif thread.ident is not None:
        signal.pthread_kill(thread.ident, signal.SIGINT)
