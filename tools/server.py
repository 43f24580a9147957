"""A Postgres server for tests and measures: on a port of loopback, in a folder of its own that goes with it.

Its programs are looked for on the PATH, and where Debian puts them.
"""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

#: How long it may take to start or to stop, in seconds.
PATIENCE = 60.0


class Server:
    """A running server; `schema` gives addresses of schemas that are not there yet. What is committed is on the disk."""

    def __init__(self) -> None:
        found = shutil.which("initdb")
        installed = [Path(found).resolve().parent] if found else sorted(Path("/usr/lib/postgresql").glob("*/bin"))
        if not installed:
            raise FileNotFoundError("Postgres is not here: apt-get install postgresql")
        self._programs = installed[-1]
        # It refuses to run as root.
        self._as: dict[str, Any] = {"user": "postgres", "group": "postgres", "extra_groups": []} if os.geteuid() == 0 else {}
        self._folder = Path(tempfile.mkdtemp(prefix="wf_notebook-postgres-"))
        self._count = 0
        if self._as:
            shutil.chown(self._folder, "postgres", "postgres")
        self._run("initdb", "-D", "data", "-U", "tester", "--auth=trust", "-E", "UTF8", "--locale=C", "--no-sync")
        rules = self._folder / "data" / "pg_hba.conf"
        rules.write_text(f"host all locked 127.0.0.1/32 scram-sha-256\n{rules.read_text()}")  # the others need no password
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port: int = free.getsockname()[1]
        self.start()

    def _run(self, program: str, *arguments: str) -> None:
        command: list[str | Path] = [self._programs / program, *arguments]
        done = subprocess.run(command, cwd=self._folder, capture_output=True, text=True, check=False, **self._as)
        if done.returncode:
            raise RuntimeError(done.stdout + done.stderr)

    def start(self) -> None:
        """Start it, and wait until it lets in."""
        settings = {
            "port": self.port, "listen_addresses": "127.0.0.1", "unix_socket_directories": self._folder, "shared_buffers": "32MB",
        }  # fmt: skip
        command: list[str | Path] = [
            self._programs / "postgres",
            "-D",
            "data",
            *(f"--{name}={value}" for name, value in settings.items()),
        ]
        with (self._folder / "log").open("a") as log:
            self._server = subprocess.Popen(command, cwd=self._folder, stdout=log, stderr=log, **self._as)
        until = time.monotonic() + PATIENCE
        while not self._lets_in():
            if self._server.poll() is not None or time.monotonic() > until:
                raise RuntimeError((self._folder / "log").read_text())
            threading.Event().wait(0.02)

    def _lets_in(self) -> bool:
        command: list[str | Path] = [self._programs / "pg_isready", "-q", "-h", "127.0.0.1", "-p", str(self.port)]
        return subprocess.run(command, check=False).returncode == 0

    def stop(self, *, at_once: bool = False) -> None:
        """Stop it; at once means without a word to those who are connected, as when the machine fails."""
        self._server.send_signal(signal.SIGQUIT if at_once else signal.SIGINT)
        self._server.wait(PATIENCE)

    def schema(self) -> str:
        """Return the address of a schema that is not there yet."""
        self._count += 1
        return f"postgresql://tester@127.0.0.1:{self.port}/postgres?schema=test_{self._count}"

    def close(self) -> None:
        """End it, with all that is in it."""
        if self._server.poll() is None:
            self.stop(at_once=True)
        shutil.rmtree(self._folder)
