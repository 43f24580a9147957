"""What a response says: a piece of text or of thoughts, a call of a tool, a value, a failure, and the pictures that go along."""

from __future__ import annotations

from typing import Any, NamedTuple

from ..events import RunEvent, RunResponse


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


class Lane(NamedTuple):
    """What one branch said beside others, or one of several agents that spoke one after the other."""

    name: str
    contents: list[Any]
    #: Whether it is shown folded: it is long, or one of many.
    folded: bool = False


class Failure(NamedTuple):
    """That a branch failed, and why; the run goes on."""

    why: str


class Pictures(NamedTuple):
    """The `images` of a response: pictures, or where they are to be found."""

    images: list[Any]


_TOOLS = {RunEvent.tool_call_started.value, RunEvent.tool_call_completed.value}
_REASONING = {RunEvent.reasoning_started.value, RunEvent.reasoning_step.value, RunEvent.reasoning_completed.value}


def _tool_call(response: RunResponse) -> ToolCall | None:
    """Return the call that a tool's event is about; one of the user's own may have no tools."""
    for call in response.tools or ():
        over = response.event == RunEvent.tool_call_completed
        name, call_id = str(call.get("tool_name") or "tool"), str(call.get("tool_call_id") or "")
        error, result = call.get("tool_call_error") or None, call.get("result")
        if error is not None:  # in the old API it says only that there was one, and the result is why
            error, result = str(result if error is True else error), None
        return ToolCall(call_id, name, call.get("tool_args"), result, error, over)
    return None


class Said:
    """What is to be shown of each response: a piece of text or of reasoning, a tool call, a value, a failure; its pictures.

    A completion repeats what was said before it: it counts only if nothing was.

    >>> said = Said()
    >>> [said(RunResponse("hello ")), said(RunResponse(None)), said(RunResponse("hello", event="WorkflowCompleted"))]
    [['hello '], [], []]
    >>> said(RunResponse("See", images=["page.png"]))
    ['See', Pictures(images=['page.png'])]
    """

    def __init__(self) -> None:
        self._spoke = False
        self._last: Any = None
        self._pictures: list[Any] = []

    def __call__(self, response: RunResponse) -> list[Any]:
        """Return what to show of the next response, in order."""
        content = self._content(response)
        said = [] if content is None else [content]
        images = response.images
        if not images or (response.event == RunEvent.workflow_completed and _same(images, self._pictures)):
            return said
        self._pictures = images
        return [*said, Pictures(images)]

    def _content(self, response: RunResponse) -> Any:
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
            if completed and _repeats(content, self._last):
                return None
            self._last = content
        return content


def _same(images: list[Any], others: list[Any]) -> bool:
    return len(images) == len(others) and all(_repeats(image, other) for image, other in zip(images, others, strict=True))


def _repeats(content: Any, last: Any) -> bool:
    """Say whether a completion is what was said last; what came from a store is no longer the same object."""
    if content is last:
        return True
    try:
        comparable = isinstance(content, (str, bytes, dict, list)) or hasattr(content, "model_dump")
        return bool(comparable and type(content) is type(last) and content == last)
    except Exception:  # noqa: BLE001 - the user's own __eq__; an array has none that is yes or no
        return False
