"""One value, to read: as text or Markdown, as a picture, as a table in pages, as JSON; whichever fit it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from ..brief import Beginning
from ..codec.classes import find
from ..frames.cells import PRINTED
from ..kept import tag
from ..readable import harmless
from ..redact import redact
from ..render.markdown import markdown_html
from ..render.pictures import enclosed, is_picture, picture_html
from .glances import glance
from .grids import FRAMES, grid
from .grids import table_of as _table
from .jsontext import json_of
from .nodes import CLASSES, at, inside, python_path

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from .loaded import Loaded
    from .looking import Inspector
    from .place import Step

#: Characters of a text that are shown at first, and each time that more are asked for; of a path.
TEXT, PATH = 20_000, 2000
#: What is written in Markdown, and hardly ever otherwise.
_MARKDOWN = re.compile(
    r"^#{1,6} \S|^(?:```|~~~)|^> \S"
    r"|^ {0,8}[-*+] \S.*\n {0,8}[-*+] \S|^\d+\. \S.*\n\d+\. \S"
    r"|\*\*\S[^*\n]{0,200}\*\*|\]\(https?://"
    r"|^\|.+\| *\n\|[ :|-]+\|$",
    re.MULTILINE,
)


def value(inspector: Inspector, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Return the value at a path as a view that was asked for, or as the first of those that fit."""
    loaded, path = inspector.loaded(asked["session"], asked.get("version")), tuple(asked["path"])
    tree = at(loaded, path)
    views = fitting(loaded, tree, path)
    view: str = asked["as"] if asked.get("as") in views else views[0]
    where = harmless(redact(python_path(loaded, path)))
    told = glance(tree, loaded.value)
    return {
        "path": where if len(where) <= PATH else f"{where[:PATH]}… ({len(where):,} characters)",
        "type": told.type,
        "size": told.size,
        "note": _note(tree),
        "views": views,
        "view": view,
        **_VIEWS[view](loaded, tree, path, int(asked.get("start", 0))),
    }


def rows(inspector: Inspector, asked: Mapping[str, Any]) -> list[list[str | None]]:
    """Return the texts of some rows of the table at a path."""
    loaded = inspector.loaded(asked["session"], asked.get("version"))
    found = grid(loaded, tuple(asked["path"]))
    return found.page(int(asked["start"]), int(asked["count"])) if found else []


def value_at(loaded: Loaded, path: tuple[Step, ...]) -> Any:
    """Return the value at a path: a copy of its own."""
    return loaded.value(at(loaded, path))


def table_of(loaded: Loaded, path: tuple[Step, ...]) -> Any:
    """Return the value at a path as `frame()` gives it: a frame or an array as itself, any other as a table of its rows."""
    return _table(value_at(loaded, path))


def fitting(loaded: Loaded, tree: Any, path: tuple[Step, ...]) -> list[str]:
    """Return the views that fit a value, the best first."""
    kind = tag(tree)
    if isinstance(tree, str):
        picture = ["picture"] if tree.startswith("data:image/") and picture_html(enclosed(tree)) else []
        return [*picture, *(["markdown"] if looks_like_markdown(tree) else []), "text"]
    if kind in FRAMES or kind == "$custom":
        found = grid(loaded, path) if kind in FRAMES else None
        picture = ["picture"] if kind == "$custom" and inside(tree) is None and is_picture(loaded.value(tree)) else []
        return [*(["table"] if found else []), *picture, *(["json"] if inside(tree) else ["text"])]
    if inside(tree) is not None:
        return [*(["table"] if grid(loaded, path) else []), "json"]
    return [*(["picture"] if kind in {"$bytes", "$bytearray"} and is_picture(loaded.value(tree)) else []), "text"]


def looks_like_markdown(text: str) -> bool:
    r"""Say whether a text is written in Markdown.

    >>> looks_like_markdown("# Title"), looks_like_markdown("- a\n- b"), looks_like_markdown("see 2 * 3 # no")
    (True, True, False)
    """
    return _MARKDOWN.search(text[:TEXT]) is not None


def _note(tree: Any) -> str:
    """Return what must be said of a value besides: that its class is not here."""
    kind = tag(tree)
    name = tree[kind] if kind in CLASSES else None
    if isinstance(name, str) and find(name) is None:
        return harmless(f"class {name!r} is not defined here; its values are given as dicts until it is")
    return ""


def _text(loaded: Loaded, tree: Any, _: tuple[Step, ...], start: int) -> dict[str, Any]:
    said = redact(tree if isinstance(tree, str) else printed(loaded.value(tree) if tag(tree) else tree))
    return {"text": harmless(said[start : start + TEXT]), "start": start, "total": len(said)}


def printed(found: Any) -> str:
    r"""Return a value as it prints; a text as it is.

    >>> printed("a\nb"), printed(1.5)
    ('a\nb', '1.5')
    """
    if isinstance(found, (str, *PRINTED)):
        return str(found)
    if isinstance(found, (bytes, bytearray)):
        return repr(bytes(found[:TEXT]))
    try:
        return str(found) if type(found).__module__.partition(".")[0] in {"numpy", "pandas", "polars", "pyarrow"} else repr(found)
    except Exception:  # noqa: BLE001 - the user's own __repr__ may do anything
        return Beginning().repr(found)


def _markdown(_: Loaded, tree: Any, __: tuple[Step, ...], ___: int) -> dict[str, Any]:
    said = redact(tree)
    return {"html": markdown_html(said[:TEXT]), "start": 0, "total": len(said), "shown": min(len(said), TEXT)}


def _picture(loaded: Loaded, tree: Any, _: tuple[Step, ...], __: int) -> dict[str, Any]:
    return {"html": picture_html(enclosed(tree) if isinstance(tree, str) else loaded.value(tree)) or "<p>no picture</p>"}


def _grid(loaded: Loaded, _: Any, path: tuple[Step, ...], __: int) -> dict[str, Any]:
    found = grid(loaded, path)
    assert found is not None
    return {"table": found.told()}


def _json(loaded: Loaded, tree: Any, _: tuple[Step, ...], __: int) -> dict[str, Any]:
    text, whole = json_of(loaded, tree, TEXT)
    return {"text": text, "start": 0, "total": len(text) if whole else None}


_VIEWS: dict[str, Callable[[Loaded, Any, tuple[Step, ...], int], dict[str, Any]]] = {
    "text": _text,
    "markdown": _markdown,
    "picture": _picture,
    "table": _grid,
    "json": _json,
}
