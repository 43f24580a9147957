"""How good an answer is, as a number: by functions of the user's, or by an agent or workflow that is asked."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from .. import background
from ..errors import BadSetting

if TYPE_CHECKING:
    from ..run import Run

Scorers = dict[str, Callable[..., Any]]


def scorers(score: Any) -> Scorers:
    """Return the functions that score, by name. Raises BadSetting for what is none.

    >>> list(scorers(len)), list(scorers({"length": len})), list(scorers(None))
    (['score'], ['length'], [])
    """
    named = {} if score is None else dict(score) if isinstance(score, Mapping) else {"score": score}
    made: Scorers = {}
    for name, function in named.items():
        one = function if callable(function) else getattr(function, "run", None)
        if not callable(one):
            raise BadSetting(
                f"score={function!r} is nothing to score by; give a function of the text, or an agent, or a dict of these"
            )
        made[str(name)] = one
    return made


def scored(function: Callable[..., Any], run: Run, text: str, inputs: Mapping[str, Any]) -> float:
    """Return the score of an answer; raises what the function raises, and ValueError for what is no number."""
    try:
        takes = list(inspect.signature(function).parameters)
    except (ValueError, TypeError):  # written in C, it does not say
        takes = []
    more = {"inputs": dict(inputs)} if "inputs" in takes[1:] else {}
    return number(function(run if takes[:1] == ["run"] else text, **more))


def number(value: Any) -> float:
    """Return what a scorer gave as a number: awaited, read to its end, and read as one where it is text.

    >>> number(True), number(" 7 ")
    (1.0, 7.0)
    """
    if inspect.isawaitable(value):
        return number(background.call(_awaited(value)))
    if hasattr(value, "result") and hasattr(value, "responses"):
        return number(value.result())
    if hasattr(value, "content"):
        return number(value.content)
    if hasattr(value, "score"):
        return number(value.score)
    if isinstance(value, (int, float, str)):
        return float(value)
    if callable(getattr(value, "item", None)):  # a scalar of numpy
        return float(value.item())
    raise ValueError(f"{value!r} is no number")


async def _awaited(value: Any) -> Any:
    return await value
