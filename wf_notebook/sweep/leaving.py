"""Sweeps that go on when the process ends: they are stopped, and what is done is kept."""

from __future__ import annotations

import atexit
from contextlib import suppress
from typing import Any, Protocol
from weakref import WeakSet

from ..exiting import hold_interrupts

#: How long a stop waits for rows that go on, in seconds.
PATIENCE = 1.0


class Leaving(Protocol):
    """As much of a sweep as is needed here."""

    @property
    def status(self) -> str:
        """How it stands."""

    def stop(self) -> None:
        """End it."""

    def wait(self, seconds: float | None = None) -> bool:
        """Wait until it is over."""


_sweeps: WeakSet[Any] = WeakSet()


def ended_at_exit(sweep: Leaving) -> None:
    """See to it that a sweep is ended when the process ends."""
    _sweeps.add(sweep)


def _stop_all() -> None:
    """At exit: what is done is kept."""
    hold_interrupts()
    for sweep in list(_sweeps):
        if sweep.status == "running":
            sweep.stop()
            with suppress(Exception):  # nobody is there to hear it
                sweep.wait(PATIENCE)


atexit.register(_stop_all)
