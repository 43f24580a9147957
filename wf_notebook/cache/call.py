"""One step of a run: it is found, or it is done and kept."""

from __future__ import annotations

import time
from collections import Counter
from contextvars import copy_context
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from ..changes import Change
from ..changes import hashes as named_in
from ..codec.kind import json_text
from ..done import Done
from ..errors import CacheMiss, FirstMiss, StorageFailed, UnsavableValue, WorkflowError
from ..ids import new_hex
from ..keying import Uncacheable
from ..log import numbers
from ..run import Usage, logger, meters
from ..spans import STOPS
from ..tally import tally
from .blind import Needs, open_after, unmet
from .given import Given, given_of, text_of
from .heard import listen, say_again
from .lease import LONGEST, PAUSE, Lease
from .modes import PLAN, bound, remedy
from .remembering import inside, named, recall
from .stretch import Stretch
from .telling import changed, sent
from .whose import changed_argument

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from ..keying import Key
    from ..run import RunContext
    from .heard import Heard
    from .modes import Mode
    from .remembering import Cache

#: Who waits longer than this for another run is told so, in seconds.
PATIENCE = 2.0
#: What a step is called where it begins and ends among the events of a run.
STARTED, COMPLETED, FAILED = "StepStarted", "StepCompleted", "StepFailed"


class Call:
    """A call of a step, from the question whether it was done before to its end.

    `for pause in call.seek(): wait(pause)`; then `call.given` is what it gave before, or None: then it is to be done, in
    `call.variables`, and `keep` or `fail` says how that ended.
    """

    def __init__(
        self,
        context: RunContext,
        cache: Cache,
        name: str,
        kind: str,
        key: Callable[[], Key],
        *,
        mode: Mode | None = None,
        touches: Callable[[Key], bool] = lambda _: True,
        owner: object = None,
    ) -> None:
        self._context, self._cache, self.name, self.kind = context, cache, name, kind
        self._make_key, self._may_touch, self._mode = key, touches, bound(mode) or cache.mode
        self._stretch = Stretch(cache.session, owner, context.workflow, beside=kind == "tool")
        self.within: tuple[Call, ...] = inside.get()
        #: The steps that went on at the same time, and how often steps were asked for inside of this one.
        self.beside: list[Call] = []
        self.counts: Counter[str] = Counter()
        self.given: Given | None = None
        #: The agents that were called inside of it, and what they are to know of that.
        self.agents: list[tuple[Any, Any]] = []
        #: What it changed in the state so far.
        self.changes: list[Change] = self._stretch.changes
        #: Whether it may change the state: what cannot is not compared.
        self.touches = True
        self._key: Key | None = None
        self._place, self._nth = "", 1
        self._reason: str | None = None
        #: What is known to be no part of the key, although it is given.
        self.left_out: str | None = None
        self._lease: Lease | None = None
        self._parts: list[list[str]] = []
        self._usage, self._unmet = Usage(), ""
        self._heard: list[Heard] = []
        self._needs: Needs = self._stretch.needs
        self._id, self._began = next(numbers), time.perf_counter()

    # -- before it is done -------------------------------------------------------------------------------------------------

    def seek(self) -> Generator[float]:
        """Look for it; yield how long to wait, in seconds, while another one does it. Raises CacheMiss where it must be there."""
        planned = self._cache.mode == PLAN
        if self._mode != "off":
            try:
                self._key = self._make_key()
            except Uncacheable as why:
                self._reason = str(why)
        if self._key is not None:
            self._cache.look()
            named = f"{self.kind} {self.name}"
            self._place, self._nth = self._cache.place(self._key.digest, named, self._context.lane, self.within)
            if planned:
                self._found(self._key)
            elif self._mode != "refresh":
                yield from self._sought(self._key)
        if self.given is None and planned:
            self._cache.missed = self._cache.missed or self._missing()
            raise FirstMiss
        if self.given is None:
            try:
                self._begin()
            except BaseException:
                self._release()
                raise

    def _missing(self) -> dict[str, Any]:
        """Return what is known of a step that would be done: why, how much it would be given, and what it took the last time."""
        why = self._why(self._key) if self._key is not None else self._reason or "it is done each time (cache='off')"
        size = None if self._key is None or self.kind == "step" else sent(self._key)
        return {"name": self.name, "kind": self.kind, "why": why, "last": self._last(), "size": size}

    def _sought(self, key: Key) -> Generator[float]:
        if self._found(key):
            return
        if self._mode == "only":
            raise CacheMiss(f"{self._called} is not remembered: {self._why(key)}; {remedy()}")
        self._lease = Lease.of(self._cache.session, f"{key.digest}/{self._place}")
        pause, waited = PAUSE, 0.0
        while not self._lease.take():
            self._context.cancel.check()
            yield pause
            if waited < PATIENCE <= waited + pause:
                logger.info("%s is being done by another run; this one waits for what it gives", self._called)
            pause, waited = min(LONGEST, pause * 1.5), waited + pause
        self._cache.steps.catch_up()  # another one may have done it since this run began
        if self._found(key):
            self._release()

    def _found(self, key: Key) -> bool:
        """Take what is remembered, if it is there and whole."""
        steps = self._cache.steps
        if (done := steps.find(key.digest, self._place)) is None:
            return False
        try:
            given = given_of(steps.result(done), steps.blob)
            self._unmet = unmet(given.needs, self._cache.session.snapshot)
            if self._unmet:
                return False
            self._cache.session.bring(given.changes, steps.blobs)
        except (StorageFailed, ValueError, LookupError, TypeError) as error:
            logger.warning("what is remembered of %s cannot be used (%s); it is done again", self._called, error)
            return False
        self.given = given
        self._cache.recount(given.counts, self.within)
        if given.used:  # it is told again, though it costs nothing now
            spent = done.input_tokens, done.output_tokens, done.cost
            self._context.usage.recall(Usage(given.used["requests"], *spent, set(given.used["models"])))
        if self._cache.mode != PLAN:
            say_again(given.heard)
            tally(hits=1)
        self._tell(given.changes, given.needs)
        recall(given.agents, self._context.workflow)
        self._note(COMPLETED, hit=True, done=done)
        return True

    def _begin(self) -> None:
        if self._key is not None:  # asked for its parts before the step changes them
            self.touches = self._may_touch(self._key)
            self._parts = [[part.what, part.name, part.digest, part.shown] for part in self._key.parts]
        self._cache.begin(self)
        self.resume()
        self._note(STARTED)
        self.variables = copy_context()
        self.variables.run(self.enter)
        self._began, self._moment = time.perf_counter(), datetime.now(UTC)

    # -- after it was done -------------------------------------------------------------------------------------------------

    def enter(self) -> None:
        """From now on this context is inside of the step: for a task of its own."""
        inside.set((*self.within, self))
        meters.set((*meters.get(), self._usage))
        listen(self._heard.append)

    def resume(self) -> None:
        """Its code goes on: what changes in the state from now on is its doing."""
        if self._key is not None:
            self._stretch.begin(touches=self.touches)

    def pause(self) -> None:
        """Others have their turn: its reader, who may change the state too."""
        if self._key is not None and (reason := self._stretch.end(self._key)):
            self.refuse(reason)

    def refuse(self, reason: str) -> None:
        """It is done, and must not be remembered: say why."""
        self._reason, self._key = self._reason or reason, None

    def keep(self, value: Any, said: list[Any] | None = None, more: Any = None, *, used: Usage | None = None) -> None:
        """It was done: remember what it gave, durably; `used` where that was not counted inside of it."""
        seconds = time.perf_counter() - self._began
        self._usage = self._usage if used is None else used
        try:
            self.pause()
            done = self._kept(Given(value, said, self._heard, counts=dict(self.counts), more=more), seconds)
            self._tell(self.changes, self._needs, known=done is not None)
            if done is not None and not self._context.private:
                self._cache.keep(done)
            self._note(COMPLETED, hit=False, done=done, seconds=seconds)
        finally:
            self._end()

    def _kept(self, given: Given, seconds: float) -> Done | None:
        if self._key is None:
            return None
        if self.changes and (beside := [other for other in self.beside if other.touches]):
            self._reason = f"session_state was changed while {beside[0].name!r} went on beside it"
        elif self.kind == "step" and not self.changes:
            self._reason = changed_argument(self._key, self._parts, self._make_key)
        if self._reason:
            return None
        given.changes, given.needs = self.changes, open_after(self._needs, self.changes)
        given.agents = named(self.agents, self._context.workflow)
        self._cache.session.lend(named_in(given.changes), self._cache.steps.blobs)
        usage, steps = self._usage, self._cache.steps
        if usage.requests:
            given.used = {"requests": usage.requests, "models": sorted(usage.models)}
        try:
            text = text_of(given, steps.blobs)
        except (UnsavableValue, WorkflowError, RecursionError) as error:
            self._reason = f"{error}"
            return None
        ids = new_hex(), self.name, self.kind, self._key.digest, self._place, self._moment, self._context.run_id, self._nth
        done = Done(*ids, round(seconds, 6), usage.input_tokens, usage.output_tokens, usage.cost)
        steps.keep(done, text, json_text(self._parts))
        return done

    def _tell(self, changes: list[Change], needs: Needs, *, known: bool = True) -> None:
        """What changed in the state by a step inside of a call of an agent is the call's doing."""
        outer = self.within[-1] if self.within else None
        if outer is not None:
            outer._needs.update(needs | outer._needs)  # noqa: SLF001 - of its own kind
            if changes and outer.kind == "agent":
                outer.changes += changes
                if not known:
                    outer.refuse(f"{self._called} changed session_state, and is not remembered")

    def fail(self, error: BaseException) -> None:
        """It was not done: it failed, was stopped, or left before its end. Nothing is remembered of it."""
        try:
            status, seconds = "stopped" if isinstance(error, STOPS) else "failed", time.perf_counter() - self._began
            self._note(FAILED, hit=False, status=status, seconds=seconds)
        finally:
            self._end()

    def _end(self) -> None:
        self._cache.end(self)
        self._release()

    def _release(self) -> None:
        if self._lease is not None:
            self._lease.release()

    # -- told --------------------------------------------------------------------------------------------------------------

    @property
    def _called(self) -> str:
        return f"{self.kind} {self.name!r}" + (f" in branch {self._context.lane!r}" if self._context.lane else "")

    def _why(self, key: Key) -> str:
        """Return the first difference to what was done before where this would be."""
        return self._unmet or changed(self._cache.steps, self._last(), key, self._nth)

    def _last(self) -> Done | None:
        return self._cache.steps.last(self.kind, self.name, self._place, self._nth)

    def _note(
        self, event: str, *, hit: bool | None = None, done: Done | None = None, status: str = "completed", seconds: float = 0.0
    ) -> None:
        told: dict[str, Any] = {"span": "step", "id": self._id, "name": self.name, "kind": self.kind}
        if self.within:
            told["within"] = self.within[-1]._id  # noqa: SLF001 - of its own kind
        if event == STARTED:
            if self._key is not None:
                told["why"] = "asked to do it again" if self._mode == "refresh" else self._why(self._key)
        else:
            told |= {"status": status, "hit": hit, "seconds": round(done.seconds if done else seconds, 6)}
        if done is not None:
            self._cache.used.add(done.step_id)
            told |= {"step_id": done.step_id, "made_at": done.made_at.isoformat(), "made_in": done.run_id, "cost": done.cost}
            told |= {name: count for name in ("input_tokens", "output_tokens") if (count := getattr(done, name))}
        about = {"left_out": self.left_out, "uncached": self._reason}
        self._context.note(event, told | {name: text for name, text in about.items() if text})
