"""The place of a database file: whether it is there, whether it can be written, and what stands against its use."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from ..errors import BadStorage, StorageReadOnly

if TYPE_CHECKING:
    from pathlib import Path

#: What becomes of a state that cannot be saved, in every message that says so.
KEPT = "the unsaved state stays in memory"


def exists(path: Path) -> bool:
    """Return whether a file lies at `path`.

    Raises BadStorage where that cannot be found out, or a folder lies there.
    """
    try:
        if path.is_dir():
            raise BadStorage(f"{str(path)!r} is a folder; name a file in it")
        return path.exists()
    except OSError as error:
        raise BadStorage(f"{str(path)!r} cannot be reached ({error.strerror}); choose another place") from error


def check(path: Path, *, write: bool) -> bool:
    """Return whether the database file at `path` can be written; for a write its parent folders are made.

    Raises BadStorage for a place where no file can be, StorageReadOnly for a write where none is possible.
    """
    there = exists(path)
    if write:
        try:
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        except (FileExistsError, NotADirectoryError) as error:
            raise BadStorage(f"{str(path)!r} lies below a file, not a folder; choose another place") from error
        except OSError as error:
            raise StorageReadOnly(
                f"{str(path.parent)!r} cannot be made ({error.strerror}); {KEPT}: choose another place"
            ) from error
    writable = _may_write(path.parent) and (not there or _may_write(path))
    if write and not writable:
        raise StorageReadOnly(f"{str(path)!r} is read-only here; {KEPT}: choose another place")
    return writable


def _may_write(path: Path) -> bool:
    return os.access(path, os.W_OK, effective_ids=os.access in os.supports_effective_ids)
