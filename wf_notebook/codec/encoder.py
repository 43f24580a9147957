"""From a value to its tree: one walk that copies each container before it looks inside."""

from __future__ import annotations

from contextlib import suppress
from math import isfinite
from typing import TYPE_CHECKING, Any

from ..errors import UnsavableValue
from ..redact import redact
from .blobs import digest, pack
from .classes import name_of
from .kind import DEEPEST, Blobs, Refused, Tree, escaped, json_text, one_line, shown
from .remedies import cannot_keep
from .scalars import big_int, odd_float, text
from .stack import with_room
from .table import kind_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from .kind import Kind

#: Integers from here to the same above zero are numbers everywhere.
_LOWEST, _HIGHEST = -(2**63), 2**63 - 1


def encode(value: Any, path: str, blobs: Blobs) -> Tree:
    """Return the tree of a value; raise UnsavableValue, which names the path, for one that would not come back as it was.

    Other threads may change the value meanwhile: each list and dict is read in one moment.
    """
    try:
        return with_room(lambda: _walked(value, blobs))
    except Refused as refusal:
        where = redact(path + "".join(reversed(refusal.parts)))
        brief = where if len(where) <= DEEPEST else f"{where[:DEEPEST]}…"
        raise UnsavableValue(f"{brief} {one_line(refusal)}", path=where) from refusal.__cause__
    except RecursionError:
        raise UnsavableValue(f"{path} {_TOO_DEEP}", path=path) from None


_TOO_DEEP = f"is nested too deeply (beyond {DEEPEST} levels); keep a flatter value"
_ENDLESS = "contains itself: it is one of the values around it; keep an id or a name in its place"


def _walked(value: Any, blobs: Blobs) -> Tree:
    """Return the tree of a value; of one without an end, say where it comes back to itself."""
    try:
        return Walk(blobs).tree(value)
    except Refused as refusal:
        if refusal.args == (_TOO_DEEP,):
            with suppress(RecursionError):  # it takes more of the stack
                _Thread(blobs).tree(value)
        raise


class Walk:
    """One walk through a value. Also what the rows of the table work with, see `Encoding`."""

    def __init__(self, blobs: Blobs) -> None:
        self.kept: list[str] = []
        self._blobs = blobs
        self._classes: set[str] = getattr(blobs, "classes", set())
        self._hidden: set[str] = getattr(blobs, "hidden", set())
        self._depth = 0
        self._kinds: dict[type, Kind | None] = {}
        self._names: dict[type, str] = {}
        self._plain_keys: set[str] = set()

    def tree(self, value: Any) -> Tree:  # noqa: PLR0911 - JSON has six types, and all else is one more
        """Return the tree of any value."""
        kind = type(value)
        if kind is str:
            return value if value.isascii() else text(value)
        if value is None or kind is bool:
            return value
        if kind is int:
            return value if _LOWEST <= value <= _HIGHEST else big_int(value)
        if kind is float:
            return value if isfinite(value) else odd_float(value)
        if kind is dict:
            return self.mapping(value)
        if kind is list:
            return self.items(value)
        return self._typed(value, kind)

    def items(self, values: Sequence[Any]) -> list[Tree]:
        """Return the trees of values that have numbers."""
        if self._depth >= DEEPEST:
            raise Refused(_TOO_DEEP)
        self._depth += 1
        trees: list[Tree] = []
        try:
            for item in list(values):
                trees.append(item if type(item) is str and item.isascii() else self.tree(item))  # noqa: PERF401 - its length is the index
        except Refused as refusal:
            refusal.parts.append(f"[{len(trees)}]")
            raise
        self._depth -= 1
        return trees

    def mapping(self, value: Mapping[Any, Any]) -> dict[str, Tree]:
        """Return the tree of a dict: as it is, or with its keys as JSON texts if they are not all texts."""
        if self._depth >= DEEPEST:
            raise Refused(_TOO_DEEP)
        self._depth += 1
        trees: dict[str, Tree] = {}
        known, key, copy = self._plain_keys, None, dict(value)
        try:
            for key, item in copy.items():
                name = key
                if type(key) is not str or key not in known:
                    if type(key) is not str or type(text(key)) is not str:
                        return self._with_any_keys(copy)
                    name = escaped(key)
                    if name is key:
                        known.add(key)
                trees[name] = item if type(item) is str and item.isascii() else self.tree(item)
        except Refused as refusal:
            refusal.parts.append(f"[{shown(key)}]")
            raise
        self._depth -= 1
        return trees

    def _with_any_keys(self, value: dict[Any, Any]) -> dict[str, Tree]:
        trees: dict[str, Tree] = {}
        key = None
        self._depth += 1
        for key, item in value.items():
            name = self.key(key)
            if name in trees:
                raise Refused("has two keys that would be stored as one; keep one of them")
            trees[name] = self.tree(item)
        self._depth -= 2
        return {"$dict": trees}

    def key(self, value: Any) -> str:
        """Return the JSON text of a dict's key."""
        blobs, self._blobs = self._blobs, _NoBlobs()
        try:
            return json_text(self.tree(value))
        except Refused as refusal:
            raise Refused(f"is a key that cannot be kept: it {refusal}") from refusal.__cause__
        finally:
            self._blobs = blobs

    def fields(self, values: Mapping[str, Any]) -> dict[str, Tree]:
        """Return the trees of attributes, by their escaped names."""
        trees = {}
        name = ""
        self._depth += 1  # none in the tree, but a deep stack
        try:
            for name, item in values.items():
                if type(name) is not str or type(text(name)) is not str:
                    raise Refused("is the name of an attribute and no text; name it otherwise")  # noqa: TRY301 - the path is added below
                trees[escaped(name)] = item if type(item) is str and item.isascii() else self.tree(item)
        except Refused as refusal:
            refusal.parts.append(f".{name}")
            raise
        self._depth -= 1
        return trees

    def within(self, part: str, value: Any) -> Tree:
        """Return the tree of a value that lies at `part` of the present one."""
        self._depth += 1
        try:
            tree = self.tree(value)
        except Refused as refusal:
            refusal.parts.append(part)
            raise
        self._depth -= 1
        return tree

    def name(self, cls: type) -> str:
        """Return the name by which a class is found again."""
        name = self._names.get(cls)
        if name is None:
            name = self._names[cls] = name_of(cls)
            self._classes.add(name)
        return name

    def met(self, name: str) -> None:
        """Note the name of a class that is not here."""
        self._classes.add(name)

    def hide(self, name: str) -> str:
        """Return what stands in the place of a secret, and note that there is one."""
        self._hidden.add(name)
        return f"<redacted {name}>"

    def keep(self, kind: str, parts: Iterable[bytes]) -> str:
        """Keep bytes beside the tree, and return their hash."""
        parts = list(parts)
        content_hash = digest(kind, parts)
        self.kept.append(content_hash)
        self._blobs.keep(content_hash, lambda: pack(b"".join(parts)))
        return content_hash

    def _typed(self, value: Any, cls: type) -> Tree:
        if cls not in self._kinds:
            self._kinds[cls] = kind_of(cls)
        kind = self._kinds[cls]
        if kind is None:
            raise Refused(cannot_keep(value))
        if self._depth >= DEEPEST:
            raise Refused(_TOO_DEEP)
        self._depth += 1
        try:
            tree = kind.encode(value, self)
        except (Refused, RecursionError):
            raise
        except Exception as error:
            raise Refused(f"of type {cls.__name__!r} cannot be kept ({type(error).__name__}: {error})") from error
        self._depth -= 1
        return tree


class _NoBlobs:
    """The place beside a dict's key, where nothing can lie."""

    def keep(self, *_: object) -> None:
        raise Refused("is too large for a key")


class _Thread(Walk):
    """A walk that knows which values it is in, as one that is lost holds a thread."""

    def __init__(self, blobs: Blobs) -> None:
        super().__init__(blobs)
        self._around: set[int] = set()

    def tree(self, value: Any) -> Tree:
        """Return the tree of a value; refuse one that it is in already."""
        if id(value) in self._around:
            raise Refused(_ENDLESS)
        self._around.add(id(value))
        try:
            return super().tree(value)
        finally:
            self._around.remove(id(value))
