"""Which process is meant by a number: one that is gone may have given its number to another."""

from __future__ import annotations

import os
import socket
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple


class Process(NamedTuple):
    """A process among all others: its machine, its number, and when it started."""

    host: str
    pid: int
    started_at: str | None


def this_process() -> Process:
    """Return this process, which a fork makes another one."""
    return _process(os.getpid())


@lru_cache(maxsize=1)
def _process(pid: int) -> Process:
    return Process(socket.gethostname(), pid, process_started_at(pid))


def process_started_at(pid: int) -> str | None:
    """Return when a process of this machine started, as text that a later process of the same PID does not share.

    None when there is no such process; "" where the system does not say when it started.

    >>> process_started_at(os.getpid()) == process_started_at(os.getpid())
    True
    """
    stat = Path(f"/proc/{pid}/stat")
    if stat.exists():
        with suppress(OSError, IndexError):
            return stat.read_text().rpartition(")")[2].split()[19]  # proc(5): field 22, in clock ticks since boot
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return None
    except PermissionError:
        pass
    return None if Path("/proc/self/stat").exists() else ""
