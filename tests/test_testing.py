"""The scripted model says what a test wrote down."""

from __future__ import annotations

import pytest
from pydantic import BaseModel

from wf_notebook import Agent
from wf_notebook.errors import ModelFailed
from wf_notebook.testing import Breaks, ToolCall, scripted


class Headline(BaseModel):
    text: str


def add(a: int, b: int) -> int:
    """Add two numbers."""
    return a + b


def test_answers_come_in_order_and_requests_are_kept():
    model = scripted("one", "two")
    agent = Agent(model, instructions="Count.")
    assert [agent.run("first").content, agent.run("second").content] == ["one", "two"]
    assert [request.message for request in model.requests] == ["first", "second"]
    assert model.requests[0].messages[0] == {"role": "system", "content": "<instructions>\nCount.\n</instructions>"}


def test_a_text_is_streamed_in_pieces_that_join_to_it():
    pieces = [said.content for said in Agent(scripted("one two\nthree ")).run("?", stream=True)]
    assert len(pieces) == 3
    assert "".join(pieces) == "one two\nthree "


@pytest.mark.parametrize("answer", [{"text": "News"}, Headline(text="News")])
@pytest.mark.parametrize("structured_outputs", [True, False])
def test_a_dict_or_a_model_is_structured_output(answer, structured_outputs):
    agent = Agent(scripted(answer), response_model=Headline, structured_outputs=structured_outputs)
    assert agent.run("?").content == Headline(text="News")


def test_tools_are_called_one_or_several_at_once():
    model = scripted(
        ToolCall("add", {"a": 1, "b": 2}),
        ["thinking", ToolCall("add", {"a": 3, "b": 4}), ToolCall("add", {"a": 5, "b": 6})],
        "done",
    )
    response = Agent(model, tools=[add]).run("?")
    assert [call["result"] for call in response.tools] == [3, 7, 11]
    assert model.requests[0].tools == ["add"]


def test_an_exception_is_what_the_model_fails_with():
    with pytest.raises(ModelFailed) as failed:
        Agent(scripted(ConnectionError("gone"))).run("?")
    assert isinstance(failed.value.__cause__, ConnectionError)


def test_a_text_can_break_off():
    agent, seen = Agent(scripted(Breaks("one two three", ConnectionError("gone")))), []
    with pytest.raises(ModelFailed, match="gone"):
        seen.extend(said.content for said in agent.run("?", stream=True))
    assert agent.run_response.content == "one two three"


def test_a_function_answers_by_the_request():
    async def later(request):
        return f"later {request.message}"

    agent = Agent(scripted(lambda request: f"now {request.message}", later))
    assert [agent.run("a").content, agent.run("b").content] == ["now a", "later b"]


def test_an_async_generator_gives_the_pieces():
    async def pieces(_):
        for piece in ("a", "b"):
            yield piece

    assert [said.content for said in Agent(scripted(pieces)).run("?", stream=True)] == ["a", "b"]


def test_a_script_that_is_over_says_so():
    agent = Agent(scripted("only one"))
    agent.run("first")
    with pytest.raises(ModelFailed, match="the script has 1 answers, and this is request 2: 'second'"):
        agent.run("second")


def test_tokens_are_counted():
    metrics = Agent(scripted("one two three")).run("how many?").metrics
    assert metrics["requests"] == 1
    assert metrics["output_tokens"] > 0
    assert metrics["total_tokens"] == metrics["input_tokens"] + metrics["output_tokens"]
