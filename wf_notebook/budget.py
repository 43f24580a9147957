"""What a run may spend on models: tokens, US dollars, or both; spent, the next request to a model ends the run."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from .errors import RunCancelled

if TYPE_CHECKING:
    from collections.abc import Callable


class Budget:
    """Counts what a run and the runs inside it spend; `stop` ends the run, and is told why.

    The answer that goes over the budget was paid for and is kept: it is the next request that is not made.

    >>> budget = Budget(max_tokens=1000, stop=print)
    >>> budget.count(tokens=900)
    >>> budget.check()
    >>> budget.count(tokens=134)
    >>> try:
    ...     budget.check()
    ... except RunCancelled as why:
    ...     str(why)
    budget of 1000 tokens spent (1034)
    'budget of 1000 tokens spent (1034)'
    """

    def __init__(
        self,
        *,
        max_tokens: int | None = None,
        max_cost: float | None = None,
        stop: Callable[[str], object],
        within: Budget | None = None,
    ) -> None:
        self.max_tokens, self.max_cost = max_tokens, max_cost
        self.tokens, self.cost = 0, 0.0
        self._stop, self._within = stop, within
        self._lock = threading.Lock()

    def count(self, *, tokens: int = 0, cost: float | None = None) -> None:
        """Count what was spent, here and in the budget around this one."""
        with self._lock:
            self.tokens += tokens
            self.cost += cost or 0.0
        if self._within is not None:
            self._within.count(tokens=tokens, cost=cost)

    def check(self, *, tokens: int = 0, cost: float = 0.0) -> None:
        """Stop the run and raise RunCancelled if more was spent than may be; `tokens` and `cost` are not counted yet."""
        why = self._spent(self.tokens + tokens, self.cost + cost)
        if why is not None:
            self._stop(why)
            raise RunCancelled(why)
        if self._within is not None:
            self._within.check(tokens=tokens, cost=cost)

    def _spent(self, tokens: int, cost: float) -> str | None:
        if self.max_tokens is not None and tokens > self.max_tokens:
            return f"budget of {self.max_tokens} tokens spent ({tokens})"
        if self.max_cost is not None and cost > self.max_cost:
            return f"budget of ${self.max_cost:g} spent (${cost:.4g})"
        return None
