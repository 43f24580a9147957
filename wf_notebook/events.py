"""What a run says: RunResponse, one thing said, and RunEvent, of which kind it is.

Names, order and values are those of Agno 1.x, so that code written for it runs here.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field, fields
from enum import Enum
from time import time
from typing import TYPE_CHECKING, Any, ClassVar

from .run import way_up

if TYPE_CHECKING:
    from collections.abc import Mapping


class RunEvent(str, Enum):
    """The kinds of things that a run says."""

    run_started = "RunStarted"
    run_response = "RunResponse"
    run_completed = "RunCompleted"
    run_error = "RunError"
    run_cancelled = "RunCancelled"
    run_paused = "RunPaused"
    run_continued = "RunContinued"
    tool_call_started = "ToolCallStarted"
    tool_call_completed = "ToolCallCompleted"
    reasoning_started = "ReasoningStarted"
    reasoning_step = "ReasoningStep"
    reasoning_completed = "ReasoningCompleted"
    updating_memory = "UpdatingMemory"
    workflow_started = "WorkflowStarted"
    workflow_completed = "WorkflowCompleted"


@dataclass(repr=False)
class RunResponse:
    r"""One thing said by a run or an agent; an ordinary mutable dataclass.

    The engine hands on stamped copies (`run_id`, `session_id`, `workflow_id`) and never changes the object that it was given.

    >>> said = RunResponse("hello", event=RunEvent.workflow_completed)
    >>> said.get_content_as_string()
    'hello'
    >>> RunResponse("hello", created_at=0)  # what is None is not printed
    RunResponse(content='hello', content_type='str', event='RunResponse', created_at=0)
    >>> RunResponse.from_dict(said.to_dict()) == said
    True
    """

    content: Any = None
    content_type: str = "str"
    event: str = RunEvent.run_response.value
    messages: list[Any] | None = None
    metrics: dict[str, Any] | None = None
    model: str | None = None
    run_id: str | None = None
    agent_id: str | None = None
    session_id: str | None = None
    workflow_id: str | None = None
    tools: list[dict[str, Any]] | None = None
    images: list[Any] | None = None
    videos: list[Any] | None = None
    audio: list[Any] | None = None
    response_audio: Any = None
    extra_data: Any = None
    created_at: int = field(default_factory=lambda: int(time()))
    #: The branch of `parallel` that said it, None outside of one; no field: the fields are the old API's.
    lane: ClassVar[str | None] = None

    def __repr__(self) -> str:
        values = {f.name: getattr(self, f.name) for f in fields(self)}
        told = (f"{name}={value!r}" for name, value in values.items() if value is not None or name == "content")
        return f"{type(self).__qualname__}({', '.join(told)})"

    def stamped(self, stamps: dict[str, Any]) -> RunResponse:
        """Return a copy that carries `stamps` (names to values, `lane` too); a subclass stays what it is."""
        copy: RunResponse = object.__new__(type(self))
        copy.__dict__ = self.__dict__ | stamps
        return copy

    @classmethod
    def of(cls, state: dict[str, Any]) -> RunResponse:
        """Return the response that this is the `__dict__` of."""
        response: RunResponse = object.__new__(cls)
        response.__dict__ = state
        return response

    def to_dict(self) -> dict[str, Any]:
        """Return the fields that are set, nested objects as dicts."""
        return {f.name: _plain(value) for f in fields(RunResponse) if (value := getattr(self, f.name)) is not None}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> RunResponse:
        """Make a response from what `to_dict` gave; names that are no fields are left out."""
        known = {f.name for f in fields(RunResponse)}
        return cls(**{name: value for name, value in data.items() if name in known})

    def to_json(self) -> str:
        """Return `to_dict()` as JSON, indented by 2."""
        return json.dumps(self.to_dict(), indent=2)

    def get_content_as_string(self, **kwargs: Any) -> str:
        """Return a str as it is, a model as its JSON without None, anything else by `json.dumps(content, **kwargs)`."""
        if isinstance(self.content, str):
            return self.content
        if hasattr(self.content, "model_dump_json"):
            return str(self.content.model_dump_json(exclude_none=True, **kwargs))
        return json.dumps(self.content, **kwargs)

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, str]:
        bundle: dict[str, str] = way_up("RunResponse._repr_mimebundle_")(self)
        return bundle


def _plain(value: Any) -> Any:
    """Return `value` with models, enums and objects that know how as plain dicts, lists and strings."""
    if isinstance(value, Enum):
        return value.value
    if hasattr(value, "model_dump"):
        return value.model_dump(exclude_none=True)
    if hasattr(value, "to_dict"):
        return value.to_dict()
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    return value
