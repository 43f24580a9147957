"""What a run remembers: which steps were done before, how often each was asked for here, and which are going on."""

from __future__ import annotations

import threading
from collections import Counter
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, Literal, Protocol
from weakref import ref

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ..done import Done
    from ..run import RunContext
    from ..session import Session
    from ..steps import Steps
    from .modes import Mode


class Going(Protocol):
    """A step that goes on: those that it is inside of, those beside it, and what was asked for inside of it."""

    within: tuple[Any, ...]
    beside: list[Any]
    touches: bool
    agents: list[tuple[Any, Any]]
    counts: Counter[str]


#: The steps that this code is inside of, from the outermost to the innermost.
inside: ContextVar[tuple[Any, ...]] = ContextVar("wf_notebook_inside", default=())


class Keeping(Protocol):
    """As much of an open run as is needed here."""

    def flush(self, steps: Sequence[dict[str, Any]]) -> bool:
        """Save rows of steps, with all that was said and changed so far; return whether that is durable."""


class Cache:
    """The steps of one run."""

    def __init__(self, session: Session, mode: Mode | Literal["plan"]) -> None:
        self.mode, self.session = mode, session
        self._run: Callable[[], Keeping | None] = lambda: None
        #: How often each key was asked for, by branch.
        self._counts: Counter[str] = Counter()
        self._lock = threading.Lock()
        self._is_fresh = False
        #: The ids of the steps that were found or done.
        self.used: set[str] = set()
        #: Of a plan: what is known of the first step that would be done.
        self.missed: dict[str, Any] | None = None
        #: The steps that go on.
        self.going_on: list[Going] = []

    @property
    def steps(self) -> Steps:
        """The steps of its session."""
        return self.session.steps

    def belongs_to(self, run: Keeping) -> None:
        """Say which run it is that saves; it is not kept alive for that, as it ends as soon as nobody reads it."""
        self._run = ref(run)

    def look(self) -> None:
        """Learn what was done elsewhere, once for the run: what comes later is asked for where it matters."""
        if not self._is_fresh:
            self.steps.catch_up()
            self._is_fresh = True

    def place(self, key: str, name: str, lane: str | None, within: tuple[Going, ...]) -> tuple[str, int]:
        """Return which of the equal steps of this run this one is, and in which branch: `writer#2`; and which of its name."""
        equal, named = (f"{what} {lane or ''}" for what in (key[:16], f"={name}"))
        with self._lock:
            for asked in (equal, named):
                self._counts[asked] += 1
                for call in within:
                    call.counts[asked] += 1
            return f"{lane or ''}#{self._counts[equal]}", self._counts[named]

    def recount(self, counts: dict[str, int], within: tuple[Going, ...]) -> None:
        """Count the steps inside of one that is not done again as if they had been asked for."""
        with self._lock:
            self._counts.update(counts)
            for call in within:
                call.counts.update(counts)

    def begin(self, call: Going) -> None:
        """A step goes on: those beside it, that is neither inside of it nor around it, are told of each other."""
        with self._lock:
            for other in self.going_on:
                if other not in call.within:
                    other.beside.append(call)
                    call.beside.append(other)
            self.going_on.append(call)

    def end(self, call: Going) -> None:
        """A step is over."""
        with self._lock:
            if call in self.going_on:
                self.going_on.remove(call)

    def keep(self, done: Done) -> None:
        """Save the rows of a step, so that it is durable before the next one begins."""
        run = self._run()
        if run is not None and run.flush(self.steps.records(done).steps):
            self.steps.saved(done)


def remembering(context: RunContext | None) -> Any:
    """Return what a run remembers, None where it is asked for nothing."""
    cache = context.cache if context is not None else None
    return None if cache is None or cache.mode == "off" else cache


def named(agents: list[tuple[Any, Any]], workflow: object) -> dict[str, Any]:
    """Return what the agents of a workflow are to know, by their attributes; of others nobody can be told."""
    own = vars(workflow) if agents else {}
    return {name: memory for agent, memory in agents for name, value in own.items() if value is agent}


def recall(memories: dict[str, Any], workflow: object) -> None:
    """Let the agents of a workflow know of calls that are not made again."""
    for name, memory in memories.items():
        known = getattr(getattr(workflow, name, None), "recall", None)
        if known is not None:
            known(memory)
