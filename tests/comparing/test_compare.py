"""The code as it is now, or another model, over recorded inputs: a row for each, and nothing of it is kept."""

from __future__ import annotations

import pickle
import signal
import sys
import threading
from contextlib import contextmanager
from pathlib import Path

import pandas as pd
import pytest
from matplotlib import pyplot as plt

from wf_notebook import Agent, Workflow, open_storage, step
from wf_notebook.agents import report_usage
from wf_notebook.comparing import Comparison
from wf_notebook.errors import BadRows, BadSetting, MissingPart, UnknownModel
from wf_notebook.testing import scripted


def echo(request):
    """Answer with what was asked."""
    first = request.messages[0]["content"].removeprefix("<instructions>\n").removesuffix("\n</instructions>")
    return f"{first} {request.message}. "


def echoing(prefix=""):
    """Return a model that answers each of many requests with what was asked, behind a prefix of its own."""
    return scripted(*[(lambda request, said=prefix: said + echo(request))] * 50)


def breaks(text):
    return len(text) / 0


class Blog(Workflow):
    """Outlines, writes and closes; `bad` topics fail."""

    outliner = Agent(instructions="Outline")
    writer = Agent(instructions="Write about")

    def run(self, topic, style="plain"):
        self.session_state["seen"] = [*self.session_state.get("seen", []), topic]
        yield self.outliner.run(topic)
        if topic.startswith("bad"):
            raise ValueError(f"no {topic}")
        yield self.writer.run(f"{topic}, {style}, {len(self.session_state['seen'])}")


def blog_in(storage, session_id="a", workflow=Blog):
    blog = workflow(session_id=session_id, storage=storage, cache="use")
    model = echoing()
    for agent in (blog.outliner, blog.writer):
        agent.model = model
    return blog, model


def ran(storage, *topics, workflow=Blog, session_id="a"):
    blog, model = blog_in(storage, session_id, workflow)
    for topic in topics:
        try:
            blog.run(topic).result()
        except ValueError:
            assert topic.startswith("bad")
    return blog, model


def test_without_a_change_all_comes_from_the_store_and_nothing_is_asked(storage):
    blog, model = ran(storage, "ducks", "geese", "ducks")
    asked = len(model.requests)
    compared = blog.compare()
    assert [row.inputs for row in compared] == [{"topic": "ducks"}, {"topic": "geese"}]
    assert [(row.changed, row.outcome, row.steps) for row in compared] == [(False, "= same", (2, 2))] * 2
    assert (len(model.requests), compared.changed) == (asked, ())
    assert compared.summary == "2 compared, 0 changed; 4 of 4 steps from the store"


def test_a_changed_prompt_changes_rows_and_what_did_not_change_costs_nothing(storage, content):
    blog, model = ran(storage, "ducks", "geese")
    blog.writer.instructions = "Sing about"
    asked, before, state = len(model.requests), content(), dict(blog.session_state)
    compared = blog.compare(last=50)
    assert [(row.outcome, row.steps) for row in compared] == [("~ changed", (1, 2))] * 2
    assert [request.message for request in model.requests[asked:]] in (
        ["geese, plain, 2", "ducks, plain, 1"],
        ["ducks, plain, 1", "geese, plain, 2"],
    )
    assert str(compared[0].diff) == "Outline geese. [-Write-]{+Sing+} about geese, plain, 2. "
    assert (content(), blog.session_state, blog.last_run.inputs) == (before, state, {"topic": "geese"})
    assert len([done for done in blog.session.steps.all() if done.kind == "agent"]) == 4


def test_each_run_begins_from_the_state_that_its_session_had_then(storage):
    blog, _ = ran(storage, "ducks", "geese", "swans")
    assert [row.texts[1][-3] for row in blog.compare()] == ["3", "2", "1"]
    assert [row.changed for row in blog.compare()] == [False] * 3


def test_what_was_changed_by_hand_before_a_run_is_there_in_its_scratch_session(storage):
    class Told(Workflow):
        def run(self, n):
            self.session_state["runs"] = self.session_state.get("runs", 0) + 1
            return f"{n}: {self.session_state['style']}, {self.session_state['runs']}, {'old' in self.session_state}"

    told = Told(session_id="t", storage=storage, session_state={"old": 1, "runs": 10})
    told.session_state["style"] = "short"
    told.run(1)
    told.session_state["style"] = "long"
    del told.session_state["old"]
    told.run(2)
    compared = Told(session_id="t", storage=storage, session_state={"old": 1, "runs": 10}).compare()
    assert [row.texts[1] for row in compared] == ["2: long, 12, False", "1: short, 11, True"]
    assert compared.changed == ()


def test_runs_of_all_sessions_of_the_workflow_are_compared_each_with_its_own_steps(storage):
    ran(storage, "ducks", session_id="one")
    _, model = ran(storage, "geese", session_id="two")
    ran(storage, "swans", workflow=type("Other", (Blog,), {}), session_id="three")
    blog, _ = blog_in(storage, "four")
    blog.outliner.model = blog.writer.model = model
    compared = blog.compare()
    assert [(row.old.session_id, row.steps) for row in compared] == [("two", (2, 2)), ("one", (2, 2))]
    assert len(blog.compare(last=1)) == 1


def test_another_model_answers_in_scratch_sessions(storage):
    blog, model = ran(storage, "ducks")
    asked, other = len(model.requests), echoing("Other: ")
    compared = blog.compare(model=other)
    assert compared[0].texts[1] == "Other: Outline ducks. Other: Write about ducks, plain, 1. "
    assert (len(other.requests), len(model.requests)) == (2, asked)
    assert blog.writer.model is model
    with pytest.raises(BadSetting, match="has no agent among its attributes that takes another model"):
        Bare(storage=storage).compare(["x"], model="other")


class Bare(Workflow):
    """Has no agent."""

    def run(self, topic):
        return topic


def test_a_failing_row_is_a_row_with_its_error(storage):
    blog, _ = ran(storage, "ducks", "bad ducks")
    compared = blog.compare()
    assert [(row.outcome, row.changed) for row in compared] == [("✗ failed as before", False), ("= same", False)]
    assert compared[0].ends == "✗ failed: ValueError: no bad ducks"
    assert compared.df()[["old_error", "new_error"]].iloc[0].tolist() == ["ValueError: no bad ducks"] * 2
    assert compared.summary.startswith("2 compared, 0 changed, 1 failed as before")

    class Blog(globals()["Blog"]):
        def run(self, topic, text):
            return text

    mended = Blog(session_id="a", storage=storage).compare()
    assert mended[0].why == "MissingInput: Blog.run() needs 'text'; call it as run(text=…)"
    assert [row.outcome for row in mended] == ["✗ failed"] * 2


def test_inputs_may_be_given_and_those_without_a_recorded_run_are_new(storage, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    blog, _ = ran(storage, "ducks")
    frame = pd.DataFrame({"topic": ["ducks", "swans", "ducks"], "label": ["a", "b", "a"]})
    compared = blog.compare(frame)
    assert [(row.inputs, row.outcome) for row in compared] == [
        ({"topic": "ducks", "label": "a"}, "= same"),
        ({"topic": "swans", "label": "b"}, "+ new"),
    ]
    assert compared.summary.startswith("2 compared, 0 changed, 1 without a recorded run")
    assert list(compared.df().columns[:4]) == ["topic", "label", "old", "new"]
    Path("rows.csv").write_text("topic\nducks\n", encoding="utf-8")
    Path("rows.json").write_text('[{"topic": "ducks"}]', encoding="utf-8")
    table, files = storage.sql("SELECT 'ducks' AS topic"), ("rows.csv", Path("rows.json"))
    for given in (["ducks"], [{"topic": "ducks"}], {"topic": ["ducks"]}, iter(["ducks"]), table, *files):
        assert [row.outcome for row in blog.compare(given)] == ["= same"]


def test_what_cannot_be_compared_is_refused_before_anything_runs(storage):
    blog, model = ran(storage, "ducks")
    asked = len(model.requests)
    with pytest.raises(BadRows, match=r"row 1: Blog.run\(\) needs 'topic'"):
        blog.compare([{"topic": "x"}, {"style": "long"}])
    with pytest.raises(BadSetting, match="give one of the two"):
        blog.compare(["x"], last=3)
    with pytest.raises(BadRows, match="'ducks' is no file of rows; give the path"):
        blog.compare("ducks")
    with pytest.raises(BadRows, match="a dict of single values is one row"):
        blog.compare({"topic": "ducks"})
    for last in (-1, 0):
        with pytest.raises(BadSetting, match=f"last={last} is not how many runs are compared; give a whole number from 1 on"):
            blog.compare(last=last)
    with pytest.raises(BadSetting, match="limit=0 is not how many are run at once; give a whole number from 1 on"):
        blog.compare(limit=0)
    with pytest.raises(UnknownModel, match="'nope'"):
        blog.compare(model="nope")
    with pytest.raises(BadSetting, match="nothing to compare"):
        blog.compare([])
    with pytest.raises(BadSetting, match="is nothing to score by"):
        blog.compare(score=3)
    with pytest.raises(BadSetting, match=r"no run of Blog is in memory:; run it first, or give the inputs: compare\(\[\{…\}\]\)"):
        Blog(storage="memory:").compare()
    with pytest.raises(BadSetting, match="Blog keeps no runs: give it a storage"):
        Blog().compare()
    assert len(model.requests) == asked


def test_a_workflow_without_a_store_runs_given_inputs_beside_its_own_steps():
    blog, model = ran(None, "ducks")
    blog.session_state.clear()
    assert [row.outcome for row in blog.compare(["ducks"])] == ["+ new"]
    assert (len(model.requests), blog.session_state) == (2, {})


def test_answers_are_scored_by_functions_of_the_text_of_the_run_and_of_the_inputs(storage):
    blog, _ = ran(storage, "ducks", "bad geese")
    blog.writer.instructions = "Sing loudly about"

    async def topic(text, inputs):
        return text.count(inputs["topic"])

    scores = {"length": len, "topic": topic, "cheap": lambda run: run.input_tokens < 0, "broken": breaks}
    compared = blog.compare(score=scores)
    failed, scored = compared
    assert failed.scores == dict.fromkeys(scores, (None, None))
    assert scored.scores == {"length": (44, 50), "topic": (2, 2), "cheap": (0, 0), "broken": (None, None)}
    assert scored.unscored == {"broken": "ZeroDivisionError: division by zero"}
    assert (compared.means["length"], compared.means["length"].difference) == ((44, 50, 1), 6)
    assert "length 44 → 50 (+6); topic 2 → 2 (+0)" in compared.summary
    assert compared.df()[["old_length", "new_length", "broken_error"]].iloc[1].tolist() == [44, 50, scored.unscored["broken"]]


def test_scores_and_inputs_named_as_a_column_of_ours_have_columns_of_their_own(storage):
    compared = ran(storage, "ducks")[0].compare([{"topic": "ducks", "new": "right"}], score={"tokens": len})
    row = compared.df().iloc[0]
    assert row[["input_new", "old_score_tokens", "new_score_tokens"]].tolist() == ["right", 44, 44]
    assert row["new_tokens"] == compared[0].tokens[1]
    assert compared.df().columns.is_unique


def test_an_agent_scores_and_is_asked_once_about_two_equal_answers(storage):
    blog, _ = ran(storage, "ducks", "geese")
    judge = Agent(scripted(*["7", "8"]))
    assert {row.scores["score"] for row in blog.compare(score=judge)} == {(7.0, 7.0), (8.0, 8.0)}
    assert len(judge.model.requests) == 2


def test_scores_are_plotted_or_it_is_said_what_is_missing(storage, monkeypatch):
    blog, _ = ran(storage, "ducks", "geese", "swans")
    blog.writer.instructions = "Sing"
    compared = blog.compare(score={"length": len, "broken": breaks})
    figure = compared.plot()
    assert [part.get_title() for part in figure.axes] == [f"length: {compared.means['length']}", "broken: no score"]
    assert [len(marks.get_offsets()) for marks in figure.axes[0].collections] == [3, 3]
    assert [label.get_text() for label in figure.axes[0].get_xticklabels()] == ["swans", "geese", "ducks"]
    assert figure.axes[0].get_legend().get_bbox_to_anchor().x0 >= figure.axes[0].get_window_extent().x1  # it covers nothing
    many = Comparison(compared.rows * 15, "blog", "inputs", compared.names).plot().axes[0]
    assert (many.get_xlim(), [int(at) for at in many.get_xticks()][:3]) == ((0.5, 45.5), [1, 3, 6])
    assert [part.get_title() for part in pickle.loads(pickle.dumps(figure)).axes][1] == "broken: no score"
    plt.close("all")
    with pytest.raises(BadSetting, match="there are no scores to plot"):
        blog.compare().plot()
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(MissingPart, match="needs matplotlib, which is not here; run %pip install matplotlib"):
        compared.plot()


class Counted(Blog):
    """Runs so many at once as it is told."""

    together = threading.Barrier(2, timeout=10)

    def run(self, topic):
        self.together.wait()
        return topic


def test_rows_are_run_side_by_side_and_stand_in_order():
    compared = Counted().compare([f"topic {n}" for n in range(6)], limit=2)
    assert [row.texts[1] for row in compared] == [f"topic {n}" for n in range(6)]


class Waits(Workflow):
    """Goes on until it is stopped, after it has interrupted who waits for it."""

    ended = threading.Event()

    def run(self, topic):
        if topic == "second":
            signal.pthread_kill(threading.main_thread().ident, signal.SIGINT)
            try:
                while True:
                    yield "."
            finally:
                self.ended.set()
        yield topic


def test_an_interrupt_gives_what_is_done_and_ends_what_goes_on():
    compared = Waits().compare(["first", "second", "third"], limit=1)
    assert [row.outcome for row in compared] == ["+ new", "■ stopped", "■ stopped"]
    assert (compared[0].texts[1], compared[2].new) == ("first", None)
    assert "stopped before" in compared.summary
    assert Waits.ended.wait(10)


class Priced(Workflow):
    """Knows what its steps cost."""

    words = ("one", "two")

    @step
    def outline(self, topic):
        report_usage(model="m", input_tokens=10, output_tokens=5, cost=0.25)
        return topic

    @step
    def write(self, text):
        report_usage(model="m", input_tokens=20, output_tokens=len(self.words), cost=len(self.words) / 8)
        return " ".join([text, *self.words])

    def run(self, topic):
        return self.write(self.outline(topic))


def test_what_it_costs_is_told_as_if_nothing_was_remembered_and_what_was_paid_beside(storage):
    priced = Priced(session_id="p", storage=storage, cache="use")
    priced.run("ducks")
    priced.words = ("one", "two", "three")
    (row,) = compared = priced.compare()
    assert (row.pair("cost"), row.cost_diff, row.paid, row.tokens) == ((0.5, 0.625), 0.125, 0.375, (37, 38))
    assert "cost $0.5000 → $0.6250, $0.3750 paid now" in compared.summary
    assert compared.df()[["old_cost", "new_cost", "cost_diff", "paid"]].iloc[0].tolist() == [0.5, 0.625, 0.125, 0.375]
    assert priced.last_run.step("write").again().cost == (0.25, 0.375)


def test_where_no_price_is_known_tokens_are_told(storage):
    blog, _ = ran(storage, "ducks", "geese")
    blog.writer.instructions = "Sing"
    compared = blog.compare()
    assert " tokens" in compared.summary
    heads = str(compared).splitlines()[0].split()
    assert (heads[-1], "cost" in heads, ">tokens</th>" in compared._repr_html_()) == ("tokens", False, True)


class Awaits(Workflow):
    """Is async."""

    async def arun(self, topic):
        yield f"{topic}!"


def test_an_async_workflow_is_compared_too(tmp_path):
    awaits = Awaits(session_id="a", storage=open_storage(f"duckdb:///{tmp_path}/runs.duckdb"))
    assert awaits.arun("ducks").result().content == "ducks!"
    assert [row.outcome for row in awaits.compare()] == ["= same"]
    assert [row.outcome for row in awaits.compare(["ducks", "geese"])] == ["= same", "+ new"]


@contextmanager
def defined(cls):
    """Let a class stand where a cell defines it."""
    module, before = sys.modules[cls.__module__], globals()["Blog"]
    cls.__qualname__ = cls.__name__ = "Blog"
    module.Blog = cls
    try:
        yield
    finally:
        module.Blog = before


def test_it_is_the_code_of_the_cell_as_it_was_edited_that_runs(storage):
    blog, model = ran(storage, "ducks")

    class Edited(Blog):
        outliner = Agent(model, instructions="Outline")
        writer = Agent(model, instructions="Sing about")

    with defined(Edited):
        assert blog.compare()[0].texts[1] == "Outline ducks. Sing about ducks, plain, 1. "


def test_steps_that_change_the_state_and_arrays_in_it_are_read_from_the_session(storage):
    class Arrays(Workflow):
        @step
        def load(self, n):
            import numpy as np

            self.session_state["array"] = np.arange(n * 1000)

        def run(self, n):
            self.load(n)
            yield str(int(self.session_state["array"].sum()))

    arrays = Arrays(session_id="b", storage=storage, cache="use")
    arrays.run(3).result()
    (row,) = Arrays(session_id="b", storage=open_storage(storage.url), cache="use").compare()
    assert (row.outcome, row.steps) == ("= same", (1, 1))


def test_it_is_shown_without_running_anything_hostile_and_bounded(storage):
    class Says(Workflow):
        ending = "<i>old</i>"

        def run(self, text):
            if self.ending == "<b>new</b>" and "0" in text:
                raise ValueError(text)
            return f"<script>alert(1)</script> {text}" + " and so on" * 1000 + self.ending

    says = Says(session_id="h", storage=storage)
    for n in range(60):
        says.run(f"<img src=x onerror=alert({n})>")
    says.ending = "<b>new</b>"
    compared = says.compare([{"text": f"<img src=x onerror=alert({n})>"} for n in range(60)], score={"<b>": len})
    assert [row.outcome for row in compared[:2]] == ["✗ failed", "~ changed"]
    html = compared._repr_html_()
    assert not any(tag in html for tag in ("<script", "<img", "<b>", "<i>"))
    assert "&lt;<del" in html
    assert "the first 50 of 60 are shown" in html
    assert len(html) < 2_000_000
    assert len(repr(compared)) < 20_000
    assert repr(compared).splitlines()[1].startswith("text=<img src=x")
