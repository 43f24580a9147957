"""The record of a run is the same while it is fresh and from its store, in any process, whenever it is shown."""

from __future__ import annotations

import copy
import os
import pickle
import subprocess
import sys
from enum import Enum
from typing import Any

import pytest
from pydantic import BaseModel

from wf_notebook import Agent, RunEvent, RunResponse, Workflow, open_storage, parallel
from wf_notebook.render import record_bundle, run_bundle
from wf_notebook.testing import ToolCall, scripted

SHOWS = "import sys; from wf_notebook import open_storage; sys.stdout.write(open_storage(sys.argv[1]).run(sys.argv[2])\
._repr_mimebundle_()[sys.argv[3]])"


class Mood(Enum):
    good = "fine"


class Post(BaseModel):
    title: str
    mood: Mood = Mood.good
    rating: int | None = None


def double(number: int) -> int:
    """Double a number."""
    return 2 * number


def picky(number: int) -> int:
    """Fail."""
    raise LookupError(f"<no {number} ducks>")


class Report(Workflow):
    reader = Agent(tools=[double])
    writer = Agent(tools=[picky])

    def run(self, topic):
        self.session_state |= {"topic": topic, "posts": ["<b>"] * 50, ("a", 1): Post(title="x"), "odd": {1, 2}}
        yield f"# On *{topic}*\n\n"
        yield self.reader.run("?", stream=True)
        yield RunResponse("Hm. ", event=RunEvent.reasoning_step.value)
        yield "before "
        yield parallel(self.words(), self.fails, lambda: RunResponse(Post(title="<i>")), on_error="keep", limit=1)
        yield "after"
        yield Post(title="T")
        yield RunResponse({"n": [1, None, 2.5], (1, 2): {3}, "deep": {"a": [{"b": Mood.good}]}})
        yield RunResponse(object_that_prints())
        yield self.writer.run("?", stream=True)

    def words(self):
        yield "one "
        yield "two"

    def fails(self):
        raise ValueError("mine")


def object_that_prints():
    return type("Odd", (), {"__repr__": lambda _: "<odd *thing*>"})()


def ran(storage: Any) -> Workflow:
    """Return a workflow that has just run; what it raised is in its record."""
    report = Report(session_id="s", storage=storage)
    report.reader.model = scripted(["Let me see. ", ToolCall("double", {"number": 4})], "It is 8.\n\n")
    report.writer.model = scripted(ToolCall("picky", {"number": 1}))
    with pytest.raises(LookupError):
        report.run(topic="<ducks> & $x$").result()
    return report


@pytest.mark.parametrize(
    "kind", ["duckdb:///{}/runs.duckdb", "sqlite:///{}/runs.db", "memory:", pytest.param("postgres", marks=pytest.mark.postgres)]
)
def test_a_run_that_has_just_ended_has_the_same_record_as_its_store_has(kind, place, tmp_path):
    report = ran(place(kind).format(tmp_path))
    run = report.last_run
    live, stored = run_bundle(run), run_bundle(report.storage.run(run.run_id))
    assert live == stored
    again = report.storage.run(run.run_id).told
    assert again.events() is again.events(), "it is read once"
    assert record_bundle(run, [RunResponse("what the run tells itself counts")], state={"topic": "other"}) == live
    text = live["text/plain"]
    assert text.index("✓ double(number=4)") < text.index("It is 8.") < text.index("reasoning: Hm.") < text.index("before")
    assert "▸ fails\n✗ failed: ValueError: mine" in text
    assert text.index("before") < text.index("▸ words\none two") < text.index("after")
    assert "✗ picky(number=1): LookupError: <no 1 ducks>" in text
    assert "<odd *thing*>" in text
    assert "<th>topic</th><td>set</td><td>&#x27;&lt;ducks&gt; &amp; $x$&#x27;</td>" in live["text/html"]
    assert "Post(title=&#x27;x&#x27;, mood=&lt;Mood.good: &#x27;fine&#x27;&gt;, rating=None)" in live["text/html"]
    assert "<summary>timeline: " in live["text/html"]


def test_other_processes_show_the_same_bytes_in_whatever_zone_they_are(tmp_path):
    url = f"sqlite:///{tmp_path}/runs.db"
    run = ran(url).last_run
    for mime in ("text/html", "text/plain"):
        shown = {
            subprocess.run(
                [sys.executable, "-c", SHOWS, url, run.run_id, mime],
                env={**os.environ, "TZ": zone, "PYTHONHASHSEED": seed},
                capture_output=True,
                check=True,
            ).stdout.decode()
            for zone, seed in (("UTC", "1"), ("Asia/Tokyo", "2"))
        }
        assert shown == {run_bundle(run)[mime]}


def test_text_that_was_saved_on_the_way_is_one_text_again(tmp_path):
    class Slow(Workflow):
        def run(self):
            for piece in ("# On ", "ducks", "\n\nthey ", "swim"):
                yield piece
                saver.flush()

    flow = Slow(session_id="s", storage=f"sqlite:///{tmp_path}/runs.db")
    stream = flow.run()
    saver = stream._open
    stream.result()
    stored = flow.storage.run(flow.last_run.run_id)
    assert len(flow.storage.events(stored.run_id)) > 1
    assert run_bundle(stored) == run_bundle(flow.last_run)
    assert "<h1>On ducks</h1>" in run_bundle(stored)["text/html"]


def test_several_outputs_stand_by_themselves_in_both():
    class Several(Workflow):
        def run(self):
            return ["one", ["two", {"n": 1}][:1], iter(["th", "ree"]), Post(title="x")]

    flow = Several(session_id="s", storage="memory:")
    answer = flow.run()
    live = record_bundle(flow.last_run, [answer])
    assert live == run_bundle(flow.storage.run(flow.last_run.run_id))
    assert live["text/plain"].split("\n\n")[1:4] == ["one", "two", "three"]


def test_a_run_that_goes_on_shows_what_is_stored_so_far(tmp_path):
    storage = open_storage(f"sqlite:///{tmp_path}/runs.db")

    class Waits(Workflow):
        def run(self):
            yield "part "
            yield RunResponse(event=RunEvent.tool_call_started.value, tools=[{"tool_name": "search", "tool_call_id": "1"}])
            yield "of it"

    stream = Waits(session_id="s", storage=storage).run()
    next(stream), next(stream)
    stream._open.flush()
    run = storage.run(stream.run.run_id)
    assert run_bundle(run)["text/plain"].split("\n\n")[1:] == ["part ", "● search() …"]
    assert [(bar.name, bar.status) for bar in run.timeline()] == [("search", "running")]
    next(stream)
    stream._open.flush()
    assert run_bundle(run)["text/plain"].split("\n\n")[-1] == "of it"
    stream.stop()
    stopped = storage.run(run.run_id)
    assert run_bundle(stopped)["text/plain"].split("\n\n")[1:] == ["part ", "■ search(): not finished", "of it"]
    assert [(bar.name, bar.status) for bar in stopped.timeline()] == [("search", "stopped")]


def test_a_long_run_without_a_store_is_told_as_long_as_it_is_there_and_then_by_its_text():
    class Long(Workflow):
        def run(self):
            for n in range(200):
                yield f"{n} "
            yield RunResponse({"n": 1})

    flow = Long()
    stream = flow.run()
    stream.result()
    assert '"n": 1' in run_bundle(flow.last_run)["text/plain"]
    run = flow.last_run
    del stream
    assert run_bundle(run)["text/plain"].split("\n\n")[1].startswith("0 1 2 ")


def test_a_run_that_was_erased_is_told_by_its_own_record():
    flow = Report(session_id="s", storage="memory:")
    flow.reader.model = flow.writer.model = scripted("a", "b")
    for _ in range(120):
        flow.run(topic="x").stop()
    run = flow.last_run
    flow.storage.purge()
    assert run_bundle(run)["text/plain"].startswith("Report · session s · ■ stopped")


def test_the_record_of_a_run_can_be_copied_and_kept_without_who_tells_more_of_it():
    flow = ran("memory:")
    for run in (flow.last_run, flow.storage.run(flow.last_run.run_id)):
        for copied in (copy.deepcopy(run), pickle.loads(pickle.dumps(run))):
            assert (copied, copied.told) == (run, None)
            assert run_bundle(copied)["text/plain"].startswith("Report · session s · ✗ failed")
    flow.session_state["last"] = flow.last_run
    flow.write_to_storage()
    assert Report(session_id="s", storage=flow.storage).session_state["last"] == flow.last_run
