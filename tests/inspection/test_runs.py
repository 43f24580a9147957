"""The runs of a session, as an inspector gives them to a page and to Python."""

from __future__ import annotations

import json
import os
from contextlib import suppress
from datetime import UTC, datetime
from html.parser import HTMLParser
from pathlib import Path

import pytest

from wf_notebook import Agent, Workflow, open_storage, parallel, step
from wf_notebook.inspection import Inspector, answer
from wf_notebook.journal import start_row
from wf_notebook.processes import process_started_at
from wf_notebook.redact import register_secret
from wf_notebook.run import Run
from wf_notebook.testing import scripted
from wf_notebook.transaction import Records

HOSTILE = json.loads((Path(__file__).parent.parent / "data" / "hostile.json").read_text())


class Blog(Workflow):
    @step
    def outline(self, topic):
        return [topic]

    def run(self, topic, n=1):
        self.session_state["topic"] = topic
        yield f"**{self.outline(topic)[0]}**"
        if topic == "ducks":
            raise LookupError("no <b>ducks</b>")


class Talk(Workflow):
    def run(self):
        one, other = (Agent(scripted(f"says *{name}*"), name=name) for name in ("one", "other"))
        yield parallel(one.run("go", stream=True), other.run("go", stream=True))


class Quiet(Workflow):
    def run(self):
        return None


@pytest.fixture(
    params=["memory:", "sqlite:///runs.sqlite", "duckdb:///runs.duckdb", pytest.param("postgres", marks=pytest.mark.postgres)]
)
def storage(request, place, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with open_storage(place(request.param)) as opened:
        yield opened


@pytest.fixture
def ran(storage):
    """Return a way to run a workflow in session "demo"; it gives the run's id."""

    def run(cls, *args, **inputs):
        workflow = cls(session_id="demo", storage=storage, cache="use")
        with suppress(LookupError):
            list(workflow.run(*args, **inputs) or ())
        return workflow.last_run.run_id

    return run


@pytest.fixture
def ask(storage):
    """Return a way to ask an inspector of session "demo"."""
    inspector = Inspector(storage)

    def asked(op, **fields):
        told = answer(inspector, {"id": 1, "op": op, "session": "demo", **fields})
        assert told["ok"], told
        return told["result"]

    return asked


def began(run_id, *, process):
    """Return the row that says that a run began in a process with the PID of this one, which started then."""
    run = Run(run_id, "demo", "Blog", "running", {}, datetime(2026, 1, 1, 12, tzinfo=UTC))
    return start_row(run) | {"process_started_at": process}


def test_the_list_has_the_newest_run_first_with_how_it_stands_and_what_came_from_the_store(ran, ask):
    ids = [ran(Blog, "cheese"), ran(Blog, "cheese", n=2), ran(Blog, "ducks")]
    listed = ask("runs")
    assert listed["total"] == 3
    told = [(row["id"], row["status"], row["inputs"], row["steps"], row["hits"]) for row in listed["rows"]]
    assert told == [
        (ids[2], "failed", "topic='ducks'", 1, 0),
        (ids[1], "completed", "topic='cheese', n=2", 1, 1),
        (ids[0], "completed", "topic='cheese'", 1, 0),
    ]
    assert listed["rows"][0]["error"] == "LookupError: no <b>ducks</b>"


def test_the_list_is_given_in_pages_and_by_words_and_by_how_runs_stand(ran, ask):
    ids = [ran(Blog, f"topic {n}") for n in range(5)] + [ran(Blog, "ducks")]
    page = ask("runs", start=1, count=2)
    assert (page["total"], [row["id"] for row in page["rows"]]) == (6, [ids[4], ids[3]])
    assert [row["id"] for row in ask("runs", words="TOPIC 3")["rows"]] == [ids[3]]
    assert [row["id"] for row in ask("runs", words="lookuperror")["rows"]] == [ids[5]]
    assert ask("runs", words="%")["total"] == 0
    assert [row["id"] for row in ask("runs", status="failed")["rows"]] == [ids[5]]
    assert ask("runs", status="completed", words="topic")["total"] == 5
    assert ask("runs", status="open") == {"total": 0, "start": 0, "rows": []}


def test_a_run_whose_process_is_gone_is_lost_and_one_of_this_process_goes_on(storage, ask):
    here, gone = began("here", process=process_started_at(os.getpid())), began("gone", process="12")
    storage.session("demo").save(Records([here, gone]))
    assert {row["id"]: row["status"] for row in ask("runs", status="open")["rows"]} == {"gone": "lost", "here": "running"}
    assert ask("run", run="gone")["standing"] == "? lost"
    assert ask("run", run="here")["standing"] == "● running"
    storage.session("demo").save(Records([began("next", process=process_started_at(os.getpid()))]))  # which ends what is lost
    assert [row["id"] for row in ask("runs", status="lost")["rows"]] == ["gone"]


def test_a_run_that_was_stopped_says_so(storage, ask):
    blog = Blog(session_id="demo", storage=storage)
    stream = blog.run("cheese")
    next(stream)
    blog.stop()
    list(stream)
    assert ask("run", run=blog.last_run.run_id)["status"] == "stopped"
    assert ask("runs", status="stopped")["total"] == 1


def test_a_run_tells_its_inputs_as_python_prints_them_and_long_ones_when_they_are_asked_for(ran, ask):
    run = ran(Blog, "x" * 1000, n=[1, "two"])
    told = ask("run", run=run)["inputs"]
    assert told[0] == {"name": "topic", "text": "'" + "x" * 299, "length": 1002}
    assert told[1] == {"name": "n", "text": "[1, 'two']", "length": 10}
    assert ask("run_input", run=run, number=0)["text"] == repr("x" * 1000)


def test_what_a_run_changed_leads_to_the_version_that_it_saved(ran, ask, storage):
    ran(Blog, "cheese")
    run = ran(Blog, "ham")
    newest = storage.session("demo").versions()[-1].version
    assert ask("run_changes", run=run)["rows"] == [{"version": newest, "step": "topic", "key": "topic", "op": "set"}]


def test_steps_say_where_they_came_from_and_why_they_were_done(ran, ask):
    ran(Blog, "cheese")
    told = ask("run_steps", run=ran(Blog, "ham"))
    assert told["summary"].startswith("0 of 1 from the store; 1 done in ")
    assert [(row["step"], row["from"], row["why"]) for row in told["rows"]] == [
        ("outline", "● done", "argument `topic` 'cheese' → 'ham'")
    ]
    assert ask("run_steps", run=ran(Blog, "ham"))["rows"][0]["from"] == "✓ store"


def test_a_run_without_steps_changes_words_or_agents_has_nothing_in_any_part(ran, ask):
    run = ran(Quiet)
    assert ask("run_steps", run=run) == {"summary": "", "total": 0, "start": 0, "rows": []}
    assert ask("run_changes", run=run) == {"rows": [], "total": 0, "summary": ""}
    assert ask("run_said", run=run) == {"blocks": [], "more": ""}
    assert ask("run_timeline", run=run) == {"blocks": []}
    assert ask("run_error", run=run) == {"text": "", "length": 0, "note": ""}
    assert ask("takes") == {"total": 0, "start": 0, "rows": []}
    assert ask("runs")["rows"][0]["steps"] == 0


def test_branches_are_lanes_and_bars(ran, ask):
    run = ran(Talk)
    one, other = sorted(ask("run_said", run=run)["blocks"])
    assert ">one</strong>" in one
    assert "says <em>one</em>" in one
    assert "says <em>other</em>" in other
    told = ask("run_timeline", run=run)
    assert told["summary"].startswith("2 branches, 2 agents, ")
    assert "one" in told["blocks"][0]


def test_an_error_has_the_traceback_of_the_user_and_none_of_our_frames(ran, ask):
    told = ask("run_error", run=ran(Blog, "ducks"))
    assert told["text"].startswith("Traceback (most recent call last):")
    assert 'raise LookupError("no <b>ducks</b>")' in told["text"]
    assert told["text"].endswith("LookupError: no <b>ducks</b>")
    assert "stream.py" not in told["text"]
    assert told["note"] == ""


def test_an_error_that_was_recorded_without_its_traceback_says_so(ran, ask, storage):
    run = ran(Blog, "ducks")
    storage._transact(lambda opened: opened.cursor.execute("DELETE FROM event_log WHERE run_id = ?", (run,)), write=True)
    assert ask("run_error", run=run) == {
        "text": "LookupError: no <b>ducks</b>", "length": 28, "note": "its traceback was not recorded",
    }  # fmt: skip


def test_the_record_and_the_replay_are_there_in_full(ran, ask):
    run = ran(Blog, "cheese")
    assert "<strong>cheese</strong>" in ask("record", run=run)["blocks"][0]
    page = ask("replay", run=run)["page"]
    assert page.startswith("<!doctype html>")
    assert "default-src 'none'" in page


def test_takes_stand_side_by_side_and_another_one_can_be_chosen(storage, ask):
    for said in ("first", "second"):
        blog = Blog(session_id="demo", storage=storage, cache="use" if said == "first" else "refresh")
        blog.run("cheese").result()
    (row,) = ask("takes")["rows"]
    assert (row["step"], row["total"], [take["used"] for take in row["takes"]]) == ("outline", 2, [False, True])
    assert row["takes"][0]["text"] == "['cheese']"
    assert ask("use_take", take=row["takes"][0]["id"]) == {"step": "outline"}
    (row,) = ask("takes")["rows"]
    assert [take["used"] for take in row["takes"]] == [True, False]
    assert storage.session("demo").takes()["used"] == ["✓ used", ""]


@pytest.mark.parametrize("hostile", HOSTILE, ids=lambda each: each["name"])
def test_what_others_wrote_is_text_or_safe_html(hostile):
    text = hostile["text"].replace("{n}", "1") * min(hostile.get("times", 1), 10)

    class Says(Workflow):
        def run(self, topic):
            self.session_state[text] = 1
            yield text
            raise LookupError(text)

    class Elements(HTMLParser):
        def __init__(self):
            super().__init__()
            self.found = []

        def handle_starttag(self, tag, attrs):
            self.found += [tag, *(name for name, _ in attrs if name.startswith("on"))]

    with open_storage("memory:") as storage:
        says = Says(session_id="demo", storage=storage, name=text or None)
        with pytest.raises(LookupError):
            says.run(text).result()
        inspector = Inspector(storage, session="demo")
        given = {"session": "demo", "run": says.last_run.run_id}
        for op in ("run_said", "run_timeline", "record"):
            told = answer(inspector, {"op": op, **given})
            assert told["ok"], told
            elements = Elements()
            elements.feed("".join(told["result"]["blocks"]))
            assert not {"script", "iframe", "object", "style", "form", "link"} & set(elements.found)
            assert not [name for name in elements.found if name.startswith("on")]
        for op in ("runs", "run", "run_error", "run_changes", "run_steps", "takes"):
            told = answer(inspector, {"op": op, **given})
            assert told["ok"], told
            json.dumps(told, allow_nan=False).encode()


def test_secrets_are_told_by_their_names(storage, ask):
    class Reads(Workflow):
        def run(self, key):
            raise LookupError(f"refused {key}")

    reads = Reads(session_id="demo", storage=storage)
    secret = "s3cret-of-this-test"
    with pytest.raises(LookupError):
        reads.run(secret).result()
    register_secret("key", secret)
    told = [ask(op, run=reads.last_run.run_id) for op in ("runs", "run", "run_error", "record", "replay")]
    assert secret not in json.dumps(told)


def test_an_answer_is_bounded_whatever_the_run_was(storage, ask):
    class Floods(Workflow):
        def run(self, **given):
            for n in range(300):
                self.session_state[f"key {n}"] = n
                yield "word " * 1000
            raise LookupError("no" * 500_000)

    floods = Floods(session_id="demo", storage=storage)
    with pytest.raises(LookupError):
        floods.run(**{f"input {n}": "x" * 10_000 for n in range(200)}).result()
    run = floods.last_run.run_id
    for op in ("runs", "run", "run_said", "run_timeline", "run_steps", "run_changes", "run_error"):
        assert len(json.dumps(ask(op, run=run))) <= 100_000, op
    assert ask("run_said", run=run)["more"].endswith("more characters: open the record")
    assert len(ask("run_changes", run=run)["rows"]) == 100


def test_a_run_that_said_too_much_to_be_played_says_what_plays_it(storage):
    class Floods(Workflow):
        def run(self):
            yield "word " * 40_000

    floods = Floods(session_id="demo", storage=storage)
    list(floods.run())
    told = answer(Inspector(storage), {"op": "replay", "run": floods.last_run.run_id})
    assert told["error"].startswith("the run said too much to be played in this page; storage.run('")


def test_in_python_the_run_that_is_open_is_a_run_and_the_runs_are_a_table(ran, storage):
    run = ran(Blog, "cheese")
    inspector = Inspector(storage, session="demo")
    assert inspector.run is None
    inspector.go(run=run)
    assert inspector.run.inputs == {"topic": "cheese"}
    assert inspector.runs()["run_id"] == [run]


def test_a_run_that_goes_on_is_read_anew_each_time(storage, ask):
    blog = Blog(session_id="demo", storage=storage, cache="use")
    stream = blog.run("cheese")
    next(stream)
    blog._run().flush()  # what is done each quarter of a second
    run = blog.last_run.run_id
    assert ask("run", run=run)["status"] == "running"
    list(stream)
    assert ask("run", run=run)["status"] == "completed"
    assert "<strong>cheese</strong>" in ask("run_said", run=run)["blocks"][0]
