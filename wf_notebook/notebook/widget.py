"""The widget of a live output: a record of what is shown, in synced traits only.

What must survive is a trait: a view that comes late, or again after a reload, has everything. Messages go from the browser to the
kernel only, and change no trait: they are read in another thread while a cell runs.
"""

from __future__ import annotations

import threading
from contextvars import copy_context
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import anywidget
from traitlets import Bool, Float, HasTraits, List, Unicode

from ..render import PAGES, TAILS

if TYPE_CHECKING:
    from collections.abc import Callable

#: A page that does not have a model after so many seconds is not there (nbclient, papermill).
GRACE = 5.0
_STATIC = Path(__file__).parent / "static"
_PARTS = [*(f"page_{n}" for n in range(PAGES)), *(f"tail_{n}" for n in range(TAILS)), "board"]

_Parts: Any = type("_Parts", (HasTraits,), {name: Unicode().tag(sync=True) for name in _PARTS})


class LiveWidget(anywidget.AnyWidget, _Parts):  # type: ignore[misc] # neither has types
    """What a live output shows; pages, tails and the board are safe HTML, all else is text.

    `sections` say in which order: of each its title, the numbers of its pages, that of its tail while it has one, and its status.
    Above them stands the board, which changes as a whole.
    """

    _esm = _STATIC / "live.js"
    _css = _STATIC / "live.css"

    #: By this a page knows that it shows one run in several views.
    key = Unicode().tag(sync=True)
    workflow = Unicode().tag(sync=True)
    session = Unicode().tag(sync=True)
    status = Unicode("running").tag(sync=True)
    #: Seconds since the run began.
    elapsed = Float(0.0).tag(sync=True)
    #: What else the head says: who is at work, what was used.
    facts = List(Unicode()).tag(sync=True)
    sections: Any = List().tag(sync=True)
    #: What stands below: that the rest is in the record, or where the record is.
    note = Unicode().tag(sync=True)
    #: What stands there where the kernel is heard no more.
    unheard = Unicode("nothing more is heard from the kernel").tag(sync=True)
    stoppable = Bool(default_value=False).tag(sync=True)
    #: Whether the run is over and its record was shown in this output's place, where that could be reached.
    ended = Bool(default_value=False).tag(sync=True)

    def __init__(self, *, stop: Callable[[], object] | None = None, **traits: Any) -> None:
        super().__init__(stoppable=stop is not None, key=uuid4().hex, **traits)
        self._stop = stop
        self._is_heard_of, self._is_gone = False, False
        self._press: Any = None
        #: What was shown at the end, for a page that comes late.
        self._put_away: dict[str, Any] = {}
        self.on_msg(self._hear)
        answer_at_once(self.comm)

    @property
    def is_gone(self) -> bool:
        """Whether the page that had it took it away, as when an output is cleared."""
        return self._is_gone

    @property
    def is_heard_of(self) -> bool:
        """Whether a page said that it has it."""
        return self._is_heard_of

    def _hear(self, _: object, message: Any, __: object) -> None:
        """Hear what the browser says: that it has the model, that it shows it, or no more, that Stop was pressed.

        While a cell runs, what a page says first may be heard only after it; from then on it is heard at once.
        """
        what = message.get("is") if isinstance(message, dict) else None
        self._is_heard_of = True
        if what == "stop" and self._stop is not None and not self.ended:
            press = message.get("press")  # it is said until it is heard, and counts once
            if press is None or press != self._press:
                self._press = press
                self._stop()
        elif what in {"shown", "gone"}:
            self._is_gone = what == "gone"
        if self.ended and self._is_gone:
            self._close()
        elif what == "shown":
            self._set(self._put_away)

    def end(self) -> None:
        """Take the model out of the page, as soon as nothing shows it any more.

        One that was opened after a reload goes on showing it: what was displayed before cannot be replaced from there on.
        """
        self.ended = True
        if self._is_gone:
            self._close()
        elif not self._is_heard_of:  # what a notebook keeps of widgets is not the answer a second time
            self._put_away = {name: getattr(self, name) for name in (*_PARTS, "sections") if getattr(self, name)}
            self._set(self._blank())
            late = threading.Timer(GRACE, copy_context().run, [self._close_if_nobody_came])
            late.daemon = True
            late.start()

    def _blank(self) -> dict[str, Any]:
        return {name: type(getattr(self, name))() for name in (*_PARTS, "sections") if getattr(self, name)}

    def _set(self, fields: dict[str, Any]) -> None:
        with self.hold_sync():
            for name, value in fields.items():
                setattr(self, name, value)

    def _close_if_nobody_came(self) -> None:
        if not self._is_heard_of:
            self._close()

    def _close(self) -> None:
        if self.comm is None:
            return
        self._set(self._blank())
        layout = self.layout
        self.close()
        if layout is not None:
            layout.close()


def answer_at_once(comm: Any) -> None:
    """Let messages of the browser be read while a cell runs.

    ipykernel 7.4 sends what a browser says in a subshell back to the main shell if it belongs to a comm that was opened there,
    and the main shell is the one that waits. The hook is private: where it is not there, nothing is to be done.
    """
    if hasattr(comm, "_reply_subshell_for"):
        comm._reply_subshell_for = lambda _, default: default  # noqa: SLF001 - see above
