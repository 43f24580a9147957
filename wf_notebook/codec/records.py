"""Classes that are a record of named fields: dataclasses, attrs classes and named tuples, the fields side by side in the tree.

They are rebuilt by calling the class with the fields it takes, never behind its back; what it does not take, it sets itself.
"""

from __future__ import annotations

import dataclasses
from functools import cached_property
from typing import TYPE_CHECKING, Any

from .classes import required
from .kind import Absent, Refused

if TYPE_CHECKING:
    from collections.abc import Callable

    from .kind import Decoding, Encoding, Tree

#: A class that is one of these has contents besides its fields.
_CONTENTS = (str, int, float, complex, bytes, bytearray, list, tuple, dict, set, frozenset, BaseException, type)


def is_dataclass(cls: type) -> bool:
    """Return whether a class is a dataclass and nothing else."""
    return dataclasses.is_dataclass(cls) and not issubclass(cls, _CONTENTS)


def is_attrs(cls: type) -> bool:
    """Return whether a class is made by attrs, which need not be asked."""
    return isinstance(getattr(cls, "__attrs_attrs__", None), tuple) and not issubclass(cls, _CONTENTS)


def is_namedtuple(cls: type) -> bool:
    """Return whether a class is a named tuple.

    >>> from collections import namedtuple
    >>> is_namedtuple(namedtuple("Point", "x y")), is_namedtuple(tuple)
    (True, False)
    """
    names = getattr(cls, "_fields", None)
    return issubclass(cls, tuple) and isinstance(names, tuple) and all(type(name) is str for name in names)


def fields_of(cls: Any) -> list[tuple[str, str | None]]:
    """Return the fields of a class, and by which argument it takes each: None for one that it sets itself."""
    if is_attrs(cls):
        return [(one.name, one.alias if one.init else None) for one in cls.__attrs_attrs__]
    return [(one.name, one.name if one.init else None) for one in dataclasses.fields(cls)]


def encode_dataclass(value: Any, walk: Encoding) -> Tree:
    """Write the fields of a dataclass, and attributes that it was given besides."""
    return _encode("$dataclass", value, walk)


def encode_attrs(value: Any, walk: Encoding) -> Tree:
    """Write the fields of an attrs class."""
    return _encode("$attrs", value, walk)


def _encode(tag: str, value: Any, walk: Encoding) -> Tree:
    cls = type(value)
    name = walk.name(cls)
    names = [field for field, _ in fields_of(cls)]
    try:
        values = {field: getattr(value, field) for field in names}
    except AttributeError as error:
        raise Refused(f"is a {cls.__name__!r} without one of its fields ({error}); set it first") from None
    tree = {tag: name, **walk.fields(values)}
    own = dict(getattr(value, "__dict__", ()))
    more = {key: own[key] for key in own if key not in values and not isinstance(getattr(cls, key, None), cached_property)}
    return {**tree, "$attributes": walk.fields(more)} if more else tree


def decode_dataclass(tree: dict[str, Tree], read: Decoding) -> Any:
    """Read a dataclass."""
    return _decode(tree, read, tree["$dataclass"], is_dataclass)


def decode_attrs(tree: dict[str, Tree], read: Decoding) -> Any:
    """Read an attrs class."""
    return _decode(tree, read, tree["$attrs"], is_attrs)


def _decode(tree: dict[str, Tree], read: Decoding, name: str, fits: Callable[[type], bool]) -> Any:
    cls = needed(name, fits)
    values = read.fields(tree)
    more = read.fields(tree.get("$attributes", {}))
    names = dict(fields_of(cls))
    if lost := values.keys() - names.keys():
        raise misfit(name, cls, f"it has no {min(lost)!r}")
    try:
        value = cls(**{argument: values[field] for field, argument in names.items() if argument and field in values})
    except RecursionError:
        raise
    except Exception as error:
        raise misfit(name, cls, error) from error
    for field, argument in names.items():
        if argument is None and field in values:
            object.__setattr__(value, field, values[field])  # declared, and no argument: also a frozen class sets it so
    if more:
        vars(value).update(more)
    return value


def encode_namedtuple(value: Any, walk: Encoding) -> Tree:
    """Write a named tuple."""
    cls = type(value)
    if getattr(value, "__dict__", None) or len(value) != len(cls._fields):
        raise Refused(f"is a {cls.__name__!r} with more than its fields, which cannot be kept; keep that beside it")
    return {"$namedtuple": walk.name(cls), **walk.fields(dict(zip(cls._fields, value, strict=True)))}


def decode_namedtuple(tree: dict[str, Tree], read: Decoding) -> Any:
    """Read a named tuple."""
    name = tree["$namedtuple"]
    cls = needed(name, is_namedtuple)
    values = read.fields(tree)
    try:
        return cls(**values)
    except RecursionError:
        raise
    except Exception as error:
        raise misfit(name, cls, error) from error


def needed(name: str, fits: Callable[[type], bool]) -> type:
    """Return the class of that name if it is of the kind that it was; raise Absent otherwise, before anything is called."""
    cls = required(name)
    if not fits(cls):
        raise misfit(name, cls, "it is a class of another kind")
    return cls


def misfit(name: str, cls: type, why: object) -> Absent:
    """Return the reason why values of a class are given as dicts, although it is there."""
    return Absent(
        name, f"class {name!r} does not take its stored values any more ({why}); they are given as dicts until it does", cls
    )
