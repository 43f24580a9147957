"""A remembered step is done once more, apart from its session: an agent, a request or a function, with what is recorded of it."""

from __future__ import annotations

import ast
import json
import time
from contextvars import copy_context
from typing import TYPE_CHECKING, Any

from ..budget import BudgetSpent
from ..errors import AgentFailed, BadSetting
from ..run import RunContext, current
from ..scratch import agents_in, own_method
from .again import Again
from .calling import call_function
from .home import scratch_of, workflow_of
from .recorded import UNKNOWN, state_read, value_of
from .remembered import Recorded

if TYPE_CHECKING:
    from ..workflow import Workflow


def do_again(recorded: Recorded, others: dict[str, Any]) -> Again:
    """Do a step once more, with something else; nothing of it is kept, and no state changes but a copy's."""
    workflow = workflow_of(recorded.run, recorded.done.name)
    read = state_read(recorded.parts, recorded.at_hand)
    twin = None if workflow is None else scratch_of(recorded.run, workflow, recorded.done.made_at, read)
    if twin is not None and workflow is not None and isinstance(others.get("tools"), (list, tuple)):
        others = {**others, "tools": [own_method(twin, workflow, tool) for tool in others["tools"]]}
    context = RunContext("again", recorded.run.session_id, "", twin, private=True)
    context.limit(getattr(workflow, "max_tokens", None), getattr(workflow, "max_cost", None))
    variables = copy_context()
    variables.run(current.set, context)
    how = {"agent": _agent, "request": _request}.get(recorded.done.kind, call_function)
    outer, began = current.get(), time.perf_counter()
    try:
        new, changed = variables.run(how, recorded, twin, others)
    except BudgetSpent as spent:
        if outer is not None and outer.overspent():
            raise
        raise AgentFailed(
            f"{recorded.called} was not done again: {spent}; give its workflow more by max_tokens= or max_cost="
        ) from None
    seconds, usage, done = time.perf_counter() - began, context.usage, recorded.done
    return Again(
        done.name,
        done.kind,
        changed,
        recorded.came(),
        new,
        (recorded.model(), ", ".join(sorted(usage.models)) or None),
        (done.input_tokens + done.output_tokens, usage.total_tokens),
        (done.cost, usage.cost),
        (done.seconds, seconds),
    )


# -- an agent --------------------------------------------------------------------------------------------------------------------


def _agent(recorded: Recorded, twin: Workflow | None, others: dict[str, Any]) -> tuple[Any, dict[str, tuple[Any, Any]]]:
    from ..agents import once_more
    from ..agents.history import Turn

    memory, by_name = recorded.memory(recorded.done), recorded.by_name
    turn, told = memory.get("turn"), {name: part.shown for name, part in by_name.items()}
    if turn:
        instructions, message = once_more.opened(turn)
    else:
        instructions, message = (_needed(recorded, name, others) for name in ("instructions", "message"))
    settings, native = _needed(recorded, "settings", {}, ({}, None))
    history = [Turn(text=json.dumps(_with_ids(each))) for each in _needed(recorded, "history", {}, ())]
    asked = once_more.Asked(
        recorded.done.name,
        instructions,
        message,
        settings,
        bool(native),
        history,
        told.get("model"),
        memory.get("response", {}).get("model"),
        told,
        {name: part.digest for name, part in by_name.items()},
    )
    answer, changed = once_more.ask(asked, _named(twin, recorded.done.name), others)
    return answer.content, changed


def _needed(recorded: Recorded, name: str, others: dict[str, Any], otherwise: Any = None) -> Any:
    """Return a thing that was given. Raises BadSetting where it is not recorded as a whole, and nothing stands for it."""
    part = recorded.by_name.get(name)
    if part is None or name in others:
        return otherwise
    value = value_of(part, recorded.at_hand)
    if value is UNKNOWN:
        raise BadSetting(
            f"the {name} of {recorded.called} is longer than what is recorded of it; write again({name}=…)"
            if name in {"instructions", "message", "messages"}
            else f"the {name} of {recorded.called} is longer than what is recorded of it; run the workflow itself, or compare()"
        )
    return value


def _with_ids(messages: Any) -> Any:
    """Return messages with the ids of their calls of tools as texts: in a key they are numbers."""
    if isinstance(messages, list):
        return [_with_ids(each) for each in messages]
    if not isinstance(messages, dict):
        return messages
    return {name: f"call_{value}" if name == "tool_call_id" and isinstance(value, int) else _with_ids(value)
            for name, value in messages.items()}  # fmt: skip


def _named(twin: Workflow | None, name: str) -> Any:
    """Return the agent of a workflow that has a name, or that is the attribute of it; None where there is none."""
    if twin is None:
        return None
    found = [agent for agent in agents_in(twin) if getattr(agent, "name", None) == name]
    return found[0] if found else next((value for each, value in vars(twin).items() if each == name), None)


# -- a request -------------------------------------------------------------------------------------------------------------------


def _request(recorded: Recorded, twin: Workflow | None, others: dict[str, Any]) -> tuple[Any, dict[str, tuple[Any, Any]]]:
    from ..agents import once_more

    by_name = recorded.by_name
    turn = recorded.memory(recorded.outer).get("turn") if recorded.outer is not None else None
    messages = json.loads(turn)[: 2 * recorded.number + 1] if turn else None
    history = recorded.outer is not None and Recorded(recorded.run, recorded.session, recorded.outer).by_name.get("history")
    if messages is None or (history and history.shown != "[]"):
        messages = _with_ids(_needed(recorded, "messages", {}))
    told = {name: part.shown for name, part in by_name.items()}
    asked = once_more.Asked(
        recorded.done.name,
        next((message.get("instructions") for message in messages if message["kind"] == "request"), None),
        None,
        _needed(recorded, "settings", {}, {}),
        native=False,
        history=(),
        model=told.get("model"),
        answered_by=recorded.model(),
        looks=told,
        digests={name: part.digest for name, part in by_name.items()},
    )
    changed: dict[str, tuple[Any, Any]] = {}
    model = once_more.model_of(asked, _named(twin, recorded.done.name), others, changed)
    for name in others.keys() - {"model"}:
        was = asked.instructions if name == "instructions" else None if name == "message" else asked.settings.get(name)
        changed[name] = was, others[name]
    parts = {name: ast.literal_eval(str(_needed(recorded, name, {}))) for name in ("tools", "output")}
    answer = once_more.request(asked, json.dumps(messages), parts, model, others)
    return once_more.said_in(answer), changed
