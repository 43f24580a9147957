"""`wf run`: a workflow of a notebook in the terminal, without a kernel."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

from wf_notebook import open_storage

CELLS = (
    "%load_ext wf_notebook",
    "def shorten(text, words=3):\n    return ' '.join(text.split()[:words])",
    "raise SystemExit('a cell that nothing below needs')",
    """%%workflow digest --session daily text="one two three four"
from wf_notebook import step

@step
def short(self, text):
    print("shortened")
    return shorten(text)

def run(self, text: str, words: int = 3):
    self.session_state["last"] = self.short(text)
    yield self.session_state["last"]""",
    """%%workflow slow
from pathlib import Path
from threading import Event

def run(self):
    yield "begun "
    Path("begun").touch()
    Event().wait()""",
    "%%workflow bad\ndef run(self, n=1):\n    return str(1 / (n - n))",
    '%%workflow both\nfrom wf_notebook import parallel\ndef run(self):\n    yield parallel(iter(["a", "b"]), iter(["x"]))',
    "%%workflow many\ndef run(self):\n    for n in range(2000):\n        yield 'x' * 1000 + chr(10)",
    "%%workflow waits\nasync def arun(self):\n    return 'waited'",
)  # fmt: skip


@pytest.fixture(autouse=True)
def notebook(working_directory, monkeypatch):
    made = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in CELLS])
    nbformat.write(made, "report.ipynb")
    monkeypatch.setenv("WF_STORAGE", f"duckdb:///{working_directory / 'runs.duckdb'}")
    monkeypatch.setitem(sys.modules, "__main__", sys.modules["__main__"])  # a run takes its place
    return made


def state(session):
    return {row["key"]: row["value"] for row in open_storage().state(session)}


def test_what_it_answers_is_on_stdout_and_the_rest_is_not(wf):
    done = wf("run report.ipynb digest text='one two three four'")
    assert (done.exit_code, done.stdout) == (0, "shortened\none two three\n")
    assert done.stderr.startswith("Digest · session daily · ✓ completed · ")
    assert state("daily") == {"last": "one two three"}


def test_what_is_remembered_is_not_done_again_unless_asked_for(wf):
    line = "run report.ipynb digest text=cheese --json"
    hits = [json.loads(wf(each).stdout)["hits"] for each in (line, line, f"{line} --fresh")]
    assert hits == [0, 1, 0]


def test_as_json_it_is_one_document_and_what_is_printed_is_beside_it(wf):
    done = wf("run report.ipynb digest text=cheese --json -s trial")
    found = json.loads(done.stdout)
    assert (found["session_id"], found["status"], found["inputs"], found["content"]) == (
        *("trial", "completed", {"text": "cheese"}, "cheese"),
    )
    assert "shortened" in done.stderr


def test_a_text_comes_from_stdin_or_a_file(wf):
    Path("notes.txt").write_text("from a file", encoding="utf-8")
    assert wf("run report.ipynb digest text=- --no-stream", input="from a pipe").stdout.endswith("from a pipe\n")
    assert wf("run report.ipynb digest text=@notes.txt").stdout.endswith("from a file\n")


def test_quiet_says_nothing(wf):
    done = wf("run report.ipynb both -q")
    assert (done.exit_code, done.stdout, done.stderr) == (0, "", "")


def test_branches_are_written_one_after_the_other(wf):
    said = wf("run report.ipynb both").stdout
    assert "ab\n" in said
    assert "x\n" in said


def test_what_is_async_is_waited_for(wf):
    assert wf("run report.ipynb waits").stdout == "waited\n"


def test_reset_starts_from_an_empty_state(wf):
    session = open_storage().session("daily")
    session.state["old"] = 1
    session.save()
    assert wf("run report.ipynb digest text=a").exit_code == 0
    assert state("daily") == {"old": 1, "last": "a"}
    assert wf("run report.ipynb digest text=a --reset").exit_code == 0
    assert state("daily") == {"last": "a"}


@pytest.mark.parametrize(
    ("line", "code", "said"),
    [
        ("digest", 2, "'digest' needs 'text'; write wf run report.ipynb digest text=\"…\""),
        ("digest text=a n=3", 2, "'digest' has no input 'n'; it takes 'text', 'words'"),
        ("digest text=a words=few", 2, "words=few is no int; write words=3"),
        ("digest text=a few", 2, "an input has a name: write name=value, not 'few'"),
        ("digst text=a", 1, "report.ipynb has no workflow 'digst'; did you mean 'digest'?"),
        (
            "digest text=a --fresh --cache off",
            2,
            "--fresh is --cache refresh, and --cache off is something else; write one of them",
        ),
    ],
)
def test_what_is_written_wrongly_is_said_in_a_line(wf, line, code, said):
    done = wf(f"run report.ipynb {line}")
    assert (done.exit_code, done.stdout, done.stderr) == (code, "", f"Error: {said}\n")


def test_where_there_is_one_workflow_its_name_may_be_left_out(wf, notebook):
    said = "which workflow of 'report.ipynb' is not said, and it has 'digest', 'slow', 'bad', 'both', 'many', 'waits'"
    assert wf("run report.ipynb text=a").stderr == f"Error: {said}; name one: wf run report.ipynb digest\n"
    notebook.cells = notebook.cells[:4]
    nbformat.write(notebook, "one.ipynb")
    assert wf("run one.ipynb text=a").stdout.endswith("a\n")


@pytest.mark.parametrize("text", ["", "no notebook", "[]", '{"nbformat": 3, "cells": []}'])
def test_what_is_no_notebook_is_one_line(wf, text):
    Path("bad.ipynb").write_text(text, encoding="utf-8")
    done = wf("run bad.ipynb digest")
    assert (done.exit_code, done.stdout, done.stderr.count("\n")) == (1, "", 1)
    assert done.stderr.startswith("Error: ")


def test_the_users_own_error_has_its_traceback_and_none_of_our_frames(wf):
    done = wf("run report.ipynb bad")
    assert done.exit_code == 1
    first, where, line, *_, last = done.stderr.splitlines()
    assert (first, last) == ("Traceback (most recent call last):", "ZeroDivisionError: division by zero")
    assert where.endswith('report.ipynb, cell 6", line 3, in run')
    assert line == "    return str(1 / (n - n))"
    assert "wf_notebook" not in done.stderr


def test_an_interrupt_stops_the_run_and_keeps_what_it_said():
    command = [sys.executable, "-m", "wf_notebook", "run", "report.ipynb", "slow"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as begun:
        assert begun.stdout.read(6) == "begun "
        begun.send_signal(signal.SIGINT)
        _, said = begun.communicate()
    assert begun.returncode == 130
    assert said.splitlines()[-1] == "Error: interrupted"
    (run,) = open_storage().runs("slow")
    assert (run["status"], run["content"]) == ("stopped", "begun ")


def test_what_can_be_continued_is_told_with_the_line_that_does(wf):
    wf("run report.ipynb bad n=2 -s 'my try'")
    (row,) = json.loads(wf("status --json").stdout)
    assert (row["status"], row["goes_on"]) == ("failed", "wf run NOTEBOOK bad -s 'my try' n=2")
    assert wf("status none.ipynb").stderr == "Error: there is no notebook 'none.ipynb'; did you mean 'report.ipynb'?\n"


def test_as_json_a_run_that_fails_has_its_record_on_stdout_and_its_error_on_stderr(wf):
    done = wf("run report.ipynb bad n=2 --json")
    found = json.loads(done.stdout)
    assert (done.exit_code, found["status"], found["error"], found["inputs"], found["content"]) == (
        *(1, "failed", "ZeroDivisionError: division by zero", {"n": 2}, None),
    )
    assert json.loads(done.stderr)["kind"] == "ZeroDivisionError"


def test_the_status_of_a_notebook_knows_what_was_run_from_a_terminal(wf):
    assert json.loads(wf("status report.ipynb --json").stdout) == []
    wf("run report.ipynb digest text=cheese")
    wf("run report.ipynb bad n=2")
    rows = json.loads(wf("status report.ipynb --json").stdout)
    assert [(row["session_id"], row["status"], row["goes_on"]) for row in rows] == [
        ("daily", "completed", None),
        ("bad", "failed", "wf run report.ipynb bad -s bad n=2"),
    ]


def test_where_nobody_reads_on_the_run_is_stopped_and_kept(process):
    done = process("wf run report.ipynb many | head -c 3; echo; echo ${PIPESTATUS[@]}")
    assert done.stdout.splitlines()[0] == "xxx"
    assert "Many · session many · ■ stopped" in done.stderr
    (run,) = open_storage().runs("many")
    assert run["status"] == "stopped"
