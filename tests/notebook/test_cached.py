"""Cached reruns in a notebook: modes on the line, why, plan, takes, replay, and a record that stays the same."""

from __future__ import annotations

import pytest

from wf_notebook.errors import BadArguments, BadSetting, CacheMiss, UnknownStep

CELL = """\
%%workflow blog topic="cheese"
from wf_notebook import Workflow, step
from uuid import uuid4

LIMIT = 10

def clean(text):
    # as it was
    return text.strip()[:LIMIT]

class Blog(Workflow):
    @step
    def outline(self, topic):
        print("thinking")
        return [clean(topic), uuid4().hex]

    @step
    def write(self, outline):
        yield f"# About {outline[0]}\\n\\n"
        yield outline[1]

    def run(self, topic):
        yield from self.write(self.outline(topic))
        self.session_state["topic"] = topic
"""


@pytest.fixture
def kept(cells, monkeypatch, tmp_path):
    """Return a way to run cells whose sessions are kept in a file."""
    monkeypatch.setenv("WF_STORAGE", f"sqlite:///{tmp_path}/runs.db")
    return cells


def froms(table):
    return [(row["step"], row["from"]) for row in table]


def test_a_cell_that_is_run_again_does_no_step_again_and_its_record_is_the_same(kept):
    first = kept.good(CELL).content
    record = kept.displayed[-1]
    assert kept.good(CELL).content == first
    assert kept.printed.count("thinking") == 1
    assert kept.displayed[-1]["data"] == record["data"]
    told = kept.displayed[-1]["metadata"]["wf_notebook"]
    assert (told["steps"], told["hits"]) == (2, 2)
    assert told["run_id"] != record["metadata"]["wf_notebook"]["run_id"]


@pytest.mark.parametrize(
    ("old", "new", "why"),
    [
        ("LIMIT = 10", "LIMIT = 5", "global `LIMIT` 10 → 5"),
        ("text.strip()", "text.lower()", "helper `clean`, line "),
        ("return [clean(topic), uuid4().hex]", "return [clean(topic), uuid4().hex, 1]", "body `outline`, line "),
    ],
)
def test_an_edit_is_done_again_and_told_and_undone_it_is_remembered(kept, old, new, why):
    first = kept.good(CELL).content
    assert old in CELL
    kept.good(CELL.replace(old, new))
    table = kept.good("%wf why")
    assert froms(table)[0] == ("outline", "● done")
    assert table[0]["why"].startswith(why)
    assert kept.good(CELL).content == first
    assert froms(kept.good("%wf why")) == [("outline", "✓ store"), ("write", "✓ store")]


def test_a_comment_is_no_change(kept):
    first = kept.good(CELL).content
    assert kept.good(CELL.replace("# as it was", "# as it is")).content == first


def test_an_edit_of_the_last_step_leaves_those_before_it_alone(kept):
    kept.good(CELL)
    kept.good(CELL.replace("yield outline[1]", "yield outline[1].upper()"))
    assert froms(kept.good("%wf why")) == [("outline", "✓ store"), ("write", "● done")]


def test_fresh_does_all_again_and_a_take_can_be_chosen(kept):
    first = kept.good(CELL).content
    second = kept.good("%workflow blog --fresh topic='cheese'").content
    assert second != first
    assert kept.good("%workflow blog topic='cheese'").content == second
    assert [row["take"] for row in kept.good("%wf takes outline")] == [1, 2]
    kept.good("%wf use 1")
    assert "take 1 is used of 1 step" in kept.printed
    assert kept.good("%workflow blog topic='cheese'").content == first


def test_fresh_that_found_nothing_to_do_names_reset(kept):
    cell = "%%workflow plain --fresh\ndef run(self):\n    yield 'always the same'\n"
    kept.good(cell)
    assert "--fresh found no step to do again: run() answered by itself; --reset starts from an empty state" in kept.printed


def test_only_makes_a_cell_a_test(kept):
    kept.good(CELL)
    kept.good("%workflow blog --cache only topic='cheese'")
    error = kept.bad("%workflow blog --cache only topic='wine'")
    assert isinstance(error, CacheMiss)
    assert "argument `topic` 'cheese' → 'wine'" in str(error)
    kept.good("%workflow blog topic='wine'")


def test_wrong_words_get_a_line_with_a_remedy(kept):
    kept.good(CELL)
    assert "did you mean 'use'" in str(kept.bad("%workflow blog --cache us topic='x'"))
    assert isinstance(kept.bad("%workflow blog --fresh --cache only topic='x'"), BadArguments)
    assert isinstance(kept.bad("%wf use"), BadArguments)
    assert isinstance(kept.bad("%wf use 7"), BadSetting)
    assert isinstance(kept.bad("%wf takes outlin"), UnknownStep)
    assert isinstance(kept.bad("%wf plan"), BadArguments)


def test_a_plan_says_what_would_be_done_and_does_nothing(kept):
    kept.good(CELL)
    assert repr(kept.good("%wf plan blog topic='cheese'")) == (
        "✓ 2 from the store: outline, write\nnothing would be done, and nothing paid"
    )
    plan = kept.good("%wf plan blog topic='wine'")
    assert (plan.first, plan.kind, plan.hits) == ("outline", "step", ())
    assert [done.name for done in plan.after] == ["write"]
    assert "thinking" not in kept.printed
    assert len(kept.good("%wf runs")) == 1


def test_a_plan_says_nothing_of_what_its_steps_said(kept):
    kept.good(CELL)
    kept.good("%workflow blog topic='cheese'")
    assert "thinking" in kept.printed
    kept.good("%wf plan blog topic='cheese'")
    assert "thinking" not in kept.printed


def test_a_mode_that_is_none_is_named_as_it_was_written(kept):
    kept.good(CELL)
    error = kept.bad("%workflow blog topic='cheese' --cache onyl")
    assert str(error) == "--cache 'onyl' is no mode; did you mean 'only'?"


def test_a_replay_shows_a_run_as_it_was_and_leaves_no_run(kept):
    first = kept.good(CELL).content
    record = kept.displayed[-1]["data"]
    kept.good("%wf replay")
    assert kept.displayed[-1]["data"] == record
    assert first.split("\n")[-1] in kept.text
    assert len(kept.good("%wf runs")) == 1


def test_what_is_forgotten_is_done_again(kept):
    kept.good(CELL)
    kept.good("%wf forget write")
    assert "1 step forgotten; the next run does it again" in kept.printed
    kept.good("%workflow blog topic='cheese'")
    assert froms(kept.good("%wf why")) == [("outline", "✓ store"), ("write", "● done")]


def test_a_workflow_of_a_cell_remembers_also_by_its_own_run(kept):
    first = kept.good(CELL).content
    assert kept.good("blog.run('cheese').result()").content == first


def test_a_class_says_off_and_the_environment_says_otherwise_than_the_magic(kept, monkeypatch):
    off = CELL.replace("class Blog(Workflow):", "class Blog(Workflow):\n    cache = 'off'")
    assert kept.good(off).content != kept.good(off).content
    monkeypatch.setenv("WF_CACHE", "off")
    assert kept.good(CELL).content != kept.good(CELL).content


def test_what_a_step_displayed_is_displayed_again(kept):
    cell = """%%workflow shows
from IPython.display import HTML, display
from wf_notebook import Workflow, step

class Shows(Workflow):
    @step
    def show(self):
        display(HTML("<b>once</b>"))

    def run(self):
        self.show()
"""
    for _ in range(2):
        kept.good(cell)
        assert kept.displayed[0]["data"]["text/html"] == "<b>once</b>"
    assert froms(kept.good("%wf why")) == [("show", "✓ store")]


def test_the_record_of_a_rerun_shows_what_this_run_said_where_that_is_no_text(kept):
    cell = """%%workflow numbers
from uuid import uuid4
from wf_notebook import RunResponse, Workflow, step

class Numbers(Workflow):
    @step
    def once(self):
        return 1

    def run(self):
        self.once()
        yield RunResponse({"number": uuid4().hex})
"""
    for _ in range(2):
        number = kept.good(cell).content["number"]
        assert number in kept.displayed[-1]["data"]["text/html"]
    assert froms(kept.good("%wf why")) == [("once", "✓ store")]
