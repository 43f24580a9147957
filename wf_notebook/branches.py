"""parallel: several streams or calls at once, merged as they come."""

from __future__ import annotations

import inspect
import sys
from typing import Any

from .branch import branches_of
from .crew import Crew, OnError
from .errors import BadBranch
from .merged import Merged


def parallel(*branches: Any, limit: int = 8, on_error: OnError = "raise", retries: int = 2, timeout: float | None = None) -> Any:
    """Do several things at once.

    A branch is an unstarted stream (`agent.run(…, stream=True)`, a workflow's run, any generator), a coroutine, or a callable
    without arguments (`partial(agent.run, message)`). With a stream among them this is an iterator: responses merged as they
    come, each with its `lane`, the result of a call as one response in its lane; `.results` has all results at the end. Without,
    it is a list of the results in order. In async code it is awaited, or read by `async for`.

    Args:
        branches: What to do.
        limit: How many at once.
        on_error: "raise" ends the others and raises the first error, the results so far are at it as `.results` (where a branch
            failed in a `parallel` of its own, the results of that stand in its place; None is what was not finished);
            "keep" puts the exception in the place of the result (and says it in the lane); "retry" calls a branch again.
        retries: How often a branch is called again with "retry"; then its error is raised. Only calls can be.
        timeout: Seconds that a branch may take; then it is ended and fails with BranchTimeout.

    Raises:
        BadBranch: What was given has run already, or cannot be retried.
        RunCancelled: The run was stopped.

    >>> parallel(lambda: 1, lambda: 2)
    [1, 2]
    >>> def letters(): yield from "ab"
    >>> sorted(response.content for response in parallel(letters(), lambda: "c"))
    ['a', 'b', 'c']
    """
    if limit < 1 or on_error not in {"raise", "keep", "retry"}:
        raise BadBranch(f"limit={limit}, on_error={on_error!r}: limit is 1 or more, on_error is 'raise', 'keep' or 'retry'")
    crew = Crew(branches_of(branches), limit=limit, on_error=on_error, retries=retries, timeout=timeout)
    if any(branch.is_stream for branch in crew.branches):
        return Merged(crew)
    return crew.aresults() if _called_from_async_code() else crew.results()


def _called_from_async_code() -> bool:
    """Return whether `parallel` stands in an `async def` (a cell that awaits is one): there it must not block."""
    return bool(sys._getframe(2).f_code.co_flags & (inspect.CO_COROUTINE | inspect.CO_ASYNC_GENERATOR))  # noqa: SLF001
