"""Two texts side by side, word by word: what only one of them says is struck out or underlined, in HTML and as text."""

from __future__ import annotations

import json
from functools import lru_cache
from html import escape
from typing import TYPE_CHECKING, Any

from ..readable import harmless
from ..redact import redact
from ..render.status import STATUS
from ..words import Piece, in_line, in_stretches, pieces, shortened
from .columns import plain
from .html import LINE, QUIET

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

#: Characters of two texts that are shown as they are; of longer ones what is near a difference, and all of it when unfolded.
AS_IT_IS, UNFOLDED = 1500, 50_000
#: Words against words that are compared one by one.
MOST = 4_000_000
#: Characters of a difference in a cell of a table.
NEAR = 400
#: A value of so many characters stands in one line.
LINE_OF = 80
_REMOVED = f"text-decoration: line-through; background: color-mix(in srgb, {STATUS['failed'][1]} 15%, transparent)"
_ADDED = f"text-decoration: underline; background: color-mix(in srgb, {STATUS['completed'][1]} 15%, transparent)"
_MARKS = {
    "same": ("", ""),
    "removed": (f'<del style="{_REMOVED}; color: inherit; padding: 0 2px">', "</del>"),
    "added": (f'<ins style="{_ADDED}; color: inherit; padding: 0 2px">', "</ins>"),
}
_WRAPPED = "white-space: pre-wrap; overflow-wrap: anywhere"


class WordDiff(tuple[Piece, ...]):  # noqa: SLOT001 - a tuple has none
    """How one text becomes another: stretches that both have, that were removed and that were added.

    >>> WordDiff.between("a red fox", "a brown fox")
    a [-red-]{+brown+} fox
    >>> bool(WordDiff.between("a fox", "a fox"))
    False
    """

    @classmethod
    def between(cls, before: Any, after: Any, most: int = MOST) -> WordDiff:
        """Return the difference between two texts, or two values as they print; it is empty where nothing differs.

        `most` is how many words against words are compared one by one; of more, one stretch stands for another.
        """
        was, now = as_text(before), as_text(after)
        return cls(() if was == now else _between(was, now, most))

    def __repr__(self) -> str:
        return self.text

    @property
    def text(self) -> str:
        """The difference in one line."""
        return in_line(list(self)) if self else "nothing differs"

    def near_html(self, most: int = NEAR) -> str:
        """Return what is near the differences as HTML, and no more than so many characters of it."""
        near = (Piece(one.kind, one.text if len(one.text) <= most // 2 else f"{one.text[: most // 2]}…") for one in self)
        return f'<div style="{_WRAPPED}">{marked_pieces(_within(shortened(list(near)), most))}</div>'

    def _repr_html_(self) -> str:
        return f'<div class="wf-diff" style="{_WRAPPED}">{folded_pieces(self)}</div>' if self else "nothing differs"


@lru_cache(maxsize=256)
def _between(was: str, now: str, most: int) -> tuple[Piece, ...]:
    """Return the pieces; a table and its text ask for the same ones."""
    return tuple(in_stretches(pieces(was, now, most)))


def as_text(value: Any) -> str:
    """Return a value as text that is safe to show: a text as it is, None as nothing, anything else as JSON.

    Secrets are taken out of the whole of it: of a stretch of words nobody could tell that it is one.

    >>> as_text({"n": 1}), as_text(None)
    ('{"n": 1}', '')
    """
    if value is None or isinstance(value, str):
        return harmless(redact(value or ""))
    line = json.dumps(plain(value), ensure_ascii=False)
    return harmless(redact(line if len(line) <= LINE_OF else json.dumps(plain(value), ensure_ascii=False, indent=1)))


def marked_pieces(some: Iterable[Piece]) -> str:
    """Return pieces as HTML, what was removed and what was added marked."""
    return "".join(f"{_MARKS[piece.kind][0]}{escape(piece.text)}{_MARKS[piece.kind][1]}" for piece in some)


def folded_pieces(some: Sequence[Piece], most: int = AS_IT_IS) -> str:
    """Return pieces as HTML; of a long text what is near a difference, and all of it to unfold."""
    if sum(len(piece.text) for piece in some) <= most:
        return marked_pieces(some)
    near = _within(shortened(list(some)), most)
    return (
        f"{marked_pieces(near)}<details><summary>all of it</summary>"
        f'<div style="{_WRAPPED}">{marked_pieces(_within(some, UNFOLDED))}</div></details>'
    )


def _within(some: Iterable[Piece], most: int) -> list[Piece]:
    """Return pieces up to so many characters."""
    found: list[Piece] = []
    left = most
    for piece in some:
        if len(piece.text) > left:
            return [*found, Piece(piece.kind, piece.text[:left] + "…")]
        found.append(piece)
        left -= len(piece.text)
    return found


def beside(before: tuple[str, Any], after: tuple[str, Any], differs: WordDiff | None = None) -> str:
    """Return two values side by side as HTML, each with what stands above it; below each other where there is no room."""
    found = (WordDiff.between(before[1], after[1]) if differs is None else differs) or WordDiff(
        [Piece("same", as_text(after[1]))]
    )
    sides = [("removed", before[0]), ("added", after[0])]
    cells = "".join(
        f'<div style="min-width: 0"><div style="color: {QUIET}; font-size: 85%">{escape(redact(head))}</div>'
        f'<div style="{_WRAPPED}; border-left: 2px solid {LINE}; padding: 2px 0 2px 8px">'
        f"{folded_pieces([piece for piece in found if piece.kind in {'same', kind}]) or NOTHING}</div></div>"
        for kind, head in sides
    )
    columns = "grid-template-columns: repeat(auto-fit, minmax(min(20em, 100%), 1fr))"
    return f'<div style="display: grid; {columns}; gap: 8px 24px; margin: 6px 0">{cells}</div>'


#: Stands where nothing was said.
NOTHING = f'<span style="color: {QUIET}">nothing</span>'
