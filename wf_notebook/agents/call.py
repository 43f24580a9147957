"""One call of an agent: the loop over what the model says and which tools it calls, said once for every way to call."""

from __future__ import annotations

import asyncio
import os
from time import perf_counter
from typing import TYPE_CHECKING, Any

from ..events import RunEvent, RunResponse
from ..run import current
from .prompt import instructions, message_text

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Iterator

    from pydantic_ai import Agent as Engine
    from pydantic_ai.run import AgentRun

    from . import Agent
    from .resolve import Resolved
    from .tools import UserTools

#: How often a model may try again to give valid structured output, or valid arguments of a tool.
RETRIES = 3


class AgentCall:
    """One call: `responses()` runs it, `response` is its answer.

    All responses share one `metrics` dict, which is complete at the end: tokens as counts, seconds as floats,
    `cost` in US dollars (0.0 for a model on this machine, None where the price is not known).
    """

    def __init__(self, agent: Agent, message: object, *, streaming: bool, home: asyncio.AbstractEventLoop | None) -> None:
        self.agent, self.streaming, self.home = agent, streaming, home
        self.message = message_text(message)
        self.metrics: dict[str, Any] = {}
        self.tools: dict[str, dict[str, Any]] = {}
        self.pieces: list[str] = []
        self.response = self._says(None)
        self._raw: list[str] = []

    def _says(self, content: object, event: RunEvent = RunEvent.run_response) -> RunResponse:
        return RunResponse(content, event=event.value, metrics=self.metrics, agent_id=self.agent.name)

    def so_far(self) -> RunResponse:
        """Return the response: whole when the call has ended well, with the text that was handed on otherwise."""
        if self.response.content is None and self.pieces:
            return self.response.stamped({"content": "".join(self.pieces)})
        return self.response

    def _prepare(self) -> tuple[Resolved, Engine[None, Any], UserTools | None]:
        """Import, resolve, load: what may take seconds the first time, and so happens in a thread."""
        os.environ.setdefault("PYDANTIC_AI_NO_BANNER", "1")  # its first-run advertisement would land in the user's output
        from pydantic_ai import Agent as Engine
        from pydantic_ai import NativeOutput

        from .resolve import resolve
        from .tools import toolset

        agent, label = self.agent, self.agent.label
        resolved = resolve(agent.model)
        output: Any = agent.response_model or str
        if agent.response_model and agent.structured_outputs and resolved.model.profile.get("supports_json_schema_output"):
            output = NativeOutput(agent.response_model)
        tools = toolset(agent.tools or (), label, self.home)
        engine = Engine(
            resolved.model,
            name=agent.name,
            output_type=output,
            instructions=instructions(agent),
            toolsets=[tools] if tools else None,
            model_settings={**resolved.settings, **(agent.model_settings or {})},  # type: ignore[typeddict-item]
            retries=RETRIES,
        )
        return resolved, engine, tools

    async def responses(self) -> AsyncGenerator[RunResponse]:
        """Run the call on this loop, in one task, and say what is said as it comes."""
        self._started = perf_counter()
        resolved, engine, tools = await asyncio.to_thread(self._prepare)
        self.model = self.response.model = resolved.name
        from .failures import explain

        try:
            async with engine.iter(self.message, message_history=self.agent.history()) as run:
                try:
                    async for response in self._follow(engine, run):
                        yield response
                    self._finish(run)
                finally:
                    self._measure(run, resolved)
        except Exception as error:
            if tools and any(error is raised for raised in tools.raised):
                raise
            raise explain(error, self.agent.label, resolved, "".join(self._raw)) from error
        if not self.streaming or self.agent.response_model:
            yield self.response

    async def _follow(self, engine: Engine[None, Any], run: AgentRun[None, Any]) -> AsyncIterator[RunResponse]:
        async for node in run:
            if engine.is_model_request_node(node):
                self._raw.clear()
                if self.streaming:
                    async with node.stream(run.ctx) as events:
                        async for event in events:
                            for response in self._text(event):
                                yield response
            elif engine.is_call_tools_node(node):
                self._raw[:] = [node.model_response.text or ""]
                async with node.stream(run.ctx) as events:
                    async for event in events:
                        for response in self._tool(event):
                            yield response

    def _text(self, event: Any) -> Iterator[RunResponse]:
        """A piece of text, as it comes; structured output comes whole at the end."""
        from pydantic_ai.messages import PartDeltaEvent, PartStartEvent, TextPart, TextPartDelta

        if isinstance(event, PartStartEvent) and isinstance(event.part, TextPart):
            piece = event.part.content
        elif isinstance(event, PartDeltaEvent) and isinstance(event.delta, TextPartDelta):
            piece = event.delta.content_delta
        else:
            return
        self._raw.append(piece)
        if piece and not self.agent.response_model:
            self.metrics.setdefault("time_to_first_token", perf_counter() - self._started)
            said = self._says(piece)
            said.model = self.model
            yield said

    def _tool(self, event: Any) -> Iterator[RunResponse]:
        """A tool is called, or answers."""
        from pydantic_ai.messages import FunctionToolCallEvent, FunctionToolResultEvent

        from .transcript import called, plain

        if isinstance(event, FunctionToolCallEvent):
            call = self.tools[event.part.tool_call_id] = called(event.part)
            said = self._says(None, RunEvent.tool_call_started)
        elif isinstance(event, FunctionToolResultEvent):
            call = self.tools[event.part.tool_call_id]
            call["result"] = plain(event.part.content)
            said = self._says(None, RunEvent.tool_call_completed)
        else:
            return
        said.model, said.tools = self.model, [dict(call)]
        yield said

    def _finish(self, run: AgentRun[None, Any]) -> None:
        from .transcript import as_dicts

        assert run.result is not None
        self.response.content = run.result.output
        if self.agent.response_model:
            self.response.content_type = type(run.result.output).__name__
        self.response.messages = as_dicts(run.all_messages())
        self.response.tools = [dict(call) for call in self.tools.values()] or None
        self.agent.remember(run.new_messages())

    def _measure(self, run: AgentRun[None, Any], resolved: Resolved) -> None:
        """Count what was used, also by a call that ended early, and tell the run that this call belongs to; once."""
        used = run.usage
        cost = 0.0 if resolved.cost_free else None if used.cost is None else float(used.cost)
        counts = {"requests": used.requests, "input_tokens": used.input_tokens, "output_tokens": used.output_tokens}
        self.metrics |= counts
        self.metrics |= {"total_tokens": used.total_tokens, "cost": cost, "duration": perf_counter() - self._started}
        belongs_to = current.get()
        if belongs_to is not None:
            belongs_to.usage.add(model=resolved.name, cost=cost, **counts)
