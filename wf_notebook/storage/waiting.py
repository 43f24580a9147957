"""A database that others hold: how long it is waited for, and what is said when it does not come."""

from __future__ import annotations

import time
from contextlib import contextmanager
from contextvars import ContextVar
from math import inf
from typing import TYPE_CHECKING

from ..errors import StorageBusy
from .place import KEPT

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterator

#: How long a save waits for others, in seconds; and a read, but for one that comes soon after a wait in vain.
PATIENCE, BRIEF = 10.0, 0.2
#: How long a wait in vain is remembered, in seconds.
SOON = 30.0
#: How long is waited without a word.
SILENCE = 1.0

#: When a file was last waited for in vain.
_in_vain: dict[Hashable, float] = {}

#: How long a read may wait at most, as who reads wants it.
longest: ContextVar[float] = ContextVar("longest", default=inf)


@contextmanager
def at_most(seconds: float) -> Iterator[None]:
    """Let reads in the block wait so long at most: for one who shows what is there, and looks again anyway."""
    token = longest.set(seconds)
    try:
        yield
    finally:
        longest.reset(token)


def patience_for(path: Hashable, *, write: bool, limit: float = inf) -> float:
    """Return how long to wait for a file: who looks again and again at one that is held need not wait in full each time."""
    since = time.monotonic() - _in_vain.get(path, -SOON)
    return PATIENCE if write else min(limit, PATIENCE if since >= SOON else BRIEF, PATIENCE)


@contextmanager
def remembered(path: Hashable, *, limit: float = inf) -> Iterator[None]:
    """Remember whether the file was waited for in vain in the block; a wait that was cut short by a limit was none."""
    try:
        yield
    except StorageBusy:
        if limit >= PATIENCE:
            _in_vain[path] = time.monotonic()
        raise
    _in_vain.pop(path, None)


def busy(fact: str, remedy: str, *, write: bool) -> StorageBusy:
    """Return what is said of a file that others hold, to one who saves and to one who reads.

    >>> busy("'a.db' is held by another program", "close it there", write=False)
    StorageBusy("'a.db' is held by another program, so that nothing could be read; close it there, then try again")
    """
    if write:
        return StorageBusy(f"{fact}; {KEPT}: {remedy}, then run %wf save (or write_to_storage())")
    return StorageBusy(f"{fact}, so that nothing could be read; {remedy}, then try again")
