"""A function that is a step, or a tool, is called once more: as its code is now, with what it was given then."""

from __future__ import annotations

import inspect
import sys
from collections.abc import AsyncIterator, Iterator
from typing import TYPE_CHECKING, Any

from .. import background
from ..errors import BadSetting
from ..nearest import did_you_mean
from ..scratch import agents_in
from .recorded import UNKNOWN, arguments, value_of
from .remembered import joined

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from ..workflow import Workflow
    from .remembered import Recorded


def call_function(recorded: Recorded, twin: Workflow | None, others: dict[str, Any]) -> tuple[Any, dict[str, tuple[Any, Any]]]:
    """Call it; return what it gives, and what was different: as it was, and as it is. Raises BadSetting."""
    function = _found(recorded, twin)
    signature = inspect.signature(function)
    given, unknown = arguments(recorded.parts, recorded.at_hand)
    takes = signature.parameters
    takes_any = any(each.kind is each.VAR_KEYWORD for each in takes.values())
    for name in others:
        if name not in takes and not takes_any:
            listed = did_you_mean(name, takes) or f"; it takes {', '.join(map(repr, takes)) or 'nothing'}"
            raise BadSetting(f"{recorded.called} takes no {name!r}{listed}")
    if missing := [name for name in unknown if name not in others and (name in takes or name.startswith("*"))]:
        raise BadSetting(
            f"argument {missing[0]!r} of {recorded.called} is not recorded as a whole; give it: again({missing[0].lstrip('*')}=…)"
        )
    changed = {name: (given.get(name, _default(recorded, name)), value) for name, value in others.items()}
    changed |= {name: (value, None) for name, value in given.items() if name not in takes and name != "*" and not takes_any}
    named = {name: value for name, value in {**given, **others}.items() if name in takes or takes_any}
    value = function(*_placed(takes.values(), named, named.pop("*", given.get("*", []))), **named)
    return _whole(value), changed


def _default(recorded: Recorded, name: str) -> Any:
    """Return what stood for an argument that was not given, None where that is not recorded as a whole."""
    value = next((value_of(part) for part in recorded.parts if part.what == "default" and part.name == name), None)
    return None if value is UNKNOWN else value


def _placed(takes: Iterable[inspect.Parameter], named: dict[str, Any], more: Sequence[Any]) -> list[Any]:
    """Take out of what is given by name what must be given by its place; return that, and what stands after it."""
    kinds = {inspect.Parameter.POSITIONAL_ONLY, *([inspect.Parameter.POSITIONAL_OR_KEYWORD] if more else [])}
    return [*(named.pop(each.name, each.default) for each in takes if each.kind in kinds), *more]


def _whole(value: Any) -> Any:
    """Return a value, awaited or read to its end."""
    if inspect.isawaitable(value):
        return _whole(background.call(_awaited(value)))
    if isinstance(value, AsyncIterator):
        return joined(background.iterate(value))
    return joined(value) if isinstance(value, Iterator) else value


async def _awaited(value: Any) -> Any:
    return await value


def _found(recorded: Recorded, twin: Workflow | None) -> Callable[..., Any]:
    """Return the function as it is now: of the workflow, of the module of its class, of the notebook, or a tool of an agent."""
    name = recorded.done.name
    if recorded.done.kind == "tool":
        from ..agents.once_more import tool_named

        found = next((tool for agent in agents_in(twin) if (tool := tool_named(agent, name)) is not None), None) if twin else None
    else:
        found = _step_named(name, twin)
    if found is None:
        raise BadSetting(
            f"the code of {recorded.called} is not here; run the cell, or import the module, that defines it, and then again()"
        )
    function: Callable[..., Any] = found
    return function


def _step_named(name: str, twin: Workflow | None) -> Any:
    if twin is not None:
        for cls in type(twin).__mro__:
            for attribute, value in vars(cls).items():
                if getattr(getattr(getattr(value, "__func__", value), "step", None), "name", None) == name:
                    return getattr(twin, attribute)
    own = [] if twin is None else [sys.modules.get(type(twin).__module__)]
    for module in [*own, sys.modules.get("__main__"), *list(sys.modules.values())]:
        found = next((value for value in list(getattr(module, "__dict__", {}).values()) if _is_step(value, name)), None)
        if found is not None:
            return found
    return None


def _is_step(value: Any, name: str) -> bool:
    step = getattr(value, "__dict__", {}).get("step") if inspect.isfunction(value) else None
    return hasattr(step, "function") and getattr(step, "name", None) == name
