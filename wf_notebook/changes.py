"""What turns one state into another, as the rows that are stored: set, append, put, delete; and the way back.

A value is set as a whole, unless little of it changed: a list that only grew is appended to, of a dict the entries that are new
or changed are put, and those that are gone deleted, each by its key in `path`.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from . import codec
from .codec.kind import json_text
from .errors import StorageFailed
from .kept import Kept, collecting_later, extended, grown, is_empty, is_list, is_tagged, packed, tag, unpacked

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

Op = Literal["set", "append", "put", "delete"]

#: A state as it is stored: what is kept of each top-level key.
Encoded = dict[str, Kept]

#: A dict of which more entries changed is set as a whole, if that is half of it.
MANY = 100

#: Changes of a key since it was set are a chain, which is as long as their texts, and so much more for each row.
ROW = 64
#: A chain of this length that is longer than half of the value is done with: the value is set as a whole.
LONG = 1 << 16

#: How the codec writes a dict whose keys are not all str: its entries by the JSON text of each key.
KEYED = "$dict"


@dataclass(frozen=True, slots=True)
class Change:
    """One row: what happened to a top-level key, or with `path`, its key in the JSON, to an entry of the dict there.

    `value` is JSON text.
    """

    key: str
    op: Op
    value: str | None = None
    path: str | None = None

    @property
    def is_whole(self) -> bool:
        """Whether nothing that was there before matters any more."""
        return self.path is None and self.op in {"set", "delete"}


def differences(before: Encoded, after: Encoded) -> list[Change]:
    """Return what turns `before` into `after`.

    >>> of = lambda **state: {key: Kept.of(value) for key, value in state.items()}
    >>> for change in differences(of(a=1, b=[1], d={"x": 1}), of(b=[1, 2], c="new", d={"x": 2, "y": 3})): print(change)
    Change(key='b', op='append', value='[2]', path=None)
    Change(key='c', op='set', value='"new"', path=None)
    Change(key='d', op='put', value='2', path='x')
    Change(key='d', op='put', value='3', path='y')
    Change(key='a', op='delete', value=None, path=None)
    """
    changes: list[Change] = []
    for key, now in after.items():
        was = before.get(key)
        if was is None:
            changes.append(Change(key, "set", now.text))
        elif was != now:
            changes += _between(key, was, now)
    return changes + [Change(key, "delete") for key in before if key not in after]


def lengths(chains: Mapping[str, int], changes: Iterable[Change]) -> dict[str, int]:
    """Return how long the chains of keys are after changes.

    >>> lengths({"a": 1000, "b": 5}, [Change("a", "set", "[]"), Change("b", "append", "[2]"), Change("c", "append", "[3]")])
    {'b': 72, 'c': 67}
    """
    after = dict(chains)
    for change in changes:
        if change.is_whole:
            after.pop(change.key, None)
        else:
            after[change.key] = after.get(change.key, 0) + ROW + len(change.value or "")
    return after


def shortened(changes: list[Change], state: Encoded, chains: Mapping[str, int]) -> list[Change]:
    """Return changes that lead to `state` and leave no chain too long: a value that would have one is set as a whole.

    >>> state = {"a": Kept.of([1, 2])}
    >>> shortened([Change("a", "append", "[2]")], state, {"a": 10}), shortened([Change("a", "append", "[2]")], state, {"a": LONG})
    ([Change(key='a', op='append', value='[2]', path=None)], [Change(key='a', op='set', value='[1,2]', path=None)])
    """
    after = lengths(chains, changes)
    long = {
        change.key: None
        for change in changes
        if (length := after.get(change.key, 0)) > LONG and length * 2 > len(state[change.key].packed)
    }
    return [change for change in changes if change.key not in long] + [Change(key, "set", state[key].text) for key in long]


def hashes(changes: Iterable[Change]) -> set[str]:
    """Return the names of the arrays and frames that are in what changed."""
    trees = [json.loads(change.value) for change in changes if change.value is not None and '"blob' in change.value]
    return set().union(*map(codec.hashes, trees))


def _between(key: str, was: Kept, now: Kept) -> list[Change]:
    more = None if is_empty(was.packed) else grown(was.packed, now.packed)
    if more is not None and is_list(more):
        return [Change(key, "append", json_text(unpacked(more)))]
    if more is not None and not is_tagged(was.packed) and len(added := unpacked(more)) <= MANY:
        return [Change(key, "put", json_text(value), entry) for entry, value in added.items()]
    return _entries(key, was, now) or [Change(key, "set", now.text)]


def _entries(key: str, was: Kept, now: Kept) -> list[Change] | None:
    """Return the changed entries of a dict; None for what is no dict, and where more than entries changed, or nearly all."""
    if was.packed[:1] != b"{" or now.packed[:1] != b"{":
        return None
    before, after = entries(was.tree), entries(now.tree)
    if before is None or after is None or before[0] != after[0]:
        return None
    old, new = before[1], after[1]
    if [entry for entry in old if entry in new] != list(new)[: sum(entry in new for entry in old)]:
        return None  # the order of the entries is part of the value
    changed = [entry for entry, value in new.items() if entry not in old or packed(value) != packed(old[entry])]
    gone = [entry for entry in old if entry not in new]
    if (count := len(changed) + len(gone)) > MANY and count * 2 > len(new):
        return None
    puts = [Change(key, "put", json_text(new[entry]), entry) for entry in changed]
    return [Change(key, "delete", path=entry) for entry in gone] + puts


def entries(tree: Any) -> tuple[str | None, dict[str, Any]] | None:
    """Return the tag of a dict, None for one of str keys, and its entries; None for what is no dict.

    >>> entries({"a": 1}), entries({"$dict": {"1": "one"}}), entries({"$date": "2026-01-01"}), entries([])
    ((None, {'a': 1}), ('$dict', {'1': 'one'}), None, None)
    """
    if type(tree) is not dict:
        return None
    kind = tag(tree)
    return (kind, tree if kind is None else tree[KEYED]) if kind in {None, KEYED} else None


def replay(state: Encoded, changes: Iterable[Change]) -> Encoded:
    """Return a state after changes, in the order in which they were made.

    Raises StorageFailed for a row that is damaged.

    >>> replay({}, [Change("a", "set", "[1]"), Change("a", "append", "[2]"), Change("b", "set", "1"), Change("b", "delete")])
    {'a': Kept([1,2])}
    """
    after: Encoded = dict(state)
    lines: dict[str, _Line] = {}
    with collecting_later():
        for change in changes:
            if change.is_whole:
                lines.pop(change.key, None)
                after.pop(change.key, None)
            if change.op == "delete" and change.path is None:
                continue
            line = lines.get(change.key)
            if line is None:
                line = lines[change.key] = _Line(change.key, after.get(change.key))
                after.setdefault(change.key, Kept(b""))  # its place in the order of the keys
            line.add(change)
        return after | {key: line.kept() for key, line in lines.items()}


class _Line:
    """The changes of one key since it was set: items are gathered, and added at once."""

    def __init__(self, key: str, start: Kept | None) -> None:
        self.key, self.start = key, start
        self.whole: Any = None  # what it was set to here
        self.tree: Any = None
        self.items: list[Any] = []

    def add(self, change: Change) -> None:
        try:
            self._add(change, None if change.op == "delete" else json.loads(change.value or "nothing"))
        except (ValueError, TypeError, LookupError) as error:
            raise StorageFailed(
                f"the stored value of key {self.key!r} is damaged ({error}); nothing was overwritten: restore a copy of the file"
            ) from error

    def _add(self, change: Change, value: Any) -> None:
        if change.op == "set":
            self.start, self.whole, self.tree = Kept.of(value), value, None
        elif self.start is None:
            raise LookupError("what it changes is missing")
        elif change.op == "append":
            if type(value) is not list or not is_list(self.start.packed):
                raise TypeError("an append to what is no list")
            self.items += value
        else:
            self._put(change, value)

    def _put(self, change: Change, value: Any) -> None:
        if self.tree is None and self.start is not None:
            self.tree = self.start.tree
        found = entries(self.tree)
        if found is None or change.path is None:
            raise LookupError("an entry was changed of what is no dict")
        if change.op == "delete":
            del found[1][change.path]
        else:
            found[1][change.path] = value

    def kept(self) -> Kept:
        if self.tree is not None:
            return Kept(packed(self.tree), spare=self.tree)
        assert self.start is not None
        if self.items and self.whole is not None:
            self.whole += self.items
        data = extended(self.start.packed, packed(self.items)) if self.items else self.start.packed
        return Kept(data, spare=self.whole) if self.items or self.whole is not None else self.start


def summed_up(before: Encoded, after: Encoded) -> dict[str, str]:
    """Return what happened to which keys, in the words of a version: set, append, put, delete."""
    return {change.key: change.op if change.path is None else "put" for change in differences(before, after)}
