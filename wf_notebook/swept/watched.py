"""A sweep in a terminal: a bar for a script that waits for it, a line that says what came of it, and its record in colours."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from ..render.status import STATUS
from .bar import COLOURS, Bar
from .said import head, like

if TYPE_CHECKING:
    from ..sweep import Sweep
    from .afar import Afar

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


def printed(sweep: Sweep | Afar, record: str) -> None:
    """Print the record of a sweep: how it stands, and its failures, in colours."""
    from rich.console import Console
    from rich.text import Text

    console, failed = Console(), STATUS["failed"][0]
    first, *lines = record.splitlines()
    console.print(Text(first, COLOURS.get(like(sweep), "")), soft_wrap=True)
    for line in lines:
        console.print(Text(line, COLOURS["failed"] if line.startswith(f"{failed} row ") else ""), soft_wrap=True)
