"""What was worked out of objects, for as long as they live; by identity, as equal ones may still differ."""

from __future__ import annotations

from typing import Any, Generic, TypeVar
from weakref import ref

T = TypeVar("T")


class Remembered(Generic[T]):
    """Like a dict by identity that holds none of its keys.

    >>> class Thing: ...
    >>> lengths, thing = Remembered[int](), Thing()
    >>> lengths.put(thing, 3), lengths.get(thing), lengths.get(Thing())
    (3, 3, None)
    """

    def __init__(self) -> None:
        self._kept: dict[int, tuple[ref[Any], T]] = {}

    def get(self, thing: Any) -> T | None:
        """Return what is known of a thing."""
        found = self._kept.get(id(thing))
        return found[1] if found is not None and found[0]() is thing else None

    def put(self, thing: Any, value: T) -> T:
        """Remember a value, and return it."""
        place, kept = id(thing), self._kept

        def forget(gone: ref[Any]) -> None:
            found = kept.get(place)
            if found is not None and found[0] is gone:
                del kept[place]

        kept[place] = ref(thing, forget), value
        return value
