"""Values that are one text or number, where JSON has another."""

from __future__ import annotations

import math
import re
from base64 import b64decode, b64encode
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from .kind import LARGE, Absent, one_line

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import PurePath

    from .kind import Decoding, Encoding, Tree

#: Bits of an int that can be written in decimal whatever sys.set_int_max_str_digits() says: it allows 640 digits at least.
_DECIMAL = 2000

_TIMEDELTA = re.compile(r"(?:(-?\d+) days?, )?(\d+):(\d\d):(\d\d)(?:\.(\d{6}))?", re.ASCII)


def text(value: str) -> Tree:
    r"""Return a str as it is, or escaped if it holds halves of surrogate pairs, which are no text.

    >>> text("naïve"), text("half " + chr(0xD800))
    ('naïve', {'$str': 'half \\ud800'})
    """
    try:
        value.encode()
    except UnicodeEncodeError:
        return {"$str": value.encode("unicode_escape").decode("ascii")}
    return value


def decode_str(tree: dict[str, Tree], _: Decoding) -> str:
    """Read a str of its escapes."""
    escapes: str = tree["$str"]
    return escapes.encode("ascii").decode("unicode_escape")


def big_int(value: int) -> Tree:
    """Return an int beyond 64 bit, in hex where Python may not write so many decimal digits.

    >>> big_int(2**64)
    {'$int': '18446744073709551616'}
    """
    return {"$int": str(value) if value.bit_length() < _DECIMAL else hex(value)}


def decode_int(tree: dict[str, Tree], _: Decoding) -> int:
    """Read an int of its decimal or hexadecimal digits."""
    digits: str = tree["$int"]
    return int(digits, 16 if "x" in digits else 10)


def odd_float(value: float) -> Tree:
    """Return nan, inf or -inf."""
    return {"$float": repr(value)}


def decode_float(tree: dict[str, Tree], _: Decoding) -> float:
    """Read one of the three floats that JSON does not have."""
    name: str = tree["$float"]
    found = float(name)
    if math.isfinite(found):
        raise ValueError(f"{name!r} needs no tag")
    return found


def encode_complex(value: complex, walk: Encoding) -> Tree:
    """Write a complex number as its two parts."""
    return {"$complex": [walk.tree(value.real), walk.tree(value.imag)]}


def decode_complex(tree: dict[str, Tree], read: Decoding) -> complex:
    """Read a complex number."""
    real, imaginary = read.items(tree["$complex"])
    return complex(real, imaginary)


def decode_timedelta(said: str) -> timedelta:
    """Return the timedelta of its str().

    >>> decode_timedelta(str(timedelta(days=-1, microseconds=5)))
    datetime.timedelta(days=-1, microseconds=5)
    """
    if not (found := _TIMEDELTA.fullmatch(said)):
        raise ValueError(f"{said!r} is no timedelta")
    days, hours, minutes, seconds, microseconds = (int(number or 0) for number in found.groups())
    return timedelta(days, seconds, microseconds, minutes=minutes, hours=hours)


def path_ways(
    tag: str, cls: type[PurePath]
) -> tuple[Callable[[PurePath, Encoding], Tree], Callable[[dict[str, Tree], Decoding], PurePath]]:
    """Return the two ways of a path of that class; a file's name need not be text."""

    def decode(tree: dict[str, Tree], read: Decoding) -> PurePath:
        return cls(read.value(tree[tag]))

    return lambda value, _: {tag: text(str(value))}, decode


def encode_pattern(value: re.Pattern[Any], walk: Encoding) -> Tree:
    """Write a compiled pattern as its text and flags; what was shown when it was compiled is no part of it."""
    return {"$pattern": walk.tree(value.pattern), "flags": int(value.flags & ~re.DEBUG)}


def decode_pattern(tree: dict[str, Tree], read: Decoding) -> re.Pattern[Any]:
    """Read a pattern, by compiling it."""
    try:
        return re.compile(read.value(tree["$pattern"]), tree["flags"])
    except (re.error, ValueError, OverflowError) as error:
        raise Absent(
            "re.Pattern", f"a stored pattern is none for this Python ({one_line(error)}); it is given as a dict"
        ) from error


def encode_bytes(value: bytes | bytearray, walk: Encoding) -> Tree:
    """Write bytes in base64, many of them beside the tree."""
    tag, content = f"${type(value).__name__}", bytes(value)
    if len(content) > LARGE:
        return {tag: len(content), "blob": walk.keep("bytes", [content])}
    return {tag: b64encode(content).decode("ascii")}


def decode_bytes(tree: dict[str, Tree], read: Decoding) -> bytes:
    """Read bytes."""
    said: Any = next(iter(tree.values()))
    return read.load("bytes", tree["blob"]) if "blob" in tree else b64decode(said, validate=True)


def decode_bytearray(tree: dict[str, Tree], read: Decoding) -> bytearray:
    """Read a bytearray."""
    return bytearray(decode_bytes(tree, read))
