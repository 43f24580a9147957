"""What is large lies beside the tree: bytes with a name made of their content, compressed where that pays."""

from __future__ import annotations

import struct
import zlib
from hashlib import blake2b
from typing import TYPE_CHECKING

from ..errors import StorageFailed

if TYPE_CHECKING:
    from collections.abc import Iterable

#: A format byte (0: as it is, 1: zlib) and the length of the content.
_HEAD = struct.Struct("<BQ")

#: zlib makes nothing smaller than this part of it: a blob that claims more is a bomb.
_DENSEST = 1040

_SAMPLE = 1 << 14


def digest(kind: str, parts: Iterable[bytes]) -> str:
    """Return the name of a content: 32 hex digits, of what it is and what it says.

    >>> digest("bytes", [b"ab", b"c"]) == digest("bytes", [b"abc"]) != digest("npy", [b"abc"])
    True
    """
    found = blake2b(kind.encode() + b"\0", digest_size=16)
    for part in parts:
        found.update(part)
    return found.hexdigest()


def pack(content: bytes) -> bytes:
    """Return a content as it is stored.

    >>> len(pack(bytes(10_000))) < 100, unpack(pack(b"short"))
    (True, b'short')
    """
    middle = max(0, len(content) // 2 - _SAMPLE // 2)
    sample = content[middle : middle + _SAMPLE]
    if len(zlib.compress(sample, 1)) < len(sample) * 0.9:
        return _HEAD.pack(1, len(content)) + zlib.compress(content, 1)
    return _HEAD.pack(0, len(content)) + content


def unpack(stored: bytes) -> bytes:
    """Return the content of what `pack` gave; raise StorageFailed for anything else, before it fills the memory."""
    try:
        form, length = _HEAD.unpack_from(stored)
        content = _content(form, length, memoryview(stored)[_HEAD.size :])
    except (struct.error, zlib.error, TypeError, ValueError) as error:
        raise StorageFailed(f"a stored blob is damaged ({error}); {NOTHING_LOST}") from error
    return content


def _content(form: int, length: int, body: memoryview) -> bytes:
    if form == 0 and length == len(body):
        return bytes(body)
    if form == 1 and length <= _DENSEST * len(body):
        inflate = zlib.decompressobj()
        content = inflate.decompress(body, length + 1)
        if inflate.eof and len(content) == length and not inflate.unused_data:
            return content
    raise ValueError("it is not what it says")


NOTHING_LOST = "nothing was overwritten: restore a copy of the file"
