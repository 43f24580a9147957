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
from .recorded import UNKNOWN, digest, state_read, value_of
from .remembered import Recorded

if TYPE_CHECKING:
    from ..workflow import Workflow

#: So many earlier calls of an agent are looked through for those of which a later one was told.
_EARLIER = 50


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

    once_more.check(recorded.called, others)
    memory, by_name = recorded.memory(recorded.done), recorded.by_name
    turn, told = memory.get("turn"), {name: part.shown for name, part in by_name.items()}
    if turn:
        instructions, message = once_more.opened(turn)
    else:
        instructions, message = (_needed(recorded, name, others) for name in ("instructions", "message"))
    settings, native = _needed(recorded, "settings", {}, ({}, None))
    history = [Turn(text=json.dumps(each)) for each in _history(recorded)]
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


def _history(recorded: Recorded) -> Any:
    """Return the messages of earlier calls of which an agent's call was told: as they are recorded, or those of these calls."""
    part = recorded.by_name.get("history")
    if part is None:
        return []
    value = value_of(part)
    if value is not UNKNOWN:
        return _with_ids(value)
    from ..agents.keyed import plain_messages

    name, before, known = recorded.done.name, recorded.done.made_at, recorded.session.steps.all()
    calls = [done for done in known if done.kind == "agent" and done.name == name and done.made_at < before][-_EARLIER:]
    turns = [json.loads(turn) for done in calls if (turn := recorded.memory(done).get("turn"))]
    plain = [plain_messages(turn) for turn in turns]
    for first in range(len(turns)):
        if digest(plain[first:]) == part.digest:
            return turns[first:]
    raise BadSetting(
        f"{recorded.called} was told of earlier calls that are not remembered any more; run the workflow itself, or compare()"
    )


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

    once_more.check(recorded.called, others)
    by_name = recorded.by_name
    outer = None if recorded.outer is None else Recorded(recorded.run, recorded.session, recorded.outer)
    turn = None if outer is None else outer.memory(outer.done).get("turn")
    if outer is not None and turn:  # there they are as a whole
        messages = [*(each for turn in _history(outer) for each in turn), *json.loads(turn)[: 2 * recorded.number + 1]]
    else:
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
        was = {"instructions": asked.instructions, "message": _last_prompt(messages)}.get(name, asked.settings.get(name))
        changed[name] = was, others[name]
    parts = {name: ast.literal_eval(str(_needed(recorded, name, {}))) for name in ("tools", "output")}
    answer = once_more.request(asked, json.dumps(messages), parts, model, others)
    return once_more.said_in(answer), changed


def _last_prompt(messages: Any) -> Any:
    """Return what was asked last in messages."""
    said = [part.get("content") for message in messages for part in message["parts"] if part.get("part_kind") == "user-prompt"]
    return said[-1] if said else None
