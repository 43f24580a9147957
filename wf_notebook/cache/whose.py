"""Whose change it was: of the state, a tool's or that of run(), which goes on beside it; of what a step was given, its own."""

from __future__ import annotations

from types import CodeType
from typing import TYPE_CHECKING, Any

from ..errors import UncacheableArgument
from ..keying import CODE, Uncacheable
from ..keys import key_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ..changes import Change
    from ..keying import Key


def own_changes(changes: list[Change], key: Key, workflow: Any) -> tuple[list[Change], Any]:
    """Return the changes that are a tool's, and a key of the state of which that cannot be told, None if there is none.

    A key that the tool's code names is the tool's; one that only run() names is run()'s.
    """
    code = "".join(part.shown for part in key.parts if part.what in CODE)
    names = {name: key_of(name) for name in {change.key for change in changes}}
    own = {name for name, value in names.items() if repr(value) in code or f'"{value}"' in code}
    by_run = set(_constants(getattr(getattr(type(workflow), "run", None), "__wrapped__", None)))
    unclear = [value for name, value in names.items() if name not in own and value not in by_run]
    return [change for change in changes if change.key in own], unclear[0] if unclear else None


def changed_argument(key: Key, before: list[list[str]], again: Callable[[], Key]) -> str | None:
    """Return why a step that changed what it was given is not remembered, None if it did not: on a hit, nobody would change it.

    `before` are the parts of its key, `again` makes the key of the same call anew.
    """
    try:
        now = again()
    except (Uncacheable, UncacheableArgument):
        return None
    if now.digest == key.digest:
        return None
    digests = {name: digest for what, name, digest, _ in before if what == "argument"}
    changed = [part.name for part in now.parts if part.what == "argument" and digests.get(part.name, part.digest) != part.digest]
    return f"it changed its argument `{changed[0]}`; change a copy, and return that" if changed else None


def _constants(function: Any) -> Iterator[str]:
    """Yield the texts that stand in a function."""
    codes = [getattr(function, "__code__", None)]
    while codes:
        code = codes.pop()
        for constant in code.co_consts if code is not None else ():
            if isinstance(constant, str):
                yield constant
            elif isinstance(constant, CodeType):
                codes.append(constant)
