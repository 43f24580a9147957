"""The inspector in a notebook: a static tree, which is what the notebook keeps, and a widget that takes its place in a page.

No output refers to the widget. Where a page has its model, the model finds the static tree by its class and shows itself there;
without a kernel, or without a page, the tree is what there is.
"""

from __future__ import annotations

import re
from functools import cache, partial
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import anywidget
from IPython.core.getipython import get_ipython
from traitlets import Dict, Unicode

from ..inspection import Hearing, News
from ..inspection.static import static_bundle
from .again import RUNNING_OPS
from .displayed import publish
from .shown import shown
from .taking_in import taken_in
from .variables import put_result, put_value
from .widget import answer_at_once

if TYPE_CHECKING:
    from ..inspection import Inspector, Place
    from ..inspection.answers import Op

_STATIC = Path(__file__).parent / "static" / "inspector"
#: The modules of the page, each after those that it uses.
MODULES = (
    "parts",
    "standing",
    "asking",
    "placing",
    "hearing",
    "mounting",
    "question",
    "sessions",
    "head",
    "versions",
    "frame",
    "table",
    "edit",
    "tree",
    "value",
    "finding",
    "state",
    "differing",
    "history",
    "run",
    "runs",
    "sql",
    "inspector",
)
#: What is for readers and between the modules, and not sent: comments, indentation, a module's imports from beside it, and its
#: exports.
_UNSENT = re.compile(
    r"/\*.*?\*/[ \t]*"
    r"|(?:^|[ \t]+)// [^\"'`\n]*$"
    r'|^import [^;]*? from "\./[^"]*";\n'
    r"|^export (?=(?:async )?(?:function|const|class)\b)",
    re.MULTILINE | re.DOTALL,
)

#: What can be asked for in a notebook besides.
NOTEBOOK_OPS: dict[str, Op] = {"variable": put_value, "dataframe": put_result, **RUNNING_OPS}


@cache
def joined(names: tuple[str, ...] = MODULES) -> str:
    """Return the modules of the page as one, as a widget has one."""
    return "".join(_sent((_STATIC / f"{name}.js").read_text(encoding="utf-8")) for name in names)


@cache
def styles() -> str:
    """Return the style sheets of the page as one."""
    of_all = _STATIC / "inspector.css"
    paths = [of_all, *sorted(path for path in _STATIC.glob("*.css") if path != of_all)]
    return "".join(_sent(path.read_text(encoding="utf-8")) for path in paths)


def _sent(source: str) -> str:
    """Return what is sent of a module or a style sheet."""
    return re.sub(r"^\s+", "", _UNSENT.sub("", source), flags=re.MULTILINE)


class InspectorWidget(anywidget.AnyWidget):
    """What a page has of an inspector: where it is, and that something was saved. All else it asks for."""

    #: By this class the page finds the static tree that it takes the place of.
    key = Unicode().tag(sync=True)
    #: How it looks; a page is dressed by it, as there is no view that anywidget would dress.
    _css = Unicode().tag(sync=True)
    #: Where the inspector is.
    place = Dict().tag(sync=True)
    #: What was saved since, or why nothing can be read.
    news = Dict().tag(sync=True)

    def __init__(self, inspector: Inspector, key: str) -> None:
        super().__init__(key=key, place=inspector.place.told(), news={"n": 0, "error": ""}, _esm=joined(), _css=styles())
        self.inspector = inspector
        self._news = News(inspector, self._tell)
        self._hearing = Hearing(inspector, self.send, NOTEBOOK_OPS, failed=self._news.asked)
        self._leave = inspector.on_move(self._moved), inspector.on_change(partial(taken_in, inspector.storage))
        self.on_msg(self._hear)
        answer_at_once(self.comm)

    def _moved(self, place: Place) -> None:
        self.place = place.told()

    def _tell(self, news: dict[str, Any]) -> None:
        self.news = news

    def _hear(self, _: object, message: Any, __: object) -> None:
        """Hear a page: that it shows the inspector, or no more, or what it asks for."""
        if not isinstance(message, dict):
            return
        page = str(message.get("page"))
        if message.get("is") == "gone":
            self._news.gone(page)
        elif message.get("is") == "shown":
            self._news.shown(page)
        elif "op" in message:
            self._hearing.hear(message)

    def close(self) -> None:
        """Show it no more: a page gives its place back to the static tree."""
        for leave in self._leave:
            leave()
        self._news.end()
        layout = self.layout
        super().close()
        if layout is not None:
            layout.close()


def display(inspector: Inspector) -> None:
    """Show an inspector in this cell."""
    key, bundle = uuid4().hex, static_bundle(inspector)
    notes = "".join(f"<p>{escape(note)}</p>" for note in inspector.notes)  # the widget leaves them where they are
    publish({**bundle, "text/html": f'{notes}<div class="wf-inspector-{key}">{bundle["text/html"]}</div>'})
    if can_be_looked_at():
        shown(InspectorWidget(inspector, key))


def can_be_looked_at() -> bool:
    """Say whether somebody may sit before this cell: a program that runs notebooks says that it answers no questions."""
    kernel = getattr(get_ipython(), "kernel", None)
    return kernel is not None and bool(kernel.get_parent().get("content", {}).get("allow_stdin", True))
