"""Kernels that save, and may be killed at it: this process imports everything once, and forks one of them for each job.

A job comes with two pipes: what the kernel says (an acknowledgement for each save that returned) and what it waits for.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import wf_notebook
from wf_notebook import open_storage
from wf_notebook.errors import SessionConflict
from wf_notebook.merging import register_merge
from wf_notebook.storage import DuckDbWorkflowStorage, SqliteWorkflowStorage, duckdb_file  # noqa: F401 - so that no kernel waits
from wf_notebook.storage.duckdb_connection import connection

if TYPE_CHECKING:
    from collections.abc import Sequence

PACKAGE = str(Path(wf_notebook.__file__).parent)


def step(state: dict, n: int) -> None:
    """Change a state as the n-th save does: by set, append, put and delete, with values in the log and beside it."""
    state["n"] = n
    state.setdefault("log", []).append(n)
    seen = state.setdefault("seen", {})
    seen[f"at {n}"] = n
    seen.pop(f"at {n - 7}", None)
    if n % 5 == 0:
        state["large"] = f"{n} " * 30_000
    if n % 5 == 3:
        state.pop("large", None)


def state_after(n: int) -> dict:
    """Return the state after the n-th save."""
    state: dict = {}
    for number in range(1, n + 1):
        step(state, number)
    return state


def _say(*words: object) -> None:
    os.write(1, (" ".join(map(str, words)) + "\n").encode())


def _wait() -> None:
    sys.stdin.readline()


def _wait_to_begin() -> None:
    _say("ready")
    _wait()


def save_until_killed(url: str) -> None:
    """Save again and again."""
    session = open_storage(url).session("demo")
    n = session.state.get("n", 0)
    while True:
        n += 1
        step(session.state, n)
        session.save()
        _say(n)


def die_at_line(url: str, line: int, wal_limit: int) -> None:
    """Load, save twice, and die when the line-th line of the package is reached since; say how many there were otherwise."""
    duckdb_file.WAL_LIMIT = wal_limit
    session = None
    count, counting = 0, threading.Lock()

    def traced(frame, event, _argument):
        nonlocal count
        if not frame.f_code.co_filename.startswith(PACKAGE):
            return None
        if event == "line" and session is not None:
            with counting:
                count += 1
                if count == line:
                    os.kill(os.getpid(), signal.SIGKILL)
        return traced

    threading.settrace(traced)
    storage = open_storage(url)
    n = storage.session("demo").state.get("n", 0)
    session = storage.session("demo")
    session.load()
    count = 0
    sys.settrace(traced)
    for number in (n + 1, n + 2):
        step(session.state, number)
        session.save()
        _say(number)
    sys.settrace(None)
    _say("lines", count)


class Untyped:
    """A connection that is not told of which type the file is: so DuckDB looks into it before it locks it."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection

    def execute(self, sql: str, *parameters: Any) -> Any:
        return self._connection.execute(sql.replace("(TYPE duckdb)", ""), *parameters)


def append(url: str, name: str, count: int, kind: str, without: Sequence[str] = ()) -> None:
    """Append to one list, or put into one dict, together with others; `without` are guards that are taken away."""
    if "header" in without:
        duckdb_file.File._header = lambda _: None
    if "type" in without:
        connection._memory = Untyped(connection.get())
    session = open_storage(url).session("demo")
    session.load()
    _wait_to_begin()
    for number in range(count):
        if kind == "list":
            session.state["all"].append(f"{name} {number}")
        else:
            session.state["all"][f"{name} {number}"] = number
        began = time.perf_counter()
        session.save()
        _say(f"{name}/{number}", time.perf_counter() - began)


def append_and_checkpoint(url: str, stay: float) -> None:
    """Save once, checkpoint, and stay attached for a time."""
    duckdb_file.WAL_LIMIT, duckdb_file.STAY = 0, stay
    session = open_storage(url).session("demo")
    session.state["all"].append("ours")
    session.save()
    _say("ours")


def increment(url: str, name: str, count: int, rule: str | None) -> None:
    """Add to one number, together with others: by a rule, or again after each conflict."""
    if rule:
        register_merge("n", rule)
    session = open_storage(url).session("demo")
    session.load()
    _wait_to_begin()
    for number in range(count):
        while True:
            session.state["n"] += 1
            began = time.perf_counter()
            try:
                session.save()
            except SessionConflict:
                session.reload()
            else:
                break
        _say(f"{name}/{number}", time.perf_counter() - began)
        if not rule:
            session.load()


def outside(path: str) -> None:
    """Open the DuckDB file as a program of the user's does, write into it and checkpoint, again and again until told to end."""
    import duckdb

    told = threading.Event()
    threading.Thread(target=lambda: (_wait(), told.set()), daemon=True).start()
    number = 0
    while not told.is_set():
        try:
            with duckdb.connect(path) as db:
                db.execute("CREATE TABLE IF NOT EXISTS outside (number INTEGER)")
                db.execute("INSERT INTO outside VALUES (?)", [number])
                db.execute("CHECKPOINT")
        except duckdb.IOException:  # somebody saves
            time.sleep(0.002)
            continue
        _say(number)
        number += 1
        time.sleep(0.005)  # a program that never lets go would stand against every save


def main() -> None:
    """Fork a kernel for each job, and be it."""
    channel = socket.socket(fileno=int(sys.argv[1]))
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    while True:
        message, pipes, _, _ = socket.recv_fds(channel, 65536, 2)
        if not message:
            return
        if pid := os.fork():
            for pipe in pipes:
                os.close(pipe)
            channel.send(str(pid).encode())
            continue
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        channel.close()
        for number, pipe in enumerate(pipes):
            os.dup2(pipe, number)
            os.close(pipe)
        job, *arguments = json.loads(message)
        globals()[job](*arguments)
        _say("done")
        return


if __name__ == "__main__":
    main()
