"""What happens in a run beside what is said: agents, tools and branches begin and end, the state changes; each with its time."""

from __future__ import annotations

import threading
from datetime import UTC, datetime
from itertools import count
from time import time
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable

#: What begins and ends beside what is said: it comes between no two pieces of a text.
BESIDE = frozenset({"agent", "tool", "branch", "step", "state", "error", "progress"})
#: Tells a call from others of the same agent; the next one has a larger number.
numbers = count(1)


class Event(NamedTuple):
    """One thing that happened in a run, or that was said; `data` is what is not text."""

    happened_at: datetime
    event: str
    agent: str | None = None
    lane: str | None = None
    content: str | None = None
    data: Any = None


def span_of(data: Any) -> str | None:
    """Return what begins or ends in an event that was noted and not said: "agent", "tool", "branch"…; None for what was said.

    >>> span_of({"span": "agent", "id": 1}), span_of([{"span": "tool"}]), span_of([{"tool_name": "search"}]), span_of(None)
    ('agent', 'tool', None, None)
    """
    first = data[0] if isinstance(data, list) and data else data
    span = first.get("span") if isinstance(first, dict) else None
    return span if isinstance(span, str) else None


#: For all runs: it is held for a moment, and rarely.
_lock = threading.Lock()


class Log:
    """Notes in order what happens, from any thread, until the run is over.

    >>> log = Log()
    >>> log.note("RunStarted", {"span": "agent", "id": 1}, agent="writer"); log.close(); log.note("RunCompleted", None)
    >>> [(event.event, event.agent) for event in log.events()]
    [('RunStarted', 'writer')]
    """

    __slots__ = ("_closed", "_noted", "hears")

    def __init__(self) -> None:
        self._noted: list[tuple[float, str, str | None, str | None, Any]] = []
        self._closed = False
        #: Is told of each at once: (moment, (event, agent, lane), data).
        self.hears: Callable[[float, tuple[str, str | None, str | None], Any], object] | None = None

    def note(self, event: str, data: Any, *, agent: str | None = None, lane: str | None = None) -> None:
        """Note what happens now; what comes after the end of the run is not part of it."""
        moment = time()
        with _lock:
            if not self._closed:
                self._noted.append((moment, event, agent, lane, data))
                if self.hears is not None:
                    self.hears(moment, (event, agent, lane), data)

    def close(self) -> None:
        """Note nothing more."""
        with _lock:
            self._closed = True

    def events(self) -> list[Event]:
        """Return what happened so far."""
        return [
            Event(datetime.fromtimestamp(moment, UTC), event, agent, lane, None, data)
            for moment, event, agent, lane, data in list(self._noted)
        ]
