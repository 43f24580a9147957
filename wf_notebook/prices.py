"""What models cost, as far as it was said here, and of which of them nobody knows it."""

from __future__ import annotations

from math import inf
from typing import NamedTuple

from .errors import BadSetting
from .given import checked

#: Models that only stand for others in tests: they cost nothing, though nobody says so.
STAND_INS = frozenset({"scripted", "test"})


class Price(NamedTuple):
    """US dollars for a million tokens that go in, and that come out."""

    input: float
    output: float


_said: dict[str, Price] = {}
#: Models that answered here, and of whose answer no price is known.
_unknown: set[str] = set()


def price(model: str, *, input: float, output: float) -> None:  # noqa: A002 - as tokens that go in are called everywhere
    """Say what a model costs, in US dollars for a million tokens: for one that is in no list of prices, or 0 for one of your own.

    It holds in this process, for `cost` and for budgets of `max_cost`.

    Args:
        model: Its name, as records show it: "llama3.2", with or without its provider before it ("ollama:llama3.2").
        input: For tokens that go in.
        output: For tokens that come out.

    >>> price("ollama:llama3.2", input=0, output=0); cost_of("llama3.2", 1000, 200)
    0.0
    >>> price("our-model", input=0.5, output=2); cost_of("our-model", 1_000_000, 500_000)
    1.5
    """
    name = checked("model", model, (str,), "the name of a model")
    for what, dollars in (("input", input), ("output", output)):
        if not 0 <= checked(what, dollars, (int, float), "a number of US dollars for a million tokens") < inf:  # nan is not
            raise BadSetting(f"{what}={dollars} is no price; give US dollars for a million tokens, from 0 on")
    for each in {name, name.partition(":")[2] or name}:
        _said[each] = Price(input, output)
        _unknown.discard(each)


def cost_of(model: str, input_tokens: int, output_tokens: int) -> float | None:
    """Return what so many tokens cost by a price that was said here, None where none was."""
    said = _said.get(model)
    return None if said is None else (input_tokens * said.input + output_tokens * said.output) / 1_000_000


def is_unknown(model: str | None) -> bool:
    """Say whether a model answered here without a price."""
    return model in _unknown


def note_unknown(model: str | None) -> None:
    """Note that a model answered, and that no price of it is known; one that stands for another in a test has none to know."""
    if model is not None and model not in STAND_INS and model not in _said:
        _unknown.add(model)
