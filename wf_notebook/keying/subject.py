"""`self` of a step: the attributes that its methods read, each by its code or by its value at the time."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cached_property, partialmethod, singledispatchmethod
from inspect import CO_VARARGS
from types import FunctionType
from typing import TYPE_CHECKING, Any, NamedTuple

from .instances import dict_of
from .origin import OURS, is_own, package_of
from .part import StateUse, Uncacheable
from .plain import SCALARS
from .uses import STATE, Key, Pass, Uses, uses_of
from .walk import ABSENT

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .reach import Chain, Reach
    from .walk import Walk

#: Methods of a workflow that give all of its state.
_GIVES_STATE = {"read_from_storage", "load_session"}
NOTHING = object()


class Read(NamedTuple):
    """A value that is read of `self` at each call; `get` gives NOTHING where there is none."""

    what: str
    name: str
    get: Callable[[Any], Any]


class Subject:
    """What `self` is, as far as its class says; what has to be read of each instance is gathered in `reads`.

    Where its state counts elsewhere, nothing of that is read (`reads_state`).
    """

    def __init__(self, instance: Any, *, reads_state: bool = True) -> None:
        self.cls, self._reads_state = type(instance), reads_state
        self.reads: dict[tuple[str, Any], Read] = {}
        #: Keys of the state that are read, and those that are set; and whether others may be, by a name known only then.
        self.read: set[Any] = set()
        self.written: set[Any] = set()
        self.writes_anywhere = False
        #: Names that were looked up in the dict of the instance.
        self.asked: set[str] = set()
        self._present = frozenset(dict_of(instance))
        self._spaces: dict[type, Mapping[str, Any]] = {}

    @property
    def present(self) -> frozenset[str]:
        """Those of the names that are in the dict of the instance."""
        return self._present & self.asked

    def state_use(self) -> StateUse:
        """Return which keys of the state are read and set."""
        return StateUse(frozenset(self.read), frozenset(self.written), self.writes_anywhere)

    def content(self, walk: Walk, function: FunctionType, reach: Reach, parameter: str) -> Iterator[bytes]:
        """Yield what a function reads of `self`, which is one of its parameters."""
        uses = uses_of(function, reach, parameter)
        if isinstance(self._look_up(walk, "__getattribute__"), FunctionType):
            raise Uncacheable(f"looks up attributes of `{self.cls.__name__}` by a method of its own", what="class", name="self")
        for escape in uses.escapes:
            if escape.of_state and not self._reads_state:
                continue
            raise _refused(f"{escape.why} in", function, escape.line)
        for attribute in uses.attributes:
            yield SCALARS[str](attribute) + self._attribute(walk, attribute, function)
        for attribute in uses.stores:
            yield SCALARS[str](attribute) + self._setter(walk, attribute)
        if self._reads_state:
            yield from self._state(walk, function, reach, uses)
        for attribute in uses.supers:
            yield SCALARS[str](attribute) + self._attribute(walk, attribute, function, after=_class_of(function))
        for one in uses.passes:
            yield self._passed(walk, function, one)
        if uses.whole_class:
            yield walk.value(self.cls, "class", self.cls.__name__)

    # -- attributes --------------------------------------------------------------------------------------------------------

    def _look_up(self, walk: Walk, name: str, after: type | None = None) -> Any:
        """Return what the class has under a name, NOTHING if it has none, and note where that is found."""
        order = self.cls.__mro__
        for base in order[order.index(after) + 1 if after in order else 0 :]:
            space = self._spaces.setdefault(base, vars(base))
            if name in space:
                walk.watch.name(space, name, space[name])
                return space[name]
            walk.watch.absent(space, name)
        return NOTHING

    def _attribute(self, walk: Walk, name: str, function: FunctionType, after: type | None = None) -> bytes:
        found = self._look_up(walk, name, after)
        if after is None and not hasattr(type(found), "__set__"):
            self.asked.add(name)
            if name in self._present:
                self._read("attribute", name, lambda instance: dict_of(instance).get(name, NOTHING))
                return b"" if not isinstance(found, cached_property) else self._of_class(walk, name, found, function)
        if found is NOTHING:
            more = self._look_up(walk, "__getattr__")
            return ABSENT if more is NOTHING else self._of_class(walk, "__getattr__", more, function)
        return self._of_class(walk, name, found, function)

    def _of_class(self, walk: Walk, name: str, found: Any, function: FunctionType) -> bytes:
        """Return what a class has under a name: functions are called with `self`, by whatever kind of method they are."""
        if isinstance(found, classmethod | staticmethod):
            made = walk.value(found.__func__, "method", f"self.{name}")
            return made + walk.value(self.cls, "class", self.cls.__name__) if isinstance(found, classmethod) else made
        if isinstance(found, partialmethod | singledispatchmethod):
            beside, methods = _made_of(found)
            return walk.fixed(beside) + b"".join(self._of_class(walk, name, one, function) for one in methods)
        inner = _inner(found)
        if inner is not None and (is_own(inner) or not isinstance(found, property)):
            return self._method(walk, name, inner)
        get = getattr(type(found), "__get__", None)
        if isinstance(get, FunctionType) and is_own(get):
            made = walk.value(found, "attribute", f"self.{name}")
            return made + walk.value(get, "method", f"self.{name}", lambda: walk.refer(get, bind(get, walk.bound, 1)))
        if get is not None and not isinstance(found, type):
            self._read("attribute", name, lambda instance: getattr(instance, name, NOTHING))
            return walk.code(found.fget if isinstance(found, property) and found.fget else type(found))
        return walk.value(found, "attribute", f"self.{name}")

    def _method(self, walk: Walk, name: str, found: FunctionType) -> bytes:
        if is_own(found):
            return walk.value(found, "method", f"self.{name}", lambda: walk.refer(found, bind(found, walk.bound)))
        ours = package_of(found)[0] == OURS
        if ours and name in _GIVES_STATE and self._reads_state:
            raise Uncacheable(f"reads all of session_state by `{name}`", what="method", name=name)
        made = walk.value(found, "method", f"self.{name}", lambda: walk.refer(found, bind(found, walk.bound)))
        if not ours and "__wrapped__" not in vars(found):  # it may call any method of the user's class
            made += walk.value(self.cls, "class", self.cls.__name__)
        return made

    def _setter(self, walk: Walk, name: str) -> bytes:
        found = self._look_up(walk, name)
        if isinstance(found, property) and isinstance(found.fset, FunctionType) and is_own(found.fset):
            return self._method(walk, name, found.fset)
        return b""

    def _read(self, what: str, name: str, get: Callable[[Any], Any]) -> None:
        self.reads.setdefault((what, name), Read(what, f"self.{name}", get))

    # -- the state, and `self` handed on -----------------------------------------------------------------------------------

    def _state(self, walk: Walk, function: FunctionType, reach: Reach, uses: Uses) -> Iterator[bytes]:
        for one, line in uses.keys.items():
            key = self._named(walk, function, reach, one, line)
            name = f"{STATE}[{key!r}]" if not isinstance(key, str) else f'{STATE}["{key}"]'
            self.reads.setdefault(("state", (type(key), key)), Read("state", name, _state_at(key)))
            self.read.add(key)
            yield SCALARS[str](name)
        for written in uses.writes:
            key = NOTHING if written is None else self._constant(walk, function, reach, written)
            if key is NOTHING:
                self.writes_anywhere = True
            else:
                self.written.add(key)

    def _named(self, walk: Walk, function: FunctionType, reach: Reach, one: Key, line: int) -> Any:
        """Return a key of the state that is read."""
        value = self._constant(walk, function, reach, one)
        if value is NOTHING:
            raise _refused("reads session_state dynamically in", function, line)
        return value

    def _constant(self, walk: Walk, function: FunctionType, reach: Reach, one: Key) -> Any:
        """Return a key of the state, NOTHING if it is known only when it runs."""
        if one.name is None:
            return one.constant
        value = _followed(walk, function, one.name) if one.name.root in reach.names else NOTHING
        known = isinstance(value, str | int | float | None) or (isinstance(value, tuple) and all(map(_is_scalar, value)))
        return value if known else NOTHING

    def _passed(self, walk: Walk, function: FunctionType, one: Pass) -> bytes:
        """Return a function that is called with `self` as one of its arguments."""
        value = _followed(walk, function, one.function)
        value = value.__func__ if isinstance(value, staticmethod) else value
        if isinstance(value, FunctionType) and (is_own(value) or "__wrapped__" in vars(value)):
            parameter = bind(value, walk.bound, one.place)
            if parameter is not None or not is_own(value):
                return walk.value(value, "helper", str(one.function), lambda: walk.refer(value, parameter))
        raise _refused(f"hands `self` to `{one.function}` in", function, one.line)


def bind(function: FunctionType, bound: dict[int, str], place: int | str = 0) -> str | None:
    """Return the parameter that takes the argument at a place; what the function wraps, by `__wrapped__`, takes it there, too.

    >>> def clean(flow, *rest, topic=None): ...
    >>> [bind(clean, {}, place) for place in (0, 1, 2, "topic", "other")]
    ['flow', '*rest', None, 'topic', None]
    """
    wrapped: Any = vars(function).get("__wrapped__")
    if isinstance(wrapped, FunctionType) and id(wrapped) not in bound:
        bound[id(wrapped)] = ""
        bound[id(wrapped)] = bind(wrapped, bound, place) or ""
    code = function.__code__
    if isinstance(place, str):
        return place if place in code.co_varnames[code.co_posonlyargcount : code.co_argcount + code.co_kwonlyargcount] else None
    if place < code.co_argcount:
        return code.co_varnames[place]
    if place == code.co_argcount and code.co_flags & CO_VARARGS:
        return f"*{code.co_varnames[code.co_argcount + code.co_kwonlyargcount]}"
    return None


def _inner(found: Any) -> FunctionType | None:
    """Return the function that is called when an attribute of a class is read or called."""
    wrapped = {property: "fget", cached_property: "func"}.get(type(found), "__wrapped__")
    inner = found if isinstance(found, FunctionType) else getattr(found, wrapped, None)
    return inner if isinstance(inner, FunctionType) else None


def _made_of(found: partialmethod[Any] | singledispatchmethod[Any]) -> tuple[list[Any], list[Any]]:
    """Return what such a method knows of its arguments, and the methods that it calls."""
    if isinstance(found, partialmethod):
        return [found.args, found.keywords], [found.func]
    registry = found.dispatcher.registry
    return [*registry], [*registry.values()]


def _class_of(function: FunctionType) -> type | None:
    """Return the class that a method was defined in, as super() finds it."""
    names = function.__code__.co_freevars
    cell = (function.__closure__ or ())[names.index("__class__")] if "__class__" in names else None
    found = None if cell is None else cell.cell_contents
    return found if isinstance(found, type) else None


def _followed(walk: Walk, function: FunctionType, chain: Chain) -> Any:
    """Return what a chain leads to through modules and classes, NOTHING if that cannot be said."""
    try:
        value = walk.found(function, chain)
    except LookupError:
        return NOTHING
    for attribute in chain.attributes:
        owners = value.__mro__ if isinstance(value, type) else (value,)
        space: Any = next((vars(one) for one in owners if attribute in getattr(one, "__dict__", ())), None)
        if space is None:
            return NOTHING
        walk.watch.name(space, attribute, space[attribute])
        value = space[attribute]
    return value


def _state_at(key: Any) -> Callable[[Any], Any]:
    def get(instance: Any) -> Any:
        state = getattr(instance, STATE, None)
        return state.get(key, NOTHING) if isinstance(state, Mapping) else NOTHING

    return get


def _is_scalar(value: Any) -> bool:
    return isinstance(value, str | int | float | None)


def _refused(why: str, function: FunctionType, line: int) -> Uncacheable:
    name = function.__name__
    return Uncacheable(f"{why} `{name}`, line {line}", what="method", name=name)
