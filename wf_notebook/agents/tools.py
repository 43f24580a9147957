"""Tools of an agent: callables of the user, as pydantic-ai takes them; an exception in one of them stays the user's own."""

from __future__ import annotations

import asyncio
from contextvars import copy_context
from dataclasses import dataclass, field
from functools import partial, update_wrapper
from typing import TYPE_CHECKING, Any

from pydantic_ai import Tool
from pydantic_ai.exceptions import ApprovalRequired, CallDeferred, ModelRetry, ToolFailed, ToolRetryError
from pydantic_ai.toolsets import AbstractToolset, CombinedToolset, FunctionToolset, WrapperToolset

from .. import background
from ..cache.heard import hearing
from ..context import within
from ..errors import AgentFailed
from .again import kept, tool_sought
from .tracebacks import from_user

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from pydantic_ai import RunContext
    from pydantic_ai.toolsets import ToolsetTool

#: By raising these a tool speaks to pydantic-ai; they are no failures.
SIGNALS = (ApprovalRequired, CallDeferred, ModelRetry, ToolFailed, ToolRetryError)


def toolset(tools: Iterable[Any], agent: str, home: asyncio.AbstractEventLoop | None) -> UserTools | None:
    """Return the tools as one toolset, or None for no tools.

    Args:
        tools: Functions, bound methods, async functions, partials, toolkits (objects with `.functions`), tools of pydantic-ai.
        agent: For the note on an exception.
        home: The event loop of the async caller: async tools run there, beside the objects of the user that belong to it.
    """
    every = list(flat(tools))
    own = [item for item in every if not isinstance(item, AbstractToolset)]
    functions = [_tool(item, home) for item in own]
    sets = [item for item in every if isinstance(item, AbstractToolset)]
    if not every:
        return None
    named = {tool.name: function_of(item) for tool, item in zip(functions, own, strict=True)}
    return UserTools(CombinedToolset([FunctionToolset(functions), *sets]), agent, named)


def flat(tools: Iterable[Any]) -> Iterator[Any]:
    """Yield tools one by one, those of toolkits too."""
    for item in tools:
        functions = getattr(item, "functions", None)
        if functions is None or callable(item):
            yield item
        else:
            for function in functions.values() if isinstance(functions, dict) else functions:
                yield getattr(function, "entrypoint", function)


def function_of(item: Any) -> Any:
    """Return the function of the user's in a tool."""
    if hasattr(type(item), "deep_copy"):  # a function that was adapted, as an attribute of a workflow is
        item = getattr(item, "__wrapped__", item)
    return item.function if isinstance(item, Tool) else item


def _tool(item: Any, home: asyncio.AbstractEventLoop | None) -> Tool[Any]:
    if hasattr(type(item), "deep_copy"):
        item = getattr(item, "__wrapped__", item)
    if isinstance(item, Tool):
        return item
    if not callable(item) or isinstance(item, type):
        raise AgentFailed(f"{item!r} is no tool: a tool is a function, a method or a toolkit with .functions")
    function = _named(item) if isinstance(item, partial) else item
    if home is not None and asyncio.iscoroutinefunction(item.func if isinstance(item, partial) else item):
        function = _at_home(function, home)
    return Tool(function)


def _named(function: partial[Any]) -> Callable[..., Any]:
    """Give a partial the name and docstring of its function; its signature stays what is left to give."""
    named = update_wrapper(partial(function), function.func)
    del named.__wrapped__
    return named


def _at_home(function: Callable[..., Any], home: asyncio.AbstractEventLoop) -> Callable[..., Any]:
    """Let an async tool run on the loop of the async caller, in the context of the call."""

    async def tool(*args: Any, **kwargs: Any) -> Any:
        if home is asyncio.get_running_loop():
            return await function(*args, **kwargs)
        return await asyncio.wrap_future(background.submit(function(*args, **kwargs), home, copy_context()))

    return update_wrapper(tool, function)


@dataclass
class UserTools(WrapperToolset[Any]):
    """Tools that remember what the user's code raised, so that it can be told from what went wrong with the model."""

    agent: str
    #: The user's functions, by the names of the tools.
    functions: dict[str, Any] = field(default_factory=dict)
    #: What was raised, by the id of the call.
    raised: dict[str, Exception] = field(default_factory=dict)
    #: The tools that were called and are to be called each time, as they have an effect.
    effects: list[str] = field(default_factory=list)

    async def call_tool(self, name: str, tool_args: dict[str, Any], ctx: RunContext[Any], tool: ToolsetTool[Any]) -> Any:
        """Call a tool; a note on what it raises says where that was, and its traceback begins in the user's code."""
        try:
            return await self._called(name, tool_args, ctx, tool)
        except SIGNALS:
            raise
        except Exception as error:
            error.add_note(f"raised by the tool {name!r} of {self.agent}")
            self.raised[str(ctx.tool_call_id)] = error.with_traceback(from_user(error.__traceback__))
            raise

    async def _called(self, name: str, tool_args: dict[str, Any], ctx: RunContext[Any], tool: ToolsetTool[Any]) -> Any:
        """Call a tool, or give what it gave before; a function that is a step sees to that by itself."""
        function = self.functions.get(name)
        step = getattr(function, "step", None)
        if step is not None and step.mode == "off":
            self.effects.append(name)
        if function is None or step is not None:
            return await super().call_tool(name, tool_args, ctx, tool)
        call = await tool_sought(function, name, tool_args)
        if call is None:
            return await super().call_tool(name, tool_args, ctx, tool)
        if call.given is not None:
            return call.given.value
        try:
            with hearing():
                value = await within(call.variables, super().call_tool(name, tool_args, ctx, tool))
        except BaseException as error:
            call.fail(error)
            raise
        await kept(call, value)
        return value

    def raise_own(self, error: Exception) -> None:
        """Raise `error` if it is one of the user's, without the frames between the call of the agent and the tool."""
        for own in self.raised.values():
            if error is own:
                raise own.with_traceback(from_user(own.__traceback__)) from own.__cause__
