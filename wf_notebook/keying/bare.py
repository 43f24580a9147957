"""Names that code reads, found in the code object itself: all there is where no source is at hand."""

from __future__ import annotations

import dis
from types import CodeType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_LOADS_GLOBAL = {"LOAD_GLOBAL", "LOAD_NAME", "LOAD_FROM_DICT_OR_GLOBALS"}
_LOADS_FREE = {"LOAD_DEREF", "LOAD_CLASSDEREF", "LOAD_FROM_DICT_OR_DEREF"}
_LOADS_ATTRIBUTE = {"LOAD_ATTR", "LOAD_METHOD"}
_LOADS_LOCAL = {"LOAD_FAST", "LOAD_FAST_CHECK", "LOAD_FAST_BORROW", "LOAD_DEREF", "LOAD_CLASSDEREF"}
#: They do two things at once, and end with a local name.
_LOADS_SECOND = {"LOAD_FAST_LOAD_FAST", "STORE_FAST_LOAD_FAST", "LOAD_FAST_BORROW_LOAD_FAST_BORROW"}
#: They only prepare a cell for an inner function, in which it is seen.
_PREPARES = {"MAKE_CELL", "COPY_FREE_VARS", "LOAD_CLOSURE"}


def inner(code: CodeType) -> Iterator[CodeType]:
    """Yield a code object and all that are defined within it."""
    yield code
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from inner(constant)


def global_names(code: CodeType) -> frozenset[str]:
    """Return the names that code reads from its module or the builtins.

    >>> sorted(global_names((lambda items: [LIMIT for _ in map(str, items)]).__code__))
    ['LIMIT', 'map', 'str']
    """
    return frozenset(step.argval for one in inner(code) for step in dis.get_instructions(one) if step.opname in _LOADS_GLOBAL)


def chains(code: CodeType) -> list[tuple[str, tuple[str, ...]]]:
    """Return the global and free names that code reads, each with the attributes that follow it.

    >>> chains((lambda: helpers.text.clean(LIMIT)).__code__)
    [('helpers', ('text', 'clean')), ('LIMIT', ())]
    """
    found: dict[tuple[str, tuple[str, ...]], None] = {}
    for one in inner(code):
        steps = list(dis.get_instructions(one))
        for place, step in enumerate(steps):
            if step.opname in _LOADS_GLOBAL or (step.opname in _LOADS_FREE and step.argval in one.co_freevars):
                found[step.argval, tuple(_attributes(steps, place))] = None
    return list(found)


def attributes_of(code: CodeType, name: str) -> set[str] | None:
    """Return the attributes that are read of a parameter; None if anything else is done with it.

    >>> sorted(attributes_of((lambda self: [self.topic for _ in self.items()]).__code__, "self"))
    ['items', 'topic']
    >>> attributes_of((lambda self: print(self)).__code__, "self")
    """
    found = set()
    for one in inner(code):
        steps = list(dis.get_instructions(one))
        for place, step in enumerate(steps):
            named = step.argval == name or (isinstance(step.argval, tuple) and name in step.argval)
            if not named or step.opname in _PREPARES or (step.opname == "LOAD_CONST"):
                continue
            if step.opname in _LOADS_ATTRIBUTE or step.opname in _LOADS_GLOBAL:
                continue
            following = steps[place + 1] if place + 1 < len(steps) else None
            is_last = isinstance(step.argval, tuple) and step.argval[-1] == name and name not in step.argval[:-1]
            if following is None or not (step.opname in _LOADS_LOCAL or (step.opname in _LOADS_SECOND and is_last)):
                return None
            if following.opname in _LOADS_ATTRIBUTE:
                found.add(following.argval)
            elif following.opname != "STORE_ATTR":
                return None
    return found


def _attributes(steps: list[dis.Instruction], place: int) -> Iterator[str]:
    for step in steps[place + 1 :]:
        if step.opname not in _LOADS_ATTRIBUTE:
            return
        yield step.argval
