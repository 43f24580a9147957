"""Values that are changed on a page: as text, their type kept; what somebody else changed is shown, and not overwritten."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ..codec.kind import escaped
from ..encoding import redacted
from ..errors import BadArguments, UnknownPath
from ..kept import packed, tag, unpacked
from ..keys import stored_key
from ..redact import redact, secrets_in
from .beginnings import beginning
from .changing import END, Edit, ValueChanged, box, is_keyed, packed_at, shown
from .written import TYPES, tree_of, type_name, written

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from .looking import Inspector
    from .place import Step


def editable(inspector: Inspector, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Return the value at a path as it is edited, and what else can be done there."""
    loaded, path = inspector.loaded(asked["session"], asked.get("version")), tuple(asked["path"])
    undo = inspector.last_edit(asked["session"])
    told: dict[str, Any] = {"version": loaded.version, "types": TYPES, "undo": shown(undo.path) if undo else ""}
    if not path:
        return {**told, "type": "dict", "shown": "session_state", "why_not": "a state is edited key by key", "adds": "dict"}
    now = packed_at(loaded.kept, path)
    if now is None:
        raise UnknownPath(f"there is no {shown(path)} in version {loaded.version}")
    tree = unpacked(now)
    as_text, inner = written(tree), box(tree)
    adds = None if inner is None or tag(inner) else "list" if isinstance(inner, list) else "dict"
    return {
        **told,
        "type": as_text.type,
        "text": as_text.text,
        "why_not": as_text.why_not,
        "shown": shown(path),
        "adds": adds,
        "removes": _may_go(loaded.kept, path),
    }


def _may_go(kept: Any, path: tuple[Step, ...]) -> bool:
    """Say whether a value can be removed: a field of a class cannot."""
    if len(path) == 1:
        return True
    around = packed_at(kept, path[:-1])
    return around is not None and not tag(box(unpacked(around)))


def put(inspector: Inspector, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Change a value, or with `adds` add one inside of it: an item, or an entry with a `key`; as a version of its own.

    `version` is the one in which it was seen. If it was changed since, nothing is written, and both sides are returned.
    """
    loaded, path = inspector.loaded(asked["session"], asked.get("version")), tuple(asked["path"])
    if asked.get("adds"):
        path, before, was = (*path, _new_step(loaded.kept, path, asked.get("key"))), None, None
        if packed_at(loaded.kept, path) is not None:
            raise BadArguments(f"there is {shown(path)} already; change that, or choose another key")
    else:
        before = packed_at(loaded.kept, path)
        was = None if before is None else unpacked(before)
    tree = redacted(tree_of(asked["type"], asked["text"], was))
    edit = Edit(path, before, packed(tree))
    return _tried(inspector, asked["session"], edit, lambda: inspector.apply(asked["session"], edit), "changed")


def remove(inspector: Inspector, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Remove a value, if it still is what was seen in a version."""
    loaded, path = inspector.loaded(asked["session"], asked.get("version")), tuple(asked["path"])
    before = packed_at(loaded.kept, path)
    if before is None:
        raise UnknownPath(f"there is no {shown(path)} in version {loaded.version}")
    edit = Edit(path, before, None)
    return _tried(inspector, asked["session"], edit, lambda: inspector.apply(asked["session"], edit), "removed")


def undo(inspector: Inspector, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Undo the last change of a value; with the `version` in which something else was seen there, over that.

    With `keep` it is not undone any more, but left as it is.
    """
    session_id = asked["session"]
    last = inspector.last_edit(session_id)
    if last is None:
        raise BadArguments("nothing was changed here that could be undone")
    if asked.get("keep"):
        inspector.forget_edit(session_id)
        return {"said": f"{shown(last.path)} is left as it is"}
    over = None
    if is_over := asked.get("version") is not None:
        over = packed_at(inspector.loaded(session_id, asked["version"]).kept, last.path)
    back = replace(last.back(), before=over) if is_over else last.back()
    return _tried(
        inspector, session_id, back, lambda: inspector.undone(session_id, over=over, is_over=is_over), "as it was before"
    )


def _new_step(kept: Any, path: tuple[Step, ...], key: Any) -> Step:
    """Return the step to what is added inside of a value."""
    if not path:
        return _named(key, stored_key)
    around = packed_at(kept, path)
    tree = None if around is None else unpacked(around)
    inside = box(tree)
    if inside is None or tag(inside):
        raise BadArguments(f"nothing can be added to {shown(path)}, which is of type {type_name(tree)}")
    if isinstance(inside, list):
        return END
    return _named(key, _json_key if is_keyed(tree) else escaped)


def _named(key: Any, step: Callable[[str], str]) -> str:
    if not isinstance(key, str) or key == "":
        raise BadArguments("an entry needs a key; write one")
    if names := secrets_in(key):
        raise BadArguments(f"the key holds the secret {names[0]}; name it otherwise")
    return step(key)


def _json_key(key: str) -> str:
    """Return the stored key of a dict whose keys are not all texts: what reads as a number is one."""
    try:
        value = json.loads(key)
    except ValueError:
        value = key
    return json.dumps(value if isinstance(value, (int, float, str)) else key, ensure_ascii=False)


def _tried(inspector: Inspector, session_id: str, edit: Edit, change: Callable[[], int], word: str) -> dict[str, Any]:
    """Return what a change made, or both sides where the value was changed meanwhile."""
    before = inspector.find(session_id).newest()
    try:
        version = change()
    except ValueChanged as met:
        return {
            "conflict": {
                "said": str(met),
                "mine": None if edit.after is None else beginning(unpacked(edit.after), 300),
                "theirs": None if met.is_gone else beginning(met.tree, 300),
                "version": inspector.find(session_id).newest(),
            }
        }
    if version == before:
        return {"version": version, "said": f"{shown(edit.path)} is so already"}
    where = edit.path if edit.path[-1] != END else edit.path[:-1]
    told = word if edit.path[-1] != END else "changed: an item was added"
    return {"version": version, "said": redact(f"{shown(where)} is {told}, in version {version}; Undo puts back what was there")}
