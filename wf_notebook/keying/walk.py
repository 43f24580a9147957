"""A walk through what code reaches, as its rooms see it: how a name is followed, and how what it leads to is noted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FunctionType

    from .changing import Changes
    from .part import Entry
    from .reach import Chain
    from .watch import Watch

#: What stands for something that is not there.
ABSENT = b"absent"


class Node(NamedTuple):
    """Something that is reached: which of its parameters is `self`, and how the user calls it."""

    code: Any
    parameter: str | None
    what: str
    name: str


class Walk(Protocol):
    """What functions, classes and `self` need of the walk that they are met in."""

    watch: Watch
    #: Functions of which a parameter is `self` wherever they are met, by their id.
    bound: dict[int, str]
    #: The distributions that were met, by name and version.
    packages: set[tuple[str, str]]

    @property
    def changes(self) -> Changes:
        """What code of others changes itself, of what it holds."""

    def held(self, make: Callable[[], bytes]) -> bytes:
        """Return what `make` gives of what code of others holds."""

    def note(self, entry: Entry) -> None:
        """Note a part."""

    def fixed(self, value: Any) -> bytes:
        """Return the bytes of a value that is no part of its own, and that nobody changes."""

    def code(self, value: Any) -> bytes:
        """Return the bytes that stand for a function, class or module, and let it be walked if it is the user's own."""

    def refer(self, value: Any, parameter: str | None) -> bytes:
        """Return the same for a function of which a parameter is `self`."""

    def value(self, value: Any, what: str, name: str, refer: Callable[[], bytes] | None = None) -> bytes:
        """Return the bytes of a value that was read under a name, and note it as a part."""

    def chain(self, value: Any, attributes: tuple[str, ...], what: str, name: str) -> bytes:
        """Return the bytes of what a chain that begins with this value leads to."""

    def found(self, function: FunctionType, chain: Chain) -> Any:
        """Return what the first name of a chain is bound to in a function now; LookupError if to nothing."""
