"""A sweep in a terminal: a bar that fills; where no terminal is, a line now and then."""

from __future__ import annotations

import sys
import threading
from typing import TYPE_CHECKING, Any

from .said import facts, going

if TYPE_CHECKING:
    from collections.abc import Callable

    from rich.console import Console, ConsoleOptions, RenderResult
    from rich.live import Live
    from rich.text import Text

    from ..sweep import Progress, Sweep
    from .afar import Afar

#: Characters of the bar: a part of the line, at most so many. It stays as wide as it is while what is said grows.
_PART, _WIDE = 5, 30
_BETWEEN = " · "
#: What is left out first where a line has no room for all.
_LESS = ("pace", "running", "tokens", "hits", "cost", "seconds", "elsewhere", "stopped")
#: The colours of what failed, and what was stopped; the words say it, too.
COLOURS = {"failed": "red", "stopped": "yellow"}
#: Seconds before the first line, where no terminal is, and in the end between two of them.
FIRST, NOW_AND_THEN = 1.0, 10.0


class Bar:
    """How far a sweep is, while it goes on, on a line of a terminal."""

    def __init__(self, sweep: Sweep | Afar, console: Console | None = None) -> None:
        from rich.live import Live

        self._sweep = sweep
        seen = sys.stdout is not None and sys.stdout.isatty()  # what rows print into a file or a pipe goes on there
        self._live: Live = Live(self, console=console, transient=True, refresh_per_second=8, redirect_stdout=seen)

    def start(self) -> None:
        """Show it."""
        self._live.start()

    def stop(self) -> None:
        """Take it away."""
        self._live.stop()

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        from rich.text import Text

        progress, room = self._sweep.progress, options.max_width - 1  # some terminals break a line that is full
        told = facts(progress) | {"seconds": f"{progress.seconds:.1f} s"}
        wide = min(_WIDE, room // _PART) if progress.total else 0
        for name in _LESS:
            if wide + 1 + len(_BETWEEN.join(told.values())) > room:
                told.pop(name, None)
        said = Text(_BETWEEN).join(Text(text, COLOURS.get(name, "")) for name, text in told.items())
        line = Text(" ").join([_drawn(progress, wide), said]) if wide else said
        line.truncate(room, overflow="ellipsis")
        yield line


def _drawn(progress: Progress, wide: int) -> Text:
    """Return the bar: what is done, failed and stopped, and what is not over."""
    from rich.text import Text

    bar, at = Text(), 0
    total, over = progress.total or 1, 0
    for number, colour in ((progress.done, "green"), (progress.failed, "red"), (progress.stopped, "yellow")):
        over += number
        end = max(at, wide * over // total)
        bar.append("━" * (end - at), colour)
        at = end
    return bar.append("─" * (wide - at), "dim")


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
