"""A file is written whole or not at all."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from tempfile import mkstemp
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


def write_whole(path: Path, content: bytes, *, at_last: Callable[[], object] = lambda: None) -> None:
    """Write a file: whoever reads it meanwhile has the one that was there, and so has everybody if this fails.

    One that is there keeps its mode and its owner; what a link leads to is replaced, and not the link. `at_last` is called when
    all but the replacing is done, and may raise. Raises OSError where the file cannot be written.

    >>> write_whole(Path("note.txt"), b"whole")
    >>> Path("note.txt").read_bytes()
    b'whole'
    """
    place = path.resolve()
    descriptor, name = mkstemp(prefix=f".{place.name[:100]}.", dir=place.parent)
    half = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        half.chmod(_mode(place, half))
        at_last()
        half.replace(place)
    finally:
        half.unlink(missing_ok=True)
    _sync(place.parent)


def _mode(place: Path, half: Path) -> int:
    """Return the mode that a file is to have; it gets the owner of the one that is there, where that may be."""
    if not place.exists():
        mask = os.umask(0o077)
        os.umask(mask)
        return 0o666 & ~mask
    there = place.stat()
    with suppress(OSError):
        os.chown(half, there.st_uid, there.st_gid)
    return there.st_mode & 0o7777


def _sync(folder: Path) -> None:
    """Make a rename durable, where a folder can be synced."""
    with suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
