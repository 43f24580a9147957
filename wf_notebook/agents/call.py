"""One call of an agent: the loop over what the model says and which tools it calls, said once for every way to call."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Any, ClassVar

from ..errors import AgentFailed
from ..events import RunEvent
from ..prices import note_unknown
from ..redact import redact
from ..run import Usage, current
from ..tally import tally
from .answering import Answering
from .history import Turn
from .noting import in_a_line
from .prompt import instructions, message_text

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator, Sequence

    from pydantic_ai import Agent as Engine
    from pydantic_ai.messages import ModelResponse
    from pydantic_ai.run import AgentRun

    from ..events import RunResponse
    from .attachments import Attachment
    from .requests import Requests
    from .resolve import Resolved
    from .settings import Settings
    from .tools import UserTools


class AgentCall(Answering):
    """One call of a model with instructions and tools, by pydantic-ai."""

    #: What says whether a model needs no preparing; None until all that is imported for a call is there.
    is_at_hand: ClassVar[staticmethod[[object], bool] | None] = None

    def __init__(
        self,
        agent: Settings,
        message: object,
        *,
        sent: Sequence[Attachment] = (),
        retries: int | None = None,
        streaming: bool,
        home: asyncio.AbstractEventLoop | None,
        history: Sequence[Turn],
        answered: Callable[[Turn], object],
    ) -> None:
        super().__init__(agent.name, streaming=streaming)
        self.agent, self.home = agent, home
        self.message, self.history, self.answered = message_text(message), history, answered
        #: Images and files that go along with the message.
        self.sent = sent
        self.retries = agent.retries if retries is None else retries
        self._model: Resolved | None = None
        self._requests: Requests | None = None
        self._options: dict[str, Any] = {}
        self._counted = {"requests": 0, "input_tokens": 0, "output_tokens": 0}
        self._costed = 0.0
        #: The messages, once the answer is whole.
        self.turn: Turn | None = None
        #: The tools that were called and have an effect: the call is not to be remembered as a whole.
        self.effects: list[str] = []
        self._raw: list[str] = []
        self._piece_of: Callable[[object], tuple[str, bool]]

    def _prepare(self) -> tuple[Resolved, Engine[None, Any], UserTools | None]:
        """Import, resolve, load: what may take seconds the first time."""
        if self.is_at_hand is None:
            os.environ.setdefault("PYDANTIC_AI_NO_BANNER", "1")  # its first-run advertisement would land in the user's output
        from .engine import engine
        from .parts import user_prompt
        from .requests import Requests, one_policy
        from .resolve import is_at_hand, resolve
        from .tools import toolset
        from .tracing import capabilities

        AgentCall.is_at_hand = staticmethod(is_at_hand)
        agent, resolved = self.agent, resolve(self.agent.model)
        tools = toolset(agent.tools or (), agent.label, self.home)
        made = engine(agent, resolved)
        self._requests = Requests(resolved, agent, self._shows, retries=self.retries)
        self._options = {
            "model": self._requests,
            "user_prompt": user_prompt(self.message, self.sent, agent.label, resolved),
            "instructions": instructions(agent),
            "toolsets": [tools] if tools else None,
            "model_settings": {**one_policy(resolved), **resolved.settings, **(agent.model_settings or {})},
            "capabilities": capabilities(made),
        }
        return resolved, made, tools

    async def _prepared(self) -> tuple[Resolved, Engine[None, Any], UserTools | None]:
        """Prepare in a thread what may take its time: imports, a model that is loaded, code of the user's; else at once."""
        agent = self.agent
        takes_time = agent.tools or self.sent or callable(agent.instructions) or callable(agent.system_message)
        if takes_time or self.is_at_hand is None or not self.is_at_hand(agent.model):
            return await asyncio.to_thread(self._prepare)
        return self._prepare()

    async def responses(self) -> AsyncGenerator[RunResponse]:
        """Run the call on this loop, in one task, and say what is said as it comes; its run is told of it."""
        started = perf_counter()
        with self._noted:
            resolved, engine, tools = await self._prepared()
            self.effects = getattr(tools, "effects", self.effects)
            self._model, self._response.model, self._noted.model = resolved, resolved.name, resolved.name
            from .failures import explain
            from .transcript import piece_of

            self._piece_of = piece_of
            try:
                history = [message for turn in self.history for message in turn.messages]
                async with engine.iter(message_history=history, infer_name=False, **self._options) as run:
                    try:
                        async for response in self._follow(engine, run):
                            if response.content is not None:
                                self._metrics.setdefault("time_to_first_token", perf_counter() - started)
                            yield response
                        self._finish(run)
                    finally:
                        self._measure(run, perf_counter() - started)
            except Exception as error:
                if tools:
                    for call_id, own in tools.raised.items():
                        yield self._came(self._tools[call_id], in_a_line(own), failed=True)
                    tools.raise_own(error)
                assert self._requests is not None
                self._requests.spending.raise_if_cut()
                who = f"{self.agent.label} on {resolved.name!r}{self._requests.attempt}"
                raise explain(error, who, "".join(self._raw), self.sent) from error
            if self.agent.save_response_to_file:
                self._save(self.agent.save_response_to_file)
            if not self.streaming or self.agent.response_model:
                yield self._response

    async def _follow(self, engine: Engine[None, Any], run: AgentRun[None, Any]) -> AsyncIterator[RunResponse]:
        async for node in run:
            if not engine.is_user_prompt_node(node) and not engine.is_end_node(node):  # nothing was used, or all is counted
                self._count(run)
            if engine.is_model_request_node(node):
                if self.streaming:
                    self._raw.clear()
                    async with node.stream(run.ctx) as pieces:
                        async for event in pieces:
                            for response in self._said(event):
                                yield response
            elif engine.is_call_tools_node(node):
                self._raw[:] = [_raw(node.model_response)]
                if not node.model_response.tool_calls:
                    continue
                async with node.stream(run.ctx) as calls:
                    async for event in calls:
                        for response in self._called(event):
                            yield response

    def _said(self, event: Any) -> Iterator[RunResponse]:
        """A piece of text or of thoughts, as it comes; structured output comes whole at the end."""
        piece, is_text = self._piece_of(event)
        if is_text:
            self._raw.append(piece)
        if not piece or self.agent.response_model:
            return
        if is_text:
            self._text.append(piece)
        yield self._says(piece, RunEvent.run_response if is_text else RunEvent.reasoning_step)

    def _shows(self, event: Any) -> bool:
        """Say whether the reader of the stream sees something of an event."""
        return bool(self._piece_of(event)[0]) and not self.agent.response_model

    def _called(self, event: Any) -> Iterator[RunResponse]:
        """A tool is called, or answers."""
        from .transcript import called, came_of, of_tool

        if (what := of_tool(event)) == "call":
            call = self._tools[event.part.tool_call_id] = called(event.part)
            yield self._of_tool(call, RunEvent.tool_call_started)
        elif what == "result":
            result, failed = came_of(event.part)
            yield self._came(self._tools[event.part.tool_call_id], result, failed=failed)

    def _finish(self, run: AgentRun[None, Any]) -> None:
        """The answer is whole: the text of a stream is all that was said, also before a tool was called."""
        from .transcript import as_dicts

        assert run.result is not None
        response, output = self._response, run.result.output
        if self.agent.response_model:
            response.content, response.content_type = output, type(output).__name__
        else:
            response.content = "".join(self._text) if self.streaming else output
        response.messages = as_dicts(run.all_messages())
        response.tools = list(self._tools.values()) or None
        self.turn = Turn(run.new_messages())
        self.answered(self.turn)

    def _measure(self, run: AgentRun[None, Any], duration: float) -> None:
        """Count what was used, also by a call that ended early."""
        cost = self._count(run)
        total = self._counted["input_tokens"] + self._counted["output_tokens"]
        self._metrics |= {**self._counted, "total_tokens": total, "cost": cost, "duration": duration}

    def _count(self, run: AgentRun[None, Any]) -> float | None:
        """Tell the run that this call belongs to what was used since the last time; return what the call cost so far."""
        assert self._model is not None
        assert self._requests is not None
        used, before, unsaid = run.usage, self._counted, self._requests.spending
        sent, came = used.input_tokens + unsaid.input_tokens, used.output_tokens + unsaid.output_tokens
        cost = self._model.cost(sent, came, used.cost)
        if cost is None and used.input_tokens + used.output_tokens:
            note_unknown(self._model.name)
        now = {"requests": used.requests, "input_tokens": sent, "output_tokens": came}
        recalled, self._requests.recalled = self._requests.recalled, Usage()  # these were told when they were given again
        more = {name: now[name] - before[name] - getattr(recalled, name) for name in now}
        more_cost = None if cost is None else cost - self._costed
        self._counted, self._costed = now, cost or 0.0
        belongs_to = current.get()
        if belongs_to is not None:
            belongs_to.usage.add(model=self._model.name, cost=more_cost, **more)
        if any(more.values()):
            tally(cost=more_cost, **more)
        return cost

    def _save(self, template: str) -> None:
        """Write the answer to a file; when that fails, the answer is at the error."""
        run = current.get()
        ids = {"run_id": run and run.run_id, "session_id": run and run.session_id, "user_id": None}
        path = Path(template.format(name=self.agent.name, message=self.message, **ids))
        content = self._response.content
        text = content.model_dump_json(indent=2) if hasattr(content, "model_dump_json") else str(content)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(redact(text), encoding="utf-8")
        except OSError as error:
            failed = AgentFailed(
                f"{self.agent.label} could not write {str(path)!r}: {error.strerror}; the answer is in .response"
            )
            failed.response = self._response
            raise failed from error


def _raw(response: ModelResponse) -> str:
    """What the model said, for an error that quotes it: its text, else the arguments that it gave."""
    return response.text or "".join(call.args_as_json_str() for call in response.tool_calls)
