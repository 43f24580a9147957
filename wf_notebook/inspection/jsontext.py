"""A value as plain JSON, piece by piece from its tree, so that only as much of it is made as is looked at."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from ..frames.columns import plain
from ..kept import tag
from ..readable import harmless
from ..redact import redact
from .glances import begin
from .grids import FRAMES
from .nodes import inside

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .loaded import Loaded


def json_of(loaded: Loaded, tree: Any, most: int) -> tuple[str, bool]:
    """Return a value as JSON, models and dicts as objects, and what JSON does not have as it prints; and whether that is all.

    Of a longer text the beginning is returned, about so many characters of it.
    """
    pieces, taken = [], 0
    for piece in _pieces(loaded, tree, "\n"):
        pieces.append(piece)
        taken += len(piece)
        if taken > most:
            break
    text = harmless(redact("".join(pieces)))
    return text[:most], taken <= most


def _pieces(loaded: Loaded, tree: Any, line: str) -> Iterator[str]:
    found = inside(tree)
    if found is None:
        yield json.dumps(_leaf(loaded, tree), ensure_ascii=False)
        return
    is_list = isinstance(found.trees, list)
    within = f"{line}  "
    yield "[" if is_list else "{"
    for number, (step, item) in enumerate(found.page(0, len(found))):
        yield f",{within}" if number else within
        if not is_list:
            yield f"{json.dumps(str(found.key(step)), ensure_ascii=False)}: "
        if item is None or type(item) in {str, int, float, bool}:
            yield json.dumps(item, ensure_ascii=False)
        else:
            yield from _pieces(loaded, item, within)
    yield (line if len(found) else "") + ("]" if is_list else "}")


def _leaf(loaded: Loaded, tree: Any) -> Any:
    kind = tag(tree)
    if kind is None:
        return tree
    if kind == "$enum" or (kind in {*FRAMES, "$bytes", "$bytearray"} and "blob" in tree):
        return begin(tree, loaded.value)
    return plain(loaded.value(tree))
