"""What responses said, in order: pieces joined, calls of tools in one place, lane by lane, agent by agent."""

from __future__ import annotations

import pytest

from wf_notebook import RunEvent, RunResponse
from wf_notebook.render import content_html, content_text
from wf_notebook.render.cap import capped
from wf_notebook.render.said import Lane, Reasoning, ToolCall
from wf_notebook.render.transcript import LONG, contents, settled

CALL = {"tool_name": "search", "tool_args": {"topic": "<ducks>", "n": 3}, "tool_call_id": "1"}


def started(**more):
    return RunResponse(event=RunEvent.tool_call_started.value, tools=[CALL], **more)


def ended(**more):
    return RunResponse(event=RunEvent.tool_call_completed.value, tools=[CALL | more])


def thought(text, **more):
    return RunResponse(text, event=RunEvent.reasoning_step.value, **more)


def in_lane(response, lane):
    return response.stamped({"lane": lane})


def test_pieces_of_a_thought_are_one_and_lie_in_a_fold():
    said = contents([thought("First, "), thought("<b>ducks</b>."), RunResponse("Ducks "), RunResponse("swim.")])
    assert said == [Reasoning("First, <b>ducks</b>."), "Ducks swim."]
    assert content_html(said[0]).startswith("<details><summary><em>reasoning</em></summary>")
    assert "&lt;b&gt;ducks" in content_html(said[0])
    assert content_text(said[0]) == "reasoning: First, <b>ducks</b>."


def test_a_call_that_is_over_takes_the_place_of_its_beginning():
    said = contents([started(), RunResponse("meanwhile "), ended(result=["one"]), RunResponse("done")])
    assert said == [ToolCall("1", "search", CALL["tool_args"], ["one"], over=True), "meanwhile done"]
    html = content_html(said[0])
    assert html.startswith("<details><summary>✓ search(topic=&#x27;&lt;ducks&gt;&#x27;, n=3)</summary><table>")
    assert "<li>one</li>" in html


def test_a_call_ends_in_its_own_lane_also_after_another_agent_spoke():
    said = contents([started(agent_id="a"), RunResponse("b", agent_id="b"), ended(result=1)])
    assert said == [Lane("a", [ToolCall("1", "search", CALL["tool_args"], 1, over=True)]), Lane("b", ["b"])]
    lanes = contents([in_lane(started(), "one"), in_lane(started(), "two"), in_lane(ended(result=1), "two")])
    assert [(lane.name, [call.over for call in lane.contents]) for lane in lanes] == [("one", [False]), ("two", [True])]


@pytest.mark.parametrize("error", [{"tool_call_error": True, "result": "no <ducks>"}, {"tool_call_error": "no <ducks>"}])
def test_a_call_that_failed_says_why_in_its_line(error):
    (call,) = contents([started(), ended(**error)])
    assert content_text(call) == "✗ search(topic='<ducks>', n=3): no <ducks>"
    assert content_html(call).count("no &lt;ducks&gt;") == 2


def test_a_call_that_goes_on_says_so_and_one_that_a_run_left_behind_too():
    (call,) = contents([started()])
    assert content_text(call) == "● search(topic='<ducks>', n=3) …"
    assert [content_text(one) for one in settled([call, Lane("one", [call])])] == [
        "■ search(topic='<ducks>', n=3): not finished",
        "▸ one\n■ search(topic='<ducks>', n=3): not finished",
    ]


def test_long_arguments_are_cut_in_the_line_of_a_call():
    line = content_text(ToolCall("1", "write", {"text": "x" * 1000, "rows": list(range(1000))}))
    assert len(line) < 100


def test_agents_one_after_another_have_their_headings_and_a_single_one_has_none():
    several = [RunResponse("So. "), RunResponse("a", agent_id="one"), RunResponse("b", agent_id="two"), RunResponse("!")]
    assert contents(several) == ["So. ", Lane("one", ["a"]), Lane("two", ["b"]), "!"]
    single = [RunResponse("# On "), RunResponse("ducks", agent_id="one"), RunResponse("!"), RunResponse("!", agent_id="one")]
    assert contents(single) == ["# On ducks!!"]


def test_two_lanes_are_open_and_more_or_long_ones_are_folded():
    two = contents([in_lane(RunResponse("a"), "one"), in_lane(RunResponse("x" * (LONG + 1)), "two")])
    assert [lane.folded for lane in two] == [False, True]
    assert content_html(two[0]) == (
        '<details open><summary><strong style="font-size: 90%">one</strong></summary><p>a</p>\n</details>'
    )
    failed = in_lane(RunResponse(event=RunEvent.run_error.value, extra_data={"error": "E: <no>"}), "three")
    three = contents([in_lane(RunResponse("<a>"), "one"), in_lane(RunResponse("b"), "two"), failed])
    assert [lane.folded for lane in three] == [True, True, True]
    html = [content_html(lane) for lane in three]
    assert html[0].startswith('<details><summary><strong style="font-size: 90%">one</strong> &lt;a&gt;</summary>')
    assert "three</strong> ✗ failed: E: &lt;no&gt;</summary>" in html[2]


def test_outputs_stand_by_themselves_and_a_completion_that_is_equal_to_what_was_said_is_left_out():
    apart = RunResponse(event=RunEvent.run_continued.value, extra_data={"span": "output"})
    assert (
        contents([RunResponse("a"), apart, RunResponse("b")]) == contents([[RunResponse("a"), [RunResponse("b")]]]) == ["a", "b"]
    )
    again = RunResponse({"n": 1}, event=RunEvent.workflow_completed)
    assert contents([RunResponse({"n": 1}), again]) == [{"n": 1}]


def test_what_is_left_out_for_its_size_is_counted_wherever_it_lies():
    call = ToolCall("1", "search", {"topic": "x" * 100}, "y" * 100, over=True)
    said, left_out = capped(["ab", Lane("one", [Reasoning("cd"), call, {"n": "z" * 50}]), "ef"], 6)
    assert said[:1] + said[1].contents[:1] + said[2:] == ["ab", Reasoning("cd"), "ef"]
    assert left_out == len('{"topic": ""}') + 100 + 102 + len('{"n": ""}') + 50
    assert (said[1].contents[1].name, len(said[1].contents)) == ("search", 2)


def test_no_half_of_a_secret_is_left_where_a_record_is_cut(monkeypatch):
    monkeypatch.setenv("DEMO_API_KEY", "sk-very-secret-1234")
    assert "sk-v" not in "".join(capped(["xx sk-very-secret-1234 yy"], 8)[0])
