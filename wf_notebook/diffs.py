"""What differs between two states, value by value: a readable tree."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from .brief import brief
from .kept import grown, is_list, length, packed, tag, unpacked
from .keys import key_of, path
from .run import way_up
from .tabular import became
from .words import marked

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from .changes import Encoded

Kind = Literal["added", "removed", "changed"]

#: By which sign and word a difference is shown.
SIGNS: dict[Kind, str] = {"added": "+", "removed": "-", "changed": "~"}

_ABSENT = object()
#: Characters of a value that are shown; of two longer texts it is shown what differs.
_BRIEF = 60


@dataclass(frozen=True, slots=True)
class Difference:
    """One value that differs: where it is, as Python says it, and what it was and is (None where it was not there).

    `keys` are the keys that lead there, one inside the other.
    """

    path: str
    kind: Kind
    before: Any = None
    after: Any = None
    keys: tuple[Any, ...] = ()

    @property
    def is_of_texts(self) -> bool:
        """Whether one text became another."""
        return self.kind == "changed" and isinstance(self.before, str) and isinstance(self.after, str)

    def __str__(self) -> str:
        if self.is_of_texts and max(len(self.before), len(self.after)) > _BRIEF:
            return f"{SIGNS[self.kind]} {self.path}: {marked(self.before, self.after)}"
        if told := became(self.before, self.after):
            return f"{SIGNS[self.kind]} {self.path} = {told}"
        sides = {"added": [self.after], "removed": [self.before], "changed": [self.before, self.after]}[self.kind]
        return f"{SIGNS[self.kind]} {self.path} = {' → '.join(map(brief, sides))}"


class Diff(tuple[Difference, ...]):  # noqa: SLOT001 - it says between what it is
    """All that differs between two states, in order; empty if nothing does. `before` and `after` say between which.

    >>> from wf_notebook.kept import Kept
    >>> one, two = {"posts": Kept.of(["a"]), "n": Kept.of(1)}, {"posts": Kept.of(["a", "b"]), "n": Kept.of(2)}
    >>> print(diff(one, two, decode=lambda tree: tree, before="demo:1", after="demo:2"))
    demo:1 → demo:2
    + session_state["posts"][1] = 'b'
    ~ session_state["n"] = 1 → 2
    """

    before: str
    after: str

    def __repr__(self) -> str:
        return str(self)

    def __str__(self) -> str:
        return "\n".join([f"{self.before} → {self.after}", *(map(str, self) if self else ["nothing differs"])])

    def _repr_html_(self) -> str:
        html: str = way_up("Diff._repr_html_")(self)
        return html

    def df(self) -> Any:
        """Return a row for each difference, as a DataFrame of pandas: path, kind, before, after."""
        return way_up("Diff.df")(self)


def diff(one: Encoded, other: Encoded, *, decode: Callable[[Any], Any], before: str, after: str, equal_too: bool = False) -> Diff:
    """Return what differs between two states; `decode` gives the value of a tree, `equal_too` keys in which nothing does."""
    found = Diff(differing(one, other, decode=decode, equal_too=equal_too))
    found.before, found.after = before, after
    return found


def differing(one: Encoded, other: Encoded, *, decode: Callable[[Any], Any], equal_too: bool = False) -> Iterator[Difference]:
    """Yield what differs, one by one: who needs only the first differences need not wait for all."""
    for key in {**one, **other}:
        was, now = one.get(key), other.get(key)
        more = grown(was.packed, now.packed) if was is not None and now is not None else None
        if more is not None and now is not None and is_list(more):  # found without reading the lists, which may be long
            items = unpacked(more)
            for index, item in enumerate(items, length(now.packed) - len(items)):
                yield from _between((key_of(key), index), _ABSENT, item, decode)
        elif was != now:
            trees = [_ABSENT if side is None else side.tree for side in (was, now)]
            yield from _between((key_of(key),), trees[0], trees[1], decode)
        elif equal_too and now is not None:
            yield Difference(path(key_of(key)), "changed", decode(now.tree), decode(now.tree), (key_of(key),))


def _between(keys: tuple[Any, ...], was: Any, now: Any, decode: Callable[[Any], Any]) -> Iterator[Difference]:
    if was is _ABSENT:
        yield Difference(_path(keys), "added", after=decode(now), keys=keys)
    elif now is _ABSENT:
        yield Difference(_path(keys), "removed", before=decode(was), keys=keys)
    elif type(was) is type(now) is dict and tag(was) is None and tag(now) is None:
        for key in {**was, **now}:
            old, new = was.get(key, _ABSENT), now.get(key, _ABSENT)
            if old is _ABSENT or new is _ABSENT or packed(old) != packed(new):
                yield from _between((*keys, key_of(key)), old, new, decode)
    elif type(was) is type(now) is list:
        yield from _lists(keys, was, now, decode)
    else:
        yield Difference(_path(keys), "changed", decode(was), decode(now), keys)


def _path(keys: tuple[Any, ...]) -> str:
    return path(keys[0]) + "".join(f"[{key!r}]" for key in keys[1:])


def _lists(keys: tuple[Any, ...], was: list[Any], now: list[Any], decode: Callable[[Any], Any]) -> Iterator[Difference]:
    """Compare lists from both ends: what lies between was added, removed, or changed one by one."""
    old, new = list(map(packed, was)), list(map(packed, now))
    start, most = 0, min(len(old), len(new))
    while start < most and old[start] == new[start]:
        start += 1
    end = 0
    while end < most - start and old[-1 - end] == new[-1 - end]:
        end += 1
    for index in range(start, max(len(old), len(new)) - end):
        one, other = (side[index] if index < len(side) - end else _ABSENT for side in (was, now))
        if one is _ABSENT or other is _ABSENT or old[index] != new[index]:
            yield from _between((*keys, index), one, other, decode)
