"""What a run may spend on models: tokens, US dollars, or both; spent, the next request to a model ends the run."""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING, Any

from .errors import BadSetting, RunCancelled
from .given import checked
from .prices import STAND_INS, is_unknown

if TYPE_CHECKING:
    from collections.abc import Callable


#: How what may be spent is given.
LIMITS: dict[str, tuple[tuple[type, ...], str]] = {
    "max_tokens": ((int,), "a number of tokens"),
    "max_cost": ((int, float), "a number of US dollars"),
}


def checked_limit(name: str, value: Any) -> Any:
    """Return how much may be spent, None where nobody says; raise BadSetting for what is no such number, or less than nothing.

    >>> checked_limit("max_tokens", None), checked_limit("max_cost", 0.5)
    (None, 0.5)
    >>> checked_limit("max_cost", -1)
    Traceback (most recent call last):
    wf_notebook.errors.BadSetting: max_cost=-1 is nothing that can be spent; give a number of US dollars from 0 on, or None
    """
    if value is None or checked(name, value, *LIMITS[name]) >= 0:  # nan is not
        return value
    raise BadSetting(f"{name}={value!r} is nothing that can be spent; give {LIMITS[name][1]} from 0 on, or None")


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

    The answer that goes over the budget was paid for and is kept: it is the next request that is not made. What a request under
    way is thought to have used is reckoned with until it is over, and counted then.

    A limit of US dollars needs a price: the answer of a model of which none is known is kept, and no other request is made.

    >>> budget = Budget(max_tokens=1000, stop=print)
    >>> budget.count(tokens=900)
    >>> budget.check()
    >>> budget.left()
    100
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
        self.max_tokens: int | None = checked_limit("max_tokens", max_tokens)
        self.max_cost: float | None = checked_limit("max_cost", max_cost)
        self.tokens, self.cost = 0, 0.0
        #: Of requests under way, as far as is known or guessed.
        self._underway = 0
        #: Whether an answer was cut off at what was left.
        self.exhausted = False
        #: The budget of the run that this run is made in.
        self.within = within
        self._stop = stop
        self._lock = threading.Lock()
        self._unpriced: str | None = None
        self._untold: set[str | None] = set()

    def count(self, *, tokens: int = 0, cost: float | None = None, model: str | None = None) -> None:
        """Count what was spent, here and in the budget around this one; a cost of None is not known."""
        with self._lock:
            self.tokens += tokens
            self.cost += cost or 0.0
            is_dear = cost is None and tokens > 0 and self.max_cost is not None and model not in STAND_INS
            if is_dear and self.max_cost is not None and is_unknown(model):
                self._unpriced = unpriced(self.max_cost, model)
            says = is_dear and self._unpriced is None and model not in self._untold
            self._untold |= {model} if says else set()
        if says:  # a call that was cut off, or of an agent of others, which tells at its end, or never
            said = "max_cost does not count what %r took, as nobody told what that costs; limit max_tokens as well"
            logging.getLogger("wf_notebook").warning(said, model)
        if self.within is not None:
            self.within.count(tokens=tokens, cost=cost, model=model)

    def refuse(self, model: str, *, is_known: bool = True) -> None:
        """Raise BudgetSpent before a model is asked whose price is not known, here or to who asks, where dollars are limited."""
        if self.max_cost is not None and (not is_known or is_unknown(model)):
            raise BudgetSpent(unpriced(self.max_cost, model), self._stop)
        if self.within is not None:
            self.within.refuse(model, is_known=is_known)

    def reckon(self, tokens: int) -> None:
        """Reckon with tokens that a request under way has used; with a negative number no longer: they are counted now."""
        with self._lock:
            self._underway += tokens
        if self.within is not None:
            self.within.reckon(tokens)

    def check(self, *, tokens: int = 0, cost: float = 0.0) -> None:
        """Raise BudgetSpent if more was spent than may be; `tokens` and `cost` are not counted yet."""
        why = self._spent(self.tokens + self._underway + tokens, self.cost + cost)
        if why is not None:
            raise BudgetSpent(why, self._stop)
        if self.within is not None:
            self.within.check(tokens=tokens, cost=cost)

    def left(self) -> int | None:
        """Return how many tokens a next request may use, None for any number; raise BudgetSpent when there are none."""
        self.check()
        outer = self.within.left() if self.within is not None else None
        if self.max_tokens is None:
            return outer
        used = self.tokens + self._underway
        if used >= self.max_tokens:
            raise BudgetSpent(_why(self.max_tokens, used), self._stop)
        mine = self.max_tokens - used
        return mine if outer is None else min(mine, outer)

    def exhaust(self) -> None:
        """An answer was cut off at what was left: the budget is spent; where one lies in another, that of which the least is."""
        if (tightest := self.tightest()) is not None:
            tightest[1].exhausted = True

    def tightest(self) -> tuple[int, Budget] | None:
        """Return of which budget, of this one and those around it, the fewest tokens are left, and how many; None: of none."""
        mine = None if self.max_tokens is None else (self.max_tokens - self.tokens, self)
        outer = None if self.within is None else self.within.tightest()
        return outer if mine is None or (outer is not None and outer[0] < mine[0]) else mine

    def overspent(self) -> str | None:
        """Return why nothing more may be spent of this budget itself; None while something may."""
        return self._spent(self.tokens, self.cost)

    def _spent(self, tokens: int, cost: float) -> str | None:
        if self.max_tokens is not None and (tokens > self.max_tokens or self.exhausted):
            return _why(self.max_tokens, tokens)
        if self.max_cost is not None and cost > self.max_cost:
            return f"budget of ${self.max_cost:g} spent (${cost:.4g})"
        return self._unpriced


def unpriced(max_cost: float, model: str | None) -> str:
    """Return why a budget of US dollars ends a run at a model whose price is not known."""
    remedy = f"limit max_tokens= instead, or say it: wf_notebook.models.price({model!r}, input=…, output=…)"
    return f"max_cost=${max_cost:g} cannot be kept to, as the price of {model!r} is not known; {remedy}"


def _why(most: int, tokens: int) -> str:
    return f"budget of {most} tokens spent ({tokens})"
