"""What agents did is noted in their run: when a call begins, how it ends, which tools it calls; what models think is said."""

from __future__ import annotations

import asyncio
import threading

import pytest
from pydantic import BaseModel
from pydantic_ai import ModelRetry
from pydantic_ai.models.function import DeltaThinkingPart, DeltaToolCall, FunctionModel

from wf_notebook import Agent, RunEvent, Workflow, parallel
from wf_notebook.agents import adapt
from wf_notebook.errors import ModelFailed
from wf_notebook.run import RunContext, current
from wf_notebook.testing import Breaks, ToolCall, scripted


class News(BaseModel):
    text: str


def double(number: int) -> int:
    """Double a number."""
    return 2 * number


def picky(number: int) -> int:
    """Take large numbers."""
    if number < 10:
        raise ModelRetry("give a larger number")
    return number


def broken(number: int) -> int:
    """Fail."""
    raise LookupError(f"no {number}")


def thinking(*pieces):
    """Return a model that thinks these pieces (in brackets) and says the others."""

    async def stream(*_):
        for piece in pieces:
            yield {0: DeltaThinkingPart(content=piece[1:-1])} if piece.startswith("[") else piece

    return FunctionModel(stream_function=stream, model_name="thinking")


def flow_of(run, **settings):
    return type("Flow", (Workflow,), {"run": run})(session_id="s", storage="memory:", **settings)


def events(flow):
    """Return what was noted in the last run, without what was said."""
    rows = flow.storage.events(flow.last_run.run_id)
    return [(row["event"], row["agent"], row["lane"], row["data"]) for row in rows if row["content"] is None]


def test_a_batch_call_that_nobody_yields_is_noted_with_its_tools_and_what_it_used():
    writer = Agent(scripted(ToolCall("double", {"number": 4}), "It is 8."), name="writer", tools=[double])
    flow = flow_of(lambda _: writer.run("?").content)
    assert flow.run().content == "It is 8."
    begun, called, came, ended = events(flow)
    assert begun[:3] == ("RunStarted", "writer", None)
    assert (called[0], called[3][0]["span"], called[3][0]["tool_args"]) == ("ToolCallStarted", "tool", {"number": 4})
    assert (came[0], came[3][0]["result"]) == ("ToolCallCompleted", 8)
    assert ended[:3] == ("RunCompleted", "writer", None)
    used = flow.last_run.input_tokens, flow.last_run.output_tokens
    assert {**ended[3], "seconds": 0} == {
        **begun[3], "model": "scripted", "input_tokens": used[0], "output_tokens": used[1], "seconds": 0, "status": "completed",
    }  # fmt: skip
    assert 0 < ended[3]["seconds"] < flow.last_run.duration


def test_tools_of_a_stream_are_said_once_and_noted_once():
    writer = Agent(scripted(["Well. ", ToolCall("double", {"number": 4})], "It is 8."), name="writer", tools=[double])
    flow = flow_of(lambda _: writer.run("?", stream=True))
    flow.run().result()
    # The call may be over before its reader is.
    assert sorted(event for event, *_ in events(flow)) == ["RunCompleted", "RunStarted", "ToolCallCompleted", "ToolCallStarted"]
    assert flow.last_run.content == "Well. It is 8."


def test_a_call_that_fails_is_noted_as_failed_and_the_tool_that_raised_too():
    clerk = Agent(scripted(ToolCall("broken", {"number": 4})), name="clerk", tools=[broken])
    flow = flow_of(lambda _: clerk.run("?", stream=True))
    with pytest.raises(LookupError, match="no 4"):
        flow.run().result()
    told = flow.last_run.told.responses()
    assert [(one.event, one.tools[0].get("result"), one.tools[0].get("tool_call_error")) for one in told] == [
        ("ToolCallStarted", None, None),
        ("ToolCallCompleted", "LookupError: no 4", True),
    ]
    (ended,) = [data for event, agent, _, data in events(flow) if (event, agent) == ("RunError", "clerk")]
    assert (ended["status"], ended["error"]) == ("failed", "LookupError: no 4")


def test_a_model_that_dies_is_noted_and_the_run_may_go_on():
    def run(_):
        try:
            Agent(scripted(Breaks("a", ConnectionError("gone"))), name="one", retries=0).run("?")
        except ModelFailed:
            yield Agent(scripted("b"), name="two").run("?")

    flow = flow_of(run)
    assert flow.run().result().content == "b"
    assert [(event, agent) for event, agent, *_ in events(flow)] == [
        ("RunStarted", "one"), ("RunError", "one"), ("RunStarted", "two"), ("RunCompleted", "two"),
    ]  # fmt: skip


def test_a_stream_that_is_left_is_noted_as_stopped():
    held, cancelled = threading.Event(), threading.Event()

    async def answer(_):
        try:
            yield "one "
            held.set()
            await asyncio.Event().wait()
        finally:
            cancelled.set()

    def run(_):
        with Agent(scripted(answer), name="slow").run("?", stream=True) as stream:
            yield next(stream)
            held.wait()

    flow = flow_of(run)
    assert flow.run().result().content == "one "
    assert cancelled.is_set()
    assert [(event, data["status"]) for event, _, _, data in events(flow)[1:]] == [("RunCompleted", "stopped")]


def test_each_branch_is_noted_in_its_lane_and_agents_within_it():
    one, two = Agent(scripted("a"), name="one"), Agent(scripted("b"), name="two")
    flow = flow_of(lambda _: parallel(one.run("?", stream=True), lambda: two.run("?").content))
    flow.run().result()
    noted = events(flow)
    assert sorted((lane, data["span"], event) for event, _, lane, data in noted) == [
        ("branch 2", "agent", "RunCompleted"), ("branch 2", "agent", "RunStarted"),
        ("branch 2", "branch", "RunCompleted"),
        ("one", "agent", "RunCompleted"), ("one", "agent", "RunStarted"),
        ("one", "branch", "RunCompleted"),
    ]  # fmt: skip


def test_a_function_that_is_called_as_an_agent_is_noted_too():
    def letters(text):
        yield from text

    def broken():
        raise LookupError("mine")

    def run(_):
        yield adapt(letters).run("ab", stream=True)
        left = adapt(letters).run("cd", stream=True)
        next(left)
        left.close()
        adapt(broken).run()

    flow = flow_of(run)
    with pytest.raises(LookupError):
        flow.run().result()
    assert [(event, agent, data.get("status")) for event, agent, _, data in events(flow)] == [
        ("RunStarted", "letters", None), ("RunCompleted", "letters", "completed"),
        ("RunStarted", "letters", None), ("RunCompleted", "letters", "stopped"),
        ("RunStarted", "broken", None), ("RunError", "broken", "failed"),
        ("RunError", None, None),
    ]  # fmt: skip


def test_outside_of_a_run_nothing_is_noted():
    assert current.get() is None
    assert Agent(scripted("a")).run("?").content == "a"
    token = current.set(RunContext("run", "session", "workflow", None))
    assert Agent(scripted("a")).run("?").content == "a"
    current.reset(token)


def test_a_private_run_leaves_none_of_it_in_the_store():
    flow = flow_of(lambda _: Agent(scripted("a"), name="one").run("?"), private=True)
    flow.run()
    assert flow.storage.read("SELECT * FROM event_log") == []
    assert [bar.name for bar in flow.last_run.timeline()] == ["one"]


# -- tools that fail -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("stream", [True, False])
@pytest.mark.parametrize(
    ("tool", "why"), [(picky, "give a larger number"), (double, "number: Input should be a valid integer, unable to parse")]
)
def test_a_tool_that_is_to_be_called_in_another_way_has_failed_and_says_why(stream, tool, why):
    args = {"number": 3} if tool is picky else {"number": "many"}
    agent = Agent(scripted(ToolCall(tool.__name__, args), ToolCall(tool.__name__, {"number": 12}), "done"), tools=[tool])
    assert (list(agent.run("?", stream=True)) if stream else [agent.run("?")])[-1].content == "done"
    first, second = agent.run_response.tools
    assert (first["tool_call_error"], first["result"].startswith(why)) == (True, True)
    assert "tool_call_error" not in second


# -- thoughts ------------------------------------------------------------------------------------------------------------------


def test_what_a_model_thinks_is_said_as_it_comes_and_is_no_part_of_the_answer():
    agent = Agent(thinking("[First ]", "[ducks.]", "Ducks ", "swim."), name="sage")
    flow = flow_of(lambda _: agent.run("?", stream=True))
    said = [(one.event, one.content) for one in flow.run()]
    assert said == [
        (RunEvent.reasoning_step.value, "First "),
        (RunEvent.reasoning_step.value, "ducks."),
        (RunEvent.run_response.value, "Ducks "),
        (RunEvent.run_response.value, "swim."),
    ]
    assert agent.run_response.content == flow.last_run.content == flow.run_response.content == "Ducks swim."
    rows = [(row["event"], row["content"]) for row in flow.storage.events(flow.last_run.run_id) if row["content"]]
    assert rows == [("ReasoningStep", "First ducks."), ("RunResponse", "Ducks swim.")]


def test_a_stream_left_in_a_thought_has_no_answer_yet():
    agent = Agent(thinking("[First ]", "[ducks.]", "Ducks swim."))
    with agent.run("?", stream=True) as stream:
        assert next(stream).content == "First "
        assert agent.run_response.content is None


def test_thoughts_on_the_way_to_structured_output_are_not_said():
    async def stream(_, info):
        yield {0: DeltaThinkingPart(content="Hm.")}
        yield {1: DeltaToolCall(name=info.output_tools[0].name, json_args='{"text": "News"}', tool_call_id="1")}

    (said,) = Agent(FunctionModel(stream_function=stream), response_model=News).run("?", stream=True)
    assert said.content == News(text="News")


def test_thoughts_in_a_branch_are_joined_apart_from_its_text():
    agents = [Agent(thinking("[Hm.]", f"{name} says"), name=name) for name in ("one", "two")]
    first = parallel(*(agent.run("?", stream=True) for agent in agents))
    list(first)
    assert [result.content for result in first.results] == ["one says", "two says"]
