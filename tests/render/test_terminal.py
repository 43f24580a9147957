from __future__ import annotations

import asyncio

import pytest
from pydantic import BaseModel

from wf_notebook import RunResponse, Workflow, apprint_run_response, parallel, pprint_run_response
from wf_notebook.render import print_record


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
