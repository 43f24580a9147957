"""Runs as they were recorded: from the rows of a store."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from itertools import groupby
from typing import TYPE_CHECKING, Any

from ..accounts import MAP, account_of
from ..events import RunEvent, RunResponse
from ..keys import key_of
from ..log import BESIDE, Event, span_of
from ..owners import Sight
from ..processes import Process, process_started_at
from ..readable import Printed
from ..run import Run
from ..transaction import shown_id
from .moment import stored_moment

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

_NAMES = (
    "run_id", "session_id", "workflow", "workflow_id", "inputs", "status", "started_at", "ended_at", "duration", "content",
    "error", "models", "input_tokens", "output_tokens", "cost", "changes", "host", "pid", "process_started_at",
)  # fmt: skip


#: Asks for a run of a store.
RUN = f"SELECT {', '.join(_NAMES)} FROM runs WHERE run_id = ? AND store = ?"
#: Asks for the runs of a store of which the end is not there, of those that are to be seen.
GOING = f"SELECT {', '.join(_NAMES)} FROM runs r WHERE store = ? AND status = 'running' AND {{seen}} ORDER BY started_at"
#: Asks for what a run said after one of its events; and for the texts that it said last.
_AFTER = "SELECT seq, happened_at, event, agent, lane, content, data FROM event_log WHERE run_id = ? AND seq > ? ORDER BY seq"
_LAST = "SELECT lane, content FROM event_log WHERE run_id = ? AND content IS NOT NULL ORDER BY seq DESC LIMIT 10"
_NOTED = "SELECT happened_at, data FROM event_log WHERE run_id = ? AND event = ? ORDER BY seq DESC LIMIT 1"
#: Asks for the sessions that have runs of a name that ends so, of those that are to be seen, the one with the newest first.
_ENDING = (
    "SELECT session_id, workflow FROM runs r WHERE store = ? AND workflow LIKE ? AND {seen}"
    " GROUP BY session_id, workflow ORDER BY max(started_at) DESC, session_id LIMIT ?"
)
#: Asks for the runs of a workflow that failed, of those that began in a stretch of time.
_FAILED = (
    f"SELECT {', '.join(_NAMES)} FROM runs r WHERE store = ? AND workflow = ? AND status = 'failed'"
    " AND started_at BETWEEN ? AND ? AND {seen} ORDER BY started_at, run_id"
)
#: Asks for the runs of a workflow that are over, the newest first, in sessions that a user may read.
RUNS_OF = f"SELECT {', '.join(_NAMES)} FROM runs r WHERE store = ? AND workflow = ? AND status <> 'running' AND {{seen}}"
#: Asks for the runs of which the id begins so, and for those that began last, in sessions that are to be seen.
_BEGINNING = (
    "SELECT DISTINCT run_id FROM run_log r WHERE store = ? AND substr(run_id, 1, CAST(? AS INTEGER)) = ? AND {seen}"
    " ORDER BY run_id"
)
_NEWEST = "SELECT run_id FROM run_log r WHERE store = ? AND phase = 'start' AND {seen} ORDER BY happened_at DESC, run_id LIMIT ?"
#: So many inputs are asked for at once.
_AT_ONCE = 200
_EVENTS = "SELECT happened_at, event, agent, lane, content, data FROM event_log WHERE run_id = ? ORDER BY seq"
_CHANGES = "SELECT DISTINCT saved_at, key, op, path FROM state_log WHERE run_id = ? ORDER BY saved_at, key"
_TOOLS = frozenset({RunEvent.tool_call_started.value, RunEvent.tool_call_completed.value})
_VALUES = frozenset({RunEvent.run_response.value, RunEvent.workflow_completed.value})


class Stored:
    """What a run said and what happened in it, as far as it is in the store; read when it is asked for."""

    def __init__(
        self,
        read: Callable[[str, Sequence[Any]], list[tuple[Any, ...]]],
        run_id: str,
        store: str,
        url: str | None = None,
        *,
        storage: Any = None,
    ) -> None:
        self._read, self._run_id, self._store, self.url, self._storage = read, run_id, store, url, storage
        #: Whether nothing is added any more: then it is read once.
        self.is_over = False
        self._events: list[Event] | None = None

    def events(self) -> list[Event]:
        """Return what was said and what happened, in order."""
        events = self._events if self._events is not None else self._asked()
        self._events = events if self.is_over else None
        return events

    def _asked(self) -> list[Event]:
        return [_event(row) for row in self._read(_EVENTS, (self._run_id,))]

    def other(self, run_id: str) -> Run | None:
        """Return another run of this store, None if it is not there."""
        rows = self._read(RUN, (run_id, self._store))
        return record(rows[0], self._of(run_id)) if rows else None

    def _of(self, run_id: str) -> Stored:
        return Stored(self._read, run_id, self._store, self.url, storage=self._storage)

    def workflow(self) -> None:
        """Return no workflow: what is stored is no code."""

    def storage(self) -> Any:
        """Return the storage."""
        return self._storage

    def moments(self) -> list[tuple[datetime, RunResponse]]:
        """Return what was said, each thing with the moment when it was begun."""
        return [(event.happened_at, _response(event)) for event in self.events() if span_of(event.data) not in BESIDE]

    def changes(self) -> list[tuple[datetime, str, str]]:
        """Return what changed in the state and when: the key, and set, append, put or delete."""
        rows = self._read(_CHANGES, (self._run_id,))
        return [(_time(at), str(key_of(key)), op if path is None else "put") for at, key, op, path in rows]

    def responses(self) -> list[RunResponse]:
        """Return what was said."""
        said = [event for event in self.events() if span_of(event.data) not in BESIDE]
        return [_response(event) for event in _in_turn(said)]


Read = Callable[[str, "Sequence[Any]"], list[tuple[Any, ...]]]


def _event(row: Sequence[Any]) -> Event:
    at, event, agent, lane, content, data = row
    return Event(_time(at), event, agent, lane, content, json.loads(data) if data else None)


def said_after(read: Read, run_id: str, seq: int) -> list[tuple[int, RunResponse]]:
    """Return what a run said after one of its events, each thing with its number; numbers begin with 1."""
    rows = [(row[0], _event(row[1:])) for row in read(_AFTER, (run_id, seq))]
    return [(number, _response(event)) for number, event in rows if span_of(event.data) not in BESIDE]


def last_said(read: Read, run_id: str) -> str | None:
    """Return the end of the text that a run, or the branch that spoke last, has said."""
    rows = read(_LAST, (run_id,))
    return "".join(content for lane, content in reversed(rows) if lane == rows[0][0]) or None


def last_noted(read: Read, run_id: str, event: str) -> tuple[datetime, Any] | None:
    """Return what a run noted last in an event of that name, and when; None where it noted nothing."""
    rows = read(_NOTED, (run_id, event))
    return (_time(rows[0][0]), json.loads(rows[0][1])) if rows else None


def sweeps(read: Read, store: str, last: int) -> dict[str, str]:
    """Return the sessions in which sweeps are runs themselves, as they are stored, each with the workflow; the newest first."""
    seen, given = Sight(read, store).of_rows()
    rows = read(_ENDING.format(seen=seen), (store, f"%{MAP}", *given, last))
    return {stored: name.removesuffix(MAP) for stored, name in rows if account_of(stored, name)}


def _in_turn(events: list[Event]) -> Iterator[Event]:
    """Yield what was said, of lanes side by side first what was begun first: a text is a row when it is over."""
    for beside, stretch in groupby(events, lambda event: event.lane is not None):
        group = list(stretch)
        begun: dict[str | None, datetime] = {}
        if beside:
            for event in group:
                begun[event.lane] = min(begun.get(event.lane, event.happened_at), event.happened_at)
            group.sort(key=lambda event: begun[event.lane])
        yield from group


def _response(event: Event) -> RunResponse:
    content: Any = event.content
    data, tools = event.data, None
    is_call = isinstance(data, list) and bool(data) and isinstance(data[0], dict) and "tool_name" in data[0]
    if content is None and (event.event in _TOOLS or is_call):
        tools, data = data, None
    elif content is None and event.event in _VALUES and span_of(data) != "images":
        content, data = Printed(data) if isinstance(data, str) else data, None
    images, data = (data["images"], None) if span_of(data) == "images" else (None, data)
    said = RunResponse(content, event=event.event, agent_id=event.agent, tools=tools, images=images, extra_data=data)
    return said.stamped({"lane": event.lane})


def record(cells: Sequence[Any], told: Stored) -> Run:
    """Return the record of a run from its row."""
    row = dict(zip(_NAMES, cells, strict=True))
    row["status"] = status_of(row)
    for name in ("host", "pid", "process_started_at"):
        del row[name]
    for name, empty in (("inputs", {}), ("models", []), ("changes", {})):
        row[name] = json.loads(row[name]) if row[name] else empty
    for name in ("started_at", "ended_at"):
        row[name] = None if row[name] is None else _time(row[name])
    row["session_id"] = shown_id(row["session_id"])
    row["models"] = tuple(row["models"])
    run = Run(**{**row, "input_tokens": row["input_tokens"] or 0, "output_tokens": row["output_tokens"] or 0})
    told.is_over = run.status != "running"
    return run.told_by(told)


def stored_run(row: Sequence[Any], read: Read, store: str, url: str | None) -> tuple[Run, Process]:
    """Return a run from its row, and the process in which it was begun."""
    named = dict(zip(_NAMES, row, strict=True))
    process = Process(named["host"], named["pid"], named["process_started_at"])
    return record(row, Stored(read, named["run_id"], store, url)), process


def ids_beginning(storage: Any, beginning: str) -> list[str]:
    """Return the ids of the runs, also of sweeps themselves, that begin so, or the one that is so."""
    seen, given = Sight(storage.read, storage.table_name).of_rows()
    rows = storage.read(_BEGINNING.format(seen=seen), (storage.table_name, len(beginning), beginning, *given))
    found = [run_id for (run_id,) in rows]
    return [beginning] if beginning in found else found


def newest_ids(storage: Any, most: int) -> list[str]:
    """Return the ids of the runs that began last, so many at most."""
    seen, given = Sight(storage.read, storage.table_name).of_rows()
    return [run_id for (run_id,) in storage.read(_NEWEST.format(seen=seen), (storage.table_name, *given, most))]


def last_runs(storage: Any, workflow: str, last: int, user_id: str | None) -> list[Run]:
    """Return so many runs of a workflow that are over, the newest first, of those that a user, or who works here, may see."""
    return _runs(storage, f"{RUNS_OF} ORDER BY started_at DESC, run_id LIMIT ?", (workflow,), (last,), acting=user_id)


def failed_runs(storage: Any, workflow: str, since: datetime, until: datetime) -> list[Run]:
    """Return the runs of a workflow that began between two moments and failed, in the order in which they began."""
    return _runs(storage, _FAILED, (workflow, stored_moment(since), stored_moment(until)), also_deleted=True)


def runs_with(storage: Any, workflow: str, inputs: Sequence[str], user_id: str | None) -> list[Run]:
    """Return the runs of a workflow that are over and had one of these inputs, as JSON; the newest first."""
    found: list[Run] = []
    for start in range(0, len(inputs), _AT_ONCE):
        some = inputs[start : start + _AT_ONCE]
        sql = f"{RUNS_OF} AND CAST(inputs AS VARCHAR) IN ({', '.join('?' * len(some))}) ORDER BY started_at DESC, run_id"
        found += _runs(storage, sql, (workflow,), some, acting=user_id)
    return found


def _runs(
    storage: Any,
    sql: str,
    before: Sequence[Any],
    after: Sequence[Any] = (),
    *,
    acting: str | None = None,
    also_deleted: bool = False,
) -> list[Run]:
    """Return the runs that a query with a place for what may be seen gives; its other parameters are before and after that."""
    seen, given = Sight(storage.read, storage.table_name, acting).of_rows(also_deleted=also_deleted)
    rows = storage.read(sql.format(seen=seen), (storage.table_name, *before, *given, *after))
    told, run_id = partial(Stored, storage.read), _NAMES.index("run_id")
    return [record(row, told(row[run_id], storage.table_name, storage.url, storage=storage)) for row in rows]


def status_of(row: Mapping[str, Any]) -> str:
    """Return how a run stands, of which these are columns of `runs`: one whose process is gone is lost."""
    here = row["status"] == "running" and row["host"] == socket.gethostname()
    status: str = row["status"]
    return "lost" if here and process_started_at(row["pid"]) != row["process_started_at"] else status


def _time(value: datetime | str) -> datetime:
    moment = value if isinstance(value, datetime) else datetime.fromisoformat(value)
    return moment.replace(tzinfo=UTC)
