"""A session is changed from an inspector: what workflows of the notebook have unsaved is kept, and they see the change."""

from __future__ import annotations

from functools import partial

import pytest

from tests.inspection.test_past import asked
from wf_notebook import Workflow
from wf_notebook.inspection import Inspector
from wf_notebook.notebook.taking_in import taken_in
from wf_notebook.storage import open_storage


class Blog(Workflow):
    def run(self):
        for number in range(3):
            self.session_state["n"] = number
            yield f"{number}"


@pytest.fixture
def blog(shell, tmp_path):
    """Return a workflow of the notebook, with a session that has one version."""
    storage = open_storage(f"duckdb:///{tmp_path / 'runs.duckdb'}")
    made = Blog(session_id="demo", storage=storage, session_state={"n": 0, "posts": [{"title": "a"}]})
    made.write_to_storage()
    shell.user_ns["blog"] = made
    return made


@pytest.fixture
def inspector(blog):
    """Return an inspector as a widget has it, with a place of its own."""
    made = Inspector(open_storage(blog.storage.url), session="demo")
    made.on_change(partial(taken_in, made.storage))
    return made


def test_a_workflow_sees_what_was_changed_and_keeps_what_it_had_not_saved(blog, inspector):
    state, posts = blog.session_state, blog.session_state["posts"]
    blog.session_state["mine"] = "unsaved"
    blog.session_state["posts"].append({"title": "unsaved"})
    told = asked(inspector, "put", session="demo", version=1, path=["posts", 0, "title"], type="str", text="b")
    assert told["version"] == 3
    assert blog.session_state == {"n": 0, "posts": [{"title": "b"}, {"title": "unsaved"}], "mine": "unsaved"}
    assert (blog.session_state is state, blog.session_state["posts"] is posts) == (True, True)
    assert open_storage(blog.storage.url).session("demo").state == blog.session_state
    assert not blog.session.unsaved


def test_what_a_workflow_had_changed_there_itself_is_shown_and_not_overwritten(blog, inspector):
    blog.session_state["n"] = 7
    met = asked(inspector, "put", session="demo", version=1, path=["n"], type="int", text="2")["conflict"]
    assert (met["theirs"], met["mine"], met["version"]) == ("7", "2", 2)
    assert blog.session_state["n"] == 7
    asked(inspector, "put", session="demo", version=2, path=["n"], type="int", text="2")
    assert blog.session_state["n"] == 2


def test_a_restore_and_an_undo_arrive_too(blog, inspector):
    blog.session_state["n"] = 1
    blog.write_to_storage()
    inspector.restore(1)
    assert blog.session_state == {"n": 0, "posts": [{"title": "a"}]}
    inspector.remove("posts")
    assert blog.session_state == {"n": 0}
    inspector.undo()
    assert blog.session_state == {"n": 0, "posts": [{"title": "a"}]}


def test_a_fork_begins_with_what_was_unsaved(blog, inspector):
    blog.session_state["n"] = 9
    assert inspector.fork("trial").state["n"] == 9


def test_a_workflow_that_runs_is_left_alone_and_its_end_is_merged(blog, inspector):
    stream = blog.run()
    next(stream)
    inspector.put("posts.0.title", "b")
    assert blog.session_state["posts"] == [{"title": "a"}]
    for _ in stream:
        pass
    blog.read_from_storage()
    assert blog.session_state == {"n": 2, "posts": [{"title": "b"}]}


def test_what_cannot_be_kept_stands_in_no_edits_way(blog, inspector):
    blog.session_state["odd"] = odd = object()
    inspector.put("n", 5)
    assert (blog.session_state["n"], blog.session_state["odd"]) == (5, odd)
