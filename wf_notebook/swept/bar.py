"""A sweep in a terminal: a bar that fills; where no terminal is, a line now and then."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

from .said import going

if TYPE_CHECKING:
    from collections.abc import Callable

    from rich.console import Console, RenderableType
    from rich.live import Live

    from ..sweep import Sweep
    from .afar import Afar

#: Characters of the bar.
_WIDE = 30
#: Seconds before the first line, where no terminal is, and in the end between two of them.
FIRST, NOW_AND_THEN = 1.0, 10.0


class Bar:
    """How far a sweep is, while it goes on, on a line of a terminal."""

    def __init__(self, sweep: Sweep | Afar, console: Console | None = None) -> None:
        from rich.live import Live

        self._sweep = sweep
        self._live: Live = Live(self, console=console, transient=True, refresh_per_second=8)

    def start(self) -> None:
        """Show it."""
        self._live.start()

    def stop(self) -> None:
        """Take it away."""
        self._live.stop()

    def __rich__(self) -> RenderableType:
        from rich.columns import Columns
        from rich.progress_bar import ProgressBar
        from rich.text import Text

        progress = self._sweep.progress
        said = Text(" · ".join([*going(progress), f"{progress.seconds:.1f} s"]))
        if not progress.total:
            return said
        return Columns(
            [
                ProgressBar(
                    total=progress.total, completed=progress.over, width=_WIDE, complete_style="green", finished_style="green"
                ),
                said,
            ]
        )


class Lines:
    """How far a sweep is, in a line now and then: for a log."""

    def __init__(self, sweep: Sweep | Afar, say: Callable[[str], Any], *, every: float = NOW_AND_THEN) -> None:
        self._sweep, self._say, self._every = sweep, say, every
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._work, name="wf_notebook-sweep-lines", daemon=True)

    def start(self) -> None:
        """Begin to say it."""
        self._thread.start()

    def stop(self) -> None:
        """Say no more."""
        self._over.set()
        self._thread.join()

    def _work(self) -> None:
        pause = min(FIRST, self._every)
        while not self._over.wait(pause):
            pause = min(2 * pause, self._every)
            progress = self._sweep.progress
            self._say(" · ".join([*going(progress), f"{progress.seconds:.0f} s"]))
