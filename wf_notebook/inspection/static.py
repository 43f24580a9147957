"""A session as HTML that needs neither a kernel nor a script: its state as a tree that unfolds, its versions, its runs.

It is what a saved notebook keeps, so it is bounded however large the state is, and says what is left out. Everything is escaped;
pictures and Markdown come from `render`.
"""

from __future__ import annotations

from html import escape
from itertools import islice
from typing import TYPE_CHECKING, Any

from ..errors import WorkflowError
from ..frames.html import LINE, QUIET
from ..kept import collecting_later
from ..keys import key_of
from ..render import markdown_html
from ..render.markdown import text_html
from ..render.pictures import picture_html
from ..render.status import STATUS
from .drawn import drawn
from .first import Firsts, is_markdown
from .shape import beginning, counted, named, records, shape
from .still import INPUTS, Still, still

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from ..codec import Tree
    from .looking import Inspector
    from .shape import Shape
    from .still import Listed

#: So many bytes of HTML the tree has at most, and a value that is unfolded in it.
ROOM, WIDEST = 70_000, 14_000
#: A value takes at least so many bytes.
LEAST = 260
#: So many keys and items of each are shown, and so deep.
KEYS, ITEMS, DEEPEST = 100, 20, 8
#: What takes no more bytes than this stands unfolded at once.
SHORT = 1200
#: A cell of a table takes at least so many bytes.
CELL_BYTES = 90
#: Of a text so many characters stand in its line.
BEGINNING = 60
#: Of a text so many characters are shown, if there is room.
TEXTS = (4000, 1500, 500, 100)
_DIM = '<small style="opacity:.75">'
_IN = '<div style="margin-left:1.3em">'


def static_bundle(inspector: Inspector) -> dict[str, str]:
    """Return what is shown where nobody can click: HTML, which does not have the inspector's notes, and text, which has."""
    try:
        seen = still(inspector)
        with collecting_later():
            html = Static(seen).html() if isinstance(seen, Still) else _sessions(seen)
            return {"text/html": _root(html), "text/plain": _noted(inspector, drawn(seen))}
    except WorkflowError as error:
        told = _failed(inspector, error)
        return {"text/html": _root(_head(told)), "text/plain": _noted(inspector, " · ".join(told))}


def static_text(inspector: Inspector) -> str:
    """Return the same as text alone."""
    try:
        return _noted(inspector, drawn(still(inspector)))
    except WorkflowError as error:
        return _noted(inspector, " · ".join(_failed(inspector, error)))


def page(inspector: Inspector) -> str:
    """Return what is shown as a page of its own, in light or dark as the reader has it. Raises what stands against reading it."""
    seen = still(inspector)
    with collecting_later():
        html = Static(seen).html() if isinstance(seen, Still) else _sessions(seen, command="wf inspect")
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        """<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; img-src data:">\n"""
        f'<meta name="viewport" content="width=device-width, initial-scale=1">\n<title>{escape(seen.head[0])}</title>\n'
        "<style>:root{color-scheme:light dark}body{font-family:system-ui,sans-serif;margin:2em auto;max-width:75em;"
        f"padding:0 1em}}</style>\n</head>\n<body>\n{_root(html)}\n</body>\n</html>\n"
    )


def _failed(inspector: Inspector, error: WorkflowError) -> list[str]:
    return [repr(inspector.storage.url), f"{type(error).__name__}: {beginning(str(error), 2000)}"]


def _noted(inspector: Inspector, text: str) -> str:
    return "\n".join([*inspector.notes, text])


class Static:
    """Writes a session as HTML, and minds that it does not become too much."""

    def __init__(self, seen: Still) -> None:
        self._seen = seen
        self._firsts = Firsts(seen.loaded)
        self._left_out = False

    def html(self) -> str:
        """Return all of it."""
        tree = self._tree()
        head = _head(self._seen.head, self._seen.runs[0].status if self._seen.runs else "")
        return head + tree + self._runs() + self._versions() + self._foot()

    def _foot(self) -> str:
        session = self._seen.loaded.session.session_id
        told = f'storage.session("{beginning(session, 60)}").state has all of it in Python'
        if self._left_out:
            told = f"Not all is shown: %wf inspect unfolds it in a notebook with a kernel; {told}."
        return f'<p style="color:{QUIET};font-size:85%">{escape(told)}</p>'

    def _tree(self) -> str:
        loaded, left = self._seen.loaded, ROOM
        parts: list[str] = []
        most = min(len(loaded.kept), KEYS)
        for key in islice(loaded.kept, most):
            if left < 0:
                break
            others = most - len(parts) - 1
            fair, generous = left // (others + 1), (left - others * LEAST) // 3
            parts.append(self._node(named(key_of(key)), loaded.tree(key), 0, min(WIDEST, max(fair, generous))))
            left -= len(parts[-1].encode())
        if not parts:
            return f"<p>{_DIM}the state is empty</small></p>"
        return "".join(parts) + self._more(len(loaded.kept) - len(parts), "key")

    def _more(self, count: int, noun: str) -> str:
        if count <= 0:
            return ""
        self._left_out = True
        return f"<div>{_DIM}… {counted(count, f'more {noun}')}</small></div>"

    # -- a value -----------------------------------------------------------------------------------------------------------

    def _node(self, label: str, tree: Tree, depth: int, room: int) -> str:
        """Return a value below its label, of about so many bytes at most."""
        what = shape(tree)
        title = f"<b>{escape(label)}</b> {_DIM}{escape(what.about)}</small>"
        line = f"{title} {escape(what.line or _cut(what.text))}"
        left = room - len(line.encode()) - 100
        if within := self._unfolded(tree, what, depth, left):
            opened = " open" if len(within) <= SHORT and not depth else ""
            return f"<details{opened}><summary>{line}</summary>{_IN}{within}</div></details>"
        if (what.within and not what.line) or self._firsts.is_picture(tree):
            self._left_out = True
            line += f"{_DIM}…</small>"
        self._left_out = self._left_out or bool(what.text)
        return f'<div style="padding-left:1.1em">{line}</div>'

    def _unfolded(self, tree: Tree, what: Shape, depth: int, room: int) -> str:
        """Return what is seen of a value when it is unfolded; nothing where it is all in its line, or where there is no room."""
        if room < LEAST:
            return ""
        if what.text:
            return self._text(what.text, room)
        if self._firsts.is_picture(tree):
            html = picture_html(picture) or "" if (picture := self._firsts.picture(tree, room)) else ""
            return html if len(html) <= room else ""
        rows = records(tree)
        grid = self._firsts.grid(tree) if rows is None else self._firsts.records(rows, most=room // CELL_BYTES)
        if grid is not None:
            return self._table(*grid, room)
        return "" if what.line or not what.within or depth >= DEEPEST else self._inside(what, depth, room)

    def _inside(self, what: Shape, depth: int, room: int) -> str:
        most = max(1, min(ITEMS if depth or what.type == "list" else KEYS, what.within, room // LEAST))
        parts: list[str] = []
        for number, (label, item) in enumerate(islice(what.inside(), most)):
            if room < LEAST and parts:
                break
            html = self._node(label, item, depth + 1, room // (most - number))
            room -= len(html.encode())
            parts.append(html)
        noun = "item" if what.size.endswith(("item", "items")) else "key"
        return "".join(parts) + self._more(what.within - len(parts), noun)

    def _text(self, text: str, room: int) -> str:
        """Return as much of a text as there is room for."""
        for length in (length for length in TEXTS if length <= room):
            said = beginning(text, length)
            html = markdown_html(said) if self._firsts.may_render(said) and is_markdown(said) else text_html(said)
            if len(html.encode()) <= room:
                return html + self._more(len(text) - length, "character")
        return ""

    def _table(self, names: Sequence[str], rows: Sequence[Sequence[str]], more: int, room: int) -> str:
        while rows and len(html := _table(names, rows)) > room:
            rows, more = rows[: len(rows) // 2], more + len(rows) - len(rows) // 2
        return html + self._more(more, "row") if rows else ""

    # -- where it came from ------------------------------------------------------------------------------------------------

    def _versions(self) -> str:
        """Return the last versions, folded."""
        rows = [
            [
                f"{each.version:,}",
                escape(f"{each.saved_at:%Y-%m-%d %H:%M:%S}"),
                escape(beginning(each.summary, INPUTS)),
                escape((each.run_id or "")[:8]),
            ]
            for each in self._seen.versions
        ][:5]
        return _folded(f"versions {_DIM}{self._seen.newest:,}</small>", ("version", "saved at (UTC)", "changes", "run"), rows)

    def _runs(self) -> str:
        """Return the last runs, folded."""
        rows = [
            [
                escape(each.run_id[:8]),
                f'<span style="color:{STATUS[each.status][1]}">{escape(each.standing)}</span>',
                escape(each.inputs),
                escape(each.started_at),
                escape(each.seconds),
            ]
            for each in self._seen.runs
        ]
        return _folded(f"runs {_DIM}the last {len(rows)}</small>", ("run", "status", "inputs", "started at (UTC)", "took"), rows)


def _cut(text: str) -> str:
    """Return the beginning of a text in one line."""
    line = " ".join(beginning(text, BEGINNING).split())
    return line if len(text) <= BEGINNING else f"{line}…"


def _sessions(seen: Listed, *, command: str = "%wf inspect") -> str:
    if not seen.rows:
        return _head(seen.head) + f"<p>{_DIM}there is none yet: run a workflow</small></p>"
    more = f", the {len(seen.rows)} that were used last are shown" if seen.total > len(seen.rows) else ""
    foot = f'<p style="color:{QUIET};font-size:85%">{escape(f"{command} SESSION shows one{more}")}</p>'
    return _head(seen.head) + _table(seen.names, [list(map(escape, row)) for row in seen.rows]) + foot


def _root(inside: str) -> str:
    """Return what is shown as one piece, in which no formula is looked for."""
    return f'<div class="wf-still mathjax_ignore tex2jax_ignore" style="overflow-wrap:anywhere;line-height:1.5">{inside}</div>'


def _head(facts: Iterable[str], status: str = "") -> str:
    first, *rest = map(escape, facts)
    sign = STATUS[status][0] if status else None
    shown = [
        f'<span style="color:{STATUS[status][1]}">{fact}</span>' if sign and fact.startswith(sign) else fact for fact in rest
    ]
    return (
        f'<p style="font-size:90%;border-bottom:1px solid {LINE};padding-bottom:4px">'
        f"{' · '.join([f'<strong>{first}</strong>', *shown])}</p>"
    )


def _folded(title: str, names: Sequence[str], rows: list[list[str]]) -> str:
    return f"<details><summary>{title}</summary>{_IN}{_table(names, rows)}</div></details>" if rows else ""


def _table(names: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    """Return a table of cells that are HTML already."""
    cell = 'style="text-align:left;vertical-align:top;padding:2px 12px 2px 4px"'
    head = "".join(f"<th {cell}>{escape(name)}</th>" for name in names)
    body = "".join(f"<tr>{''.join(f'<td {cell}>{each}</td>' for each in row)}</tr>" for row in rows)
    inside = f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody>"
    return f'<div style="overflow-x:auto"><table style="font-size:92%">{inside}</table></div>'
