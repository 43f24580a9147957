"""The traceback of an error of the user's, without the frames between the call of an agent and the user's own."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types import TracebackType

#: Whose frames stand between an agent and the code of the user that it calls.
BETWEEN = {
    *("wf_notebook", "pydantic_ai", "anyio", "asyncio", "concurrent", "contextlib", "threading"),
    *("agno", "langchain_core", "langchain", "langgraph"),
}


def from_user(trace: TracebackType | None) -> TracebackType | None:
    """Leave out the frames before the user's own; all of them stay when none is the user's."""
    first = trace
    while first is not None and first.tb_frame.f_globals.get("__name__", "").partition(".")[0] in BETWEEN:
        first = first.tb_next
    return first or trace
