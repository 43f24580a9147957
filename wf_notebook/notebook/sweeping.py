"""A sweep in a notebook: done and watched in the cell that shows it, and its record in the end."""

from __future__ import annotations

import threading
from collections import deque
from contextvars import copy_context
from functools import partial
from html import escape
from typing import TYPE_CHECKING, Any

from IPython.core.getipython import get_ipython

from ..ipynb.whereabouts import notebook_file
from ..readable import brief
from ..swept import board_html, going, head, is_kept, stopped, swept_bundle, swept_metadata
from ..swept.bar import Bar
from ..swept.watched import printed
from .displayed import ANEW, Displayed, publish
from .failure import failed
from .remains import wished
from .stopping import Stop
from .views import RecordView, has_widgets, start_a_line

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..sweep import Row, Sweep
    from ..swept import Afar
    from .views import Showing

#: So many rows that ended last, and so many that failed last, are on the board.
NEWEST = 5
#: How long the end of a cell waits for the record of a sweep that is over, in seconds.
PATIENCE = 2.0


def display_sweep(sweep: Sweep) -> None:
    """Show a sweep as the last expression of a cell, or in `display(…)`.

    One that was not begun is done, and the cell waits for it; of one that goes on is shown how it goes on, and the cell is over.
    """
    try:
        do_sweep(sweep)
    except BaseException as error:  # noqa: BLE001 - shown as a cell's own
        failure = failed(error)
    else:
        return
    raise failure


def do_sweep(sweep: Sweep, shown: Showing | None = None) -> None:
    """Show a sweep, in what is given or in what fits to where this runs; raises what failed, and RunStopped."""
    if sweep.status == "running" and shown is None and not has_widgets():
        publish({"text/plain": head(sweep)})  # in a terminal, somebody writes the next line meanwhile
    elif sweep.status == "running":
        follow(sweep, shown or sweep_view(sweep, outlives=True))
    elif sweep.status == "new":
        play(sweep, shown or sweep_view(sweep))
    else:
        freeze(sweep, shown or RecordView())


def play(sweep: Sweep, shown: Showing) -> None:
    """Do a sweep to its end and show it; its record is shown however it ends. Raises RunStopped where it was stopped.

    Rows that fail are no failure of the cell; what keeps rows from being kept is one.
    """
    try:
        with Stop(sweep.stop, running=lambda: sweep.status == "running", said=lambda: stopped(sweep)) as stop:
            shown.can_stop(stop.press)
            sweep.wait()
            if sweep.error is not None:
                sweep.result()  # it tries once more to keep what could not be kept, and raises
    finally:
        freeze(sweep, shown)


def follow(sweep: Sweep, shown: Showing) -> None:
    """Show how a sweep goes on that others wait for, while the cell and those after it go on, too."""
    shown.can_stop(sweep.stop)
    over = threading.Event()

    def wait() -> None:
        sweep.wait()
        freeze(sweep, shown)
        over.set()

    # In a copy of the cell's context, so that what it shows belongs to this cell.
    threading.Thread(target=copy_context().run, args=[wait], name="wf_notebook-sweep-shown", daemon=True).start()
    _show_again_after(sweep, over, shown)


def _show_again_after(sweep: Sweep, over: threading.Event, shown: Showing) -> None:
    """Let the record be shown by the cell at whose end the sweep is over: nbclient hears no other one."""
    events: Any = getattr(get_ipython(), "events", None)

    def ended(*_: object) -> None:
        if sweep.status != "running" and over.wait(PATIENCE):
            events.unregister("post_run_cell", ended)
            shown.show_again()

    if events is not None:
        events.register("post_run_cell", ended)


def freeze(sweep: Sweep | Afar, shown: Showing) -> None:
    """Put the record of a sweep in the place of what was shown of it."""
    if wished() == "none":
        shown.freeze({}, {})
        return
    file = notebook_file(getattr(get_ipython(), "user_ns", {}))
    metadata = {"wf_notebook": swept_metadata(sweep, file.parent if file is not None else None)}
    shown.freeze(swept_bundle(sweep), metadata)


def sweep_view(sweep: Sweep | Afar, *, outlives: bool = False) -> Showing:
    """Return what a sweep is shown in where this runs: a widget in a kernel, else a bar in the terminal."""
    return SweepView(sweep, outlives=outlives) if has_widgets() else TerminalBar(sweep)


class SweepView(Displayed):
    """Shows a sweep in one widget: its board, and in the head how far it is."""

    is_told_anew = True

    def __init__(self, sweep: Sweep | Afar, *, outlives: bool = False) -> None:
        self._sweep = sweep
        self._seen, self._over = 0, -1
        self._newest: deque[Row] = deque(maxlen=NEWEST)
        self._failures: deque[Row] = deque(maxlen=NEWEST)
        super().__init__(f"{brief(sweep.workflow.name or '')} · sweep {brief(sweep.name)}", outlives=outlives)

    def standing(self) -> dict[str, str]:
        """Return how far it is, where no front end has the widget."""
        said = f"{head(self._sweep)} …"
        return {"text/html": f"<p>{escape(said)}</p>", "text/plain": said}

    def news(self) -> dict[str, Any]:
        """Return the board, where rows ended since the last time."""
        progress = self._sweep.progress
        for row in self._sweep.ended(self._seen):
            self._seen += 1
            self._newest.append(row)
            if row.status == "failed":
                self._failures.append(row)
        if progress.over == self._over:
            return {}
        self._over = progress.over
        return {"board": board_html(progress, [*reversed(self._newest)], [*reversed(self._failures)])}

    def numbers(self) -> dict[str, Any]:
        """Return how far it is, what it took, and how long it will take."""
        progress = self._sweep.progress
        rest = "; the same again goes on with what is not done" if is_kept(self._sweep) else ""
        unheard = f"nothing more is heard from the kernel{rest}"
        return {"elapsed": round(progress.seconds, 1), "facts": going(progress), "unheard": unheard}

    def outcome(self) -> dict[str, Any]:
        """Return what is shown in the end where the record cannot be put in the widget's place."""
        return {"status": self._sweep.status, "note": f"{ANEW}; display(…) of the sweep shows it"}


class TerminalBar(RecordView):
    """Shows a sweep as a bar, and then its record in its place."""

    def __init__(self, sweep: Sweep | Afar) -> None:

        start_a_line()
        self._sweep, self._bar = sweep, Bar(sweep)
        self._bar.start()

    def freeze(self, bundle: dict[str, str], metadata: dict[str, Any], in_terminal: Callable[[], None] | None = None) -> None:
        """Take the bar away and print the record."""
        self._bar.stop()
        text = bundle.get("text/plain")
        super().freeze(bundle, metadata, None if text is None else partial(printed, self._sweep, text))
