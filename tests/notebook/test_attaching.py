"""A run that goes on is found again by %wf status, shown live by %wf attach and ended by %wf stop, wherever it was begun."""

from __future__ import annotations

import os

import pytest
from playwright.sync_api import expect

from wf_notebook import open_storage
from wf_notebook.errors import BadArguments, UnknownRun
from wf_notebook.notebook.attaching import AttachedSweep

from .test_steering import SETUP, run, workflow

WAITS = """\
%%workflow {name} -q --background -o {name}_run
def run(self):
    yield "part of {name} "
    goes_on.wait(20)
    yield "and the end"
"""


@pytest.fixture
def going(cells, monkeypatch):
    """Return cells in which `one` waits in the background until the event `goes_on` is set."""
    monkeypatch.setenv("WF_STORAGE", "sqlite:///runs.db")
    cells.good("import threading; goes_on = threading.Event()")
    cells.good(WAITS.format(name="one"))
    cells.good("while not (one.last_run and one.last_run.content): pass")
    yield cells
    cells.good("goes_on.set()")


def test_a_run_that_goes_on_is_told_and_shown_here_until_its_end(going):
    (row,) = going.good("%wf status")
    run_id = row["run_id"][:8]
    assert (row["status"], row["process"], row["said"]) == ("running", "this process", "part of one")
    assert row["goes_on"] == f"%wf attach {run_id} shows it; %wf stop {run_id} ends it"
    attached = going.good("attached = %wf attach\nattached")
    assert (attached.done, attached.run.status) == (False, "running")
    assert repr(attached) == f"<run {run_id} of One, shown above: .stop() ends it, .result() waits for its end>"
    going.good("goes_on.set(); record = attached.result(20)")
    assert going.good("record.status, record.content") == ("completed", "part of one and the end")
    assert "part of one and the end" in going.good("%wf attach " + run_id).result(20).content  # of one that is over the record


def test_a_run_is_ended_by_its_id_or_as_the_only_one(going):
    run_id = going.good("one.last_run.run_id")[:8]
    going.good("%wf stop")
    assert going.printed == f"run {run_id} of session 'one' is asked to end; what it said is kept: %wf show {run_id}\n"
    going.good("goes_on.set(); one_run.result(20)")
    assert going.good("one.last_run.status") == "stopped"
    assert str(going.bad(f"%wf stop {run_id}")) == f"run {run_id} is over: it is stopped"
    assert str(going.bad("%wf stop")).endswith("/runs.db; %wf status tells how the last ones stand")


def test_of_several_one_is_to_be_named(going):
    going.good(WAITS.format(name="two"))
    going.good("while not (two.last_run and two.last_run.content): pass")
    one, two = (going.good(f"{name}.last_run.run_id")[:8] for name in ("one", "two"))
    for verb in ("attach", "stop"):
        error = going.bad(f"%wf {verb}")
        assert isinstance(error, BadArguments)
        assert str(error) == f"2 runs go on: {two} (Two in 'two'), {one} (One in 'one'); name one: %wf {verb} {two}"
        assert isinstance(going.bad(f"%wf {verb} nothing"), UnknownRun)
    assert going.good("%wf status")["run_id"] == [going.good(f"{name}.last_run.run_id") for name in ("two", "one")]
    going.good(f"%wf stop {one}")
    going.good("goes_on.set(); one_run.result(20), two_run.result(20)")
    assert going.good("one.last_run.status, two.last_run.status") == ("stopped", "completed")


MANY = """\
%%workflow many -q --background --map "range(3)" -o sweep
def run(self, n: int):
    if n:
        goes_on.wait(20)
    yield f"{n}"
"""


def test_a_sweep_is_told_shown_and_ended_as_one(cells, monkeypatch):
    monkeypatch.setenv("WF_STORAGE", "sqlite:///runs.db")
    cells.good("import threading; goes_on = threading.Event()")
    cells.good(MANY)
    cells.good("first = next(iter(sweep))")
    (row,) = cells.good("%wf status")
    run_id = row["run_id"][:8]
    assert (row["session_id"], row["status"], row["process"]) == ("many/", "running", "this process")
    assert row["goes_on"] == f"%wf attach {run_id} shows it; %wf stop {run_id} ends it"
    here = cells.good("here = %wf attach\nhere")
    assert repr(here) == f"<sweep {run_id} of Many, shown above: .stop() ends it, .result() waits for its end>"
    storage = open_storage("sqlite:///runs.db")
    afar = AttachedSweep(storage, storage.run(here.run.run_id), None)  # as it is shown in another process
    assert (afar.done, here.done) == (False, False)
    cells.good("%wf stop")
    assert (
        cells.printed == f"sweep {run_id} is asked to end; what is done is kept, and the same again goes on: %wf show {run_id}\n"
    )
    cells.good("goes_on.set()")
    for attached in (here, afar):
        record = attached.result(20)
        assert (record.run_id, record.status) == (here.run.run_id, "stopped")
        assert repr(attached) == f"<sweep {run_id} of Many, shown above: ■ stopped; .run is its record>"
    (row,) = cells.good("%wf status")
    assert (row["status"], row["goes_on"]) == ("stopped", "many.map(…) again")
    assert "the same again goes on with what is not done" in cells.good(f"%wf show {run_id}").content


@pytest.mark.browser
def test_a_run_goes_on_while_its_page_is_closed_and_is_shown_live_in_another_one(page, jupyter_lab):
    for name in ("away", "back"):
        os.mkfifo(jupyter_lab.root / name)
    work = "open('away').read()\n        yield 'goes on '\n        open('back').read()\n        yield 'and the end'"
    setup = SETUP.replace("memory:", "sqlite:///away.db")
    cell = workflow("away", work).replace("%%workflow away", "%%workflow away --background")
    jupyter_lab.write("away.ipynb", setup, cell, "%wf status", "shown = %wf attach", "ended = %wf stop")
    jupyter_lab.open(page, "away.ipynb")
    run(page, "%load_ext")
    run(page, "%%workflow away").locator(".wf-live-content").get_by_text("part of away").wait_for()
    browser = page.context.browser
    page.close(run_before_unload=False)  # nothing was saved: of the output that it had no notebook knows
    (jupyter_lab.root / "away").write_text("go on")
    page = browser.new_page()
    jupyter_lab.open(page, "away.ipynb")
    expect(page.locator(".wf-live")).to_have_count(0)
    told = run(page, "%wf status").locator(".jp-OutputArea-output")
    told.get_by_text("● running").wait_for()
    expect(told).to_contain_text("%wf stop")
    attached = run(page, "shown =")
    attached.locator(".wf-live-content").get_by_text("part of away goes on").wait_for()
    expect(attached.get_by_role("button", name="Stop")).to_have_count(1)
    (jupyter_lab.root / "back").write_text("go on")
    attached.locator(".wf-record", has_text="part of away goes on and the end").wait_for()
    assert "✓ completed" in attached.locator(".wf-record").inner_text()
    run(page, "ended =").locator(".jp-OutputArea-output", has_text="no run goes on").wait_for()
