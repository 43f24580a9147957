"""An agent of pydantic-ai for each kind of agents of ours; model, instructions, tools and settings go along with each call."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

from pydantic_ai import Agent as Engine
from pydantic_ai import NativeOutput

if TYPE_CHECKING:
    from .resolve import Resolved
    from .settings import Settings

#: How often a model may try again to give valid structured output, or valid arguments of a tool.
RETRIES = 3


def engine(agent: Settings, resolved: Resolved) -> Engine[None, Any]:
    """Return what makes the calls of an agent: one for all of the same name and output."""
    wants = agent.response_model is not None and agent.structured_outputs
    native = bool(wants and resolved.model.profile.get("supports_json_schema_output"))
    try:
        return _engine(agent.name, agent.response_model, native)
    except TypeError:  # an output that cannot be hashed, such as a list of types
        return _engine.__wrapped__(agent.name, agent.response_model, native)


@lru_cache(maxsize=64)
def _engine(name: str | None, response_model: Any, native: bool) -> Engine[None, Any]:
    output = NativeOutput(response_model) if native else response_model or str
    return Engine(None, deps_type=type(None), name=name, output_type=output, retries=RETRIES)
