"""A DuckDB file written anew: of what was deleted no byte stays."""

from __future__ import annotations

import os
import time
from functools import partial
from typing import TYPE_CHECKING

from ..errors import StorageBusy
from .duckdb_attach import STORAGE_VERSION
from .duckdb_connection import literal
from .duckdb_file import STAY
from .lock import locked
from .thread import Job

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from .duckdb_file import File


def rewriting(file: File) -> Job:
    """Return the job of writing a file anew."""
    return Job(partial(_rewrite, file))


def _rewrite(file: File, jobs: Sequence[Job]) -> None:
    """Copy all that is there into a new file, and put that in the place of the old one.

    The old file is held until the new one is in its place, so that nobody writes to it meanwhile.
    """
    (job,) = jobs
    path, fresh = file.path, file.path.with_name(f"{file.path.name}.{os.getpid()}.new")
    with (
        locked(file.lock, given_up=job.given_up),
        file.connected(writable=True, write=True, given_up=job.given_up) as (cursor, beside),
    ):
        if beside:
            raise StorageBusy(
                f"{path.name!r} is open in this kernel, so that what was deleted stays in the file for now; "
                "close that connection, then purge again"
            )
        try:
            cursor.execute("CHECKPOINT")
            cursor.execute(f"ATTACH {literal(fresh)} AS fresh (TYPE duckdb, STORAGE_VERSION '{STORAGE_VERSION}')")
            fresh.chmod(path.stat().st_mode & 0o666)
            cursor.execute("COPY FROM DATABASE kept TO fresh")
            cursor.execute("CHECKPOINT fresh")
            cursor.execute("DETACH fresh")
            _flush(fresh)
            fresh.replace(path)
            _flush(path.parent)
        finally:
            fresh.unlink(missing_ok=True)
        time.sleep(STAY)  # who opened the old file in this moment must fail on its lock
    file.was_replaced()
    job.set_result(None)


def _flush(path: Path) -> None:
    """Wait until a file, or what a folder lists, is on the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
