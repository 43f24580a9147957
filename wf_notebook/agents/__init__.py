"""Agents: a model with instructions and tools, called by `agent.run(message)`; thin over pydantic-ai.

pydantic-ai and the model are loaded at the first call, so an agent costs nothing where it is only defined.
"""

from __future__ import annotations

import asyncio
import copy
from typing import TYPE_CHECKING, Any, Literal, overload

from .. import background
from . import arguments
from .call import AgentCall
from .stream import AgentStream

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Sequence

    from pydantic import BaseModel
    from pydantic_ai.messages import ModelMessage

    from ..events import RunResponse

__all__ = ["Agent"]


class Agent:
    """A model with a task: instructions, tools, and what its answer looks like.

    The keyword arguments are those of Agno 1.x; those without a meaning here (see `arguments.py`) warn once. They are attributes
    too, and may be changed between calls. Whether the model exists, and whether its key is there, shows at the first call:
    until then an agent can be defined on a machine without either.

    Args:
        model: A name ("openai:gpt-5.2", "anthropic:…", "ollama:llama3.2", "local:smollm2", "local:/path/to/model.gguf"),
            a pydantic-ai model, or one of `wf_notebook.models`. None means `WF_MODEL`, else the local model if it is there.
        name: Shown with its responses and in errors; inside a Workflow it is the attribute's name when left out.
        description: Who the agent is; the first thing that the model is told.
        goal: What it works towards.
        role: Which part it plays.
        instructions: One, several, or a function `(agent) -> str | list[str]` that is asked at each call.
        expected_output: What a good answer is like.
        additional_context: Said at the end.
        system_message: In place of all of these: a text, or a function `(agent) -> str`.
        markdown: Ask for Markdown.
        add_name_to_instructions: Tell the model its name.
        add_datetime_to_instructions: Tell the model the time.
        tools: Functions, bound methods (async too), partials, toolkits with `.functions`; they may be assigned later.
        response_model: A pydantic model: `.content` of the response is an instance of it.
        structured_outputs: Prefer the provider's own structured output to a tool call, where it has one.
        add_history_to_messages: Send the earlier messages of this agent along.
        num_history_responses: Only those of the last so many calls.
        save_response_to_file: Write each answer there; may contain {name}, {message}, {run_id}, {session_id}.
        model_settings: Settings of the request, as pydantic-ai names them: temperature, max_tokens, seed, …

    >>> writer = Agent(name="writer", instructions="Write a haiku.")
    >>> writer.name, writer.run_response
    ('writer', None)
    """

    def __init__(
        self,
        model: Any = None,
        *,
        name: str | None = None,
        description: str | None = None,
        goal: str | None = None,
        role: str | None = None,
        instructions: str | Sequence[str] | Callable[..., str | list[str]] | None = None,
        expected_output: str | None = None,
        additional_context: str | None = None,
        system_message: str | Callable[..., str] | None = None,
        markdown: bool = False,
        add_name_to_instructions: bool = False,
        add_datetime_to_instructions: bool = False,
        tools: Sequence[Any] | None = None,
        response_model: type[BaseModel] | None = None,
        structured_outputs: bool = False,
        add_history_to_messages: bool = False,
        num_history_responses: int | None = None,
        save_response_to_file: str | None = None,
        model_settings: dict[str, Any] | None = None,
        **others: Any,
    ) -> None:
        self.model = model
        self.name = name
        self.description = description
        self.goal = goal
        self.role = role
        self.instructions = instructions
        self.expected_output = expected_output
        self.additional_context = additional_context
        self.system_message = system_message
        self.markdown = markdown
        self.add_name_to_instructions = add_name_to_instructions
        self.add_datetime_to_instructions = add_datetime_to_instructions
        self.tools = tools
        self.response_model = response_model
        self.structured_outputs = structured_outputs
        self.add_history_to_messages = add_history_to_messages
        self.num_history_responses = num_history_responses
        self.save_response_to_file = save_response_to_file
        self.model_settings = model_settings
        arguments.check("Agent", others, vars(self), arguments.WITHOUT_MEANING)
        self._history: list[list[ModelMessage]] = []
        self._last: AgentCall | None = None

    def __repr__(self) -> str:
        return f"<Agent {self.name or self.model or ''}>".replace(" >", ">")

    @property
    def label(self) -> str:
        """How errors name it."""
        return f"agent {self.name!r}" if self.name else "agent"

    @property
    def run_response(self) -> RunResponse | None:
        """The last response: whole when the call has ended, with the text so far while it runs or when it was ended early."""
        return self._last and self._last.so_far()

    def deep_copy(self) -> Agent:
        """Return an agent with the same settings and no history; the Workflow gives each of its instances one."""
        twin = copy.copy(self)
        twin.tools = list(self.tools) if self.tools is not None else None
        twin._history, twin._last = [], None  # noqa: SLF001 - its own
        return twin

    @overload
    def run(self, message: Any = None, *, stream: Literal[False] = False, **others: Any) -> RunResponse: ...

    @overload
    def run(self, message: Any = None, *, stream: Literal[True], **others: Any) -> AgentStream: ...

    def run(self, message: Any = None, *, stream: bool = False, **others: Any) -> RunResponse | AgentStream:
        """Call the model and wait for its answer; with `stream=True` return the answer as it comes.

        Works inside a running event loop too. The stream is lazy, and can be read by `for` and by `async for`.

        Args:
            message: A text; a pydantic model, list or dict is sent as JSON; None sends the instructions alone.
            stream: Return an iterator of responses: pieces of text, tool calls (content None); with a `response_model` one response.
            others: `stream_intermediate_steps` and `retries` of the old API, which have no meaning here.

        Raises:
            NoModel: No model was named and none is at hand.
            UnknownModel: Nobody knows the model, or its key or package is missing.
            ModelFailed: The model or its server failed, or gave no valid `response_model`; the cause is chained.
            RunCancelled: The run that this call belongs to was stopped.

        A tool's own exception is raised as it is.
        """
        arguments.check("run", others, ["message", "stream"], arguments.RUN_WITHOUT_MEANING)
        if stream:
            return AgentStream(lambda in_async: self._begin(message, streaming=True, in_async=in_async))
        return background.call(self._answer(self._begin(message, streaming=False, in_async=False)))

    @overload
    def arun(self, message: Any = None, *, stream: Literal[False] = False, **others: Any) -> Coroutine[Any, Any, RunResponse]: ...

    @overload
    def arun(self, message: Any = None, *, stream: Literal[True], **others: Any) -> AgentStream: ...

    def arun(self, message: Any = None, *, stream: bool = False, **others: Any) -> Coroutine[Any, Any, RunResponse] | AgentStream:
        """Return a coroutine for the answer, or with `stream=True` an async iterator: the async twin of `run`.

        Async tools run on the loop of the caller.
        """
        arguments.check("arun", others, ["message", "stream"], arguments.RUN_WITHOUT_MEANING)
        if stream:
            return AgentStream(lambda in_async: self._begin(message, streaming=True, in_async=in_async))
        return self._arun(message)

    async def _arun(self, message: Any) -> RunResponse:
        return await background.acall(self._answer(self._begin(message, streaming=False, in_async=True)))

    def _begin(self, message: Any, *, streaming: bool, in_async: bool) -> AgentCall:
        home = asyncio.get_running_loop() if in_async else None
        self._last = AgentCall(self, message, streaming=streaming, home=home)
        return self._last

    async def _answer(self, call: AgentCall) -> RunResponse:
        async for _ in call.responses():
            pass
        return call.response

    def history(self) -> list[ModelMessage] | None:
        """Return the earlier messages that are sent along, if any are."""
        if not self.add_history_to_messages:
            return None
        calls = self._history[-self.num_history_responses :] if self.num_history_responses else self._history
        return [message for call in calls for message in call]

    def remember(self, messages: list[ModelMessage]) -> None:
        """Keep the messages of a call that was answered."""
        self._history.append(messages)
