"""A kind of value: how it is recognised, how it becomes a tree, and how it comes back.

A tree is what JSON gives back as it was. A typed value is a dict whose first key is a tag: it begins with one `$`.
The user's own keys that begin with `$` get another one in front, so `$ref` is `$$ref` in a tree.
"""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

from ..redact import redact

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

#: None | bool | int of 64 bit | finite float | str of valid Unicode | list[Tree] | dict[str, Tree]
Tree: TypeAlias = Any

#: Lists and dicts of a tree inside each other, at most: a deeper one may be written here and not be readable elsewhere.
DEEPEST = 200

#: Bytes up to here stand in the tree itself, larger ones beside it.
LARGE = 1 << 16


#: Characters of a key in a path.
_BRIEF = 60


class Refused(Exception):
    """A value cannot be kept; `parts` collects where it is on the way up, from the inside out."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.parts: list[str] = []


class Absent(Exception):
    """What a typed value needs is not here (its class, its library), or does not take it any more (`cls` says which)."""

    def __init__(self, name: str, reason: str, cls: type | None = None) -> None:
        super().__init__(reason)
        self.name, self.cls = name, cls


class Blobs(Protocol):
    """Takes the large parts of values.

    One that also has a set `classes` is told the names of the classes that were met; one with a set `hidden`, those of what
    was left out as a secret.
    """

    def keep(self, content_hash: str, make: Callable[[], bytes]) -> None:
        """Keep the bytes of that hash; `make` gives them, compressed, if they are not there yet."""


class Encoding(Protocol):
    """What a kind's `encode` works with."""

    #: The hashes of what was kept beside the tree so far.
    kept: list[str]

    def tree(self, value: Any) -> Tree:
        """Return the tree of any value."""

    def items(self, values: Sequence[Any]) -> list[Tree]:
        """Return the trees of values that have numbers."""

    def mapping(self, value: Mapping[Any, Any]) -> dict[str, Tree]:
        """Return the tree of a dict, whatever its keys are."""

    def fields(self, values: Mapping[str, Any]) -> dict[str, Tree]:
        """Return the trees of attributes, by their escaped names."""

    def within(self, part: str, value: Any) -> Tree:
        """Return the tree of a value that lies at `part` of the present one."""

    def key(self, value: Any) -> str:
        """Return the JSON text of a dict's key."""

    def name(self, cls: type) -> str:
        """Return the name by which a class is found again."""

    def met(self, name: str) -> None:
        """Note the name of a class that is not here."""

    def hide(self, name: str) -> str:
        """Return what stands in the place of a secret of that name, and note that there is one."""

    def keep(self, kind: str, parts: Iterable[bytes]) -> str:
        """Keep bytes beside the tree, and return their hash."""


class Decoding(Protocol):
    """What a kind's `decode` works with."""

    def value(self, tree: Tree) -> Any:
        """Return the value of any tree."""

    def items(self, trees: list[Tree]) -> list[Any]:
        """Return the values of a list of trees."""

    def fields(self, tree: dict[str, Tree]) -> dict[str, Any]:
        """Return the values of all that is no tag, by their names."""

    def load(self, kind: str, content_hash: str) -> bytes:
        """Return bytes that were kept beside the tree."""


@dataclass(frozen=True, slots=True)
class Kind:
    """One row of the table: the tag, the types (or "module:name", looked at only if the module is loaded), both ways."""

    tag: str
    types: tuple[type | str, ...]
    encode: Callable[[Any, Encoding], Tree]
    decode: Callable[[dict[str, Tree], Decoding], Any]
    #: Says whether a type is one of the kind, where it is not known by name: dataclasses, models.
    family: Callable[[type], bool] | None = None
    #: Whether its trees may refer to bytes beside them, by "blob" and "blobs".
    beside: bool = False

    def fits(self, cls: type) -> bool:
        """Return whether values of exactly this class are of this kind."""
        return any(cls is loaded(one) for one in self.types) or (self.family is not None and self.family(cls))


def text_kind(tag: str, cls: type, encode: Callable[[Any], str], decode: Callable[[str], Any]) -> Kind:
    """Return the kind of a value that is one text.

    >>> from decimal import Decimal
    >>> text_kind("$decimal", Decimal, str, Decimal).decode({"$decimal": "1.10"}, None)
    Decimal('1.10')
    """

    def back(tree: dict[str, Tree], _: Decoding) -> Any:
        if type(tree[tag]) is not str:
            raise TypeError(f"{tag} is no text")
        return decode(tree[tag])

    return Kind(tag, (cls,), lambda value, _: {tag: encode(value)}, back)


def loaded(name: type | str) -> type | None:
    """Return the type of that name if its module is loaded (of an object its type), None otherwise; nothing is imported.

    >>> loaded("decimal:Decimal")
    <class 'decimal.Decimal'>
    >>> loaded("antigravity:Fly")
    """
    if not isinstance(name, str):
        return name
    module, _, attribute = name.partition(":")
    found = vars(sys.modules[module]).get(attribute) if module in sys.modules else None
    return found if found is None or isinstance(found, type) else type(found)


def escaped(name: str) -> str:
    """Return a name of the user's as it stands in a tree.

    >>> escaped("$ref"), escaped("title")
    ('$$ref', 'title')
    """
    return "$" + name if name[:1] == "$" else name


def is_tag(key: str) -> bool:
    """Return whether a key of a tree is ours: one `$` and no second one."""
    return key[:1] == "$" and key[1:2] != "$"


def one_line(said: object) -> str:
    r"""Return what is said in one line, and without secrets: what others raise may show a value.

    >>> one_line(ValueError("no\n  way"))
    'no way'
    """
    return redact(" ".join(str(said).split()))


_encoder = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":"))


def json_text(tree: Tree) -> str:
    """Return a tree as JSON, as it is stored."""
    return _encoder.encode(tree)


def shown(key: Any) -> str:
    """Return a dict's key as it stands in a path.

    >>> shown("posts"), shown((1, 2))
    ('"posts"', '(1, 2)')
    """
    if type(key) is str:
        return json.dumps(key)
    try:
        said = repr(key)
    except Exception:  # noqa: BLE001 - the user's own __repr__ may do anything
        said = f"<{type(key).__name__}>"
    return said if len(said) <= _BRIEF else said[: _BRIEF - 1] + "…"
