"""The traceback of a run that failed, as its record has it."""

from __future__ import annotations

import pytest

from wf_notebook import Workflow
from wf_notebook.log import span_of
from wf_notebook.traced import MOST, traced


def failed(run):
    """Run a workflow that fails; return the traceback among its events."""
    flow = type("Flow", (Workflow,), {"run": run})(session_id="demo", storage="memory:")
    with pytest.raises(Exception, match="ducks"):
        list(flow.run())
    told = flow.storage.run(flow.last_run.run_id).told
    assert told.responses() == []
    (traceback,) = [event.data["traceback"] for event in told.events() if span_of(event.data) == "error"]
    return traceback


def test_it_has_the_lines_of_the_user_and_of_what_the_error_came_from_and_none_of_ours():
    def run(_):
        try:
            {}["first"]
        except KeyError as error:
            raise LookupError("no ducks") from error
        yield

    told = failed(run)
    assert "KeyError: 'first'" in told
    assert "The above exception was the direct cause" in told
    assert told.endswith("LookupError: no ducks")
    assert "wf_notebook" not in told.replace(__file__, "")


def test_the_errors_of_a_group_are_in_it():
    def run(_):
        yield from ()
        raise ExceptionGroup("ducks", [ValueError("one"), LookupError("other")])

    told = failed(run)
    assert "ValueError: one" in told
    assert "LookupError: other" in told


def test_a_long_one_is_cut_in_the_middle():
    told = traced(LookupError("x" * 50_000 + "end"))
    assert told.startswith("LookupError: xxx")
    assert told.endswith("xxxend")
    assert " characters …\n" in told
    assert len(told) < MOST + 100
