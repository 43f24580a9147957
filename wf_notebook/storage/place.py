"""The place of a database file: whether it is there, whether it can be written, and what stands against its use."""

from __future__ import annotations

import os
import re
import stat
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import BadStorage, StorageReadOnly
from ..run import logger

if TYPE_CHECKING:
    from collections.abc import Iterable

    #: Of each file of a database when it was written, how long it is, and which file it is; None for one that is not there.
    Signature = tuple[tuple[int, int, int] | None, ...]

#: What becomes of a state that cannot be saved, in every message that says so.
KEPT = "the unsaved state stays in memory"


class NotThere(Exception):
    """A file that is to be read was taken away after it was looked for: a read makes none."""


def checked_file(name: str | os.PathLike[str], *, follow: bool = False) -> Path:
    """Return the absolute path of a file, or of what a link leads to; raise BadStorage for a name that leads to no file."""
    if not isinstance(name, str | os.PathLike) or "\0" in str(name):
        raise BadStorage(f"{name!r} is no name of a file; write db_file='runs.duckdb'")
    if str(name) == ":memory:":
        raise BadStorage("':memory:' is no file; write storage='memory:'")
    try:
        path = Path(name).expanduser().absolute()
        return path.resolve() if follow else path
    except (OSError, RuntimeError) as error:  # no working directory, no such user, links in a circle
        raise BadStorage(f"{str(name)!r} leads to no file ({error}); give another one, with its path from the root") from error


def exists(path: Path) -> bool:
    """Return whether a file lies at `path`.

    Raises BadStorage where that cannot be found out, or something else lies there.
    """
    try:
        mode = path.stat().st_mode
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError as error:
        raise BadStorage(f"{str(path)!r} cannot be reached ({error.strerror}); choose another place") from error
    if stat.S_ISDIR(mode):
        raise BadStorage(f"{str(path)!r} is a folder; name a file in it")
    if not stat.S_ISREG(mode):
        raise BadStorage(f"{str(path)!r} is a device or a pipe, and no file; choose another place")
    return True


def sign(path: Path) -> tuple[int, int, int] | None:
    """Return when a file was written, in ns, its size and its inode; None where there is none."""
    try:
        there = path.stat()
    except OSError:
        return None
    return there.st_mtime_ns, there.st_size, there.st_ino


def check(path: Path, *, write: bool) -> bool:
    """Return whether the database file at `path` can be written; for a write its parent folders are made.

    Raises BadStorage for a place where no file can be, StorageReadOnly for a write where none is possible.
    """
    there = exists(path)
    if there and not _may(os.R_OK, path):
        raise BadStorage(f"{str(path)!r} cannot be read by you; ask its owner, or choose another place")
    if write:
        try:
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        except (FileExistsError, NotADirectoryError) as error:
            raise BadStorage(f"{str(path)!r} lies below a file, not a folder; choose another place") from error
        except OSError as error:
            raise StorageReadOnly(
                f"{str(path.parent)!r} cannot be made ({error.strerror}); {KEPT}: choose another place"
            ) from error
    writable = _may(os.W_OK, path.parent) and (not there or _may(os.W_OK, path))
    if write and not writable:
        raise StorageReadOnly(f"{str(path)!r} is read-only here; {KEPT}: choose another place")
    return writable


def make(path: Path) -> None:
    """Make a file that is empty and its owner's alone, unless one is there. Raises StorageReadOnly where none can be made."""
    try:
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))  # a database gives its other files the same mode
    except FileExistsError:
        return
    except OSError as error:  # it may be the folder of a device, as /proc is
        raise StorageReadOnly(f"{str(path)!r} cannot be made ({error.strerror}); {KEPT}: choose another place") from error


def _may(how: int, path: Path) -> bool:
    return os.access(path, how, effective_ids=os.access in os.supports_effective_ids)


#: File systems of other machines: their locks may hold nobody back, and what is flushed may not be on any disk.
REMOTE = re.compile(
    r"^(nfs\d?|cifs|smb\w*|afs|9p|ceph|lustre|beegfs|gpfs|glusterfs|fuse\.(sshfs|s3fs|rclone|gcsfuse|glusterfs))$"
)

_looked_at: set[Path] = set()


def warn_if_remote(path: Path) -> None:
    """Say once for each file that it lies on a network file system, where nothing can be promised."""
    if path in _looked_at:
        return
    _looked_at.add(path)
    with suppress(OSError):  # where the system does not say, nothing is said
        kind = file_system(path, Path("/proc/self/mountinfo").read_text(encoding="utf-8", errors="replace").splitlines())
        if REMOTE.match(kind):
            logger.warning(
                "%r lies on a network file system (%s), where saves of several kernels may get lost; "
                "keep it on a local disk, and share sessions by Postgres",
                str(path),
                kind,
            )


def file_system(path: Path, mounts: Iterable[str]) -> str:
    """Return the kind of file system that a path lies on, by the lines of /proc/self/mountinfo; "" if they do not say.

    >>> lines = ["22 1 8:1 / / rw - ext4 /dev/sda1 rw", "30 22 0:40 / /home/ann rw - nfs4 server:/home rw"]
    >>> file_system(Path("/home/ann/runs.duckdb"), lines), file_system(Path("/home/anna/runs.duckdb"), lines)
    ('nfs4', 'ext4')
    """
    found = {}
    for line in mounts:
        where, _, what = line.partition(" - ")
        found[Path(where.split()[4].replace("\\040", " "))] = what.split()[0]
    return next((found[up] for up in (path, *path.parents) if up in found), "")
