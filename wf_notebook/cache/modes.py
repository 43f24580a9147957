"""How a run deals with the steps that are remembered: it uses them, does them again, does nothing else, or does not ask."""

from __future__ import annotations

import os
from typing import Any, Literal, get_args

from ..errors import BadSetting, CacheMiss
from ..nearest import did_you_mean

#: "use": a step that is remembered is not done again. "refresh": each step is done again, as a new take beside the old one.
#: "only": a step that is not remembered is an error. "off": nothing is remembered.
Mode = Literal["use", "refresh", "only", "off"]
MODES: tuple[str, ...] = get_args(Mode)
#: A mode that nobody asks for: nothing is done, and the first step that would be ends it.
PLAN: Literal["plan"] = "plan"

#: What helps where `WF_CACHE=only!` let nothing be done.
WITHOUT_ONLY = "run it once without WF_CACHE=only!"


def checked_mode(mode: Any, what: str = "cache=") -> Any:
    """Return a mode, or None where none is given; raise BadSetting for anything else.

    >>> checked_mode("use"), checked_mode(None)
    ('use', None)
    >>> checked_mode("us")
    Traceback (most recent call last):
    wf_notebook.errors.BadSetting: cache='us' is no mode; did you mean 'use'?
    """
    if mode is None or mode in MODES:
        return mode
    hint = did_you_mean(mode, MODES) if isinstance(mode, str) else ""
    raise BadSetting(f"{what}{mode!r} is no mode{hint or '; write one of ' + ', '.join(map(repr, MODES))}")


def mode_of(given: Any, otherwise: Mode = "off") -> Mode:
    """Return the mode of a run: what it was given, else `WF_CACHE`, else `otherwise`; see `bound` for where that holds more."""
    said = _environment()
    mode: Mode = _bound(checked_mode(given) or said[0] or otherwise, said)
    return mode


def bound(mode: Any) -> Any:
    """Return the mode that holds where the code says `mode`: `WF_CACHE=only!` and `WF_CACHE=refresh!` hold also against "use".

    What the code turned off stays off, and what it says must be remembered already is not done.

    >>> os.environ["WF_CACHE"] = "only!"
    >>> bound("use"), bound("refresh"), bound("off"), bound(None)
    ('only', 'only', 'off', None)
    >>> del os.environ["WF_CACHE"]
    >>> bound("use")
    'use'
    """
    return _bound(mode, _environment())


def _bound(mode: Any, said: tuple[Any, bool]) -> Any:
    asked, holds = said
    return asked if holds and mode in {"use", "refresh"} else mode


def asks_nobody() -> bool:
    """Say whether no model may be asked, also by who remembers nothing: `WF_CACHE=only!`."""
    return _environment() == ("only", True)


def refuse_to_ask(who: str) -> None:
    """Raise CacheMiss where no model may be asked; `who` would ask one now, as its answer is not remembered."""
    if asks_nobody():
        raise CacheMiss(f"{who} would be asked, as its answer is not remembered; {remedy()}")


def remedy() -> str:
    """Return what helps where something is not remembered, and must be."""
    return WITHOUT_ONLY if asks_nobody() else "run it once with cache='use'"


def _environment() -> tuple[Any, bool]:
    """Return what `WF_CACHE` says, and whether it holds against what the code says."""
    said = os.environ.get("WF_CACHE") or None
    if said in {"only!", "refresh!"}:
        return said[:-1], True
    return checked_mode(said, "WF_CACHE="), False
