"""What differs between two texts, word by word."""

from __future__ import annotations

import re
from difflib import SequenceMatcher
from typing import TYPE_CHECKING, Literal, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

_WORDS = re.compile(r"\w+|\s+|[^\w\s]")
#: Words against words that are compared one by one; beyond that, one stretch is replaced by another.
_MOST = 4_000_000
#: Characters that are shown around what differs.
_AROUND = 30


class Piece(NamedTuple):
    """A stretch of text that both have, or that one of them has."""

    kind: Literal["same", "removed", "added"]
    text: str


def pieces(before: str, after: str, most: int = _MOST) -> list[Piece]:
    """Return how one text becomes another; `most` is how many words against words are compared one by one.

    >>> [tuple(piece) for piece in pieces("a red fox", "a brown fox")]
    [('same', 'a '), ('removed', 'red'), ('added', 'brown'), ('same', ' fox')]
    >>> "".join(piece.text for piece in pieces("one two three four", "1 two three 4") if piece.kind == "same")
    ' two three '
    """
    old, new = _WORDS.findall(before), _WORDS.findall(after)
    start, shorter = 0, min(len(old), len(new))
    while start < shorter and old[start] == new[start]:
        start += 1
    end = 0
    while end < shorter - start and old[-1 - end] == new[-1 - end]:
        end += 1
    made = [Piece("same", "".join(old[:start])), *_between(old[start : len(old) - end], new[start : len(new) - end], most)]
    return [piece for piece in [*made, Piece("same", "".join(old[len(old) - end :]))] if piece.text]


def _between(old: list[str], new: list[str], most: int) -> Iterator[Piece]:
    if len(old) * len(new) > most:
        yield Piece("removed", "".join(old))
        yield Piece("added", "".join(new))
        return
    for operation, a, b, c, d in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if operation == "equal":
            yield Piece("same", "".join(old[a:b]))
        else:
            yield Piece("removed", "".join(old[a:b]))
            yield Piece("added", "".join(new[c:d]))


def shortened(all_pieces: list[Piece]) -> list[Piece]:
    """Return the pieces without what lies far from any difference.

    >>> [piece.text for piece in shortened([Piece("same", "word " * 50), Piece("added", "x")])]
    ['…word word word word word word ', 'x']
    """
    made = []
    for place, piece in enumerate(all_pieces):
        text, first, last = piece.text, place == 0, place == len(all_pieces) - 1
        if piece.kind == "same" and first and len(text) > _AROUND:
            text = f"…{text[-_AROUND:]}"
        elif piece.kind == "same" and last and len(text) > _AROUND:
            text = f"{text[:_AROUND]}…"
        elif piece.kind == "same" and len(text) > 2 * _AROUND:
            text = f"{text[:_AROUND]} … {text[-_AROUND:]}"
        made.append(Piece(piece.kind, text))
    return made


def marked(before: str, after: str) -> str:
    """Return how one text becomes another, in one line.

    >>> marked("a red fox", "a brown fox")
    'a [-red-]{+brown+} fox'
    """
    return in_line(pieces(before, after))


def in_line(some: list[Piece]) -> str:
    """Return pieces in one line, without what lies far from any difference."""
    marks = {"same": "{}", "removed": "[-{}-]", "added": "{{+{}+}}"}
    text = "".join(marks[piece.kind].format(piece.text) for piece in shortened(some))
    return re.sub(r"\s+", " ", text)


def in_stretches(some: list[Piece]) -> list[Piece]:
    """Return pieces so that changes with only a space between them are one change: what was said there, and what is said now.

    >>> [tuple(piece) for piece in in_stretches(pieces("a red fox ran", "a grey wolf ran"))]
    [('same', 'a '), ('removed', 'red fox'), ('added', 'grey wolf'), ('same', ' ran')]
    """
    made: list[Piece] = []
    removed = added = ""
    for place, piece in enumerate(some):
        is_between = piece.kind == "same" and piece.text.isspace() and removed + added and place < len(some) - 1
        removed += piece.text if piece.kind == "removed" or is_between else ""
        added += piece.text if piece.kind == "added" or is_between else ""
        if piece.kind == "same" and not is_between:
            made += [*_change(removed, added), piece]
            removed = added = ""
    return [*made, *_change(removed, added)]


def _change(removed: str, added: str) -> list[Piece]:
    return [piece for piece in (Piece("removed", removed), Piece("added", added)) if piece.text]
