"""A row of the table of `make bench`: what is measured, on which sides, and what it must reach."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from statistics import median

#: The value of each repetition, by the name of the side.
Values = Mapping[str, list[float]]


@dataclass(frozen=True)
class Side:
    """One side of a comparison: a script of `measures/` and what it is given; last its count, `quick` when only tried."""

    name: str
    script: str
    given: tuple[str, ...] = ()
    count: int = 1
    quick: int = 1
    peer: str | None = None
    #: Where a script says several things, which of them; it is run once for all the rows that ask.
    part: str | None = None


@dataclass(frozen=True)
class Measure:
    """Something measured on several sides; `number` makes of their values what is compared with `goal`."""

    key: str
    work: str
    unit: str
    sides: tuple[Side, ...]
    number: Callable[[Values], float]
    goal: float
    #: What the number is: "× agno", "µs".
    means: str
    more_is_better: bool = False
    #: So many repetitions at most: one of them takes long.
    repetitions: int = 5

    def met(self, values: Values) -> bool:
        """Return whether it is as good as it must be."""
        return self.number(values) >= self.goal if self.more_is_better else self.number(values) <= self.goal


def of(name: str) -> Callable[[Values], float]:
    """Return what gives the median of a side."""
    return lambda values: median(values[name])


def ratio(one: str, other: str) -> Callable[[Values], float]:
    """Return what gives `one` in units of `other`: the median over repetitions, each of one moment of the machine."""
    return lambda values: median(a / b for a, b in zip(values[one], values[other], strict=True))
