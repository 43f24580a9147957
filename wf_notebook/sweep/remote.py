"""In a process that does rows of another one's sweep: for a while it takes rows, does them, and sends what came of them."""

from __future__ import annotations

import os
import socket
import threading
from collections import deque
from contextlib import suppress
from contextvars import copy_context
from dataclasses import replace
from time import monotonic
from typing import TYPE_CHECKING, Any, NamedTuple
from uuid import uuid4

from ..background.waiting import Bell
from ..errors import RunCancelled
from ..run import RunContext, Usage, current
from ..session import Session
from ..storage import open_storage
from .away import AwayBudget, AwayDoing, AwaySession
from .crew import Crew
from .doing import Doing
from .keeping import Keeper
from .shipped import packed_answer, unpacked, unshipped
from .tasks import Task
from .wire import CONNECTING, Severed, Wire

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..budget import Budget
    from ..cache import Mode
    from .row import Row
    from .settings import Settings

#: For so many seconds rows are taken; then it is the executor's turn again, which may have other things to do.
SHIFT = 2.0
#: So many seconds of work are taken at once, and so many rows at most.
AT_ONCE, MOST = 0.1, 50
#: Stores that other machines reach: their processes write to them by themselves.
SHARED = ("postgresql:", "postgres:")
#: How long a row that was stopped is waited for, in seconds.
PATIENCE = 0.5


class Terms(NamedTuple):
    """How rows are done: `storage` is the address and the table to which they are written from here.

    It is None where that is done elsewhere, or, unless it `is_kept`, nowhere.
    """

    cache: Mode
    timeout: float | None
    storage: tuple[str, str] | None
    is_kept: bool
    max_tokens: int | None
    max_cost: float | None
    is_limited: bool

    @classmethod
    def of(cls, told: Settings, budget: Budget, storage: Any) -> Terms:
        """Return how the rows of a sweep are done."""
        limits = told.max_tokens, told.max_cost
        is_limited = limits != (None, None) or budget.within is not None
        is_shared = str(getattr(storage, "url", "")).startswith(SHARED)
        place = (storage.url, storage.table_name) if is_shared else None
        return cls(told.cache, told.timeout, place, storage is not None, *limits, is_limited)


def shift(host: str, port: int, secret: bytes, threads: int) -> str | None:
    """Do rows for a while, so many at once, for the process that listens there; return what kept this one from reaching that.

    It may be that the sweep is over meanwhile: that is no error, of which Dask would tell a user.
    """
    try:
        _link(host, port, secret).work(threads)
    except Severed as error:
        return str(error)
    return None


_links: dict[tuple[int, str, int, bytes], Link] = {}
_linking = threading.Lock()


def _link(host: str, port: int, secret: bytes) -> Link:
    """Return the link of this process to that one; made once for the whole sweep."""
    place = os.getpid(), host, port, secret
    with _linking:
        link = _links.get(place)
        if link is None or link.wire.is_severed:
            link = _links[place] = Link(host, port, secret)
            threading.Thread(target=link.attend, args=(place,), name="wf_notebook-sweep-wire", daemon=True).start()
            try:
                link.begin()
            except BaseException:
                link.wire.sever()
                raise
        return link


class Link:
    """A process that does rows, with the workflow of one sweep."""

    def __init__(self, host: str, port: int, secret: bytes) -> None:
        try:
            connection = socket.create_connection((host, port), CONNECTING)
        except OSError as error:
            raise Severed(f"a worker cannot reach the process of the sweep at {host}:{port} ({error})") from error
        self.wire = Wire(connection, self._hear)
        self.wire.prove(secret, first=False)
        self.classes: list[type] = []
        self._crews: set[Crew] = set()
        self._is_stopped = False
        #: How long a row takes here, in seconds; None until one is done.
        self.pace: float | None = None

    def begin(self) -> None:
        """Learn what is to be done."""
        data, terms = self.wire.ask("sweep")
        workflow, initial, session_id, self.classes = unshipped(data)
        self.terms: Terms = terms
        workflow.storage = None if terms.storage is None else open_storage(terms.storage[0], table_name=terms.storage[1])
        workflow.go_on_in(Session(session_id, storage=None, state=initial, about=workflow.about()))
        is_away = terms.is_kept and terms.storage is None
        self.doing = (
            AwayDoing(workflow, cache=terms.cache, wire=self.wire) if is_away else Doing(workflow, cache=terms.cache, shared=None)
        )
        self.budget = AwayBudget(self.wire, is_limited=terms.is_limited, max_tokens=terms.max_tokens, max_cost=terms.max_cost)

    def attend(self, place: tuple[int, str, int, bytes]) -> None:
        """Hear the other end, until it is gone: then nobody wants the rows that go on."""
        self.wire.attend()
        _links.pop(place, None)
        self._stop()

    def _hear(self, what: str, number: int, said: tuple[Any, ...]) -> None:
        if what == "stop":
            threading.Thread(target=self._end, name="wf_notebook-sweep-end", daemon=True).start()

    def _stop(self) -> None:
        self._is_stopped = True
        for crew in list(self._crews):
            crew.stop()

    def _end(self) -> None:
        """End all rows, and say so."""
        self._stop()
        Bell().wait(lambda: not self._crews, 2 * PATIENCE)
        with suppress(Severed):
            self.wire.tell("ended")

    def work(self, threads: int) -> None:
        """Do rows, until there are none, or time is over."""
        bell = Bell()
        keeper = _Sending(self)
        storage = self.doing.storage
        kept = keeper if storage is None else Keeper(storage, keeper.over, keeper.failed)
        crew = Crew(_Rows(self), self.doing, kept, limit=threads, timeout=self.terms.timeout, idle=bell.ring)
        self._crews.add(crew)
        if self._is_stopped:
            crew.stop()
        variables = copy_context()
        run = RunContext(str(uuid4()), "", "", self, usage=Usage(budget=self.budget))
        variables.run(current.set, run)
        variables.run(crew.start)
        bell.wait(lambda: crew.is_idle or crew.is_stopped)
        bell.wait(lambda: crew.is_idle, PATIENCE)
        if not crew.is_idle:
            with suppress(Severed):
                crew.leave(RunCancelled())
        if isinstance(kept, Keeper):
            kept.close()
        self._crews.discard(crew)
        if crew.error is not None:
            self.wire.sever()  # what it had taken is given to others
            if not isinstance(crew.error, Severed):
                raise crew.error


class _Rows:
    """Rows that are taken from the other process, some at once where they are short."""

    def __init__(self, link: Link) -> None:
        self._link, self._until = link, monotonic() + SHIFT
        self._there: deque[Task] = deque()
        self._lock = threading.Lock()
        self._is_over = False

    def next(self) -> Task | None:
        """Return the next row to do, None when there is none, or time is over."""
        link = self._link
        with self._lock:
            if not self._there and not self._is_over and monotonic() < self._until:
                pace = link.pace
                want = 1 if pace is None else max(1, min(MOST, int(AT_ONCE / max(pace, 1e-6))))
                self._there.extend(
                    Task(number, {}, *more) for number, *more in unpacked(link.wire.ask("rows", want), link.classes)
                )
                self._is_over = not self._there
            if not self._there:
                return None
            task = self._there.popleft()
        link.wire.tell("begun", task.number)
        return task


class _Sending:
    """Sends what came of rows."""

    def __init__(self, link: Link) -> None:
        self._link = link

    def put(self, row: Row, session: Any) -> None:
        """Send a row, and what is yet to be saved of it."""
        parcel = None
        if isinstance(session, AwaySession) and (ending := session.ending) is not None:
            session.ending = None
            parcel = session.parcel(ending.snapshot, ending.records, ending.run_id)
            session.is_sent(ending.snapshot, parcel)
        self._send(row, parcel)

    def over(self, rows: Sequence[Row]) -> None:
        """Send rows that were saved here."""
        for row in rows:
            self._send(row, None)

    def failed(self, error: BaseException) -> None:
        """Say that rows cannot be saved here."""
        self._link.wire.tell("failed", str(error))

    def _send(self, row: Row, parcel: Any) -> None:
        link = self._link
        if row.duration is not None:
            link.pace = row.duration if link.pace is None else 0.7 * link.pace + 0.3 * row.duration
        content = packed_answer(row.content, link.classes)
        if content is None:
            content = packed_answer(repr(row.content), link.classes)
        error = None if row.exception is None else packed_answer(row.exception, link.classes)
        link.wire.tell("done", replace(row, given={}, content=None, exception=None), content, error, parcel)
