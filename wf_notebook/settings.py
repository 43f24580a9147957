"""What a workflow is given: its own copies of agents that are class attributes, and arguments of the old API."""

from __future__ import annotations

import sys
import warnings
from types import FunctionType
from typing import TYPE_CHECKING, Any
from weakref import WeakSet

from .budget import LIMITS, checked_limit
from .codec.classes import is_beside_main
from .errors import BadSetting
from .foreign import adapted, adapted_function
from .given import checked
from .nearest import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

#: What Agno's constructor took, and what has no meaning here.
WITHOUT_MEANING = ("memory", "monitoring", "telemetry")


#: What a setting of a workflow may be besides None, and what is said of anything else.
SETTINGS: dict[str, tuple[tuple[type, ...], str]] = {
    **dict.fromkeys(("name", "description", "user_id", "session_name"), ((str,), "a str")),
    "cache_limit": ((int,), "a number of bytes"),
}


def checked_setting(name: str, value: Any) -> Any:
    """Return the value of a setting, or raise BadSetting if it is of a wrong type, or less than nothing.

    >>> checked_setting("max_tokens", None), checked_setting("max_tokens", 100)
    (None, 100)
    """
    if name in LIMITS:
        return checked_limit(name, value)
    return value if value is None or name not in SETTINGS else checked(name, value, *SETTINGS[name])


class Adapting:
    """What adapts the foreign agents and the functions among its attributes, unless they stand in place of a method."""

    def __setattr__(self, name: str, value: Any) -> None:
        if name[0] != "_":
            value = adapted(value, name)
            if not isinstance(getattr(type(self), name, None), FunctionType):
                value = adapted_function(value)
        super().__setattr__(name, value)


def own(shared: Any) -> Any:
    """Return a copy of an agent (what has a `deep_copy`, or is adapted), or of a list or dict of agents; the rest as it is."""
    shared = adapted(shared)
    if callable(getattr(type(shared), "deep_copy", None)):
        return shared.deep_copy()
    if type(shared) in {list, tuple} and any(own(item) is not item for item in shared):
        return type(shared)(own(item) for item in shared)
    if type(shared) is dict and any(own(item) is not item for item in shared.values()):
        return {key: own(item) for key, item in shared.items()}
    return shared


def own_agents(classes: Iterable[type]) -> dict[str, Any]:
    """Return, by attribute, copies of the agents of these classes; a nameless one is named after its attribute."""
    owned: dict[str, Any] = {}
    for cls in classes:
        for attribute, shared in list(vars(cls).items()):
            mine = own(shared)
            if mine is not shared:
                owned[attribute] = mine
                if getattr(mine, "name", "") is None:
                    mine.name = attribute
            else:
                owned.pop(attribute, None)  # a subclass put something else in its place
    return owned


_said: WeakSet[Any] = WeakSet()


def warn_if_outdated(workflow: object) -> None:
    """Say once that an instance runs old code, after its class was defined anew in a notebook or a console."""
    cls = type(workflow)
    newer = vars(sys.modules[cls.__module__]).get(cls.__qualname__, cls) if cls.__module__ == "__main__" else cls
    if (
        newer in cls.__mro__
        or is_beside_main(cls)
        or not isinstance(newer, type)
        or not issubclass(newer, cls.__mro__[-2])
        or workflow in _said
    ):
        return
    _said.add(workflow)
    warnings.warn(f"{cls.__name__} was defined anew, and this instance runs the old code; make a new one", stacklevel=4)


def check_old_names(given: Mapping[str, Any], known: Iterable[str]) -> None:
    """Warn of arguments that Agno's constructor took and that have no meaning here; raise BadSetting for unknown ones."""
    for name, value in given.items():
        if name not in WITHOUT_MEANING:
            raise BadSetting(f"Workflow takes no {name}={did_you_mean(name, [*known, *WITHOUT_MEANING])}")
        if value is not None:
            warnings.warn(f"Workflow({name}=…) has no meaning here and is ignored", UserWarning, stacklevel=3)
