"""A run that holds up no cell is let go of after Stop, where its code does not look up: its record is as it stood then."""

from __future__ import annotations

import pytest

from wf_notebook import open_storage

SETUP = """\
import threading
from wf_notebook import Workflow
begun, goes_on, over = threading.Event(), threading.Event(), threading.Event()
def hold():
    begun.set()
    goes_on.wait(60)
"""
STREAM = """\
class Held(Workflow):
    def run(self):
        self.session_state["begun"] = True
        yield "part "
        hold()
        try:
            yield "and what nobody hears"
        finally:
            over.set()
"""
BATCH = """\
class Held(Workflow):
    def run(self):
        self.session_state["begun"] = True
        hold()
        over.set()
        return "what nobody hears"
"""


@pytest.fixture
def held(cells, monkeypatch):
    """Return cells with what holds a workflow up until they are over."""
    monkeypatch.setenv("WF_STORAGE", "sqlite:///runs.db")
    cells.good(SETUP)
    yield cells
    cells.good("goes_on.set()")


@pytest.mark.parametrize("stop", ["going.stop()", "%wf stop", "held.stop()"])
@pytest.mark.parametrize(("code", "said"), [(STREAM, "part "), (BATCH, None)], ids=["stream", "batch"])
def test_a_run_in_the_background_is_let_go_of(held, code, said, stop):
    held.good(f"%%workflow held --background -o going\n{code}")
    held.good("assert begun.wait(20)")
    held.good(stop)
    if said:
        assert held.good("going.result(20)").content == said
    else:
        assert str(held.bad("going.result(20)")).endswith("; what it said and changed is saved")
    assert held.good("going.done, going.run.status, going.run.content") == (True, "stopped", said)
    storage = open_storage("sqlite:///runs.db")
    run_id = held.good("going.run.run_id")
    stored = storage.run(run_id)
    assert (stored.status, stored.content, storage.session("held").state) == ("stopped", said, {"begun": True})
    held.good("goes_on.set(); assert over.wait(20)")
    assert held.good("held.last_run.run_id, held.last_run.content") == (run_id, said)
    assert held.good("%workflow held -q").content == ("part and what nobody hears" if said else "what nobody hears")
    assert storage.run(run_id).content == said


def test_a_run_of_a_form_is_let_go_of(held):
    held.good(f"{STREAM}\nheld = Held(session_id='held', storage='sqlite:///runs.db')\nform = held.form()")
    held.good("form.start(); assert begun.wait(20)")
    held.good("form.stop(); form.wait(20)")
    assert held.good("form.is_running, form.run.status, form.run.content, form.error") == (False, "stopped", "part ", None)


def test_a_stop_before_the_run_has_begun_ends_it_as_soon_as_it_does(held):
    held.good(f"%%workflow held -n\n{STREAM}")
    held.good("loading, load = threading.Event(), held.session.load")
    held.good("def slowly():\n    loading.set(); goes_on.wait(60); load()")
    held.good("held.session.load = slowly")
    held.good("going = get_ipython().run_line_magic('workflow', 'held --background')")
    held.good("assert loading.wait(20); going.stop(); goes_on.set()")
    assert held.good("going.result(20).content, going.run.status, begun.is_set()") == ("", "stopped", False)


def test_what_ends_by_itself_within_a_second_after_stop_is_heard(held):
    held.good(f"%%workflow held --background -o going\n{BATCH}")
    held.good("assert begun.wait(20); going.stop(); goes_on.set()")
    assert held.good("going.result(20).content, going.run.status") == ("what nobody hears", "completed")
