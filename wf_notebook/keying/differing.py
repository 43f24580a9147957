"""What differs between two keys, in words: the first difference, the nearest to the user."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..words import marked
from .normal import bare
from .parsing import parsed
from .part import CODE, WHAT, Part

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

#: Values up to so many characters are shown side by side, longer ones word by word.
_SHORT = 40


@dataclass(frozen=True, slots=True)
class Difference:
    """A part that changed, appeared (`old` is None) or went away (`new` is None); str() of it says so."""

    what: str
    name: str
    old: Part | None
    new: Part | None

    def __str__(self) -> str:
        return self.words

    @property
    def words(self) -> str:
        """What changed, in words."""
        named = self.name if self.what == "state" else f"{self.what} `{self.name}`"
        if self.old is None:
            return f"{named} is new"
        if self.new is None:
            return f"{named} is gone"
        line = _line(self.old.shown, self.new.shown) if self.is_code else None
        if line is not None:
            return f"{named}, line {line}"
        if self.is_code or self.what == "file" or self.old.shown == self.new.shown:
            return named
        if max(len(self.old.shown), len(self.new.shown)) <= _SHORT:
            return f"{named} {self.old.shown} → {self.new.shown}"
        return f"{named}: {marked(self.old.shown, self.new.shown)}"

    @property
    def is_code(self) -> bool:
        """Whether it is shown as source."""
        return self.what in CODE


def difference(old: Sequence[Part], new: Sequence[Part]) -> Difference | None:
    """Return the first difference between the parts of two keys, None if there is none.

    >>> before, after = [Part("global", "LIMIT", "1", "10")], [Part("global", "LIMIT", "2", "20")]
    >>> print(difference(before, after))
    global `LIMIT` 10 → 20
    """
    before, after = _placed(old), _placed(new)
    found = [
        Difference(*place[:2], before.get(place), after.get(place))
        for place in {**after, **before}
        if place not in before or place not in after or before[place].digest != after[place].digest
    ]
    return min(found, key=_distance, default=None)


def _placed(parts: Iterable[Part]) -> dict[tuple[str, str, int], Part]:
    """Return parts by what they are and how they are called; of several equal ones each has its number."""
    placed: dict[tuple[str, str, int], Part] = {}
    for part in parts:
        number = 0
        while (part.what, part.name, number) in placed:
            number += 1
        placed[part.what, part.name, number] = part
    return placed


def _distance(one: Difference) -> tuple[int, bool]:
    """A change comes before what is new or gone."""
    place = WHAT.index(one.what) if one.what in WHAT else len(WHAT)
    return place, one.old is None or one.new is None


def _line(old: str, new: str) -> int | None:
    r"""Return the first line of a source that says something else than another one.

    >>> _line("def f(x):\n    return x", "def f(x):\n    # more\n    return x + 1")
    3
    """
    try:
        before, after = bare(parsed(old)), bare(parsed(new))
    except (SyntaxError, ValueError):
        return None
    return _first(before, after, 1)


def _first(old: ast.AST, new: ast.AST, line: int) -> int | None:
    if ast.dump(old) == ast.dump(new):
        return None
    line = getattr(new, "lineno", line)
    if type(old) is not type(new):
        return line
    before, after = list(ast.iter_child_nodes(old)), list(ast.iter_child_nodes(new))
    for one, other in zip(before, after, strict=False):
        found = _first(one, other, line)
        if found is not None:
            return found
    if len(after) > len(before):
        return getattr(after[len(before)], "lineno", line)
    return getattr(new, "end_lineno", line) if len(after) < len(before) else line
