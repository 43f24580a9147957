"""What an agent of another package is made of, as far as its answers depend on it: for a key.

A key takes code that is installed by its version. But what such code makes of the user's things, closures and objects around a
model, a prompt or a function, is no part of that: here it is taken apart, until what is left is the user's own, or plain.
"""

from __future__ import annotations

from functools import cached_property, partial
from types import FunctionType, MethodType
from typing import TYPE_CHECKING, Any

from ..keying import Uncacheable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

#: The packages whose functions and objects are taken apart.
PACKAGES = {"agno", "langchain", "langchain_classic", "langchain_core", "langgraph"}
#: What keeps things from one call to the next, beyond what a key can see.
KEEPING = ["langgraph.checkpoint", "langgraph.store", "agno.db"]


def is_of(kind: type, packages: Iterable[str]) -> bool:
    """Say whether a class, or one that it derives from, is of such a package or module.

    >>> is_of(partial, ["functools"]), is_of(partial, ["func"])
    (True, False)
    """
    return any(f"{base.__module__}.".startswith(f"{package}.") for base in kind.__mro__ for package in packages)


def made_of(value: Any, around: tuple[int, ...] = ()) -> Any:
    """Return what a value is made of: things of those packages taken apart, everything else as it is.

    >>> made_of((1, "b")), made_of(partial(print, 1))
    ([1, 'b'], ['partial', <built-in function print>, [1], [{}]])
    """
    if id(value) in around:
        return ["around", len(around) - around.index(id(value))]

    def inner(part: Any) -> Any:
        return made_of(part, (*around, id(value)))

    made = value
    if isinstance(value, (str, bytes, int, float, bool, type, type(None))):
        pass
    elif isinstance(value, (list, tuple)):
        made = [*_kind(value), *(inner(item) for item in value)]
    elif isinstance(value, dict):
        made = [*_kind(value), {key: inner(item) for key, item in value.items()}]
    elif isinstance(value, partial):
        made = ["partial", inner(value.func), inner(value.args), inner(value.keywords)]
    elif isinstance(value, MethodType) and is_of(type(value.__self__), PACKAGES):
        made = ["method", inner(value.__self__), value.__func__]
    elif isinstance(value, FunctionType) and (place := _place(value)).partition(".")[0] in PACKAGES:
        made = ["function", place, value.__code__.co_qualname, *_closed_over(value, inner)]
    elif is_of(type(value), KEEPING):
        raise Uncacheable(f"({type(value).__name__}) keeps things, which are no part of a key")
    elif is_of(type(value), PACKAGES) and (parts := _attributes(value)) is not None:
        made = [type(value), {name: inner(part) for name, part in parts.items()}]
    return made


def _place(function: FunctionType) -> str:
    """Return the module in which a function stands, also where it passes for the one that it wraps."""
    return str(function.__globals__.get("__name__"))


def _kind(value: Any) -> list[type]:
    """Return the class of a container, unless it is one of Python's own."""
    return [] if type(value) in {list, tuple, dict} else [type(value)]


def _closed_over(function: FunctionType, inner: Callable[[Any], Any]) -> list[Any]:
    """Return what a function of a package has around it, and is given when nothing else is."""
    cells: dict[str, Any] = {}
    for name, cell in zip(function.__code__.co_freevars, function.__closure__ or (), strict=True):
        try:
            cells[name] = inner(cell.cell_contents)
        except ValueError:  # not filled yet
            cells[name] = None
    wrapped = getattr(function, "__wrapped__", None)
    return [cells, inner(function.__defaults__), inner(function.__kwdefaults__), inner(wrapped)]


def _attributes(value: Any) -> dict[str, Any] | None:
    """Return the attributes of an object of a package, of a model of pydantic its fields; None where it shows none."""
    kinds = type(value).__mro__
    if (fields := getattr(type(value), "model_fields", None)) is not None:
        found = {name: getattr(value, name, None) for name, field in fields.items() if not field.exclude}
        found |= value.model_extra or {}
    else:
        slots = {name for kind in kinds for name in vars(kind).get("__slots__", ())} - {"__dict__", "__weakref__"}
        if not slots and not hasattr(value, "__dict__"):
            return None
        worked_out = {name for kind in kinds for name, one in vars(kind).items() if isinstance(one, cached_property)}
        found = {**{name: getattr(value, name, None) for name in sorted(slots)}, **getattr(value, "__dict__", {})}
        found = {name: part for name, part in found.items() if name not in worked_out}
    return found
