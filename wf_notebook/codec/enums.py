"""Enums, by the names of their members: a member that got another value is still the same one."""

from __future__ import annotations

from enum import Enum, Flag
from typing import TYPE_CHECKING, Any

from .kind import Refused
from .records import misfit, needed

if TYPE_CHECKING:
    from .kind import Decoding, Encoding, Tree


def is_enum(cls: type) -> bool:
    """Return whether a class is an enum."""
    return issubclass(cls, Enum)


def encode_enum(value: Any, walk: Encoding) -> Tree:
    """Write a member as "module:Class.NAME"; flags with their value, as several may be set, or none."""
    cls, name = type(value), value._name_
    if isinstance(value, Flag):
        return {"$enum": f"{walk.name(cls)}.{name or 0}", "value": walk.tree(value._value_)}
    if "." in name:
        raise Refused(f"is a member named {name!r}, whose dot cannot be kept; name it without")
    return {"$enum": f"{walk.name(cls)}.{name}"}


def decode_enum(tree: dict[str, Tree], read: Decoding) -> Any:
    """Read a member of an enum."""
    path, _, name = tree["$enum"].rpartition(".")
    cls: Any = needed(path, is_enum)
    if name in cls.__members__:
        return cls.__members__[name]
    if "value" not in tree or not issubclass(cls, Flag):
        raise misfit(path, cls, f"it has no {name!r}")
    try:
        return cls(read.value(tree["value"]))
    except (ValueError, TypeError) as error:
        raise misfit(path, cls, error) from error
