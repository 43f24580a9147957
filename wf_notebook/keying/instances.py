"""Instances as bytes: those of the user's classes by class and fields; and what `pickle` would take of others."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any, Protocol

from .part import Uncacheable, a
from .plain import sequence, sized
from .remembered import Remembered

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

_CONTAINERS = (str, int, float, complex, bytes, bytearray, list, tuple, dict, set, frozenset)
_POINTER = 8


class Look(Protocol):
    """What is needed of `Values`."""

    watch: Any
    #: What code of others changes itself, while what that holds is looked at.
    changes: Any

    def code(self, value: Any, /) -> bytes:
        """Return the bytes that stand for a function, class or module."""

    def content(self, value: Any) -> bytes:
        """Return the bytes of any value."""

    def opaque(self, value: Any, make: Callable[[], bytes]) -> bytes:
        """Return what `make` gives of a value that has to be read again."""

    def abroad(self, make: Callable[[], bytes]) -> bytes:
        """Return what `make` gives of an instance of a class of others, unless that leads far."""

    @property
    def is_abroad(self) -> bool:
        """Whether what is looked at lies in an instance of a class of others."""

    def held(self, make: Callable[[], bytes]) -> bytes:
        """Return what `make` gives of what code of others holds, without what that changes itself."""

    def named(self, tag: bytes, values: Mapping[str, Any]) -> bytes:
        """Return values by their names."""

    def items(self, tag: bytes, items: Iterable[Any]) -> bytes:
        """Return values in their order."""


def own(look: Look, value: Any) -> bytes:
    """Return an instance of a class of the user's: the class, its fields, and what it is besides."""
    cls = type(value)
    if look.watch is not None:
        look.watch.box(lambda: _flat(value), [*_flat(value)])
    made = [look.code(cls), look.named(b"d", fields_of(value))]
    base = next((base for base in _CONTAINERS if issubclass(cls, base)), None)
    if base is not None:
        made.append(look.opaque(value, lambda: look.content(_copied(base, value))))
    elif has_more(cls):
        made.append(look.opaque(value, lambda: reduced(look, value)))
    return sequence(b"instance", made)


def _flat(value: Any) -> list[Any]:
    fields = fields_of(value)
    return [type(value), *fields, *fields.values()]


_slots_of: Remembered[tuple[str, ...]] = Remembered()


def dict_of(value: Any) -> dict[str, Any]:
    """Return the dict of an object, whatever its class says of attributes; an empty one where it has none."""
    try:
        found: dict[str, Any] = object.__getattribute__(value, "__dict__")
    except AttributeError:
        return {}
    return found


def fields_of(value: Any) -> dict[str, Any]:
    """Return the attributes of an instance, whether they lie in its dict or in slots."""
    fields = {str(name): item for name, item in dict_of(value).items()}
    for name in _slots(type(value)):
        try:
            fields[name] = object.__getattribute__(value, name)
        except AttributeError:
            continue
    return fields


def _slots(cls: type) -> tuple[str, ...]:
    if (known := _slots_of.get(cls)) is not None:
        return known
    names = []
    for base in cls.__mro__:
        slots = vars(base).get("__slots__", ())
        for name in (slots,) if isinstance(slots, str) else tuple(slots):
            private = name.startswith("__") and not name.endswith("__")
            names.append(f"_{base.__name__.lstrip('_')}{name}" if private else name)
    return _slots_of.put(cls, tuple(name for name in names if name not in {"__dict__", "__weakref__"}))


def has_more(cls: type) -> bool:
    """Return whether instances hold more than their dict and slots: what C code keeps there."""
    kept = len(_slots(cls)) + (cls.__weakrefoffset__ > 0) + (cls.__dictoffset__ > 0)
    return cls.__basicsize__ > object.__basicsize__ + _POINTER * kept


def _copied(base: Any, value: Any) -> Any:
    """Return what a container of a class of the user's holds, as one of Python's own; no code of the class is called."""
    if base is dict:
        return dict(dict.items(value))
    if base in {str, int, float}:
        return {str: str.__str__, int: int.__int__, float: float.__float__}[base](value)
    if base is complex:
        return complex(complex.real.__get__(value), complex.imag.__get__(value))
    return base(base.__iter__(value))


def reduced(look: Look, value: Any) -> bytes:
    """Return what an object is made of as `pickle` would have it; only code of its class is called for that."""
    try:
        made = value.__reduce_ex__(4)
        if isinstance(made, str):
            return sized(b"name", made.encode())
        function, arguments, *more = made
        state, items, pairs = (*more, None, None, None)[:3]
        rest = [
            _without_cached(type(value), state),
            None if items is None else list(items),
            None if pairs is None else list(pairs),
        ]
    except RecursionError:
        raise
    except Exception:  # noqa: BLE001 - code of others, which says in many ways that it has no content
        raise Uncacheable(f"({a(type(value))}) has no content to key by") from None
    try:
        return look.items(b"reduced", [function, arguments, *rest])
    except Uncacheable as refusal:
        raise Uncacheable(f"({a(type(value))}) has no content to key by") from refusal


def _without_cached(cls: type, state: Any) -> Any:
    """Return the state of an object without what its cached properties gave: that follows from the rest."""
    if type(state) is dict and "__dict__" in state:
        return {**state, "__dict__": _without_cached(cls, state["__dict__"])}
    if type(state) is not dict or not (names := _cached(cls)):
        return state
    return {name: item for name, item in state.items() if name not in names}


_cached_of: Remembered[frozenset[str]] = Remembered()


def _cached(cls: type) -> frozenset[str]:
    if (known := _cached_of.get(cls)) is not None:
        return known
    found = {name for base in cls.__mro__ for name, member in vars(base).items() if isinstance(member, cached_property)}
    return _cached_of.put(cls, frozenset(found))
