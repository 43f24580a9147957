"""session_state: a plain dict that can say what changed since it was last saved.

Nothing is intercepted: a state is encoded, one JSON text for each top-level key, and the texts are compared.
"""

from __future__ import annotations

import json
import marshal
import math
from dataclasses import dataclass
from itertools import repeat
from typing import TYPE_CHECKING, Any, Literal

from .errors import StorageFailed, UnsavableValue
from .redact import redact
from .run import logger

if TYPE_CHECKING:
    from collections.abc import Mapping

#: A state as it is stored: the JSON text of each top-level key.
Encoded = dict[str, str]

_DEEPEST = 200

_REMEDIES = {
    "tuple": "keep a list",
    "set": "keep a sorted list",
    "frozenset": "keep a sorted list",
    "datetime": "keep its .isoformat()",
    "date": "keep its .isoformat()",
    "Decimal": "keep its str()",
    "UUID": "keep its str()",
    "PosixPath": "keep its str()",
    "WindowsPath": "keep its str()",
    "DataFrame": 'keep its .to_dict("records")',
    "ndarray": "keep its .tolist()",
}


@dataclass(frozen=True, slots=True)
class Change:
    """What happened to one top-level key; `value` is its new JSON text, None when it was deleted."""

    key: str
    op: Literal["set", "delete"]
    value: str | None = None


@dataclass(frozen=True, slots=True)
class Merge:
    """What two sides made of one base: the state of both together, and the keys on which they disagree."""

    state: Encoded
    conflicts: tuple[str, ...] = ()


def merge(base: Encoded, mine: Encoded, theirs: Encoded) -> Merge:
    """Merge three ways, for whole top-level keys.

    A key that only one side changed takes that side's value. The same new value, or a deletion, on both sides counts once;
    a number that was in the base and changed on both sides conflicts even when equal, as two increments are two.

    >>> merge({"a": "1"}, {"a": "1", "mine": "2"}, {"a": "5"}).state
    {'a': '5', 'mine': '2'}
    >>> merge({"n": "1"}, {"n": "2"}, {"n": "2"}).conflicts
    ('n',)
    """
    state: Encoded = {}
    conflicts = []
    for key in {**theirs, **mine, **base}:
        was, here, there = base.get(key), mine.get(key), theirs.get(key)
        if here == was:
            value = there
        elif there == was or (here == there and not (_is_number(was) and _is_number(here))):
            value = here
        else:
            conflicts.append(key)
            value = there
        if value is not None:
            state[key] = value
    return Merge(state, tuple(conflicts))


def _is_number(text: str | None) -> bool:
    return text is not None and text[0] in "-0123456789"


def differences(before: Encoded, after: Encoded) -> list[Change]:
    """Return what turns `before` into `after`.

    >>> differences({"a": "1", "b": "2"}, {"a": "1", "c": "3"})
    [Change(key='c', op='set', value='3'), Change(key='b', op='delete', value=None)]
    """
    changes = [Change(key, "set", value) for key, value in after.items() if before.get(key) != value]
    return changes + [Change(key, "delete") for key in before if key not in after]


def decode(key: str, text: str) -> Any:
    """Return the value of a key's stored JSON text.

    Raises StorageFailed for a text that is damaged.

    >>> decode("posts", '["a"]')
    ['a']
    """
    try:
        return json.loads(text)
    except ValueError as error:
        raise StorageFailed(
            f"the stored value of key {key!r} is damaged ({error}); nothing was overwritten: restore a copy of the file"
        ) from error


class Encoder:
    """Encodes a live state again and again, and works only on the keys whose values changed since the last time."""

    def __init__(self) -> None:
        self._prints: dict[str, bytes] = {}
        self._texts: Encoded = {}

    def encode(self, state: Mapping[Any, Any]) -> tuple[Encoded, dict[str, UnsavableValue]]:
        """Return the texts of all keys that can be kept, and the reason for each that cannot.

        One consistent snapshot, also while other threads change the state.
        """
        encoded: Encoded = {}
        refused: dict[str, UnsavableValue] = {}
        for key, (value, fingerprint) in _snapshot(state).items():
            if fingerprint is not None and self._prints.get(key) == fingerprint:
                encoded[key] = self._texts[key]
                continue
            try:
                encoded[key] = _text(key, value, fingerprint)
            except UnsavableValue as refusal:
                refused[key] = refusal
                continue
            if fingerprint is not None:
                self._prints[key], self._texts[key] = fingerprint, encoded[key]
        return encoded, refused


def _snapshot(state: Mapping[Any, Any]) -> dict[Any, tuple[Any, bytes | None]]:
    """Return each key's value with its fingerprint, None for a value that has none.

    The one line that reads plain values is C from end to end, so no other thread runs in the middle of it.
    """
    prints: dict[Any, bytes | None]
    try:
        prints = dict(zip(state.keys(), map(marshal.dumps, state.values(), repeat(2)), strict=True))
    except ValueError:  # some value is no plain data: each by itself
        prints = {key: _fingerprint(value) for key, value in list(state.items())}
    return {key: (state.get(key) if print_ is None else _Frozen(print_), print_) for key, print_ in prints.items()}


class _Frozen:
    """A value as it was when its fingerprint was taken, thawed only if it is needed."""

    __slots__ = ("_print",)

    def __init__(self, fingerprint: bytes) -> None:
        self._print = fingerprint

    def thaw(self) -> Any:
        return marshal.loads(self._print)  # noqa: S302 - made by this process, a line above


def _fingerprint(value: Any) -> bytes | None:
    try:
        return marshal.dumps(value, 2)  # version 2 has no back references: equal values, equal bytes
    except ValueError:
        return None


def _text(key: Any, value: Any, fingerprint: bytes | None) -> str:
    """Return the JSON text of a value that comes back from it as it was; raise UnsavableValue for any other."""
    path = f"session_state[{_quoted(key)}]"
    if type(key) is not str:
        raise _refuse_key(key, path)
    if isinstance(value, _Frozen):
        value = value.thaw()
    try:
        text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
        text.encode()
        kept = fingerprint is not None and _fingerprint(json.loads(text)) == fingerprint
    except (TypeError, ValueError, RecursionError):
        kept = False
    if not kept:
        _find_unsavable(value, path, 0)
        raise UnsavableValue(f"{path} cannot be kept: it does not come back from JSON as it was", path=path)
    _quoted(key).encode()
    return text if redact(text) == text else _redacted(path, value)


def _quoted(key: Any) -> str:
    return json.dumps(key, ensure_ascii=True) if isinstance(key, str) else repr(key)


def _refuse_key(key: Any, path: str) -> UnsavableValue:
    return UnsavableValue(f"{path} has a key of type {type(key).__name__!r}; session_state keeps keys of type str", path=path)


def _find_unsavable(value: Any, path: str, depth: int) -> None:
    """Raise UnsavableValue for the first value in `value` that JSON does not give back as it was."""
    kind = type(value)
    if depth > _DEEPEST:
        raise UnsavableValue(f"{path[:200]}… is nested too deeply, or contains itself; keep a flatter value", path=path)
    if kind is dict:
        for key, item in value.items():
            inner = f"{path}[{_quoted(key)}]"
            if type(key) is not str:
                raise _refuse_key(key, inner)
            _find_unsavable(key, inner, depth + 1)
            _find_unsavable(item, inner, depth + 1)
    elif kind is list:
        for index, item in enumerate(value):
            _find_unsavable(item, f"{path}[{index}]", depth + 1)
    elif kind is str:
        try:
            value.encode()
        except UnicodeEncodeError:
            raise UnsavableValue(f"{path} holds half of a surrogate pair, which is no text; clean it first", path=path) from None
    elif kind is float:
        if not math.isfinite(value):
            raise UnsavableValue(f"{path} is {value!r}, which JSON does not have; keep None or a str", path=path)
    elif kind is int:
        try:
            str(value)
        except ValueError:
            raise UnsavableValue(f"{path} has too many digits; keep it as hex()", path=path) from None
    elif value is not None and kind is not bool:
        raise UnsavableValue(_cannot_keep(value, path), path=path)


def _cannot_keep(value: Any, path: str) -> str:
    name = type(value).__name__
    remedy = _REMEDIES.get(name) or (
        "keep its .model_dump()" if hasattr(value, "model_dump") else "keep str, int, float, bool, None, lists and dicts of these"
    )
    return f"{path} is of type {name!r}, which session_state cannot keep yet; {remedy}"


def _redacted(path: str, value: Any) -> str:
    if path not in _warned:
        _warned.add(path)
        logger.warning("a secret in %s is stored as <redacted …>; the live value is untouched", path)
    return json.dumps(_without_secrets(value), ensure_ascii=False, separators=(",", ":"))


_warned: set[str] = set()


def _without_secrets(value: Any) -> Any:
    if isinstance(value, str):
        return redact(value)
    if isinstance(value, list):
        return [_without_secrets(item) for item in value]
    if isinstance(value, dict):
        return {redact(key): _without_secrets(item) for key, item in value.items()}
    return value


def update(live: dict[str, Any], mine: Encoded, merged: Encoded) -> None:
    """Bring a live state from `mine` to `merged` in place: what did not change stays the same object.

    >>> posts = [{"title": "a"}]; live = {"posts": posts}
    >>> update(live, {"posts": '[{"title":"a"}]'}, {"posts": '[{"title":"a"},{"title":"b"}]'})
    >>> live["posts"] is posts, posts
    (True, [{'title': 'a'}, {'title': 'b'}])
    """
    changes = differences(mine, merged)
    new = {change.key: decode(change.key, change.value) for change in changes if change.value is not None}
    for change in changes:  # only now, when all of them could be read
        if change.value is None:
            live.pop(change.key, None)
        elif change.key in live:
            live[change.key] = _graft(live[change.key], new[change.key])
        else:
            live[change.key] = new[change.key]


def _graft(old: Any, new: Any) -> Any:
    """Return `old` made equal to `new` in place where both are a list or a dict, else `new`."""
    if type(old) is dict and type(new) is dict:
        grafted = {key: _graft(old[key], value) if key in old else value for key, value in new.items()}
        for key in [key for key in old if key not in grafted]:
            del old[key]
        old.update(grafted)
        if list(old) != list(grafted):  # the order of the keys is part of the value
            old.clear()
            old.update(grafted)
        return old
    if type(old) is list and type(new) is list:
        old[:] = [_graft(before, after) for before, after in zip(old, new, strict=False)] + new[len(old) :]
        return old
    return old if type(old) is type(new) and old == new else new
