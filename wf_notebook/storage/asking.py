"""A query of the user's: what it may take, what it gives, and what is said when it does more than read."""

from __future__ import annotations

import re
import threading
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ..cancel import CancelToken
from ..errors import BadQuery

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager

#: What databases say of a table that is not there.
_ABSENT = re.compile(r"no such table|Table with name .* does not exist|relation .* does not exist")
#: How long a query may take, in seconds: less than others wait for their turn to save (`lock.PATIENCE`).
SECONDS = 8.0
#: How many rows it may give.
ROWS = 100_000
#: How much its texts and bytes may be together: an answer is fetched whole, into the memory of the kernel.
SIZE = 100_000_000
#: What the database may use for it, in bytes, so that no large query takes the kernel along.
MEMORY = 2_000_000_000


@dataclass(frozen=True, slots=True)
class Bounds:
    """What a query may take: seconds, rows, bytes of what it gives and of what it needs; `stop` ends it before."""

    seconds: float = SECONDS
    rows: int = ROWS
    size: int = SIZE
    memory: int = MEMORY
    stop: CancelToken = field(default_factory=CancelToken)
    #: Entered while the query is made: what it may take is counted from there.
    at_work: Callable[[], AbstractContextManager[object]] = nullcontext


@dataclass(frozen=True, slots=True)
class Answer:
    """What a query gave: names and types of its columns (None where the database has none), and its rows."""

    names: list[str]
    types: list[str | None]
    rows: list[tuple[Any, ...]]


class Clock:
    """Interrupts a query when its time is over, or when nobody waits for it any more."""

    def __init__(self, seconds: float, interrupt: Callable[[], object]) -> None:
        self._seconds, self._interrupt = seconds, interrupt
        self.is_over = False

    def _stop(self) -> None:
        self.is_over = True
        self._interrupt()

    @contextmanager
    def running(self) -> Iterator[None]:
        """Count the time of the block."""
        timer = threading.Timer(self._seconds, self._stop)
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()
            timer.join()  # afterwards nothing is interrupted that has not to do with it


def fetched(cursor: Any, bounds: Bounds) -> list[tuple[Any, ...]]:
    """Return the rows that a cursor gives, row by row, so that none is made that is too much. Raises BadQuery."""
    found: list[tuple[Any, ...]] = []
    size = 0
    while (row := cursor.fetchone()) is not None:
        found.append(row)
        size += _size(row)
        if len(found) > bounds.rows:
            raise too_many(bounds.rows)
        if size > bounds.size:
            raise too_large(bounds.size)
        if bounds.stop.cancelled:
            raise stopped()
    return found


def _size(value: Any) -> int:
    """Return how much room a value takes, about, in bytes."""
    if isinstance(value, (str, bytes)):
        return len(value)
    if isinstance(value, (tuple, list)):
        return sum(map(_size, value))
    return sum(map(_size, value.values())) if isinstance(value, dict) else 8


def only_reads(what: str) -> BadQuery:
    """Return what to say of SQL that is more than one query of this database."""
    return BadQuery(f"{what}; write one SELECT over this database (or connect to the file yourself)")


def too_slow(seconds: float) -> BadQuery:
    """Return what to say of a query that was ended."""
    return BadQuery(
        f"the query took more than {seconds:g} s, and others wait meanwhile; ask for less, or give it more time by seconds="
    )


def too_many(rows: int) -> BadQuery:
    """Return what to say of a query that gives more than it may."""
    return BadQuery(f"the query gives more than {rows:,} rows; add a LIMIT, count or sum them, or ask for more by rows=")


def too_large(size: int) -> BadQuery:
    """Return what to say of a query that gives more than the memory of a kernel is for."""
    return BadQuery(f"the query gives more than {size / 1_000_000:g} MB; ask for fewer columns, or add a LIMIT")


def needs_more(memory: int) -> BadQuery:
    """Return what to say of a query that needs more memory than it may have."""
    return BadQuery(f"the query needs more than {memory / 1e9:g} GB of memory; ask for fewer rows or shorter texts")


def stopped() -> BadQuery:
    """Return what to say of a query that somebody ended."""
    return BadQuery("the query was stopped; run it again, or ask for less")


def wrong(error: Exception) -> BadQuery:
    """Return what the database says of a query that it does not understand, in one line."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    said = [line for line in lines if not line.startswith(("LINE ", "^"))]
    text = re.sub(r" Did you mean .*", "", " ".join(said)[:500]) if _ABSENT.search(" ".join(said)) else " ".join(said)[:500]
    hint = "ask sessions, session_state, state_history, runs or events" if _ABSENT.search(text) else "correct the query"
    return BadQuery(f"{text}; {hint}")


def not_there(url: str) -> BadQuery:
    """Return what to say where nothing was saved yet."""
    return BadQuery(f"{url} is empty yet; the first save makes it")
