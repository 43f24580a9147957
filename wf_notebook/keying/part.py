"""What a key says of itself, one part for each thing that a result depends on; and why there is no key."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property, partial
from hashlib import blake2b
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from ..redact import redact

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

#: The kinds of parts, the nearest to the user first: the order in which differences are looked for.
WHAT = (
    "body",
    "argument",
    "default",
    "helper",
    "method",
    "decorator",
    "class",
    "global",
    "closure",
    "attribute",
    "state",
    "file",
    "package",
)

#: The kinds of which the source is shown.
CODE = frozenset({"body", "helper", "method", "decorator", "class"})

#: Where an object lies, as repr says it.
_ADDRESS = re.compile(r" at 0x[0-9a-fA-F]+>")
#: Characters of a value that are shown, and of a source.
_SHOWN, SOURCE = 2000, 50_000


@dataclass(frozen=True, slots=True)
class Part:
    """One thing that a result depends on: what it is, its name as the user calls it, its digest, and what it looks like.

    `shown` is the source of code, and of a value its repr, without secrets; it is for people and no part of the digest.
    """

    what: str
    name: str
    digest: str
    shown: str


@dataclass(frozen=True, slots=True)
class Entry:
    """A part before anybody asks for it: what it looks like is found out then."""

    what: str
    name: str
    content: bytes
    show: Callable[[], str]

    def part(self) -> Part:
        """Return the part."""
        return Part(self.what, self.name, hexdigest(self.content), self.show())


Entries: TypeAlias = "tuple[Entry, ...]"


class StateUse(NamedTuple):
    """Keys of session_state that code reads, and those that it sets; and whether others may be, by a name known only then."""

    read: frozenset[Any] = frozenset()
    written: frozenset[Any] = frozenset()
    anywhere: bool = False


class Key:
    """What a result depends on: one digest, and its parts when they are asked for.

    Digests are of the moment when the key was made. What a value looks like is read when the parts are asked for the first
    time: ask before the step runs, as it may change what it was given.
    """

    __slots__ = ("__dict__", "_entries", "digest", "state")

    def __init__(self, digest: str, entries: Callable[[], Entries], state: StateUse | None = None) -> None:
        self.digest = digest
        self._entries = entries
        self.state = state or StateUse()

    @cached_property
    def parts(self) -> tuple[Part, ...]:
        """The parts, those of the code first."""
        return tuple(entry.part() for entry in self._entries())

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Key) and other.digest == self.digest

    def __hash__(self) -> int:
        return hash(self.digest)

    def __repr__(self) -> str:
        return f"Key({self.digest[:12]}…)"


class Uncacheable(Exception):
    """Something has no key: the message says what and why; `what` and `name` are those of a part."""

    def __init__(self, said: str, *, what: str = "", name: str = "", why: str = "") -> None:
        super().__init__(said)
        self.why, self.what, self.name = why or said, what, name
        #: The values around what has no key, from the inside out.
        self.around: list[Any] = []

    def of(self, what: str, name: str, value: Any) -> Uncacheable:
        """Return the same with the name of the value in which it is, if it has none yet.

        >>> print(Uncacheable("(a Client) has no content to key by").of("global", "client", object()))
        global `client` (a Client) has no content to key by
        """
        if self.what:
            return self
        place = name + "".join(_steps(self.around))
        inside = f"({a(type(value))}) has no content to key by: `{place}` " if place != name else ""
        why = f"{inside}{self.why}"
        return Uncacheable(f"{what} `{name}` {why}", what=what, name=name, why=why)


def _steps(around: list[Any]) -> Iterator[str]:
    """Yield how one gets from each value to the one in it, the outermost first, as far as that can be said."""
    for outer, inner in zip(reversed(around), [*reversed(around)][1:], strict=False):
        if isinstance(outer, Mapping):
            found = next((f"[{key!r}]" for key, item in outer.items() if item is inner), None)
        elif isinstance(outer, list | tuple):
            found = next((f"[{place}]" for place, item in enumerate(outer) if item is inner), None)
        else:
            found = next((f".{name}" for name, item in getattr(outer, "__dict__", {}).items() if item is inner), None)
        if found is None:
            return
        yield found


def a(cls: type) -> str:
    """Return the name of a class with its article.

    >>> a(int), a(str)
    ('an int', 'a str')
    """
    return f"{'an' if cls.__name__[:1].lower() in 'aeiou' else 'a'} {cls.__name__}"


def hexdigest(*contents: bytes) -> str:
    """Return the digest of what was written by `sized`."""
    return blake2b(b"".join(contents), digest_size=16).hexdigest()


def clipped(text: str, most: int = _SHOWN) -> str:
    """Return a text without secrets, cut where it is long."""
    redacted = redact(text)
    return redacted if len(redacted) <= most else f"{redacted[:most]}…"


def of_package(name: str, version: str) -> Entry:
    """Return the part that says in which version a package is used."""
    return Entry("package", name, f"{name}=={version}".encode(), f"{name} {version}".strip)


def of_value(value: Any, what: str, name: str, content: bytes, parts: Mapping[str, tuple[Any, bytes]] | None) -> Entries:
    """Return the parts of a value: one, or those that it says itself, with their bytes."""
    if parts is None:
        return (Entry(what, name, content, lambda: shown(value)),)
    return tuple(Entry("attribute", f"{name}.{part}", inner, partial(shown, item)) for part, (item, inner) in parts.items())


def shown(value: Any) -> str:
    """Return what a value looks like, without the addresses of objects: they differ in each process.

    >>> shown([shown])
    '[<function shown>]'
    """
    try:
        return clipped(_ADDRESS.sub(">", repr(value)))
    except Exception:  # noqa: BLE001 - the user's
        return f"<{type(value).__name__}>"
