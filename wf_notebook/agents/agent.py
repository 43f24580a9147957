"""An agent: a model with instructions and tools, called by `agent.run(message)`."""

from __future__ import annotations

import asyncio
import copy
from functools import partial
from typing import TYPE_CHECKING, Any, Literal, overload

from .. import background
from . import arguments
from .attachments import enclosed
from .history import Turn
from .remembered import Recalled, RememberedCall
from .settings import Settings
from .stream import AgentStream

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Sequence

    from ..events import RunResponse
    from .attachments import Attachment
    from .call import AgentCall
    from .remembered import Memory

#: What `run` and `arun` know.
KNOWN = ("message", "stream", "images", "files", "retries")


class Agent(Settings):
    """A model with a task: instructions, tools, and what its answer looks like.

    The keyword arguments are those of Agno 1.x, listed in `Settings`; they are attributes too, and may be changed between calls.
    Whether the model exists, and whether its key is there, shows at the first call: until then an agent can be defined on a
    machine without either.

    >>> writer = Agent(name="writer", instructions="Write a haiku.")
    >>> writer.name, writer.run_response
    ('writer', None)
    """

    _history: tuple[Turn, ...] = ()
    _last: AgentCall | Recalled | None = None

    @property
    def run_response(self) -> RunResponse | None:
        """The last response: whole when the call has ended, with the text so far while it runs or when it was ended early."""
        return self._last.so_far() if self._last else None

    def recall(self, memory: Memory) -> None:
        """Be as after a call that is not made again, as the step that made it is remembered."""
        self._last = Recalled(memory)
        if memory["turn"] is not None:
            self._remember(Turn(text=memory["turn"]))

    def _key_parts_(self) -> dict[str, Any]:
        """What its answers depend on: a step that calls it depends on that."""
        from .keyed import agent_parts

        return agent_parts(self, [turn.plain for turn in self._earlier()])

    def deep_copy(self) -> Agent:
        """Return an agent with the same settings and no history; the Workflow gives each of its instances one."""
        twin = copy.copy(self)
        twin.tools = list(self.tools) if self.tools is not None else None
        twin._history, twin._last = (), None  # noqa: SLF001 - of its own kind
        return twin

    @overload
    def run(self, message: Any = None, *, stream: Literal[False] = False, **others: Any) -> RunResponse: ...

    @overload
    def run(self, message: Any = None, *, stream: Literal[True], **others: Any) -> AgentStream: ...

    def run(
        self,
        message: Any = None,
        *,
        stream: bool = False,
        images: Any = None,
        files: Any = None,
        retries: int | None = None,
        **others: Any,
    ) -> RunResponse | AgentStream:
        """Call the model and wait for its answer; with `stream=True` return the answer as it comes.

        Works inside a running event loop too. The stream is lazy, and can be read by `for` and by `async for`.

        Args:
            message: A text; a pydantic model, list or dict is sent as JSON; None sends the instructions alone.
            stream: Return an iterator of responses: pieces of text, and tool calls with content None; with a `response_model`
                the answer is one response at the end.
            images: Images to send along: paths, URLs, bytes, open files, matplotlib figures, PIL images, pydantic-ai's content;
                one, or a list of them. They are read at once.
            files: Files of any kind, given in the same ways. What is text goes as text, which every model can read.
            retries: How often a request of this call is made again, in place of the agent's own `retries`.
            others: `stream_intermediate_steps` of the old API, which has no meaning here.

        Raises:
            NoModel: No model was named and none is at hand.
            UnknownModel: Nobody knows the model, or its key or package is missing.
            ModelFailed: The model or its server failed, or gave no valid `response_model`; the cause is chained.
            UnsendableFile: A file is missing, empty, too large or of an unknown type, or the model takes none of its kind.
            RunCancelled: The run that this call belongs to was stopped.

        A tool's own exception is raised as it is.
        """
        self._check("run", others)
        begin = partial(self._begin, message, enclosed(images, files), others, retries=retries)
        if stream:
            return AgentStream(lambda in_async: begin(streaming=True, in_async=in_async), name=self.name)
        return background.call(self._answer(begin(streaming=False, in_async=False)))

    @overload
    def arun(self, message: Any = None, *, stream: Literal[False] = False, **others: Any) -> Coroutine[Any, Any, RunResponse]: ...

    @overload
    def arun(self, message: Any = None, *, stream: Literal[True], **others: Any) -> AgentStream: ...

    def arun(
        self,
        message: Any = None,
        *,
        stream: bool = False,
        images: Any = None,
        files: Any = None,
        retries: int | None = None,
        **others: Any,
    ) -> Coroutine[Any, Any, RunResponse] | AgentStream:
        """Return a coroutine for the answer, or with `stream=True` an async iterator: the async twin of `run`.

        Async tools run on the loop of the caller.
        """
        self._check("arun", others)
        begin = partial(self._begin, message, enclosed(images, files), others, retries=retries)
        if stream:
            return AgentStream(lambda in_async: begin(streaming=True, in_async=in_async), name=self.name)
        answer = self._arun(begin)
        answer.__name__ = self.name or "_arun"  # type: ignore[attr-defined] # what a branch of `parallel` is called
        return answer

    async def _arun(self, begin: Callable[..., AgentCall]) -> RunResponse:
        return await background.acall(self._answer(begin(streaming=False, in_async=True)))

    def _check(self, function: str, others: dict[str, Any]) -> None:
        """Refuse arguments that nobody knows."""
        arguments.check(function, others, KNOWN, arguments.RUN_WITHOUT_MEANING)

    def _begin(
        self,
        message: Any,
        sent: Sequence[Attachment],
        others: dict[str, Any],
        *,
        retries: int | None,
        streaming: bool,
        in_async: bool,
    ) -> AgentCall:
        home = asyncio.get_running_loop() if in_async else None
        how: dict[str, Any] = {"retries": retries, "streaming": streaming, "home": home}
        how |= {"history": self._earlier(), "answered": self._remember}
        call = self._last = self._call(message, sent, others, **how)
        return call

    def _call(self, message: Any, sent: Sequence[Attachment], others: dict[str, Any], **how: Any) -> AgentCall:
        return RememberedCall(self, message, sent=sent, **how)

    async def _answer(self, call: AgentCall) -> RunResponse:
        async for response in call.responses():
            call.see(response)
        return call.so_far()

    def _earlier(self) -> Sequence[Turn]:
        """The earlier calls of which the model is told again."""
        return self._history[-(self.num_history_responses or 0) :] if self.add_history_to_messages else ()

    def _remember(self, turn: Turn) -> None:
        self._history = (*self._history, turn)
