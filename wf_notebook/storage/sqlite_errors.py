"""What SQLite says when a file cannot be had, and what that means to the user."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..errors import BadStorage, StorageFailed, StorageReadOnly, WorkflowError
from .place import KEPT
from .waiting import busy

if TYPE_CHECKING:
    import sqlite3


def is_busy(error: sqlite3.Error) -> bool:
    """Return whether another program holds the file."""
    return _name(error).startswith(("SQLITE_BUSY", "SQLITE_LOCKED"))


def _name(error: sqlite3.Error) -> str:
    return getattr(error, "sqlite_errorname", "") or ""


def translated(error: sqlite3.Error, path: str, waited: float = 0.0, *, write: bool = True) -> WorkflowError:
    """Return our error for SQLite's."""
    if is_busy(error):
        return busy(f"{path!r} is held by another program since {waited:g} s", "close it there", write=write)
    name = _name(error)
    if name.startswith("SQLITE_NOTADB"):
        return BadStorage(f"{path!r} is no SQLite database; it was left as it is: choose another file")
    if name.startswith("SQLITE_CORRUPT"):
        return damaged(path, error)
    if name.startswith(("SQLITE_READONLY", "SQLITE_CANTOPEN")):
        return StorageReadOnly(f"{path!r} cannot be opened here ({error}); {KEPT}: choose another place")
    return StorageFailed(f"{path!r}: {error}; what was saved before is still there, {KEPT}")


def damaged(path: str, why: object) -> BadStorage:
    """Return the error for a file that is not whole."""
    return BadStorage(f"{path!r} is damaged ({why}); it was left as it is: restore a copy or choose another file")
