"""Two sides made something of one state: both together, and where they disagree.

The merge is three-way and by value: different keys merge, and so do different entries of dicts, as deep as they lie.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from . import codec
from .changes import KEYED, Encoded
from .errors import BadSetting
from .given import checked
from .kept import Kept, extended, grown, is_list, packed, tag

if TYPE_CHECKING:
    from collections.abc import Callable

    Path = tuple[str, ...]
    #: Takes base (None if absent), mine and theirs; returns what they make together.
    Rule = Callable[[Any, Any, Any], Any]

#: Typed values that are numbers.
NUMBERS = {"$int", "$decimal", "$complex", "$numpy", "$float"}

_ABSENT = object()


@dataclass(frozen=True, slots=True)
class Merge:
    """What two sides made of one base: the state of both together, and the keys on which they disagree (theirs, there)."""

    state: Encoded
    conflicts: tuple[str, ...] = ()


class _Disagree(Exception):
    """Both changed one value, and not to the same."""


def merge(base: Encoded, mine: Encoded, theirs: Encoded, met: Encoded | None = None) -> Merge:
    """Merge three ways.

    `met` is what base became in the store when it was saved, as others' items may lie among its own: theirs grew from there.

    What only one side changed is that side's. What both changed, in this order: a rule of `register_merge`; two lists that both
    only grew give base, theirs, mine (an absent base is an empty list, and nothing is counted once); dicts merge entry by entry;
    a number that was in the base conflicts even when equal, as two increments are two; the same value, or a deletion, on both
    sides counts once. Anything else conflicts.

    >>> of = lambda **state: {key: Kept.of(value) for key, value in state.items()}
    >>> merge(of(a=1), of(a=1, mine=2), of(a=5)).state
    {'a': Kept(5), 'mine': Kept(2)}
    >>> merge(of(x=[1]), of(x=[1, 2]), of(x=[1, 3])).state, merge({}, of(d={"a": 1}), of(d={"b": 2})).state
    ({'x': Kept([1,3,2])}, {'d': Kept({"b":2,"a":1})})
    >>> merge(of(n=1), of(n=2), of(n=2)).conflicts
    ('n',)
    >>> merge(of(x=["mine"]), of(x=["mine", "more"]), of(x=["theirs", "mine"]), met=of(x=["theirs", "mine"])).state
    {'x': Kept(["theirs","mine","more"])}
    """
    state: Encoded = {}
    conflicts = []
    met = met or {}
    for key in {**theirs, **mine, **base}:
        was, here, there = base.get(key), mine.get(key), theirs.get(key)
        try:
            value = there if here == was else here if there == was else _both_kept((key,), was, here, there, met.get(key, was))
        except _Disagree:
            conflicts.append(key)
            value = there
        if value is not None:
            state[key] = value
    return Merge(state, tuple(conflicts))


def _both_kept(path: Path, was: Kept | None, here: Kept | None, there: Kept | None, met: Kept | None) -> Kept | None:
    if here is not None and there is not None and _rule(path) is None and is_list(here.packed) and is_list(there.packed):
        empty = packed([])
        start, first = (empty if side is None else side.packed for side in (was, met))
        mine = grown(start, here.packed)
        # found without reading the lists, which may be long
        if mine is not None and (there.packed == first or grown(first, there.packed) is not None):
            return Kept(extended(there.packed, mine))
    value = _both(path, *(_ABSENT if side is None else side.tree for side in (was, here, there, met)))
    return None if value is _ABSENT else Kept.of(value)


def _both(path: Path, was: Any, here: Any, there: Any, met: Any) -> Any:
    """Return what a value becomes that both sides changed; raise _Disagree where they do."""
    rule = _rule(path)
    if rule is not None and here is not _ABSENT and there is not _ABSENT:
        return _by_rule(rule, was, here, there)
    kinds = {type(side) for side in (was, here, there) if side is not _ABSENT}
    if kinds == {list} and _ABSENT not in (here, there):
        start = [] if was is _ABSENT else was
        first = met if type(met) is list else start
        if _begins(here, start) and _begins(there, first):
            return there + here[len(start) :]
    if kinds == {dict} and _ABSENT not in (here, there):
        tags = {tag(side) for side in (was, here, there) if side not in (_ABSENT, {})}
        if tags <= {None}:
            return _dicts(path, {} if was is _ABSENT else was, here, there, met)
        if tags == {KEYED} and {} not in (here, there):
            before = was[KEYED] if was not in (_ABSENT, {}) else {}
            return {KEYED: _dicts(path, before, here[KEYED], there[KEYED], met.get(KEYED) if type(met) is dict else None)}
    if _same(here, there) and (was is _ABSENT or not (_is_number(was) and _is_number(here))):
        return here
    raise _Disagree


def _dicts(path: Path, was: dict[str, Any], here: dict[str, Any], there: dict[str, Any], met: Any) -> dict[str, Any]:
    merged = {}
    became: dict[str, Any] = met if type(met) is dict else {}
    for entry in {**there, **here, **was}:
        base, mine, theirs = (side.get(entry, _ABSENT) for side in (was, here, there))
        value = (
            theirs
            if _same(mine, base)
            else mine
            if _same(theirs, base)
            else _both((*path, entry), base, mine, theirs, became.get(entry, base))
        )
        if value is not _ABSENT:
            merged[entry] = value
    return merged


def _begins(items: list[Any], start: list[Any]) -> bool:
    return packed(items[: len(start)]) == packed(start)


def _same(one: Any, other: Any) -> bool:
    if one is _ABSENT or other is _ABSENT:
        return one is other
    return packed(one) == packed(other)


def _is_number(value: Any) -> bool:
    return type(value) in {int, float} or tag(value) in NUMBERS


# -- rules of the user's -------------------------------------------------------------------------------------------------------


def _sum(base: Any, mine: Any, theirs: Any) -> Any:
    return mine + theirs if base is None else mine + (theirs - base)


def _union(_: Any, mine: Any, theirs: Any) -> Any:
    if isinstance(mine, (set, frozenset)):
        return theirs | mine
    return [*theirs, *(item for item in mine if item not in theirs)]


#: Rules that have a name.
RULES: dict[str, Rule] = {
    "sum": _sum,
    "max": lambda _, mine, theirs: max(mine, theirs),
    "min": lambda _, mine, theirs: min(mine, theirs),
    "union": _union,
    "mine": lambda _, mine, __: mine,
    "theirs": lambda _, __, theirs: theirs,
}

_rules: dict[Path, Rule] = {}


def register_merge(path: str, rule: str | Rule) -> None:
    """Say how a value that two kernels changed at the same time is merged, where it would conflict otherwise.

    Args:
        path: A key of session_state, or the way to a value in it: "count", "stats.views", `session_state["stats"]["views"]`;
            `*` is any entry: "stats.*".
        rule: "sum" (what both added), "max", "min", "union" (of lists and sets), "mine" (of the side that saves later),
            "theirs"; or a function of base (None if absent), mine and theirs that returns the value.

    Raises:
        BadSetting: There is no rule of that name.

    >>> register_merge("visits", "sum")
    >>> of = lambda n: {"visits": Kept.of(n)}
    >>> merge(of(10), of(11), of(12)).state
    {'visits': Kept(13)}
    """
    if isinstance(rule, str) and rule not in RULES:
        raise BadSetting(
            f"no rule named {rule!r}; a rule is {', '.join(map(repr, RULES))}, or a function of base, mine and theirs"
        )
    if not (isinstance(rule, str) or callable(rule)):
        raise BadSetting(f"rule is of type {type(rule).__name__!r}; give its name, or a function of base, mine and theirs")
    checked("path", path, (str,), "a str: register_merge('stats.views', 'sum')")
    _rules[_steps(path)] = RULES[rule] if isinstance(rule, str) else rule


def _steps(path: str) -> Path:
    if path.startswith("session_state["):
        return tuple(found[1] or found[2] for found in re.finditer(r"""\[(?:["'](.*?)["']|(\S+?))\]""", path))
    return tuple(path.split("."))


def _rule(path: Path) -> Rule | None:
    if not _rules:
        return None
    for steps, rule in _rules.items():
        if len(steps) == len(path) and all(step in {"*", entry} for step, entry in zip(steps, path, strict=True)):
            return rule
    return _rules.get(tuple(".".join(path).split(".")))  # a key with a dot in it


def _by_rule(rule: Rule, was: Any, here: Any, there: Any) -> Any:
    base, mine, theirs = (None if side is _ABSENT else codec.decode(side, _no_blob) for side in (was, here, there))
    return codec.encode(rule(base, mine, theirs), "the merged value", _NoBlobs())


def _no_blob(content_hash: str) -> bytes:
    raise BadSetting(f"a rule merges numbers, texts, lists and dicts, not arrays and frames ({content_hash})")


class _NoBlobs:
    def keep(self, content_hash: str, make: Callable[[], bytes]) -> None:
        _no_blob(content_hash)
