"""What the tests that nothing is lost share: kernels that can be killed, and how often each thing is tried."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

HERE = Path(__file__).parent


@dataclass
class Kernel:
    """A process that does a job: `said` reads what it says, to its end when the process is gone."""

    pid: int
    said: IO[str]
    told: IO[str]

    def begin(self) -> None:
        """Let a kernel begin that waits for it."""
        assert self.said.readline() == "ready\n"
        self.tell()

    def tell(self) -> None:
        self.told.write("\n")
        self.told.flush()

    def kill(self, how: signal.Signals = signal.SIGKILL) -> None:
        os.kill(self.pid, how)

    def rest(self) -> list[str]:
        """Return what is said until the end."""
        return self.said.read().split("\n")[:-1]

    def acknowledged(self) -> list[str]:
        """Return what is said until the end by a kernel that does all of its job."""
        *lines, last = self.rest()
        assert last == "done"
        return lines


class Nursery:
    """Starts kernels in a moment, as all that they import is there."""

    def __init__(self, environment: dict[str, str] | None = None) -> None:
        self._channel, theirs = socket.socketpair()
        command = [sys.executable, "-u", HERE / "kernels.py", str(theirs.fileno())]
        environment = {**os.environ, **(environment or {})}
        self._process = subprocess.Popen(command, pass_fds=[theirs.fileno()], env=environment)
        theirs.close()
        self._kernels: list[Kernel] = []

    def start(self, job: str, *arguments: Any) -> Kernel:
        hears, tell = os.pipe()
        said, says = os.pipe()
        socket.send_fds(self._channel, [json.dumps([job, *arguments]).encode()], [hears, says])
        os.close(hears)
        os.close(says)
        pid = int(self._channel.recv(100))
        self._kernels.append(Kernel(pid, os.fdopen(said), os.fdopen(tell, "w")))
        return self._kernels[-1]

    def close(self) -> None:
        for kernel in self._kernels:
            with suppress(ProcessLookupError):
                kernel.kill()
            kernel.told.close()
            kernel.said.close()
        self._channel.close()
        self._process.wait(30)


@pytest.fixture
def nursery() -> Iterator[Nursery]:
    """Return what starts kernels; those that still run at the end are killed."""
    nursery = Nursery()
    yield nursery
    nursery.close()


class Short:
    """How often things are tried in a test; `make torture` tries them longer, and writes down what it saw."""

    is_long = False

    def times(self, short: int, long: int) -> int:
        return short

    def note(self, what: str, *, tried: str, kept: int, lost: int = 0, seconds: Sequence[float] = ()) -> None:
        pass


@pytest.fixture
def torture(request: pytest.FixtureRequest) -> Any:
    """Return how often things are tried, and who notes what was seen."""
    return request.config.pluginmanager.get_plugin("torture") or Short()


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave what needs a compiler, or the right to mount, to `make torture`."""
    if config.pluginmanager.get_plugin("torture") is None:
        left = [item for item in items if item.get_closest_marker("torture")]
        items[:] = [item for item in items if item not in left]
        config.hook.pytest_deselected(items=left)
