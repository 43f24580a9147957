"""Spans of agents, requests and tools: pydantic-ai's own, where tracing is configured in this process."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

from pydantic_ai import Agent as Engine
from pydantic_ai.capabilities import Instrumentation
from pydantic_ai.models.instrumented import InstrumentationSettings

from .. import spans

if TYPE_CHECKING:
    from pydantic_ai.agent import AbstractAgent


def capabilities(engine: AbstractAgent[Any, Any]) -> list[Instrumentation]:
    """Return what makes a call of `engine` tell of itself: names, models, tokens and times, and nothing of what was said.

    Empty where tracing is not configured, and where the user has switched on pydantic-ai's instrumentation, whose settings hold
    then: by `pydantic_ai.Agent.instrument_all()` the messages go along.
    """
    provider = spans.provider()
    chosen = getattr(engine, "instrument", None)
    # pydantic-ai has no way to ask what instrument_all() was given.
    if provider is None or chosen is not None or Engine._instrument_default:  # noqa: SLF001 - as the line above says
        return []
    return [_instrumentation(provider)]


@lru_cache(maxsize=4)
def _instrumentation(provider: Any) -> Instrumentation:
    settings = InstrumentationSettings(tracer_provider=provider, include_content=False, include_binary_content=False)
    return Instrumentation(settings=settings)
