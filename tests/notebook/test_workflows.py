from __future__ import annotations

import resource

import pytest

BLOG = """\
from wf_notebook import Workflow
class Blog(Workflow):
    def run(self, topic="x"):
        self.session_state["topics"] = [*self.session_state.get("topics", []), topic]
        yield topic
"""


@pytest.fixture
def blog(cells, monkeypatch):
    """Return the cells after one that defined and ran `blog`, kept in a SQLite file."""
    monkeypatch.setenv("WF_STORAGE", "sqlite:///kept.db")
    cells.good(f"%%workflow blog\n{BLOG}")
    return cells


@pytest.fixture
def full(blog):
    """Return them when the disk is full, with a state that can no longer be saved."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (16_384, hard))
    blog.good("blog.session_state['note'] = 'unsaved' * 10_000")
    yield blog
    resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_corrected_cell_runs_after_a_value_that_cannot_be_kept(blog):
    blog.good("blog.session_state |= {'place': print, 'note': 'kept'}")
    blog.good(f"%%workflow blog topic='y'\n{BLOG}")
    assert blog.good("blog.session_state") == {"topics": ["x", "y"], "note": "kept"}
    assert blog.good("_blog.session_state['place']") is print


def test_the_warning_names_what_cannot_be_kept_and_where_it_is(blog):
    blog.good("blog.session_state |= {'place': print, 'seen': object()}")
    blog.good(f"%%workflow blog -q\n{BLOG}")
    (line,) = blog.printed.strip().removeprefix("Out[3]: ").splitlines()
    assert line.startswith('WARNING  blog: session_state["place"]')
    assert 'session_state["seen"]' in line
    assert line.endswith("; this goes on without, what you had is in _blog.session_state")


def test_a_state_that_was_changed_elsewhere_too_blocks_no_cell(blog):
    other = blog.good("blog.session_state['topics'] = ['mine']\nother = Blog(session_id='blog', storage='default')\nother")
    other.session_state["topics"] = ["theirs"]
    other.write_to_storage()
    blog.good(f"%%workflow blog topic='y'\n{BLOG}")
    assert "this goes on with what the store has, yours is in its branch 'blog@" in blog.printed
    assert blog.good("blog.session_state, _blog.session_state") == ({"topics": ["theirs", "y"]}, {"topics": ["mine"]})


def test_a_conflict_says_by_name_what_to_do_and_reset_wins_over_it(blog):
    other = blog.good("blog.session_state['topics'] = ['mine']\nother = Blog(session_id='blog', storage='default')\nother")
    other.session_state["topics"] = ["theirs"]
    other.write_to_storage()
    assert "; choose by blog.session.resolve('mine')" in str(blog.bad("%workflow blog topic='y'"))
    blog.good("%workflow blog --reset topic='z'")
    assert blog.good("Blog(session_id='blog', storage='default').session_state") == {"topics": ["z"]}


def test_what_could_not_be_saved_goes_on_in_the_new_workflow(full):
    full.good(f"%%workflow blog -n\n{BLOG}")
    assert full.printed.strip().endswith("; this goes on with what is unsaved")
    assert full.good("blog is not _blog, list(blog.session_state)") == (True, ["topics", "note"])


def test_what_could_not_be_saved_goes_along_to_an_empty_storage(full):
    full.good("%workflow blog --storage memory: topic='y'")
    assert "its state goes along to the other storage" in full.printed
    assert full.good("blog.session_state['topics'], len(blog.session_state['note'])") == (["x", "y"], 70_000)


def test_what_could_not_be_saved_stays_in_the_old_workflow_when_another_session_is_chosen(full):
    full.good("%workflow blog -n -s fresh")
    assert full.printed.strip().endswith("what is unsaved is in _blog, and _blog.write_to_storage() tries again")
    assert full.good("blog.session_state, list(_blog.session_state)") == ({}, ["topics", "note"])


# -- names that are taken ------------------------------------------------------------------------------------------------------


def test_a_workflow_that_takes_the_name_of_something_says_so_and_keeps_that(cells):
    cells.good("from wf_notebook import parallel")
    cells.good('%%workflow parallel\ndef run(self):\n    yield "x"')
    line = cells.printed.splitlines()[-1]
    assert line == "WARNING  parallel is the workflow now; what it was, a function, is _parallel; another NAME keeps both"
    assert cells.good("_parallel(lambda: 1)") == [1]
    cells.good('%%workflow parallel\ndef run(self):\n    yield "x"')
    assert "WARNING" not in cells.printed


def test_a_workflow_takes_the_name_of_a_dataframe(cells):
    cells.good("import pandas\ndf = pandas.DataFrame({'n': [1]})")
    cells.good('%%workflow df\ndef run(self):\n    yield "x"')
    assert "a DataFrame, is _df;" in cells.printed
    assert cells.good("df.last_run.content, _df.n.tolist()") == ("x", [1])


def test_a_workflow_that_takes_the_name_of_a_builtin_says_so(cells):
    cells.good('%%workflow list\ndef run(self):\n    yield "x"')
    assert "WARNING  list is the workflow now; del list brings Python's own back; another NAME keeps both" in cells.printed
    assert cells.good("del list\nlist('ab')") == ["a", "b"]


def test_a_cell_named_like_an_imported_class_leaves_that_class(cells):
    cells.good("from wf_notebook import Agent, Workflow")
    cells.good('%%workflow agent\ndef run(self):\n    yield "x"')
    cells.good('%%workflow workflow\ndef run(self):\n    yield "y"')
    assert cells.good("Agent.__module__, Workflow.__module__") == ("wf_notebook.agents.agent", "wf_notebook.workflow")
    assert cells.good("x = %workflow agent\nx.content") == "x"


def test_an_error_lists_a_workflow_once(cells):
    cells.good('%%workflow blog\ndef run(self):\n    yield "x"')
    assert str(cells.bad("%workflow zzz")) == "no workflow named 'zzz'; there are 'blog'"
