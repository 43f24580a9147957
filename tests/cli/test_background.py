"""`wf run --background`: a run that goes on without its terminal, and is found, followed and ended from another one."""

from __future__ import annotations

import json
import os
import pwd
import signal
import socket
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

import nbformat
import pytest

from wf_notebook import open_storage
from wf_notebook.journal import start_row
from wf_notebook.processes import Process, process_started_at
from wf_notebook.run import Run
from wf_notebook.transaction import Records

SLOW = """%%workflow slow
def run(self, gate: str):
    self.session_state["begun"] = True
    yield "one "
    open(gate).read()
    yield "two"
"""
#: A terminal of its own is closed, and says so to all that was begun in it.
HUNG_UP = "setsid bash -c '{} -m wf_notebook run slow.ipynb gate=gate --background --json; kill -HUP 0'"


pytestmark = pytest.mark.usefixtures("gate")


@pytest.fixture
def gate(monkeypatch, working_directory):
    """Return a pipe that holds up the workflow `slow` of slow.ipynb, which saves in runs.duckdb."""
    monkeypatch.setenv("WF_STORAGE", f"duckdb:///{working_directory / 'runs.duckdb'}")
    nbformat.write(nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(SLOW)]), "slow.ipynb")
    os.mkfifo("gate")
    return Path("gate")


@pytest.fixture
def others():
    """Return the number of a process of another user of this machine."""
    if os.geteuid() != 0:
        yield 1
        return
    process = subprocess.Popen(["sleep", "60"], user=65534)
    yield process.pid
    process.kill()
    process.wait()


def here(pid):
    """Return a process of this machine."""
    return Process(socket.gethostname(), pid, process_started_at(pid) or "12")


def begins(storage, name, process):
    """Let a store know of a run that began in a process."""
    row = start_row(Run(name, "demo", "Blog", "running", {}, datetime.now(UTC)))
    at = {"host": process.host, "pid": process.pid, "process_started_at": process.started_at}
    storage.session("demo").save(Records([row | at]))


def ended(storage, run_id):
    """Return the record of a run of another process, once that has ended."""
    while (run := storage.run(run_id)).status == "running":
        time.sleep(0.01)
    return run


def test_a_run_in_the_background_outlives_its_terminal_and_is_found_and_followed(process, wf, gate):
    begun = process(HUNG_UP.format(sys.executable))
    told = json.loads(begun.stdout)
    (row,) = json.loads(wf("status --json").stdout)
    assert (row["run_id"], row["status"], row["process"]) == (told["run_id"], "running", f"PID {told['pid']}")
    assert row["goes_on"] == f"wf attach {told['run_id'][:8]} shows it; wf stop {told['run_id'][:8]} ends it"
    assert wf("status").stdout.endswith(f"\nslow: {row['goes_on']}\n")
    gate.write_text("go on")
    followed = wf(f"attach {told['run_id'][:8]}")
    assert (followed.exit_code, followed.stdout) == (0, "one two\n")
    assert Path(told["log"]).read_text().startswith("one two\n")
    assert Path(told["log"]).stat().st_mode & 0o777 == 0o600
    assert wf("attach").stderr.startswith("Error: no run goes on in duckdb:")


def test_a_run_in_the_background_that_is_killed_keeps_what_it_said(process):
    begun = process('wf run slow.ipynb gate=gate --background -s "my demo"').stdout.splitlines()
    run_id, pid = begun[0].split()[1], int(begun[0].partition(" in process ")[2].partition(";")[0])
    assert begun[0].startswith(f"run {run_id} of session 'my demo' goes on in process {pid}; what it says goes to ")
    assert begun[1] == f"wf status lists it, wf attach {run_id[:8]} follows it, wf show {run_id[:8]} shows its record"
    os.kill(pid, signal.SIGTERM)
    storage = open_storage(os.environ["WF_STORAGE"])
    run = ended(storage, run_id)
    assert (run.status, run.content, storage.session("my demo").state) == ("stopped", "one ", {"begun": True})


def test_a_sweep_in_the_background_is_found_as_one_and_gone_on_with_when_it_was_killed(process, wf):
    os.mkfifo("gate2")
    Path("gates.csv").write_text("gate\ngate\ngate2\n")
    line = "wf run slow.ipynb slow --map gates.csv --limit 1 --background"
    told = json.loads(process(f"{line} --json").stdout)
    (row,) = json.loads(wf("status --json").stdout)
    assert (row["run_id"], row["status"], row["process"]) == (told["run_id"], "running", f"PID {told['pid']}")
    assert row["goes_on"] == f"wf attach {told['run_id'][:8]} shows it; wf stop {told['run_id'][:8]} ends it"
    os.kill(told["pid"], signal.SIGKILL)
    storage = open_storage(os.environ["WF_STORAGE"])
    ended(storage, told["run_id"])
    (row,) = json.loads(wf("status slow.ipynb --json").stdout)
    assert (row["session_id"], row["status"], row["stopped_at"]) == ("slow/", "lost", "0 of 2 rows")
    assert row["goes_on"] == "wf run slow.ipynb slow --map gates.csv --limit 1 -s slow"
    begun = process(f"{line} --max-tokens 100").stdout.splitlines()
    run_id = begun[0].split()[1]
    assert begun[0].startswith(f"sweep {run_id} of slow/… goes on in process ")
    assert begun[1] == f"wf status lists it, wf attach {run_id[:8]} follows it, wf show {run_id[:8]} shows its record"
    for gate in ("gate", "gate2"):
        Path(gate).write_text("go on")
    followed = wf(f"attach {run_id[:8]}")
    assert followed.exit_code == 0
    assert "Slow · sweep slow · ✓ completed · 2 of 2 rows · " in followed.stderr
    assert wf("sessions --json").stdout.count('"session_id": "slow/"') == 1
    assert "2 of 2 rows; kept in the sessions slow/…" in wf(f"show {run_id[:8]}").stdout


STUBBORN = """%%workflow stubborn
def run(self, gate: str):
    try:
        open(gate).read()
    except BaseException:
        yield "one "
    open(gate).read()
    yield "two"
"""


def test_a_run_in_the_background_is_stopped_from_another_process_also_one_that_lets_an_interrupt_pass(process, wf):
    nbformat.write(nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(STUBBORN)]), "stubborn.ipynb")
    begun = process("wf run stubborn.ipynb gate=gate --background").stdout.splitlines()
    run_id = begun[0].split()[1]
    assert begun[2] == f"wf stop {run_id[:8]} ends it; what it said and changed is kept"
    storage = open_storage(os.environ["WF_STORAGE"])
    begins(storage, "inner", here(int(begun[0].partition(" in process ")[2].partition(";")[0])))
    assert wf("stop inner").stderr == f"Error: run inner goes on inside of run {run_id[:8]}: wf stop {run_id[:8]} ends both\n"
    done = wf(f"stop {run_id[:8]}")
    said = f"run {run_id[:8]} of session 'stubborn' is asked to end; what it said is kept: wf show {run_id[:8]}\n"
    assert (done.exit_code, done.stdout + done.stderr) == (0, said)
    run = ended(storage, run_id)
    assert (run.status, run.content) == ("stopped", "one ")
    again = wf(f"stop {run_id[:8]}")
    assert (again.exit_code, again.stderr) == (2, f"Error: run {run_id[:8]} is over: it is stopped\n")


def test_a_sweep_in_the_background_is_stopped_as_a_whole_by_its_name(process, wf):
    Path("gates.csv").write_text("gate\nempty\ngate\ngate2\n")
    Path("empty").write_text("")
    told = json.loads(process("wf run slow.ipynb slow --map gates.csv --limit 1 --background --json").stdout)
    storage = open_storage(os.environ["WF_STORAGE"])
    while sorted(storage.runs()["status"]) != ["completed", "running"]:
        time.sleep(0.01)
    done = wf("stop slow/")
    named = told["run_id"][:8]
    assert done.stderr + done.stdout == (
        f"sweep {named} is asked to end; what is done is kept, and the same again goes on: wf show {named}\n"
    )
    assert ended(storage, told["run_id"]).status == "stopped"
    assert sorted(storage.runs()["status"]) == ["completed", "stopped"]


def test_what_cannot_be_stopped_from_here_says_where_it_can(wf, others):
    storage = open_storage(os.environ["WF_STORAGE"])
    kernel = subprocess.Popen(["sleep", "60"])
    places = {"kernel": here(kernel.pid), "theirs": here(others), "afar": Process("gpu7", 12, "12"), "gone": here(2**22 + 1)}
    for name, process in places.items():
        begins(storage, name, process)
    said = {name: wf(f"stop {name}").stderr.removeprefix("Error: ").rstrip() for name in places}
    whose = pwd.getpwuid(Path(f"/proc/{others}").stat().st_uid).pw_name
    assert said == {
        "kernel": f"run kernel goes on in another process, PID {kernel.pid}: stop it there, or end that process as a whole",
        "theirs": f"run theirs goes on in a process of user '{whose}', PID {others}, who alone can stop it",
        "afar": "run afar goes on elsewhere, as PID 12 on gpu7; on that machine wf stop afar may end it",
        "gone": "run gone is over: it is lost, as its process is gone; wf status tells what goes on with it",
    }
    assert kernel.poll() is None
    kernel.kill()
    kernel.wait()


def test_what_is_wrong_is_said_before_anything_goes_to_the_background(process):
    done = process("wf run slow.ipynb gat=gate --background")
    assert (done.returncode, done.stderr) == (2, "Error: 'slow' has no input 'gat'; did you mean 'gate'?\n")
    done = process("wf run slow.ipynb gate=gate --map gone.csv --background")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("Error: there is no file 'gone.csv'")
    done = process("wf run slow.ipynb gate=gate --background --storage memory:")
    assert (done.returncode, done.stderr) == (
        *(2,),
        "Error: a run in the background needs a store that others can read; name one: --storage duckdb:///runs.duckdb\n",
    )


def test_an_interrupt_before_it_goes_on_by_itself_ends_it():
    held = "import os\nwith open('pid', 'w') as pid:\n    pid.write(str(os.getpid()))\nheld = open('gate').read()"
    cells = [held, "%%workflow late\ndef run(self):\n    return held"]
    nbformat.write(nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells]), "late.ipynb")
    line = [sys.executable, "-m", "wf_notebook", "run", "late.ipynb", "--background"]
    with subprocess.Popen(line, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as begun:
        while not (Path("pid").exists() and Path("pid").read_text()):
            assert begun.poll() is None
            time.sleep(0.01)
        begun.send_signal(signal.SIGINT)
        assert begun.wait(20) == 130
    with pytest.raises(ProcessLookupError):
        os.kill(int(Path("pid").read_text()), 0)
