"""Sweeps that go on when this process ends: they are stopped, and what is done is kept."""

from __future__ import annotations

import atexit
from contextlib import suppress
from typing import Protocol
from weakref import WeakSet

#: How long the end of the process waits for each, in seconds.
PATIENCE = 1.0


class Going(Protocol):
    """As much of a sweep as is needed here."""

    @property
    def status(self) -> str:
        """How it stands."""

    def stop(self) -> None:
        """End it."""

    def wait(self, seconds: float | None = None) -> bool:
        """Wait until it is over."""


_going: WeakSet[Going] = WeakSet()


def stopped_at_exit(sweep: Going) -> None:
    """Stop a sweep when this process ends, where it goes on then."""
    _going.add(sweep)


def _stop_all() -> None:
    for sweep in list(_going):
        if sweep.status == "running":
            sweep.stop()
            with suppress(Exception):  # nobody is there to hear it
                sweep.wait(PATIENCE)


atexit.register(_stop_all)
