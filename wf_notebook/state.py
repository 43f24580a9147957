"""session_state: a plain dict that can say what changed since it was last saved.

Nothing is intercepted: a state is encoded, one JSON text for each top-level key, and the texts are compared.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from .errors import SessionConflict, StorageFailed

if TYPE_CHECKING:
    from .encoding import Encoded

#: Characters of a value in a message.
_BRIEF = 40


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


def update(live: dict[str, Any], mine: Encoded, merged: Encoded) -> None:
    """Bring a live state from `mine` to `merged` in place: what did not change stays the same object.

    >>> posts = [{"title": "a"}]; live = {"posts": posts}
    >>> update(live, {"posts": '[{"title":"a"}]'}, {"posts": '[{"title":"a"},{"title":"b"}]'})
    >>> live["posts"] is posts, posts
    (True, [{'title': 'a'}, {'title': 'b'}])
    """
    changes = differences(mine, merged)
    new = {change.key: decode(change.key, change.value) for change in changes if change.value is not None}
    shared = _met_twice(live) if new else set()
    for change in changes:  # only now, when all of them could be read
        if change.value is None:
            live.pop(change.key, None)
        elif change.key in live:
            live[change.key] = _graft(live[change.key], new[change.key], shared)
        else:
            live[change.key] = new[change.key]


def _met_twice(live: dict[str, Any]) -> set[int]:
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


def _graft(old: Any, new: Any, shared: set[int]) -> Any:
    """Return `old` made equal to `new` in place where both are a list or a dict, else `new`."""
    if id(old) in shared or type(old) is not type(new):
        return new
    if type(old) is dict:
        grafted = {key: _graft(old[key], value, shared) if key in old else value for key, value in new.items()}
        for key in [key for key in old if key not in grafted]:
            del old[key]
        old.update(grafted)
        if list(old) != list(grafted):  # the order of the keys is part of the value
            old.clear()
            old.update(grafted)
        return old
    if type(old) is list:
        old[:] = [_graft(before, after, shared) for before, after in zip(old, new, strict=False)] + new[len(old) :]
        return old
    return new


def conflict(
    session_id: str, keys: tuple[str, ...], *, base: Encoded, mine: Encoded, theirs: Encoded, branch: str | None
) -> SessionConflict:
    """Return the error for keys that were changed on both sides; `branch` says where mine were kept."""
    key, others = keys[0], len(keys) - 1
    kept = f"yours are kept, in storage.session({session_id!r}, branch={branch!r}); " if branch else ""
    return SessionConflict(
        f"session {session_id!r} was changed elsewhere: {key!r} was {_brief(base.get(key), 'absent')}, "
        f"is {_brief(mine.get(key))} here and "
        f"{_brief(theirs.get(key))} in the store{f' (and {others} more)' if others else ''}; {kept}"
        "the workflow's session.reload() takes the store's, then set what you want",
        keys=keys,
        mine=_decoded(mine, keys),
        theirs=_decoded(theirs, keys),
        base=_decoded(base, keys),
        branch=f"{session_id}@{branch}" if branch else None,
    )


def _decoded(state: Encoded, keys: tuple[str, ...]) -> dict[str, Any]:
    return {key: decode(key, state[key]) for key in keys if key in state}


def _brief(text: str | None, none: str = "deleted") -> str:
    if text is None:
        return none
    return text if len(text) <= _BRIEF else text[: _BRIEF - 1] + "…"
