"""What DuckDB says when a file cannot be had, and what that means to the user."""

from __future__ import annotations

import re
import time
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb

from ..errors import BadStorage, StorageFailed, WorkflowError
from ..run import logger
from .place import KEPT
from .waiting import SILENCE, busy

if TYPE_CHECKING:
    from collections.abc import Iterator

_HOLDER = re.compile(r"Conflicting lock is held in (?P<program>.*?) \(PID (?P<pid>\d+)\)")
_NO_DATABASE = ("not a valid DuckDB database file", "Could not read enough bytes")
_DAMAGED = ("Corrupt", "corrupt", "checksum", "Failure while replaying WAL")


#: The process for which this one asks, and None where it asks for itself.
_asker: ContextVar[int | None] = ContextVar("asker", default=None)


class OwnConnection(Exception):
    """The process that asks has the file open itself."""


@contextmanager
def asked_by(pid: int) -> Iterator[None]:
    """In the block, what that process holds is no outsider's."""
    token = _asker.set(pid)
    try:
        yield
    finally:
        _asker.reset(token)


def is_own_connection(error: duckdb.Error) -> bool:
    """Return whether the very process that asks has the file open in a connection that is not ours."""
    text = str(error)
    return "Unique file handle conflict" in text or f"(PID {_asker.get()})" in text


def is_outsider(error: duckdb.Error) -> bool:
    """Return whether another program holds the file."""
    return "Could not set lock on file" in str(error) and not is_own_connection(error)


def connect_beside(path: Path, *, write: bool) -> duckdb.DuckDBPyConnection:
    """Connect to a file that this process has open already; only a connection like the user's own is possible.

    Raises StorageBusy when it would have to be another one.
    """
    for read_only in (False,) if write else (False, True):
        with suppress(duckdb.ConnectionException):
            return duckdb.connect(path, read_only=read_only)
    raise busy(f"{path.name!r} is open read-only in this kernel, or with other settings", "close that connection", write=write)


class Waiting:
    """A wait for another program that holds the file: said once, when it takes over a second."""

    def __init__(self, path: Path) -> None:
        self._path, self._since, self._said = path, time.monotonic(), False

    def say(self, error: duckdb.Error) -> None:
        """Say who is waited for."""
        if not self._said and time.monotonic() - self._since > SILENCE:
            self._said = True
            logger.warning("waiting for %r, which is held by %s", self._path.name, _holder(error))


def translated(error: duckdb.Error, path: Path, *, write: bool = True) -> WorkflowError:
    """Return our error for DuckDB's."""
    text = str(error).splitlines()[0]
    if is_outsider(error):
        return busy(f"{path.name!r} is held by {_holder(error)}", "close it there", write=write)
    if any(sign in text for sign in _NO_DATABASE):
        return no_database(path)
    if any(sign in text for sign in _DAMAGED):
        return BadStorage(f"{str(path)!r} is damaged ({text}); it was left as it is: restore a copy or choose another file")
    return StorageFailed(f"{str(path)!r}: {text}; what was saved before is still there, {KEPT}")


def no_database(path: Path) -> BadStorage:
    """Return the error for a file that was never a database, or is not one any more."""
    return BadStorage(f"{str(path)!r} is no DuckDB database, or a truncated one; it was left as it is: choose another file")


def _holder(error: duckdb.Error) -> str:
    found = _HOLDER.search(str(error))
    if not found:
        return "another program"
    program = Path(found["program"]).name
    with suppress(OSError):  # an interpreter says little: its script says more
        words = Path(f"/proc/{found['pid']}/cmdline").read_bytes().decode(errors="replace").split("\0")
        script = next((word for word in words[1:] if word and not word.startswith("-")), "")
        if program.startswith("python") and len(words) > 1 and "-c" not in words:
            program = f"{program} {Path(script).name}".strip()
    return f"{program} (PID {found['pid']})"
