"""Whether a live value is made of classes that were defined anew since, or lacks one that is here by now."""

from __future__ import annotations

import sys
from collections import deque
from typing import Any

from .classes import find
from .custom import codec_named, codec_of
from .kind import loaded
from .models import is_model
from .records import fields_of, is_attrs, is_dataclass
from .unknown import Unknown

#: What has nothing inside.
_LEAVES = {str, int, float, bool, bytes, type(None)}


def is_stale(value: Any) -> bool:
    """Return whether decoding what is stored would give another class somewhere in a value.

    That is so for an `Unknown` whose class is defined by now, and for an instance of a class that was defined again since,
    as happens when a cell is run a second time.

    >>> is_stale({"posts": [{"title": "a"}]})
    False
    """
    seen: set[int] = set()
    boxes = [value]
    while boxes:
        box = boxes.pop()
        if id(box) in seen or type(box) in _LEAVES:
            continue
        seen.add(id(box))
        if _is_stale_itself(box):
            return True
        boxes += [inner for inner in _inside(box) if type(inner) not in _LEAVES]
    return False


def _is_stale_itself(value: Any) -> bool:
    cls = type(value)
    if cls in {dict, list, tuple}:
        return False
    if isinstance(value, Unknown):
        now = codec.cls if (codec := codec_named(value.name)) else find(value.name)
        here = now is not None or sys.modules.get(value.name) is not None  # a class, or a library
        return here and not (value.refused_by and value.refused_by() is now)
    if codec := codec_of(cls):
        return codec_named(codec.name) is not codec
    cls = getattr(cls, "__pydantic_generic_metadata__", {}).get("origin") or cls
    return find(f"{cls.__module__}:{cls.__qualname__}") not in {cls, None}


def _inside(value: Any) -> list[Any]:  # noqa: PLR0911 - a line for each kind
    """Return what lies inside of a value that the table knows."""
    cls = type(value)
    if isinstance(value, dict):
        return [*list(value), *value.copy().values()]
    if isinstance(value, list | tuple | set | frozenset | deque):
        return list(value)
    if is_model(cls):
        return [*vars(value).values(), *(value.__pydantic_extra__ or {}).values(), *(value.__pydantic_private__ or {}).values()]
    if is_dataclass(cls) or is_attrs(cls):
        return [*getattr(value, "__dict__", {}).values(), *(getattr(value, name, None) for name, _ in fields_of(cls))]
    if cls is loaded("numpy:ndarray") and value.dtype.kind == "O":
        return list(value.flat)
    if cls is loaded("pandas:DataFrame"):
        return [column for _, column in value.items() if column.dtype == object]
    return list(value) if cls is loaded("pandas:Series") and value.dtype == object else []
