"""Threads that do the branches of `parallel`, and what is done when one fails, hangs or is stopped."""

from __future__ import annotations

import asyncio
import inspect
import threading
from contextvars import copy_context
from typing import TYPE_CHECKING, Any, Literal
from uuid import uuid4

from .background.waiting import GRACE, AsyncBell, Bell
from .errors import BadBranch, RunCancelled
from .run import CancelToken, RunContext, current, logger

if TYPE_CHECKING:
    from asyncio import AbstractEventLoop
    from collections.abc import Callable

    from .branch import Branch
    from .events import RunResponse

OnError = Literal["raise", "keep", "retry"]


class Crew:
    """Threads that do branches, each the next one that nobody does yet."""

    def __init__(self, branches: list[Branch], *, limit: int, on_error: OnError, retries: int, timeout: float | None) -> None:
        self.branches = branches
        self.on_error = on_error
        self.say: Callable[[RunResponse], None] | None = None
        self.left = len(branches)
        self.failed: Branch | None = None
        self._limit = min(limit, len(branches))
        self._tries = 1 + (retries if on_error == "retry" else 0)
        self._timeout = timeout
        self._next = iter(branches)
        self._lock = threading.Lock()
        self._rings: Callable[[], object] = lambda: None
        self._token = CancelToken()
        if on_error == "retry":
            for branch in branches:
                if branch.is_stream or inspect.isawaitable(branch.work):
                    raise BadBranch(
                        f"branch {branch.lane!r} cannot be started again; with on_error='retry' give a call: "
                        "partial(agent.run, message, stream=True)"
                    )

    # -- the caller's side -------------------------------------------------------------------------------------------------

    def start(self, rings: Callable[[], object], home: AbstractEventLoop | None = None) -> None:
        """Begin; `rings` is called when there is something to look at. Coroutines run on the loop `home`, where there is one."""
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

    def conclude(self) -> list[Any]:
        """Return the results in order, or raise what stands against it; what still goes on is ended."""
        self._forget()
        stopped = self._token.cancelled and self.failed is None and self.left
        if stopped or self.failed is not None:
            self._token.cancel()
            for branch in self._next:
                branch.discard()
        if stopped:
            raise RunCancelled
        results = [branch.outcome if branch.error is None else branch.error for branch in self.branches]
        if self.failed is not None:
            error = self.failed.error
            assert error is not None
            error.results = results  # type: ignore[attr-defined] # what the others gave is not lost
            error.add_note(f"in branch {self.failed.lane!r} of parallel; what the others gave is in .results of this error")
            raise error
        return results

    def results(self) -> list[Any]:
        """Do all branches and wait for them."""
        bell = Bell()
        self.start(bell.ring)
        try:
            bell.wait(lambda: self.settled)
        except BaseException:
            self.stop()
            bell.wait(lambda: not self._busy, GRACE)
            raise
        return self.conclude()

    async def aresults(self) -> list[Any]:
        """Do all branches and await them."""
        bell = AsyncBell()
        self.start(bell.ring, asyncio.get_running_loop())
        try:
            await bell.wait(lambda: self.settled)
        except BaseException:
            self.stop()
            raise
        return self.conclude()

    # -- the threads' side -------------------------------------------------------------------------------------------------

    _busy = 0

    def _hire(self) -> None:
        self._busy += 1
        threading.Thread(target=self._work, name="wf_notebook-branch", daemon=True).start()

    def _work(self) -> None:
        while not self.settled:
            with self._lock:
                branch = next(self._next, None)
            if branch is None:
                break
            if not self._do(branch):
                return  # it took too long, and somebody else has taken this thread's place
        with self._lock:
            self._busy -= 1
        self._rings()

    def _do(self, branch: Branch) -> bool:
        """Do a branch, again if it may be; return whether it was over in time."""
        for attempt in range(self._tries):
            token = self._token if self._timeout is None else CancelToken()
            branch.enter(self._context, self._variables, token, self._home)
            clock = self._clock(branch, token)
            try:
                outcome, error = branch.perform(self.say), None
            except BaseException as failure:  # noqa: BLE001 - carried over to the caller's thread
                outcome, error = None, failure
            clock()
            if branch.over:
                return False
            if self._timeout is not None and isinstance(error, RunCancelled) and not self._token.cancelled:
                error = branch.timed_out(self._timeout)
            branch.span.end(error)
            if error is None or attempt + 1 == self._tries or self._token.cancelled:
                break
            logger.debug("branch %r failed (%s); attempt %d of %d comes", branch.lane, error, attempt + 2, self._tries)
        self._settle(branch, outcome, error)
        return True

    def _clock(self, branch: Branch, token: CancelToken) -> Callable[[], None]:
        """Watch the time of a branch; return how to stop watching."""
        if self._timeout is None:
            return lambda: None
        seconds = self._timeout

        def expire() -> None:
            token.cancel()
            if not done.wait(GRACE):
                self._give_up(branch, branch.timed_out(seconds))

        done = threading.Event()
        forget = self._token.on_cancel(token.cancel)
        timer = threading.Timer(seconds, expire)
        timer.daemon = True
        timer.start()

        def stop() -> None:
            forget()
            timer.cancel()
            done.set()

        return stop

    def _give_up(self, branch: Branch, error: BaseException) -> None:
        """Leave a branch that cannot be ended (plain code that does not look up) to itself."""
        logger.warning("branch %r cannot be ended, and goes on unheard", branch.lane)
        branch.span.end(error)
        if self._settle(branch, None, error):
            self._hire()

    def _settle(self, branch: Branch, outcome: Any, error: BaseException | None) -> bool:
        with self._lock:
            if branch.over:
                return False
            branch.over = True
            branch.outcome, branch.error = outcome, error
            ended = self._token.cancelled and isinstance(error, RunCancelled)
            if error is not None and self.on_error != "keep" and not ended:
                self.failed = self.failed or branch
            self.left -= 1
        if error is not None and self.on_error == "keep" and self.say is not None and not ended:
            self.say(branch.failure())
        if self.settled:
            self._rings()
        return True
