"""Whose change of the state it was: that of a tool, or that of run(), which goes on while an agent calls its tools."""

from __future__ import annotations

from types import CodeType
from typing import TYPE_CHECKING, Any

from ..keying import CODE
from ..keys import key_of

if TYPE_CHECKING:
    from collections.abc import Iterator

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
