"""The nearest known name to one that somebody wrote."""

from __future__ import annotations

from difflib import get_close_matches
from itertools import islice
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

#: Among so many names is looked: it takes 0.1 s, and seconds among the sessions of a large store.
MOST = 2000


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Return `"; did you mean 'x'?"` for the nearest known name, of many of the first ones, or an empty string.

    >>> did_you_mean("Blgo", ["Blog", "News"])
    "; did you mean 'Blog'?"
    >>> did_you_mean("zzz", ["Blog"])
    ''
    """
    near = get_close_matches(name, list(islice(known, MOST)), n=1, cutoff=0.6)
    return f"; did you mean {near[0]!r}?" if near else ""
