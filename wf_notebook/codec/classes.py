"""Classes by their names: looked up where they already are, imported only from modules that the user trusts."""

from __future__ import annotations

import sys
from importlib import import_module
from types import ModuleType
from typing import Any

from ..given import checked
from .kind import Absent, Refused

#: Modules that may be imported to find a class: our own responses, pydantic's URLs, and what `trust` added.
_trusted = {"wf_notebook.events", "pydantic.networks"}

#: Modules that a notebook's classes are in, whose `__main__` is not that of this process; the newest last.
_beside_main: list[ModuleType] = []


def stand_beside_main(module: ModuleType) -> None:
    """Let classes of `__main__` be found in this module too, where that of this process has none of their name."""
    _beside_main.append(module)


def is_beside_main(cls: type) -> bool:
    """Return whether a class is of such a module, as it is defined there now."""
    return any(vars(module).get(cls.__qualname__) is cls for module in _beside_main)


def trust(module: str) -> None:
    """Let a stored value import this module, and those inside it, to find its class.

    Without it a class is looked for only in modules that are already loaded.

    >>> trust("fractions")
    """
    _trusted.add(checked("module", module, (str,), "its name: trust('mypackage.models')"))


def find(name: str) -> type | None:
    """Return the class of that name ("module:Outer.Inner") as it is defined now, None if there is none.

    Nothing but dictionaries is looked into: neither a module's nor a class's own code runs.

    >>> find("wf_notebook.events:RunResponse")
    <class 'wf_notebook.events.RunResponse'>
    >>> find("os:system"), find("antigravity:Fly")
    (None, None)
    """
    module, _, qualname = name.partition(":")
    if module not in sys.modules and any(module == prefix or module.startswith(f"{prefix}.") for prefix in _trusted):
        try:
            import_module(module)
        except Exception:  # noqa: BLE001 - a module of the user's that fails, in whatever way, is not there
            return None
    places = [sys.modules.get(module), *(reversed(_beside_main) if module == "__main__" else ())]
    return next((cls for place in places if (cls := _inside(place, qualname)) is not None), None)


def _inside(found: Any, qualname: str) -> type | None:
    for part in qualname.split("."):
        if not isinstance(found, ModuleType | type):
            return None
        found = vars(found).get(part)
    return found if isinstance(found, type) else None


def required(name: Any) -> type:
    """Return the class of that name, or raise Absent."""
    if type(name) is not str:
        raise TypeError("the name of a class is no text")
    cls = find(name)
    if cls is None:
        raise Absent(name, f"class {name!r} is not defined here; its values are given as dicts until it is")
    return cls


def name_of(cls: type) -> str:
    """Return the name by which `find` finds a class again, or what is now defined in its place; raise Refused if nothing is.

    A class made inside a function is found by its name alone, where that stands for it in `__main__` or in its module.

    >>> from decimal import Decimal
    >>> name_of(Decimal)
    'decimal:Decimal'
    """
    if "<locals>" in cls.__qualname__:
        for module in ("__main__", cls.__module__):
            if find(f"{module}:{cls.__name__}") is cls:
                return f"{module}:{cls.__name__}"
        raise Refused(
            f"is of type {cls.__name__!r}, a class made inside a function ({cls.__qualname__}), which no other process can find; "
            f"define it at the top of a cell or module, or {register(cls)}"
        )
    name = f"{cls.__module__}:{cls.__qualname__}"
    if find(name) is None:
        raise Refused(
            f"is of type {cls.__name__!r}, whose class is not found as {name!r}; "
            f"define it at the top of a cell or module, or {register(cls)}"
        )
    return name


def register(cls: type) -> str:
    """Return the remedy that always helps."""
    return f"register_codec({cls.__name__}, encode=…, decode=…)"
