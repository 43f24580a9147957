"""`wf replay`: what a run said, again."""

from __future__ import annotations

import json
import os
import time

import pytest

from wf_notebook import RunResponse, Workflow


class Slow(Workflow):
    def run(self):
        yield RunResponse("one ")
        time.sleep(0.3)
        yield RunResponse("two")


@pytest.fixture(autouse=True)
def slow(monkeypatch, working_directory):
    url = f"duckdb:///{working_directory / 'runs.duckdb'}"
    monkeypatch.setenv("WF_STORAGE", url)
    Slow(session_id="slow", storage=url).run().result()


def test_it_says_again_what_was_said_at_its_pace(wf):
    began = time.perf_counter()
    done = wf("replay")
    assert (done.exit_code, done.stdout) == (0, "one two\n")
    assert "Slow · session slow · ✓ completed" in done.stderr
    assert time.perf_counter() - began >= 0.3


def test_fast_it_does_not_wait(wf, monkeypatch):
    monkeypatch.setattr(time, "sleep", lambda _: pytest.fail("it waited"))
    assert wf("replay --fast").stdout == "one two\n"


def test_as_json_it_is_what_was_said_with_its_moments(wf):
    said = json.loads(wf("replay --json").stdout)
    assert [each["content"] for each in said] == ["one ", "two"]
    assert said[0]["at"] < said[1]["at"]


@pytest.mark.parametrize(("session", "lists"), [("each", "wf sessions many/"), ("one", "wf runs -s many")])
def test_of_a_sweep_it_says_what_that_is_and_where_its_rows_are(wf, session, lists):
    class Many(Workflow):
        def run(self, n: int):
            return f"row {n}"

    sweep = Many(session_id="many", storage=os.environ["WF_STORAGE"]).map([1, 2], session=session)
    sweep.result()
    named = sweep.run_id[:8]
    said = (
        f"Error: run {named} is a sweep, which says nothing itself; wf show {named} shows its record, "
        f"{lists} lists its rows, and wf replay plays one of these\n"
    )
    for line in ("replay many/", f"replay {named}"):
        done = wf(line)
        assert (done.exit_code, done.stdout, done.stderr) == (2, "", said)
    row = sweep.rows[0]
    assert {"each": row.session_id, "one": row.run_id}[session] in wf(f"{lists.removeprefix('wf ')} --json").stdout
    assert wf(f"replay {row.run_id[:8]} --fast").stdout == "row 1\n"
