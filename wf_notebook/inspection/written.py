"""A value as it is written in a field of a page, and back: its type is kept, and what is no value of it is refused."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, NamedTuple

from .. import codec
from ..errors import BadArguments, StorageFailed, UnsavableValue
from ..kept import packed, tag
from ..nearest import did_you_mean
from ..redact import redact
from .beginnings import beginning

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..codec import Tree

#: Types that are one text in a tree, each with its tag and with how it is written.
TEXTS = {
    "datetime": ("$datetime", "2026-01-31T09:30:00+01:00"),
    "date": ("$date", "2026-01-31"),
    "time": ("$time", "09:30:00"),
    "timedelta": ("$timedelta", "1 day, 2:30:00"),
    "Decimal": ("$decimal", "1.10"),
    "Fraction": ("$fraction", "1/3"),
    "UUID": ("$uuid", "12345678-1234-5678-1234-567812345678"),
    "Path": ("$path", "posts/first.md"),
    "Timestamp": ("$timestamp", "2026-01-31T09:30:00"),
    "IPv4Address": ("$ipv4address", "127.0.0.1"),
    "IPv6Address": ("$ipv6address", "::1"),
}
_BY_TAG = {kind: name for name, (kind, _) in TEXTS.items()}
#: Types that are a list in a tree.
_LISTS = {"tuple": "$tuple", "set": "$set", "frozenset": "$frozenset", "deque": "$deque"}
#: What a value that is added can be, the usual ones first.
TYPES = ("str", "int", "float", "bool", "None", "list", "dict", *TEXTS, "complex", *_LISTS)
#: A longer text is not edited in a page.
LONGEST = 60_000

#: Bytes that a character takes at most, in a tree.
_BYTES = 8

_WHOLE = re.compile(r"\s*[+-]?\d+(_\d+)*\s*")


class Written(NamedTuple):
    """A value as text, with the name of its type; or why it cannot be edited so."""

    type: str
    text: str
    why_not: str = ""


def type_name(tree: Tree) -> str:
    """Return the name of the type of a tree's value.

    >>> type_name(None), type_name({"$decimal": "1.10"}), type_name({"$int": "1" * 30}), type_name({"$model": "mine:Post"})
    ('None', 'Decimal', 'int', 'Post')
    """
    kind = tag(tree)
    if kind is None:
        return "None" if tree is None else type(tree).__name__
    if kind in {"$model", "$dataclass", "$attrs", "$namedtuple", "$enum", "$custom", "$url"}:
        return str(tree[kind]).rpartition(":")[2].rpartition(".")[2]
    return _BY_TAG.get(kind, kind[1:])


def written(tree: Tree) -> Written:
    """Return a value as it is edited.

    >>> written({"$date": "2026-01-02"}), written({"n": 1}).text
    (Written(type='date', text='2026-01-02', why_not=''), '{"n": 1}')
    >>> written({"$ndarray": "<f8", "shape": [3]}).why_not
    'a value of type ndarray cannot be edited as text; change it in Python'
    """
    name = type_name(tree)
    try:
        if len(packed(tree)) > LONGEST * _BYTES:
            return Written(name, "", "it is too large to be edited here; change it in Python")
        text = _text(tree)
        if text is None or packed(tree_of(name, text, tree)) != packed(tree):
            raise BadArguments("it does not come back")  # noqa: TRY301 - what is said is said below
    except (BadArguments, TypeError, ValueError, RecursionError, StorageFailed):
        what = f"a value of type {name} cannot be edited as text"
        inner = isinstance(tree, (list, dict)) and (tag(tree) is None or name in {*_LISTS, "dict"})
        return Written(
            name, "", f"{what}, as JSON has no words for what is in it; edit that" if inner else f"{what}; change it in Python"
        )
    if redact(text) != text:
        return Written(name, "", "it holds a secret, which is not shown; change it in Python")
    if len(text) > LONGEST:
        return Written(name, "", f"it has {len(text):,} characters, which is too much to be edited here; change it in Python")
    return Written(name, text)


def _text(tree: Tree) -> str | None:
    if isinstance(tree, str):
        return tree
    if tree is None or isinstance(tree, (bool, int, float)):
        return str(tree)
    kind = tag(tree)
    if kind in {"$int", "$float", "$complex"}:
        return str(codec.decode(tree, _no_blob))
    if kind is not None and kind in _BY_TAG and isinstance(tree[kind], str):
        return str(tree[kind])
    if kind in _LISTS.values():
        return _json(tree[kind])
    return _json(codec.decode(tree, _no_blob)) if kind is None and not codec.hashes(tree) else None


def _json(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False, allow_nan=False)
    return text if len(text) <= 60 else json.dumps(value, ensure_ascii=False, allow_nan=False, indent=2)  # noqa: PLR2004 - a line


def tree_of(name: str, text: str, before: Tree = None) -> Tree:
    """Return the tree of a value that was written; what a text does not say is as it was before.

    Raises BadArguments for a text that is no value of the type.

    >>> tree_of("int", "12"), tree_of("bool", "False"), tree_of("datetime", "2026-01-02 10:00"), tree_of("set", '["b", "a"]')
    (12, False, {'$datetime': '2026-01-02T10:00:00'}, {'$set': ['a', 'b']})
    >>> tree_of("int", "1.5")
    Traceback (most recent call last):
    wf_notebook.errors.BadArguments: '1.5' is no int: write a whole number, or choose float
    """
    if name not in TYPES:
        raise BadArguments(f"a value of type {name} cannot be written as text{did_you_mean(name, TYPES) or ''}")
    try:
        return encoded(_value(name, text, before))
    except (ValueError, TypeError, ArithmeticError, RecursionError, StorageFailed) as error:
        if isinstance(error, (BadArguments, UnsavableValue)):
            raise
        hint = f": write it as {TEXTS[name][1]}" if name in TEXTS else f": {error}"
        raise BadArguments(f"{beginning(text, 60)} is no {name}{hint}") from None


def _value(name: str, text: str, before: Tree) -> Any:  # noqa: PLR0911 - each type is read in its own way
    if name == "str":
        return text
    if name == "None":
        if text.strip() not in {"", "None"}:
            raise BadArguments("None has no text; choose the type of what is written")
        return None
    if name == "int":
        if not _WHOLE.fullmatch(text):
            raise BadArguments(f"{beginning(text, 60)} is no int: write a whole number, or choose float")
        return int(text)
    if name == "float":
        return float(text)
    if name == "complex":
        return complex(text.replace(" ", ""))
    if name == "bool":
        if text.strip() not in {"True", "False"}:
            raise BadArguments(f"{beginning(text, 60)} is no bool: write True or False")
        return text.strip() == "True"
    if name in TEXTS:
        kind = TEXTS[name][0]
        rest = before if tag(before) == kind else {}
        value = codec.decode({**rest, kind: text.strip() if name != "Path" else text}, _no_blob, whole=True)
        if tag(encoded(value)) != kind:
            raise BadArguments(f"{beginning(text, 60)} is no {name}: write it as {TEXTS[name][1]}")
        return value
    return _of_json(name, text, before)


def _of_json(name: str, text: str, before: Tree) -> Any:
    try:
        value = json.loads(text, parse_constant=_no_constant, object_pairs_hook=_once)
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        raise BadArguments(f"that is no JSON ({error.msg[:1].lower()}{error.msg[1:]}, {where})") from None
    expected = dict if name == "dict" else list
    if type(value) is not expected:
        raise BadArguments(
            f"that is the JSON of a {type(value).__name__}; a {name} is written as {'{…}' if name == 'dict' else '[…]'}"
        )
    if name in _LISTS:
        rest = {"maxlen": before["maxlen"]} if tag(before) == "$deque" and "maxlen" in before else {}
        return codec.decode({_LISTS[name]: encoded(value), **rest}, _no_blob)
    return value


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise BadArguments("a key stands twice in one dict; keep one of them")
    return found


def _no_constant(name: str) -> Any:
    raise BadArguments(f"{name} is no JSON; a float of its own can be that: choose float")


def encoded(value: Any, path: str = "the value", keep: Callable[[str, bytes], object] | None = None) -> Tree:
    """Return the tree of a value. Raises UnsavableValue for one that cannot be kept."""
    return codec.encode(value, path, _Blobs(keep))


class _Blobs:
    """Takes the large parts of a value, where somebody keeps them."""

    def __init__(self, keep: Callable[[str, bytes], object] | None) -> None:
        self._keep = keep

    def keep(self, content_hash: str, make: Callable[[], bytes]) -> None:
        if self._keep is not None:
            self._keep(content_hash, make())


def _no_blob(content_hash: str) -> bytes:
    raise StorageFailed(f"it refers to {content_hash}, which lies beside it")
