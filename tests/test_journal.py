"""What a run said becomes rows, whatever it was: a record fails no run, and shows no secret."""

from __future__ import annotations

import json
import math
from datetime import UTC, datetime

import pydantic
import pytest

from wf_notebook.events import RunEvent, RunResponse
from wf_notebook.journal import Journal, end_row, start_row
from wf_notebook.run import Run


class Post(pydantic.BaseModel):
    title: str


class Broken:
    def __repr__(self) -> str:
        raise RuntimeError("no")

    def model_dump(self, **_) -> dict:
        raise RuntimeError("no")


class Odd:
    def __repr__(self) -> str:
        return "<odd>"


def cycle() -> dict:
    value: dict = {"a": [1]}
    value["self"] = value
    return value


def run(**changed) -> Run:
    given = {
        "run_id": "r",
        "session_id": "s",
        "workflow": "W",
        "status": "completed",
        "inputs": {},
        "started_at": datetime.now(UTC),
    }
    return Run(**given | changed)


def rows(*said: RunResponse) -> list[tuple]:
    journal = Journal("r")
    for one in said:
        journal.note(one)
    return [(row["seq"], row["event"], row["agent"], row["content"], row["data"]) for row in journal.rows()]


def inputs(value) -> object:
    return json.loads(start_row(run(inputs={"x": value}))["inputs"])["x"]


def test_successive_pieces_of_one_text_are_one_row():
    assert rows(*map(RunResponse, ("Hello, ", "Ada", "!"))) == [(1, "RunResponse", None, "Hello, Ada!", None)]


def test_texts_of_different_agents_and_events_are_rows_of_their_own():
    said = [
        RunResponse("a", agent_id="one"),
        RunResponse("b", agent_id="two"),
        RunResponse("c", agent_id="two", event=RunEvent.workflow_completed),
    ]
    assert rows(*said) == [
        (1, "RunResponse", "one", "a", None),
        (2, "RunResponse", "two", "b", None),
        (3, "WorkflowCompleted", "two", "c", None),
    ]


def test_what_is_no_text_is_a_row_of_data_between_the_texts():
    assert rows(RunResponse("a"), RunResponse(Post(title="T")), RunResponse("b")) == [
        (1, "RunResponse", None, "a", None),
        (2, "RunResponse", None, None, '{"title": "T"}'),
        (3, "RunResponse", None, "b", None),
    ]


def test_a_tool_call_is_a_row_with_the_call_as_data():
    ((_, event, _, content, data),) = rows(RunResponse(None, event=RunEvent.tool_call_started, tools=[{"name": "search"}]))
    assert (event, content, json.loads(data)) == ("ToolCallStarted", None, [{"name": "search"}])


def test_what_is_said_before_and_after_branches_stands_around_what_they_say():
    said = [("go ", None), ("on", None), ("a", "one"), ("x", "two"), ("b", "one"), ("done", None)]
    journal = Journal("r")
    for text, lane in said:
        journal.note(RunResponse(text).stamped({"lane": lane}))
    assert [(row["lane"], row["content"]) for row in journal.rows()] == [
        (None, "go on"), ("one", "ab"), ("two", "x"), (None, "done"),
    ]  # fmt: skip


def test_what_happens_beside_a_text_does_not_cut_it():
    journal = Journal("r")
    journal.note(RunResponse("a"))
    journal.hear(1.0, ("RunCompleted", "writer", None), {"span": "agent", "id": 1})
    journal.note(RunResponse("b"))
    assert [(row["event"], row["content"]) for row in journal.rows()] == [("RunCompleted", None), ("RunResponse", "ab")]


def test_rows_are_given_once_and_counted_on():
    journal = Journal("r")
    journal.note(RunResponse("a"))
    assert [row["seq"] for row in journal.rows()] == [1]
    assert list(journal.rows()) == []
    journal.note(RunResponse("b"))
    assert [(row["seq"], row["content"]) for row in journal.rows()] == [(2, "b")]


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ({"a": [1, None, True, 1.5]}, {"a": [1, None, True, 1.5]}),
        ((1, 2), [1, 2]),
        ({1: "a"}, {"1": "a"}),
        ({(1, 2): "a", "b": 1}, {"(1, 2)": "a", "b": 1}),
        (math.nan, "nan"),
        ([math.inf, 1.5], ["inf", 1.5]),
        ({"a"}, "{'a'}"),
        (Odd(), "<odd>"),
        ([Odd(), {"o": Odd()}], ["<odd>", {"o": "<odd>"}]),
        (Post(title="T"), {"title": "T"}),
        (Broken(), "<Broken>"),
        ({"a": [Broken()], "b": 1}, {"a": ["<Broken>"], "b": 1}),
        ([10**5000, 2**70], ["<int>", 2**70]),
        ("half \ud800", "half ?"),
        (b"bytes", "b'bytes'"),
        ("nul \0", "nul \0"),
    ],
)
def test_whatever_was_put_in_is_shown(value, shown):
    assert inputs(value) == shown


def test_what_contains_itself_is_shown_as_deep_as_a_reader_looks():
    shown = inputs(cycle())
    assert (shown["a"], shown["self"]["self"]["a"]) == ([1], [1])
    assert len(json.dumps(shown)) < 2000


def test_secrets_are_shown_by_their_names_and_the_json_stays_whole(monkeypatch):
    monkeypatch.setenv("BOT_TOKEN", "123456789")
    row = start_row(run(inputs={"n": 123456789, "s": "it is 123456789"}))
    assert json.loads(row["inputs"]) == {"n": 123456789, "s": "it is <redacted BOT_TOKEN>"}
    end = end_row(run(content="token 123456789", error="ValueError: 123456789", changes={"123456789": "set"}))
    assert "123456789" not in json.dumps(end)
    assert rows(RunResponse("it is "), RunResponse("1234"), RunResponse("56789"))[0][3] == "it is <redacted BOT_TOKEN>"


def test_times_are_utc_and_sortable():
    row = start_row(run(started_at=datetime(2026, 1, 2, 3, 4, 5, 6, UTC)))
    assert row["happened_at"] == "2026-01-02 03:04:05.000006"
