"""An agent of agno, asked in its own way: its own model, instructions, tools, output and memory."""

from __future__ import annotations

import inspect
from contextlib import aclosing
from typing import TYPE_CHECKING, Any

from ..errors import AgentFailed, ModelFailed
from ..keying import Uncacheable
from ..redact import redact
from .made_of import is_of, made_of
from .others import ForeignAgent
from .pieces import Answer, Called, Came, Text, Used, plain

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Iterator, Mapping

    from .pieces import Piece

#: Settings by which an agent reads what is kept elsewhere, or writes there.
ELSEWHERE = (
    *("db", "knowledge", "knowledge_retriever", "memory_manager", "session_summary_manager", "filesystem", "learning"),
    *("add_history_to_context", "add_location_to_context", "save_response_to_file"),
)
#: Settings that say how an agent is called, watched and tried again, and nothing of what it answers.
NOT_ASKED = {
    *("id", "user_id", "session_id", "team_id", "workflow_id", "metadata", "debug_mode", "debug_level", "telemetry", "retries"),
    *("delay_between_retries", "exponential_backoff", "stream", "stream_events", "events_to_skip", "store_events", "store_media"),
    *("store_tool_messages", "store_history_messages", "cache_session", "cache_callables", "checkpoint"),
    *("add_datetime_to_context", "datetime_format", "timezone_identifier"),
}
#: What a model or a toolkit has only to reach somebody.
REACHING = {
    *("api_key", "access_token", "client", "async_client", "http_client", "session", "async_session", "timeout", "max_retries"),
    *("retries", "delay_between_retries", "exponential_backoff", "default_headers", "extra_headers", "cache_response"),
    *("cache_ttl", "cache_dir", "model_type", "name", "provider"),
}


def adapt_agent(foreign: Any) -> ForeignAgent | None:
    """Return the adapter of an agent of agno; None for anything else of that package: models, tools, storages."""
    return ForeignAgent(Agno(foreign)) if is_of(type(foreign), ["agno.agent.agent"]) and hasattr(foreign, "arun") else None


class Agno:
    """How an agent of agno is asked."""

    def __init__(self, foreign: Any) -> None:
        self.foreign = foreign
        self.name: str | None = foreign.name
        self.left_out = "the time that it is told" if foreign.add_datetime_to_context else None

    def copy(self) -> Agno:
        """Return it with a copy of the agent: agno keeps the session of the last call in it."""
        return Agno(self.foreign.deep_copy())

    # -- asked -------------------------------------------------------------------------------------------------------------

    async def ask(self, message: Any, options: Mapping[str, Any], *, streaming: bool, who: str) -> AsyncGenerator[Piece]:
        """Ask the agent; its own events are taken up as they come."""
        if streaming:
            last = None
            events = self.foreign.arun(message, stream=True, stream_events=True, yield_run_output=True, **options)
            async with aclosing(events):
                async for event in events:
                    if not hasattr(event, "event"):
                        last = event
                        continue
                    if event.event == FAILED:  # all that comes then
                        raise self._failure(FAILED, event.content, who)
                    for piece in _heard(event):
                        yield piece
        else:
            last = await self.foreign.arun(message, stream=False, **options)
            for tool in last.tools or ():
                yield _called(tool)
                yield _came(tool)
        if last is None:
            raise AgentFailed(f"{who}: agno said nothing of how it ended")
        if (status := _word(last.status)) in STATUSES:
            raise self._failure(STATUSES[status], last.content, who)
        yield _used(last, counted=streaming)
        messages = [{"role": said.role, "content": plain(said.content)} for said in last.messages or ()]
        yield Answer(last.content, messages or None)

    def _failure(self, what: str, said: Any, who: str) -> Exception:
        """Return the error to raise: agno says what went wrong, and raises nothing."""
        if what == "RunPaused":
            return AgentFailed(f"{who} waits for a person, which it cannot do in a workflow; go on with .foreign.continue_run(…)")
        if what == "RunCancelled":
            return AgentFailed(f"{who} was cancelled by agno: {said or 'it does not say why'}")
        model = getattr(self.foreign.model, "id", None)
        return ModelFailed(redact(f"{who} on {model!r}: {said}"))

    # -- for a key ---------------------------------------------------------------------------------------------------------

    def parts(self) -> Mapping[str, Any]:
        """Return its settings, as far as they are not what they are by themselves."""
        agent = self.foreign
        for name in ELSEWHERE:
            if getattr(agent, name, None):
                raise Uncacheable(f"(an agent of agno) has {name}=, and what is kept there is no part of a key")
        settings = {}
        for name, parameter in inspect.signature(type(agent).__init__).parameters.items():
            value = getattr(agent, name, None)
            if name not in NOT_ASKED and value is not None and value != parameter.default:
                settings[name] = _model(value) if is_of(type(value), ["agno.models"]) else value
        if not agent.add_name_to_context:
            settings.pop("name", None)
        if isinstance(agent.tools, list | tuple):
            settings["tools"] = [_tool(tool) for tool in agent.tools]
        return {"agent": type(agent), **settings}

    def told(self, options: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return the options that say what is asked."""
        return {name: value for name, value in options.items() if name not in {*NOT_ASKED, "run_id"}}


#: The event of a call that failed.
FAILED = "RunError"
#: What the end of a call says, and the event of that.
STATUSES = {"ERROR": FAILED, "PAUSED": "RunPaused", "CANCELLED": "RunCancelled"}


def _word(status: Any) -> str:
    return str(getattr(status, "value", status)).upper()


def _heard(event: Any) -> Iterator[Piece]:
    """Yield what an event says that is said here too."""
    match event.event:
        case "RunContent":
            if event.reasoning_content:
                yield Text(event.reasoning_content, is_thought=True)
            if isinstance(event.content, str):
                yield Text(event.content)
        case "ReasoningContentDelta":
            yield Text(event.reasoning_content or "", is_thought=True)
        case "ToolCallStarted":
            yield _called(event.tool)
        case "ToolCallCompleted" | "ToolCallError":
            yield _came(event.tool)
        case "ModelRequestCompleted":
            yield Used(event.model, 1, event.input_tokens or 0, event.output_tokens or 0)


def _called(tool: Any) -> Called:
    return Called(str(tool.tool_call_id), str(tool.tool_name), plain(tool.tool_args))


def _came(tool: Any) -> Came:
    return Came(str(tool.tool_call_id), plain(tool.result), bool(tool.tool_call_error))


def _used(last: Any, *, counted: bool) -> Used:
    """Return what a whole call used; of a stream the requests were counted as they came, and only the cost is new."""
    metrics = last.metrics
    cost = getattr(metrics, "cost", None)
    if counted or metrics is None:
        return Used(last.model, 0, cost=cost)
    requests = sum(said.role == "assistant" and not said.from_history for said in last.messages or ())
    return Used(last.model, requests, metrics.input_tokens or 0, metrics.output_tokens or 0, cost)


def _model(model: Any) -> Any:
    """Return what tells a model from others, without what only reaches it."""
    settings = {name: value for name, value in vars(model).items() if name not in REACHING and name[0] != "_"}
    return [type(model), {name: value for name, value in settings.items() if value is not None}]


def _tool(tool: Any) -> Any:
    """Return what a tool is made of: the function of a function of agno, and those of a toolkit with its settings."""
    if hasattr(tool, "entrypoint"):
        return [tool.name, tool.description, made_of(tool.entrypoint)]
    functions = {**(getattr(tool, "functions", None) or {}), **(getattr(tool, "async_functions", None) or {})}
    if callable(tool) or not functions:
        return tool
    own = [function.entrypoint for function in functions.values()]
    apart = [one for one in own if getattr(one, "__self__", None) is not tool]
    told = {"functions", "async_functions", "tools", "async_tools", *REACHING}
    settings = {name: made_of(value) for name, value in vars(tool).items() if name not in told and name[0] != "_"}
    return [type(tool), settings, sorted(functions), made_of(apart)]
