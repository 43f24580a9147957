"""One branch of `parallel`: what it is, what it is called, and how it is done in a thread of its own."""

from __future__ import annotations

import inspect
from concurrent.futures import CancelledError
from contextlib import suppress
from contextvars import copy_context
from functools import partial
from time import perf_counter
from typing import TYPE_CHECKING, Any

from . import background
from .errors import BadBranch, BranchTimeout, RunCancelled
from .events import RunEvent, RunResponse
from .record import joined
from .run import RunContext, current
from .spans import NOTHING, STOPS, begin
from .stream import RunStream, is_source, response

if TYPE_CHECKING:
    from asyncio import AbstractEventLoop
    from collections.abc import Callable, Coroutine, Sequence
    from contextvars import Context

    from .cancel import CancelToken


class Branch:
    """Work that may be done beside others: an unstarted stream, a coroutine, or a callable without arguments.

    It is done once, in any thread, and then has an `outcome` or an `error`.
    """

    def __init__(self, number: int, work: Any, lane: str) -> None:
        self.number = number
        self.work = work
        self.lane = lane
        self.is_stream = is_source(work)
        self.outcome: Any = None
        self.error: BaseException | None = None
        #: Set when the branch is over; what it still says afterwards is not heard.
        self.over = False
        self.context: RunContext
        self.variables: Context
        self.span = NOTHING
        self._entered: float | None = None

    def __str__(self) -> str:
        return self.lane if self.lane == f"branch {self.number}" else f"branch {self.lane!r}"

    def enter(self, context: RunContext, variables: Context, token: CancelToken, home: AbstractEventLoop | None) -> None:
        """Give the branch its own view of the run: the lane it is in, and the token that ends it."""
        self._home = home
        lane = f"{context.lane}/{self.lane}" if context.lane else self.lane
        ids = context.run_id, context.session_id, context.workflow_id, context.workflow
        self.context = RunContext(*ids, token, context.usage, lane, context.private, context.log, context.cache)
        self.variables = variables.copy()
        self.variables.run(current.set, self.context)
        self.span = self.variables.run(begin, f"branch {self.lane.removeprefix('branch ')}", {"wf.lane": lane})
        self.span.inside(self.variables)
        self._entered = perf_counter()

    def end(self, error: BaseException | None) -> None:
        """Tell of the end of what was entered."""
        self.span.end(error)
        if self._entered is None:
            return
        status = "completed" if error is None else "stopped" if isinstance(error, STOPS) else "failed"
        # No RunError: that is said where a failure is kept, and else it is the run's.
        told = {"span": "branch", "seconds": round(perf_counter() - self._entered, 6), "status": status}
        self.context.note(RunEvent.run_completed.value, told)

    def perform(self, say: Callable[[RunResponse, CancelToken], None] | None) -> Any:
        """Do the work and return what comes of it; what a stream says goes to `say`, or is joined to one response."""
        value, token = self.work, self.context.cancel
        token.check()
        if not self.is_stream:
            value = self.variables.run(self._call)
            if not is_source(value):
                if say is not None and value is not None:
                    said = (
                        value if isinstance(value, (str, RunResponse)) else RunResponse(value, content_type=type(value).__name__)
                    )
                    say(response(said).stamped({"lane": self.context.lane}), token)
                return value
        said_here: list[RunResponse] = []
        lane = _Lane(self)
        stream = RunStream(lane, value)  # type: ignore[arg-type] # as much of an open run as a stream needs
        try:
            for said in stream:
                said_here.append(said)
                if say is not None:
                    say(said, token)
        except RunCancelled:  # nobody hears it any more
            stream.stop()
            raise
        if lane.cut:
            token.check()
        return joined(said_here)

    def _call(self) -> Any:
        value = self.work if inspect.isawaitable(self.work) else self.work()
        if not inspect.isawaitable(value):
            return value
        # As it is, if it is a coroutine: one that is cancelled before its first step has then been awaited.
        coroutine = value if inspect.iscoroutine(value) else _awaited(value)
        return background.call(coroutine) if self._home is None else self._at_home(coroutine, self._home)

    def _at_home(self, coroutine: Coroutine[Any, Any, Any], home: AbstractEventLoop) -> Any:
        """Run a coroutine on the loop that waits for all branches, and wait for it in this thread."""
        future = background.submit(coroutine, home, copy_context())
        forget = self.context.cancel.on_cancel(future.cancel)
        try:
            return future.result()
        except CancelledError:
            self.context.cancel.check()
            raise
        finally:
            forget()

    def timed_out(self, seconds: float) -> BranchTimeout:
        """Return the error of a branch that took too long."""
        return BranchTimeout(f"{self} took longer than {seconds:g} s; give it more with timeout=, or less to do")

    def failure(self, error: BaseException) -> RunResponse:
        """Return what is said in the lane of a branch that failed, where its failure is kept."""
        why = type(error).__name__
        with suppress(Exception):  # the user's own __str__
            why = ": ".join(filter(None, (why, str(error))))
        return RunResponse(event=RunEvent.run_error.value, extra_data={"error": why}).stamped({"lane": self.context.lane})

    def discard(self) -> None:
        """Leave a branch that will not be done."""
        discard(self.work)


async def _awaited(value: Any) -> Any:
    return await value


class _Lane:
    """As much of an open run as a stream needs; what is said carries the lane, and the end of it is not the run's."""

    status = "running"

    def __init__(self, branch: Branch) -> None:
        #: Whether it was ended before it came to its end.
        self.cut = False
        self.context, self.variables = branch.context, branch.variables
        self.speaker = str(branch)
        self._branch = branch
        self._stamps = {"lane": branch.context.lane}

    def say(self, said: RunResponse) -> RunResponse:
        if self._branch.over:
            raise RunCancelled
        return said if said.lane is not None else said.stamped(self._stamps)  # a lane within this one says which

    def end(self, error: BaseException | None = None) -> None:
        """The run goes on."""
        self.cut = error is not None


def branches_of(works: Sequence[Any]) -> list[Branch]:
    """Return a branch for each piece of work, each in a lane of its own name.

    Raises BadBranch for what is none of stream, coroutine and callable, and for what can be done once and is there twice.

    >>> def fetch(): ...
    >>> [branch.lane for branch in branches_of([fetch, fetch, lambda: 1])]
    ['fetch', 'fetch 2', 'branch 3']
    """
    if len(works) == 1 and inspect.isgenerator(works[0]) and works[0].__name__ == "<genexpr>":
        raise BadBranch("the only branch is a generator expression; give what is in it as branches: parallel(*(… for …))")
    seen: dict[str, int] = {}
    numbers: dict[int, int] = {}
    branches = []
    for number, work in enumerate(works, start=1):
        _check(number, work)
        first = numbers.setdefault(id(work), number)
        if first != number and (is_source(work) or inspect.iscoroutine(work)):
            what = "stream" if is_source(work) else "coroutine"
            raise BadBranch(f"branch {number} is the same {what} as branch {first}, and can be done once; make one for each")
        label = _label(work) or f"branch {number}"
        seen[label] = times = seen.get(label, 0) + 1
        branches.append(Branch(number, work, label if times == 1 else f"{label} {times}"))
    return branches


def _check(number: int, work: Any) -> None:
    """Refuse what cannot be done."""
    if isinstance(work, (list, tuple, set, frozenset)):
        raise BadBranch(f"branch {number} is a {type(work).__name__}; give what is in it as branches: parallel(*branches)")
    if callable(getattr(work, "run", None)) and not callable(work) and not is_source(work):
        kind = type(work).__name__
        raise BadBranch(f"branch {number} is of type {kind!r}, without what it shall do; give a call: partial(….run, message)")
    if inspect.iscoroutine(work) and inspect.getcoroutinestate(work) != inspect.CORO_CREATED:
        raise BadBranch(f"branch {number} is a coroutine that was awaited already; make a new one by calling its function again")
    if not (callable(work) or is_source(work) or inspect.isawaitable(work)):
        raise BadBranch(
            f"branch {number} is of type {type(work).__name__!r}, which has run already; give it unstarted: "
            "partial(agent.run, message), an agent's stream, or a coroutine"
        )


def discard(work: Any) -> None:
    """Leave work that will not be done; a coroutine that never began says so to nobody, on its own or in a list."""
    if isinstance(work, (list, tuple)):
        for each in work:
            discard(each)
    elif inspect.iscoroutine(work) and inspect.getcoroutinestate(work) == inspect.CORO_CREATED:
        with suppress(ValueError, RuntimeError):  # its loop begins it just now
            work.close()


def _label(work: Any) -> str | None:
    """Return what a reader would call it: the agent's name, else the function's, None when it has none."""
    if isinstance(work, partial):
        return _label(work.func)
    if isinstance(work, RunStream):
        return str(work.workflow.name)
    of = work.__self__ if getattr(work, "__name__", "") in {"run", "arun"} and hasattr(work, "__self__") else work
    name = getattr(of, "name", None) or getattr(work, "__name__", None)
    return name if isinstance(name, str) and name[0] not in "<_" else None
