"""Where a run is shown: as a widget in a notebook, as text in a terminal, as a record alone, or nowhere."""

from __future__ import annotations

import sys
import threading
from contextvars import copy_context
from html import escape
from time import perf_counter
from typing import TYPE_CHECKING, Any, Protocol
from uuid import uuid4

from IPython.core.getipython import get_ipython
from IPython.display import publish_display_data

from ..render import GrowingMarkdown, GrowingText, Said, content_html, lane_heading
from ..render.terminal import ResponseBox
from .pages import Pages

if TYPE_CHECKING:
    from collections.abc import Callable

    from rich.live import Live

    from ..events import RunResponse
    from ..run import Run
    from .widget import LiveWidget

#: Seconds between two updates, at least; and how many times as long as an update took.
PAUSE, SHARE = 0.05, 4
#: A run that ends within so many seconds shows its record at once, and no widget that would flicker.
BRIEF = 0.1
#: Seconds between two updates of time and tokens while nothing is said.
TICK = 0.25

#: In the place of a widget of which nothing is to stay: an output can be replaced, and not be taken away.
NOTHING = {"text/plain": ""}
#: IPython's, which has no types.
publish: Any = publish_display_data


class View(Protocol):
    """What a run that goes on is shown in."""

    def add(self, response: RunResponse) -> None:
        """Show one more thing said."""

    def freeze(self, bundle: dict[str, str], metadata: dict[str, Any], in_terminal: Callable[[], None] | None = None) -> None:
        """Put the record in the place of what was shown while it ran; `in_terminal` prints it there."""


class NoView:
    """Shows nothing."""

    def add(self, response: RunResponse) -> None:
        """Show nothing."""

    def freeze(self, bundle: dict[str, str], metadata: dict[str, Any], in_terminal: Callable[[], None] | None = None) -> None:
        """Show nothing."""


class RecordView:
    """Shows the record at the end, and nothing before."""

    def add(self, response: RunResponse) -> None:
        """Show nothing yet."""

    def freeze(self, bundle: dict[str, str], metadata: dict[str, Any], in_terminal: Callable[[], None] | None = None) -> None:
        """Show the record."""
        if in_terminal is not None and _is_terminal():
            in_terminal()
        elif bundle:
            publish(bundle, metadata)


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
    run that is over before anybody could look has the record alone.
    """

    def __init__(
        self, workflow: str, session: str = "", progress: Callable[[], Run | None] = lambda: None, *, markdown: bool = True
    ) -> None:
        self._name = workflow, session
        self._progress = progress
        self._began = perf_counter()
        self._kind = GrowingMarkdown if markdown else GrowingText
        self._said, self._text, self._pages = Said(), self._kind(), Pages()
        self._lanes: dict[str, _LiveLane] = {}  # what branches say side by side, until something else is said
        self._arrived: list[tuple[str | None, Any]] = []
        self._arriving = threading.Lock()
        self._ended = threading.Event()
        self._display_id = uuid4().hex
        self._widget: LiveWidget | None = None
        # In a copy of the cell's context, so that messages of the thread belong to this cell.
        self._flusher = threading.Thread(target=copy_context().run, args=[self._flush_until_the_end], daemon=True)
        self._flusher.start()

    def _open(self) -> LiveWidget:
        from .widget import LiveWidget  # anywidget and ipywidgets take longer to load than all the rest

        workflow, session = self._name
        widget = LiveWidget(workflow=workflow, session=session)
        view = {"version_major": 2, "version_minor": 0, "model_id": widget.model_id}
        running = " · ".join([workflow, *([f"session {session}"] if session else []), "● running"])
        where = "; the record is in its last_run" if session else ""
        html = f"<p>{escape(running)}…{where}</p>"  # where no front end has the widget
        publish(
            {"application/vnd.jupyter.widget-view+json": view, "text/html": html, "text/plain": running},
            transient={"display_id": self._display_id},
        )
        return widget

    def add(self, response: RunResponse) -> None:
        """Keep one more thing said for the next update."""
        content = self._said(response)
        if content is not None:
            with self._arriving:
                self._arrived.append((response.lane, content))

    def freeze(self, bundle: dict[str, str], metadata: dict[str, Any], in_terminal: Callable[[], None] | None = None) -> None:
        """Put the record in the widget's place, and end the widget."""
        self._ended.set()
        self._flusher.join()
        if self._widget is None:
            if bundle:
                publish(bundle, metadata)
            return
        publish(bundle or NOTHING, metadata, transient={"display_id": self._display_id}, update=True)
        self._widget.end()

    def _flush_until_the_end(self) -> None:
        pause, ticked = PAUSE, 0.0
        if self._ended.wait(BRIEF):
            return
        widget = self._widget = self._open()
        while not self._ended.wait(pause):
            began = perf_counter()
            with self._arriving:
                arrived, self._arrived = self._arrived, []
            changes = self._laid_out(arrived) if arrived else {}
            if began - ticked >= TICK:
                ticked = began
                changes |= self._numbers()
            with widget.hold_sync():
                for name, value in changes.items():
                    setattr(widget, name, value)
            pause = max(PAUSE, SHARE * (perf_counter() - began))

    def _laid_out(self, arrived: list[tuple[str | None, Any]]) -> dict[str, Any]:
        """Return what changes on the pages and in the tail."""
        changes: dict[str, Any] = {}
        for lane, content in arrived:
            if lane is not None:
                if not self._lanes:
                    changes |= self._close_text()
                self._lanes.setdefault(lane, _LiveLane(lane, self._kind)).add(content)
                continue
            if self._lanes:
                changes |= self._pages.add(self._lanes_html())
                self._lanes = {}
            if isinstance(content, str):
                self._text.add(content)
            else:
                changes |= self._close_text(content_html(content))
        changes |= self._pages.add(self._text.finished())
        return changes if self._pages.full else changes | {"tail": self._lanes_html() or self._text.tail()}

    def _close_text(self, after: str = "") -> dict[str, str]:
        """Put the open text on the pages, and what comes after it."""
        html = self._text.finished() + self._text.tail() + after
        self._text = self._kind()
        return self._pages.add(html)

    def _lanes_html(self) -> str:
        return "".join(lane.html() for lane in self._lanes.values())

    def _numbers(self) -> dict[str, Any]:
        run = self._progress()
        tokens = run.input_tokens + run.output_tokens if run else 0
        return {"elapsed": round(perf_counter() - self._began, 1), "tokens": tokens}


class _LiveLane:
    """What one branch has said so far."""

    def __init__(self, name: str, kind: type[GrowingMarkdown]) -> None:
        self._kind = kind
        self._text = kind()
        self._done = lane_heading(name)

    def add(self, content: Any) -> None:
        """Take one more thing said."""
        if isinstance(content, str):
            self._text.add(content)
        else:
            self._done += self._text.finished() + self._text.tail() + content_html(content)
            self._text = self._kind()

    def html(self) -> str:
        """Return all of it."""
        self._done += self._text.finished()
        return self._done + self._text.tail()


def _is_terminal() -> bool:
    """Return whether what is printed is seen in a terminal, by people."""
    return getattr(get_ipython(), "kernel", None) is None and sys.stdout.isatty()


def view(workflow: str, session: str, progress: Callable[[], Run | None]) -> View:
    """Return the view for where this runs: a widget in a kernel, else text in the terminal."""
    shell = get_ipython()
    if getattr(shell, "kernel", None) is not None:
        return WidgetView(workflow, session, progress)
    return TerminalView()
