"""The keys of one function: what its code reaches is worked out once and then looked over, what it is given is read each time."""

from __future__ import annotations

from contextlib import suppress
from functools import partial
from hashlib import blake2b
from pathlib import Path
from types import FunctionType, MethodType
from typing import TYPE_CHECKING, Any, NamedTuple

from ..errors import BadSetting, UncacheableArgument
from .binding import Argument, arguments
from .graph import Codes, Graph, roomy
from .instances import dict_of
from .part import Entries, Entry, Key, StateUse, Uncacheable, clipped, of_value, shown
from .plain import SCALARS, look, quick, sequence
from .subject import NOTHING, Read, Subject
from .things import has_parts
from .values import BOXES
from .walk import ABSENT
from .watch import Watch

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

#: So many plans are kept: one for each class of `self`.
_PLANS = 8
#: Bytes of a container that is remembered.
_LONG = 512


class Plan(NamedTuple):
    """What was worked out of the code, for one class of `self`."""

    cls: type | None
    asked: frozenset[str]
    present: frozenset[str]
    digest: bytes
    watch: Watch
    reads: tuple[Read, ...]
    entries: Entries
    state: StateUse = StateUse()

    def fits(self, cls: type | None, names: Iterable[str]) -> bool:
        """Return whether it is for such an instance."""
        return self.cls is cls and self.asked.intersection(names) == self.present


class Keyer:
    """Gives the keys of calls of one function.

    `bound` says whether the first argument is `self`, which counts by the attributes that are read of it. Left open, it is for
    a function whose first parameter is named `self` and that was defined in a class, or that the class of the first argument has
    under its name. `files` are paths whose content counts. With `reads_state=False` session_state does not count, however it is
    read: it counts elsewhere.

    >>> LIMIT = 10
    >>> def collect(topic, n=3): return [topic] * min(n, LIMIT)
    >>> keyer = Keyer(collect)
    >>> keyer.key(("cheese",), {}) == keyer.key((), {"topic": "cheese", "n": 3}) != keyer.key(("wine",), {})
    True
    """

    def __init__(
        self,
        function: Callable[..., Any],
        *,
        name: str | None = None,
        files: Iterable[str | Path] = (),
        bound: bool | None = None,
        reads_state: bool = True,
    ) -> None:
        self._before: tuple[Any, ...] = ()
        if isinstance(function, MethodType):
            self._before, bound = (function.__self__,), True
        self.function: Any = getattr(function, "__func__", function)
        self.name = name or str(getattr(function, "__name__", type(function).__name__))
        self.files = (files,) if isinstance(files, str | Path) else tuple(files)
        self._bound, self._reads_state = bound, reads_state
        self._codes = Codes()
        self._plans: tuple[Plan, ...] = ()
        #: Of long plain containers that were given or read, by their names: what they looked like, and their content.
        self._long: dict[str, tuple[bytes, bytes]] = {}

    def key(self, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Key:
        """Return the key of a call; raise Uncacheable if it has none, UncacheableArgument if that is for an argument.

        A call that the function does not take raises the same TypeError as the call itself.
        """
        args = self._before + args
        instance = args[0] if self._is_method(args) else NOTHING
        plan = self._plan(instance)
        contents: list[bytes] = [plan.digest]
        entries: list[Callable[[], Entries]] = []
        given = arguments(self.function, args, kwargs)[instance is not NOTHING :]
        contents += [SCALARS[str](one.name) + self._argument(one, entries) for one in given]
        contents += [SCALARS[str](read.name) + self._read(read, instance, entries) for read in plan.reads]
        contents += [_file(path, entries) for path in self.files]
        digest = blake2b(sequence(b"key", contents), digest_size=16).hexdigest()
        return Key(digest, lambda: (*plan.entries, *(one for every in entries for one in every())), plan.state)

    def code(self, *instance: Any) -> bytes:
        """Return what a call depends on besides its arguments; of a method with this instance. Raises as `key` does."""
        args = self._before + instance
        given = args[0] if self._is_method(args) else NOTHING
        plan = self._plan(given)
        reads = [SCALARS[str](read.name) + self._read(read, given, []) for read in plan.reads]
        return sequence(b"code", [plan.digest, self._defaults(), *reads, *(_file(path, []) for path in self.files)])

    def _defaults(self) -> bytes:
        """Return what stands for the arguments that a call leaves out."""
        inner = _innermost(self.function)
        given = (inner.__defaults__, inner.__kwdefaults__) if type(inner) is FunctionType else ()
        try:
            return self._codes.content(given)
        except Uncacheable as refusal:
            raise refusal.of("default", self.name, given) from None

    # -- the code ----------------------------------------------------------------------------------------------------------

    def _is_method(self, args: tuple[Any, ...]) -> bool:
        if self._bound is not None or not args:
            return bool(self._bound) and bool(args)
        inner = _innermost(self.function)
        code = inner.__code__ if isinstance(inner, FunctionType) else None
        if code is None or not code.co_argcount or code.co_varnames[0] != "self":
            return False
        outer = inner.__qualname__.rpartition(".")[0]
        return (outer != "" and not outer.endswith("<locals>")) or any(
            inner.__name__ in vars(cls) for cls in type(args[0]).__mro__
        )

    def _plan(self, instance: Any) -> Plan:
        cls = None if instance is NOTHING else type(instance)
        names = dict_of(instance) if cls else ()
        for plan in self._plans:
            if plan.fits(cls, names):
                if plan.watch.still():
                    return plan
                break
        made = self._planned(instance)
        others = [plan for plan in self._plans if not plan.fits(cls, names)]
        self._plans = (made, *others[: _PLANS - 1])
        return made

    def _planned(self, instance: Any) -> Plan:
        function = self.function
        if type(function) is not FunctionType:
            return self._other(function, instance)
        return self._of_function(function, instance)

    def _of_function(self, function: FunctionType, instance: Any) -> Plan:
        subject = None if instance is NOTHING else Subject(instance, reads_state=self._reads_state)
        graph = roomy(lambda: Graph(function, self._codes, what="body", name=self.name, subject=subject))
        if subject is None:
            return Plan(None, frozenset(), frozenset(), graph.digest, graph.watch, (), graph.entries)
        reads = tuple(subject.reads.values())
        asked, state = frozenset(subject.asked), subject.state_use()
        return Plan(subject.cls, asked, subject.present, graph.digest, graph.watch, reads, graph.entries, state)

    def _other(self, function: Any, instance: Any) -> Plan:
        """Return the plan of a callable that is no function; what that wraps is called with the same `self`."""
        watch, content = Watch(), self._codes.content(function)
        watch.opaque(lambda: self._codes.content(function))
        entry = Entry("body", self.name, content, lambda: shown(function))
        plan = Plan(None, frozenset(), frozenset(), content, watch, (), (entry,))
        inner = _innermost(function)
        if instance is NOTHING or type(inner) is not FunctionType:
            return plan
        within = self._of_function(inner, instance)
        watch.opaque(lambda: b"" if within.watch.still() else b"changed")
        return within._replace(digest=content + within.digest, watch=watch, entries=(entry, *within.entries))

    # -- what it is given --------------------------------------------------------------------------------------------------

    def _argument(self, one: Argument, entries: list[Callable[[], Entries]]) -> bytes:
        what, name, value = one
        try:
            return self._content(what, name, value, entries)
        except Uncacheable as refusal:
            told = refusal.of(what, name, value)
            raise UncacheableArgument(
                f"argument {name!r} of {self.name}() has no key: {told.why}; hand in what it is made of, "
                f"or give its class a method _key_parts_(self) that says so"
            ) from told

    def _read(self, read: Read, instance: Any, entries: list[Callable[[], Entries]]) -> bytes:
        try:
            value = read.get(instance)
        except Exception as error:
            raise Uncacheable(f"{read.what} `{read.name}` cannot be read: {error}", what=read.what, name=read.name) from error
        if value is NOTHING:
            entries.append(lambda: (Entry(read.what, read.name, ABSENT, lambda: "<absent>"),))
            return ABSENT
        name = read.name.removeprefix("self.") if has_parts(value) else read.name
        try:
            return self._content(read.what, name, value, entries)
        except Uncacheable as refusal:
            raise refusal.of(read.what, name, value) from None

    def _content(self, what: str, name: str, value: Any, entries: list[Callable[[], Entries]]) -> bytes:
        """Return the bytes of a value; of a long plain container those that it had the last time, if it looks as it did then."""
        known = self._long.get(name) if type(value) in BOXES else None
        content, parts = None, None
        with suppress(ValueError):
            content = known[1] if known is not None and look(value) == known[0] else None
        if content is None:
            content, parts = self._codes.parts(value)
            seen = quick(value) if type(value) in BOXES else None
            if seen is not None and len(seen) > _LONG:
                self._long[name] = seen, content
        made = content
        entries.append(lambda: of_value(value, what, name, made, parts))
        return made


def _innermost(function: Any) -> Any:
    """Return what a function wraps, in the end."""
    seen = set()
    while id(function) not in seen:
        seen.add(id(function))
        if isinstance(function, partial):
            function = function.func
        elif isinstance(function, MethodType):
            function = function.__func__
        else:
            function = getattr(function, "__wrapped__", function)
    return function


def _file(path: str | Path, entries: list[Callable[[], Entries]]) -> bytes:
    try:
        found = blake2b(Path(path).read_bytes(), digest_size=16)
    except FileNotFoundError:
        raise BadSetting(f"files names {str(path)!r}, which is not there; give the path of a file") from None
    except OSError as error:
        raise BadSetting(f"files names {str(path)!r}, which cannot be read ({error.strerror}); give the path of a file") from None
    content = found.digest()
    entries.append(lambda: (Entry("file", str(path), content, lambda: clipped(str(path))),))
    return content


#: For what is asked for by itself: by agents, of their tools and messages.
_codes = Codes(only_light=True)


def value_digest(value: Any) -> str:
    """Return the digest of a value by its type and content; raise Uncacheable if it has none.

    >>> value_digest({"a": 1, "b": 2}) == value_digest({"b": 2, "a": 1})
    True
    >>> len({value_digest(value) for value in (1, "1", True, 1.0, [1], (1,), 0.0, -0.0)})
    8
    """
    return blake2b(_codes.content(value), digest_size=16).hexdigest()


def code_digest(code: Any) -> str:
    """Return the digest of a function or class and of all of the user's own that it reaches by name.

    >>> code_digest(code_digest) == code_digest(code_digest) != code_digest(value_digest)
    True
    """
    return blake2b(_codes.code(code), digest_size=16).hexdigest()
