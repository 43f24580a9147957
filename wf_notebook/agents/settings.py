"""What an agent is set to: the keyword arguments of the old API, as attributes that may be changed between calls."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from . import arguments

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pydantic import BaseModel


class Settings:
    """The settings of an agent.

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
        timeout: Seconds that the model may be silent: until the first piece of a stream or the whole of an answer that is not
            streamed, and between two pieces; 300 if not said. Then the request is made again, if nothing was given out yet,
            no thought either.
        total_timeout: Seconds for a whole call with all its requests, retries and waits; 3600 if not said. A tool is not cut.
        retries: How often a request is made again when the server is busy (429, 503), fails (500, 502, 504), cannot be reached,
            breaks off or is silent; 2 if not said; for one call, `run(retries=…)` says it. It waits longer each time, and as long
            as `Retry-After` asks for.
        model_settings: Settings of the request, as pydantic-ai names them: temperature, max_tokens, seed, …
        others: Arguments of Agno's Agent that have no meaning here; each is warned of once.
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
        timeout: float | None = None,
        total_timeout: float | None = None,
        retries: int | None = None,
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
        self.timeout = timeout
        self.total_timeout = total_timeout
        self.retries = retries
        self.model_settings = model_settings
        arguments.check("Agent", others, vars(self), arguments.WITHOUT_MEANING)

    def __repr__(self) -> str:
        return f"<Agent {self.name or self.model or ''}>".replace(" >", ">")

    @property
    def label(self) -> str:
        """How errors name it."""
        return f"agent {self.name!r}" if self.name else "agent"
