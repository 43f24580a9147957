"""A call of an agent of another package: what it says as our responses, remembered as the calls of our own agents are."""

from __future__ import annotations

from contextlib import aclosing
from contextvars import copy_context
from time import perf_counter
from typing import TYPE_CHECKING, Any

from ..cache.modes import refuse_to_ask
from ..context import within
from ..events import RunEvent
from ..keys import key_of
from ..run import current
from ..spans import span
from ..tally import tally
from .again import foreign_sought
from .pieces import Answer, Called, Came, Text, Used
from .remembered import Remembering
from .tracebacks import from_user

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Iterator, Mapping

    from ..cache.call import Call
    from ..events import RunResponse
    from .pieces import Dialect, Foreign, Piece


class ForeignCall(Remembering):
    """One call of an agent of another package."""

    agent: Foreign

    def __init__(self, agent: Foreign, message: Any, options: Mapping[str, Any], *, streaming: bool) -> None:
        super().__init__(agent.name, streaming=streaming)
        self.agent, self.message, self.options = agent, message, options
        self._dialect: Dialect = agent.dialect

    def _sought(self) -> Awaitable[Call | None]:
        sought: Awaitable[Call | None] = foreign_sought(self.agent, self.message, self.options)
        return sought

    async def awaited(self) -> AsyncGenerator[RunResponse]:
        """Run it on the loop of who awaits it, as what the agent holds may belong to that; in a context of its own."""
        variables, responses = copy_context(), self.responses()
        try:
            while True:
                try:
                    response = await within(variables, anext(responses))
                except StopAsyncIteration:
                    return
                yield response
        finally:
            await within(variables, responses.aclose())

    async def _asked(self) -> AsyncGenerator[RunResponse]:
        started = perf_counter()
        named = {"gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": self._name}
        with self._noted, span(f"invoke_agent {self._name or 'agent'}", named):
            who = self.agent.label
            refuse_to_ask(who)
            pieces = self._dialect.ask(self.message, self.options, streaming=self.streaming, who=who)
            try:
                async with aclosing(pieces):
                    async for piece in pieces:
                        for response in self._heard(piece):
                            if response.content is not None:
                                self._metrics.setdefault("time_to_first_token", perf_counter() - started)
                            yield response
            except Exception as error:  # noqa: BLE001 - raised again, with the traceback of the user's
                raise error.with_traceback(from_user(error.__traceback__)) from error.__cause__
            finally:
                self._metrics["duration"] = perf_counter() - started
            self._response.tools = list(self._tools.values()) or None
            if not (self.streaming and self._text and isinstance(self._response.content, str)):
                yield self._response

    def _heard(self, piece: Piece) -> Iterator[RunResponse]:
        match piece:
            case Text(text, is_thought):
                if not is_thought:
                    self._text.append(text)
                if text and self.streaming:
                    yield self._says(text, RunEvent.reasoning_step if is_thought else RunEvent.run_response)
            case Called(call_id, tool, arguments):
                call = self._tools[call_id] = {"tool_name": tool, "tool_args": arguments, "tool_call_id": call_id}
                yield self._of_tool(call, RunEvent.tool_call_started)
            case Came(call_id, result, failed):
                if (known := self._tools.get(call_id)) is not None and "result" not in known:
                    yield self._came(known, result, failed=failed)
            case Used():
                self._count(piece)
            case Answer(content, messages):
                if self.streaming and self._text and isinstance(content, str):
                    content = "".join(self._text)
                self._response.content, self._response.content_type = content, type(content).__name__
                self._response.messages = messages

    def _count(self, used: Used) -> None:
        """Count what was used, here and with the run."""
        if used.model:
            self._response.model = self._noted.model = used.model
        for name in ("requests", "input_tokens", "output_tokens"):
            self._metrics[name] = self._metrics.get(name, 0) + getattr(used, name)
        self._metrics["total_tokens"] = self._metrics["input_tokens"] + self._metrics["output_tokens"]
        if used.cost is not None:
            self._metrics["cost"] = (self._metrics.get("cost") or 0.0) + used.cost
        counts = {"requests": used.requests, "input_tokens": used.input_tokens, "output_tokens": used.output_tokens}
        if (run := current.get()) is not None:
            run.usage.add(model=used.model, cost=used.cost, **counts)
        tally(cost=used.cost, **counts)

    def _judge(self, step: Call) -> None:
        """A stream is read beside the code that is asked, and that code may change the state too."""
        step.pause()
        if self.streaming and step.changes:
            step.refuse(f"session_state[{key_of(step.changes[0].key)!r}] was changed while it was read")
        step.resume()
