"""How far a sweep is: how many rows are done, what that cost, and how long the others will take."""

from __future__ import annotations

from dataclasses import dataclass

_MINUTE = 60
#: What a sweep says now and then in its own run.
SAID = "SweepProgress"


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a sweep is.

    `done` are rows that completed, the `hits` among them were done before; `elsewhere` are those that another sweep does and this
    one waits for. `total` and `left`, in seconds, are None where nobody knows. Tokens and US dollars were spent now. `waits` says
    for what it waits where no row can be done meanwhile, such as for workers of Dask that are gone.

    >>> print(Progress(total=200, done=52, hits=2, failed=1, running=8, tokens=1200, cost=0.02, seconds=5.0, left=14.7))
    52 of 200 rows, 2 from the store, 1 failed, 1,200 tokens, $0.02, 15 s left
    >>> print(Progress(total=3, done=1, waits="a worker: none is there"))
    1 of 3 rows, waits for a worker: none is there
    """

    total: int | None
    done: int = 0
    hits: int = 0
    failed: int = 0
    stopped: int = 0
    running: int = 0
    tokens: int = 0
    cost: float = 0.0
    seconds: float = 0.0
    left: float | None = None
    elsewhere: int = 0
    waits: str | None = None

    @property
    def over(self) -> int:
        """How many rows are over, however they ended."""
        return self.done + self.failed + self.stopped

    def __str__(self) -> str:
        said = [f"{self.done:,}{'' if self.total is None else f' of {self.total:,}'} rows"]
        said += [
            f"{number:,} {what}"
            for number, what in ((self.hits, "from the store"), (self.failed, "failed"), (self.stopped, "stopped"))
            if number
        ]
        said += [f"{self.tokens:,} tokens"] if self.tokens else []
        said += [f"${self.cost:.4g}"] if self.cost else []
        said += [f"{brief(self.left)} left"] if self.left is not None else []
        said += [f"waits for {self.waits}"] if self.waits is not None else []
        return ", ".join(said)


def brief(seconds: float) -> str:
    """Return a time as people say it.

    >>> [brief(seconds) for seconds in (0.2, 14.7, 200, 8000)]
    ['1 s', '15 s', '3 min', '2 h 13 min']
    """
    hours, minutes = divmod(round(seconds / _MINUTE), _MINUTE)
    if seconds < 1.5 * _MINUTE:
        return f"{max(1, round(seconds))} s"
    return f"{hours} h {minutes} min" if hours else f"{minutes} min"
