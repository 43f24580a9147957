"""What was said in an agent call, as plain dicts: messages, tool calls, counts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic_ai.messages import (
    BinaryContent,
    FileUrl,
    FunctionToolCallEvent,
    FunctionToolResultEvent,
    ModelRequest,
    PartDeltaEvent,
    PartStartEvent,
    RetryPromptPart,
    SystemPromptPart,
    TextContent,
    TextPart,
    TextPartDelta,
    ThinkingPart,
    ThinkingPartDelta,
    ToolCallPart,
    ToolReturnPart,
    UserPromptPart,
)
from pydantic_core import to_jsonable_python

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pydantic_ai.messages import ModelMessage


def as_dicts(messages: Iterable[ModelMessage]) -> list[dict[str, Any]]:
    """Return messages as `{"role": …, "content": …}`, in the roles that chat models use."""
    dicts: list[dict[str, Any]] = []
    for message in messages:
        if isinstance(message, ModelRequest):
            if message.instructions and not any(said["role"] == "system" for said in dicts):
                dicts.append({"role": "system", "content": message.instructions})
            dicts += [_asked(part) for part in message.parts]
        else:
            calls = [called(part) for part in message.parts if isinstance(part, ToolCallPart)]
            text = "".join(part.content for part in message.parts if isinstance(part, TextPart))
            dicts.append({"role": "assistant", "content": text or None} | ({"tool_calls": calls} if calls else {}))
    return dicts


def _asked(part: Any) -> dict[str, Any]:
    if isinstance(part, UserPromptPart):
        return {"role": "user", "content": part.content if isinstance(part.content, str) else list(map(_sent, part.content))}
    if isinstance(part, SystemPromptPart):
        return {"role": "system", "content": part.content}
    if isinstance(part, ToolReturnPart):
        return {"role": "tool", "name": part.tool_name, "tool_call_id": part.tool_call_id, "content": part.model_response_str()}
    if isinstance(part, RetryPromptPart):
        return {"role": "tool" if part.tool_name else "user", "content": part.model_response()}
    return {"role": "user", "content": str(part)}


def _sent(item: Any) -> str | dict[str, Any]:
    """A text as it is; a file by what it is, without its bytes."""
    if isinstance(item, (str, TextContent)):
        return item if isinstance(item, str) else item.content
    if isinstance(item, BinaryContent):
        return {"media_type": item.media_type, "bytes": len(item.data), "name": item.identifier}
    return {"url": item.url} if isinstance(item, FileUrl) else {"kind": getattr(item, "kind", type(item).__name__)}


def called(part: ToolCallPart) -> dict[str, Any]:
    """Return a tool call as a dict: name, arguments, id; its result comes later."""
    try:
        arguments: Any = part.args_as_dict()
    except (ValueError, AssertionError):
        arguments = part.args
    return {"tool_name": part.tool_name, "tool_args": arguments, "tool_call_id": part.tool_call_id}


def plain(value: Any) -> Any:
    """Return a tool's result as JSON has it: what JSON has not becomes its text."""
    return to_jsonable_python(value, fallback=str)


def piece_of(event: object) -> tuple[str, bool]:
    """Return the piece in an event of a stream, empty where there is none, and whether it is text: else it is a thought."""
    if isinstance(event, PartDeltaEvent):
        delta = event.delta
        if isinstance(delta, TextPartDelta):
            return delta.content_delta, True
        return (delta.content_delta or "", False) if isinstance(delta, ThinkingPartDelta) else ("", True)
    if isinstance(event, PartStartEvent) and isinstance(event.part, (TextPart, ThinkingPart)):
        return event.part.content, isinstance(event.part, TextPart)
    return "", True


def came_of(part: Any) -> tuple[Any, bool]:
    """Return what came of a call of a tool, and whether it failed: it did not work, or is to be called in another way."""
    failed = isinstance(part, RetryPromptPart) or getattr(part, "outcome", "success") != "success"
    if failed and isinstance(part.content, list):
        return "; ".join(map(_wrong, part.content)), True
    return plain(part.content), failed


def _wrong(detail: Any) -> str:
    """Return what is wrong with an argument: `number: Input should be a valid integer`."""
    if not isinstance(detail, dict):
        return str(detail)
    return ": ".join(filter(None, [".".join(map(str, detail.get("loc", ()))), str(detail.get("msg", ""))]))


def of_tool(event: object) -> str | None:
    """Say whether an event is the "call" of a tool or its "result"."""
    if isinstance(event, FunctionToolCallEvent):
        return "call"
    return "result" if isinstance(event, FunctionToolResultEvent) else None
