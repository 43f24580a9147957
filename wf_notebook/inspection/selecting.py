"""A path as people write it, "posts.0.title" or `session_state["posts"][0].title`, becomes the steps that lead there."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Any

from ..errors import UnknownPath
from ..nearest import did_you_mean
from .glances import shown_key
from .nodes import Inside, inside, top

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .loaded import Loaded
    from .place import Step

#: So many keys are named, where one is not there.
_LISTED = 5


def steps_to(loaded: Loaded, path: Any) -> tuple[Step, ...]:
    """Return the steps of a path: "posts", "posts.0.title", `session_state["posts"][0].title`, or a tuple of keys.

    Raises UnknownPath for one that leads nowhere.
    """
    if isinstance(path, (tuple, list)):
        return _led(loaded, path, path)
    if not isinstance(path, str) or _has(top(loaded), path):
        return _led(loaded, [path], path)
    keys = written(path)
    if keys is not None:
        return _led(loaded, keys, path)
    return _dotted(loaded, path.split("."), path)


def written(path: str) -> list[Any] | None:
    """Return the keys of a path as Python writes it; None for a text that is none.

    >>> written('session_state["posts"][0].title'), written('posts[-1]'), written('getattr(session_state["a"], "b c")')
    (['posts', 0, 'title'], ['posts', -1], ['a', 'b c'])
    >>> written("posts.0"), written("posts")
    (None, None)
    """
    keys: list[Any] = []
    try:
        node: ast.AST = ast.parse(path.strip(), mode="eval").body
        while not isinstance(node, ast.Name):
            match node:
                case ast.Subscript(value=inner, slice=key):
                    keys.append(ast.literal_eval(key))
                case ast.Attribute(value=inner, attr=name):
                    keys.append(name)
                case ast.Call(func=ast.Name(id="getattr"), args=[inner, ast.Constant(value=str(name))]):
                    keys.append(name)
                case _:
                    return None
            node = inner
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    if not keys:
        return None
    return [*([] if node.id == "session_state" else [node.id]), *reversed(keys)]


def _has(here: Inside | None, key: Any) -> bool:
    try:
        return here is not None and here.step(key) is not None
    except (LookupError, ValueError, TypeError):
        return False


def _led(loaded: Loaded, keys: Sequence[Any], path: Any) -> tuple[Step, ...]:
    steps: list[Step] = []
    here: Inside | None = top(loaded)
    for key in keys:
        if here is None or not _has(here, key):
            raise _missing(loaded, here, key, path)
        steps.append(here.step(key))
        here = inside(here.at(steps[-1]))
    return tuple(steps)


def _dotted(loaded: Loaded, parts: list[str], path: str) -> tuple[Step, ...]:
    """Follow names between dots. A key may have a dot in it: the longest that is there counts."""
    steps: list[Step] = []
    here: Inside | None = top(loaded)
    while parts:
        end = next((end for end in range(len(parts), 0, -1) if _has(here, ".".join(parts[:end]))), None)
        if here is None or end is None:
            raise _missing(loaded, here, parts[0], path)
        steps.append(here.step(".".join(parts[:end])))
        here, parts = inside(here.at(steps[-1])), parts[end:]
    return tuple(steps)


def _missing(loaded: Loaded, here: Inside | None, key: Any, path: Any) -> UnknownPath:
    said = f"version {loaded.version} of session {loaded.session.session_id!r} has no {shown_key(repr(path))}"
    if here is None:
        return UnknownPath(f"{said}: there is nothing inside of the value before {key!r}")
    if isinstance(here.trees, list):
        return UnknownPath(f"{said}: no item {key!r}; there are {f'0 to {len(here) - 1}' if len(here) else 'none'}")
    names = [str(here.key(step)) for step, _ in here.page(0, 1000)]
    listed = ", ".join(map(shown_key, map(repr, names[:_LISTED])))
    return UnknownPath(f"{said}: no key {key!r}{did_you_mean(str(key), names) or (f'; there are {listed}' if names else '')}")
