"""A value in one line: the beginning of it, however large it is; of a frame or an array, what it is."""

from __future__ import annotations

from itertools import islice
from reprlib import Repr
from typing import Any

from .tabular import described

#: Characters that are made of a text; items of a list or dict that are looked at; how deep.
_TEXT, _ITEMS, _DEPTH = 160, 30, 6


class Beginning(Repr):
    """Shows the beginning of a value.

    >>> import numpy as np
    >>> Beginning().repr({"weights": np.zeros((2, 2)), "posts": ["a"]})
    "{'weights': <array 2 × 2 of float64>, 'posts': ['a']}"
    """

    def __init__(self, *, items: int = _ITEMS, depth: int = _DEPTH) -> None:
        super().__init__()
        self.maxstring = self.maxother = self.maxlong = _TEXT
        self.maxlist = self.maxdict = self.maxtuple = self.maxset = self.maxfrozenset = items
        self.maxlevel = depth

    def repr_date(self, x: object, level: int) -> str:
        """Return a date, a time or a number as it prints."""
        return str(x)

    repr_datetime = repr_time = repr_timedelta = repr_Decimal = repr_UUID = repr_date  # noqa: N815 - as reprlib calls them

    def repr_dict(self, x: dict[Any, Any], level: int) -> str:
        """Return the beginning of a dict, in its order."""
        if level <= 0 and x:
            return "{…}"
        pieces = [f"{self.repr1(key, level - 1)}: {self.repr1(x[key], level - 1)}" for key in islice(x, self.maxdict)]
        return f"{{{', '.join(pieces)}{', …' if len(x) > self.maxdict else ''}}}"

    def repr_instance(self, x: Any, level: int) -> str:
        """Return what a frame or an array is, and anything else as it prints."""
        told = described(x)
        if told is None:
            return super().repr_instance(x, level)
        return told if level == self.maxlevel else f"<{told}>"


def brief(value: Any, limit: int = 60) -> str:
    """Return a value as it prints, in one line of some length.

    >>> brief("a text"), brief([1, 2]), brief("word " * 20, 12)
    ("'a text'", '[1, 2]', "'word word …")
    """
    text = Beginning().repr(value).replace("\n", " ")
    return text if len(text) <= limit else f"{text[: limit - 1]}…"
