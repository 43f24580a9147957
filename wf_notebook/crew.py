"""Threads that do the branches of `parallel`, and what is done when one fails, hangs or is stopped."""

from __future__ import annotations

import asyncio
import inspect
import threading
from collections import deque
from contextlib import contextmanager, suppress
from contextvars import copy_context
from typing import TYPE_CHECKING, Any, Literal
from uuid import uuid4

from .background.thread import on_the_loop
from .background.waiting import GRACE, AsyncBell, Bell
from .cancel import CancelToken
from .errors import BadBranch, RunCancelled, WorkflowError
from .run import RunContext, current, logger

if TYPE_CHECKING:
    from asyncio import AbstractEventLoop
    from collections.abc import Callable, Iterator

    from .branch import Branch
    from .events import RunResponse

OnError = Literal["raise", "keep", "retry"]


class Results(list[Any]):
    """What the branches gave, in order, at the error of one of them."""


class Crew:
    """Threads that do branches, each the next one that nobody does yet."""

    def __init__(self, branches: list[Branch], *, limit: int, on_error: OnError, retries: int, timeout: float | None) -> None:
        self.branches = branches
        self.on_error = on_error
        self.say: Callable[[RunResponse, CancelToken], None] | None = None
        self.left = len(branches)
        self.failed: Branch | None = None
        #: The results in order, once it is over.
        self.outcomes = Results()
        self._limit = min(limit, len(branches))
        self._tries = 1 + (retries if on_error == "retry" else 0)
        self._timeout = timeout
        self._waiting = deque(branches)
        self._cut = False  # a branch was ended before it came to its end
        self._busy = 0
        self._lock = threading.Lock()
        self._rings: Callable[[], object] = lambda: None
        self._forget: Callable[[], None] = lambda: None
        self._token = CancelToken()
        if on_error == "retry":
            for branch in branches:
                if branch.is_stream or inspect.isawaitable(branch.work):
                    raise BadBranch(
                        f"{branch} cannot be started again; with on_error='retry' give a call: "
                        "partial(agent.run, message, stream=True)"
                    )

    # -- the caller's side -------------------------------------------------------------------------------------------------

    def start(self, rings: Callable[[], object], home: AbstractEventLoop | None = None) -> None:
        """Begin; `rings` is called when there is something to look at. Coroutines run on the loop `home`, where there is one."""
        if home is None and on_the_loop():
            raise WorkflowError(
                "parallel would hold up the loop that it needs, as a plain function called it in async code; await it there"
            )
        self._rings, self._home = rings, home
        run = current.get()
        self._context = run or RunContext(str(uuid4()), "", "", None)
        self._variables = copy_context()
        self._forget = self._context.cancel.on_cancel(self.stop)
        for _ in range(self._limit):
            self._hire()

    @property
    def settled(self) -> bool:
        """Whether there is nothing more to wait for: all are over, one has failed, or the run was stopped."""
        return not self.left or self.failed is not None or self._token.cancelled

    def stop(self) -> None:
        """End all branches; those not begun never begin."""
        self._token.cancel()
        self._rings()

    def leave(self) -> None:
        """End all branches: nobody waits for them any more. A finaliser may call this: it takes no lock of a branch."""
        self._forget()
        self.stop()
        while self._waiting:
            with suppress(IndexError):  # a thread was faster
                self._waiting.popleft().discard()

    def conclude(self) -> list[Any]:
        """Return the results in order, or raise what stands against it; what still goes on is ended."""
        stopped = self._token.cancelled and (self.left or self._cut)
        self.outcomes = Results(branch.outcome if branch.error is None else branch.error for branch in self.branches)
        if stopped or self.failed is not None:
            self.leave()
            raise RunCancelled if self.failed is None else self._failure(self.failed)
        self._forget()
        return list(self.outcomes)

    def _failure(self, failed: Branch) -> BaseException:
        """Return the error of the branch that failed, at which are the results: what the others gave is not lost."""
        error = failed.error
        assert error is not None
        within = getattr(error, "results", None)
        if isinstance(within, Results):  # it failed in a `parallel` of its own, and what that gave is not lost either
            self.outcomes[failed.number - 1] = within
        with suppress(AttributeError):  # the user's own error may have no place for it
            error.results = self.outcomes  # type: ignore[attr-defined] # users' own errors, too
        error.add_note(f"in {failed} of parallel; what the others gave is in .results of this error")
        return error

    def results(self) -> list[Any]:
        """Do all branches and wait for them."""
        bell = Bell()
        try:
            self.start(bell.ring)
            bell.wait(lambda: self.settled)
        except BaseException:
            self.leave()
            bell.wait(lambda: not self._busy, GRACE)
            raise
        return self.conclude()

    async def aresults(self) -> list[Any]:
        """Do all branches and await them."""
        bell = AsyncBell()
        try:
            self.start(bell.ring, asyncio.get_running_loop())
            await bell.wait(lambda: self.settled)
        except BaseException:
            self.leave()
            raise
        return self.conclude()

    # -- the threads' side -------------------------------------------------------------------------------------------------

    def _hire(self) -> None:
        thread = threading.Thread(target=self._work, name="wf_notebook-branch", daemon=True)
        with self._lock:
            self._busy += 1
        thread.start()

    def _work(self) -> None:
        while not self.settled:
            try:
                branch = self._waiting.popleft()
            except IndexError:
                break
            if not self._do(branch):
                break  # it took too long, and somebody else has taken this thread's place
        with self._lock:
            self._busy -= 1
        self._rings()

    def _do(self, branch: Branch) -> bool:
        """Do a branch, again if it may be; return whether it was over in time."""
        for attempt in range(self._tries):
            token = self._token if self._timeout is None else CancelToken()
            try:
                branch.enter(self._context, self._variables, token, self._home)
                with self._clock(branch, token):
                    outcome, error = branch.perform(self.say), None
            except BaseException as failure:  # noqa: BLE001 - carried over to the caller's thread
                outcome, error = None, failure
            if branch.over:
                return False
            if self._timeout is not None and isinstance(error, RunCancelled) and not self._token.cancelled:
                error = branch.timed_out(self._timeout)
            branch.end(error)
            if error is None or attempt + 1 == self._tries or self._token.cancelled:
                break
            logger.debug("%s failed (%r); attempt %d of %d comes", branch, error, attempt + 2, self._tries)
        branch.discard()
        return self._settle(branch, outcome, error)

    @contextmanager
    def _clock(self, branch: Branch, token: CancelToken) -> Iterator[None]:
        """Watch the time of a branch."""
        if self._timeout is None:
            yield
            return
        seconds = self._timeout

        def expire() -> None:
            token.cancel()
            if not done.wait(GRACE):
                self._give_up(branch, branch.timed_out(seconds))

        done = threading.Event()
        forget = self._token.on_cancel(token.cancel)
        timer = threading.Timer(min(seconds, threading.TIMEOUT_MAX), expire)
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            forget()
            timer.cancel()
            done.set()

    def _give_up(self, branch: Branch, error: BaseException) -> None:
        """Leave a branch that cannot be ended (plain code that does not look up) to itself."""
        if self._settle(branch, None, error):
            logger.warning("%s cannot be ended, and goes on unheard", branch)
            branch.end(error)
            self._hire()

    def _settle(self, branch: Branch, outcome: Any, error: BaseException | None) -> bool:
        """Note how a branch ended; return False if that was known already."""
        with self._lock:
            if branch.over:
                return False
            branch.over = True
        if isinstance(error, RunCancelled) and (self._token.cancelled or self.failed is not None):
            self._cut, error = True, None
        if error is not None and self.on_error == "keep" and self.say is not None:
            with suppress(RunCancelled):  # nobody hears it any more
                self.say(branch.failure(error), self._token)  # while it still counts as one to wait for
        with self._lock:
            branch.outcome, branch.error = outcome, error
            if error is not None and self.on_error != "keep":
                self.failed = self.failed or branch
            self.left -= 1
        if self.failed is branch:
            self._token.cancel()
        if self.settled:
            self._rings()
        return True
