from __future__ import annotations

import asyncio

import pytest
from pydantic import BaseModel

from wf_notebook import Agent, RunResponse, Workflow, apprint_run_response, parallel, pprint_run_response
from wf_notebook.render import print_record
from wf_notebook.testing import scripted


class Headline(BaseModel):
    title: str


class Blog(Workflow):
    def run(self, topic):
        yield "# On "
        yield f"{topic}\n\n*really*"


def inside(text):
    """Return what is in the box."""
    return [line.strip("│ ") for line in text.splitlines() if line.startswith("│") and line.strip("│ ")]


def test_one_response_is_printed_in_a_box(capsys):
    pprint_run_response(RunResponse("hello *you*"))
    assert capsys.readouterr().out == "╭─────────────╮\n│ hello *you* │\n╰─────────────╯\n"


def test_a_stream_is_printed_as_one_text(capsys):
    pprint_run_response(Blog().run(topic="cats"))
    assert inside(capsys.readouterr().out) == ["# On cats", "*really*"]


def test_markdown_is_rendered_if_asked_for(capsys):
    pprint_run_response(Blog().run(topic="cats"), markdown=True)
    assert inside(capsys.readouterr().out) == ["On cats", "really"]


def test_the_time_stands_beside_the_answer_if_asked_for(capsys):
    pprint_run_response(Blog().run(topic="cats"), show_time=True)
    assert inside(capsys.readouterr().out)[0].startswith("Response")


@pytest.mark.parametrize("content", [Headline(title="Cats"), {"title": "Cats"}])
def test_structured_content_is_printed_as_json(capsys, content):
    pprint_run_response(iter([RunResponse("see:"), RunResponse(content)]))
    assert inside(capsys.readouterr().out) == ["see:", "{", '"title": "Cats"', "}"]


def test_markup_and_links_of_the_terminal_are_text(capsys):
    pprint_run_response(RunResponse("[bold]x[/bold] [link=file:///]y[/link]"))
    assert inside(capsys.readouterr().out) == ["[bold]x[/bold] [link=file:///]y[/link]"]


def test_the_async_twin_prints_streams_and_single_responses(capsys):
    class Later(Workflow):
        async def arun(self):
            yield "so"
            yield "on"

    asyncio.run(apprint_run_response(Later().arun()))
    asyncio.run(apprint_run_response(RunResponse("one")))
    assert inside(capsys.readouterr().out) == ["soon", "one"]


def test_what_was_printed_before_a_failure_stays(capsys):
    def stream():
        yield RunResponse("part")
        raise ValueError("oh no")

    with pytest.raises(ValueError, match="oh no"):
        pprint_run_response(stream())
    assert inside(capsys.readouterr().out) == ["part"]


def test_a_branch_that_failed_is_printed_in_its_lane(capsys):
    def bad():
        yield "part"
        raise ValueError("[bold]mine")

    pprint_run_response(parallel(bad(), on_error="keep"), markdown=True)
    assert inside(capsys.readouterr().out) == ["▸ bad", "part", "✗ failed: ValueError: [bold]mine"]


def test_a_record_is_printed_as_it_looked_while_it_came(run, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "120")
    print_record(run(changes={"n": "set"}), [RunResponse("- **one**\n"), RunResponse("- two\n")])
    head, *box, foot = capsys.readouterr().out.splitlines()
    assert head.startswith("Blog · session demo · ✓ completed · 2.1 s · ")
    assert [line.strip("│ ") for line in box[1:-1]] == ["", "• one", "• two"]
    assert foot == "session_state: n (set)"


CALL = {"tool_name": "search", "tool_args": {"topic": "[bold]cats"}, "tool_call_id": "1"}


def test_calls_of_tools_thoughts_and_several_agents_are_printed_each_in_its_place(capsys):
    started = RunResponse(event="ToolCallStarted", tools=[CALL], agent_id="reader")
    failed = RunResponse(event="ToolCallCompleted", tools=[{**CALL, "tool_call_error": True, "result": "no"}], agent_id="reader")
    thought = RunResponse("Hm, *cats*.", event="ReasoningStep", agent_id="writer")
    pprint_run_response(iter([started, failed, thought, RunResponse("Cats.", agent_id="writer")]), markdown=True)
    assert inside(capsys.readouterr().out) == [
        "▸ reader", "✗ search(topic='[bold]cats'): no", "▸ writer", "reasoning: Hm, *cats*.", "Cats.",
    ]  # fmt: skip


def test_a_record_is_printed_in_full_with_its_timeline_when_a_run_is_shown(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "120")

    class Asks(Workflow):
        writer = Agent(scripted("# Cats"))

        def run(self):
            yield self.writer.run("?", stream=True)
            yield RunResponse(event="ToolCallStarted", tools=[CALL])

    asks = Asks(session_id="demo", storage="memory:")
    asks.run().result()
    asks.last_run.show()
    live = capsys.readouterr().out
    assert inside(live) == ["Cats", "■ search(topic='[bold]cats'): not finished"]
    assert [line.split()[:2] for line in live.splitlines()[-2:]] == [["agent", "writer"], ["tool", "search"]]
    asks.storage.run(asks.last_run.run_id).show()
    assert capsys.readouterr().out == live


def test_a_compact_record_is_its_head_and_the_answer(run, capsys):
    said = [RunResponse(event="ToolCallStarted", tools=[CALL]), RunResponse("Cats.")]
    print_record(run(changes={"n": "set"}), said, detail="compact")
    out = capsys.readouterr().out
    assert inside(out) == ["Cats."]
    assert "session_state" not in out
    print_record(run(), [RunResponse("Cats.")], detail="none")
    assert capsys.readouterr().out == ""


def test_what_is_said_cannot_steer_the_terminal(capsys):
    evil = "\x1b]0;owned\x07\x1b[2J\u202e"
    pprint_run_response(RunResponse(f"text {evil}"))
    pprint_run_response(RunResponse(event="ToolCallStarted", tools=[{"tool_name": evil, "tool_args": {"a": evil, evil: 1}}]))
    pprint_run_response(RunResponse(event="RunError", extra_data={"error": evil}).stamped({"lane": evil}))
    pprint_run_response(RunResponse({"key": evil}), markdown=True)
    out = capsys.readouterr().out
    assert "text" in out
    assert not {"\x1b", "\x07", "\u202e"} & {*out}
