"""A workflow to try things with: a copy whose session is kept nowhere, and which knows the steps of the one it is copied from."""

from __future__ import annotations

import copy
from contextlib import suppress
from types import MethodType
from typing import TYPE_CHECKING, Any

from .session import Session
from .settings import own
from .steps import Steps

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .workflow import Workflow


def scratch(workflow: Workflow, session_id: str, state: dict[Any, Any], steps: Steps) -> Workflow:
    """Return a copy of a workflow in a session of this state: what is done there is in no store, and in nobody's state.

    Its agents have said nothing yet, and their tools that are methods of the workflow are the copy's. Of the steps it knows
    those that are given, and keeps its own for as long as it is there.
    """
    twin = copy.copy(workflow)
    session = Session(session_id, state=copy.deepcopy(state))
    session.load()
    session.steps = Steps.beside(steps)
    twin.__dict__ |= {"_session": session, "storage": None, "_run": lambda: None, "_last_run": None, "_last_ids": None}
    for name in vars(workflow):
        if name not in {"_session", "storage", "_last_run"}:
            twin.__dict__[name] = own_method(twin, workflow, _own(twin.__dict__[name]))
    for agent in agents_in(twin):
        if isinstance(tools := getattr(agent, "tools", None), (list, tuple)):
            agent.tools = [own_method(twin, workflow, tool) for tool in tools]
    return twin


def agents_in(workflow: Workflow) -> Iterator[Any]:
    """Yield the agents among the attributes of a workflow, also those in lists and dicts."""
    for value in list(vars(workflow).values()):
        for each in value if type(value) in {list, tuple} else value.values() if type(value) is dict else (value,):
            if callable(getattr(type(each), "deep_copy", None)):
                yield each


def _own(value: Any) -> Any:
    """Return a value that may be changed without changing the other one's."""
    mine = own(value)
    if mine is value and type(value) in {list, dict, set}:
        with suppress(Exception):  # what lies in it may be anything, such as a lock, which has no copy
            return copy.deepcopy(value)
    return mine


def own_method(twin: Workflow, workflow: Workflow, value: Any) -> Any:
    """Return a method of a workflow as that of its copy, and anything else as it is."""
    method = getattr(value, "__wrapped__", value) if callable(getattr(type(value), "deep_copy", None)) else value
    return MethodType(method.__func__, twin) if isinstance(method, MethodType) and method.__self__ is workflow else value
