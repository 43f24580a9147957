"""What the measures of the store are given: states of a size, a folder on the disk, and an fsync for each commit of SQLAlchemy.

SQLite's own default, `synchronous = FULL`, is said to each connection of every side again, whatever its maker thinks of it.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

#: On the disk on which this folder lies: what is in memory only needs no fsync.
DISK = Path(__file__).resolve().parents[2] / "build" / "bench"

FULL = "PRAGMA synchronous = FULL"


def folder():
    """Return a folder that is there inside of `with`."""
    DISK.mkdir(parents=True, exist_ok=True)
    return tempfile.TemporaryDirectory(dir=DISK, prefix="store-")


def item(number):
    """Return a dict of some 220 bytes, as a result of a search would be."""
    text = f"item {number:05d} says what a search result says, in a sentence or two that nobody reads to their end"
    return {"id": number, "title": f"number {number}", "text": text, "score": number / 7, "seen": False, "tags": ["one", "two"]}


def many_keys(size):
    """Return a state of so many bytes: in 20 keys, each a list of such dicts, or a text where that would be too long."""
    each = size // 20
    if each < 500:  # noqa: PLR2004 - two of them
        return {f"key_{key:02d}": "x" * each for key in range(20)}
    return {f"key_{key:02d}": [item(key * 10_000 + number) for number in range(each // 215)] for key in range(20)}


def one_list(count):
    """Return a state in which one key holds so many dicts."""
    return {"posts": [item(number) for number in range(count)]}


def durable_sqlalchemy():
    """Let each connection that SQLAlchemy will make wait for the disk."""
    from sqlalchemy import event
    from sqlalchemy.engine import Engine

    @event.listens_for(Engine, "connect")
    def durable(connection, _record):
        connection.execute(FULL)
