"""A DuckDB file as this process knows it: lock → attach → transaction → detach, and a checkpoint now and then."""

from __future__ import annotations

import os
import sys
import time
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import duckdb

from . import duckdb_errors, place
from .duckdb_checkpoints import Checkpoints
from .duckdb_connection import Cursor, TaskFailed, connection, literal
from .lock import locked
from .rows import Opened
from .thread import Job, all_given_up, tell
from .waiting import PATIENCE, patience_for, remembered

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from ..cancel import CancelToken
    from .place import Signature
    from .thread import More


#: A file of this version is opened by DuckDB 1.5 and by 2.x.
STORAGE_VERSION = "v1.5.0"
#: A WAL beyond this is folded into the file, in bytes.
WAL_LIMIT = 2_000_000
#: After a checkpoint the file stays attached this long, in seconds: DuckDB 2.0 reads a file's header before it locks the file,
#: so one who opens it in that moment must fail on the lock, or would later write over the checkpoint.
STAY = 0.1
#: DuckDB's headers lie in the first bytes of a file.
HEADER = 12_288


@dataclass(frozen=True, slots=True)
class Task:
    """What is to be done in a transaction, for the store of that name."""

    work: Callable[[Opened], Any]
    store: str
    write: bool


class File:
    """A DuckDB file; but for `stamp` it is used in the storage thread only."""

    _files: dict[Path, File] = {}  # noqa: RUF012 - one for each path in this process, on purpose

    def __init__(self, path: Path) -> None:
        self.path = path
        self.wal = path.with_name(path.name + ".wal")
        self.lock = path.with_name(path.name + ".lock")
        self._ready: set[str] = set()  # the stores that are prepared
        self._generation = 0  # counts the writes, ours and those of others, that this process knows of
        self._signature: Signature | None = None  # of the file as we left it
        self._newest_steps: dict[tuple[str, str], tuple[int, int]] = {}
        self._reader: tuple[int, int] | None = None  # the file's inode, and a descriptor of it
        self.checkpoints = Checkpoints()

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
            if writable and not beside and self._worth_a_checkpoint():
                tell(jobs, values)
                self._checkpoint(cursor)
                again = self._stay(cursor, jobs[0].more)
        tell(jobs, values)
        return again

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

    @contextmanager
    def connected(
        self, *, writable: bool, write: bool, given_up: CancelToken, patience: float = PATIENCE
    ) -> Iterator[tuple[Cursor, bool]]:
        """Give a cursor in which this file is the current database, and whether it is one beside the user's own connection."""
        try:
            try:
                if not (write or self.path.exists()):
                    raise place.NotThere(self.path)
                self.attach(connection.get(), read_only=not writable, given_up=given_up, patience=patience)
            except duckdb.Error as error:
                if not duckdb_errors.is_own_connection(error):
                    if not duckdb_errors.is_outsider(error):
                        connection.drop()  # whatever it attached
                    raise
                with duckdb_errors.connect_beside(self.path, write=write) as beside:
                    yield Cursor(beside), True
            else:
                with connection.detached():
                    yield Cursor(connection.get()), False
        except duckdb.Error as error:
            raise duckdb_errors.translated(error, self.path, write=write) from error

    def attach(self, memory: duckdb.DuckDBPyConnection, *, read_only: bool, given_up: CancelToken, patience: float) -> None:
        """Attach the file to a connection, as `kept`; while another program holds it, wait so many seconds for that."""
        since = time.monotonic()
        waiting = duckdb_errors.Waiting(self.path)
        while True:
            header, started = self._header(), time.thread_time()  # what else the machine does is no cost
            # A file that is there keeps its version: to ask for a lower one is an error.
            options = ", READ_ONLY" if read_only else "" if self.path.exists() else f", STORAGE_VERSION '{STORAGE_VERSION}'"
            try:
                # Not told the type of a file, DuckDB 2.0 looks into it first, and goes by that header after it has the lock.
                memory.execute(f"ATTACH {literal(self.path)} AS kept (TYPE duckdb{options})")
            except duckdb.Error as error:
                if not duckdb_errors.is_outsider(error) or given_up.cancelled or time.monotonic() - since > patience:
                    raise
                waiting.say(error)
                time.sleep(0.02)  # another program's lock cannot be waited for otherwise
                continue
            took = time.thread_time() - started
            if header is None and not read_only:
                self.path.chmod(0o600)  # it is new, and ours
            # DuckDB 2.0 reads the header before it locks the file: one that was written in between is not the one it goes by.
            if header is None or header == self._header():
                break
            memory.execute("DETACH kept")
        self.checkpoints.attached(took)

    def _header(self) -> bytes | None:
        """Return the file's header, None where there is none yet.

        It is read through a descriptor that stays open: closing any one of a file ends all locks that the process has on it.
        """
        there = place.sign(self.path)
        if there is None or sys.platform == "win32":
            return None
        if self._reader is None or self._reader[0] != there[2]:
            try:
                self._reader = there[2], os.open(self.path, os.O_RDONLY | os.O_CLOEXEC)
            except OSError:
                return None  # attaching says why
        return os.pread(self._reader[1], HEADER, 0)

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
