"""Whether a stream came to its end, or its server only closed it: over HTTP both may look alike."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from pydantic_ai.models import StreamedResponse

#: What pydantic-ai calls the streams of protocols in which the last event says why the answer ended.
SAY_WHY = {
    "AnthropicStreamedResponse",
    "BedrockStreamedResponse",
    "GeminiStreamedResponse",
    "GroqStreamedResponse",
    "MistralStreamedResponse",
    "OpenAIResponsesStreamedResponse",
    "OpenAIStreamedResponse",
}

#: What ends a stream in OpenAI's language; some servers that speak it give no other reason.
DONE = "[DONE]"


def ending(response: StreamedResponse) -> Callable[[], bool]:
    """Return what says, when nothing more comes, whether that was the end; asked for before the stream is read.

    Of a protocol that has no such event, as of a model of functions, each end is one.
    """
    if SAY_WHY.isdisjoint(kind.__name__ for kind in type(response).__mro__):
        return lambda: True
    done = _done(response)
    if done is None:
        return lambda: True

    def ended() -> bool:
        said = response.provider_details or {}
        return bool(said.get("finish_reason")) or response.finish_reason == "content_filter" or response.cancelled or done()

    return ended


def _done(response: Any) -> Callable[[], bool] | None:
    """Listen for the line that ends a stream of OpenAI's client, which that keeps to itself (openai 3.57).

    What is no such stream is never ended by that line; None is returned where it cannot be heard.
    """
    source = getattr(getattr(response, "_response", None), "source", None)
    if source is None:
        return lambda: False
    decoder = getattr(source, "_decoder", None)
    decode = getattr(decoder, "decode", None)
    if decoder is None or decode is None:
        return None
    heard: list[str] = []

    def decoded(line: str) -> Any:
        if DONE in line and line.removeprefix("data:").lstrip().startswith(DONE):
            heard.append(line)
        return decode(line)

    decoder.decode = decoded
    return lambda: bool(heard)
