"""A value at a glance: its type as Python calls it, its size, and how it begins; told by its tree, however large it is."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple, TypeAlias

from ..brief import Beginning
from ..codec.table import kind_tagged
from ..errors import WorkflowError
from ..kept import tag
from ..readable import harmless
from ..redact import redact
from ..render.pictures import picture_text
from .nodes import CLASSES, inside
from .shape import dtype_name

#: Characters of a value, and of a key, that are shown in a line.
BRIEF, KEY = 100, 80
#: A secret that is no longer than this is recognised before a text is cut.
_SECRET = 6000
#: Lists and dicts inside each other of which the beginning is shown.
_DEPTH = 3
#: So many columns of a frame are named.
_NAMES = 8
#: Bytes in a tree that are looked at, to tell what they are.
_BYTES = ("$bytes", "$bytearray")
_BRACKETS = {"list": "[]", "tuple": "()", "set": "{}", "frozenset": "{}", "dict": "{}"}
_FRAMES = ("$dataframe", "$series", "$index", "$array", "$table")

#: Gives the value of a tree.
Value: TypeAlias = Callable[[Any], Any]


class Glance(NamedTuple):
    """What is seen of a value in a line."""

    type: str
    size: str
    brief: str

    def told(self) -> dict[str, str]:
        """Return it as JSON has it."""
        return self._asdict()


def glance(tree: Any, value: Value) -> Glance:
    """Return a value at a glance; `value` gives the values of small trees.

    >>> glance({"$model": "blog:Post", "title": "a"}, print)
    Glance(type='Post', size='1 field', brief="Post(title='a')")
    >>> glance([1, 2, 3], print), glance("text", print)
    (Glance(type='list', size='3 items', brief='[1, 2, 3]'), Glance(type='str', size='', brief="'text'"))
    """
    try:
        return Glance(_shown(type_name(tree, value)), size(tree), _shown(begin(tree, value)))
    except Exception as error:  # noqa: BLE001 - a damaged tree, or what a class of the user's raises, is said in its place
        said = str(error) if isinstance(error, WorkflowError) else f"{type(error).__name__}: {error}"
        return Glance(str(tag(tree) or type(tree).__name__), "", _shown(said))


def shown_key(key: Any) -> str:
    """Return a key as it stands in a tree: a text as it is, cut where it is long; any other in brackets.

    >>> shown_key("topic"), shown_key(("a", 1)), len(shown_key("k" * 10_000))
    ('topic', "[('a', 1)]", 80)
    """
    if type(key) is int:
        return f"[{key}]"
    return one_line(key if isinstance(key, str) else f"[{Beginning().repr(key)}]", KEY)


def key_size(key: Any) -> str:
    """Return how long a key is that is cut; empty for one that is not.

    >>> key_size("k" * 10_000), key_size("topic")
    ('key of 10,000 characters', '')
    """
    return f"key of {len(key):,} characters" if isinstance(key, str) and len(key) > KEY else ""


def one_line(text: str, room: int) -> str:
    """Return the beginning of a text in one line, harmless and without secrets."""
    line = harmless(str(redact(text[:_SECRET])[: room + 1])).replace("\n", "⏎").replace("\t", " ")
    return line if len(line) <= room else f"{line[: room - 1]}…"


def _shown(text: str) -> str:
    return one_line(text, BRIEF)


# -- its type ------------------------------------------------------------------------------------------------------------------


def type_name(tree: Any, value: Value) -> str:
    """Return the type of a value, as Python calls it.

    >>> type_name(None, print), type_name({"$dict": {}}, print), type_name({"$enum": "blog:Color.RED"}, print)
    ('None', 'dict', 'Color')
    """
    kind = tag(tree)
    if kind is None:
        return "None" if tree is None else type(tree).__name__
    head = tree[kind]
    if kind in _NAMED:
        return _last(_NAMED[kind](tree))
    row = kind_tagged(kind, head)
    if row is None:
        return kind
    if kind in {"$numpy", "$missing"} or not row.types:
        return "array" if kind == "$array" else type(value(tree)).__name__
    first = row.types[0]
    return first.rpartition(":")[2] if isinstance(first, str) else first.__name__


#: Where the name of a value's class stands.
_NAMED: dict[str, Callable[[dict[str, Any]], str]] = {
    **{kind: lambda tree: str(next(iter(tree.values()))) for kind in (*CLASSES, "$custom")},
    "$enum": lambda tree: str(tree["$enum"]).rpartition(".")[0],
    "$url": lambda tree: str(tree.get("class")),
    "$table": lambda tree: str(tree.get("is")),
}


def _last(name: str) -> str:
    return name.rpartition(":")[2].rpartition(".")[2]


# -- its size ------------------------------------------------------------------------------------------------------------------


def size(tree: Any) -> str:
    """Return the size of a value; empty for one that is seen whole.

    >>> size(["a"]), size({"a": 1, "b": 2}), size("x" * 2000)
    ('1 item', '2 keys', '2,000 characters')
    >>> size({"$dataframe": "pandas", "rows": 1000, "columns": {"a": "int64"}})
    '1,000 × 1'
    """
    if isinstance(tree, str):
        return f"{len(tree):,} characters" if len(tree) > BRIEF - 2 else ""
    kind = tag(tree)
    if kind == "$ndarray":
        return " × ".join(f"{each:,}" for each in tree["shape"])
    if kind in _FRAMES:
        columns = (
            f" × {len(tree['columns']):,}" if tree.get("columns") and tree.get("is") not in {"Array", "ChunkedArray"} else ""
        )
        return f"{tree['rows']:,}{columns}"
    if kind in _BYTES:
        head = tree[kind]
        return bytes_size(head if isinstance(head, int) else len(head) * 3 // 4 - head[-2:].count("="))
    found = inside(tree)
    if found is None:
        return ""
    noun = "item" if found.how in {"item", "member"} else "field" if kind in CLASSES else "key"
    return f"{len(found):,} {noun}{'' if len(found) == 1 else 's'}"


def bytes_size(count: int) -> str:
    """Return a number of bytes as people write it.

    >>> bytes_size(12), bytes_size(1234), bytes_size(5_600_000)
    ('12 bytes', '1.2 KB', '5.6 MB')
    """
    for unit, length in (("MB", 1e6), ("KB", 1e3)):
        if count >= length:
            return f"{count / length:.1f} {unit}"
    return f"{count} byte{'' if count == 1 else 's'}"


# -- how it begins -------------------------------------------------------------------------------------------------------------


def begin(tree: Any, value: Value, room: int = BRIEF + 1, depth: int = _DEPTH) -> str:
    """Return the beginning of a value as it prints, about so many characters of it.

    >>> begin({"$tuple": ["a", {"$set": []}]}, print), begin({"a": {"b": [[[1]]]}}, print)
    ("('a', {})", "{'a': {'b': [[…]]}}")
    """
    kind = tag(tree)
    if kind is None and type(tree) not in {list, dict}:
        return repr(str(redact(tree[:_SECRET]))[:room]) if isinstance(tree, str) else _number(tree)
    found = inside(tree)
    if found is None:
        return _leaf(tree, str(kind), value)
    name = type_name(tree, value)
    opened, closed = tuple(_BRACKETS.get(name, "()"))
    pieces, taken = [], 0
    for step, item in found.page(0, room if depth else 0):
        said = "" if found.how in {"item", "member"} else _named(found.key(step), room, is_field=kind in CLASSES)
        said += begin(item, value, max(room - taken - len(said), 1), depth - 1)
        pieces.append(said)
        taken += len(said) + 2
        if taken >= room:
            break
    listed = ", ".join(pieces) + ("" if len(pieces) == len(found) else ", …" if pieces else "…")
    return f"{'' if name in _BRACKETS else name}{opened}{listed}{closed}"


def _named(key: Any, room: int, *, is_field: bool) -> str:
    return f"{str(key)[:room]}=" if is_field else f"{repr(key[:room]) if isinstance(key, str) else Beginning().repr(key)}: "


def _number(value: Any) -> str:
    return repr(value) if not isinstance(value, float) or math.isfinite(value) else str(value)


def _leaf(tree: dict[str, Any], kind: str, value: Value) -> str:
    """Return what is told of a typed value that has nothing inside; arrays and frames are not read for that."""
    if kind == "$enum":
        return _last(str(tree[kind]).rpartition(".")[0]) + "." + str(tree[kind]).rpartition(".")[2]
    if kind == "$url":
        return repr(str(tree[kind])[:_SECRET])
    if kind == "$ndarray":
        return f"array of {dtype_name(tree[kind])}"
    if kind in _FRAMES:
        return _columns(tree) or f"{kind[1:]} of {tree.get('dtype')}"
    found = None if kind in _BYTES and "blob" in tree else value(tree)
    return "" if found is None else picture_text(found) or Beginning().repr(found)


def _columns(tree: dict[str, Any]) -> str:
    names = [(name[1:] if name[:1] == "$" else name) for name in [*tree.get("columns", ())][: _NAMES + 1]]
    return ", ".join(names[:_NAMES]) + (", …" if len(names) > _NAMES else "")
