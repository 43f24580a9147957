"""A graph of LangGraph, asked in its own way: text goes in as a message, and the text of its models comes out as it is said."""

from __future__ import annotations

from contextlib import aclosing
from typing import TYPE_CHECKING, Any

from ..errors import AgentFailed
from ..keying import Uncacheable
from .langchain import as_dict, is_message, listening, read, said, text_of, told
from .made_of import is_of, made_of
from .merging import Merging
from .others import ForeignAgent
from .pieces import Answer, Text

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Iterator, Mapping

    from .pieces import Piece

#: What a graph keeps things in, beyond what a key can see.
KEEPING = ("checkpointer", "store")
#: What it is called that got no name.
NAMELESS = "LangGraph"


def adapt_graph(foreign: Any) -> ForeignAgent | None:
    """Return the adapter of a graph that is compiled; None for anything else of that package."""
    return ForeignAgent(Graph(foreign)) if is_of(type(foreign), ["langgraph.pregel"]) and hasattr(foreign, "nodes") else None


class Graph:
    """How a graph of LangGraph is asked."""

    left_out: str | None = None

    def __init__(self, foreign: Any) -> None:
        self.foreign = foreign
        self.name: str | None = None if foreign.name == NAMELESS else foreign.name

    def copy(self) -> Graph:
        """Return it for the same graph: it is not changed by being asked."""
        return self

    def parts(self) -> Mapping[str, Any]:
        """Return what it is made of: its nodes, by their names, and its channels."""
        graph = self.foreign
        for name in KEEPING:
            if getattr(graph, name, None):
                raise Uncacheable(f"(a graph of LangGraph) has a {name}, and what is kept there is no part of a key")
        ways = [graph.input_channels, graph.output_channels, graph.interrupt_before_nodes, graph.interrupt_after_nodes]
        nodes = {f"node {name}": made_of(node) for name, node in graph.nodes.items()}
        return {**nodes, "channels": made_of(graph.channels), "ways": made_of(ways)}

    def told(self, options: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return the options that say what is asked."""
        return told(options)

    async def ask(self, message: Any, options: Mapping[str, Any], *, streaming: bool, who: str) -> AsyncGenerator[Piece]:
        """Ask it; the answer is the text of the last message, of a graph without messages its state."""
        merging = Merging()
        config, options = listening(merging.hear, options)
        given, gathered = self._input(message, who), _Events(who)
        modes = ["values", "updates", *(["messages", "custom"] if streaming else [])]
        how = {**options, "config": config, "stream_mode": modes, "subgraphs": True}

        def awaited() -> AsyncGenerator[Any]:
            events: AsyncGenerator[Any] = self.foreign.astream(given, **how)
            return events

        def plainly() -> Iterator[Any]:
            yield from self.foreign.stream(given, **how)

        async with aclosing(merging.of(lambda merging: read(merging, gathered, awaited, plainly))) as pieces:
            async for piece in pieces:
                yield piece

    def _input(self, message: Any, who: str) -> Any:
        """Return a text, or messages, as the state of the graph; anything else is a state already."""
        if not isinstance(message, (str, list)) and not is_message(message):
            return message
        if "messages" not in self.foreign.channels:
            names = ", ".join(name for name in self.foreign.channels if not name.startswith(("__", "branch:")))
            raise AgentFailed(f"{who} is a graph without messages, and takes no text; give a dict of its state: {names}")
        if isinstance(message, list):
            return {"messages": message}
        return {"messages": [{"role": "user", "content": message} if isinstance(message, str) else message]}


class _Events:
    """The events of a graph: what its models say, what its nodes write, and its state, of which the last is the answer."""

    def __init__(self, who: str) -> None:
        self._who = who
        self._state: Any = None

    def take(self, item: Any) -> Iterator[Piece]:
        """Take up an event."""
        _, mode, event = item
        if mode == "values":  # of a graph within this one too, which ends before it
            self._state = event
        elif mode == "updates" and isinstance(event, dict) and "__interrupt__" in event:
            raise AgentFailed(
                f"{self._who} waits for a person (interrupt), which it cannot do in a workflow; "
                "go on with .foreign.invoke(Command(resume=…), config)"
            )
        elif mode == "messages" and event[0].type in {"ai", "AIMessageChunk"}:
            yield from said(event[0])
        elif mode == "custom" and isinstance(event, str):
            yield Text(event)

    def answer(self) -> Answer:
        """Return the text of the last message, of a graph without messages its state."""
        state = self._state
        messages = state.get("messages") if isinstance(state, dict) else None
        if not isinstance(messages, list) or not messages or not all(map(is_message, messages)):
            return Answer(state)
        structured = state.get("structured_response")
        return Answer(text_of(messages[-1]) if structured is None else structured, list(map(as_dict, messages)))
