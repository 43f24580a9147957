"""The rows of a session on their way to another store: in a file that nobody else sees, as much at a time as fits in memory."""

from __future__ import annotations

import marshal
from tempfile import TemporaryFile
from typing import TYPE_CHECKING, Any, Self

from .erasing import REFERRING, named_blobs
from .moment import stored_moment
from .schema import COLUMNS, quoted
from .standing import among, groups, newest_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from .rows import SqlTransaction
    from .standing import Standing

#: So many rows are read at once, and so many bytes of blobs.
ROWS, BYTES = 200, 8_000_000
#: By what the rows of each table are ordered in a line; where several have one number, in the order in which they were written.
_ORDER = {"session_log": "revision", "state_log": "version", "step_log": "seq"}
_OF = "store = ? AND session_id = ?"


class Cargo:
    """Rows that were packed in one store, to be unpacked in another."""

    def __init__(self, names: Mapping[str, str]) -> None:
        #: Under which id each run will be there.
        self.names = names
        self._file = TemporaryFile()  # noqa: SIM115 - it is closed by __exit__
        self.begin()

    def begin(self) -> None:
        """Hold nothing: a transaction may be made twice."""
        self._file.seek(0)
        self._file.truncate()
        self._blobs: dict[str, None] = {}
        #: How many versions, runs, events, steps and blobs there are.
        self.counts: dict[str, int] = dict.fromkeys(("versions", "runs", "events", "steps", "blobs"), 0)
        self.has_rows = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self._file.close()

    # -- packed ------------------------------------------------------------------------------------------------------------

    def pack(
        self, tx: SqlTransaction, lines: Mapping[str, tuple[str, str]], runs: Sequence[str], *, here: Standing, there: Standing
    ) -> None:
        """Pack what is new in these lines and runs; each line has the id that it has here, and the one that it will have."""
        numbers = {"session_log": there.about, "state_log": there.versions, "step_log": there.steps}
        for suffix, (stored, _) in lines.items():
            origin = lines.get(f"{suffix}@origin", (None, None))[1]
            for table, order in _ORDER.items():
                is_others = suffix.endswith("@origin")
                if (table == "step_log" and tx.has_steps) or (table != "step_log" and not is_others):
                    for rows in _pages(tx, table, stored, order, newest_of(numbers[table], suffix)):
                        self._add(table, suffix, rows if table != "step_log" else _whose(rows, origin))
        self._pack_runs(tx, lines, runs, there)
        self._pack_events(tx, [run for run in runs if here.events.get(run, -1) > there.events.get(self.names[run], -1)], there)
        self.counts["versions"] = len({at for at in here.versions if at[1] > newest_of(there.versions, at[0])})
        self._pack_blobs(tx)

    def _add(self, table: str, suffix: str, rows: list[tuple[Any, ...]]) -> None:
        """Keep rows of a table, without their store and session, and know which blobs they need."""
        if not rows:
            return
        names = columns_of(table)
        for referring, column, beside in REFERRING:
            if referring == table:
                value, blob = names.index(column), names.index(beside)
                for row in rows:
                    self._blobs |= dict.fromkeys([*([row[blob]] if row[blob] else ()), *named_blobs(row[value])])
        if "run_id" in names:
            place = names.index("run_id")
            rows = [(*row[:place], self.names.get(row[place], row[place]), *row[place + 1 :]) for row in rows]
        if table == "step_log":
            self.counts["steps"] += sum(row[names.index("op")] == "done" for row in rows) if not suffix else 0
        marshal.dump((table, suffix, rows), self._file)
        self.has_rows = True

    def _pack_runs(self, tx: SqlTransaction, lines: Mapping[str, tuple[str, str]], runs: Sequence[str], there: Standing) -> None:
        names = columns_of("run_log")
        run, phase = names.index("run_id"), names.index("phase")
        for suffix, (stored, _) in lines.items():
            for some in groups(runs if not suffix.endswith("@origin") else ()):
                sql = f"SELECT {_selected('run_log')} FROM run_log WHERE {_OF} AND {among(some)} ORDER BY happened_at, phase DESC"
                rows = [_plain("run_log", row) for row in tx.rows(sql, (tx.store, stored, *some))]
                rows = [row for row in rows if (self.names[row[run]], row[phase]) not in there.runs]
                self.counts["runs"] += sum(row[phase] == "start" for row in rows)
                self._add("run_log", suffix, rows)

    def _pack_events(self, tx: SqlTransaction, runs: Sequence[str], there: Standing) -> None:
        names, selected = columns_of("event_log"), _selected("event_log")
        run, seq = names.index("run_id"), names.index("seq")
        for some in groups(runs):
            last: tuple[Any, Any] = ("", -1)
            while True:
                sql = (
                    f"SELECT {selected} FROM event_log WHERE {among(some)} AND (run_id > ? OR (run_id = ? AND seq > ?))"
                    f" ORDER BY run_id, seq LIMIT {ROWS * 5}"
                )
                page = [_plain("event_log", row) for row in tx.rows(sql, (*some, last[0], *last))]
                if not page:
                    break
                last = (page[-1][run], page[-1][seq])
                rows = [row for row in page if row[seq] > there.events.get(self.names[row[run]], -1)]
                self.counts["events"] += len(rows)
                self._add("event_log", "", rows)

    def _pack_blobs(self, tx: SqlTransaction) -> None:
        """Pack the blobs that rows need, and those that blobs need."""
        wanted, known = list(self._blobs), set(self._blobs)
        while wanted:
            some, wanted = wanted[:100], wanted[100:]
            sizes = dict(tx.rows(f"SELECT hash, size FROM blob WHERE hash IN ({', '.join('?' * len(some))})", some))
            for batch in _batches(sizes):
                rows = tx.rows(f"SELECT hash, size, text, bytes FROM blob WHERE hash IN ({', '.join('?' * len(batch))})", batch)
                for row in rows:
                    more = [name for name in named_blobs(row[2]) if name not in known]
                    known.update(more)
                    wanted += more
                marshal.dump(("blob", "", [(*row[:3], None if row[3] is None else bytes(row[3])) for row in rows]), self._file)

    # -- unpacked ----------------------------------------------------------------------------------------------------------

    def unpack(self, tx: SqlTransaction, to: Mapping[str, str]) -> None:
        """Append all rows to the lines of a session in another store."""
        self.counts["blobs"] = 0
        self._file.seek(0)
        while True:
            try:
                table, suffix, rows = marshal.load(self._file)  # noqa: S302 - this process wrote it, into a file without a name
            except EOFError:
                return
            if table == "blob":
                before = tx.rows(
                    f"SELECT count(*) FROM blob WHERE hash IN ({', '.join('?' * len(rows))})", [row[0] for row in rows]
                )
                self.counts["blobs"] += len(rows) - before[0][0]
                tx.append_rows(table, columns_of(table), rows)
            elif table == "event_log":
                tx.append_rows(table, columns_of(table), rows)
            else:
                at = (tx.store, to[suffix])
                tx.append_rows(table, ("store", "session_id", *columns_of(table)), [(*at, *row) for row in rows])


def columns_of(table: str) -> tuple[str, ...]:
    """Return the columns of a table but for those that say whose a row is."""
    return tuple(name for name in COLUMNS[table] if name not in {"store", "session_id"})


def _whose(rows: list[tuple[Any, ...]], origin: str | None) -> list[tuple[Any, ...]]:
    """Return rows of steps, in which the session whose steps are remembered too is the one that goes along."""
    op, key = columns_of("step_log").index("op"), columns_of("step_log").index("key")
    return [(*row[:key], origin, *row[key + 1 :]) if row[op] == "origin" and origin else row for row in rows]


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


def _pages(tx: SqlTransaction, table: str, stored: str, order: str, after: int) -> Iterator[list[tuple[Any, ...]]]:
    """Yield the rows of a line after a number, in the order in which they were written."""
    place = "rowid" if table == "state_log" else order  # the one table in which a number has several rows
    last: tuple[int, int | None] = (after, None)
    while True:
        beyond = f"({order} > ? OR ({order} = ? AND {place} > ?))" if last[1] is not None else f"{order} > ?"
        page = tx.rows(
            f"SELECT {_selected(table)}, {order}, {place} FROM {table} WHERE {_OF} AND {beyond}"
            f" ORDER BY {order}, {place} LIMIT {ROWS}",
            (tx.store, stored, last[0], *(last if last[1] is not None else ())),
        )
        if not page:
            return
        last = page[-1][-2:]
        yield [_plain(table, row[:-2]) for row in page]


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
