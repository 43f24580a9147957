"""One value as it is kept: the bytes by which it is compared, and the JSON text that is written of it.

What is kept of a value is its *tree*: what the codec makes of it, plain JSON in which a typed value is a dict that says so. Equal
trees, and only those, have equal bytes (1, 1.0 and True are three; the order of a dict counts), and the bytes of a list or dict
that only grew begin with those that it had: so what was added to ten megabytes is found without reading them in Python.
"""

from __future__ import annotations

import gc
import json
import marshal
import re
from contextlib import contextmanager
from struct import pack, unpack_from
from threading import Event
from typing import TYPE_CHECKING, Any

from .codec.kind import is_tag, json_text

if TYPE_CHECKING:
    from collections.abc import Iterator

#: How `marshal` writes a list: this, the number of its items in four bytes, the items.
_LIST, _ITEMS = b"[", 5
#: How it writes a dict: this, keys and values in turn, and an end.
_DICT, _END = b"{", b"0"
#: Where the text of a dict's first key begins: after the two kinds and the length of the text.
_FIRST = 6

#: Set once somebody froze what the collector would look at: to ask for it is to count all of that, 0.1 s in a large program.
_FROZEN = Event()


class Kept:
    """A value as it is kept; equal to another one if both come back as the same value.

    >>> Kept.of([1, "a"]) == Kept.of([1, "a"]), Kept.of(1) == Kept.of(True), Kept.of({"a": 1.5}).text
    (True, False, '{"a":1.5}')
    """

    __slots__ = ("_spare", "_text", "packed")

    def __init__(self, packed: bytes, text: str | None = None, *, spare: Any = None) -> None:
        self.packed = packed
        self._text = text
        self._spare = spare

    def taken(self) -> Any:
        """Return the tree, for the caller alone: the one that it was read as, if nobody took that before.

        >>> tree = [1]; kept = Kept(packed(tree), spare=tree)
        >>> kept.taken() is tree, kept.taken() is tree, kept.taken()
        (True, False, [1])
        """
        spare, self._spare = self._spare, None
        return self.tree if spare is None else spare

    @classmethod
    def of(cls, tree: Any) -> Kept:
        """Return a tree as it is kept."""
        return cls(packed(tree))

    @classmethod
    def read(cls, text: str) -> Kept:
        """Return what a stored JSON text says; ValueError for a text that is damaged."""
        return cls.of(json.loads(text))

    @property
    def tree(self) -> Any:
        """The tree, new each time: it may be changed."""
        return unpacked(self.packed)

    @property
    def text(self) -> str:
        """The tree as JSON."""
        return self._text if self._text is not None else json_text(self.tree)

    @property
    def may_have_blobs(self) -> bool:
        """Whether it may refer to arrays or frames: False is sure."""
        return b"blob" in self.packed

    def __eq__(self, other: object) -> bool:
        return self is other or (isinstance(other, Kept) and self.packed == other.packed)

    def __hash__(self) -> int:
        return hash(self.packed)

    def __repr__(self) -> str:
        return f"Kept({self.text})"


def packed(value: Any) -> bytes:
    """Return the bytes of a tree; ValueError for what is no plain data.

    Version 2 of the format has no references: equal values, equal bytes.
    """
    return marshal.dumps(value, 2)


def unpacked(data: bytes) -> Any:
    """Return the value of bytes that this process made by `packed`."""
    return marshal.loads(data)  # noqa: S302 - never from a file


@contextmanager
def collecting_later() -> Iterator[None]:
    """Make a great many objects, none of which is garbage: the collector would look at all of them, again and again.

    Afterwards they count as old, with all others: frozen and unfrozen, they are moved there without a look.
    """
    if not gc.isenabled():
        yield
        return
    gc.disable()
    try:
        yield
    finally:
        if not _FROZEN.is_set():
            if gc.get_freeze_count():  # what somebody froze stays so
                _FROZEN.set()
            else:
                gc.freeze()
                gc.unfreeze()
        gc.enable()


def grown(before: bytes, after: bytes) -> bytes | None:
    """Return what was added to the end of a list or dict, as the bytes of a list or dict; None if that is not all that changed.

    >>> unpacked(grown(packed([1, 2]), packed([1, 2, "new"]))), unpacked(grown(packed({"a": 1}), packed({"a": 1, "b": 2})))
    (['new'], {'b': 2})
    >>> grown(packed([1, 2]), packed([1, 3, 4])), grown(packed([1]), packed([1])), grown(packed([]), packed({}))
    (None, None, None)
    """
    if len(after) <= len(before) or before[:1] != after[:1]:
        return None
    if before[:1] == _LIST:
        added = length(after) - length(before)
        if added > 0 and after.startswith(memoryview(before)[_ITEMS:], _ITEMS):
            return _list(added, memoryview(after)[len(before) :])
    elif before[:1] == _DICT:
        end = len(before) - 1
        if after.startswith(memoryview(before)[:end]):
            return _DICT + after[end:]
    return None


def extended(before: bytes, more: bytes) -> bytes:
    """Return the bytes of a list or dict with those of another one added to its end: the way back from `grown`.

    >>> unpacked(extended(packed([1]), packed([2, 3]))), unpacked(extended(packed({"a": 1}), packed({"b": 2})))
    ([1, 2, 3], {'a': 1, 'b': 2})
    """
    if before[:1] == _DICT:
        return before[:-1] + more[1:]
    return _list(length(before) + length(more), memoryview(before)[_ITEMS:], memoryview(more)[_ITEMS:])


def is_list(data: bytes) -> bool:
    """Say whether these are the bytes of a list."""
    return data[:1] == _LIST


def tag(tree: Any) -> str | None:
    """Return what a dict says that it is, by its first key; None for one of the user's own, and for what is no dict.

    >>> tag({"$datetime": "2026-01-01T00:00:00"}), tag({"$$schema": "the user's"}), tag({}), tag(1)
    ('$datetime', None, None, None)
    """
    first = next(iter(tree), "") if type(tree) is dict else ""
    return first if is_tag(first) else None


def is_tagged(data: bytes) -> bool:
    """Say the same of the bytes of a dict.

    >>> is_tagged(packed({"$set": [1]})), is_tagged(packed({"$$set": [1]})), is_tagged(packed({"a": 1})), is_tagged(packed({}))
    (True, False, False, False)
    """
    return data[:1] == _DICT and data[_FIRST : _FIRST + 1] == b"$" and data[_FIRST + 1 : _FIRST + 2] != b"$"


#: A `$` with which a text begins: looked for by the `$`, which is rarer than what `marshal` writes before a text.
_MARK = re.compile(rb"\$(?<=u.{4}\$)", re.DOTALL)


def may_be_typed(data: bytes) -> bool:
    """Say whether a tree may hold a tag: False is sure, and then the tree is the value.

    >>> may_be_typed(packed(["costs $5"])), may_be_typed(packed([{"$set": []}]))
    (False, True)
    """
    return _MARK.search(data) is not None


def is_empty(data: bytes) -> bool:
    """Say whether these are the bytes of an empty list or dict."""
    return data in (_LIST + b"\0\0\0\0", _DICT + _END)  # not a set: it would read all of them


def length(data: bytes) -> int:
    """Return how many items a list has, of its bytes."""
    items: int = unpack_from("<i", data, 1)[0]
    return items


def _list(count: int, *items: bytes | memoryview) -> bytes:
    return b"".join([_LIST, pack("<i", count), *items])
