"""A sweep that a script waits for, in a terminal: a bar on stderr, and in the end a line that says what came of it."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from .bar import COLOURS, Bar
from .said import head, like

if TYPE_CHECKING:
    from ..sweep import Sweep

#: Where several are waited for at once, one of them is shown.
_shown = threading.Lock()


def watched(sweep: Sweep) -> None:
    """Wait until a sweep is over, and show on stderr how far it is."""
    from rich.console import Console
    from rich.text import Text

    if not _shown.acquire(blocking=False):
        return
    console = Console(stderr=True)
    bar = Bar(sweep, console)
    try:
        bar.start()
        try:
            sweep.wait()
        finally:
            bar.stop()
            console.print(Text(head(sweep), COLOURS.get(like(sweep), "dim")), soft_wrap=True)
    finally:
        _shown.release()
