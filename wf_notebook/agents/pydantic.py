"""An agent of pydantic-ai that speaks as ours do: its own instructions, tools and output, our calls, limits and counts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from pydantic_ai.agent import AbstractAgent
from pydantic_ai.capabilities import AbstractCapability

from ..keying.part import Uncacheable
from .agent import Agent
from .call import AgentCall
from .history import Turn
from .parts import user_prompt
from .requests import Requests, one_policy
from .resolve import is_at_hand, resolve
from .tracebacks import from_user
from .tracing import capabilities

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .attachments import Attachment
    from .resolve import Resolved


def adapt_agent(foreign: Any) -> PydanticAgent | None:
    """Return the adapter of an agent of pydantic-ai; None for anything else of that package: models, tools, settings."""
    return PydanticAgent(foreign) if isinstance(foreign, AbstractAgent) else None


class PydanticAgent(Agent):
    """An agent of pydantic-ai as an agent of ours; what it has and ours have not is reached through it.

    `run`, `arun` and their streams are ours, and take the options of pydantic-ai's `iter` too: `deps`, `model_settings`,
    `message_history`, `usage_limits`, `retries` (which are its own: of tools and output)… The foreign agent itself is never
    changed, and its calls share nothing but its settings.
    """

    def __init__(self, foreign: AbstractAgent[Any, Any], *, name: str | None = None) -> None:
        super().__init__(foreign.model, name=name or foreign.name)
        #: The agent of pydantic-ai.
        self.foreign = foreign
        self.response_model = None if foreign.output_type is str else cast("Any", foreign.output_type)

    def _key_parts_(self) -> dict[str, Any]:
        raise Uncacheable(f"(an agent of pydantic-ai, {self.name or 'nameless'}) cannot be told from others by its content")

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_") or name == "foreign":
            raise AttributeError(f"{type(self).__name__!r} has no attribute {name!r}")
        return getattr(self.foreign, name)

    def _check(self, function: str, others: dict[str, Any]) -> None:
        """What is no argument of ours is pydantic-ai's."""

    def _call(self, message: Any, sent: Sequence[Attachment], others: dict[str, Any], **how: Any) -> AgentCall:
        if "message_history" in others:
            how["history"] = [Turn(others["message_history"] or ())]
        options = {name: value for name, value in others.items() if name != "message_history"}
        if (retries := how.pop("retries")) is not None:
            options["retries"] = retries
        return _Call(self, message, sent=sent, options=options, **how)


class _Own(AbstractCapability[Any]):
    """Remembers what the agent's tools raised, so that it can be told from what went wrong with the model."""

    def __init__(self, agent: str) -> None:
        self.agent = agent
        self.raised: dict[str, Exception] = {}

    async def on_tool_execute_error(self, ctx: Any, *, call: Any, tool_def: Any, args: Any, error: Exception) -> Any:
        """Note what a tool raised, and let it pass."""
        error.add_note(f"raised by the tool {call.tool_name!r} of {self.agent}")
        self.raised[call.tool_call_id] = error
        raise error

    def raise_own(self, error: Exception) -> None:
        """Raise `error` if it is one of the user's, without the frames between the call of the agent and the tool."""
        if any(error is own for own in self.raised.values()):
            raise error.with_traceback(from_user(error.__traceback__)) from error.__cause__


class _Call(AgentCall):
    """A call of an agent of pydantic-ai."""

    is_at_hand = staticmethod(is_at_hand)

    def __init__(self, agent: PydanticAgent, message: Any, *, options: dict[str, Any], **how: Any) -> None:
        super().__init__(agent, message, **how)
        self._given = options

    def _prepare(self) -> tuple[Resolved, Any, Any]:
        engine: Any = self.agent.foreign  # type: ignore[attr-defined] # all that use this have it
        given = dict(self._given)
        chosen = getattr(engine, "_override_model", None)  # agent.override(model=…) wins over everything, as in its tests
        override = chosen.get() if chosen is not None else None
        model = given.pop("model", None)
        resolved = resolve(override.value if override is not None else model if model is not None else self.agent.model)
        self._requests = Requests(resolved, self.agent, self._shows, retries=self.retries)
        settings = {**one_policy(resolved), **resolved.settings}
        for more in (engine.model_settings, given.pop("model_settings", None)):
            settings |= {} if more is None or callable(more) else more
        tools = _Own(self.agent.label)
        self._options = {
            **given,
            "user_prompt": user_prompt(self.message, self.sent, self.agent.label, resolved),
            "model": self._requests,
            "model_settings": settings,
            "capabilities": [*capabilities(engine), tools, *(given.get("capabilities") or ())],
        }
        return resolved, engine, tools
