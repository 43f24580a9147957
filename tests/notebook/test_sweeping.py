"""A sweep shown in a notebook: while it goes on, and what stays of it."""

from __future__ import annotations

import os
import signal
import sqlite3
from threading import Event
from time import monotonic

import pytest
from IPython.utils.capture import capture_output

from wf_notebook import Workflow, open_storage
from wf_notebook.errors import RunStopped, StorageFailed
from wf_notebook.notebook.sweeping import SweepView, follow

VIEW = "application/vnd.jupyter.widget-view+json"

SETUP = """\
%load_ext wf_notebook
from threading import Event
from wf_notebook import Workflow, open_storage
gate, storage = Event(), open_storage("sqlite:///rows.db")

class Twice(Workflow):
    def run(self, n: int):
        if n == 3:
            raise ValueError("not <three>")
        return f"{2 * n}"

class Waits(Workflow):
    def run(self, n: int):
        if n:
            assert gate.wait(30)
        return f"row {n}"
"""


@pytest.fixture(scope="module")
def notebook(run_notebook):
    """Return the outputs of cells that map workflows, by what is in them."""
    sources = {
        "setup": SETUP,
        "whole": "Twice(session_id='demo', storage=storage).map(range(6))",
        "value": "_.df()['content'].tolist()[:3]",
        "again": "Twice(session_id='demo', storage=storage).map(range(6))",
        "goes on": "sweep = Waits(storage=storage).map(range(3)).start()\nnext(iter(sweep))\nsweep",
        "meanwhile": "sweep.status",
        "ended": "gate.set(); sweep.result();",
        "shown when over": "sweep",
        "no record": "%config WorkflowMagics.record = 'none'\nTwice(storage=storage).map([1])",
    }
    done = run_notebook(*sources.values())
    return {name: cell.outputs for name, cell in zip(sources, done.cells, strict=True)} | {"": done}


@pytest.mark.slow
def test_a_sweep_as_the_last_expression_leaves_a_record_and_no_widget(notebook):
    (output,) = notebook["whole"]
    assert (output.output_type, sorted(output.data)) == ("display_data", ["text/html", "text/plain"])
    head, failures, rows, foot = output.data["text/plain"].split("\n\n")
    assert head.startswith("Twice · sweep demo · ⚠ done, 1 of 6 rows failed · ")
    assert failures == "✗ row 3: ValueError: not <three>"
    assert rows.splitlines()[:2] == ["row  n  content", "  0  0  0"]
    kept = "kept in the sessions demo/… of sqlite:///rows.db"
    assert foot == f"{kept}; the same again goes on with what is not done; .df() has all rows as a dataframe"
    html = output.data["text/html"]
    assert "<details open><summary>✗ 1 row failed</summary>" in html
    assert "ValueError: not &lt;three&gt;" in html
    assert "<script" not in html


def test_its_rows_are_in_underscore(notebook):
    assert notebook["value"][0].data["text/plain"] == "['0', '2', '4']"


def test_what_a_record_says_of_now_is_in_its_metadata(notebook):
    told = notebook["again"][0].metadata.wf_notebook
    assert (told.sweep, told.rows, told.completed, told.hits, told.failed) == ("demo", 6, 5, 5, 1)
    assert told.now.startswith("5 from the store · ")
    first, second = (notebook[name][0] for name in ("whole", "again"))
    for kind in first.data:
        parts = [each.data[kind].replace(each.metadata.wf_notebook.now, "…") for each in (first, second)]
        assert parts[0] == parts[1]


def test_one_that_goes_on_is_shown_without_waiting_for_it(notebook):
    assert notebook["meanwhile"][0].data["text/plain"] == "'running'"
    (output,) = notebook["goes on"]
    assert "Waits · sweep Waits · ✓ completed · 3 of 3 rows" in output.data["text/plain"]
    assert notebook["ended"] == []


def test_one_that_is_over_shows_its_record(notebook):
    (output,) = notebook["shown when over"]
    assert "✓ completed · 3 of 3 rows" in output.data["text/plain"]


def test_who_wants_no_records_gets_none(notebook):
    assert [output for output in notebook["no record"] if any(output.get("data", {"": True}).values())] == []


class Interrupted(Workflow):
    """The third row is interrupted, as by the kernel's menu; and cannot be ended."""

    def run(self, n: int):
        if n == 2:
            os.kill(os.getpid(), signal.SIGINT)
            self.gate.wait(30)
        return f"{n}"


def test_an_interrupt_ends_the_cell_in_a_line_and_keeps_what_is_done(cells):
    storage, Interrupted.gate = open_storage("memory:"), Event()
    sweep = Interrupted(storage=storage).map(range(5), limit=1)
    cells.shell.user_ns["sweep"] = sweep
    error = cells("sweep").error_in_exec
    Interrupted.gate.set()
    assert type(error).__name__ == RunStopped.__name__
    said = "of 5 rows are done and kept; the same again goes on with the others"
    assert str(error).endswith(said)
    assert (sweep.status, [row.content for row in sweep.rows[:2]]) == ("stopped", ["0", "1"])
    assert "Interrupted · sweep Interrupted · ■ stopped · 2 of 5 rows · 1 stopped" in cells.text


def test_a_store_that_cannot_keep_rows_fails_the_cell(cells):
    storage = open_storage("sqlite:///full.db")
    storage.session("another").save()
    with sqlite3.connect("full.db") as database:
        database.execute("CREATE TRIGGER full BEFORE INSERT ON run_log BEGIN SELECT RAISE(FAIL, 'the disk is full'); END")

    class Plain(Workflow):
        def run(self, n: int):
            return f"{n}"

    cells.shell.user_ns["sweep"] = Plain(storage=storage).map(range(5))
    error = cells("sweep").error_in_exec
    assert type(error).__name__ == StorageFailed.__name__
    assert "✗ failed: StorageFailed: " in cells.text
    assert "the disk is full" in cells.text


@pytest.mark.usefixtures("shell")
def test_where_no_page_has_the_widget_how_far_it_is_is_told_anew(monkeypatch):
    monkeypatch.setattr("wf_notebook.notebook.displayed.UNSEEN", 0.1)
    gate = Event()

    class Waits(Workflow):
        def run(self, n: int):
            if n:
                assert gate.wait(30)
            return f"{n}"

    with capture_output() as captured:
        sweep = Waits().map([0, 1])
        follow(sweep.start(), SweepView(sweep, outlives=True))
        deadline = monotonic() + 20
        while len(captured.outputs) < 4 and monotonic() < deadline:
            Event().wait(0.05)
        gate.set()
        sweep.wait(30)
        while "completed" not in captured.outputs[-1].data["text/plain"] and monotonic() < deadline:
            Event().wait(0.02)
    told = [output.data["text/plain"] for output in captured.outputs]
    assert told[2].startswith("Waits · sweep Waits · ● running · 1 of 2 rows · 1 goes on")
    assert len({output.data.get(VIEW, {}).get("model_id") for output in captured.outputs[1:-1]}) == 1
    assert VIEW not in captured.outputs[-1].data
