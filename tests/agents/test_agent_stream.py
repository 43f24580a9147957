"""The stream of an agent: lazy, read by `for` and by `async for`, ended at any point."""

from __future__ import annotations

import asyncio
import gc
import threading

import pytest
from pydantic import BaseModel

from wf_notebook import Agent, RunEvent
from wf_notebook.errors import ModelFailed, RunCancelled
from wf_notebook.run import RunContext, current
from wf_notebook.testing import Breaks, ToolCall, scripted


class Headline(BaseModel):
    text: str


class Held:
    """An answer that says "one ", "two " and then holds on until it is cancelled."""

    def __init__(self):
        self.said, self.cancelled = threading.Event(), threading.Event()

    async def answer(self, _):
        try:
            yield "one "
            yield "two "
            self.said.set()
            await asyncio.Event().wait()
        finally:
            self.cancelled.set()


def double(number: int) -> int:
    """Double a number."""
    return 2 * number


@pytest.fixture
def run():
    context = RunContext("run-1", "session-1", "workflow-1", None)
    token = current.set(context)
    yield context
    current.reset(token)


def test_nothing_happens_before_the_first_next():
    model = scripted("Hello, world!")
    agent = Agent(model)
    stream = agent.run("?", stream=True)
    assert (iter(stream) is stream, model.requests, agent.run_response) == (True, [], None)
    assert next(stream).content == "Hello,"
    assert len(model.requests) == 1


def test_a_stream_says_what_it_is_and_gives_its_answer_as_one_response():
    agent = Agent(scripted("Hello, world!", "again", "never"), name="poet")
    stream, closed = agent.run("?", stream=True), agent.run("?", stream=True)
    assert repr(stream) == "<stream of agent 'poet', not begun: iterate it, or call .result()>"
    assert repr(Agent().run("?", stream=True)).startswith("<stream of an agent, not begun")
    next(stream)
    assert repr(stream) == "<stream of agent 'poet', running>"
    assert (stream.result().content, stream.result() is agent.run_response) == ("Hello, world!", True)
    assert repr(stream) == "<stream of agent 'poet', over: .result() is its answer>"
    closed.close()
    assert (list(closed), closed.result().content) == ([], None)

    async def read():
        stream = agent.arun("?", stream=True)
        async for _ in stream:
            pass
        return stream.over, stream.result().content

    assert asyncio.run(read()) == (True, "again")


def test_pieces_join_to_the_whole_and_share_one_metrics():
    agent = Agent(scripted("Hello, wide world!"), name="greeter")
    said = list(agent.run("?", stream=True))
    assert [(piece.content, piece.event) for piece in said] == [(text, "RunResponse") for text in ("Hello,", " wide", " world!")]
    assert {(piece.agent_id, piece.model) for piece in said} == {("greeter", "scripted")}
    assert all(piece.metrics is said[0].metrics for piece in said)
    assert {"requests", "input_tokens", "output_tokens", "total_tokens", "cost", "duration", "time_to_first_token"} == set(
        said[0].metrics
    )
    assert agent.run_response.content == "Hello, wide world!"
    assert agent.run_response.metrics is said[0].metrics
    assert agent.run_response.messages[-1] == {"role": "assistant", "content": "Hello, wide world!"}


def test_async_code_reads_the_same_stream():
    agent = Agent(scripted("Hello, world!", "Hello, world!"))

    async def read(stream):
        return [piece.content async for piece in stream]

    assert asyncio.run(read(agent.arun("?", stream=True))) == ["Hello,", " world!"]
    assert asyncio.run(read(agent.run("?", stream=True))) == ["Hello,", " world!"]
    assert agent.run_response.content == "Hello, world!"


def test_a_stream_is_read_in_one_way_only():
    agent = Agent(scripted("Hello, world!"))

    async def mix():
        stream = agent.run("?", stream=True)
        await anext(stream)
        with pytest.raises(TypeError, match="already read by `async for`"):
            next(stream)
        await stream.aclose()

    asyncio.run(mix())


def test_a_stream_works_inside_a_running_loop():
    async def cell():
        return [piece.content for piece in Agent(scripted("a b")).run("?", stream=True)]

    assert asyncio.run(cell()) == ["a", " b"]


def test_structured_output_is_one_response_at_the_end():
    agent = Agent(scripted({"text": "News"}), response_model=Headline)
    (said,) = agent.run("?", stream=True)
    assert (said.content, said.content_type) == (Headline(text="News"), "Headline")
    assert agent.run_response.content == Headline(text="News")


def test_tool_calls_are_events_without_content():
    agent = Agent(scripted(["Let me see. ", ToolCall("double", {"number": 4})], "It is 8."), tools=[double])
    said = [(piece.event, piece.content, piece.tools) for piece in agent.run("?", stream=True)]
    call = {"tool_name": "double", "tool_args": {"number": 4}, "tool_call_id": "1-0"}
    assert said == [
        (RunEvent.run_response.value, "Let", None),
        (RunEvent.run_response.value, " me", None),
        (RunEvent.run_response.value, " see. ", None),
        (RunEvent.tool_call_started.value, None, [call]),
        (RunEvent.tool_call_completed.value, None, [{**call, "result": 8}]),
        (RunEvent.run_response.value, "It", None),
        (RunEvent.run_response.value, " is", None),
        (RunEvent.run_response.value, " 8.", None),
    ]
    assert agent.run_response.content == "Let me see. It is 8."
    assert agent.run_response.tools == [{**call, "result": 8}]


def test_a_stream_that_is_closed_early_leaves_the_text_so_far(run):
    held = Held()
    agent = Agent(scripted(held.answer))
    stream = agent.run("?", stream=True)
    assert next(stream).content == "one "
    assert held.said.wait(5)
    stream.close()  # on a busy machine it goes on before the call has ended
    assert held.cancelled.wait(5)
    assert agent.run_response.content == "one "
    assert run.usage.models == {"scripted"}
    assert list(stream) == []
    assert agent.run_response.content == "one "


class Known(Agent):
    """An agent of which one can wait for the end of a call, however much of its stream was read."""

    def __init__(self, *args):
        super().__init__(*args)
        self.over = threading.Event()

    def _remember(self, messages):
        super()._remember(messages)
        self.over.set()


def test_a_stream_that_is_closed_early_leaves_what_was_read_also_when_the_call_was_further():
    agent = Known(scripted("one two three"))
    stream = agent.run("?", stream=True)
    assert next(stream).content == "one"
    assert agent.over.wait(5)
    stream.close()
    assert list(stream) == []
    assert agent.run_response.content == "one"


def test_an_async_stream_too():
    agent = Known(scripted("one two three"))

    async def leave():
        stream = agent.arun("?", stream=True)
        assert (await anext(stream)).content == "one"
        assert await asyncio.to_thread(agent.over.wait, 5)
        await stream.aclose()
        assert [said async for said in stream] == []

    asyncio.run(leave())
    assert agent.run_response.content == "one"


def test_the_text_so_far_can_be_read_while_it_comes():
    held = Held()
    agent = Agent(scripted(held.answer))
    with agent.run("?", stream=True) as stream:
        next(stream), next(stream)
        assert agent.run_response.content == "one two "


def test_breaking_out_of_a_loop_ends_the_call():
    held = Held()
    agent = Agent(scripted(held.answer))
    for _ in agent.run("?", stream=True):
        break
    gc.collect()
    assert held.cancelled.wait(5)
    assert agent.run_response.content == "one "


def test_leaving_an_async_loop_ends_the_call():
    held = Held()
    agent = Agent(scripted(held.answer))

    async def leave():
        async with agent.arun("?", stream=True) as stream:
            await anext(stream)
            await asyncio.to_thread(held.said.wait)

    asyncio.run(leave())
    assert held.cancelled.wait(5)
    assert agent.run_response.content == "one "


def test_a_stop_in_mid_stream_raises_run_cancelled_and_keeps_the_text(run):
    held = Held()
    agent = Agent(scripted(held.answer))
    stream = agent.run("?", stream=True)
    seen = [next(stream).content]
    threading.Thread(target=lambda: (held.said.wait(), run.cancel.cancel())).start()
    with pytest.raises(RunCancelled):
        seen.extend(piece.content for piece in stream)
    assert held.cancelled.wait(5)
    assert "".join(seen) == agent.run_response.content
    assert agent.run_response.content in {"one ", "one two "}


def test_a_model_that_dies_in_mid_stream_fails_after_what_it_said():
    agent, seen = Agent(scripted(Breaks("one two three", ConnectionError("the line is dead"))), name="writer"), []
    with pytest.raises(ModelFailed, match="agent 'writer' on 'scripted': the line is dead") as failed:
        seen.extend(piece.content for piece in agent.run("?", stream=True))
    assert isinstance(failed.value.__cause__, ConnectionError)
    assert agent.run_response.content == "".join(seen) == "one two three"


def test_usage_of_a_stream_is_reported_once(run):
    said = list(Agent(scripted("a b c")).run("?", stream=True))
    assert (run.usage.requests, run.usage.total_tokens) == (1, said[0].metrics["total_tokens"])


def test_a_stream_belongs_to_the_run_in_which_it_is_read(run):
    stream = Agent(scripted("a b c")).run("?", stream=True)
    other = RunContext("run-2", "session-2", "workflow-2", None)
    token = current.set(other)
    list(stream)
    current.reset(token)
    assert (run.usage.requests, other.usage.requests) == (0, 1)


def test_two_streams_of_one_agent_side_by_side_keep_apart():
    agent = Agent(scripted("a b", "c d"))
    first, second = agent.run("1", stream=True), agent.run("2", stream=True)
    texts = [next(first).content, next(second).content, next(first).content, next(second).content]
    assert texts == ["a", "c", " b", " d"]
    assert list(first) == list(second) == []
    assert agent.run_response.content == "c d"
