"""Why a step is done: the first thing that changed since it was done before."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..keying import Part, difference

if TYPE_CHECKING:
    from ..done import Done
    from ..keying import Key
    from ..steps import Steps

#: The parts of a key that are sent to a model.
SENT = {"instructions", "message", "history", "messages"}


def sent(key: Key) -> int:
    """Return how many characters would be sent to a model, as far as they are shown."""
    return sum(len(part.shown) for part in key.parts if part.name in SENT)


def changed(steps: Steps, last: Done | None, key: Key, nth: int) -> str:
    """Return in words what changed between the step that was done last where this one would be, and this one.

    >>> from wf_notebook.keying import Keyer
    >>> from wf_notebook.steps import Steps
    >>> changed(Steps("demo"), None, Keyer(len).key(("a",), {}), 1)
    'nothing is remembered of it in this session'
    """
    if last is None:
        return "nothing is remembered of it in this session" if nth == 1 else f"no run before did it {nth} times"
    if last.key == key.digest:
        return "it was done less often before"
    parts = steps.parts(last)
    found = difference([Part(*part) for part in parts], key.parts) if parts else None
    told = "what it depends on changed" if found is None else str(found)
    return told.removeprefix("argument ") if last.kind in {"agent", "request"} else told
