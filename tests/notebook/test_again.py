"""Running again from an inspector what was run before."""

from __future__ import annotations

import threading

import pytest

from wf_notebook.inspection import Inspector, answer
from wf_notebook.notebook.inspecting import NOTEBOOK_OPS

BLOG = """\
from wf_notebook import Workflow, open_storage
storage = open_storage("memory:")
class Blog(Workflow):
    def run(self, topic, n=1):
        self.session_state["topics"] = [*self.session_state.get("topics", []), topic]
        yield f"about {topic}"
        if topic == "ducks":
            raise LookupError("no ducks")
blog = Blog(session_id="demo", storage=storage)
"""


@pytest.fixture
def ask(cells):
    """Return a way to ask an inspector of the shell's storage; it gives the whole answer."""
    cells.good(BLOG)
    return lambda op, **fields: answer(Inspector(cells.shell.user_ns["storage"]), {"op": op, **fields}, NOTEBOOK_OPS)


def run(cells, line):
    """Run a workflow to its end, and return the run's id."""
    cells.good(f"list({line}); None")
    return str(cells.shell.user_ns["blog"].last_run.run_id)


def ended(name="wf_notebook-run"):
    """Wait for the runs that inspectors began."""
    for thread in [each for each in threading.enumerate() if each.name == name]:
        thread.join(30)


def test_it_is_asked_first_and_then_begun_by_the_workflow_of_the_session(cells, ask):
    first = run(cells, "blog.run('cheese', n=2)")
    told = ask("run_again", run=first)
    assert told["result"]["words"] == "Run Blog again, with topic='cheese', n=2? It is paid for."
    assert cells.shell.user_ns["blog"].last_run.run_id == first

    second = ask("run_again", run=first, sure=True)["result"]["run"]
    ended()
    last = cells.shell.user_ns["blog"].last_run
    assert (last.run_id, last.status, last.inputs) == (second, "completed", {"topic": "cheese", "n": 2})
    assert second != first
    assert cells.shell.user_ns["blog"].session_state["topics"] == ["cheese", "cheese"]
    assert cells.good("storage.run(blog.last_run.run_id).content") == "about cheese"


def test_one_that_fails_again_is_recorded_with_its_error(cells, ask):
    cells.bad("list(blog.run('ducks'))")
    second = ask("run_again", run=cells.shell.user_ns["blog"].last_run.run_id, sure=True)["result"]["run"]
    ended()
    assert "raise LookupError" in ask("run_error", run=second)["result"]["text"]


def test_it_is_run_by_the_class_as_it_is_defined_now(cells, ask):
    first = run(cells, "blog.run('cheese')")
    cells.good(BLOG.replace("about", "more about").replace('storage = open_storage("memory:")', "").rpartition("blog =")[0])
    second = ask("run_again", run=first, sure=True)["result"]["run"]
    ended()
    assert cells.shell.user_ns["storage"].run(second).content == "more about cheese"


def test_where_the_workflow_is_not_defined_it_is_said_which_line_would_run_it(cells, ask):
    first = run(cells, "blog.run('cheese')")
    cells.good("del Blog, blog")
    told = ask("run_again", run=first)
    assert told["error"] == (
        "no workflow 'Blog' is defined in this kernel; define it, then this runs it again: "
        f"Blog(session_id='demo', storage=storage).run(**storage.run({first!r}).inputs)"
    )


def test_what_run_takes_no_more_is_refused_before_anything_runs(cells, ask):
    first = run(cells, "blog.run('cheese', n=2)")
    cells.good("class Blog(Workflow):\n    def run(self, subject): yield subject")
    assert "has no input 'topic'" in ask("run_again", run=first)["error"]


def test_a_run_that_goes_on_here_is_stopped_and_not_begun_twice(cells, ask):
    first = run(cells, "blog.run('cheese')")
    cells.good("stream = blog.run('ham'); next(stream)")
    goes_on = cells.shell.user_ns["blog"].last_run.run_id
    assert ask("run_again", run=first)["error"] == "'Blog' runs in this session already; stop it, or wait for its end"
    assert ask("run_stop", run=goes_on)["ok"]
    cells.good("list(stream)")
    assert cells.shell.user_ns["blog"].last_run.status == "stopped"
    assert ask("run_stop", run=first)["error"].startswith("this run does not go on in this kernel")
