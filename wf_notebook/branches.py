"""parallel: several streams or calls at once, merged as they come."""

from __future__ import annotations

import inspect
import sys
from numbers import Integral, Real
from typing import Any

from .branch import branches_of, discard
from .crew import Crew, OnError
from .errors import BadBranch
from .merged import Merged


def parallel(*branches: Any, limit: int = 8, on_error: OnError = "raise", retries: int = 2, timeout: float | None = None) -> Any:
    """Do several things at once.

    A branch is an unstarted stream (`agent.run(…, stream=True)`, a workflow's run, any generator), a coroutine, or a callable
    without arguments (`partial(agent.run, message)`). With a stream among them this is an iterator: responses merged as they
    come, each with its `lane`, the result of a call as one response in its lane; `.results` has all results at the end. Without,
    it is a list of the results in order. In async code it is awaited, or read by `async for`.

    A call may return anything; a stream says what run() may yield, also one that a call returned.

    Args:
        branches: What to do.
        limit: How many at once.
        on_error: "raise" ends the others and raises the first error, the results so far are at it as `.results` (where a branch
            failed in a `parallel` of its own, the results of that stand in its place; None is what was not finished);
            "keep" puts the exception in the place of the result (and says it in the lane); "retry" calls a branch again.
        retries: How often a branch is called again with "retry"; then its error is raised. Only calls can be.
        timeout: Seconds that a branch may take; then it is ended and fails with BranchTimeout.

    Raises:
        BadRunOutput: A stream said what is neither RunResponse, str, pydantic model nor a stream of these.
        BadBranch: What was given has run already, was given twice or cannot be retried, or a setting makes no sense.
        RunCancelled: The run was stopped.

    >>> parallel(lambda: 1, lambda: 2)
    [1, 2]
    >>> def letters(): yield from "ab"
    >>> sorted(response.content for response in parallel(letters(), lambda: "c"))
    ['a', 'b', 'c']
    """
    try:
        _check(limit, on_error, retries, timeout)
        crew = Crew(branches_of(branches), limit=limit, on_error=on_error, retries=retries, timeout=timeout)
    except BadBranch:
        discard(branches)  # nothing of it will begin, which is said once
        raise
    if any(branch.is_stream for branch in crew.branches):
        return Merged(crew)
    if not _called_from_async_code():
        return crew.results()
    awaited: Any = crew.aresults()
    awaited.__name__ = awaited.__qualname__ = "parallel"  # what Python calls it when nobody awaits it
    return awaited


def _check(limit: object, on_error: object, retries: object, timeout: object) -> None:
    """Refuse settings that make no sense, before anything begins."""
    whole, number = _is(limit, Integral), _is(timeout, Real)
    if not whole or limit < 1:  # type: ignore[operator] # a number
        raise BadBranch(f"limit={limit!r} is not how many may be done at once; give a whole number from 1 on")
    if on_error not in ("raise", "keep", "retry"):
        raise BadBranch(f"on_error={on_error!r} is not what to do with an error; give 'raise', 'keep' or 'retry'")
    if not _is(retries, Integral) or retries < 0:  # type: ignore[operator] # a number
        raise BadBranch(f"retries={retries!r} is not how often to call again; give a whole number from 0 on")
    if timeout is not None and not (number and timeout > 0):  # type: ignore[operator] # a number
        raise BadBranch(f"timeout={timeout!r} is not how long a branch may take; give seconds as a number above 0, or None")


def _is(value: object, kind: type) -> bool:
    return isinstance(value, kind) and not isinstance(value, bool)


def _called_from_async_code() -> bool:
    """Return whether `parallel` stands in an `async def` (a cell that awaits is one): there it must not block."""
    return bool(sys._getframe(2).f_code.co_flags & (inspect.CO_COROUTINE | inspect.CO_ASYNC_GENERATOR))  # noqa: SLF001 - inspect is too slow here
