"""An inspector where no page is: it opens no widget, and what the notebook keeps has none."""

from __future__ import annotations

SETUP = """\
%load_ext wf_notebook
import threading
from ipywidgets.widgets import widget
from wf_notebook import inspector, open_storage
storage = open_storage("duckdb:///runs.duckdb")
session = storage.session("demo")
session.state["topic"] = "cheese"
session.save()"""
LEFT = """\
print([type(each).__name__ for each in widget._instances.values()])
print([thread.name for thread in threading.enumerate() if "inspector" in thread.name or "watch" in thread.name])"""


def test_a_program_that_runs_a_notebook_opens_no_widget_and_keeps_none(run_notebook):
    notebook = run_notebook(SETUP, "inspector(storage, session='demo')", LEFT, "%unload_ext wf_notebook", allow_errors=False)
    (output,) = notebook.cells[1].outputs
    assert sorted(output.data) == ["text/html", "text/plain"]
    assert "widgets" not in notebook.metadata
    assert notebook.cells[2].outputs[0].text == "[]\n[]\n"
