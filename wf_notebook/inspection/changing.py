"""A value in a stored state is changed: by itself, in one transaction, if it is still what whoever changes it saw."""

from __future__ import annotations

from copy import copy
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from .. import codec
from ..codec.kind import escaped, is_tag, json_text
from ..errors import BadArguments, SessionConflict, UnknownPath, UnknownSession
from ..kept import Kept, packed, tag, unpacked
from ..keys import key_of, stored_key
from ..line import Line
from ..redact import redact
from ..transaction import Save
from .beginnings import beginning

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ..changes import Encoded
    from ..session import Session
    from ..transaction import Transaction
    from .place import Step

#: The step behind the last item of a list.
END = -1
_DICTS = {"$ordereddict": "$ordereddict", "$counter": "$counter", "$defaultdict": "items"}
_CLASSES = ("$model", "$dataclass", "$attrs", "$namedtuple")


class ValueChanged(SessionConflict):
    """The value that is to be changed is another one by now; `tree` is what it is (None with `is_gone`: it is not there)."""

    def __init__(self, where: str, theirs: bytes | None) -> None:
        self.is_gone, self.tree = theirs is None, None if theirs is None else unpacked(theirs)
        now = "was removed" if theirs is None else f"is {beginning(self.tree)}"
        super().__init__(f"{where} was changed meanwhile: it {now}; nothing was written")

    def _render_traceback_(self) -> list[str]:
        return [f"{type(self).__name__}: {self}"]


@dataclass(frozen=True, slots=True)
class Edit:
    """One change of a value: what it was and is to be, as bytes, None where it is not there; and where it stands in a dict."""

    path: tuple[Step, ...]
    before: bytes | None
    after: bytes | None
    position: int | None = None
    blobs: Mapping[str, bytes] = field(default_factory=dict, compare=False, repr=False)

    def back(self) -> Edit:
        """Return the edit that undoes this one."""
        return replace(self, before=self.after, after=self.before)


def shown(path: tuple[Step, ...]) -> str:
    """Return a path as people read it, without secrets, and not too long.

    >>> shown(("posts", 0, "$$ref")), shown(("$1",))
    ('session_state["posts"][0]["$ref"]', 'session_state[1]')
    """
    said = "session_state"
    for step in path:
        key = key_of(step) if isinstance(step, str) else step
        quoted = '"' + key.replace("\\", "\\\\").replace('"', '\\"') + '"' if isinstance(key, str) else repr(key)
        said += f"[{quoted}]"
    said = redact(said)
    return said if len(said) <= 200 else f"{said[:199]}…"  # noqa: PLR2004 - a line or two


# -- inside of a tree ----------------------------------------------------------------------------------------------------------


def box(tree: Any) -> Any:
    """Return the list or dict of a tree in which the values lie that are inside of its value; None where there is none.

    >>> box({"$dict": {"1": "one"}}), box({"$tuple": [1]}), box({"$model": "m:Post", "title": "a"}), box(1)
    ({'1': 'one'}, [1], {'$model': 'm:Post', 'title': 'a'}, None)
    """
    kind = tag(tree)
    if kind is None:
        return tree if isinstance(tree, (list, dict)) else None
    if kind in {"$tuple", "$deque", "$dict"}:
        return tree[kind]
    if kind in _DICTS:
        return box(tree.get(_DICTS[kind]))
    return tree if kind in _CLASSES else None


def at(tree: Any, path: tuple[Step, ...]) -> Any:
    """Return what lies at a path in a tree; UnknownPath if it leads nowhere."""
    for number, step in enumerate(path):
        inner = box(tree)
        if not has(inner, step):
            raise UnknownPath(f"there is nothing at {shown((*path[:number], step)).removeprefix('session_state')} in it")
        tree = inner[step]
    return tree


def has(inner: Any, step: Step) -> bool:
    """Say whether a step leads to something in a box."""
    if isinstance(inner, list):
        return type(step) is int and 0 <= step < len(inner)
    return isinstance(inner, dict) and isinstance(step, str) and step in inner and not (tag(inner) and is_tag(step))


def packed_at(kept: Encoded, path: tuple[Step, ...]) -> bytes | None:
    """Return the bytes of what lies at a path in a state; None where nothing does."""
    key, *inner = path
    if key not in kept:
        return None
    if not inner:
        return kept[str(key)].packed
    try:
        return packed(at(kept[str(key)].tree, tuple(inner)))
    except UnknownPath:
        return None


def step_to(tree: Any, key: Any) -> Step:
    """Return the step in a tree to what Python finds by a key; also to one that is not there yet.

    >>> step_to({"$dict": {}}, 1), step_to(["a"], -1), step_to({"a": 1}, "$ref")
    ('1', 0, '$$ref')
    """
    inside = box(tree)
    if isinstance(inside, list):
        try:
            return int(key) + (len(inside) if int(key) < 0 else 0)
        except (TypeError, ValueError):
            raise UnknownPath(f"{key!r} is no number of an item") from None
    if is_keyed(tree):
        return json_text(key) if isinstance(key, str) else stored_key(key)[1:]
    if not isinstance(inside, dict) or not isinstance(key, str):
        what = "in it is nothing" if inside is None else "its keys are texts"
        raise UnknownPath(f"there is no {key!r} in a value of that type: {what}")
    return escaped(key)


def is_keyed(tree: Any) -> bool:
    """Say whether the keys of a dict are not all texts."""
    kind = tag(tree)
    return kind == "$dict" or (kind in _DICTS and is_keyed(tree.get(_DICTS[kind])))


# -- changed -------------------------------------------------------------------------------------------------------------------


def edited(kept: Encoded, edit: Edit, blob: Callable[[str], bytes]) -> tuple[Encoded, Edit]:
    """Return a state after an edit, and the edit with where exactly that was.

    Raises ValueChanged if the value is not what it was, UnknownPath for a place that is not there, BadArguments for a value that
    the class around it does not take.
    """
    key, *inner = edit.path
    if inner and key not in kept:
        raise ValueChanged(shown(edit.path), None)
    if not inner:
        return _whole(kept, str(key), edit)
    tree = kept[str(key)].tree
    try:
        around = at(tree, tuple(inner[:-1]))
    except UnknownPath:
        raise ValueChanged(shown(edit.path), None) from None
    inside, step = box(around), inner[-1]
    if inside is None or isinstance(inside, list) is isinstance(step, str) or (tag(inside) and is_tag(str(step))):
        raise UnknownPath(f"{shown(edit.path[:-1])} is of a type in which nothing can be put; change it as a whole")
    if step == END:
        step = len(inside)
        edit = replace(edit, path=(*edit.path[:-1], step))
    # what is put back among the items of a list finds another one in its place
    is_inserted = isinstance(inside, list) and edit.before is None
    now = packed(inside[step]) if has(inside, step) and not is_inserted else None
    if now != edit.before:
        raise ValueChanged(shown(edit.path), now)
    position = _put(inside, step, edit)
    _check(tree, tuple(inner[:-1]), edit, blob)
    return {**kept, str(key): Kept.of(tree)}, replace(edit, position=position)


def _whole(kept: Encoded, key: str, edit: Edit) -> tuple[Encoded, Edit]:
    """Return a state after an edit of one of its keys."""
    now = kept[key].packed if key in kept else None
    if now != edit.before:
        raise ValueChanged(shown(edit.path), now)
    if edit.after is None:
        return {other: value for other, value in kept.items() if other != key}, edit
    return {**kept, key: Kept(edit.after)}, edit


def _put(inside: Any, step: Any, edit: Edit) -> int | None:
    """Put a value into a list or dict, or take it out; return which one it was in the order of a dict."""
    if edit.after is None:
        if tag(inside):
            raise BadArguments(f"{shown(edit.path)} is a field of a class, which cannot be removed; change its value")
        position = None if isinstance(inside, list) else list(inside).index(step)
        del inside[step]
        return position
    value = unpacked(edit.after)
    if isinstance(inside, list) and edit.before is None:
        inside.insert(step, value)
    elif edit.before is not None or edit.position is None:
        if tag(inside) and step not in inside:
            raise BadArguments(f"a class has the fields that it has; {shown(edit.path)} cannot be added")
        inside[step] = value
    else:
        entries = list(inside.items())
        entries.insert(edit.position, (step, value))
        inside.clear()
        inside.update(entries)
    return edit.position


def _check(tree: Any, path: tuple[Step, ...], edit: Edit, blob: Callable[[str], bytes]) -> None:
    """Let the outermost class or container that has a type see whether it takes the value."""
    for step in (*path, None):
        kind = tag(tree)
        if kind is not None:
            name = str(tree[kind]).rpartition(":")[2] if kind in _CLASSES else kind[1:]
            if not codec.comes_back(tree, blob):
                raise BadArguments(f"{name} does not take that as {shown(edit.path)}; nothing was written")
            return
        if step is not None:
            tree = box(tree)[step]


def saved(session: Session, make: Callable[[Encoded, Callable[[str], bytes]], Encoded], blobs: Mapping[str, bytes]) -> int:
    """Save what `make` makes of the newest state, in one transaction, by no run; return the version that it is.

    Raises what `make` raises, UnknownSession, and what the storage raises: then nothing is written.
    """
    storage = session.storage
    assert storage is not None
    known = Line.at(storage, session.stored_as, lambda _: None)
    save = Save(uuid4().hex, blobs=blobs)

    def work(tx: Transaction) -> Line:
        line = copy(known)
        line.follow(tx, lambda _: None)
        if line.about is None:
            raise UnknownSession(f"session {session.session_id!r} is not there any more; nothing was written")
        line.extend(tx, make(line.state, lambda each: blobs.get(each) or tx.blobs([each])[each]), save)
        return line

    line = storage.transact(work, write=True)
    line.remember(storage)
    return line.version
