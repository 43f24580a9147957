"""The tokens that requests use, guessed while nobody says so (most servers count a stream at its end only), and their budget."""

from __future__ import annotations

from contextlib import contextmanager
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeVar, cast

from pydantic_ai.exceptions import ModelRequestRejectedError
from pydantic_ai.messages import ModelRequest, PartDeltaEvent, PartStartEvent

from ..run import current, logger

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence

    from pydantic_ai import ModelSettings
    from pydantic_ai.messages import ModelMessage, ModelResponseStreamEvent
    from pydantic_ai.models import Model
    from pydantic_ai.usage import RequestUsage

    from ..budget import Budget

T = TypeVar("T")

#: How many characters make a token, roughly, in most languages that are written with letters.
CHARACTERS = 4

#: The least and the most that an answer is limited to by what is left of a budget: some models refuse less, and some more.
LEAST, MOST = 16, 16_384


class Meter:
    """The tokens of one request: what its provider has said, and a guess at what came since; the budget reckons with them.

    A piece of a stream is a token or more, by its length. Where the provider counts on the way, nothing is guessed.
    """

    def __init__(self, messages: Sequence[ModelMessage], budget: Budget | None) -> None:
        self._messages, self._budget = messages, budget
        #: How long the answer may be by what is left of the budget, where that is asked of the model.
        self.cap: int | None = None
        #: Whether the answer belongs to the call: else it broke off before anything was seen of it, and was asked for again.
        self.counts = False
        self._said = (0, 0)
        self._pieces = self._characters = self._reckoned = 0
        self._whole = False
        self._reckon()

    @cached_property
    def prompt(self) -> int:
        """About how many tokens were sent."""
        return guessed(self._messages)

    def see(self, event: ModelResponseStreamEvent, usage: RequestUsage) -> None:
        """A piece of the answer came; `usage` is what the provider has said by now."""
        if not isinstance(event, (PartStartEvent, PartDeltaEvent)):
            return
        if self._budget is not None:  # the model goes on
            self._budget.check()
        said = usage.input_tokens, usage.output_tokens
        if said != self._said:
            self._said, self._pieces, self._characters = said, 0, 0
        else:
            length = _length(event.part if isinstance(event, PartStartEvent) else event.delta)
            self._pieces += length > 0
            self._characters += length
        self._reckon()

    def end(self, usage: RequestUsage, parts: Iterable[Any] = ()) -> None:
        """The answer is whole, with what the provider says at its end: that holds, if it says anything."""
        if usage.input_tokens or usage.output_tokens:
            self._said, self._whole = (usage.input_tokens, usage.output_tokens), True
        self._characters += sum(map(_length, parts))

    def close(self) -> tuple[int, int]:
        """Reckon with it no longer; return how many tokens went in and came out that its call does not know of."""
        if self._budget is not None:
            self._budget.reckon(-self._reckoned)
        unsaid = (0, 0) if self._whole or not (self._characters or any(self._said)) else self._unsaid()
        return unsaid if self.counts else (self._said[0] + unsaid[0], self._said[1] + unsaid[1])

    def _unsaid(self) -> tuple[int, int]:
        return 0 if self._said[0] else self.prompt, max(self._pieces, self._characters // CHARACTERS)

    def _reckon(self) -> None:
        if self._budget is not None:
            total = sum(self._said) + sum(self._unsaid())
            self._budget.reckon(total - self._reckoned)
            self._reckoned = total


class Spending:
    """What the requests of one call of an agent use, and what the budget of its run leaves them."""

    #: Models that refuse to be told how long an answer may be, by their names, as it was learned.
    uncapped: set[str] = set()  # noqa: RUF012 - of the process

    def __init__(self, who: str, name: str, model: Model, *, told: str) -> None:
        self._who, self._name, self._model = who, name, model
        #: What records call the model.
        self._told = told
        #: What went in and came out that nobody but us counts: of streams that were cut, and where no provider counts.
        self.input_tokens = self.output_tokens = 0
        self._cut: Budget | None = None

    @contextmanager
    def metered(self, messages: Sequence[ModelMessage]) -> Iterator[Meter]:
        """Meter a request. Raises BudgetSpent when nothing is left for it."""
        run = current.get()
        budget = run.usage.budget if run is not None else None
        if budget is not None:
            budget.refuse(self._told)
        left = budget.left() if budget is not None else None
        meter = Meter(messages, budget)
        if left is not None:
            meter.cap = max(left - meter.prompt, LEAST)
        try:
            yield meter
        finally:
            sent, came = meter.close()
            self.input_tokens += sent
            self.output_tokens += came

    async def capped(
        self, meter: Meter, settings: ModelSettings | None, ask: Callable[[ModelSettings | None], Awaitable[T]]
    ) -> T:
        """Ask for no more than the budget leaves; where nobody else limits the answer and the model refuses, without a limit."""
        given = {**(self._model.settings or {}), **(settings or {})}.get("max_tokens")
        too_much = MOST if given is None else cast("int", given) - 1
        if meter.cap is not None and (meter.cap > too_much or self._name in self.uncapped):
            meter.cap = None
        if meter.cap is None:
            return await ask(settings)
        try:
            return await ask(cast("ModelSettings", {**(settings or {}), "max_tokens": meter.cap}))
        except ModelRequestRejectedError as error:
            if given is not None or "token" not in str(error).lower():
                raise
            self.uncapped.add(self._name)
            meter.cap = None
            return await ask(settings)

    def whole(self, meter: Meter, usage: RequestUsage, finish_reason: str | None, parts: Iterable[Any] = ()) -> None:
        """An answer ended by itself, or at its limit: where the budget set that, the budget is spent."""
        meter.end(usage, parts)
        run = current.get()
        if meter.cap is not None and finish_reason == "length" and run is not None and run.usage.budget is not None:
            self._cut = run.usage.budget
            self._cut.exhaust()
            logger.warning("%s: the answer was cut off at %d tokens, as the budget of the run left no more", self._who, meter.cap)

    def raise_if_cut(self) -> None:
        """Raise BudgetSpent when it was the budget that cut an answer off, which then may be no valid one."""
        if self._cut is not None:
            self._cut.check()


def guessed(messages: Iterable[ModelMessage]) -> int:
    """Return about how many tokens messages are.

    >>> from pydantic_ai.messages import UserPromptPart
    >>> guessed([ModelRequest([UserPromptPart("What do ducks eat?")])])
    5
    """
    characters = 0
    for message in messages:
        characters += sum(map(_length, message.parts))
        if isinstance(message, ModelRequest):
            characters += len(message.instructions or "")
    return -(-characters // CHARACTERS)


def _length(part: Any) -> int:
    """How many characters of text, or of a tool's arguments, a part of a message or a piece of it has."""
    for name in ("content_delta", "args_delta", "content", "args"):
        text = getattr(part, name, None)
        if isinstance(text, str):
            return len(text)
        if isinstance(text, (list, tuple)):
            return sum(len(item) for item in text if isinstance(item, str))
        if text is not None:
            return len(str(text))
    return 0
