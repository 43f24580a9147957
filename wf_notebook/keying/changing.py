"""What code of others changes itself when it runs, of what it was made with: counters, caches and statistics are no setting."""

from __future__ import annotations

import dis
from collections import Counter, deque
from collections.abc import MutableMapping, MutableSequence, MutableSet
from types import CodeType, FunctionType
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from .bare import inner
from .instances import dict_of
from .origin import is_own
from .remembered import Remembered

if TYPE_CHECKING:
    from collections.abc import Iterator

#: A name that is free in code or is its first parameter, and the attributes that follow it.
Path: TypeAlias = "tuple[str, ...]"

_LOADS = {"LOAD_FAST", "LOAD_FAST_CHECK", "LOAD_FAST_BORROW", "LOAD_DEREF", "LOAD_CLASSDEREF"}
_LOADS_TWO = {"LOAD_FAST_LOAD_FAST", "LOAD_FAST_BORROW_LOAD_FAST_BORROW", "STORE_FAST_LOAD_FAST"}
_BETWEEN = {"CACHE", "PRECALL", "EXTENDED_ARG", "PUSH_NULL", "NOP", "NOT_TAKEN"}
#: What is kept under a constant key may be a setting that is filled in.
_CONSTANT = {"LOAD_CONST", "LOAD_SMALL_INT"}
_ATTRIBUTE = {"LOAD_ATTR", "LOAD_METHOD"}
#: Methods of containers that are called to keep a count or a cache; others, such as `update`, may fill in settings.
_KEEP = {"append", "appendleft", "add", "popleft", "popitem", "discard", "clear", "move_to_end"}
_CONTAINERS = (MutableMapping, MutableSequence, MutableSet, deque)
#: Methods by which an instance is used that something is called through.
_USED = ("__call__", "__enter__", "__exit__", "__aenter__", "__aexit__")


class Changes:
    """What functions of others change, by identity: attributes of objects, and what cells hold.

    >>> def counted(function):
    ...     calls, seen = 0, {}
    ...     def call(*args):
    ...         nonlocal calls
    ...         calls += 1
    ...         seen[args] = function(*args)
    ...         return seen[args]
    ...     return call
    >>> changes, call = Changes(), counted(print)
    >>> changes.of(call)
    >>> [changes.holds(cell) for cell in call.__closure__]  # calls, function, seen
    [True, False, True]
    """

    def __init__(self) -> None:
        self._attributes: dict[tuple[int, str], Any] = {}
        self._things: dict[int, Any] = {}
        self._looked_at: set[tuple[int, int]] = set()

    def of(self, function: FunctionType) -> None:
        """Take in what a function changes: of its cells, and of the objects of others in them."""
        self._take(function, None)

    def used(self, value: Any) -> None:
        """Take in what an object of others changes when it is called or entered."""
        for name in _USED:
            self._called(value, name)

    def holds(self, thing: Any) -> bool:
        """Return whether this very cell or object is changed."""
        return id(thing) in self._things

    def attribute(self, owner: Any, name: str, value: Any) -> bool:
        """Return whether this attribute of this very object is changed, or the value that it has."""
        return (id(owner), name) in self._attributes or id(value) in self._things

    def _take(self, function: FunctionType, owner: Any) -> None:
        code = function.__code__
        if (place := (id(code), id(owner if owner is not None else function))) in self._looked_at:
            return
        self._looked_at.add(place)
        cells = dict(zip(code.co_freevars, function.__closure__ or (), strict=True))
        names = {name: found[0] for name, cell in cells.items() if (found := _in(cell))}
        if owner is not None and code.co_argcount:
            names[code.co_varnames[0]] = owner
        changed, kept, read = _paths(code)
        for path in changed | kept:
            self._change(path, cells, names, by_method=path not in changed)
        for value in [*names.values()] if owner is None else ():
            self.used(value)
        for root, *between, name in read:
            self._called(_led(names.get(root), between), name)

    def _change(self, path: Path, cells: dict[str, Any], names: dict[str, Any], *, by_method: bool) -> None:
        root, *attributes = path
        if by_method and not isinstance(_led(names.get(root), attributes), _CONTAINERS):
            return
        if not attributes:
            self._things |= {id(thing): thing for thing in (cells.get(root), names.get(root)) if _is_lasting(thing)}
        elif (owner := _led(names.get(root), attributes[:-1])) is not None:
            self._attributes[id(owner), attributes[-1]] = owner

    def _called(self, owner: Any, name: str) -> None:
        cls = type(owner)
        if owner is None or issubclass(cls, type | FunctionType) or is_own(cls):
            return
        found = next((vars(base)[name] for base in cls.__mro__ if name in vars(base)), None)
        if isinstance(found, FunctionType) and not is_own(found):
            self._take(found, owner)


def _in(cell: Any) -> tuple[Any, ...]:
    try:
        return (cell.cell_contents,)
    except ValueError:
        return ()


def _led(value: Any, attributes: list[str]) -> Any:
    """Return what attributes lead to, by what lies in the dicts of objects; None where that is nothing."""
    for name in attributes:
        value = dict_of(value).get(name)
    return value


def _is_lasting(thing: Any) -> bool:
    """Return whether a thing can be told by its identity: numbers and texts cannot."""
    return thing is not None and not isinstance(thing, str | int | float | tuple | frozenset | FunctionType | type)


class _Paths(NamedTuple):
    """The paths that code changes, those on which it calls a method that may, and those with attributes that it reads."""

    changed: frozenset[Path]
    kept: frozenset[Path]
    read: frozenset[Path]


_known: Remembered[_Paths] = Remembered()


def _paths(code: CodeType) -> _Paths:
    """Return the paths of code.

    >>> def call(self, key): self.calls += 1; self.seen[key] = 1; self.stats["n"] += 1; self.options["n"] = self.own.add(key)
    >>> changed, kept, read = _paths(call.__code__)
    >>> sorted(changed), sorted(kept)
    ([('self', 'calls'), ('self', 'seen'), ('self', 'stats')], [('self', 'own')])
    """
    known = _known.get(code)
    if known is not None:
        return known
    changed: set[Path] = set()
    kept: set[Path] = set()
    read: set[Path] = set()
    for one in inner(code):
        names = {*one.co_freevars, *(code.co_varnames[:1] if one is code and code.co_argcount else ())}
        steps = [step for step in dis.get_instructions(one) if step.opname not in _BETWEEN]
        aliases = _aliases(steps)
        for found, paths in ((changed, _changed(steps)), (kept, _kept(steps)), (read, _read(steps))):
            whole = ((*aliases.get(path[0], path[:1]), *path[1:]) for path in paths)
            found.update(path for path in whole if path[0] in names)
    return _known.put(code, _Paths(frozenset(changed), frozenset(kept), frozenset(read)))


def _changed(steps: list[dis.Instruction]) -> Iterator[Path]:
    for place, step in enumerate(steps):
        match step.opname:
            case "STORE_DEREF" | "DELETE_DEREF":
                yield (step.argval,)
            case "STORE_ATTR" | "DELETE_ATTR":
                path = _path(steps, place - 1) or _copied(steps, place, step.argval)
                if path:
                    yield (*path, step.argval)
            case "STORE_SUBSCR" | "DELETE_SUBSCR" if steps[place - 1].opname not in _CONSTANT:
                begins = _begin(steps, place - 1)
                path = _before(steps, begins) if begins is not None else _copied(steps, place)
                if path:
                    yield path


def _kept(steps: list[dis.Instruction]) -> Iterator[Path]:
    for place, step in enumerate(steps):
        if step.opname in _ATTRIBUTE and (
            step.argval in _KEEP or (step.argval == "setdefault" and steps[place + 1].opname not in _CONSTANT)
        ):
            yield _path(steps, place - 1) or ("",)


def _aliases(steps: list[dis.Instruction]) -> dict[str, Path]:
    """Return the paths that local names stand for, of those that are bound once."""
    stored = [(step.argval if step.opname == "STORE_FAST" else step.argval[0], place) for place, step in _stores(steps)]
    counts = Counter(name for name, _ in stored)
    return {name: path for name, place in stored if counts[name] == 1 and (path := _path(steps, place - 1))}


def _stores(steps: list[dis.Instruction]) -> Iterator[tuple[int, dis.Instruction]]:
    for place, step in enumerate(steps):
        if step.opname in {"STORE_FAST", "STORE_FAST_LOAD_FAST", "STORE_FAST_STORE_FAST"}:
            yield place, step


def _read(steps: list[dis.Instruction]) -> Iterator[Path]:
    for place, step in enumerate(steps):
        if step.opname in _ATTRIBUTE and (path := _path(steps, place)):
            yield path


def _path(steps: list[dis.Instruction], place: int) -> Path:
    """Return the path that is on the stack after this step, an empty one if it is none."""
    attributes: list[str] = []
    while place >= 0 and steps[place].opname in _ATTRIBUTE:
        attributes.insert(0, steps[place].argval)
        place -= 1
    if place < 0:
        return ()
    if steps[place].opname == "COPY" and attributes:  # of what is changed by `+=`
        return (*_path(steps, place - 1), *attributes)
    if steps[place].opname in _LOADS:
        return (steps[place].argval, *attributes)
    return (steps[place].argval[-1], *attributes) if steps[place].opname in _LOADS_TWO else ()


def _begin(steps: list[dis.Instruction], place: int) -> int | None:
    """Return where a constant or path begins that ends with this step; None if it is none."""
    while place > 0 and steps[place].opname in _ATTRIBUTE:
        place -= 1
    return place if steps[place].opname in {*_LOADS, *_LOADS_TWO, *_CONSTANT, "LOAD_GLOBAL"} else None


def _before(steps: list[dis.Instruction], begins: int) -> Path:
    if steps[begins].opname in _LOADS_TWO and not steps[begins].opname.startswith("STORE"):
        return (steps[begins].argval[0],)
    return _path(steps, begins - 1)


def _copied(steps: list[dis.Instruction], place: int, name: str | None = None) -> Path:
    """Return what `+=` adds to: an attribute of a path, or an item of one."""
    if steps[place - 1].opname != "SWAP":
        return ()
    for earlier in range(place - 2, 0, -1):
        if steps[earlier].opname != "COPY":
            continue
        if name is not None and steps[earlier + 1].opname in _ATTRIBUTE and steps[earlier + 1].argval == name:
            return _path(steps, earlier - 1)
        if name is None and steps[earlier - 1].opname == "COPY":
            begins = _begin(steps, earlier - 2)
            return () if begins is None else _before(steps, begins)
    return ()
