"""What is saved when the process ends is not cut short by one more Ctrl-C."""

from __future__ import annotations

import signal
import threading
from time import monotonic
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types import FrameType

#: So long the process has to end in peace, in seconds.
PATIENCE = 5.0


def hold_interrupts() -> None:
    """Let interrupts wait, as the process ends anyway; one that comes after a while still ends it at once.

    A handler of the user's own stays.
    """
    if threading.current_thread() is not threading.main_thread() or signal.getsignal(signal.SIGINT) != signal.default_int_handler:
        return
    until = monotonic() + PATIENCE

    def held(number: int, _: FrameType | None) -> None:
        if monotonic() > until:
            signal.signal(number, signal.SIG_DFL)
            signal.raise_signal(number)

    signal.signal(signal.SIGINT, held)
