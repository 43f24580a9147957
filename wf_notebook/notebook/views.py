"""Where a run is shown: as a widget in a notebook, as text in a terminal, as a record alone, or nowhere."""

from __future__ import annotations

import sys
import threading
from collections import deque
from contextvars import copy_context
from html import escape
from time import perf_counter
from typing import TYPE_CHECKING, Any, Protocol
from uuid import uuid4

from IPython.core.getipython import get_ipython
from IPython.display import publish_display_data

from ..ipynb.line import written
from ..render import GrowingMarkdown, GrowingText, Layout, Said, from_store, session_name, used
from ..render.terminal import ResponseBox

if TYPE_CHECKING:
    from collections.abc import Callable

    from rich.live import Live

    from ..events import RunResponse
    from ..run import Run
    from .widget import LiveWidget

#: Seconds between two updates, at least; and how many times as long as an update took.
PAUSE, SHARE = 0.05, 4
#: What updates carry keeps to so many characters a second, as the page may be far away, unless that makes them rarer than this.
RATE, RAREST = 36_000, 0.1
#: What one update is wrapped in, in characters: the headers of a message, and whose cell it belongs to.
WRAPPED = 1_000
#: A run that ends within so many seconds shows its record at once, and no widget that would flicker.
BRIEF = 0.1
#: Seconds between two updates of time and tokens while nothing is said.
TICK = 0.25

#: In the place of a widget of which nothing is to stay: an output can be replaced, and not be taken away.
NOTHING = {"text/plain": ""}
#: IPython's, which has no types.
publish: Any = publish_display_data


def publish_run(bundle: dict[str, str], metadata: dict[str, Any]) -> None:
    """Show a run in this cell: what `run.show()` does in a notebook."""
    publish(bundle, {"wf_notebook": metadata})


class View(Protocol):
    """What a run that goes on is shown in."""

    def can_stop(self, press: Callable[[], object]) -> None:
        """Offer to stop the run, where something can be pressed."""

    def add(self, response: RunResponse) -> None:
        """Show one more thing said."""

    def freeze(self, bundle: dict[str, str], metadata: dict[str, Any], in_terminal: Callable[[], None] | None = None) -> None:
        """Put the record in the place of what was shown while it ran; `in_terminal` prints it there."""

    def show_again(self) -> None:
        """Show the record from the cell that waited for it, where the one that began the run may be out of reach."""


class NoView:
    """Shows nothing."""

    def can_stop(self, press: Callable[[], object]) -> None:
        """Offer nothing."""

    def add(self, response: RunResponse) -> None:
        """Show nothing."""

    def freeze(self, bundle: dict[str, str], metadata: dict[str, Any], in_terminal: Callable[[], None] | None = None) -> None:
        """Show nothing."""

    def show_again(self) -> None:
        """Show nothing."""


class RecordView:
    """Shows the record at the end, and nothing before."""

    def can_stop(self, press: Callable[[], object]) -> None:
        """Offer nothing: there is nothing to press."""

    def add(self, response: RunResponse) -> None:
        """Show nothing yet."""

    def freeze(self, bundle: dict[str, str], metadata: dict[str, Any], in_terminal: Callable[[], None] | None = None) -> None:
        """Show the record."""
        if in_terminal is not None and _is_terminal():
            in_terminal()
        elif bundle:
            publish(bundle, metadata)

    def show_again(self) -> None:
        """Show nothing more: it is where it was shown."""


class TerminalView(RecordView):
    """Shows what is said in a box that fills, and then the record in its place."""

    def __init__(self) -> None:
        from rich.live import Live

        self._box = ResponseBox(markdown=True, show_time=False)
        self._live: Live = Live(self._box, transient=True)
        if getattr(getattr(get_ipython(), "displayhook", None), "is_active", False):
            print()  # noqa: T201 - Out[…]: stands on a line of its own
        self._live.start()

    def add(self, response: RunResponse) -> None:
        """Show one more thing said, when the terminal is next drawn."""
        self._box.add(response)

    def freeze(self, bundle: dict[str, str], metadata: dict[str, Any], in_terminal: Callable[[], None] | None = None) -> None:
        """Take the box away and print the record."""
        self._live.stop()
        super().freeze(bundle, metadata, in_terminal)


class WidgetView:
    """Shows a run in one widget; a thread of its own sends what is new, at most 20 times a second, in one message.

    The output is one display: at the end the record takes the widget's place, so that a notebook is readable without a kernel. A
    run that is over before anybody could look has the record alone. One that outlives its cell has its place from the beginning:
    nbclient and papermill take what comes later only from the cell that is run then, and only for a place that is there.
    """

    def __init__(
        self,
        workflow: str,
        session: str = "",
        progress: Callable[[], Run | None] = lambda: None,
        *,
        markdown: bool = True,
        outlives: bool = False,
        ago: float = 0.0,
    ) -> None:
        self._name = workflow, session
        self._progress = progress
        self._began = perf_counter() - ago
        self._said, self._layout = Said(), Layout(text=GrowingMarkdown if markdown else GrowingText)
        self._arrived: deque[tuple[str | None, str | None, Any]] = deque()
        self._ended = threading.Event()
        self._display_id = uuid4().hex
        self._widget: LiveWidget | None = None
        self._record: tuple[dict[str, str], dict[str, Any]] = NOTHING, {}
        self._is_placed = outlives
        if outlives:
            self._publish(self._running())
        self._stop: Callable[[], object] | None = None
        # In a copy of the cell's context, so that messages of the thread belong to this cell.
        self._flusher = threading.Thread(target=copy_context().run, args=[self._flush_until_the_end], daemon=True)
        self._flusher.start()

    def can_stop(self, press: Callable[[], object]) -> None:
        """Show a Stop that does this."""
        self._stop = press

    def _open(self) -> LiveWidget:
        from .widget import LiveWidget  # anywidget and ipywidgets take longer to load than all the rest

        workflow, session = self._name
        widget = LiveWidget(workflow=workflow, session=session_name(session), stop=self._stop)
        view = {"version_major": 2, "version_minor": 0, "model_id": widget.model_id}
        self._publish({"application/vnd.jupyter.widget-view+json": view, **self._running()}, update=self._is_placed)
        return widget

    def _running(self) -> dict[str, str]:
        """Return what is shown where no front end has the widget."""
        workflow, session = self._name
        running = " · ".join([workflow, *([f"session {session_name(session)}"] if session else []), "● running"])
        where = f"; %wf show -s {written(session)} shows it" if session else ""
        return {"text/html": f"<p>{escape(running)}…{escape(where)}</p>", "text/plain": running + where}

    def _publish(self, bundle: dict[str, Any], metadata: dict[str, Any] | None = None, *, update: bool = False) -> None:
        publish(bundle, metadata, transient={"display_id": self._display_id}, update=update)

    def add(self, response: RunResponse) -> None:
        """Keep one more thing said for the next update."""
        for content in self._said(response):
            self._arrived.append((response.lane, response.agent_id, content))

    def freeze(self, bundle: dict[str, str], metadata: dict[str, Any], in_terminal: Callable[[], None] | None = None) -> None:
        """Put the record in the widget's place, and end the widget."""
        self._ended.set()
        self._flusher.join()
        widget, self._record = self._widget, (bundle or NOTHING, metadata)
        if widget is None:
            if bundle or self._is_placed:
                self._publish(*self._record, update=self._is_placed)
            return
        try:
            self._layout.end()
            self._send(widget, self._news() | self._outcome())
        finally:  # whatever could not be shown: the record is
            self._publish(*self._record, update=not widget.is_gone)
            widget.end()

    def show_again(self) -> None:
        """Put the record in its place from here, unless a page has it."""
        if self._is_placed and (self._widget is None or not self._widget.is_heard_of):
            self._publish(*self._record, update=True)

    def _flush_until_the_end(self) -> None:
        pause, ticked = PAUSE, 0.0
        if self._ended.wait(BRIEF):
            return
        widget = self._widget = self._open()
        while not self._ended.wait(pause):
            began = perf_counter()
            changes: dict[str, Any] = {}
            if began - ticked >= TICK:
                ticked = began
                changes = self._numbers()
            changes |= self._news()
            self._send(widget, changes)
            pause = _pause(perf_counter() - began, changes)

    @staticmethod
    def _send(widget: LiveWidget, changes: dict[str, Any]) -> None:
        with widget.hold_sync():
            for name, value in changes.items():
                setattr(widget, name, value)

    def _news(self) -> dict[str, Any]:
        """Return what changes on the page by what arrived since the last time."""
        for _ in range(len(self._arrived)):  # what arrives meanwhile is for the next time
            lane, agent, content = self._arrived.popleft()
            self._layout.add(content, lane=lane, agent=agent)
        changes = self._layout.changes()
        return changes | ({"note": "… the rest is in the record, at the end of the run"} if self._layout.full else {})

    def _numbers(self) -> dict[str, Any]:
        """Return what the head says: who is at work, what was used, how long it takes."""
        run, seconds = self._progress(), perf_counter() - self._began
        facts: list[str] = []
        numbers: dict[str, Any] = {}
        if run is not None:
            if run.session_id:
                kept = f"%wf show {run.run_id[:8]} shows what is kept of this run"
                numbers["unheard"] = f"nothing more is heard from the kernel; {kept}"
            bars = run.timeline()
            at_work = dict.fromkeys(bar.name for bar in bars if bar.what == "agent" and bar.status == "running")
            facts = [*([", ".join(at_work)] if at_work else []), *filter(None, [from_store(run)]), *used(run, seconds)]
            for bar in bars:
                if bar.what == "branch" and bar.lane is not None:
                    self._layout.lane_ended(bar.lane, bar.status)
        return numbers | {"elapsed": round(seconds, 1), "facts": facts}

    def _outcome(self) -> dict[str, Any]:
        run = self._progress()
        if run is None:
            return self._numbers() | {"status": "completed"}
        again = f"the page was loaded anew, so the record could not be put here; %wf show {run.run_id[:8]} shows it"
        return self._numbers() | {"status": run.status, "note": again}


def _pause(took: float, changes: dict[str, Any]) -> float:
    """Return how many seconds to wait after an update, by the time it took and by what it carried.

    >>> _pause(0.001, {"tail_0": "a word"}), _pause(0.001, {"page_0": "a" * 2000, "sections": []}), _pause(0.1, {})
    (0.05, 0.08333333333333333, 0.4)
    """
    carried = WRAPPED + sum(len(value) for value in changes.values() if isinstance(value, str))
    return max(PAUSE, SHARE * took, min(RAREST, carried / RATE))


def _is_terminal() -> bool:
    """Return whether what is printed is seen in a terminal, by people."""
    return getattr(get_ipython(), "kernel", None) is None and sys.stdout.isatty()


def has_widgets() -> bool:
    """Return whether a front end may show widgets: a terminal has none."""
    return getattr(get_ipython(), "kernel", None) is not None


def view(workflow: str, session: str, progress: Callable[[], Run | None], *, outlives: bool = False, ago: float = 0.0) -> View:
    """Return the view for where this runs: a widget in a kernel, else text in the terminal.

    The run may outlive its cell, and may have begun so many seconds ago.
    """
    if has_widgets():
        return WidgetView(workflow, session, progress, outlives=outlives, ago=ago)
    return TerminalView()
