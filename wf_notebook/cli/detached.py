"""`wf run --background`: the run goes on in a process of its own when the terminal is closed, and writes into a file."""

from __future__ import annotations

import _thread
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from .. import saver
from ..accounts import MAP
from ..alone import REPORT, can_be_told
from ..errors import BadArguments, WorkflowError
from ..storage.moment import now
from .manner import manner
from .showing import show_lines

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..workflow import Workflow

#: So many seconds it is waited for a run to have begun, once it is known where; and between two looks.
BEGINS, PAUSE = 20.0, 0.05
#: Before who waits is interrupted, it is waited so many seconds at most for all runs to be told.
GRACE = 0.1


def begin(arguments: Sequence[str], *, private: bool) -> None:
    """Begin a run with these arguments of `wf run`, and say how it is followed."""
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report"
        reads = any(each.endswith("=-") for each in arguments)
        process = subprocess.Popen(  # noqa: S603 - this program itself
            [sys.executable, "-m", "wf_notebook", "run", REPORT, str(report), *arguments],
            stdin=None if reads else subprocess.DEVNULL,
            start_new_session=True,  # so that it hears nothing of a terminal that is closed
        )
        try:
            while not report.exists():
                if (code := process.poll()) is not None and not report.exists():
                    raise click.exceptions.Exit(code)  # what was wrong it has said itself
                time.sleep(PAUSE)
        except KeyboardInterrupt:  # which does not reach it
            process.kill()
            process.wait()
            raise
        told: dict[str, Any] = json.loads(report.read_text(encoding="utf-8"))
    run_id = None if private else _begun(told, process)
    process.returncode = process.returncode or 0  # nobody waits for it: it outlives this one
    _tell({**told, "run_id": run_id, "pid": process.pid})


def _begun(told: dict[str, Any], process: subprocess.Popen[bytes]) -> str | None:
    """Return the id of the run, once its first row is in the store; None if it never came there."""
    from ..storage import open_storage

    storage: Any = open_storage(told["storage"], table_name=told["table_name"])
    sql = "SELECT run_id FROM run_log WHERE store = ? AND pid = ? AND phase = 'start' AND happened_at >= ?"
    which: tuple[Any, ...] = (storage.table_name, process.pid, told["began"])
    if told["sweep"] is not None:  # itself, and none of its rows
        sql, which = f"{sql} AND workflow = ?", (*which, told["sweep"])
    until = time.monotonic() + BEGINS
    while time.monotonic() < until:
        is_over = process.poll() is not None
        with suppress(WorkflowError):
            if found := storage.read(f"{sql} LIMIT 1", which):
                run_id: str = found[0][0]
                return run_id
        if is_over:
            return None
        time.sleep(PAUSE)
    return None


def _tell(told: dict[str, Any]) -> None:
    run_id, session = told["run_id"], told["session_id"]
    is_sweep = told["sweep"] is not None
    kind = "sweep" if is_sweep else "run"
    named = f"{kind} {run_id}" if run_id is not None else f"a {kind}"
    where = "" if told["is_default"] else f" --storage {told['storage']}"
    of, says = (f"{session}/…", "how far it is") if is_sweep else (f"session {session!r}", "what it says")
    lines = [f"{named} of {of} goes on in process {told['pid']}; {says} goes to {told['log']}"]
    if run_id is not None:
        lines.append(
            f"wf status{where} lists it, wf attach {run_id[:8]}{where} follows it, wf show {run_id[:8]}{where} shows its record"
        )
    kept = "what is done is kept, and the same command again goes on" if is_sweep else "what it said and changed is kept"
    ends = f"kill {told['pid']}" if run_id is None or not can_be_told() else f"wf stop {run_id[:8]}{where}"
    lines.append(f"{ends} ends it; {kept}")
    if manner().json:
        told = {name: told[name] for name in ("run_id", "session_id", "pid", "log", "storage")}
    show_lines(lines, told)


def go_on_alone(report: Path, workflow: Workflow, *, maps: bool) -> None:
    """Be the process that was begun so: write into a file beside the store, hear no terminal, and say where that is.

    `maps` says whether it is run for each row of something.
    """
    from ..storage import default_url_there

    storage: Any = workflow.storage
    if storage is None or storage.url == "memory:":
        raise BadArguments(
            "a run in the background needs a store that others can read; name one: --storage duckdb:///runs.duckdb"
        )
    file: Path | None = getattr(storage, "file", None)
    folder = Path(tempfile.gettempdir()) if file is None else Path(file).absolute().parent
    folder.mkdir(parents=True, exist_ok=True)
    stamp = f"{datetime.now():%Y%m%d-%H%M%S}-{os.getpid()}"  # noqa: DTZ005 - a name that people read
    log = folder / f"{'runs' if file is None else Path(file).name}.{stamp}.log"
    writing = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND, 0o600)  # and none that another has put there
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
        os.dup2(writing, stream.fileno())
    os.close(writing)
    ending = _Ending()
    for each in (signal.SIGINT, signal.SIGTERM):  # a shell lets what it begins in the background ignore the first
        signal.signal(each, ending)
    told = {
        "log": str(log),
        "storage": storage.url,
        "table_name": storage.table_name,
        "is_default": storage.url == default_url_there(),
        "session_id": workflow.session_id,
        "began": now(),
        "sweep": f"{workflow.name}{MAP}" if maps else None,
    }
    written = report.with_suffix(".new")
    written.write_text(json.dumps(told), encoding="utf-8")
    written.replace(report)


class _Ending:
    """What a process that was begun so does when it is asked to end, as Stop does: tell runs, and interrupt who waits."""

    def __init__(self) -> None:
        self._was_asked = False

    def __call__(self, signum: int, frame: object) -> None:
        if self._was_asked and not saver.open_runs():
            return  # all have ended, and are being saved
        self._was_asked = True
        told = _thread.allocate_lock()
        told.acquire()
        _thread.start_new_thread(_stop_all, (told,))  # here, any lock may be held by the code that was interrupted
        told.acquire(timeout=GRACE)
        raise KeyboardInterrupt


def _stop_all(told: _thread.LockType) -> None:
    """Ask all runs to end, also those that let an interrupt pass."""
    try:
        for run in saver.open_runs():
            run.context.cancel.cancel()
    finally:
        told.release()
