"""`wf run --background`: a run that goes on without its terminal, and is found, followed and ended from another one."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import nbformat
import pytest

from wf_notebook import open_storage

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


def test_a_run_in_the_background_outlives_its_terminal_and_is_found_and_followed(process, wf, gate):
    begun = process(HUNG_UP.format(sys.executable))
    told = json.loads(begun.stdout)
    (row,) = json.loads(wf("status --json").stdout)
    assert (row["run_id"], row["status"], row["process"]) == (told["run_id"], "running", f"PID {told['pid']}")
    assert row["goes_on"] == f"wf attach {told['run_id'][:8]} shows it"
    assert wf("status").stdout.endswith(f"\nslow: {row['goes_on']}\n")
    gate.write_text("go on")
    followed = wf(f"attach {told['run_id'][:8]}")
    assert (followed.exit_code, followed.stdout) == (0, "one two\n")
    assert Path(told["log"]).read_text().startswith("one two\n")
    assert Path(told["log"]).stat().st_mode & 0o777 == 0o600
    assert wf("attach").stderr.startswith("Error: no run goes on in duckdb:")


def test_a_run_in_the_background_that_is_killed_keeps_what_it_said(process):
    begun = process('wf run slow.ipynb gate=gate --background -s "my demo"').stdout.splitlines()
    assert begun[2].startswith("kill ")
    run_id, pid = begun[0].split()[1], int(begun[2].split()[1])
    assert begun[0].startswith(f"run {run_id} of session 'my demo' goes on in process {pid}; what it says goes to ")
    assert begun[1] == f"wf status lists it, wf attach {run_id[:8]} follows it, wf show {run_id[:8]} shows its record"
    os.kill(pid, signal.SIGTERM)
    storage = open_storage(os.environ["WF_STORAGE"])
    while (run := storage.run(run_id)).status == "running":
        time.sleep(0.01)
    assert (run.status, run.content, storage.session("my demo").state) == ("stopped", "one ", {"begun": True})


def test_a_sweep_in_the_background_is_found_as_one_and_gone_on_with_when_it_was_killed(process, wf):
    os.mkfifo("gate2")
    Path("gates.csv").write_text("gate\ngate\ngate2\n")
    line = "wf run slow.ipynb slow --map gates.csv --limit 1 --background"
    told = json.loads(process(f"{line} --json").stdout)
    (row,) = json.loads(wf("status --json").stdout)
    assert (row["run_id"], row["status"], row["process"]) == (told["run_id"], "running", f"PID {told['pid']}")
    assert row["goes_on"] == f"wf attach {told['run_id'][:8]} shows it"
    os.kill(told["pid"], signal.SIGKILL)
    storage = open_storage(os.environ["WF_STORAGE"])
    while storage.run(told["run_id"]).status == "running":
        time.sleep(0.01)
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


def test_what_is_wrong_is_said_before_anything_goes_to_the_background(process, wf):
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
    assert wf("stop").stderr == "Error: stop is about what lives in a notebook: write %wf stop in one of its cells\n"


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
