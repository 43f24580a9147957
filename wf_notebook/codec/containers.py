"""Containers that JSON does not have: tuples, sets, dicts with other keys, and those of `collections`."""

from __future__ import annotations

import json
from collections import Counter, OrderedDict, defaultdict, deque
from typing import TYPE_CHECKING, Any

from .kind import Refused, is_tag, json_text

if TYPE_CHECKING:
    from collections.abc import Callable

    from .kind import Decoding, Encoding, Tree

#: What a defaultdict may make: nothing that has to be found again.
_FACTORIES: dict[str, Callable[[], Any]] = {cls.__name__: cls for cls in (bool, bytes, dict, float, int, list, set, str, tuple)}


def encode_tuple(value: tuple[Any, ...], walk: Encoding) -> Tree:
    """Write a tuple as its items."""
    return {"$tuple": walk.items(value)}


def decode_tuple(tree: dict[str, Tree], read: Decoding) -> tuple[Any, ...]:
    """Read a tuple."""
    return tuple(read.items(tree["$tuple"]))


def encode_set(value: set[Any] | frozenset[Any], walk: Encoding) -> Tree:
    """Write a set in the order of its items' texts, which is the same in every process."""
    return {f"${type(value).__name__}": sorted((walk.within("{…}", item) for item in list(value)), key=json_text)}


def decode_set(tree: dict[str, Tree], read: Decoding) -> set[Any]:
    """Read a set."""
    return set(read.items(tree["$set"]))


def decode_frozenset(tree: dict[str, Tree], read: Decoding) -> frozenset[Any]:
    """Read a frozenset."""
    return frozenset(read.items(tree["$frozenset"]))


def decode_dict(tree: dict[str, Tree], read: Decoding) -> dict[Any, Any]:
    """Read a dict whose keys are not all texts: each is the JSON text of its tree."""
    items = tree["$dict"]
    found = {read.value(json.loads(key)): read.value(item) for key, item in items.items()}
    if len(found) != len(items):
        raise ValueError("two keys of a dict are equal")
    return found


def inner(tree: Tree, read: Decoding) -> dict[Any, Any]:
    """Read the dict inside one of the containers that are dicts."""
    found = read.value(tree)
    if type(found) is not dict:
        raise TypeError("there is no dict inside")
    return found


def encode_ordereddict(value: OrderedDict[Any, Any], walk: Encoding) -> Tree:
    """Write an OrderedDict as a dict."""
    return {"$ordereddict": walk.mapping(dict(_without_attributes(value)))}


def decode_ordereddict(tree: dict[str, Tree], read: Decoding) -> OrderedDict[Any, Any]:
    """Read an OrderedDict."""
    return OrderedDict(inner(tree["$ordereddict"], read))


def encode_counter(value: Counter[Any], walk: Encoding) -> Tree:
    """Write a Counter as a dict."""
    return {"$counter": walk.mapping(dict(_without_attributes(value)))}


def decode_counter(tree: dict[str, Tree], read: Decoding) -> Counter[Any]:
    """Read a Counter."""
    return Counter(inner(tree["$counter"], read))


def encode_defaultdict(value: defaultdict[Any, Any], walk: Encoding) -> Tree:
    """Write a defaultdict with the name of what it makes."""
    factory = value.default_factory
    name = None if factory is None else getattr(factory, "__name__", "")
    if name is not None and _FACTORIES.get(name) is not factory:
        raise Refused(
            f"is a defaultdict that makes values by {factory!r}, which cannot be kept; "
            f"use one of {', '.join(_FACTORIES)}, or keep dict(…) of it"
        )
    return {"$defaultdict": name, "items": walk.mapping(dict(value))}


def decode_defaultdict(tree: dict[str, Tree], read: Decoding) -> defaultdict[Any, Any]:
    """Read a defaultdict."""
    name = tree["$defaultdict"]
    return defaultdict(None if name is None else _FACTORIES[name], inner(tree["items"], read))


def encode_deque(value: deque[Any], walk: Encoding) -> Tree:
    """Write a deque with its bound, if it has one."""
    tree: Tree = {"$deque": walk.items(list(value))}
    return tree if value.maxlen is None else {**tree, "maxlen": value.maxlen}


def decode_deque(tree: dict[str, Tree], read: Decoding) -> deque[Any]:
    """Read a deque."""
    return deque(read.items(tree["$deque"]), tree.get("maxlen"))


def encode_range(value: range, walk: Encoding) -> Tree:
    """Write a range as its three numbers."""
    return {"$range": walk.items([value.start, value.stop, value.step])}


def decode_range(tree: dict[str, Tree], read: Decoding) -> range:
    """Read a range."""
    return range(*read.items(tree["$range"]))


def encode_slice(value: slice, walk: Encoding) -> Tree:
    """Write a slice as its three bounds."""
    return {"$slice": walk.items([value.start, value.stop, value.step])}


def decode_slice(tree: dict[str, Tree], read: Decoding) -> slice:
    """Read a slice."""
    return slice(*read.items(tree["$slice"]))


def _without_attributes(value: Any) -> Any:
    if getattr(value, "__dict__", None):
        raise Refused(
            f"is of type {type(value).__name__!r} with attributes of its own, which cannot be kept; keep them beside it"
        )
    return value


def user_keys(tree: dict[str, Tree]) -> dict[str, Tree]:
    """Return the entries of a typed dict that are the user's, by their names.

    >>> user_keys({"$model": "m:Post", "title": 1, "$$ref": 2, "$unset": []})
    {'title': 1, '$ref': 2}
    """
    return {(key[1:] if key[:1] == "$" else key): item for key, item in tree.items() if not is_tag(key)}
