"""Where a run is shown: as a widget in a notebook, as text in a terminal, as a record alone, or nowhere."""

from __future__ import annotations

import sys
from collections import deque
from html import escape
from typing import TYPE_CHECKING, Any, Protocol

from IPython.core.getipython import get_ipython

from ..ipynb.line import written
from ..render import GrowingMarkdown, GrowingText, Layout, Said, from_store, session_name, used
from ..render.terminal import ResponseBox
from .displayed import ANEW, Displayed, publish

if TYPE_CHECKING:
    from collections.abc import Callable

    from rich.live import Live

    from ..events import RunResponse
    from ..run import Run


def publish_run(bundle: dict[str, str], metadata: dict[str, Any]) -> None:
    """Show a run in this cell: what `run.show()` does in a notebook."""
    publish(bundle, {"wf_notebook": metadata})


class Showing(Protocol):
    """What something that goes on is shown in."""

    def can_stop(self, press: Callable[[], object]) -> None:
        """Offer to stop it, where something can be pressed."""

    def freeze(self, bundle: dict[str, str], metadata: dict[str, Any], in_terminal: Callable[[], None] | None = None) -> None:
        """Put the record in the place of what was shown while it ran; `in_terminal` prints it there."""

    def show_again(self) -> None:
        """Show the record from the cell that waited for it, where the one that began it may be out of reach."""


class View(Showing, Protocol):
    """What a run that goes on is shown in."""

    def add(self, response: RunResponse) -> None:
        """Show one more thing said."""


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
        start_a_line()
        self._live.start()

    def add(self, response: RunResponse) -> None:
        """Show one more thing said, when the terminal is next drawn."""
        self._box.add(response)

    def freeze(self, bundle: dict[str, str], metadata: dict[str, Any], in_terminal: Callable[[], None] | None = None) -> None:
        """Take the box away and print the record."""
        self._live.stop()
        super().freeze(bundle, metadata, in_terminal)


class WidgetView(Displayed):
    """Shows a run in one widget; a thread of its own sends what is new, at most 20 times a second, in one message."""

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
        self._said, self._layout = Said(), Layout(text=GrowingMarkdown if markdown else GrowingText)
        self._arrived: deque[tuple[str | None, str | None, Any]] = deque()
        super().__init__(workflow, session_name(session), outlives=outlives, ago=ago)

    def standing(self) -> dict[str, str]:
        """Return what is shown where no front end has the widget."""
        workflow, session = self._name
        running = " · ".join([workflow, *([f"session {session_name(session)}"] if session else []), "● running"])
        where = f"; %wf show -s {written(session)} shows it" if session else ""
        return {"text/html": f"<p>{escape(running)}…{escape(where)}</p>", "text/plain": running + where}

    def add(self, response: RunResponse) -> None:
        """Keep one more thing said for the next update."""
        for content in self._said(response):
            self._arrived.append((response.lane, response.agent_id, content))

    def end(self) -> None:
        """Let what was said last be laid out in full."""
        self._layout.end()

    def news(self) -> dict[str, Any]:
        """Return what changes on the page by what arrived since the last time."""
        for _ in range(len(self._arrived)):  # what arrives meanwhile is for the next time
            lane, agent, content = self._arrived.popleft()
            self._layout.add(content, lane=lane, agent=agent)
        changes = self._layout.changes()
        return changes | ({"note": "… the rest is in the record, at the end of the run"} if self._layout.full else {})

    def numbers(self) -> dict[str, Any]:
        """Return what the head says: who is at work, what was used, how long it takes."""
        run, seconds = self._progress(), self.seconds
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

    def outcome(self) -> dict[str, Any]:
        """Return what is shown in the end where the record cannot be put in the widget's place."""
        run = self._progress()
        if run is None:
            return {"status": "completed"}
        return {"status": run.status, "note": f"{ANEW}; %wf show {run.run_id[:8]} shows it"}


def start_a_line() -> None:
    """Let Out[…]: of a terminal stand on a line of its own."""
    if getattr(getattr(get_ipython(), "displayhook", None), "is_active", False):
        print()


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
