"""Classes and modules as they count: what is defined in them, as it is now."""

from __future__ import annotations

from enum import Enum
from functools import partial
from types import FunctionType, ModuleType
from typing import TYPE_CHECKING, Any

from .origin import is_own, name_of
from .part import SOURCE, Entry, Uncacheable, clipped
from .plain import SCALARS, sequence
from .source import class_source

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from .walk import Walk

#: What Python and others note in a class, and what does not act.
_NOTES = {
    *("__dict__", "__weakref__", "__doc__", "__module__", "__qualname__", "__firstlineno__", "__static_attributes__"),
    *("_abc_impl", "__abstractmethods__", "__annotate__", "__annotate_func__", "__annotations_cache__", "__slotnames__"),
    *("__orig_bases__", "__parameters__", "__signature__", "__match_args__", "__annotations__"),
}
#: Of what pydantic notes in a class, this says what its models are.
_FIELDS = "__pydantic_fields__"
_METHODS = (FunctionType, classmethod, staticmethod, property)
#: What a module is, beside what is defined in it.
_OF_MODULE = {"__builtins__", "__cached__", "__doc__", "__file__", "__loader__", "__spec__", "__path__"}


def class_content(walk: Walk, cls: type, name: str) -> bytes:
    """Return a class as its name, its bases and its members; what it has of others is a base, too."""
    space = vars(cls)
    walk.watch.box(lambda: [*space, *space.values(), *cls.__bases__], [*space, *space.values(), *cls.__bases__])
    shape = [SCALARS[str](f"{cls.__module__}:{cls.__qualname__}")]
    shape += [walk.value(base, "class", base.__name__, partial(walk.code, base)) for base in (type(cls), *cls.__bases__)]
    made = []
    for member, value in sorted(_members(cls, space).items()):
        shape.append(SCALARS[str](member))
        what, place = "method" if isinstance(value, _METHODS) else "attribute", f"{name}.{member}"
        if what == "attribute" and member.startswith("__"):  # no part of its own: it follows from what the user wrote
            shape.append(walk.value(value, what, place, partial(walk.fixed, value)))
        else:
            made.append(walk.value(value, what, place))
    if annotations := space.get("__annotations__"):
        shape.append(walk.value(annotations, "class", name, partial(walk.fixed, dict(annotations))))
    walk.note(Entry("class", name, b"".join(shape), lambda: clipped(class_source(cls) or f"<class {name}>", SOURCE)))
    return sequence(b"class", [*shape, *made])


def _members(cls: type, space: Mapping[str, Any]) -> dict[str, Any]:
    names = [name for name in space if name not in _NOTES and (name == _FIELDS or not name.startswith("__pydantic"))]
    if not issubclass(cls, Enum):
        return {name: space[name] for name in names}
    members = {name: member._value_ for name, member in cls.__members__.items()}
    own = {name: space[name] for name in names if name not in members and isinstance(space[name], _METHODS)}
    return {**own, "members": members}


def made_in(cls: type) -> Iterator[FunctionType]:
    """Yield the methods of a class that hold something, besides the class itself."""
    for member in vars(cls).values():
        inner = getattr(member, "__func__", member)
        if type(inner) is FunctionType and {*inner.__code__.co_freevars} - {"__class__"}:
            yield inner


def derived_content(walk: Walk, cls: type) -> bytes:
    """Return a class of others that was made with something of the user's: its bases, and what its methods hold."""
    walk.watch.box(lambda: [*cls.__bases__, *made_in(cls)], [*cls.__bases__, *made_in(cls)])
    made = [SCALARS[str](name_of(cls)), *(walk.code(base) for base in cls.__bases__)]
    return sequence(b"derived", [*made, *(walk.code(method) for method in made_in(cls))])


def module_content(walk: Walk, module: ModuleType, name: str) -> bytes:
    """Return a module that is used as a whole: all that is defined in it and has a content."""
    space = vars(module)
    walk.watch.box(lambda: [*space, *space.values()], [*space, *space.values()])
    made = [SCALARS[str](module.__name__)]
    for member in sorted(set(space) - _OF_MODULE):
        value = space[member]
        try:
            content = (
                b"module"
                if isinstance(value, ModuleType) and not is_own(value)
                else walk.value(value, "global", f"{name}.{member}")
            )
        except Uncacheable:
            content = SCALARS[str](type(value).__name__)
        made.append(SCALARS[str](member) + content)
    return sequence(b"module", made)
