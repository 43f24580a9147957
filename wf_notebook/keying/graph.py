"""All that a function or class reaches by name, walked as a graph: what each node is itself, and to which others it leads.

Nodes are numbered in the order in which they are met, so functions that call each other need nothing special.
"""

from __future__ import annotations

import builtins
import sys
from contextvars import ContextVar
from dataclasses import dataclass
from hashlib import blake2b
from types import FunctionType, ModuleType
from typing import TYPE_CHECKING, Any, TypeVar

from ..codec.stack import with_room
from .functions import function_content, is_empty, wrapper_content
from .imports import submodule
from .members import class_content, derived_content, made_in, module_content
from .origin import PYTHON, as_outside, is_own, name_of, package_of
from .part import Entries, Entry, Uncacheable, of_package, of_value
from .plain import SCALARS, framed, sequence, sized
from .subject import Subject, bind
from .things import has_parts, parts_of
from .values import TOO_DEEP, Values
from .walk import ABSENT, Node
from .watch import Watch

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from .changing import Changes
    from .reach import Chain

T = TypeVar("T")
#: So many functions and classes are known by themselves.
_KEPT = 128
#: Kinds of parts that a function found there is one of its own of.
_HELPERS = {"global", "closure", "default", "attribute", "class"}


class Graph:
    """One walk from a function, class or module; `subject` is what `self` is in it."""

    def __init__(self, root: Any, codes: Codes, *, what: str, name: str, subject: Subject | None = None) -> None:
        self._codes = codes
        self.watch = Watch()
        self.packages = {PYTHON}
        self.subject = subject
        #: Functions of which a parameter is `self` wherever they are met, by their id.
        self.bound: dict[int, str] = {}
        self._entries: list[Entry] = []
        self._values = Values(self.code, self.watch, codes.content)
        self._numbers: dict[tuple[int, str | None], int] = {}
        self._nodes: list[Node] = []
        self._label, self._direct = (what, name), root
        self._is_call = what == "body"
        itself = self.refer(root, None if subject is None else bind(root, self.bound))
        self.digest = self._walked() if self._nodes else itself + self._walked()

    def _walked(self) -> bytes:
        contents = []
        for node in self._nodes:  # it grows
            self._values.edges = []
            content = self._content(node)
            contents.append(framed(b"node", content + b",".join(b"%d" % edge for edge in self._values.edges)))
        self._entries += [of_package(*package) for package in sorted(self.packages)]
        return sequence(b"graph", [*contents, *(SCALARS[str]("==".join(one)) for one in sorted(self.packages))])

    def note(self, entry: Entry) -> None:
        """Note a part."""
        self._entries.append(entry)

    @property
    def entries(self) -> Entries:
        """The parts that were met, in order, each once."""
        return tuple({(entry.what, entry.name, entry.content): entry for entry in reversed(self._entries)}.values())[::-1]

    @property
    def changes(self) -> Changes:
        """What code of others changes itself, of what it holds."""
        return self._values.all_changes

    def held(self, make: Callable[[], bytes]) -> bytes:
        """Return what `make` gives of what code of others holds."""
        return self._values.held(make)

    # -- edges -------------------------------------------------------------------------------------------------------------

    def fixed(self, value: Any) -> bytes:
        """Return the bytes of a value that is no part of its own, and that nobody changes."""
        watch, self._values.watch = self._values.watch, None
        try:
            return self._values.content(value)
        finally:
            self._values.watch = watch

    def code(self, value: Any) -> bytes:
        """Return the bytes that stand for a function, class or module, and let it be walked if it is the user's own."""
        return self.refer(value, None)

    def refer(self, value: Any, parameter: str | None) -> bytes:
        """Return the same for a function of which a parameter is `self`."""
        if not is_own(value):
            self.packages.add(package_of(value))
            if not _is_made_here(value):
                return sized(b"other", name_of(value).encode())
        parameter = parameter or self.bound.get(id(value)) or None
        place = id(value), parameter
        if place not in self._numbers:
            what, name = self._label
            if value is not self._direct:
                name = getattr(value, "__name__", name)
            if isinstance(value, type):
                what = "class"
            elif what in _HELPERS:
                what = "method" if parameter else "helper"
            self._numbers[place] = len(self._nodes)
            self._nodes.append(Node(value, parameter, what, name))
        self._values.edges.append(self._numbers[place])
        return sized(b"@", getattr(value, "__name__", "").encode())

    def value(self, value: Any, what: str, name: str, refer: Callable[[], bytes] | None = None) -> bytes:
        """Return the bytes of a value that was read under a name, and note it as a part."""
        before = self._label, self._direct
        self._label, self._direct = (what, name), value
        try:
            content = refer() if refer else self._values.content(value)
        except Uncacheable as refusal:
            raise refusal.of(what, name, value) from None
        finally:
            self._label, self._direct = before
        if refer is None and not issubclass(type(value), FunctionType | type | ModuleType):
            parts = self._codes.parts(value)[1] if has_parts(value) else None
            self._entries += of_value(value, what, name, content, parts)
        return content

    def chain(self, value: Any, attributes: tuple[str, ...], what: str, name: str) -> bytes:
        """Return the bytes of what a chain that begins with this value leads to: modules are followed, anything else counts."""
        while isinstance(value, ModuleType) and attributes:
            if not is_own(value):
                return self.code(value)
            space, attribute = vars(value), attributes[0]
            if attribute in space:
                found = space[attribute]
                self.watch.name(space, attribute, found)
            else:
                self.watch.absent(space, attribute)
                found = getattr(value, attribute, None) if "__getattr__" in space else submodule(value, attribute)
                if found is None:
                    return ABSENT
            value, attributes, name = found, attributes[1:], f"{name}.{attribute}"
        content = self.value(value, what, name)
        if type(value) is FunctionType and attributes and attributes[0] in vars(value):
            content += self.value(vars(value)[attributes[0]], "attribute", f"{name}.{attributes[0]}")
        return content

    def found(self, function: FunctionType, chain: Chain) -> Any:
        """Return what the first name of a chain is bound to in a function now; LookupError if to nothing."""
        if chain.root in function.__code__.co_freevars:
            cell = (function.__closure__ or ())[function.__code__.co_freevars.index(chain.root)]
            try:
                value = cell.cell_contents
            except ValueError:
                self.watch.opaque(lambda: b"" if is_empty(cell) else b"full")
                raise LookupError(chain.root) from None
            self.watch.cell(cell, value)
            return value
        space = function.__globals__
        if chain.root in space:
            self.watch.name(space, chain.root, space[chain.root])
            return as_outside(space[chain.root])
        self.watch.absent(space, chain.root)
        return getattr(builtins, chain.root) if hasattr(builtins, chain.root) else _raise(chain.root)

    # -- nodes -------------------------------------------------------------------------------------------------------------

    def _content(self, node: Node) -> bytes:
        if isinstance(node.code, FunctionType):
            if not is_own(node.code):
                return wrapper_content(self, node)
            return function_content(self, node, self.subject, called=self._is_call and node is self._nodes[0])
        before, self._label = self._label, (node.what, node.name)
        try:
            if isinstance(node.code, type) and not is_own(node.code):
                return derived_content(self, node.code)
            return (class_content if isinstance(node.code, type) else module_content)(self, node.code, node.name)
        finally:
            self._label = before


def _is_made_here(value: Any) -> bool:
    """Return whether code of others was made by a call with something of the user's: by a decorator, or from a class."""
    if isinstance(value, type):
        others = [base for base in value.__mro__ if base.__module__ != value.__module__]
        return any(map(is_own, others)) or ("<locals>" in value.__qualname__ and any(made_in(value)))
    if type(value) is not FunctionType or not (value.__closure__ or "__wrapped__" in vars(value)):
        return False
    return "<locals>" in value.__qualname__ or "__wrapped__" in vars(value)


def _raise(name: str) -> Any:
    raise LookupError(name)


# -- by themselves -------------------------------------------------------------------------------------------------------------


@dataclass
class Around:
    """Code that is looked at by itself right now, by its id, from the outside in; and the outermost to which a value led back."""

    places: dict[int, int]
    back: int = sys.maxsize


_around: ContextVar[Around] = ContextVar("around", default=Around({}))  # noqa: B039 - nobody asks it


class Codes:
    """Functions and classes each by itself, with all that it reaches; it is looked up again only if something changed.

    What is watched for that is kept alive with it; where `only_light`, nothing is kept that reaches more than code and scalars.
    """

    def __init__(self, *, only_light: bool = False) -> None:
        self._only_light = only_light
        self._known: dict[int, tuple[Any, bytes, Watch]] = {}

    def code(self, code: Any) -> bytes:
        """Return the bytes of a function, class or module."""
        around = _around.get()
        place = around.places.get(id(code))
        if place is not None:  # a value of it leads back to it
            around.back = min(around.back, place)
            return sized(b"^", b"%d" % (len(around.places) - place))
        if not is_own(code) and not _is_made_here(code):
            return sized(b"other", "==".join((name_of(code), *package_of(code))).encode())
        token = _around.set(within := Around({**around.places, id(code): len(around.places)}))
        try:
            return self._code(code, within)
        finally:
            _around.reset(token)
            around.back = min(around.back, within.back)

    def _code(self, code: Any, within: Around) -> bytes:
        known = self._known.get(id(code))
        if known is not None and known[0] is code and known[2].still():
            return known[1]
        what, name = "class" if isinstance(code, type) else "helper", getattr(code, "__name__", "")
        graph = roomy(lambda: Graph(code, self, what=what, name=name))
        made = blake2b(graph.digest, digest_size=16).digest()
        is_whole = within.back >= len(within.places) - 1
        if is_whole and (graph.watch.is_light or not self._only_light):
            for oldest in [*self._known][: max(0, len(self._known) - _KEPT + 1)]:
                self._known.pop(oldest, None)
            self._known[id(code)] = code, made, graph.watch
        return made

    def content(self, value: Any, changes: Changes | None = None) -> bytes:
        """Return the bytes of a value; where code of others holds it, without what that changes itself."""
        return roomy(lambda: Values(self.code, changes=changes).content(value))

    def parts(self, value: Any) -> tuple[bytes, Mapping[str, tuple[Any, bytes]] | None]:
        """Return the bytes of a value, and those of the parts that it says itself."""
        return roomy(lambda: parts_of(Values(self.code), value))


def roomy(make: Callable[[], T]) -> T:
    """Return what a function gives that goes deep into values; raise Uncacheable where that is too deep."""
    try:
        return with_room(make)
    except RecursionError:
        raise Uncacheable(TOO_DEEP) from None
