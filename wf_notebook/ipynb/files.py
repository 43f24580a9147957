"""A file is written whole or not at all, and over another one only if that is said."""

from __future__ import annotations

import os
import re
from pathlib import Path

from ..errors import UnwritableFile
from ..whole import write_whole


def checked_path(path: str | os.PathLike[str], *, force: bool, flag: str = "--force, or force=True,") -> Path:
    """Return where a file is to be written. Raises UnwritableFile where none can be, or one is there and not to be replaced."""
    target = Path(path)
    if target.is_dir():
        raise UnwritableFile(f"{str(target)!r} is a folder; name a file in it")
    folder = target.parent
    if not folder.is_dir():
        what = f"the folder {str(folder)!r} is not there; make it, or name another one"
        raise UnwritableFile(what if not folder.exists() else f"{str(folder)!r} is no folder; name another one")
    if target.exists() and not force:
        raise UnwritableFile(f"{str(target)!r} is there already; {flag} replaces it")
    if not os.access(folder, os.W_OK) or (target.exists() and not os.access(target, os.W_OK)):
        raise UnwritableFile(f"{str(target)!r} cannot be written by you; name another place")
    return target


def write(path: Path, text: str) -> None:
    """Write a text into a file, whole or not at all. Raises UnwritableFile."""
    try:
        write_whole(path, text.encode())
    except OSError as error:
        raise UnwritableFile(f"{str(path)!r} cannot be written ({error.strerror}); name another place") from error


def file_name(name: str, suffix: str) -> str:
    """Return a name for a file of that which has this name: letters, digits, `-`, `_` and dots, never hidden, never a path.

    >>> file_name("My blog: ../cheese", "ipynb"), file_name("…", "md")
    ('My-blog-cheese.ipynb', 'session.md')
    """
    plain = re.sub(r"[^\w-]+", "-", name).strip("-_")[:80]
    return f"{plain or 'session'}.{suffix}"
