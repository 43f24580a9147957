"""Agents of other packages as attributes of a workflow: known by the package of their type, and adapted."""

from __future__ import annotations

from typing import Any

from .run import way_up

#: The packages whose agents are adapted; `wf_notebook.agents.register_adapter` adds to them.
PACKAGES = {"pydantic_ai"}


def is_foreign(value: object) -> bool:
    """Say whether a value's type, or one that it derives from, is of such a package.

    >>> is_foreign("text")
    False
    """
    if type(value).__module__ == "builtins":  # by far the most, and asked for each attribute that is set
        return False
    kinds = type(value).__mro__
    return len(kinds) > 1 and not PACKAGES.isdisjoint(kind.__module__.partition(".")[0] for kind in kinds)


def adapted(value: Any, name: str | None = None) -> Any:
    """Return a foreign agent as one that speaks as ours do, named so when it has no name; anything else as it is."""
    if not is_foreign(value):
        return value
    agent = way_up("adapted")(value)
    if agent is not value and name is not None and agent.name is None:
        agent.name = name
    return agent
