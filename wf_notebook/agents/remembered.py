"""A call of an agent that is remembered as a whole: when nothing changed, what was said is said again, and no model is asked."""

from __future__ import annotations

from contextlib import aclosing
from typing import TYPE_CHECKING, Any

from ..cache.heard import hearing
from ..cache.lease import driver, driving
from ..events import RunEvent, RunResponse
from .again import call_sought, kept
from .answering import Answering
from .call import AgentCall
from .history import Turn

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Iterator

    from ..cache.call import Call
    from ..cache.given import Given

#: What a run stamps on a response.
STAMPS = {"run_id", "session_id", "workflow_id", "lane"}


#: What is to be known of a call when it is not made again: the fields of its answer, and its messages as JSON.
Memory = dict[str, Any]


class Recalled:
    """A call that is not made again: its answer is known."""

    def __init__(self, memory: Memory) -> None:
        self._response = RunResponse(**memory["response"])

    def so_far(self) -> RunResponse:
        """Return the answer."""
        return self._response


class Remembering(Answering):
    """A call of an agent, of ours or of others, that is looked for among what was answered before."""

    agent: Any

    def __init__(self, *about: Any, **how: Any) -> None:
        super().__init__(*about, **how)
        self._driver = driving()

    def _sought(self) -> Awaitable[Call | None]:
        """Look for what was answered before."""
        raise NotImplementedError

    def _asked(self) -> AsyncGenerator[RunResponse]:
        """Ask, and say what is said as it comes."""
        raise NotImplementedError

    def _judge(self, step: Call) -> None:
        """Refuse to remember what must be done each time."""

    def _turn(self) -> str | None:
        """Return the messages as JSON, where they are to be known at the next call."""
        return None

    def _over_again(self, turn: str | None) -> None:
        """Do what is done after an answer, also after one that is given again."""

    def _is_in_pieces(self) -> bool:
        """Say whether the reader is given text as it comes."""
        return self.streaming

    async def responses(self) -> AsyncGenerator[RunResponse]:
        """Say what is said as it comes, on this loop, in one task; what was answered before is said again."""
        driver.set(self._driver)
        step = await self._sought()
        if step is not None and step.given is not None:
            for response in self._again(step.given):
                yield response
            self._tell(step, step.given.more)
            return
        if step is not None:
            step.enter()
        said: list[RunResponse] = []
        try:
            with hearing():
                async with aclosing(self._asked()) as asked:
                    async for response in asked:
                        said.append(response)
                        yield response
        except BaseException as error:
            if step is not None:
                step.fail(error)
            raise
        if step is not None:
            self._judge(step)
            memory = self._memory()
            self._tell(step, memory)
            await kept(step, None, said, memory)

    def _tell(self, step: Call, memory: Memory) -> None:
        """Tell the steps that this is inside of what the agent is to know when they are not done again."""
        for outer in step.within:
            outer.agents.append((self.agent, memory))

    def _memory(self) -> Memory:
        """Return what is to be known when this is said again."""
        fields = {name: value for name, value in vars(self._response).items() if name not in STAMPS and value is not None}
        return {"response": fields, "turn": self._turn()}

    def _again(self, given: Given) -> Iterator[RunResponse]:
        """Say what was said then, as this call is made: in pieces, or as a whole."""
        fields = dict(given.more["response"])
        self._metrics.update(fields.get("metrics") or {})
        self._response = RunResponse(**fields | {"metrics": self._metrics})
        self._noted.model = self._response.model
        with self._noted:
            in_pieces = False
            for response in given.said or ():
                response.metrics = self._metrics
                if response.tools and response.content is None:
                    self._tools |= {tool["tool_call_id"]: tool for tool in response.tools}
                    if not self.streaming:
                        self._noted.tool(RunEvent(response.event), response.tools[0])
                    yield response
                elif self._is_in_pieces() and isinstance(response.content, str):
                    in_pieces = True
                    yield response
            self._over_again(given.more["turn"])
            if not in_pieces or not isinstance(self._response.content, str):
                yield self._response


class RememberedCall(Remembering, AgentCall):
    """A call of one of our agents."""

    def _sought(self) -> Awaitable[Call | None]:
        sought: Awaitable[Call | None] = call_sought(self.agent, self.message, self.sent, self.history)
        return sought

    def _asked(self) -> AsyncGenerator[RunResponse]:
        return AgentCall.responses(self)

    def _judge(self, step: Call) -> None:
        if self.effects:
            step.refuse(f"its tool {self.effects[0]!r} has an effect (cache='off')")

    def _turn(self) -> str | None:
        return None if self.turn is None else self.turn.text

    def _over_again(self, turn: str | None) -> None:
        if turn is not None:
            self.answered(Turn(text=turn))
        if self.agent.save_response_to_file:
            self._save(self.agent.save_response_to_file)

    def _is_in_pieces(self) -> bool:
        return self.streaming and not self.agent.response_model
