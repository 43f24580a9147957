"""Plain values as bytes that are equal only for equal values of equal types, in every process."""

from __future__ import annotations

from hashlib import blake2b
from marshal import dumps
from math import isnan
from struct import pack
from types import EllipsisType, NoneType, NotImplementedType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

#: Longer contents are replaced by their hash.
_LONG = 512

#: What `marshal` writes so that equal bytes are equal values: bytes are not among them, as it writes an array in the same way.
_UNMISTAKABLE = frozenset({NoneType, bool, int, float, complex, str})
_BOXES = frozenset({list, tuple, dict, set, frozenset})


def sized(tag: bytes, content: bytes) -> bytes:
    """Return a content that says what it is and where it ends.

    >>> sized(b"s", b"abc")
    b's3:abc'
    """
    return b"%b%d:%b" % (tag, len(content), content)


def framed(tag: bytes, content: bytes) -> bytes:
    """Return the same, with the hash of a long content in its place."""
    if len(content) <= _LONG:
        return sized(tag, content)
    return sized(tag + b"#", blake2b(content, digest_size=32).digest())


def _float(value: float) -> bytes:
    return b"nan" if isnan(value) else pack(">d", value)


#: How values of exactly these types are written.
SCALARS: dict[type, Callable[[Any], bytes]] = {
    NoneType: lambda _: b"N",
    bool: lambda value: b"T" if value else b"F",
    int: lambda value: sized(b"i", b"%x" % value),
    float: lambda value: sized(b"f", _float(value)),
    complex: lambda value: sized(b"c", sized(b"f", _float(value.real)) + sized(b"f", _float(value.imag))),
    str: lambda value: framed(b"s", value.encode("utf-8", "surrogatepass")),
    bytes: lambda value: framed(b"b", value),
    EllipsisType: lambda _: b"E",
    NotImplementedType: lambda _: b"I",
}


def sequence(tag: bytes, items: list[bytes]) -> bytes:
    """Return items in their order."""
    return framed(tag, b"".join(items))


def unordered(tag: bytes, items: list[bytes]) -> bytes:
    """Return items whose order does not count."""
    return framed(tag, b"".join(sorted(items)))


def quick(value: Any) -> bytes | None:
    """Return bytes by which a plain container is compared with itself later, None for any other value.

    Equal bytes are equal values in an equal order; those of equal values may differ.

    >>> quick([1, "a"]) == quick([1, "a"]) != quick([True, "a"]), quick([b"bytes"]), quick([object()])
    (True, None, None)
    """
    try:
        return look(value) if is_plain(value) else None
    except ValueError:
        return None


def look(value: Any) -> bytes:
    """Return the same of a container of which it is not known whether it still is a plain one; ValueError for most that are not.

    No other value has the bytes of a plain one, so it is if they are equal to those that it had.
    """
    return dumps(value, 4)


def is_plain(value: Any) -> bool:
    """Return whether a container holds nothing but numbers, texts and such containers."""
    boxes, seen = [value], set()
    while boxes:
        box = boxes.pop()
        kind = type(box)
        if kind not in _BOXES:
            return False
        if id(box) in seen:
            continue
        seen.add(id(box))
        if kind is dict and not _UNMISTAKABLE.issuperset(map(type, box)):
            return False
        items = box.values() if kind is dict else box
        others = set(map(type, items)) - _UNMISTAKABLE
        if others:
            if not others <= _BOXES:
                return False
            boxes += [item for item in items if type(item) in _BOXES]
    return True
