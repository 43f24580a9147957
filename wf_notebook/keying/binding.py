"""The arguments of a call by the names of the parameters, as the call itself would bind them."""

from __future__ import annotations

import inspect
from types import FunctionType
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

_MORE = inspect.CO_VARARGS | inspect.CO_VARKEYWORDS


class Argument(NamedTuple):
    """An argument, or the default in its place; `name` is as the user would write it."""

    what: str
    name: str
    value: Any


def arguments(function: Callable[..., Any], args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> list[Argument]:
    """Return the arguments of a call with the defaults of those that were not given; TypeError where the call would raise it.

    >>> def step(topic, n=3, *more, **settings): ...
    >>> [tuple(one) for one in arguments(step, ("a",), {"b": 1})]
    [('argument', 'topic', 'a'), ('default', 'n', 3), ('argument', '**b', 1)]
    """
    if isinstance(function, FunctionType) and not function.__code__.co_flags & _MORE:
        found = _quickly(function, args, kwargs)
        if found is not None:
            return found
    try:
        signature = inspect.signature(function, follow_wrapped=False)
    except (ValueError, TypeError):  # written in C, it does not say
        places = [Argument("argument", f"*[{place}]", value) for place, value in enumerate(args)]
        return [*places, *(Argument("argument", name, kwargs[name]) for name in sorted(kwargs))]
    return list(_bound(signature.bind(*args, **kwargs)))


def _quickly(function: FunctionType, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> list[Argument] | None:
    """Bind to a function that takes no more than it names; None if something is wrong."""
    code = function.__code__
    count = code.co_argcount
    names = code.co_varnames[: count + code.co_kwonlyargcount]
    if len(args) > count or (kwargs and not kwargs.keys() <= {*names[max(len(args), code.co_posonlyargcount) :]}):
        return None
    given = {**dict(zip(names, args, strict=False)), **kwargs}
    if len(given) == len(names):
        return [Argument("argument", name, given[name]) for name in names]
    defaults = function.__defaults__ or ()
    ready = {**dict(zip(names[count - len(defaults) : count], defaults, strict=True)), **(function.__kwdefaults__ or {})}
    if not ready.keys() | given.keys() >= {*names}:
        return None
    return [
        Argument("argument", name, given[name]) if name in given else Argument("default", name, ready[name]) for name in names
    ]


def _bound(given: inspect.BoundArguments) -> Iterator[Argument]:
    names = {*given.arguments}
    given.apply_defaults()
    for name, value in given.arguments.items():
        kind = given.signature.parameters[name].kind
        if kind is inspect.Parameter.VAR_KEYWORD:
            yield from (Argument("argument", f"**{key}", value[key]) for key in sorted(value))
        elif kind is inspect.Parameter.VAR_POSITIONAL:
            yield from (Argument("argument", f"*{name}[{place}]", item) for place, item in enumerate(value))
        else:
            yield Argument("argument" if name in names else "default", name, value)
