"""The requests of one call of an agent: each waits for its turn, keeps to time and budget, and is made again if it may be."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack, asynccontextmanager
from time import monotonic
from typing import TYPE_CHECKING, Any, TypeVar

from pydantic_ai.models import CompletedStreamedResponse
from pydantic_ai.models.function import FunctionModel
from pydantic_ai.models.test import TestModel
from pydantic_ai.models.wrapper import WrapperModel

from ..cache.modes import refuse_to_ask
from ..run import Usage, logger
from .again import request_sought, response_kept, response_of
from .ending import ending
from .failures import explain
from .limits import CONCURRENCY, Limits, gate, name_of
from .retries import RETRIES, BrokenOff, Silence, TooLong, passes, wait_after
from .tokens import Spending

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable

    from pydantic_ai import ModelSettings, RunContext
    from pydantic_ai.messages import ModelMessage, ModelResponse, ModelResponseStreamEvent
    from pydantic_ai.models import ModelRequestParameters, StreamedResponse

    from .resolve import Resolved
    from .settings import Settings
    from .tokens import Meter

T = TypeVar("T")

#: How long a model may be silent, and how long a whole call may take, in seconds, when nobody says otherwise.
SILENCE, TOTAL = 300.0, 3600.0

#: Models that are functions of this process: nobody else is asked.
INSIDE = (FunctionModel, TestModel)


class Requests(WrapperModel):
    """A model, as one call of an agent uses it.

    A stream is handed over with its first piece that the reader is to see: until then it can be begun again from the start.
    """

    def __init__(
        self,
        resolved: Resolved,
        agent: Settings,
        shows: Callable[[ModelResponseStreamEvent], bool],
        *,
        retries: int | None = None,
    ) -> None:
        super().__init__(resolved.model)
        self._agent, self._shows = agent, shows
        self._name = name_of(resolved.model)
        # A local model has another address in each process.
        self._identity = resolved.name if resolved.cost_free else resolved.model
        self._default = _default_limits(resolved)
        self._who = f"{agent.label} on {resolved.name!r}"
        self._silence = next((s for s in (agent.timeout, _timeout(resolved, agent)) if s is not None), SILENCE)
        self._total = agent.total_timeout if agent.total_timeout is not None else TOTAL
        self._ends = monotonic() + self._total
        self._tries = 1 + (retries if retries is not None else RETRIES)
        self._attempt = 0
        #: What answers took that were given before: they cost nothing now.
        self.recalled = Usage()
        #: What the requests use that their answers do not say.
        self.spending = Spending(self._who, self._name, self.wrapped, told=resolved.name)

    @property
    def attempt(self) -> str:
        """Which attempt goes on or was the last, for an error: empty while it is the first."""
        return f", attempt {self._attempt} of {self._tries}" if self._attempt > 1 else ""

    async def request(
        self,
        messages: list[ModelMessage],
        model_settings: ModelSettings | None,
        model_request_parameters: ModelRequestParameters,
    ) -> ModelResponse:
        """Return the whole answer to one request: as it was given before, or as it is given now."""
        call = await request_sought(
            self._agent.name or "agent", self._identity, messages, model_settings, model_request_parameters
        )
        if call is not None and call.given is not None:
            return self._again(response_of(call))
        try:
            answer = await self._request(messages, model_settings, model_request_parameters)
        except BaseException as error:
            if call is not None:
                call.fail(error)
            raise
        if call is not None:
            await response_kept(call, answer)
        return answer

    def _again(self, answer: ModelResponse) -> ModelResponse:
        """Note that an answer costs nothing now."""
        self.recalled.input_tokens += answer.usage.input_tokens
        self.recalled.output_tokens += answer.usage.output_tokens
        self.recalled.requests += 1
        return answer

    async def _request(
        self,
        messages: list[ModelMessage],
        model_settings: ModelSettings | None,
        model_request_parameters: ModelRequestParameters,
    ) -> ModelResponse:
        async def whole(settings: ModelSettings | None) -> ModelResponse:
            return await self._in_time(self.wrapped.request(messages, settings, model_request_parameters))

        async def ask(_: AsyncExitStack) -> ModelResponse:
            with self.spending.metered(messages) as meter:
                answer = await self.spending.capped(meter, model_settings, whole)
                meter.counts = True
                self.spending.whole(meter, answer.usage, answer.finish_reason, answer.parts)
                return answer

        async with AsyncExitStack() as held:
            answer = await self._tried(ask, held)
        self._attempt = 0
        return answer

    @asynccontextmanager
    async def request_stream(
        self,
        messages: list[ModelMessage],
        model_settings: ModelSettings | None,
        model_request_parameters: ModelRequestParameters,
        run_context: RunContext[Any] | None = None,
    ) -> AsyncGenerator[StreamedResponse]:
        """Hand over the answer to one request as it comes, or as it was given before."""
        call = await request_sought(
            self._agent.name or "agent", self._identity, messages, model_settings, model_request_parameters
        )
        if call is not None and call.given is not None:
            answer = self._again(response_of(call))
            yield CompletedStreamedResponse(answer, model_request_parameters=model_request_parameters, replay_events=True)
            return
        try:
            async with self._stream(messages, model_settings, model_request_parameters, run_context) as response:
                yield response
        except BaseException as error:
            if call is not None:
                call.fail(error)
            raise
        if call is not None:
            await response_kept(call, response.get())

    @asynccontextmanager
    async def _stream(
        self,
        messages: list[ModelMessage],
        model_settings: ModelSettings | None,
        model_request_parameters: ModelRequestParameters,
        run_context: RunContext[Any] | None,
    ) -> AsyncGenerator[StreamedResponse]:
        async def ask(opened: AsyncExitStack) -> StreamedResponse:
            async def begun(settings: ModelSettings | None) -> StreamedResponse:
                stream = self.wrapped.request_stream(messages, settings, model_request_parameters, run_context)
                return await self._in_time(opened.enter_async_context(stream))

            meter = opened.enter_context(self.spending.metered(messages))
            response = await self.spending.capped(meter, model_settings, begun)
            events = self._timely(response, meter)
            opened.push_async_callback(events.aclose)
            first: list[ModelResponseStreamEvent] = []
            async for event in events:
                first.append(event)
                if self._shows(event):
                    break
            # pydantic-ai keeps there what `aiter(response)` gives, and itself puts events back in this way.
            response._event_iterator = _again(first, events)  # noqa: SLF001 - as the line above says
            meter.counts = True
            return response

        async with AsyncExitStack() as held:
            yield await self._tried(ask, held)
        self._attempt = 0

    async def _tried(self, ask: Callable[[AsyncExitStack], Awaitable[T]], held: AsyncExitStack) -> T:
        """Ask until it works, or cannot; what must stay open for the answer, the model's slot too, goes into `held`."""
        refuse_to_ask(self._who)
        for attempt in range(1, self._tries + 1):
            self._attempt = attempt
            way = gate(self._name, self.wrapped.base_url, self._default)
            try:
                async with AsyncExitStack() as stack:
                    await self._before_the_end(stack.enter_async_context(way.passing(self._who)))
                    answer = await ask(stack)
                    held.push_async_exit(stack.pop_all())
                    return answer
            except Exception as error:
                if attempt == self._tries or not passes(error):
                    raise
                wait = wait_after(error, attempt)
                if asked := getattr(error, "retry_after", None):
                    way.shut(asked)
                what = explain(error, f"{self._who}, attempt {attempt} of {self._tries}", "")
                logger.info("%s; again in %.1f s", what, wait)
            await self._before_the_end(asyncio.sleep(wait))
        raise AssertionError

    async def _timely(self, response: StreamedResponse, meter: Meter) -> AsyncGenerator[ModelResponseStreamEvent]:
        """The events of a stream, each in time, and as long as there is budget for what they use."""
        ended, events = ending(response), aiter(response)
        while True:
            try:
                event = await self._in_time(anext(events))
            except StopAsyncIteration:
                if not ended():
                    what = "the model's server closed the stream in mid-answer: no finish_reason came"
                    raise BrokenOff(self.model_name, what) from None
                self.spending.whole(meter, response.usage, response.finish_reason)
                return
            meter.see(event, response.usage)
            yield event

    async def _in_time(self, said: Awaitable[T]) -> T:
        """Await what the model says, not longer than it may be silent."""
        return await self._until(min(monotonic() + self._silence, self._ends), said)

    async def _before_the_end(self, something: Awaitable[T]) -> T:
        return await self._until(self._ends, something)

    async def _until(self, end: float, something: Awaitable[T]) -> T:
        try:
            async with asyncio.timeout_at(end) as clock:
                return await something
        except TimeoutError:
            if not clock.expired():
                raise
            if end < self._ends:
                raise Silence(self.model_name, f"the model's server said nothing for {self._silence:g} s") from None
            raise TooLong(self.model_name, f"the call took longer than {self._total:g} s (total_timeout)") from None


async def _again(
    first: list[ModelResponseStreamEvent], rest: AsyncIterator[ModelResponseStreamEvent]
) -> AsyncIterator[ModelResponseStreamEvent]:
    for event in first:
        yield event
    async for event in rest:
        yield event


def _default_limits(resolved: Resolved) -> Limits:
    """One call at a time for a local model, as its server does them; nothing needs sparing behind a model of functions."""
    if resolved.cost_free:
        return Limits(1)
    return Limits(None if isinstance(resolved.model, INSIDE) else CONCURRENCY)


def _timeout(resolved: Resolved, agent: Settings) -> float | None:
    """The timeout among the settings of the request, when it is a number of seconds."""
    timeout = {**resolved.settings, **(agent.model_settings or {})}.get("timeout")
    return float(timeout) if isinstance(timeout, (int, float)) else None


def one_policy(resolved: Resolved) -> dict[str, Any]:
    """Return the settings by which the model's own client leaves trying again to us, where it knows such a setting."""
    models = getattr(resolved.model, "models", None) or [resolved.model]
    takes = all("max_retries" not in model.unsupported_settings and not isinstance(model, INSIDE) for model in models)
    return {"max_retries": 0} if takes else {}
