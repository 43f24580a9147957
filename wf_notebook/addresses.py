"""Where a store lies, as it is written into a file that others read: from that file's folder, and never with a password."""

from __future__ import annotations

import os
from pathlib import Path
from urllib.parse import parse_qsl, urlencode, urlsplit

#: Kinds of addresses that name a file.
_FILES = ("duckdb", "sqlite")


def portable(url: str, folder: Path) -> str:
    """Return the address of a store as it is seen from a folder: a file by its way from there, a server without its password.

    A file with which the folder has nothing in common but the root is named from the root.

    >>> portable("duckdb:////home/ann/runs.duckdb", Path("/home/ann/notes")), portable("sqlite:////data/r.db", Path("/home/ann"))
    ('duckdb:///../runs.duckdb', 'sqlite:////data/r.db')
    >>> portable("postgresql://ann:secret@db.example/runs?password=secret", Path("/"))
    'postgresql://ann@db.example/runs'
    >>> portable("postgresql://ann:secret@db.example/runs?password=secret&schema=flows", Path("/"))
    'postgresql://ann@db.example/runs?schema=flows'
    """
    scheme, marker, rest = url.partition(":///")
    if marker and scheme in _FILES:
        return f"{scheme}:///{_from(folder, rest)}"
    try:
        parts = urlsplit(url)
    except ValueError:
        return f"{url.partition(':')[0]}:"
    host = parts.netloc.rpartition("@")[2]
    user = parts.netloc.rpartition("@")[0].partition(":")[0]
    options = urlencode([(name, value) for name, value in parse_qsl(parts.query) if "pass" not in name.lower()], safe="/")
    bare = parts._replace(netloc=f"{user}@{host}" if user else host, query=options, fragment="").geturl()
    return bare if parts.netloc else url.partition("?")[0] + (f"?{options}" if options else "")


def _from(folder: Path, file: str) -> str:
    """Return the way to a file from a folder."""
    try:
        here, there = folder.absolute(), folder.absolute() / file
        common = Path(os.path.commonpath([here, there]))
        return Path(os.path.relpath(there, here)).as_posix() if common != Path(common.anchor) else there.as_posix()
    except (ValueError, OSError):  # on another drive, or the folder is gone
        return Path(file).as_posix()


def from_folder(address: str, folder: Path) -> str:
    """Return the address of a store that was written as it is seen from a folder.

    >>> from_folder("duckdb:///../runs.duckdb", Path("/home/ann/notes")), from_folder("memory:", Path("/"))
    ('duckdb:////home/ann/runs.duckdb', 'memory:')
    """
    scheme, marker, rest = address.partition(":///")
    if not marker or scheme not in _FILES:
        return address
    return f"{scheme}:///{os.path.normpath(folder.absolute() / rest)}"
