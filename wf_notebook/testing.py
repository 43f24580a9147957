"""For tests of workflows: a model that answers from a script, so that a test needs no key, no network and no luck."""

from __future__ import annotations

import inspect
import json
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from pydantic_ai.messages import ModelMessage, ModelResponse, ModelResponsePart
    from pydantic_ai.models.function import AgentInfo

__all__ = ["Breaks", "Request", "ToolCall", "scripted"]


@dataclass(frozen=True)
class ToolCall:
    """An answer that calls a tool."""

    name: str
    args: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Breaks:
    """An answer that says a text and then breaks off with an error, as a server that dies in mid-stream does."""

    text: str
    error: Exception


@dataclass(frozen=True)
class Request:
    """What the model was asked: messages as `{"role", "content"}`, names of the tools on offer, settings of the request."""

    messages: list[dict[str, Any]]
    tools: list[str]
    settings: dict[str, Any]

    @property
    def message(self) -> str:
        """The content of the last message."""
        return str(self.messages[-1]["content"])


def scripted(*answers: Any) -> Any:
    """Return a pydantic-ai model that gives these answers, one per request; `.requests` are the requests so far.

    An answer is a text (streamed word by word), a dict or pydantic model (structured output), a ToolCall or a list of them,
    an Exception to raise, Breaks, or a function of the Request that returns any of these (async too; an async generator function
    gives pieces of text, and so can wait in mid-stream). When the script is over, the call fails and says so.

    >>> from wf_notebook import Agent
    >>> model = scripted("Hello, world!")
    >>> Agent(model).run("Greet.").content
    'Hello, world!'
    >>> model.requests[0].message
    'Greet.'
    """
    from pydantic_ai.models.function import FunctionModel

    script = _Script(answers)
    model: Any = FunctionModel(script.answer, stream_function=script.stream, model_name="scripted")
    model.requests = script.requests
    return model


class _Script:
    def __init__(self, answers: tuple[Any, ...]) -> None:
        self.answers = answers
        self.requests: list[Request] = []

    def _key_parts_(self) -> dict[str, Any]:
        """What tells one script from another: which of its answers were given is no part of it."""
        return {"answers": [repr(answer) if isinstance(answer, (Exception, Breaks)) else answer for answer in self.answers]}

    async def _next(self, messages: list[ModelMessage], info: AgentInfo) -> Any:
        from .agents.transcript import as_dicts

        request = Request(as_dicts(messages), [tool.name for tool in info.function_tools], dict(info.model_settings or {}))
        self.requests.append(request)
        if len(self.requests) > len(self.answers):
            raise AssertionError(
                f"the script has {len(self.answers)} answers, and this is request {len(self.requests)}: {request.message!r}"
            )
        answer = self.answers[len(self.requests) - 1]
        if inspect.isfunction(answer) or inspect.ismethod(answer):
            answer = answer(request)
            if inspect.isawaitable(answer):
                answer = await answer
        if isinstance(answer, Exception):
            raise answer
        return answer

    async def answer(self, messages: list[ModelMessage], info: AgentInfo) -> ModelResponse:
        from pydantic_ai.messages import ModelResponse, TextPart, ToolCallPart

        pieces = [piece async for piece in _pieces(await self._next(messages, info), info)]
        calls = [ToolCallPart(piece.name, piece.args) for piece in pieces if isinstance(piece, ToolCall)]
        text = "".join(piece for piece in pieces if isinstance(piece, str))
        parts: list[ModelResponsePart] = [TextPart(text), *calls] if text or not calls else [*calls]
        return ModelResponse(parts=parts)

    async def stream(self, messages: list[ModelMessage], info: AgentInfo) -> AsyncIterator[Any]:
        from pydantic_ai.models.function import DeltaToolCall

        number = 0
        async for piece in _pieces(await self._next(messages, info), info):
            if isinstance(piece, str):
                yield piece
            else:
                call = DeltaToolCall(
                    name=piece.name, json_args=json.dumps(piece.args), tool_call_id=f"{len(self.requests)}-{number}"
                )
                yield {number: call}
                number += 1


async def _pieces(answer: Any, info: AgentInfo) -> AsyncIterator[str | ToolCall]:
    """The words and tool calls of an answer, in order."""
    if isinstance(answer, str):
        for word in re.findall(r"\s*\S+\s*$|\s*\S+|\s+", answer) or [""]:
            yield word
    elif isinstance(answer, Breaks):
        async for piece in _pieces(answer.text, info):
            yield piece
        raise answer.error
    elif isinstance(answer, ToolCall):
        yield answer
    elif isinstance(answer, (list, tuple)):
        for item in answer:
            async for piece in _pieces(item, info):
                yield piece
    elif hasattr(answer, "__aiter__"):
        async for piece in answer:
            yield piece
    else:
        data = answer.model_dump(mode="json") if hasattr(answer, "model_dump") else answer
        yield ToolCall(info.output_tools[0].name, data) if info.output_tools else json.dumps(data)
