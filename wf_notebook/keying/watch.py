"""Whether all that was looked at is still as it was: by identity where that says it, else by content."""

from __future__ import annotations

from operator import attrgetter, is_
from typing import TYPE_CHECKING, Any

from .plain import look, quick

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from types import CellType, FunctionType

_CODE, _DEFAULTS, _KEYWORDS = map(attrgetter, ("__code__", "__defaults__", "__kwdefaults__"))
_CONTENTS = attrgetter("cell_contents")


class Watch:
    """Notes what was seen, and says later whether anything changed since.

    >>> watch, module = Watch(), {"LIMIT": 10}
    >>> watch.name(module, "LIMIT", 10); watch.absent(module, "TOPIC")
    >>> watch.still(), module.update(TOPIC="a"), watch.still()
    (True, None, False)
    """

    def __init__(self) -> None:
        self._names: dict[int, tuple[Mapping[str, Any], dict[str, Any]]] = {}
        self._absent: dict[int, tuple[Mapping[str, Any], set[str]]] = {}
        self._functions: list[FunctionType] = []
        self._codes: tuple[list[Any], list[Any], list[Any]] = ([], [], [])
        self._cells: list[CellType] = []
        self._contents: list[Any] = []
        self._boxes: list[tuple[Callable[[], Iterable[Any]], int, list[Any]]] = []
        self._plain: list[tuple[Any, bytes]] = []
        self._opaque: list[tuple[Callable[[], bytes], bytes]] = []

    def name(self, space: Mapping[str, Any], name: str, value: Any) -> None:
        """Note what a name is bound to in a module or class."""
        self._names.setdefault(id(space), (space, {}))[1][name] = value

    def absent(self, space: Mapping[str, Any], name: str) -> None:
        """Note that a name is bound to nothing there."""
        self._absent.setdefault(id(space), (space, set()))[1].add(name)

    def function(self, function: FunctionType) -> None:
        """Note the code and the defaults of a function."""
        self._functions.append(function)
        for known, get in zip(self._codes, (_CODE, _DEFAULTS, _KEYWORDS), strict=True):
            known.append(get(function))

    def cell(self, cell: CellType, value: Any) -> None:
        """Note what a cell holds."""
        self._cells.append(cell)
        self._contents.append(value)

    def box(self, items: Callable[[], Iterable[Any]], seen: list[Any]) -> None:
        """Note the very objects in a container; `items` gives those that are in it later."""
        self._boxes.append((items, len(seen), seen))

    def plain(self, value: Any) -> bool:
        """Note the content of a container of plain values; False if it is none."""
        known = quick(value)
        if known is not None:
            self._plain.append((value, known))
        return known is not None

    def opaque(self, content: Callable[[], bytes]) -> None:
        """Note a content that has to be read to be compared."""
        self._opaque.append((content, content()))

    @property
    def is_light(self) -> bool:
        """Whether it holds no more than code, names and the values that they have."""
        return not self._plain and not self._opaque

    def still(self) -> bool:
        """Return whether all is as it was."""
        try:
            return self._same_names() and self._same_functions() and self._same_values()
        except (KeyError, ValueError, RuntimeError):  # a name or the content of a cell is gone, or changes right now
            return False

    def _same_names(self) -> bool:
        for space, names in self._names.values():
            if not all(map(is_, map(space.__getitem__, names), names.values())):
                return False
        return all(
            names.isdisjoint(space) if len(space) < len(names) else space.keys().isdisjoint(names)
            for space, names in self._absent.values()
        )

    def _same_functions(self) -> bool:
        functions, (codes, defaults, keywords) = self._functions, self._codes
        return (
            all(map(is_, map(_CODE, functions), codes))
            and all(map(is_, map(_DEFAULTS, functions), defaults))
            and all(map(is_, map(_KEYWORDS, functions), keywords))
            and all(map(is_, map(_CONTENTS, self._cells), self._contents))
        )

    def _same_values(self) -> bool:
        for items, count, seen in self._boxes:
            now = list(items())
            if len(now) != count or not all(map(is_, now, seen)):
                return False
        return all(look(value) == known for value, known in self._plain) and all(
            content() == known for content, known in self._opaque
        )
