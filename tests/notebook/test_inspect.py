"""%wf inspect and blog.inspect() in a notebook: what is found, what is completed, and what stays of it without a front end."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from IPython.core.completer import provisionalcompleter
from nbconvert import HTMLExporter

from wf_notebook.errors import BadArguments, UnknownSession
from wf_notebook.inspection import Inspector

BLOG = """\
%load_ext wf_notebook
from wf_notebook import Workflow, inspector, open_storage

class Blog(Workflow):
    def run(self, topic):
        self.session_state.setdefault("posts", []).append({"title": f"On {topic}", "words": 80})
        yield f"On {topic}"

blog = Blog(session_id="blog", storage="duckdb:///runs.duckdb")
for topic in ("cats", "dogs"):
    blog.run(topic=topic).result()"""


@pytest.fixture
def blog(cells):
    """Return cells after a blog, in a memory of its own, has run about cats and dogs."""
    cells.good(BLOG.replace("duckdb:///runs.duckdb", "memory:"))
    return cells


def test_it_shows_the_session_of_the_last_run_and_is_a_value(blog):
    found = blog.good("%wf inspect")
    assert isinstance(found, Inspector)
    assert found.place.session == "blog"
    (shown,) = blog.displayed
    assert re.match(r'<div class="wf-inspector-\w+"><div class="wf-still', shown["data"]["text/html"])
    assert "posts: list · 2 items" in shown["data"]["text/plain"]
    blog.good("looked = %wf inspect")
    assert blog.displayed == []
    assert blog.good("looked.session.session_id") == "blog"


def test_a_session_is_named_by_a_word_or_by_its_option_and_another_storage_by_its_address(blog):
    blog.good("""
        there = open_storage("duckdb:///other.duckdb")
        one = there.session("trial"); one.state["n"] = 1; one.save()""")
    for line in ("%wf inspect blog", "%wf inspect -s blog"):
        assert blog.good(line).place.session == "blog"
    for line in ("%wf inspect trial --storage duckdb:///other.duckdb", "%wf inspect --storage duckdb:///other.duckdb"):
        assert blog.good(line).place.session == "trial"
    assert "n: int  1" in blog.text


def test_where_no_session_is_yet_all_are_shown(cells):
    found = cells.good("%wf inspect")
    assert found.session is None
    assert "0 sessions" in cells.text


def test_a_workflow_without_a_storage_is_shown_as_it_is_now_and_that_is_said_above_it(cells, monkeypatch):
    monkeypatch.delenv("WF_STORAGE")
    cells.good(BLOG.replace(', storage="duckdb:///runs.duckdb"', ""))
    for line in ("%wf inspect", "%wf inspect blog", "blog.inspect()"):
        cells.good(line)
        (shown,) = cells.displayed
        assert shown["data"]["text/html"].startswith("<p>a copy of session &#x27;blog&#x27; as it is now: it has no storage")
        assert "posts: list · 2 items" in shown["data"]["text/plain"]
    assert not Path(".workflows").exists()  # no store is made for it


def test_what_is_unsaved_is_saved_before_it_is_looked_at(blog):
    blog.good('blog.session_state["note"] = "new"')
    blog.good("%wf inspect blog")
    assert "note: str  'new'" in blog.text
    assert blog.good('"note" in blog.storage.session("blog").state') is True


def test_what_is_not_there_is_refused_in_one_line(blog):
    assert "did you mean 'blog'" in str(blog.bad("%wf inspect blgo"))
    assert isinstance(blog.bad("%wf inspect nothing"), UnknownSession)
    assert isinstance(blog.bad("%wf inspect one two"), BadArguments)


def test_sessions_are_completed(blog):
    blog.good("blog.session.fork('trial')")
    with provisionalcompleter():
        texts = {each.text for each in blog.shell.Completer.completions("%wf inspect ", 12)}
    assert {"blog", "trial"} <= texts


# -- without a front end -------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def executed(run_notebook):
    """Return a notebook with an inspector of each kind, as a program has run it."""
    return run_notebook(BLOG, "blog.inspect()", "%wf inspect", "inspector(blog.storage)", allow_errors=False)


@pytest.mark.slow
def test_a_program_that_runs_a_notebook_keeps_the_static_tree_and_nothing_of_a_widget(executed):
    assert "widget" not in json.dumps(executed)
    assert "widgets" not in executed.metadata
    one, verb, every = [cell.outputs for cell in executed.cells[1:]]
    for (output,) in (one, verb):
        assert output.data["text/html"].startswith('<div class="wf-inspector-')
        assert "On dogs" in output.data["text/html"]
        assert "├─" in output.data["text/plain"] or "└─ posts" in output.data["text/plain"]
    assert "1 session" in every[0].data["text/plain"]
    nbformat.validate(executed)


@pytest.mark.slow
def test_jupyter_execute_keeps_the_same(tmp_path):
    path = tmp_path / "inspected.ipynb"
    cells = [nbformat.v4.new_code_cell(source) for source in (BLOG, "blog.inspect()")]
    nbformat.write(nbformat.v4.new_notebook(cells=cells), path)
    command = [sys.executable, "-m", "jupyter", "execute", "--inplace", path]
    subprocess.run(command, check=True, capture_output=True, timeout=100)
    executed = nbformat.read(path, as_version=4)
    assert "On dogs" in executed.cells[1].outputs[0].data["text/html"]
    assert "widget" not in json.dumps(executed)


@pytest.mark.slow
def test_nbconvert_makes_a_page_of_it_that_is_readable_and_has_no_script_of_ours(executed):
    page, _ = HTMLExporter(embed_images=True).from_notebook_node(executed)
    trees = re.findall(r'<div class="wf-inspector-\w+">.*?</div>\s*</div>\s*</div>', page, re.DOTALL)
    assert len(trees) == 3
    assert not re.search("<script|<style|onclick", "".join(trees))
    assert page.count("<summary><b>posts</b>") == 2
