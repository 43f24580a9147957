"""The rows of sessions on their way to another store: in a file that nobody else sees, as much at a time as fits in memory."""

from __future__ import annotations

import marshal
from collections import Counter
from tempfile import TemporaryFile
from typing import TYPE_CHECKING, Any, NamedTuple, Self

from .erasing import REFERRING, named_blobs
from .moment import stored_moment
from .schema import COLUMNS, quoted
from .standing import among, groups, newest_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from .rows import SqlTransaction
    from .standing import Trip

#: So many rows are read at once, and so many bytes of blobs.
ROWS, BYTES = 200, 8_000_000
#: By what the rows of each table are ordered in a line; where several have one number, in the order in which they were written.
_ORDER = {"session_log": "revision", "state_log": "version", "step_log": "seq"}


class TooMuch(Exception):
    """Of several sessions there is more than is carried at once."""


class Place(NamedTuple):
    """Where a line goes: of which session it is, its id there, and that of the session whose steps it remembers."""

    session: str
    to: str
    is_own: bool
    origin: str | None


class Cargo:
    """Rows of a few sessions that were packed in one store, to be unpacked in another."""

    def __init__(self, names: Mapping[str, str], *, most: int | None) -> None:
        #: Under which id each run will be there.
        self.names = names
        self._most = most
        self._file = TemporaryFile()  # noqa: SIM115 - it is closed by __exit__
        self.begin()

    def begin(self) -> None:
        """Hold nothing: a transaction may be made twice."""
        self._file.seek(0)
        self._file.truncate()
        self._blobs: dict[str, str] = {}
        #: How many versions, runs, events, steps and blobs there are of each session.
        self.counts: dict[str, Counter[str]] = {}
        self.has_rows = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self._file.close()

    # -- packed ------------------------------------------------------------------------------------------------------------

    def pack(self, tx: SqlTransaction, trips: Mapping[str, Trip], runs: Mapping[str, str]) -> None:
        """Pack what is new of sessions and their runs. Raises TooMuch."""
        self.counts = {key: Counter() for key in trips}
        for table, order in _ORDER.items():
            if table == "step_log" and not tx.has_steps:
                continue
            for after, places in _places(trips, table).items():
                for some in groups([*places]):
                    for rows in _pages(tx, table, some, order, after):
                        self._add(table, [(place, row) for stored, *row in rows for place in places[stored]])
        self._pack_runs(tx, trips, runs)
        self._pack_events(tx, trips, {run: key for run, key in runs.items() if trips[key].has_events(run, self.names[run])})
        for key, trip in trips.items():
            newest = {suffix: newest_of(trip.there.versions, suffix) for suffix in trip.lines}
            self.counts[key]["versions"] = sum(number > newest.get(suffix, 0) for suffix, number in trip.here.versions)
        self._pack_blobs(tx)

    def _add(self, table: str, rows: Sequence[tuple[Place, Sequence[Any]]]) -> None:
        """Keep rows of a table, without their store, and know which blobs they need."""
        names = columns_of(table)
        run = names.index("run_id") if "run_id" in names else None
        needed = [(names.index(column), names.index(beside)) for referring, column, beside in REFERRING if referring == table]
        packed = []
        for place, given in rows:
            row = list(given)
            for value, blob in needed:
                for name in (*([row[blob]] if row[blob] else ()), *named_blobs(row[value])):
                    self._blobs.setdefault(name, place.session)
            if run is not None:
                row[run] = self.names.get(row[run], row[run])
            if table == "step_log":
                op, key = row[names.index("op")], names.index("key")
                self.counts[place.session]["steps"] += place.is_own and op == "done"
                row[key] = place.origin if op == "origin" and place.origin else row[key]
            self.counts[place.session]["said"] += table == "session_log" and place.is_own
            packed.append((place.to, *row))
        self._keep(table, packed)

    def _keep(self, table: str, rows: list[tuple[Any, ...]]) -> None:
        if rows:
            marshal.dump((table, rows), self._file)
            self.has_rows = True
            if self._most is not None and self._file.tell() > self._most:
                raise TooMuch

    def _pack_runs(self, tx: SqlTransaction, trips: Mapping[str, Trip], runs: Mapping[str, str]) -> None:
        names = columns_of("run_log")
        run, phase = names.index("run_id"), names.index("phase")
        to = {stored: (key, trip.to[suffix]) for key, trip in trips.items() for suffix, stored in trip.own.items()}
        for some in groups([*runs]):
            sql = f"SELECT session_id, {_selected('run_log')} FROM run_log WHERE store = ? AND {among('run_id', some)}"
            packed = []
            for stored, *told in tx.rows(f"{sql} ORDER BY happened_at, phase DESC", (tx.store, *some)):
                row = _plain("run_log", told)
                key, line = to.get(stored, (None, None))
                if key is not None and (self.names[row[run]], row[phase]) not in trips[key].there.runs:
                    self.counts[key]["runs"] += row[phase] == "start"
                    packed.append((Place(key, line or "", is_own=True, origin=None), row))
            self._add("run_log", packed)

    def _pack_events(self, tx: SqlTransaction, trips: Mapping[str, Trip], runs: Mapping[str, str]) -> None:
        names, selected = columns_of("event_log"), _selected("event_log")
        run, seq = names.index("run_id"), names.index("seq")
        for some in groups([*runs]):
            last: tuple[Any, Any] = ("", -1)
            page: Sequence[Any] = some
            while page:
                sql = (
                    f"SELECT {selected} FROM event_log WHERE {among('run_id', some)}"
                    f" AND (run_id > ? OR (run_id = ? AND seq > ?)) ORDER BY run_id, seq LIMIT {ROWS * 5}"
                )
                page = [_plain("event_log", row) for row in tx.rows(sql, (*some, last[0], *last))]
                last = (page[-1][run], page[-1][seq]) if page else last
                packed = []
                for row in page:
                    key = runs[row[run]]
                    if row[seq] > trips[key].there.events.get(self.names[row[run]], -1):
                        self.counts[key]["events"] += 1
                        packed.append((*row[:run], self.names[row[run]], *row[run + 1 :]))
                self._keep("event_log", packed)

    def _pack_blobs(self, tx: SqlTransaction) -> None:
        """Pack the blobs that rows need, and those that blobs need."""
        wanted = list(self._blobs)
        while wanted:
            some, wanted = wanted[:100], wanted[100:]
            sizes = dict(tx.rows(f"SELECT hash, size FROM blob WHERE {among('hash', some)}", some))
            for batch in _batches(sizes):
                packed = []
                for row in tx.rows(f"SELECT hash, size, text, bytes FROM blob WHERE {among('hash', batch)}", batch):
                    whose = self._blobs[row[0]]
                    more = [name for name in named_blobs(row[2]) if name not in self._blobs]
                    self._blobs |= dict.fromkeys(more, whose)
                    wanted += more
                    packed.append((whose, *row[:3], None if row[3] is None else bytes(row[3])))
                self._keep("blob", packed)

    # -- unpacked ----------------------------------------------------------------------------------------------------------

    def unpack(self, tx: SqlTransaction) -> None:
        """Append all rows in another store."""
        for counts in self.counts.values():
            counts["blobs"] = 0
        self._file.seek(0)
        while True:
            try:
                table, rows = marshal.load(self._file)  # noqa: S302 - this process wrote it, into a file without a name
            except EOFError:
                return
            if table == "blob":
                hashes = [row[1] for row in rows]
                there = {name for (name,) in tx.rows(f"SELECT hash FROM blob WHERE {among('hash', hashes)}", hashes)}
                for key, name, *_ in rows:
                    self.counts[key]["blobs"] += name not in there
                tx.append_rows(table, columns_of(table), [row[1:] for row in rows])
            elif table == "event_log":
                tx.append_rows(table, columns_of(table), rows)
            else:
                tx.append_rows(table, ("store", "session_id", *columns_of(table)), [(tx.store, *row) for row in rows])


def _places(trips: Mapping[str, Trip], table: str) -> dict[int, dict[str, list[Place]]]:
    """Return which lines have rows in a table to carry: by the number after which they are new, and by the line's id here."""
    found: dict[int, dict[str, list[Place]]] = {}
    for key, trip in trips.items():
        numbers = {"session_log": trip.there.about, "state_log": trip.there.versions, "step_log": trip.there.steps}[table]
        for suffix, stored in (trip.lines if table == "step_log" else trip.own).items():
            origin = trip.to[f"{suffix}@origin"] if f"{suffix}@origin" in trip.lines else None
            place = Place(key, trip.to[suffix], is_own=not suffix, origin=origin)
            found.setdefault(newest_of(numbers, suffix), {}).setdefault(stored, []).append(place)
    return found


def columns_of(table: str) -> tuple[str, ...]:
    """Return the columns of a table but for those that say whose a row is."""
    return tuple(name for name in COLUMNS[table] if name not in {"store", "session_id"})


def _selected(table: str) -> str:
    """Return the columns as they are asked for: JSON as the text that it is."""
    kinds = COLUMNS[table]
    return ", ".join(f"CAST({quoted(name)} AS VARCHAR)" if kinds[name] == "json" else quoted(name) for name in columns_of(table))


def _plain(table: str, row: Sequence[Any]) -> tuple[Any, ...]:
    """Return a row as it can lie in a file: times as text."""
    kinds = COLUMNS[table]
    return tuple(
        stored_moment(value) if value is not None and kinds[name] == "timestamp" else value
        for name, value in zip(columns_of(table), row, strict=True)
    )


def _pages(tx: SqlTransaction, table: str, lines: Sequence[str], order: str, after: int) -> Iterator[list[list[Any]]]:
    """Yield the rows of lines after a number, each with its line, in the order in which they were written."""
    place = "rowid" if table == "state_log" else order  # the one table in which a number has several rows
    ordered = ("session_id", order, place)
    beyond = f" AND (session_id > ? OR (session_id = ? AND ({order} > ? OR ({order} = ? AND {place} > ?))))"
    columns = f"session_id, {_selected(table)}, {order}, {place}"
    last: tuple[Any, ...] = ()
    while True:
        page = tx.rows(
            f"SELECT {columns} FROM {table} WHERE store = ? AND {among('session_id', lines)} AND {order} > ?"
            f"{beyond if last else ''} ORDER BY {', '.join(ordered)} LIMIT {ROWS}",
            (tx.store, *lines, after, *last),
        )
        if page:
            yield [[row[0], *_plain(table, row[1:-2])] for row in page]
        if len(page) < ROWS:
            return
        line, *_, number, place_there = page[-1]
        last = (line, line, number, number, place_there)


def _batches(sizes: Mapping[str, int | None]) -> Iterator[list[str]]:
    """Yield blobs in groups that fit in memory; what is larger by itself."""
    batch: list[str] = []
    full = 0
    for name, size in sizes.items():
        if batch and full + (size or 0) > BYTES:
            yield batch
            batch, full = [], 0
        batch.append(name)
        full += size or 0
    if batch:
        yield batch
