"""How a run deals with the steps that are remembered: it uses them, does them again, does nothing else, or does not ask."""

from __future__ import annotations

import os
from typing import Any, Literal, get_args

from ..errors import BadSetting
from ..nearest import did_you_mean

#: "use": a step that is remembered is not done again. "refresh": each step is done again, as a new take beside the old one.
#: "only": a step that is not remembered is an error. "off": nothing is remembered.
Mode = Literal["use", "refresh", "only", "off"]
MODES: tuple[str, ...] = get_args(Mode)
#: A mode that nobody asks for: nothing is done, and the first step that would be ends it.
PLAN: Literal["plan"] = "plan"


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
    """Return the mode of a run: what it was given, else `WF_CACHE`, else `otherwise`."""
    chosen = checked_mode(given) or checked_mode(os.environ.get("WF_CACHE") or None, "WF_CACHE=") or otherwise
    mode: Mode = chosen
    return mode
