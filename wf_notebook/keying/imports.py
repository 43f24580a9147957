"""Modules that a function imports when it runs: the user's own are imported for the key, as their code counts."""

from __future__ import annotations

import sys
from importlib import import_module
from importlib.util import find_spec, resolve_name
from types import ModuleType
from typing import TYPE_CHECKING, Any

from .origin import is_own, is_own_file

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .reach import Imported


def full_name(one: Imported, space: Mapping[str, Any]) -> str | None:
    """Return the full name of the module that an import in a function of this module takes from; None if there is none."""
    if not one.level:
        return one.module
    package = space.get("__package__") or str(space.get("__name__", "")).rpartition(".")[0]
    try:
        return resolve_name("." * one.level + one.module, package)
    except ImportError:
        return None


def own_module(name: str) -> ModuleType | bool | None:
    """Return a module of the user's own, imported if it was not; True for one of others, None for one that is not there."""
    if name in sys.modules:
        module = sys.modules[name]
        return module if isinstance(module, ModuleType) and is_own(module) else True
    try:
        top = sys.modules.get(top_name := name.partition(".")[0])
        if top is not None:
            if not is_own(top):
                return True
        else:
            spec = find_spec(top_name)
            if spec is None:
                return None
            places = [spec.origin] if spec.has_location else [*(spec.submodule_search_locations or ())]
            if not any(isinstance(place, str) and is_own_file(place) for place in places):
                return True
        return import_module(name)
    except (ImportError, ValueError, AttributeError):
        return None


def submodule(module: ModuleType, name: str) -> ModuleType | None:
    """Return a module within a package of the user's own, imported if it was not."""
    found = own_module(f"{module.__name__}.{name}") if hasattr(module, "__path__") else None
    return found if isinstance(found, ModuleType) else None
