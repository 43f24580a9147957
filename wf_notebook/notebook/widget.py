"""The widget of a live output: a record of what is shown, in synced traits only.

What must survive is a trait: a view that comes late, or again after a reload, has everything. The finished text lies in pages, so
that each update sends the last page and not all of them.
"""

from __future__ import annotations

import threading
from contextvars import copy_context
from pathlib import Path
from typing import Any

import anywidget
from traitlets import Bool, Float, HasTraits, Int, Unicode

from .pages import PAGES

#: A page that does not have a model after so many seconds is not there (nbclient, papermill).
GRACE = 5.0
_STATIC = Path(__file__).parent / "static"

_Pages: Any = type("_Pages", (HasTraits,), {f"page_{n}": Unicode().tag(sync=True) for n in range(PAGES)})


class LiveWidget(anywidget.AnyWidget, _Pages):  # type: ignore[misc] # neither has types
    """What a live output shows; `page_0`, `page_1`, … and `tail` are safe HTML."""

    _esm = _STATIC / "live.js"
    _css = _STATIC / "live.css"

    workflow = Unicode().tag(sync=True)
    session = Unicode().tag(sync=True)
    status = Unicode("running").tag(sync=True)
    elapsed = Float(0.0).tag(sync=True)
    tokens = Int(0).tag(sync=True)
    capacity = Int(PAGES).tag(sync=True)
    #: Set by the browser once it has the model: a model that is taken away before that is an error in the page.
    loaded = Bool(default_value=False).tag(sync=True)
    tail = Unicode().tag(sync=True)

    def end(self) -> None:
        """Take the model out of the page, with the layout that belongs to it, at once or as soon as the page has it."""
        with self.hold_sync():  # what a notebook keeps of closed widgets is not the answer a second time
            for name in ("tail", *(f"page_{n}" for n in range(PAGES))):
                setattr(self, name, "")
        if self.loaded:
            self._close()
        else:
            self.observe(lambda _: self._close(), "loaded")
            late = threading.Timer(GRACE, copy_context().run, [self._close])
            late.daemon = True
            late.start()

    def _close(self) -> None:
        layout = self.layout
        self.close()
        if layout is not None:
            layout.close()
