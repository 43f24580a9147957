"""The state as a tree: the nodes below a path, a page at a time, each with its type, its size and what became of it."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

from ..errors import UnknownVersion
from .glances import glance, key_size, shown_key
from .marks import Marks, marks
from .nodes import inside, within

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .loaded import Loaded
    from .looking import Inspector
    from .marks import Mark
    from .nodes import Inside
    from .place import Step

#: So many nodes are shown below one; more of them stand in ranges, which open to as many.
PAGE = 100
#: If their keys have more characters than this, so few of them.
LETTERS = 50_000
FEW = 10
#: A step that has more of them tells a node apart by its hash.
SHORT = 64
#: So many are told at once, where the way to one is asked for.
ROWS = 400


def opened_session(inspector: Inspector, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a page shows first of a session: which version it is, and the first nodes of its state."""
    loaded = inspector.loaded(asked["session"], asked.get("version"))
    return {
        "session": loaded.session.session_id,
        "version": loaded.version,
        "newest": loaded.version if asked.get("version") is None else loaded.session.newest(),
        "nodes": below(inspector, loaded, (), marked=bool(asked.get("marks"))),
    }


def children(inspector: Inspector, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Return the nodes right below a path, from `start` on: `count` of them, or the ranges that these make.

    What changed since the version before is marked if that version is at hand, or `marks` are asked for; `marked` says whether.
    """
    loaded = inspector.loaded(asked["session"], asked.get("version"))
    only = range(asked["start"], asked["start"] + asked["count"]) if "start" in asked else None
    return below(inspector, loaded, tuple(asked["path"]), only, marked=bool(asked.get("marks")))


def way(inspector: Inspector, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Return what is to be opened on the way to a path: for each step, what is below it, and the ranges down to the next one.

    `places` says the how-manieth each step is among those beside it. What would be too much is left to be asked for.
    """
    loaded = inspector.loaded(asked["session"], asked.get("version"))
    path = tuple(asked["path"])
    places: list[int] = []
    answers: list[dict[str, Any]] = []
    for n, step in enumerate(path):
        found = within(loaded, path[:n])
        places.append(found.position(step))
        only: range | None = None
        while True:
            if sum(len(answer["rows"]) for answer in answers) < ROWS:
                answers.append(below(inspector, loaded, path[:n], only))
            here = range(len(found)) if only is None else only
            if (size := range_size(len(here), found.letters(here))) == 1:
                break
            start = here.start + (places[-1] - here.start) // size * size
            only = range(start, min(start + size, here.stop))
    return {"places": places, "answers": answers}


def below(
    inspector: Inspector, loaded: Loaded, path: tuple[Step, ...], only: range | None = None, *, marked: bool = False
) -> dict[str, Any]:
    """Return the nodes right below a path, all or some of them, as nodes or as ranges."""
    found = within(loaded, path)
    here = range(len(found)) if only is None else range(len(found))[max(only.start, 0) : only.stop]
    changed = changes(inspector, loaded, path, wanted=marked)
    noted = changed or Marks()
    if (size := range_size(len(here), found.letters(here))) > 1:
        rows = [_range(found, start, min(start + size, here.stop), noted) for start in here[::size]]
    else:
        rows = [_node(loaded, found, step, tree, noted.steps.get(step)) for step, tree in found.page(here.start, here.stop)]
    if only is None:
        rows += _removed(loaded, found, noted)
    return {"total": len(found), "start": here.start, "rows": rows, "marked": changed is not None}


def range_size(count: int, letters: int = 0) -> int:
    """Return how many nodes each range holds, where there are so many, or their keys so long; 1 where they are shown one by one.

    >>> range_size(100), range_size(101), range_size(100_000), range_size(1_000_001)
    (1, 100, 10000, 1000000)
    >>> range_size(100, letters=1_000_000), range_size(10, letters=100_000)
    (10, 1)
    """
    if count <= PAGE:
        return -(-count // FEW) if letters > LETTERS else 1
    size = 1
    while count > PAGE * size:
        size *= PAGE
    return size


def changes(inspector: Inspector, loaded: Loaded, path: tuple[Step, ...], *, wanted: bool) -> Marks | None:
    """Return what changed right below a path since the version before; None where that is not known yet and not asked for."""
    before = loaded.version - 1
    if before < 1:
        return Marks()
    if not wanted and not inspector.states.has(loaded.session, before):
        return None
    try:
        return marks(inspector.states.at(loaded.session, before), loaded, path)
    except UnknownVersion:  # it was folded into this one
        return Marks()


def _node(loaded: Loaded, found: Inside, step: Step, tree: Any, mark: Mark | None) -> dict[str, Any]:
    key, inner = found.key(step), inside(tree)
    return {
        "step": step,
        "key": "·" if found.how == "member" else shown_key(key),
        "long": key_size(key),
        **glance(tree, loaded.value).told(),
        "count": len(inner) if inner else 0,
        "mark": mark,
    }


def _range(found: Inside, start: int, stop: int, noted: Marks) -> dict[str, Any]:
    mark = noted.in_range(found.page(start, stop)) if noted.steps else None
    return {"start": start, "key": f"[{start:,} … {stop - 1:,}]", "count": stop - start, "mark": mark}


def _named(step: Step) -> Step:
    """Return what tells a node apart from those beside it: its step, or of a long one what is short and no other's."""
    return (
        step if isinstance(step, int) or len(step) <= SHORT else hashlib.sha256(step.encode("utf-8", "surrogatepass")).hexdigest()
    )


def _removed(loaded: Loaded, found: Inside, noted: Marks) -> list[dict[str, Any]]:
    rows = [
        {"gone": _named(step), **_node(loaded, found, step, tree, "removed"), "step": None, "count": 0}
        for step, tree in noted.removed[:PAGE]
    ]
    more = len(noted.removed) - PAGE
    return [*rows, {"gone": "…", "key": f"{more:,} more", "count": 0, "mark": "removed"}] if more > 0 else rows
