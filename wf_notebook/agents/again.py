"""Answers that were given before: they are given again, and no model is asked."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from ..cache import remembering
from ..run import Usage, current

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from pydantic_ai.messages import ModelMessage, ModelResponse

    from ..cache.call import Call
    from ..keying import Key
    from .attachments import Attachment
    from .history import Turn
    from .pieces import Foreign
    from .settings import Settings


async def sought(
    name: str, kind: str, key: Callable[[], Key], *, touches: bool = True, left_out: str | None = None
) -> Call | None:
    """Look for what was answered before in this run's session; return the call to answer, None where nothing is remembered."""
    context = current.get()
    cache = remembering(context)
    if context is None or cache is None:
        return None
    from ..cache.call import Call  # who remembers nothing loads nothing of it

    call = Call(context, cache, name, kind, key, touches=lambda _: touches)
    call.left_out = left_out
    for pause in call.seek():
        await asyncio.sleep(pause)
    return call


async def kept(call: Call, value: Any, said: list[Any] | None = None, more: Any = None, *, used: Usage | None = None) -> None:
    """Remember an answer; what has to wait for the disk keeps no other call waiting."""
    await asyncio.to_thread(call.keep, value, said, more, used=used)


def call_sought(agent: Settings, message: str | None, sent: Sequence[Attachment], history: Sequence[Turn]) -> Any:
    """Look for the answer to a call of an agent."""

    def key() -> Key:
        from .keyed import key_of_call, plain_messages

        return key_of_call(agent, message, sent, [plain_messages(turn.plain) for turn in history])

    told = "the time that it is told" if agent.add_datetime_to_instructions else None
    return sought(agent.name or "agent", "agent", key, touches=False, left_out=told)


def foreign_sought(agent: Foreign, message: Any, options: Mapping[str, Any]) -> Any:
    """Look for the answer to a call of an agent of another package."""

    def key() -> Key:
        from .keyed import key_of_foreign

        return key_of_foreign(agent, message, options)

    return sought(agent.name or "agent", "agent", key, left_out=agent.dialect.left_out)


def request_sought(name: str, model: Any, messages: list[ModelMessage], settings: Any, parameters: Any) -> Any:
    """Look for the answer to one request."""
    from pydantic_ai.messages import ModelMessagesTypeAdapter

    def key() -> Key:
        from .keyed import key_of_request

        return key_of_request(model, ModelMessagesTypeAdapter.dump_python(messages, mode="json"), settings, parameters)

    return sought(name, "request", key, touches=False)


def tool_sought(function: Any, name: str, arguments: dict[str, Any]) -> Any:
    """Look for what a tool gave for these arguments."""

    def key() -> Key:
        from .keyed import key_of_tool

        return key_of_tool(function, name, arguments)

    return sought(name, "tool", key)


def response_of(call: Call) -> ModelResponse:
    """Return the answer of a model that is remembered."""
    from pydantic_ai.messages import ModelMessagesTypeAdapter

    assert call.given is not None
    (response,) = ModelMessagesTypeAdapter.validate_json(call.given.value)
    return response  # type: ignore[return-value] # it was one


async def response_kept(call: Call, response: ModelResponse) -> None:
    """Remember the answer of a model."""
    from pydantic_ai.messages import ModelMessagesTypeAdapter

    usage = response.usage
    used = Usage(1, usage.input_tokens, usage.output_tokens, None, {response.model_name} if response.model_name else set())
    await kept(call, ModelMessagesTypeAdapter.dump_json([response]).decode(), used=used)
