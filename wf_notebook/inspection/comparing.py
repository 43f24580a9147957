"""What differs between two states that are looked at: found once, and shown a page at a time."""

from __future__ import annotations

import json
from collections import Counter, OrderedDict
from dataclasses import dataclass
from itertools import islice
from threading import Lock
from typing import TYPE_CHECKING, Any

from ..codec.kind import escaped
from ..diffs import SIGNS, differing
from ..keys import stored_key
from ..redact import redact
from ..words import pieces, shortened
from .beginnings import beginning

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..diffs import Difference
    from .loaded import Loaded

#: So many differences are looked for; Python has all.
MOST = 10_000
#: So many comparisons are kept at hand.
_KEPT = 4
#: Characters of a page.
_PAGE = 80_000
#: Characters of a name, of a path, and of a stretch of text that are shown.
_NAME, _PATH, _STRETCH = 80, 300, 300
#: Words against words that are compared one by one on a page, and for one text that is looked at by itself.
_WORDS, _WORDS_OF_ONE = 200_000, 400_000
#: Characters before the first difference of two long texts.
_BEFORE = 31
#: Characters of two texts that are looked at on a page; of those that are asked for by themselves.
_TEXT, _TEXT_OF_ONE = 20_000, 100_000


@dataclass(frozen=True, slots=True)
class Comparison:
    """What differs between two states, as trees; `is_all` says whether more was not looked for."""

    before: str
    after: str
    differences: tuple[Difference, ...]
    is_all: bool

    def counts(self) -> dict[str, int]:
        """Return how much was added, removed and changed."""
        found = Counter(one.kind for one in self.differences)
        return {kind: found[kind] for kind in SIGNS if found[kind]}

    def page(self, start: int, count: int) -> list[dict[str, Any]]:
        """Return some of the differences, as JSON has them; fewer where their names are long."""
        shown = self.differences[start : start + count]
        words = _WORDS // max(sum(one.is_of_texts for one in shown), 1)
        rows: list[dict[str, Any]] = []
        left = _PAGE
        for one in shown:
            row = _told(one, words)
            left -= len(json.dumps(row))
            if rows and left < 0:
                break
            rows.append(row)
        return rows


class Comparisons:
    """Those that were asked for last."""

    def __init__(self) -> None:
        self._known: OrderedDict[tuple[Any, ...], Comparison] = OrderedDict()
        self._lock = Lock()

    def between(self, before: Loaded | None, after: Loaded) -> Comparison:
        """Return what differs between two states; before the first there was nothing."""
        sides = tuple((one.session.stored_as, one.version, one.save) if one else None for one in (before, after))
        with self._lock:
            if sides not in self._known:
                self._known[sides] = compared(before, after)
            self._known.move_to_end(sides)
            while len(self._known) > _KEPT:
                self._known.popitem(last=False)
            return self._known[sides]


def compared(before: Loaded | None, after: Loaded) -> Comparison:
    """Return what differs between two states: the first differences, if they are many."""
    found = differing(before.kept if before else {}, after.kept, decode=lambda tree: tree)
    differences = tuple(islice(found, MOST + 1))
    names = [f"{one.session.session_id}:{one.version}" if one else f"{after.session.session_id}:0" for one in (before, after)]
    return Comparison(redact(names[0]), redact(names[1]), differences[:MOST], len(differences) <= MOST)


def steps(keys: tuple[Any, ...]) -> list[int | str]:
    """Return the keys that lead to a difference as the steps of a path in the tree.

    >>> steps((1, "$schema", 0))
    ['$1', '$$schema', 0]
    """
    return [stored_key(keys[0]), *(escaped(key) if isinstance(key, str) else key for key in keys[1:])]


def _told(one: Difference, words: int) -> dict[str, Any]:
    is_texts = one.is_of_texts
    row = {
        "path": steps(one.keys),
        "shown": _cut(redact(one.path), _PATH),
        "keys": [_cut(redact(key if isinstance(key, str) else f"[{key!r}]"), _NAME) for key in one.keys],
        "kind": one.kind,
        "sign": SIGNS[one.kind],
        "before": None if one.kind == "added" or is_texts else beginning(one.before),
        "after": None if one.kind == "removed" or is_texts else beginning(one.after),
    }
    if is_texts:
        row |= _texts(one, words)
    return row


def _texts(one: Difference, words: int) -> dict[str, Any]:
    """Return how one text became another, what lies far from any difference left out."""
    before, after = _around(redact(one.before), redact(one.after), _TEXT)
    is_long = len(one.before) + len(one.after) > _TEXT
    found = shortened(pieces(before, after, words))
    told = [[piece.kind, _cut(piece.text, _STRETCH)] for piece in found][:40]
    is_cut = is_long or any(len(piece.text) > _STRETCH for piece in found) or sum(len(text) for _, text in told) < len(after)
    return {"pieces": told, "is_cut": is_cut}


def whole_texts(comparison: Comparison, path: list[int | str]) -> dict[str, Any]:
    """Return all of how one text became another; of very long ones the beginning, with how much there is."""
    for one in comparison.differences:
        if one.is_of_texts and steps(one.keys) == path:
            before, after = redact(one.before), redact(one.after)
            found = pieces(*_around(before, after, _TEXT_OF_ONE), _WORDS_OF_ONE)
            return {"pieces": list(_fitting(found)), "left": max(len(before), len(after), _TEXT_OF_ONE) - _TEXT_OF_ONE}
    return {"pieces": [], "left": 0}


def _around(before: str, after: str, most: int) -> tuple[str, str]:
    """Return two texts, or of long ones so many characters of each from a little before the first difference on.

    >>> _around("same " * 100 + "old", "same " * 100 + "new", 300)
    ('… same same same same same same old', '… same same same same same same new')
    """
    if len(before) <= most and len(after) <= most:
        return before, after
    low, high = 0, min(len(before), len(after))
    while low < high:  # where they begin to differ, found by halves
        middle = (low + high + 1) // 2
        low, high = (middle, high) if before.startswith(after[:middle]) else (low, middle - 1)
    start = max(low - _BEFORE, 0)
    return tuple(f"{'…' if start else ''}{text[start : start + most]}" for text in (before, after))  # type: ignore[return-value] # of two comes two


def _fitting(found: list[Any]) -> Iterator[list[str]]:
    """Yield the pieces as far as they are bounded together."""
    left = _TEXT_OF_ONE
    for piece in found:
        if left <= 0:
            return
        yield [piece.kind, piece.text[:left]]
        left -= len(piece.text)


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}…"
