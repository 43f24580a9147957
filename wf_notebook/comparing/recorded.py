"""What a step was given, back from what its key says of itself: a value counts only if it is told by the same digest."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Any

from ..keying import Part, Uncacheable, value_digest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

#: What is not recorded as a whole: it was long, or of a type that is no literal.
UNKNOWN: Any = object()
#: So many values are looked through for one that was given.
_MOST = 10_000


def value_of(part: Part, at_hand: Callable[[], Iterable[Any]] = tuple) -> Any:
    """Return the value that a part of a key is of, UNKNOWN where it is not recorded as a whole and not at hand either.

    >>> value_of(Part("argument", "n", value_digest([1, "a"]), "[1, 'a']"))
    [1, 'a']
    >>> value_of(Part("argument", "n", value_digest("x" * 3000), "'xxx…")) is UNKNOWN
    True
    """
    try:
        value = ast.literal_eval(part.shown)
    except (ValueError, SyntaxError, RecursionError, MemoryError):
        value = UNKNOWN
    if value is not UNKNOWN and digest(value) == part.digest:
        return value
    return next((value for value in _inside(at_hand()) if digest(value) == part.digest), UNKNOWN)


def digest(value: Any) -> str | None:
    """Return what tells a value from others, None where nothing does."""
    try:
        return value_digest(value)
    except (Uncacheable, RecursionError):
        return None


def _inside(values: Iterable[Any]) -> Iterator[Any]:
    """Yield values, and what lies right inside of them."""
    count = 0
    for value in values:
        inner: Iterable[Any] = value if type(value) in {list, tuple} else value.values() if type(value) is dict else ()
        for each in (value, *inner):
            yield each
            count += 1
            if count > _MOST:
                return


def arguments(parts: Sequence[Part], at_hand: Callable[[], Iterable[Any]]) -> tuple[dict[str, Any], list[str]]:
    """Return what a function was given by name, and the names of what is not recorded as a whole.

    Defaults are left out: the function as it is now has its own. What was given beyond names is under "*", in its order.
    """
    given: dict[str, Any] = {}
    unknown: list[str] = []
    for part in parts:
        if part.what == "attribute" and not part.name.startswith("self."):
            name = part.name.partition(".")[0]
            if name not in unknown:
                unknown.append(name)
        if part.what != "argument":
            continue
        value = value_of(part, at_hand)
        if value is UNKNOWN:
            unknown.append(part.name)
        elif part.name.startswith("*") and not part.name.startswith("**"):
            given.setdefault("*", []).append(value)
        else:
            given[part.name.lstrip("*")] = value
    return given, unknown


def state_read(parts: Sequence[Part], at_hand: Callable[[], Iterable[Any]]) -> dict[Any, Any]:
    """Return what a step read of session_state, as far as it is recorded."""
    read: dict[Any, Any] = {}
    for part in parts:
        if part.what == "state" and part.name.startswith("session_state["):
            value = value_of(part, at_hand)
            if value is not UNKNOWN:
                read[ast.literal_eval(part.name.removeprefix("session_state[").removesuffix("]"))] = value
    return read
