"""Adapters: what is no Agent of ours, and is to be called as one in a workflow.

An adapter is an object that has what `AgentLike` names. docs/adapters.md says how to write one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol, Self, runtime_checkable

from ..errors import AgentFailed
from ..foreign import PACKAGES
from ..prices import note_unknown
from ..run import current
from ..tally import tally
from .functions import FunctionAgent

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..events import RunResponse


@runtime_checkable
class AgentLike(Protocol):
    """What a workflow can use as an agent: the five things that an adapter has."""

    #: Shown with its responses and in errors; None takes the attribute's name.
    name: str | None

    @property
    def run_response(self) -> RunResponse | None:
        """The last response: whole when the call has ended, with the text so far while it runs or when it was ended early."""

    def run(self, message: Any = None, *, stream: bool = False) -> Any:
        """Return one RunResponse; with `stream=True` an iterator of them, which does nothing before its first `next`."""

    def arun(self, message: Any = None, *, stream: bool = False) -> Any:
        """Return a coroutine for one RunResponse; with `stream=True` an async iterator of them."""

    def deep_copy(self) -> Self:
        """Return one for another instance of the workflow: with the same settings, and nothing said yet."""


def _pydantic_agent(foreign: Any) -> Any:
    from .pydantic import adapt_agent

    return adapt_agent(foreign)


def _agno_agent(foreign: Any) -> Any:
    from .agno import adapt_agent

    return adapt_agent(foreign)


def _runnable(foreign: Any) -> Any:
    from .langchain import adapt_runnable

    return adapt_runnable(foreign)


def _graph(foreign: Any) -> Any:
    from .langgraph import adapt_graph

    return adapt_graph(foreign)


#: Who adapts what: a type, or the beginning of the name of its module, and a function that takes the object and returns what has
#: the five things of AgentLike; None, or the object itself, is left as it is. What was registered last is asked first.
ADAPTERS: list[tuple[type | str, Callable[[Any], Any]]] = [
    ("pydantic_ai", _pydantic_agent),
    ("agno", _agno_agent),
    ("langgraph", _graph),
    ("langchain_core", _runnable),
]


def register_adapter(kind: type | str, factory: Callable[[Any], Any]) -> None:
    """Adapt objects of a type, or of all types of a package or module, from now on.

    Such an object is adapted when it becomes an attribute of a workflow, and by `adapt`.

    Args:
        kind: A type, or the beginning of the name of its module, such as "their_package".
        factory: Takes the object, returns its adapter; None says that it is no agent.

    >>> class Parrot:
    ...     def repeat(self, message): return message
    >>> register_adapter(Parrot, lambda parrot: adapt(parrot.repeat, name="parrot"))
    >>> adapt(Parrot()).run("Hello!").content
    'Hello!'
    """
    PACKAGES.add((kind if isinstance(kind, str) else kind.__module__).partition(".")[0])
    ADAPTERS.insert(0, (kind, factory))


def adapted(foreign: Any) -> Any:
    """Return the adapter of an object whose kind is registered; any other as it is."""
    for kind, factory in ADAPTERS:
        if _is(foreign, kind) and (agent := factory(foreign)) is not None:
            return agent
    return foreign


def _is(foreign: Any, kind: type | str) -> bool:
    if isinstance(kind, type):
        return isinstance(foreign, kind)
    return any(f"{base.__module__}.".startswith(f"{kind}.") for base in type(foreign).__mro__)


def adapt(thing: Any, *, name: str | None = None) -> Any:
    """Return something that is called as an agent is: `.run(message)`, `.run(message, stream=True)`, `.arun(…)`, `.run_response`.

    Args:
        thing: A function, generator function, coroutine function, async generator function, or another callable: it is called
            with the arguments of `run`, what it gives is said as responses, and pieces of text are joined. Or an agent of
            pydantic-ai or agno, a runnable of LangChain, a graph of LangGraph, or of a kind that `register_adapter` knows. What
            is called as an agent already is returned as it is.
        name: Shown with its responses; the function's name when left out.

    >>> def search(topic):
    ...     return [f"{topic} 1", f"{topic} 2"]
    >>> adapt(search).run("ducks").content
    ['ducks 1', 'ducks 2']
    """
    agent = adapted(thing)
    if agent is thing and not isinstance(thing, AgentLike):
        if not callable(thing):
            raise AgentFailed(
                f"a value of type {type(thing).__name__!r} cannot be adapted; give a function, or register_adapter() for its type"
            )
        return FunctionAgent(thing, name=name)
    if name is not None:
        agent = agent.deep_copy() if agent is thing else agent
        agent.name = name
    return agent


def report_usage(
    *, model: str | None = None, requests: int = 1, input_tokens: int = 0, output_tokens: int = 0, cost: float | None = None
) -> None:
    """Count what a call used with the run that the calling code belongs to: for adapters whose calls nobody else counts.

    Args:
        model: Its name.
        requests: How many requests were made.
        input_tokens: What was sent, in tokens.
        output_tokens: What was answered, in tokens.
        cost: In US dollars; None where no price is known.
    """
    run = current.get()
    if run is not None:
        if cost is None and input_tokens + output_tokens:
            note_unknown(model)
        run.usage.add(model=model, requests=requests, input_tokens=input_tokens, output_tokens=output_tokens, cost=cost)
    tally(requests=requests, input_tokens=input_tokens, output_tokens=output_tokens, cost=cost)
