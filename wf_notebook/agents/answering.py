"""An answer while it comes: what was said of it, what its reader has seen, and which tools were called."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .. import background
from ..events import RunEvent, RunResponse
from .noting import Noted

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator


class Answering:
    """One call of an agent: `responses()` runs it, `so_far()` is its answer.

    All responses share one `metrics` dict, which is complete at the end: tokens as counts, `duration` and `time_to_first_token`
    in seconds, `cost` in US dollars (0.0 for a model on this machine, None where the price is not known).
    """

    def __init__(self, name: str | None, *, streaming: bool) -> None:
        self.streaming = streaming
        #: The pieces of text that the reader of the stream has seen, and whether nothing is left to see.
        self.seen: list[str] = []
        self.whole = False
        self._name = name
        self._metrics: dict[str, Any] = {}
        self._tools: dict[str, dict[str, Any]] = {}
        self._text: list[str] = []
        self._noted = Noted(name, self._metrics)
        self._response = self._says(None)

    def responses(self) -> AsyncGenerator[RunResponse]:
        """Run the call on this loop, in one task, and say what is said as it comes."""
        raise NotImplementedError

    def awaited(self) -> AsyncGenerator[RunResponse]:
        """Run it for who awaits it, on whatever loop."""
        return background.aiterate(self.responses())

    def _says(self, content: object, event: RunEvent = RunEvent.run_response) -> RunResponse:
        model = self._noted.model
        return RunResponse(content, event=event.value, metrics=self._metrics, model=model, agent_id=self._name)

    def so_far(self) -> RunResponse:
        """Return the answer: whole, or with the text that the reader has seen, and the tools that were called."""
        if self.whole:
            return self._response
        return self._response.stamped({"content": "".join(self.seen) or None, "tools": list(self._tools.values()) or None})

    def end(self) -> None:
        """The reader of the stream has seen all of it (closing it again changes nothing)."""
        self.whole = self.whole or self._response.content is not None

    def see(self, response: RunResponse) -> None:
        """Remember what the reader of the stream was given."""
        if response is self._response:
            self.whole = True
        elif isinstance(response.content, str) and response.event == RunEvent.run_response:
            self.seen.append(response.content)

    def _came(self, call: dict[str, Any], result: Any, *, failed: bool) -> RunResponse:
        """A call of a tool is over."""
        call |= {"result": result} | ({"tool_call_error": True} if failed else {})
        return self._of_tool(call, RunEvent.tool_call_completed)

    def _of_tool(self, call: dict[str, Any], event: RunEvent) -> RunResponse:
        if not self.streaming:  # what is said is heard by nobody but the call itself
            self._noted.tool(event, call)
        response = self._says(None, event)
        response.tools = [dict(call)]
        return response
