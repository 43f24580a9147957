"""Agents of other packages, and functions, as attributes of a workflow: known by their type, and adapted."""

from __future__ import annotations

from functools import partial
from types import BuiltinFunctionType, FunctionType, MethodType
from typing import Any

from .run import way_up

#: The packages whose agents are adapted; `wf_notebook.agents.register_adapter` adds to them.
PACKAGES = {"pydantic_ai", "agno", "langchain_core", "langgraph"}

#: What is adapted as an attribute of an instance. In the body of a class a function is a method; any other object that can be
#: called is mostly more than that, and stays what it is.
FUNCTIONS = {FunctionType, MethodType, BuiltinFunctionType, partial}

#: What only an agent has.
OF_AGENTS = {"run", "arun", "run_response"}


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


def adapted_function(value: Any) -> Any:
    """Return a function as an agent, which can be called as before; anything else as it is."""
    return way_up("adapt")(value) if type(value) in FUNCTIONS else value


def advise(error: BaseException) -> None:
    """Add the remedy to an error that says that a function, or another thing that can be called, has no `run`."""
    if not isinstance(error, AttributeError) or error.name not in OF_AGENTS:
        return
    thing = error.obj
    if callable(thing) and not isinstance(thing, type):
        name = getattr(thing, "__name__", None)
        what = f"{name!r} is a function and" if name else f"a value of type {type(thing).__name__!r} can be called, but is"
        error.add_note(f"{what} no agent; to call it as one, write adapt({name or '…'}) (from wf_notebook.agents import adapt)")
