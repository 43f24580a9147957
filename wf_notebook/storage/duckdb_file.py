"""A DuckDB file as this process knows it: lock → attach → transaction → detach, and a checkpoint now and then."""

from __future__ import annotations

import time
from contextlib import nullcontext, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import duckdb

from . import duckdb_errors, place
from .duckdb_attach import HEADER, Attaching
from .duckdb_connection import Cursor, TaskFailed
from .lock import locked
from .rows import Opened
from .thread import Job, all_given_up, tell
from .waiting import PATIENCE, patience_for, remembered

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from .place import Signature
    from .thread import More


#: A WAL beyond this is folded into the file, in bytes.
WAL_LIMIT = 2_000_000
#: After a checkpoint the file stays attached this long, in seconds: DuckDB 2.0 reads a file's header before it locks the file,
#: so one who opens it in that moment must fail on the lock, or would later write over the checkpoint.
STAY = 0.1
#: Saves that wait are done one after the other for so long before others get their turn, in seconds.
MOMENT = 0.1


@dataclass(frozen=True, slots=True)
class Task:
    """What is to be done in a transaction, for the store of that name."""

    work: Callable[[Opened], Any]
    store: str
    write: bool


class File(Attaching):
    """A DuckDB file; but for `stamp` it is used in the storage thread only."""

    _files: dict[Path, File] = {}  # noqa: RUF012 - one for each path in this process, on purpose

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.wal = path.with_name(path.name + ".wal")
        self.lock = path.with_name(path.name + ".lock")
        self._ready: set[str] = set()  # the stores that are prepared
        self._generation = 0  # counts the writes, ours and those of others, that this process knows of
        self._others = 0  # counts how often it was seen that others wrote
        self._signature: Signature | None = None  # of the file as we left it
        self._newest_steps: dict[tuple[str, str], tuple[int, int]] = {}

    @classmethod
    def at(cls, path: Path) -> File:
        """Return what this process knows of the file at `path`."""
        return cls._files.setdefault(path, cls(path))

    @classmethod
    def all(cls) -> list[File]:
        """Return the files that were used."""
        return list(cls._files.values())

    # -- did somebody write? -----------------------------------------------------------------------------------------------

    def stamp(self) -> int | None:
        """Return a number that stays the same while nobody writes, None when the file is not as we left it."""
        generation = self._generation
        return generation if self._signature == self.signed() else None

    def others(self) -> int:
        """Return a number that stays the same while no other process was seen to write."""
        return self._others

    def signed(self) -> Signature:
        """Return what is different after every save.

        Every commit makes the WAL longer, or begins it anew beside a file that was changed.
        """
        return tuple(place.sign(path) for path in (self.path, self.wal))

    def _look(self, cursor: Cursor, *, beside: bool) -> None:
        """With the lock in hand: what others wrote, or a file that was replaced, makes what we know old."""
        before, now = self._signature, self.signed()
        if before == now:
            return
        self._generation += 1
        self._others += 1
        self._ready.clear()
        if before is not None:
            self.checkpoints.others_wrote(folded=before[0] != now[0])
            if before[0] == now[0]:
                return  # only the WAL is longer
        # DuckDB finds out that the end of a file is missing when it reads there, and may have written to it by then.
        if beside:
            return
        sql = "SELECT block_size, used_blocks FROM pragma_database_size() WHERE database_name = current_database()"
        size, used = cursor.execute(sql)[0]  # free blocks may lie beyond the end
        if self.path.stat().st_size < HEADER + size * used:
            raise duckdb_errors.no_database(self.path)

    def was_replaced(self) -> None:
        """Another file lies here now, with the same in it."""
        self._signature, self._generation = None, self._generation + 1

    # -- the transaction ---------------------------------------------------------------------------------------------------

    def transact(self, jobs: Sequence[Job]) -> None:
        """Lock, attach, do all jobs in one transaction, detach; each hears of its result when it is durable.

        The task of each is a Task. If one of several fails, nothing of this stays, and each is done in a transaction of its own.
        """
        try:
            with remembered(self.path, limit=_limit(jobs)):
                again = self._transact(jobs)
        except TaskFailed as failure:
            if len(jobs) == 1:
                raise self._translated(failure.error) from failure.__cause__
            again = jobs
        for job in again:
            try:
                self.transact([job])
            except BaseException as error:  # noqa: BLE001 - carried over to the caller's thread
                job.set_exception(error)

    def _translated(self, error: BaseException) -> BaseException:
        """Return our error for DuckDB's, any other as it is."""
        return duckdb_errors.translated(error, self.path) if isinstance(error, duckdb.Error) else error

    def _transact(self, jobs: Sequence[Job]) -> Sequence[Job]:
        """Do jobs, and return those that came later and have to be done again."""
        tasks: list[Task] = [job.task for job in jobs]
        write, given_up = any(task.write for task in tasks), all_given_up(jobs)
        writable, wait = place.check(self.path, write=write), patience_for(self.path, write=write, limit=_limit(jobs))
        if write:
            place.warn_if_remote(self.path)
        with (
            locked(self.lock, patience=wait, given_up=given_up, write=write) if writable else nullcontext(),
            self.connected(writable=writable, write=write, given_up=given_up, patience=wait) as (cursor, beside),
        ):
            self._look(cursor, beside=beside)
            again: Sequence[Job] = ()
            values = self._committed(cursor, tasks)
            if writable and not beside:
                more = jobs[0].more
                jobs, values, again = self._go_on(cursor, jobs, values)
                if not again and self._worth_a_checkpoint():
                    if saves := any(job.task.write for job in jobs):
                        tell(jobs, values)
                    self._checkpoint(cursor)
                    again = self._stay(cursor, more) if saves else ()  # what was read is told once the file is free
        tell(jobs, values)
        return again

    def _go_on(self, cursor: Cursor, jobs: Sequence[Job], values: list[Any]) -> tuple[Sequence[Job], list[Any], Sequence[Job]]:
        """Do the jobs that wait already, for a moment: to attach the file for each takes longer than what they do.

        Return the last ones, with what they give and are not told yet, and those that must be done again.
        """
        more, until = jobs[0].more, time.monotonic() + MOMENT
        while time.monotonic() < until and not self._worth_a_checkpoint() and (later := more(0.0)):
            tell(jobs, values)
            jobs, values = later, []
            if self._signature != self.signed():  # another file lies here now
                return (), [], later
            try:
                values = self._committed(cursor, [job.task for job in later])
            except TaskFailed:
                cursor.execute("ROLLBACK")
                return (), [], later
        return jobs, values, ()

    def _committed(self, cursor: Cursor, tasks: Sequence[Task]) -> list[Any]:
        """Do tasks in one transaction; return what they give, once that is durable."""
        cursor.execute("BEGIN")
        values, ready = [], set(self._ready)
        for task in tasks:
            opened = Opened(cursor, task.store in ready, before=self._generation, newest_steps=self._newest_steps)
            self._generation += task.write  # whatever comes of it: what was known before is no longer all
            opened.after = self._generation
            values.append(_done(task, opened))
            ready |= {task.store} if opened.ready else set()
        cursor.execute("COMMIT")
        self._ready = ready
        self._protect()
        self._signature = self.signed()
        return values

    def fold(self, jobs: Sequence[Job]) -> None:
        """Checkpoint, if there is something in the WAL; the task says for how long to wait for others."""
        (job,) = jobs
        wait = PATIENCE if job.task is None else job.task
        if place.sign(self.wal) and place.check(self.path, write=False):
            with (
                locked(self.lock, patience=wait, given_up=job.given_up),
                self.connected(writable=True, write=True, given_up=job.given_up, patience=wait) as (cursor, beside),
            ):
                self._look(cursor, beside=beside)
                if not beside:
                    self._checkpoint(cursor)
                    self._stay(cursor, job.more)
        job.set_result(None)

    def _protect(self) -> None:
        """Let nobody read the WAL who cannot read the file: DuckDB makes both readable by everybody."""
        with suppress(FileNotFoundError, PermissionError):
            mode = self.path.stat().st_mode & 0o666
            if self.wal.stat().st_mode & 0o666 != mode:
                self.wal.chmod(mode)

    # -- the WAL -----------------------------------------------------------------------------------------------------------

    def _worth_a_checkpoint(self) -> bool:
        wal = place.sign(self.wal)
        return wal is not None and (wal[1] > WAL_LIMIT or self.checkpoints.are_due(stay=STAY))

    def _checkpoint(self, cursor: Cursor) -> None:
        started = time.perf_counter()
        cursor.execute("CHECKPOINT")
        self._signature = self.signed()
        self.checkpoints.made(time.perf_counter() - started)

    def _stay(self, cursor: Cursor, more: More) -> Sequence[Job]:
        """Stay attached for a while, and do what comes meanwhile; return what must be done again, before what comes later."""
        until = time.monotonic() + STAY
        while jobs := more(until):
            try:
                if self._signature != self.signed():  # another file lies here now
                    break
                tell(jobs, self._committed(cursor, [job.task for job in jobs]))
            except TaskFailed:
                cursor.execute("ROLLBACK")
                break
        time.sleep(max(0.0, until - time.monotonic()))
        return jobs


def _limit(jobs: Sequence[Job]) -> float:
    return max(job.limit for job in jobs)


def _done(task: Task, opened: Opened) -> Any:
    try:
        return task.work(opened)
    except BaseException as error:  # noqa: BLE001 - an interrupt, too: what others did in this transaction is done again
        raise TaskFailed(error) from (error if isinstance(error, duckdb.Error) else error.__cause__)
