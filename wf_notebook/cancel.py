"""Stop: said once, from any thread, and heard by whatever waits."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from .errors import RunCancelled

if TYPE_CHECKING:
    from collections.abc import Callable


class CancelToken:
    """Says that a run should end: set once, from any thread, and never unset.

    >>> token = CancelToken()
    >>> heard = []
    >>> forget = token.on_cancel(lambda: heard.append("stop"))
    >>> token.cancel(); token.cancel(); token.cancelled, heard
    (True, ['stop'])
    """

    __slots__ = ("_callbacks", "_lock", "cancelled", "reason")

    def __init__(self) -> None:
        self.cancelled = False
        #: Why, where that is not plain: a Stop needs no words.
        self.reason: str | None = None
        self._callbacks: list[Callable[[], object]] = []
        self._lock = threading.RLock()  # the collector may run anywhere, and end what is dropped

    def cancel(self, reason: str | None = None) -> None:
        """Ask the run to end; what waits on it is told at once."""
        with self._lock:
            if self.cancelled:
                return
            self.cancelled, self.reason = True, reason
            callbacks, self._callbacks = self._callbacks, []
        for callback in callbacks:
            callback()

    def on_cancel(self, callback: Callable[[], object]) -> Callable[[], None]:
        """Call `callback` when the run is cancelled (now, if it was); return how to forget it."""
        with self._lock:
            if not self.cancelled:
                self._callbacks.append(callback)
                return lambda: self._forget(callback)
        callback()
        return lambda: None

    def _forget(self, callback: Callable[[], object]) -> None:
        with self._lock:
            if callback in self._callbacks:
                self._callbacks.remove(callback)

    def check(self) -> None:
        """Raise RunCancelled if the run was asked to end."""
        if self.cancelled:
            raise RunCancelled
