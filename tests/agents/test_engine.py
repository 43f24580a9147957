"""What makes the calls of agents is made once, and nothing of a call stays in it; what takes its time does not hold up others."""

from __future__ import annotations

import threading

import pytest
from pydantic import BaseModel

from wf_notebook import Agent
from wf_notebook.agents.engine import engine
from wf_notebook.agents.resolve import is_at_hand, resolve
from wf_notebook.models import OpenAIChat
from wf_notebook.testing import scripted


class Headline(BaseModel):
    text: str


def test_agents_of_one_name_and_output_share_an_engine_and_nothing_else():
    first, second = (Agent(scripted("a", "b"), name="writer", system_message=text) for text in ("Be brief.", "Be kind."))
    model = resolve(first.model)
    assert engine(first, model) is engine(second, model)
    assert engine(Agent(name="editor"), model) is not engine(first, model)
    assert engine(Agent(name="writer", response_model=Headline), model) is not engine(first, model)
    for agent, text in ((first, "Be brief."), (second, "Be kind.")):
        agent.run("?", stream=False)
        assert agent.model.requests[0].messages[0] == {"role": "system", "content": text}


def test_what_is_changed_between_calls_holds_from_the_next_one():
    agent = Agent(scripted("one", {"text": "two"}, "three"), system_message="First.", model_settings={"temperature": 0.1})
    agent.run("?")
    agent.system_message, agent.model_settings, agent.response_model = "Second.", {"temperature": 0.2}, Headline
    assert agent.run("?").content == Headline(text="two")
    agent.response_model = None
    assert agent.run("?").content == "three"
    said = [(request.messages[0]["content"], request.settings["temperature"]) for request in agent.model.requests]
    assert said == [("First.", 0.1), ("Second.", 0.2), ("Second.", 0.2)]


def test_an_output_of_several_types_works_too():
    agent = Agent(scripted({"text": "one"}, {"text": "two"}), response_model=[Headline])
    assert [agent.run("?").content for _ in range(2)] == [Headline(text="one"), Headline(text="two")]


@pytest.mark.parametrize(
    ("setting", "wrapped"), [("instructions", "<instructions>\n{}\n</instructions>"), ("system_message", "{}")]
)
def test_instructions_that_are_a_function_may_take_their_time(setting, wrapped):
    """On the background loop itself a call that waits would be refused."""
    asked, here = Agent(scripted("Be brief.", "Be kind.")), []

    def say(**_):
        here.append(threading.current_thread())
        return asked.run("How?").content

    agent = Agent(scripted("one", "two"), **{setting: say})
    assert [agent.run("?").content for _ in range(2)] == ["one", "two"]
    assert [request.messages[0]["content"] for request in agent.model.requests] == [
        wrapped.format("Be brief."),
        wrapped.format("Be kind."),
    ]
    assert all(thread.name != "wf_notebook-loop" for thread in here)


def test_a_model_is_at_hand_once_it_was_made_and_as_long_as_its_key_stays(monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "sk-of-this-test")
    names = ["openai:gpt-of-this-test", OpenAIChat("gpt-of-this-test", base_url="http://127.0.0.1:1/v1")]
    for name in names:
        assert not is_at_hand(name)
        made = resolve(name).model
        assert (is_at_hand(name), resolve(name).model is made) == (True, True)
    monkeypatch.setenv("OPENAI_API_KEY", "sk-another")
    assert [is_at_hand(name) for name in names] == [False, False]
    assert (is_at_hand(scripted("a")), is_at_hand(None), is_at_hand("local:smollm2")) == (True, False, False)
