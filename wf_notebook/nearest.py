"""The nearest known name to one that somebody wrote."""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Return `"; did you mean 'x'?"` for the nearest known name, or an empty string.

    >>> did_you_mean("Blgo", ["Blog", "News"])
    "; did you mean 'Blog'?"
    >>> did_you_mean("zzz", ["Blog"])
    ''
    """
    near = get_close_matches(name, list(known), n=1, cutoff=0.6)
    return f"; did you mean {near[0]!r}?" if near else ""
