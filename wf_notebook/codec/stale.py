"""Whether a live value is made of classes that were defined anew since, or lacks one that is here by now."""

from __future__ import annotations

from collections import deque
from enum import Enum
from typing import Any

from .classes import find
from .custom import codec_named, codec_of
from .unknown import Unknown

_BOXES = (list, tuple, set, frozenset, deque)


def is_stale(value: Any) -> bool:
    """Return whether decoding what is stored would give another class somewhere in a value.

    That is so for an `Unknown` whose class is defined by now, and for an instance of a class that was defined again since,
    as happens when a cell is run a second time.
    """
    seen: set[int] = set()
    boxes = [value]
    while boxes:
        box = boxes.pop()
        cls = type(box)
        if cls in {str, int, float, bool, bytes, type(None)} or id(box) in seen:
            continue
        seen.add(id(box))
        if is_stale_itself(box):
            return True
        if isinstance(box, dict):
            boxes += [*list(box), *box.copy().values()]
        elif isinstance(box, _BOXES):
            boxes += list(box)
        elif hasattr(box, "__dict__") or hasattr(cls, "__slots__"):
            boxes += _attributes(box)
    return False


def is_stale_itself(value: Any) -> bool:
    """Return whether a value itself is of a class that is another one now."""
    if isinstance(value, Unknown):
        now = codec.cls if (codec := codec_named(value.name)) else find(value.name)
        return now is not None and not (value.refused_by and value.refused_by() is now)
    cls = type(value)
    if codec := codec_of(cls):
        return codec_named(codec.name) is not codec
    cls = getattr(cls, "__pydantic_generic_metadata__", {}).get("origin") or cls
    return find(f"{cls.__module__}:{cls.__qualname__}") not in {cls, None}


def _attributes(value: Any) -> list[Any]:
    """Return what the attributes of an instance hold."""
    if isinstance(value, Enum):
        return []
    found = list(getattr(value, "__dict__", {}).values())
    for name in ("__pydantic_extra__", "__pydantic_private__"):
        found += (getattr(value, name, None) or {}).values()
    slots = [one for base in type(value).__mro__ for one in (base.__dict__.get("__slots__") or ())]
    return found + [getattr(value, name) for name in slots if not name.startswith("__") and hasattr(value, name)]
