"""All that responses said, in order: pieces joined, calls of tools with what came of them, lane by lane, agent by agent."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..events import RunResponse
from ..log import span_of
from .said import Lane, Reasoning, Said, ToolCall

if TYPE_CHECKING:
    from collections.abc import Iterable

#: More lanes than these side by side are folded, and any lane of more characters than that.
OPEN, LONG = 2, 3000


class _Pieces(list[str]):
    """The pieces of one text."""


class _Thoughts(list[str]):
    """The pieces of what a model thought."""


class _Part:
    """What one agent said until another one spoke."""

    __slots__ = ("agent", "contents")

    def __init__(self, agent: str | None) -> None:
        self.agent = agent
        self.contents: list[Any] = []


class _Apart:
    """That what follows is an output by itself."""


class _Lanes(dict[str, list[Any]]):
    """What branches said side by side: of each its parts."""


class Transcript:
    """What responses said, in order; pieces of one text are joined, and what branches said at once stands lane by lane.

    A call of a tool that is over takes the place of the same call when it began. Where several agents speak, each one's part is a
    lane of its name.

    >>> transcript = Transcript()
    >>> for text, lane in [("Go. ", None), ("a", "one"), ("x", "two"), ("b", "one"), ("Done.", None)]:
    ...     transcript.add(RunResponse(text).stamped({"lane": lane}))
    >>> [said if isinstance(said, str) else (said.name, said.contents) for said in transcript.contents()]
    ['Go. ', ('one', ['ab']), ('two', ['x']), 'Done.']
    """

    def __init__(self) -> None:
        self._said = Said()
        self._parts: list[_Part | _Lanes | _Apart] = []

    def add(self, response: RunResponse) -> None:
        """Take the next response."""
        said = self._said(response)
        if not said:
            if span_of(response.extra_data) == "output":
                self._apart()
            return
        for content in said:
            self._put(response, content)

    def _put(self, response: RunResponse, content: Any) -> None:
        if response.lane is None:
            _put(self._parts, response.agent_id, content)
            return
        lanes = self._parts[-1] if self._parts else None
        if not isinstance(lanes, _Lanes):
            lanes = _Lanes()
            self._parts.append(lanes)
        _put(lanes.setdefault(response.lane, []), response.agent_id, content)

    def add_outputs(self, outputs: list[Any]) -> None:
        """Take several outputs, each by itself."""
        for output in outputs:
            self._apart()
            if isinstance(output, list):
                self.add_outputs(output)
            elif isinstance(output, RunResponse):
                self.add(output)

    def _apart(self) -> None:
        self._parts.append(_Apart())
        self._said = Said()

    def contents(self) -> list[Any]:
        """Return what was said so far."""
        outputs: list[list[Any]] = [[]]
        for part in list(self._parts):
            if isinstance(part, _Apart):
                outputs.append([])
            else:
                outputs[-1].append(part)
        return [content for parts in outputs for content in _whole(parts)]


def _put(parts: list[Any], agent: str | None, content: Any) -> None:
    """Add what an agent said to what was said before: a piece to its text, the end of a call in the place of its beginning."""
    if isinstance(content, ToolCall) and content.over and _replaced(parts, content):
        return
    if not parts or not isinstance(parts[-1], _Part) or parts[-1].agent != agent:
        parts.append(_Part(agent))
    said = parts[-1].contents
    if isinstance(content, (str, Reasoning)):
        kind, piece = (_Pieces, content) if isinstance(content, str) else (_Thoughts, content.text)
        if not said or type(said[-1]) is not kind:
            said.append(kind())
        said[-1].append(piece)
    else:
        said.append(content)


def _replaced(parts: list[Any], call: ToolCall) -> bool:
    """Put a call that is over in the place of its beginning, if that was said."""
    for part in reversed(parts):
        said = part.contents if isinstance(part, _Part) else []
        for place in range(len(said) - 1, -1, -1):
            begun = said[place]
            if isinstance(begun, ToolCall) and not begun.over and (begun.call_id, begun.name) == (call.call_id, call.name):
                said[place] = call if call.arguments is not None else call._replace(arguments=begun.arguments)
                return True
    return False


def _whole(parts: list[Any]) -> list[Any]:
    """Return parts as contents: texts whole, lanes with their names."""
    several = len({part.agent for part in parts if isinstance(part, _Part) and part.agent}) > 1
    said: list[Any] = []
    for part in parts:
        if isinstance(part, _Lanes):
            lanes = [(name, _whole(list(within))) for name, within in list(part.items())]
            said += [Lane(name, within, folded=len(lanes) > OPEN or length(within) > LONG) for name, within in lanes]
        elif several and part.agent:
            said.append(Lane(part.agent, list(map(_text, list(part.contents)))))
        else:
            for content in list(part.contents):
                if said and isinstance(content, (_Pieces, _Thoughts)) and type(said[-1]) is type(content):
                    said[-1] = type(content)([*said[-1], *content])
                else:
                    said.append(content)
    return list(map(_text, said))


def _text(content: Any) -> Any:
    if isinstance(content, _Pieces):
        return "".join(content)
    return Reasoning("".join(content)) if isinstance(content, _Thoughts) else content


def length(said: Any) -> int:
    """Return how many characters of text there are in contents.

    >>> length(["ab", Reasoning("c"), Lane("one", ["de"])])
    5
    """
    if isinstance(said, list):
        return sum(map(length, said))
    if isinstance(said, Lane):
        return length(said.contents)
    text = said.text if isinstance(said, Reasoning) else said
    return len(text) if isinstance(text, str) else 0


def settled(said: list[Any]) -> list[Any]:
    """Return what a run that is over has said: what it did not come to the end of is marked so."""
    ended: list[Any] = []
    for content in said:
        if isinstance(content, Lane):
            ended.append(content._replace(contents=settled(content.contents)))
        elif isinstance(content, ToolCall) and not content.over:
            ended.append(content._replace(error="not finished"))
        else:
            ended.append(content)
    return ended


def contents(responses: Iterable[Any]) -> list[Any]:
    """Return what the responses of a stream said in order, its text joined; a list among them is several outputs, each by itself.

    >>> contents([RunResponse("a"), RunResponse("b"), RunResponse({"n": 1})]), contents([[RunResponse("a"), RunResponse("b")]])
    (['ab', {'n': 1}], ['a', 'b'])
    """
    transcript = Transcript()
    for response in responses:
        if isinstance(response, list):
            transcript.add_outputs(response)
        elif isinstance(response, RunResponse):
            transcript.add(response)
    return transcript.contents()
