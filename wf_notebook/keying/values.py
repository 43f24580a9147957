"""Values as bytes by their type and content, whatever they are made of; functions and classes in them by their code."""

from __future__ import annotations

from collections import Counter, OrderedDict, defaultdict, deque
from functools import cached_property, partial
from types import (
    BuiltinFunctionType,
    CellType,
    ClassMethodDescriptorType,
    CodeType,
    FunctionType,
    GenericAlias,
    GetSetDescriptorType,
    MappingProxyType,
    MemberDescriptorType,
    MethodDescriptorType,
    MethodType,
    MethodWrapperType,
    ModuleType,
    UnionType,
    WrapperDescriptorType,
)
from typing import TYPE_CHECKING, Any

from ..codec.kind import DEEPEST
from . import things
from .changing import Changes
from .origin import name_of
from .part import Uncacheable
from .plain import SCALARS, framed, sequence, sized, unordered
from .source import fingerprint

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from .watch import Watch

TOO_DEEP = f"is nested too deeply (beyond {DEEPEST} levels)"
ENDLESS = "contains itself"
#: Objects inside an instance of a class of others, at most: more are the world around it, and no content.
_WORLD = 10_000


class Values:
    """One look at values. `code` gives the bytes that stand for a function, class or module.

    Where `edges` grows by that, what was added belongs to the value, too. What can change is noted in `watch`; `alone` gives the
    content of a value by a look of its own. While what code of others holds is looked at, `changes` says what that changes.
    """

    def __init__(
        self,
        code: Callable[[Any], bytes],
        watch: Watch | None = None,
        alone: Callable[[Any, Changes | None], bytes] | None = None,
        changes: Changes | None = None,
    ) -> None:
        self.code = code
        self.edges: list[int] = []
        self.watch = watch
        self.changes = changes
        self.all_changes = changes or Changes()
        self._alone = alone
        self._known: dict[int, tuple[Any, bytes, list[int]]] = {}
        self._around: dict[int, int] = {}
        #: The outermost of the values around, to which one within it came back.
        self._back = DEEPEST + 1
        self._abroad: int | None = None

    def content(self, value: Any) -> bytes:
        """Return the bytes of a value; raise Uncacheable, without a name, if it has none."""
        kind = type(value)
        scalar = SCALARS.get(kind)
        if scalar is not None:
            return scalar(value)
        known = self._known.get(id(value))
        if known is not None:
            self.edges += known[2]
            return known[1]
        depth = len(self._around)
        if id(value) in self._around:
            return self._come_back(value)
        if depth >= DEEPEST:
            raise Uncacheable(TOO_DEEP)
        self._around[id(value)] = depth
        start, watch = len(self.edges), self.watch
        try:
            if watch is not None and kind in BOXES:
                self._note(value, BOXES[kind])
            content = KINDS.get(kind, _other)(self, value)
        except Uncacheable as refusal:
            refusal.around.append(value)
            raise
        finally:
            del self._around[id(value)]
            self.watch = watch
        if self._back >= depth:  # it stands for itself, wherever it is met again
            self._back = DEEPEST + 1
            self._known[id(value)] = value, content, self.edges[start:]
        return content

    def _come_back(self, value: Any) -> bytes:
        if type(value) in KINDS:
            raise Uncacheable(ENDLESS)
        place = self._around[id(value)]
        self._back = min(self._back, place)
        return sized(b"^", b"%d" % (len(self._around) - place))

    def _note(self, value: Any, items: Callable[[Any], list[Any]]) -> None:
        """Note what is in a container, so that it is seen when that changes; in a plain one all that is in it."""
        assert self.watch is not None
        if self.watch.plain(value):
            self.watch = None
        else:
            self.watch.box(partial(items, value), items(value))

    def opaque(self, value: Any, make: Callable[[], bytes]) -> bytes:
        """Return what `make` gives of a value, and note that only its content says whether it changed."""
        watch, self.watch = self.watch, None
        content = make()
        if watch is not None:
            alone = self._alone
            watch.opaque(partial(self.content, value) if alone is None else partial(alone, value, self.changes))
        return content

    def held(self, make: Callable[[], bytes]) -> bytes:
        """Return what `make` gives of what code of others holds, without what that changes itself."""
        outer, self.changes = self.changes, self.all_changes
        try:
            return make()
        finally:
            self.changes = outer

    def abroad(self, make: Callable[[], bytes]) -> bytes:
        """Return what `make` gives of an instance of a class of others, unless that leads far."""
        outer = self._abroad
        self._abroad = len(self._known) if outer is None else outer
        try:
            return make()
        finally:
            self._abroad = outer

    @property
    def is_abroad(self) -> bool:
        """Whether what is looked at lies in an instance of a class of others."""
        return self._abroad is not None

    def items(self, tag: bytes, items: Iterable[Any]) -> bytes:
        """Return values in their order."""
        if self._abroad is not None and len(self._known) > self._abroad + _WORLD:
            raise Uncacheable("holds too much to key by")
        return sequence(tag, [self.content(item) for item in items])

    def named(self, tag: bytes, values: Mapping[str, Any]) -> bytes:
        """Return values by their names; their order does not count."""
        return sequence(tag, [SCALARS[str](name) + self.content(values[name]) for name in sorted(values)])


def _other(look: Values, value: Any) -> bytes:
    return look.code(value) if issubclass(type(value), type | FunctionType | ModuleType) else things.content(look, value)


def _flat(value: Any) -> list[Any]:
    return [*value.keys(), *value.values()]


#: What can be changed of these, but for the items themselves.
BOXES: dict[type, Callable[[Any], list[Any]]] = {
    **dict.fromkeys((list, set, deque), list),
    **dict.fromkeys((dict, MappingProxyType, Counter, OrderedDict), _flat),
    defaultdict: lambda value: [value.default_factory, *_flat(value)],
}


def _row(tag: bytes) -> Callable[[Values, Any], bytes]:
    return lambda look, value: sequence(tag, [look.content(item) for item in list(value)])


def _set(tag: bytes) -> Callable[[Values, Any], bytes]:
    return lambda look, value: unordered(tag, [look.content(item) for item in list(value)])


def _dict(tag: bytes) -> Callable[[Values, Any], bytes]:
    """A dict, whose order does not count."""

    def write(look: Values, value: Any) -> bytes:
        if look.changes is not None and "__builtins__" in value:  # of a module, to look up names in
            return sized(b"names", str(value.get("__name__")).encode())
        items = list(value.items())
        keys = sorted((look.content(key), place) for place, (key, _) in enumerate(items))
        return sequence(tag, [key + look.content(items[place][1]) for key, place in keys])

    return write


def _cell(look: Values, cell: CellType) -> bytes:
    try:
        value = cell.cell_contents
    except ValueError:
        return look.opaque(cell, lambda: b"empty")
    if look.watch is not None:
        look.watch.cell(cell, value)
    return framed(b"cell", look.content(value))


def _builtin(look: Values, value: Any) -> bytes:
    """A function written in C, or a method of a value bound to it."""
    owner = getattr(value, "__self__", None)
    if owner is None or isinstance(owner, ModuleType | type):
        return look.code(value)
    return sequence(b"bound", [SCALARS[str](value.__name__), look.content(owner)])


def _partial(look: Values, value: partial[Any]) -> bytes:
    return look.items(b"partial", (value.func, value.args, value.keywords, vars(value)))


#: How values of exactly these types are written, beside the plain ones.
KINDS: dict[type, Callable[[Values, Any], bytes]] = {
    list: _row(b"l"),
    tuple: _row(b"t"),
    dict: _dict(b"d"),
    MappingProxyType: _dict(b"proxy"),
    Counter: _dict(b"counter"),
    OrderedDict: lambda look, value: look.items(b"ordered", list(value.items())),
    defaultdict: lambda look, value: look.content(value.default_factory) + _dict(b"defaultdict")(look, value),
    set: _set(b"z"),
    frozenset: _set(b"y"),
    deque: lambda look, value: look.items(b"deque", [value.maxlen, *value]),
    bytearray: lambda look, value: look.opaque(value, lambda: framed(b"a", bytes(value))),
    MethodType: lambda look, value: look.items(b"method", (value.__func__, value.__self__)),
    partial: _partial,
    property: lambda look, value: look.items(b"property", (value.fget, value.fset, value.fdel)),
    cached_property: lambda look, value: look.items(b"cached", (value.func,)),
    classmethod: lambda look, value: look.items(b"classmethod", (value.__func__,)),
    staticmethod: lambda look, value: look.items(b"staticmethod", (value.__func__,)),
    BuiltinFunctionType: _builtin,
    MethodWrapperType: _builtin,
    CellType: _cell,
    CodeType: lambda _, value: fingerprint(value),
    GenericAlias: lambda look, value: look.items(b"generic", (value.__origin__, value.__args__)),
    UnionType: lambda look, value: look.items(b"union", value.__args__),
    **dict.fromkeys(
        (
            MethodDescriptorType,
            WrapperDescriptorType,
            ClassMethodDescriptorType,
            GetSetDescriptorType,
            MemberDescriptorType,
        ),
        lambda _, value: sized(b"descriptor", name_of(value).encode()),
    ),
}
