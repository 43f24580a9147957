"""One output of a cell: a widget while something goes on, and a record in its place when that is over."""

from __future__ import annotations

import threading
from contextvars import copy_context
from time import perf_counter
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from IPython.display import publish_display_data

if TYPE_CHECKING:
    from collections.abc import Callable

    from .widget import LiveWidget

#: Seconds between two updates, at least; and how many times as long as an update took.
PAUSE, SHARE = 0.05, 4
#: What updates carry keeps to so many characters a second, as the page may be far away, unless that makes them rarer than this.
RATE, RAREST = 36_000, 0.1
#: What one update is wrapped in, in characters: the headers of a message, and whose cell it belongs to.
WRAPPED = 1_000
#: What ends within so many seconds shows its record at once, and no widget that would flicker.
BRIEF = 0.1
#: Seconds between two updates of time and tokens while nothing is said.
TICK = 0.25
#: Where no page has the widget, what is shown instead is put there anew after so many seconds.
UNSEEN = 5.0

#: In the place of a widget of which nothing is to stay: an output can be replaced, and not be taken away.
NOTHING = {"text/plain": ""}
#: Why a widget may stay when what it shows is over.
ANEW = "the page was loaded anew, so the record could not be put here"
#: IPython's, which has no types.
publish: Any = publish_display_data


class Displayed:
    """One display of a notebook; a thread of its own sends what is new, at most 20 times a second, in one message.

    At the end the record takes the widget's place, so that a notebook is readable without a kernel. What is over before anybody
    could look has the record alone. What outlives its cell has its place from the beginning: nbclient and papermill take what
    comes later only from the cell that is run then, and only for a place that is there.
    """

    #: Whether what is shown without a widget is put there anew while it goes on.
    is_told_anew = False

    def __init__(self, title: str, where: str = "", *, outlives: bool = False, ago: float = 0.0) -> None:
        self._title, self._where = title, where
        self._began = perf_counter() - ago
        self._ended = threading.Event()
        self._display_id = uuid4().hex
        self._widget: LiveWidget | None = None
        self._record: tuple[dict[str, str], dict[str, Any]] = NOTHING, {}
        self._is_placed = outlives
        if outlives:
            self._publish(self.standing())
        self._stop: Callable[[], object] | None = None
        # In a copy of the cell's context, so that messages of the thread belong to this cell.
        self._flusher = threading.Thread(target=copy_context().run, args=[self._flush_until_the_end], daemon=True)
        self._flusher.start()

    # -- what is shown -----------------------------------------------------------------------------------------------------

    @property
    def seconds(self) -> float:
        """How long it goes on."""
        return perf_counter() - self._began

    def standing(self) -> dict[str, str]:
        """Return what is shown where no front end has the widget."""
        raise NotImplementedError

    def news(self) -> dict[str, Any]:
        """Return what changes on the page by what came since the last time."""
        raise NotImplementedError

    def numbers(self) -> dict[str, Any]:
        """Return what the head says."""
        raise NotImplementedError

    def end(self) -> None:
        """Nothing more comes."""

    def outcome(self) -> dict[str, Any]:
        """Return what is shown in the end where the record cannot be put in the widget's place."""
        raise NotImplementedError

    # -- for who shows it --------------------------------------------------------------------------------------------------

    def can_stop(self, press: Callable[[], object]) -> None:
        """Show a Stop that does this."""
        self._stop = press

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
            self.end()
            self._send(widget, self.news() | self.numbers() | self.outcome())
        finally:  # whatever could not be shown: the record is
            self._publish(*self._record, update=not widget.is_gone)
            widget.end()

    def show_again(self) -> None:
        """Put the record in its place from here, unless a page has it."""
        if self._is_placed and (self._widget is None or not self._widget.is_heard_of):
            self._publish(*self._record, update=True)

    # -- in a thread of its own --------------------------------------------------------------------------------------------

    def _flush_until_the_end(self) -> None:
        pause, ticked = PAUSE, 0.0
        if self._ended.wait(BRIEF):
            return
        widget = self._widget = self._open()
        told = perf_counter()
        while not self._ended.wait(pause):
            began = perf_counter()
            changes: dict[str, Any] = {}
            if began - ticked >= TICK:
                ticked = began
                changes = self.numbers()
            changes |= self.news()
            self._send(widget, changes)
            if self.is_told_anew and not widget.is_heard_of and began - told >= UNSEEN:
                told = began
                self._publish(self._viewed(widget), update=True)
            pause = _pause(perf_counter() - began, changes)

    def _open(self) -> LiveWidget:
        from .widget import LiveWidget  # anywidget and ipywidgets take longer to load than all the rest

        widget = LiveWidget(workflow=self._title, session=self._where, stop=self._stop)
        self._publish(self._viewed(widget), update=self._is_placed)
        return widget

    def _viewed(self, widget: LiveWidget) -> dict[str, Any]:
        view = {"version_major": 2, "version_minor": 0, "model_id": widget.model_id}
        return {"application/vnd.jupyter.widget-view+json": view, **self.standing()}

    def _publish(self, bundle: dict[str, Any], metadata: dict[str, Any] | None = None, *, update: bool = False) -> None:
        publish(bundle, metadata, transient={"display_id": self._display_id}, update=update)

    @staticmethod
    def _send(widget: LiveWidget, changes: dict[str, Any]) -> None:
        with widget.hold_sync():
            for name, value in changes.items():
                setattr(widget, name, value)


def _pause(took: float, changes: dict[str, Any]) -> float:
    """Return how many seconds to wait after an update, by the time it took and by what it carried.

    >>> _pause(0.001, {"tail_0": "a word"}), _pause(0.001, {"page_0": "a" * 2000, "sections": []}), _pause(0.1, {})
    (0.05, 0.08333333333333333, 0.4)
    """
    carried = WRAPPED + sum(len(value) for value in changes.values() if isinstance(value, str))
    return max(PAUSE, SHARE * took, min(RAREST, carried / RATE))
