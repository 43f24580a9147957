"""session_state: a plain dict, brought up to date in place.

Nothing is intercepted: what a state is now is compared with what it was. What did not change stays the same object, also deep
inside a value that did.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from copy import deepcopy
from typing import TYPE_CHECKING, Any, NamedTuple

from . import codec
from .codec.kind import escaped
from .errors import StorageFailed
from .given import checked
from .kept import collecting_later, grown, is_list, may_be_typed, packed, tag, unpacked
from .keys import key_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from .changes import Encoded
    from .kept import Kept

    Blob = Callable[[str], bytes]


def decoded(key: str, kept: Kept, blob: Blob) -> Any:
    """Return the value of what is kept of a key; StorageFailed if it is damaged."""
    return _decode(key, kept.taken(), blob, typed=may_be_typed(kept.packed))


def _decode(key: str, tree: Any, blob: Blob, *, typed: bool) -> Any:
    if not typed:
        return tree
    try:
        return codec.decode(tree, blob)
    except StorageFailed as error:
        raise StorageFailed(str(error).replace("a stored value", f"the stored value of key {key!r}", 1)) from error


def update(live: dict[Any, Any], mine: Encoded, merged: Encoded, blob: Blob, *, renew: frozenset[str] = frozenset()) -> None:
    """Bring a live state from `mine` to `merged` in place: what did not change stays the same object.

    Args:
        live: The state.
        mine: What it is now, as it is kept.
        merged: What it is to be.
        blob: Gives the bytes of a blob that a value refers to.
        renew: Keys whose value is made anew although it did not change, as a class in it was defined again.

    >>> from wf_notebook.kept import Kept
    >>> posts = [{"title": "a"}]; live = {"posts": posts}
    >>> update(live, {"posts": Kept.of([{"title": "a"}])}, {"posts": Kept.of([{"title": "a"}, {"title": "b"}])}, None)
    >>> live["posts"] is posts, posts
    (True, [{'title': 'a'}, {'title': 'b'}])
    """
    steps: list[Callable[[], None]] = []
    changed = [key for key, kept in merged.items() if key in renew or mine.get(key) != kept]
    shared = _met_twice(live) if changed else set()
    with collecting_later():
        for text in changed:
            key, was = key_of(text), mine.get(text)
            steps.append(
                _step(live, key, was if key in live and text not in renew else None, merged[text], _Reading(blob, shared))
            )
        for step in steps:  # only now, when all of them could be read
            step()
    for text in mine:
        if text not in merged:
            live.pop(key_of(text), None)


class _Reading(NamedTuple):
    """What it takes to bring values in: who gives blobs, and which objects are in two places."""

    blob: Blob
    shared: set[int]


def _step(live: dict[Any, Any], key: Any, was: Kept | None, now: Kept, reading: _Reading) -> Callable[[], None]:
    """Return how to bring one key up to date, after all that can fail."""
    old = live.get(key)
    more = grown(was.packed, now.packed) if was is not None and type(old) is list and id(old) not in reading.shared else None
    if more is not None and is_list(more):
        items = _decode(key, unpacked(more), reading.blob, typed=may_be_typed(more))
        return lambda: live[key].extend(items)
    new = decoded(key, now, reading.blob)
    if was is None:
        return lambda: live.__setitem__(key, new)
    before, tree = was.tree, now.tree
    return lambda: live.__setitem__(key, _graft(old, new, before, tree, reading.shared))


def _met_twice(live: dict[Any, Any]) -> set[int]:
    """Return the ids of the lists and dicts that a state holds in two places: changed in one, they would change in both."""
    seen, twice = {id(live)}, set()
    boxes = list(live.values())
    while boxes:
        box = boxes.pop()
        if type(box) is not dict and type(box) is not list:
            continue
        if id(box) in seen:
            twice.add(id(box))
        else:
            seen.add(id(box))
            boxes.extend(box.values() if type(box) is dict else box)
    return twice


def _graft(old: Any, new: Any, was: Any, now: Any, shared: set[int]) -> Any:
    """Return `old`, of which `was` is kept, made equal to `new`, of which `now` is kept, in place where that can be."""
    if packed(was) == packed(now):
        return old
    if id(old) in shared or type(old) is not type(new) or tag(was) or tag(now):
        return new
    if type(old) is dict and type(was) is dict:
        grafted = {}
        for key, value in new.items():
            entry = escaped(key)
            there = key in old and entry in was
            grafted[key] = _graft(old[key], value, was[entry], now[entry], shared) if there else value
        for key in [key for key in old if key not in grafted]:
            del old[key]
        old.update(grafted)
        if list(old) != list(grafted):  # the order of the keys is part of the value
            old.clear()
            old.update(grafted)
        return old
    if type(old) is list and type(was) is list:
        old[:] = [_graft(*four, shared) for four in zip(old, new, was, now, strict=False)] + new[len(old) :]
        return old
    return new


def as_dict(state: Any) -> dict[Any, Any]:
    """Return the contents of a state that a user gives; raise BadSetting if it is no dict.

    >>> as_dict([1])
    Traceback (most recent call last):
    wf_notebook.errors.BadSetting: session_state is of type 'list'; give a dict: {"posts": []}
    """
    return dict(checked("session_state", state, (dict, Mapping), 'a dict: {"posts": []}'))


def own(state: dict[str, Any]) -> dict[str, Any]:
    """Return a copy, so that two sessions given one dict never share what is in it."""
    if not (state := as_dict(state)):
        return state
    with suppress(Exception):  # some object in it cannot be copied: share that one
        return deepcopy(state)
    return state
