"""A run in a process of its own, as `wf run --background` begins it: how another process knows it, and asks it to end."""

from __future__ import annotations

import os
import signal
import socket
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from .processes import process_started_at

if TYPE_CHECKING:
    from .processes import Process

#: What such a process is told, and no other: the file in which it says where it is at.
REPORT = "--report-to"
_COMMAND_OF = "/proc/{}/cmdline"
_COMMAND = ("-m", "wf_notebook", "run", REPORT)
#: Asks such a process to end. What it was doing is kept.
ENDS = signal.SIGTERM


def is_here(process: Process) -> bool:
    """Say whether a process is one of this machine."""
    return process.host == socket.gethostname()


def can_be_told() -> bool:
    """Say whether the system tells of a process by which command it was begun.

    >>> can_be_told() == Path("/proc").is_dir()
    True
    """
    return Path(_COMMAND_OF.format("self")).exists()


def is_alone(process: Process) -> bool:
    """Say whether a process is surely one that was begun so: by when it started and by its command.

    Where the system does not tell both, as where there is no /proc, that is not sure.

    >>> from wf_notebook.processes import this_process
    >>> is_alone(this_process())
    False
    """
    if not (is_here(process) and process.started_at and process_started_at(process.pid) == process.started_at):
        return False
    with suppress(OSError):
        words = Path(_COMMAND_OF.format(process.pid)).read_bytes().split(b"\0")
        return tuple(os.fsdecode(each) for each in words[1 : 1 + len(_COMMAND)]) == _COMMAND
    return False


def owner(process: Process) -> str | None:
    """Return the user of this machine whose process it is, None where it is one's own, or that cannot be told."""
    with suppress(OSError):
        uid = Path(f"/proc/{process.pid}").stat().st_uid
        return None if uid == os.geteuid() else _name(uid)
    return None


def _name(uid: int) -> str:
    import pwd  # which Windows does not have

    with suppress(KeyError):
        return pwd.getpwuid(uid).pw_name
    return f"number {uid}"


def ask_to_end(process: Process) -> bool:
    """Ask a process that was begun so to end; return whether it was there."""
    if not is_alone(process):
        return False
    with suppress(ProcessLookupError):
        os.kill(process.pid, ENDS)
        return True
    return False
