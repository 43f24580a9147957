"""Instances as bytes: those of the user's classes by class and fields, others by what `pickle` would take."""

from __future__ import annotations

from functools import partial
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

    def code(self, value: Any, /) -> bytes:
        """Return the bytes that stand for a function, class or module."""

    def content(self, value: Any) -> bytes:
        """Return the bytes of any value."""

    def opaque(self, value: Any, make: Callable[[], bytes]) -> bytes:
        """Return what `make` gives of a value that has to be read again."""

    def abroad(self, make: Callable[[], bytes]) -> bytes:
        """Return what `make` gives of an instance of a class of others, unless that leads far."""

    def named(self, tag: bytes, values: Mapping[str, Any]) -> bytes:
        """Return values by their names."""

    def items(self, tag: bytes, items: Iterable[Any]) -> bytes:
        """Return values in their order."""


def own(look: Look, value: Any) -> bytes:
    """Return an instance of a class of the user's: the class, its fields, and what it is besides."""
    cls = type(value)
    if look.watch is not None:
        look.watch.box(lambda: _flat(value), [*_flat(value)])
    made = [look.code(cls), look.named(b"d", _fields(value))]
    base = next((base for base in _CONTAINERS if issubclass(cls, base)), None)
    if base is not None:
        made.append(look.opaque(value, lambda: look.content(_copied(base, value))))
    elif _has_more(cls):
        made.append(look.opaque(value, lambda: _reduced(look, value)))
    return sequence(b"instance", made)


def foreign(look: Look, value: Any) -> bytes:
    """Return an instance of a class of others: the class, and what it is made of."""
    wrapped = _wrapped(value)
    if wrapped is not None:
        return sequence(b"wrapper", [look.code(type(value)), look.content(wrapped)])
    make = partial(look.abroad, lambda: sequence(b"foreign", [look.code(type(value)), _reduced(look, value)]))
    return look.opaque(value, make)


def _wrapped(value: Any) -> Any:
    """Return what an object of others wraps, as a cache does around a function of the user's."""
    try:
        return object.__getattribute__(value, "__wrapped__")
    except AttributeError:
        return None


def _flat(value: Any) -> list[Any]:
    fields = _fields(value)
    return [type(value), *fields, *fields.values()]


_slots_of: Remembered[tuple[str, ...]] = Remembered()


def dict_of(value: Any) -> dict[str, Any]:
    """Return the dict of an object, whatever its class says of attributes; an empty one where it has none."""
    try:
        found: dict[str, Any] = object.__getattribute__(value, "__dict__")
    except AttributeError:
        return {}
    return found


def _fields(value: Any) -> dict[str, Any]:
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


def _has_more(cls: type) -> bool:
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


def _reduced(look: Look, value: Any) -> bytes:
    """Return what an object is made of as `pickle` would have it; only code of its class is called for that."""
    try:
        made = value.__reduce_ex__(4)
        if isinstance(made, str):
            return sized(b"name", made.encode())
        function, arguments, *more = made
        state, items, pairs = (*more, None, None, None)[:3]
        rest = [state, None if items is None else list(items), None if pairs is None else list(pairs)]
    except RecursionError:
        raise
    except Exception:  # noqa: BLE001 - code of others, which says in many ways that it has no content
        raise Uncacheable(f"({a(type(value))}) has no content to key by") from None
    try:
        return look.items(b"reduced", [function, arguments, *rest])
    except Uncacheable as refusal:
        raise Uncacheable(f"({a(type(value))}) has no content to key by") from refusal
