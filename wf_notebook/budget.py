"""What a run may spend on models: tokens, US dollars, or both; spent, the next request to a model ends the run."""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING

from .errors import RunCancelled

if TYPE_CHECKING:
    from collections.abc import Callable


class BudgetSpent(RunCancelled):
    """A budget is spent: says why, and can end the run that it is the budget of, when all that came before was read."""

    def __init__(self, why: str, stop: Callable[[str], object]) -> None:
        super().__init__(why)
        self._stop = stop

    def end_run(self) -> None:
        """End the run, with all that goes on in it."""
        self._stop(str(self))


class Budget:
    """Counts what a run and the runs inside it spend; `stop` ends the run, and is told why.

    The answer that goes over the budget was paid for and is kept: it is the next request that is not made.

    >>> budget = Budget(max_tokens=1000, stop=print)
    >>> budget.count(tokens=900)
    >>> budget.check()
    >>> budget.count(tokens=134)
    >>> try:
    ...     budget.check()
    ... except BudgetSpent as spent:
    ...     spent.end_run()
    budget of 1000 tokens spent (1034)
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
        self._unpriced: set[str | None] = set()

    def count(self, *, tokens: int = 0, cost: float | None = None, model: str | None = None) -> None:
        """Count what was spent, here and in the budget around this one; a cost of None is not known."""
        with self._lock:
            self.tokens += tokens
            self.cost += cost or 0.0
            unknown = cost is None and tokens > 0 and self.max_cost is not None and model not in self._unpriced
            if unknown:
                self._unpriced.add(model)
        if unknown:
            said = "max_cost cannot be kept to: the price of %r is not known; limit max_tokens instead"
            logging.getLogger("wf_notebook").warning(said, model)
        if self._within is not None:
            self._within.count(tokens=tokens, cost=cost, model=model)

    def check(self, *, tokens: int = 0, cost: float = 0.0) -> None:
        """Raise BudgetSpent if more was spent than may be; `tokens` and `cost` are not counted yet."""
        why = self._spent(self.tokens + tokens, self.cost + cost)
        if why is not None:
            raise BudgetSpent(why, self._stop)
        if self._within is not None:
            self._within.check(tokens=tokens, cost=cost)

    def _spent(self, tokens: int, cost: float) -> str | None:
        if self.max_tokens is not None and tokens > self.max_tokens:
            return f"budget of {self.max_tokens} tokens spent ({tokens})"
        if self.max_cost is not None and cost > self.max_cost:
            return f"budget of ${self.max_cost:g} spent (${cost:.4g})"
        return None
