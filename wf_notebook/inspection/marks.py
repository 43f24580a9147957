"""What changed in a state since another one, node by node: added, removed, changed, or changed somewhere within."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from ..kept import packed, tag
from .nodes import Inside, inside, top

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .loaded import Loaded
    from .place import Step

Mark = Literal["added", "changed", "within", "removed"]
_ABSENT: Any = object()


@dataclass(frozen=True, slots=True)
class Marks:
    """What changed right inside of a value: by step what became of it, and what is not there any more."""

    steps: dict[Step, Mark] = field(default_factory=dict)
    removed: list[tuple[Step, Any]] = field(default_factory=list)

    def in_range(self, steps: Iterator[tuple[Step, Any]]) -> Mark | None:
        """Return how a range of items is marked: by what is in it."""
        return "within" if self.steps and any(step in self.steps for step, _ in steps) else None


def marks(before: Loaded, now: Loaded, path: tuple[Step, ...]) -> Marks:
    """Return what changed right inside of the value at a path."""
    return now.once(("marks", before.version, path), lambda: _marks(before, now, path))  # type: ignore[no-any-return] # once gives what was made


def _marks(before: Loaded, now: Loaded, path: tuple[Step, ...]) -> Marks:
    if not path:
        return _keys(before, now)
    was, is_now = before.kept.get(str(path[0])), now.kept.get(str(path[0]))
    if was is None or is_now is None or was == is_now:
        return Marks()
    one, other = before.tree(str(path[0])), now.tree(str(path[0]))
    for step in path[1:]:
        if not alike(one, other):
            return Marks()
        try:
            one, other = inside(one).at(step), inside(other).at(step)  # type: ignore[union-attr] # none is None here
        except LookupError:
            return Marks()
    return between(one, other)


def _keys(before: Loaded, now: Loaded) -> Marks:
    found = Marks()
    for key, kept in now.kept.items():
        was = before.kept.get(key)
        if was is None:
            found.steps[key] = "added"
        elif was != kept:
            found.steps[key] = "within" if alike(before.tree(key), now.tree(key)) else "changed"
    there = top(before)
    found.removed.extend((key, there.at(key)) for key in before.kept if key not in now.kept)
    return found


def alike(one: Any, other: Any) -> bool:
    """Say whether two trees are containers of one kind, so that one can be told from the other by what is inside.

    >>> alike([1], []), alike({"$set": [1]}, {"$tuple": [1]}), alike({"$model": "m:A"}, {"$model": "m:B"}), alike(1, 2)
    (True, False, False, False)
    """
    a, b = inside(one), inside(other)
    if a is None or b is None or a.how != b.how or tag(one) != tag(other):
        return False
    kind = tag(one)
    return kind is None or type(one[kind]) is not str or one[kind] == other[kind]


def between(one: Any, other: Any) -> Marks:
    """Return what changed right inside of a value.

    >>> between({"a": 1, "b": [1], "c": 3}, {"a": 2, "b": [1, 2], "d": 4})
    Marks(steps={'a': 'changed', 'b': 'within', 'd': 'added'}, removed=[('c', 3)])
    >>> between(["x", "y", "z"], ["new", "x", "y", "z"]), between(["x", "y", "z"], ["x", "z"]).removed
    (Marks(steps={0: 'added'}, removed=[]), [(1, 'y')])
    """
    if not alike(one, other):
        return Marks()
    was, now = inside(one), inside(other)
    assert was is not None
    assert now is not None
    if isinstance(was.trees, list) and isinstance(now.trees, list):
        return _lists(was.trees, now.trees)
    found = Marks()
    for step, tree in now.page(0, len(now)):
        _note(found, step, was.at(step) if _has(was, step) else _ABSENT, tree)
    found.removed.extend((step, tree) for step, tree in was.page(0, len(was)) if not _has(now, step))
    return found


def _has(where: Inside, step: Step) -> bool:
    return step in where.trees


def _lists(was: list[Any], now: list[Any]) -> Marks:
    """Compare lists from both ends: what lies between was added, removed, or changed one by one."""
    most, start, end = min(len(was), len(now)), 0, 0
    while start < most and _same(was[start], now[start]):
        start += 1
    while end < most - start and _same(was[-1 - end], now[-1 - end]):
        end += 1
    found = Marks()
    for index in range(start, len(now) - end):
        _note(found, index, was[index] if index < len(was) - end else _ABSENT, now[index])
    found.removed.extend((index, was[index]) for index in range(max(len(now) - end, start), len(was) - end))
    return found


def _same(one: Any, other: Any) -> bool:
    return one is other or (type(one) is type(other) and packed(one) == packed(other))


def _note(found: Marks, step: Step, before: Any, tree: Any) -> None:
    if before is _ABSENT:
        found.steps[step] = "added"
    elif not _same(before, tree):
        found.steps[step] = "within" if alike(before, tree) else "changed"
