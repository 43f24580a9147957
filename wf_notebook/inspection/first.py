"""The first of what is long: rows of frames and of lists of dicts, small pictures, the part of texts that is Markdown."""

from __future__ import annotations

import re
import warnings
from contextlib import suppress
from html import escape
from math import prod
from typing import TYPE_CHECKING, Any

from .. import codec, tabular
from ..errors import StorageFailed
from ..kept import tag
from ..readable import glimpse
from ..render.pictures import is_picture
from .shape import beginning, columns_of, counted, named, picture, shape

if TYPE_CHECKING:
    from ..codec import Tree
    from .loaded import Loaded

#: Rows and columns that are shown, and characters of a cell: at once, and unfolded.
ROWS, COLUMNS, CELL, UNFOLDED = 10, 8, 60, 300
#: So many values of frames and arrays are read for their first rows, and so many characters are looked at as Markdown.
CELLS, MARKDOWN = 300_000, 20_000

_MARKDOWN = re.compile(r"^(?:#{1,6} |[-*+] |\d+[.)] |> |```|\|.*\|)|\*\*\S|\]\(http", re.MULTILINE)

Grid = tuple[list[str], list[list[str]], int]


def is_markdown(text: str) -> bool:
    r"""Say whether a text looks as if it was written in Markdown; any other keeps its lines.

    >>> is_markdown("# On cats\n\nThey sleep."), is_markdown("They sleep.\nAlways.")
    (True, False)
    """
    return _MARKDOWN.search(text) is not None


class Firsts:
    """Reads the first of what is in a state, as long as that is quick."""

    def __init__(self, loaded: Loaded) -> None:
        self._loaded = loaded
        self._cells, self._markdown = CELLS, MARKDOWN

    def may_render(self, text: str) -> bool:
        """Say whether a text is not too much to be looked at as Markdown, with those before it."""
        self._markdown -= len(text)
        return self._markdown >= 0

    def is_picture(self, tree: Tree) -> bool:
        """Say whether a value is bytes that are a picture, and that lie in the tree itself."""
        begins = picture(tree)
        return begins is not None and is_picture(begins)

    def picture(self, tree: Tree, room: int) -> bytes | None:
        """Return a picture of not so many bytes."""
        return bytes(codec.decode(tree, self._loaded.blob)) if len(next(iter(tree.values()))) < room else None

    def grid(self, tree: Tree) -> Grid | None:
        """Return names and first rows of a frame or an array, and how many more there are; None for what has none."""
        kind = tag(tree)
        if kind not in {"$dataframe", "$series", "$table", "$ndarray"} or "blob" not in tree:
            return None
        sizes = tree["shape"] if kind == "$ndarray" else [tree.get("rows", 0), max(1, len(columns_of(tree)))]
        cells = prod(sizes)
        if not sizes or not 0 < cells <= self._cells or len(sizes) > 2:  # noqa: PLR2004 - a table has two
            return None
        self._cells -= cells
        columns = self._columns(tree)
        if not columns:
            return None
        names = [named("value" if name is None else name) for name, _ in columns[:COLUMNS]]
        values = [[_cell(value) for value in cells] for _, cells in columns[:COLUMNS]]
        rows = [list(row) for row in zip(*values, strict=True)]
        return _told(names, len(columns)), rows, sizes[0] - len(rows)

    def _columns(self, tree: Tree) -> list[tuple[Any, list[Any]]] | None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                value = codec.decode(tree, self._loaded.blob)
            except (StorageFailed, ValueError, KeyError):
                return None
        if not tabular.seen(value):  # its library is not here
            return None
        first = value.head(ROWS) if hasattr(value, "head") else value[:ROWS] if hasattr(value, "shape") else value.slice(0, ROWS)
        if type(getattr(first, "index", None)).__name__ not in {"NoneType", "RangeIndex", "builtin_function_or_method"}:
            with suppress(ValueError):  # a column has the name that the index would have
                first = first.reset_index()
        return tabular.columns(first)

    def records(self, rows: list[dict[str, Tree]], *, most: int) -> Grid:
        """Return names and first rows of a list of dicts, of so many cells at most, and how many more rows there are."""
        names = list(dict.fromkeys(name for row in rows[:ROWS] for name in row))
        first = rows[: min(ROWS, max(1, most // min(COLUMNS, len(names))))]
        cells = [[_stored(row[name]) if name in row else "" for name in names[:COLUMNS]] for row in first]
        return _told([named(name) for name in names[:COLUMNS]], len(names)), cells, len(rows) - len(first)


def _told(names: list[str], count: int) -> list[str]:
    """Return the names of columns; the last one says how many are not shown."""
    return names if count <= len(names) else [*names[:-1], f"{names[-1]} (… {counted(count - len(names), 'more column')})"]


def _stored(tree: Tree) -> str:
    """Return a stored value as HTML in a cell."""
    if type(tree) is str:
        return _text(tree)
    what = shape(tree)
    return _text(what.text) if what.text else escape(what.line or what.about)


def _cell(value: Any) -> str:
    """Return a value of a frame as HTML in a cell."""
    if isinstance(value, str):
        return _text(value)
    return "" if value is None else escape(beginning(str(value), CELL) if _prints(value) else glimpse(value)[:CELL])


def _prints(value: Any) -> bool:
    return not isinstance(value, (list, dict, tuple, set, bytes))


def _text(text: str) -> str:
    line = " ".join(beginning(text, CELL).split())
    if len(text) <= CELL:
        return escape(line)
    more = f"… {len(text):,} characters" if len(text) > UNFOLDED else ""
    return f"<details><summary>{escape(line)}…</summary>{escape(beginning(text, UNFOLDED))}{more}</details>"
