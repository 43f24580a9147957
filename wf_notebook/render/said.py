"""What responses say: text and thoughts in pieces, calls of tools, values, failures; and all of it in order, lane by lane."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from ..events import RunEvent, RunResponse

if TYPE_CHECKING:
    from collections.abc import Iterable


class ToolCall(NamedTuple):
    """That an agent called a tool: said when it is called, and again, with its `call_id`, when it is over."""

    call_id: str
    name: str
    arguments: Any = None
    result: Any = None
    #: Why the call failed, where it did.
    error: str | None = None
    over: bool = False


class Reasoning(NamedTuple):
    """A piece of what a model thought before its answer."""

    text: str


_TOOLS = {RunEvent.tool_call_started.value, RunEvent.tool_call_completed.value}
_REASONING = {RunEvent.reasoning_started.value, RunEvent.reasoning_step.value, RunEvent.reasoning_completed.value}


def _tool_call(response: RunResponse) -> ToolCall | None:
    """Return the call that a tool's event is about; one of the user's own may have no tools."""
    for call in response.tools or ():
        over = response.event == RunEvent.tool_call_completed
        name, call_id = str(call.get("tool_name") or "tool"), str(call.get("tool_call_id") or "")
        return ToolCall(call_id, name, call.get("tool_args"), call.get("result"), call.get("tool_call_error") or None, over)
    return None


class Said:
    """What is to be shown of each response: a piece of text or of reasoning, a tool call, a value, a failure, or None.

    A completion repeats what was said before it: it counts only if nothing was.

    >>> said = Said()
    >>> [said(RunResponse("hello ")), said(RunResponse(None)), said(RunResponse("hello", event="WorkflowCompleted"))]
    ['hello ', None, None]
    """

    def __init__(self) -> None:
        self._spoke = False
        self._last: Any = None

    def __call__(self, response: RunResponse) -> Any:
        """Return what to show of the next response."""
        content, completed = response.content, response.event == RunEvent.workflow_completed
        if content is None and response.event == RunEvent.run_error and isinstance(response.extra_data, dict):
            return Failure(str(response.extra_data.get("error") or ""))
        if response.event in _TOOLS:
            return _tool_call(response)
        if response.event in _REASONING:
            return Reasoning(content) if isinstance(content, str) else None
        if isinstance(content, str):
            if completed and self._spoke:
                return None
            self._spoke = self._spoke or not completed
        elif content is not None:
            if completed and content is self._last:
                return None
            self._last = content
        return content


class Lane(NamedTuple):
    """What one branch said, beside others."""

    name: str
    contents: list[Any]


class Failure(NamedTuple):
    """That a branch failed, and why; the run goes on."""

    why: str


class _Pieces(list[str]):
    """The pieces of one text."""


class _Lanes(dict[str, list[Any]]):
    """What branches said side by side."""


class Transcript:
    """What responses said, in order; pieces of one text are joined, and what branches said at once stands lane by lane.

    >>> transcript = Transcript()
    >>> for text, lane in [("Go. ", None), ("a", "one"), ("x", "two"), ("b", "one"), ("Done.", None)]:
    ...     transcript.add(RunResponse(text).stamped({"lane": lane}))
    >>> transcript.contents()
    ['Go. ', Lane(name='one', contents=['ab']), Lane(name='two', contents=['x']), 'Done.']
    """

    def __init__(self) -> None:
        self._said = Said()
        self._parts: list[Any] = []

    def add(self, response: RunResponse) -> None:
        """Take the next response."""
        content = self._said(response)
        if content is None:
            return
        if response.lane is None:
            _put(self._parts, content)
            return
        if not self._parts or not isinstance(self._parts[-1], _Lanes):
            self._parts.append(_Lanes())
        _put(self._parts[-1].setdefault(response.lane, []), content)

    def add_outputs(self, outputs: list[Any]) -> None:
        """Take several outputs, each by itself."""
        for output in outputs:
            self._parts += contents([output])

    def contents(self) -> list[Any]:
        """Return what was said so far."""
        return _joined(self._parts)


def _put(parts: list[Any], content: Any) -> None:
    if not isinstance(content, str):
        parts.append(content)
    elif parts and isinstance(parts[-1], _Pieces):
        parts[-1].append(content)
    else:
        parts.append(_Pieces([content]))


def _joined(parts: list[Any]) -> list[Any]:
    joined: list[Any] = []
    for part in list(parts):
        if isinstance(part, _Lanes):
            joined += [Lane(name, _joined(said)) for name, said in list(part.items())]
        else:
            joined.append("".join(part) if isinstance(part, _Pieces) else part)
    return joined


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
