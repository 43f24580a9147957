"""A notebook's workflows without a kernel: what they need runs, and nothing else; sessions and steps are the notebook's."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

from wf_notebook import load_notebook
from wf_notebook.errors import BadArguments, BadCell, BadNotebook, UnknownWorkflow
from wf_notebook.storage import open_storage


@pytest.fixture
def notebook(tmp_path):
    """Return a way to write a notebook of these code cells."""

    def written(*cells, name="report.ipynb"):
        content = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
        nbformat.write(content, tmp_path / name)
        return tmp_path / name

    return written


BLOG = "%%workflow blog --storage memory:\ndef run(self, topic='cheese'):\n    return "


def said(path, name="blog", **inputs):
    """Return what a workflow of a notebook says."""
    return getattr(load_notebook(path), name).run(**inputs).content


# -- what runs -----------------------------------------------------------------------------------------------------------------


def test_only_the_cells_that_a_workflow_needs_run_in_the_order_of_the_notebook(notebook, capsys):
    path = notebook(
        "print('one'); style = 'dry'",
        "print('unneeded'); raise SystemExit",
        "import json as j, os.path\nprint('two')",
        "def helper(text):\n    return j.dumps(style + text)",
        "print('three'); style = style.upper()",
        f"{BLOG}helper(topic)",
        "print('after'); style = 'wet'",
    )
    assert said(path, topic=" bread") == '"DRY bread"'
    assert capsys.readouterr().out == "one\ntwo\nthree\n"


def test_what_changes_a_value_is_needed_with_what_makes_it(notebook, capsys):
    path = notebook(
        "names = {}\nimport types\nroom = types.SimpleNamespace(size=1)\ncount = 1",
        "names['a'] = 1\nnames.update(b=2)",
        "names.copy(); print('not needed')",
        "count += 1",
        "room.size = 5",
        "if count > 100:\n    count = 7",
        f"{BLOG}f'{{names}} {{count}} {{room.size}}'",
    )
    assert said(path) == "{'a': 1, 'b': 2} 2 5"
    assert capsys.readouterr().out == ""


def test_a_helper_below_is_found_and_one_above_goes_first(notebook):
    assert said(notebook(f"{BLOG}below()", "def below():\n    return 'below'")) == "below"
    path = notebook("def helper():\n    return 'above'", f"{BLOG}helper()", "def helper():\n    return 'below'")
    assert said(path) == "above"


def test_cells_that_were_run_out_of_order_run_in_the_order_that_they_need(notebook):
    path = notebook("total = parts + 1", "parts = 2", f"{BLOG}str(total)")
    assert said(path) == "3"


def test_two_cells_that_need_each_other_are_named(notebook):
    path = notebook("a = b", "b = c\nc = a", f"{BLOG}str(a)")
    with pytest.raises(
        BadCell, match=r"cell 1 \(a = b\), which needs cell 2 \(b = c\), which needs cell 1 \(a = b\): they need each"
    ):
        load_notebook(path).blog  # noqa: B018 - the question is what it raises


def test_lines_that_set_up_a_kernel_are_left_out_and_any_other_is_an_error_that_names_the_cell(notebook):
    setup = "%load_ext wf_notebook\n%config InlineBackend.x = 1\n%autoreload 2\n%matplotlib inline\n%pip install a \\\n  b\n"
    path = notebook(f"{setup}text = '''\n%no magic\n!nor this'''\nif text:\n    %load_ext x", f"{BLOG}text")
    assert said(path) == "\n%no magic\n!nor this"
    for line in ("!ls", "%cd ..", "x = !ls", "files = %sql SELECT 1", "text?"):
        path = notebook(f"text = 1\n{line}", f"{BLOG}str(text)")
        with pytest.raises(BadCell, match=r"^cell 1 \(text = 1\) is needed, and .* is for a notebook alone; write"):
            load_notebook(path).blog  # noqa: B018 - it raises
    path = notebook("%%wf sql -o rows\nSELECT 1", f"{BLOG}str(rows)")
    with pytest.raises(BadCell, match=r"cell 1 \(%%wf sql -o rows\) .*'%%wf sql -o rows' is for a notebook alone"):
        load_notebook(path).blog  # noqa: B018 - it raises
    assert said(notebook("%%time\nx = 1", "!rm -rf /nothing", f"{BLOG}'fine'")) == "fine"


def test_a_cell_may_await_and_show_and_import_what_lies_beside_the_notebook(notebook, tmp_path, capsys):
    (tmp_path / "beside_it.py").write_text("from pathlib import Path\nhere = str(Path.cwd())\n")
    path = notebook(
        "import asyncio\nawait asyncio.sleep(0)\nx = 1\ndisplay(x)",
        "from beside_it import *",
        f"{BLOG}here + str(x)",
    )
    before = Path.cwd()
    assert said(path) == f"{tmp_path}1"
    assert (Path.cwd(), capsys.readouterr().out) == (before, "1\n")


def test_annotations_are_read_as_the_notebook_reads_them(notebook):
    path = notebook("from __future__ import annotations", "class A:\n    x: nowhere = 1", f"{BLOG}A.__annotations__['x']")
    assert said(path) == "nowhere"


# -- which workflow ------------------------------------------------------------------------------------------------------------


def test_workflows_are_found_in_each_form_and_listed_with_their_inputs(notebook):
    path = notebook(
        "from wf_notebook import Workflow\nclass Letter(Workflow):\n    def run(self, to: str, *, n=3): return f'To {to}'",
        "post = Letter(session_id='mail')",
        "%%workflow\nclass BlogPost(Workflow):\n    storage = 'memory:'\n    def run(self): return 'Hm.'",
        f"{BLOG}topic",
    )
    loaded = load_notebook(path)
    assert loaded.names == ["letter", "post", "blog_post", "blog"]
    assert repr(loaded) == "Notebook('report.ipynb'): letter(to: str, *, n=3), post(…), blog_post(), blog(topic='cheese')"
    assert {"post", "blog"} <= {*dir(loaded)}
    assert loaded.post.run(to="you").content == "To you"
    assert loaded.post.session_id == "mail"
    assert loaded.blog_post.run().content == "Hm."
    assert loaded.Letter is type(loaded.post), "cells run once"
    assert loaded.workflow("Letter", session="s", storage="memory:").session_id == "s"
    assert loaded.blog is loaded.blog


def test_session_storage_and_cache_are_those_of_the_line_unless_others_are_given(notebook, tmp_path, monkeypatch):
    monkeypatch.setenv("WF_SESSION", "of-the-environment")
    line = "%%workflow blog -s {who}-1 --storage sqlite:///kept/runs.db --cache refresh"
    path = notebook("who = 'ada'", f"{line}\ndef run(self):\n    return 'Hm.'", f"{BLOG.replace('blog', 'plain')}'x'")
    blog = load_notebook(path).blog
    assert (blog.session_id, blog.storage.path, blog.cache) == ("ada-1", tmp_path / "kept" / "runs.db", "refresh")
    other = load_notebook(path).workflow("blog", session="mine", storage="memory:", cache="off")
    assert (other.session_id, other.storage.url, other.cache) == ("mine", "memory:", "off")
    assert not (tmp_path / "kept").exists()
    assert load_notebook(path).plain.session_id == "of-the-environment"
    monkeypatch.delenv("WF_SESSION")
    assert load_notebook(path).plain.session_id == "plain"
    assert load_notebook(path).plain.cache == "use"


def test_two_workflows_that_want_one_name_otherwise_do_not_share_it(notebook):
    path = notebook(
        "style = 'dry'",
        f"{BLOG}style",
        "style = 'wet'",
        f"{BLOG.replace('blog', 'other')}style",
    )
    loaded = load_notebook(path)
    assert (loaded.blog.run().content, loaded.other.run().content, loaded.blog.run().content) == ("dry", "wet", "dry")


# -- the same as in the notebook -----------------------------------------------------------------------------------------------

STEPS = """\
%%workflow blog topic="cheese"
from dataclasses import dataclass
from wf_notebook import step

@dataclass
class Post:
    title: str

@step
def written(self, topic):
    (open("calls", "a")).write("x")
    return Post(helper(topic))

def run(self, topic):
    self.session_state["post"] = self.written(topic)
    yield self.session_state["post"].title"""
PROGRAM = """
import sys
from wf_notebook import load_notebook
blog = load_notebook(sys.argv[1]).blog
print(blog.run(topic="cheese").result().content, type(blog.session_state["post"]).__name__, blog.last_run.why()["from"])
print(load_notebook(sys.argv[1]).blog.session_state["post"].title)
"""


def test_what_a_kernel_did_is_not_done_again_outside_and_values_come_back_as_what_they_were(notebook, tmp_path):
    path = notebook(
        "%load_ext wf_notebook", "def helper(topic):\n    return topic.upper()", STEPS, "%workflow blog topic='cheese'"
    )
    NotebookClient(nbformat.read(path, as_version=4), resources={"metadata": {"path": str(tmp_path)}}).execute()
    assert (tmp_path / "calls").read_text() == "x"
    env = {**os.environ, "PYTHONWARNINGS": "error"}
    ran = subprocess.run([sys.executable, "-c", PROGRAM, path], env=env, cwd="/", capture_output=True, text=True, check=False)
    assert (ran.stdout, ran.stderr) == ("CHEESE Post ['✓ store']\nCHEESE\n", "")
    assert (tmp_path / "calls").read_text() == "x"
    with open_storage(f"duckdb:///{tmp_path / '.workflows' / 'workflows.duckdb'}") as storage:
        assert storage.runs("blog")["status"] == ["completed"] * 3


def test_a_traceback_has_the_lines_of_the_cell(notebook):
    path = notebook(f"{BLOG}1 / len(topic)")
    with pytest.raises(ZeroDivisionError) as caught:
        said(path, topic="")
    last = caught.traceback[-1]
    assert (str(last.path).endswith("report.ipynb, cell 1"), str(last.statement).strip()) == (True, "return 1 / len(topic)")
    with pytest.raises(ZeroDivisionError) as caught:
        said(notebook("x = 1 / 0", f"{BLOG}x"))
    assert caught.value.__notes__ == ["in cell 1 (x = 1 / 0) of report.ipynb"]


# -- bad input -----------------------------------------------------------------------------------------------------------------


def test_a_name_that_is_no_workflow_gets_a_suggestion(notebook):
    path = notebook(f"{BLOG}topic", "def broken(:", name="a.ipynb")
    with pytest.raises(
        UnknownWorkflow, match=r"^a.ipynb has no workflow 'blgo'; did you mean 'blog'\?; and cell 2 .* is no Python$"
    ):
        load_notebook(path).workflow("blgo")
    assert not hasattr(load_notebook(path), "news")
    with pytest.raises(UnknownWorkflow, match=r"^b.ipynb has no workflow 'blog'; it defines none$"):
        load_notebook(notebook("x = 1", name="b.ipynb")).blog  # noqa: B018 - it raises
    path = notebook("def x(): ...", f"{BLOG}topic", name="b.ipynb")
    with pytest.raises(UnknownWorkflow, match=r"^'x' of b.ipynb is of type 'function', and no workflow; it has 'blog'$"):
        load_notebook(path).workflow("x")


def test_a_name_of_two_workflows_a_cell_without_syntax_and_a_line_that_is_wrong_are_told(notebook):
    with pytest.raises(
        BadCell, match=r"has two workflows 'blog': cell 1 \(%%workflow blog .*\) and cell 2 \(%%workflow blog .*; give"
    ):
        load_notebook(notebook(f"{BLOG}topic", f"{BLOG}topic")).blog  # noqa: B018 - it raises
    with pytest.raises(BadCell, match=r"^cell 1 \(%%workflow blog .*\) is no Python, line 3: "):
        load_notebook(notebook(f"{BLOG}(")).blog  # noqa: B018 - it raises
    with pytest.raises(BadCell, match=r"^cell 1 \(def helper\(:\) is no Python, line 1: "):
        load_notebook(notebook("def helper(:\n    return 1", f"{BLOG}helper()")).blog  # noqa: B018 - it raises
    with pytest.raises(BadArguments, match=r"^cell 1 \(%%workflow blog topic=a b\): topic=a b is read as Python"):
        load_notebook(notebook("%%workflow blog topic=a b\ndef run(self): ...")).blog  # noqa: B018 - it raises


def test_what_is_no_notebook_is_told(tmp_path):
    path = tmp_path / "x.ipynb"
    path.write_text("print('hello')")
    with pytest.raises(BadNotebook, match=r"^'.*x.ipynb' is no notebook \(.*\); write the path to an .ipynb file$"):
        load_notebook(path)


def test_sources_may_be_lists_and_other_cells_count_but_do_not_run(tmp_path):
    cells = [
        {"cell_type": "markdown", "source": "x = ("},
        {"cell_type": "code", "source": ["style = ", "'dry'\n"]},
        {
            "cell_type": "code",
            "source": ["\n", "%%workflow blog --storage memory: \\\n", "  -s s\n", "def run(self): return style"],
        },
    ]
    path = tmp_path / "x.ipynb"
    path.write_text(json.dumps({"nbformat": 4, "nbformat_minor": 2, "metadata": {}, "cells": cells}))
    blog = load_notebook(path).blog
    assert (blog.session_id, blog.run().content) == ("s", "dry")


def test_what_a_notebook_sets_for_all_of_it_holds(notebook, tmp_path):
    storage, session = "%config WorkflowMagics.storage = 'sqlite:///ours.db'", '%config WorkflowMagics.session = "mine"'
    path = notebook(f"%load_ext wf_notebook\n{storage}\n{session}", "%%workflow blog\ndef run(self):\n    return 'yes'")
    blog = load_notebook(path).blog
    assert (blog.session_id, blog.storage.file) == ("mine", tmp_path / "ours.db")
    asked = load_notebook(path).workflow("blog", session="other", storage=f"sqlite:///{tmp_path}/theirs.db")
    assert (asked.session_id, asked.storage.file) == ("other", tmp_path / "theirs.db")
    by_variable = notebook("%config WorkflowMagics.session = name", f"{BLOG}topic")
    assert load_notebook(by_variable).blog.session_id == "blog"
