"""An agent is asked once more what it was asked before, with other instructions, another model or another message."""

from __future__ import annotations

import ast
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from .. import background
from ..errors import BadSetting, UncacheableArgument
from ..keying import Keyer, Uncacheable
from ..nearest import did_you_mean
from ..prices import note_unknown
from ..run import current
from ..tally import tally
from . import prompt
from .agent import Agent
from .arguments import WRITTEN_HERE
from .attachments import Attachment
from .history import Turn
from .keyed import agent as agent_names
from .keyed import model_parts
from .others import ForeignAgent

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ..events import RunResponse

#: What may be different when an agent is asked once more; anything else is a setting of the request.
OTHERS = ("instructions", "message", "model", "tools", "response_model")
#: So many letters of a name are enough to know which is meant.
_SHORT = 3


@dataclass(frozen=True, slots=True)
class Asked:
    """What an agent was asked, as it is remembered: None where that was nothing.

    `model` is what tells it from others; `looks` how tools, output and files look, `digests` what tells all of these apart.
    """

    name: str
    instructions: str | None
    message: Any
    settings: Mapping[str, Any]
    native: bool
    history: Sequence[Turn]
    model: Any
    answered_by: str | None
    looks: Mapping[str, str] = field(default_factory=dict)
    digests: Mapping[str, str] = field(default_factory=dict)


def check(called: str, others: Mapping[str, Any]) -> None:
    """Refuse a name that nearly is one of what may be different: as a setting it would change nothing, and be paid.

    What begins with the name of a provider (`openai_service_tier`) is for that provider, and goes along.

    >>> check("agent 'writer'", {"temperature": 0, "openai_service_tier": "flex", "instruction": "Be brief."})
    Traceback (most recent call last):
    wf_notebook.errors.BadSetting: agent 'writer' takes no instruction=; did you mean 'instructions'?
    >>> check("agent 'writer'", {"temprature": 0})
    Traceback (most recent call last):
    wf_notebook.errors.BadSetting: agent 'writer' takes no temprature=; did you mean 'temperature'?
    """
    from pydantic_ai.settings import ModelSettings

    known = [*OTHERS, *ModelSettings.__annotations__]
    for name in others.keys() - {*known}:
        if name in WRITTEN_HERE:
            raise BadSetting(f"{called} takes no {name}=; write {WRITTEN_HERE[name]}")
        whole = next((each for each in known if len(name) >= _SHORT and each.startswith(name)), name)
        is_of_a_provider = any(name.endswith(f"_{each}") for each in known)
        if not is_of_a_provider and (near := did_you_mean(whole, known)):
            raise BadSetting(f"{called} takes no {name}={near}")


def opened(turn: str | None) -> tuple[str | None, Any]:
    """Return what the messages of a call begin with: the instructions, and the message with what was sent along."""
    if not turn or not (messages := Turn(text=turn).messages):
        return None, None
    first: Any = messages[0]
    said = [part.content for part in first.parts if part.part_kind == "user-prompt"]
    return first.instructions, said[0] if said else None


def ask(asked: Asked, agent: Any, others: dict[str, Any]) -> tuple[RunResponse, dict[str, tuple[Any, Any]]]:
    """Ask an agent once more; return what it answered, and what was different: as it was, and as it is.

    `agent` is the one of the workflow as it is now, None where there is none: what no store keeps, tools and output, is its.
    Raises BadSetting where that is not enough, and what asking an agent raises.
    """
    if isinstance(agent, ForeignAgent):
        return _foreign(asked, agent, others)
    changed: dict[str, tuple[Any, Any]] = {}
    model = model_of(asked, agent, others, changed)
    twin = Agent(model, name=asked.name, system_message=_told(asked, agent, others, changed))
    if isinstance(agent, Agent):
        twin.timeout, twin.total_timeout, twin.retries = agent.timeout, agent.total_timeout, agent.retries
    for name in ("tools", "response_model"):
        setattr(twin, name, _code(name, asked, agent, others, changed))
    settings = {name: value for name, value in others.items() if name not in OTHERS}
    changed |= {name: (asked.settings.get(name), value) for name, value in settings.items()}
    twin.model_settings, twin.structured_outputs = {**asked.settings, **settings}, asked.native
    message = asked.message
    if "message" in others:
        changed["message"] = _shown(message), prompt.message_text(others["message"])
        along = [item for item in message if not isinstance(item, str)] if isinstance(message, list) else []
        message = [prompt.message_text(others["message"]), *along] if along else others["message"]
    twin.add_history_to_messages, twin.num_history_responses = bool(asked.history), None
    return _answer(twin, message, asked.history), changed


def _told(asked: Asked, agent: Any, others: dict[str, Any], changed: dict[str, tuple[Any, Any]]) -> str | None:
    """Return what it is told: as it was; other instructions stand in the place of its own where all else is as it was then."""
    if "instructions" not in others:
        return asked.instructions
    said = others["instructions"]
    text: str | None = said if isinstance(said, str) else "\n".join(f"- {line}" for line in said)
    if isinstance(agent, Agent) and agent.system_message is None and _same(prompt.instructions(agent), asked.instructions):
        twin = agent.deep_copy()
        twin.instructions = said
        text = prompt.instructions(twin)
    changed["instructions"] = asked.instructions, text
    return text


def _same(one: str | None, other: str | None) -> bool:
    """Say whether two texts are the same but for the time that they tell."""
    return prompt.TIME.sub("", one or "") == prompt.TIME.sub("", other or "")


def _code(name: str, asked: Asked, agent: Any, others: dict[str, Any], changed: dict[str, tuple[Any, Any]]) -> Any:
    """Return what no store keeps, its tools or its output: others, or those of the agent as it is now."""
    looked = asked.looks.get(name)
    if name in others:
        changed[name] = looked, others[name]
        return others[name]
    if looked in {None, "[]", "None"}:
        return None
    if isinstance(agent, Agent):
        return getattr(agent, name)
    raise BadSetting(
        f"{asked.name!r} had {name}={looked}, and that code is not here;"
        f" run the cell that defines the workflow, or write again({name}=…)"
    )


def model_of(asked: Asked, agent: Any, others: dict[str, Any], changed: dict[str, tuple[Any, Any]]) -> Any:
    """Return the model: another one, the one that answered if the agent still has it, else the one of its name."""
    if "model" in others:
        changed["model"] = asked.answered_by, _name(others["model"])
        return others["model"]
    if isinstance(agent, Agent) and digests_of_model(agent.model) == digests(asked.digests):
        return agent.model
    if isinstance(agent, Agent) and agent.model is not None and _name(agent.model) == asked.answered_by:
        return agent.model  # its code is another one now, as that of a function is
    if (named := _named(asked.model)) is not None:
        return named
    raise BadSetting(
        f"{asked.name!r} was answered by {asked.answered_by or asked.looks.get('model')!r}, and that model is not here any more;"
        " name one: again(model=…)"
    )


def digests_of_model(model: Any) -> dict[str, str] | None:
    """Return what tells a model from others in the key of a call, None where nothing does."""
    try:
        key = Keyer(agent_names).key((model_parts(model), *[None] * 7), {})
    except (Uncacheable, UncacheableArgument):
        return None
    return digests({part.name: part.digest for part in key.parts})


def digests(parts: Mapping[str, str]) -> dict[str, str]:
    """Return of the parts of a key those of the model: one, or those that it names itself."""
    return {name: digest for name, digest in parts.items() if name.partition(".")[0] == "model"}


def _named(told: Any) -> str | None:
    """Return the name of a model from what told it from others, where it has one."""
    try:
        parts = ast.literal_eval(told)
    except (ValueError, SyntaxError, TypeError):
        return None
    if isinstance(parts, str):
        return parts
    if isinstance(parts, list) and len(parts) == 2:  # noqa: PLR2004 - a name, and where it is served or what its file is
        return str(parts[0])
    if isinstance(parts, list) and len(parts) == 4 and isinstance(parts[3], dict):  # noqa: PLR2004 - of wf_notebook.models
        return f"{parts[0]}:{parts[1]}"
    return None


def _name(model: Any) -> str:
    return model if isinstance(model, str) else str(getattr(model, "model_name", None) or getattr(model, "id", model))


def _shown(message: Any) -> Any:
    if not isinstance(message, list):
        return message
    return "\n".join(item if isinstance(item, str) else f"<{type(item).__name__}>" for item in message)


def _answer(twin: Agent, message: Any, history: Sequence[Turn]) -> RunResponse:
    sent: Any = ()
    if isinstance(message, list):
        text = message[0] if isinstance(message[0], str) else None
        sent = [Attachment(None, part=item) for item in message[text is not None :]]
        message = text
    twin._history = tuple(history)  # noqa: SLF001 - of its own kind
    call = twin._begin(message, sent, {}, retries=None, streaming=False, in_async=False)  # noqa: SLF001 - a copy of an agent
    answer: RunResponse = background.call(twin._answer(call))  # noqa: SLF001 - as above
    return answer


def _foreign(asked: Asked, agent: ForeignAgent, others: dict[str, Any]) -> tuple[RunResponse, dict[str, tuple[Any, Any]]]:
    """Ask an agent of another package once more: its model and what it is told are its own."""
    if names := others.keys() - {"message"}:
        raise BadSetting(f"{agent.label} is of another package, and takes no {min(names)}= here; change it itself, then .again()")
    message = others.get("message", asked.message)
    answer: RunResponse = agent.deep_copy().run(message)
    return answer, {"message": (asked.message, message)} if others else {}


def request(asked: Asked, messages: str, parts: Mapping[str, Any], model: Any, others: dict[str, Any]) -> Any:
    """Make one request to a model once more; return its answer. The run that it belongs to counts what it uses.

    `messages` is JSON, `parts` are the tools and the output that it was offered, as they are remembered: no tool is called.
    """
    from pydantic_ai.messages import ModelMessagesTypeAdapter
    from pydantic_ai.models import ModelRequestParameters
    from pydantic_ai.output import OutputObjectDefinition
    from pydantic_ai.tools import ToolDefinition

    from .failures import explain
    from .requests import Requests, one_policy
    from .resolve import resolve

    sent: Any = ModelMessagesTypeAdapter.validate_json(messages)
    for message in sent if "instructions" in others else ():
        if message.kind == "request":
            message.instructions = others["instructions"]
    if "message" in others:
        prompts = [part for message in sent for part in message.parts if part.part_kind == "user-prompt"]
        prompts[-1].content = others["message"]

    def tools(told: Any) -> list[ToolDefinition]:
        return [ToolDefinition(name=n, description=d, parameters_json_schema=s) for n, d, s in told]

    mode, outputs, schema = parts["output"]
    offered = ModelRequestParameters(
        function_tools=tools(parts["tools"]),
        output_mode=mode,
        output_tools=tools(outputs),
        output_object=OutputObjectDefinition(json_schema=schema) if schema and mode != "text" else None,
        allow_text_output=mode == "text",
    )
    resolved = resolve(model)
    settings = {name: value for name, value in others.items() if name not in OTHERS}
    asker = Requests(resolved, Agent(name=asked.name), lambda _: True)
    said = {**one_policy(resolved), **resolved.settings, **asked.settings, **settings}
    try:
        answer = background.call(asker.request(sent, said, offered))  # type: ignore[arg-type] # settings are a plain dict
    except Exception as error:
        raise explain(error, f"request of {asked.name!r} to {resolved.name!r}{asker.attempt}", "") from error
    used = answer.usage
    cost = resolved.cost(used.input_tokens, used.output_tokens, used.cost)
    if cost is None and used.input_tokens + used.output_tokens:
        note_unknown(resolved.name)
    if (run := current.get()) is not None:
        counts = {"requests": 1, "input_tokens": used.input_tokens, "output_tokens": used.output_tokens}
        run.usage.add(model=resolved.name, cost=cost, **counts)
        tally(cost=cost, **counts)
    return answer


def said_in(answer: str | Any) -> Any:
    """Return what an answer of a model says: its text, else the tools that it calls, with their arguments."""
    from pydantic_ai.messages import ModelMessagesTypeAdapter

    response: Any = ModelMessagesTypeAdapter.validate_json(answer)[0] if isinstance(answer, str) else answer
    calls = [{call.tool_name: json.loads(call.args_as_json_str())} for call in response.tool_calls]
    if not calls:
        return response.text or ""
    return [response.text, *calls] if response.text else calls


def tool_named(agent: Any, name: str) -> Any:
    """Return the function of a tool of an agent, None where it has none of that name."""
    from .tools import flat, function_of

    for item in flat(getattr(agent, "tools", None) or ()):
        function = function_of(item)
        if name in {getattr(item, "name", None), getattr(function, "__name__", None)}:
            return function
    return None
