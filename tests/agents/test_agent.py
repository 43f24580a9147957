"""Agents: one call and its answer, in plain code, in async code, in threads."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading
import time
import warnings

import pytest
from pydantic import BaseModel

from wf_notebook import Agent, RunEvent
from wf_notebook.agents import arguments
from wf_notebook.errors import AgentFailed, ModelFailed, RunCancelled
from wf_notebook.run import RunContext, current
from wf_notebook.testing import Request, scripted


class Headline(BaseModel):
    text: str
    tags: list[str] = []


@pytest.fixture
def run():
    context = RunContext("run-1", "session-1", "workflow-1", None)
    token = current.set(context)
    yield context
    current.reset(token)


def test_an_agent_loads_nothing_before_it_is_called():
    code = (
        "import sys; from wf_notebook import Agent; a = Agent('openai:gpt-4o', name='a', tools=[print]);"
        "a.deep_copy(), a.run('?', stream=True), repr(a);"
        "print([name for name in ('pydantic_ai', 'pydantic', 'openai', 'httpx', 'xllamacpp') if name in sys.modules])"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"


def test_an_answer_says_what_was_said_by_whom_and_what_it_took():
    response = Agent(scripted("Hello!"), name="greeter", instructions="Greet.").run("Hi")
    assert (response.content, response.content_type, response.event) == ("Hello!", "str", RunEvent.run_response.value)
    assert (response.agent_id, response.model, response.tools) == ("greeter", "scripted", None)
    assert response.messages == [
        {"role": "system", "content": "<instructions>\nGreet.\n</instructions>"},
        {"role": "user", "content": "Hi"},
        {"role": "assistant", "content": "Hello!"},
    ]
    metrics = response.metrics
    assert metrics["requests"] == 1
    assert metrics["total_tokens"] == metrics["input_tokens"] + metrics["output_tokens"] > 0
    assert 0 < metrics["duration"] < 30
    assert metrics["cost"] is None
    assert response.to_dict()["metrics"] == metrics


def test_a_response_model_gives_an_instance():
    response = Agent(scripted({"text": "News", "tags": ["a"]}), response_model=Headline).run("?")
    assert response.content == Headline(text="News", tags=["a"])
    assert response.content_type == "Headline"
    assert response.to_dict()["content"] == {"text": "News", "tags": ["a"]}


def test_invalid_structured_output_is_asked_for_again():
    model = scripted({"text": 1}, {"text": "News"})
    assert Agent(model, response_model=Headline).run("?").content == Headline(text="News")
    assert len(model.requests) == 2


def test_structured_output_that_stays_invalid_fails_with_what_was_said():
    with pytest.raises(ModelFailed) as failed:
        Agent(scripted(*[{"text": 1}] * 9), name="editor", response_model=Headline).run("?")
    message = str(failed.value)
    assert message.startswith(
        "agent 'editor' on 'scripted': Exceeded maximum output retries (3): text: Input should be a valid string"
    )
    assert message.endswith("""; it said '{"text":1}'""")
    assert "\n" not in message


def test_a_call_works_inside_a_running_loop_and_in_threads():
    agent, answers = Agent(scripted(*map(str, range(9)))), []

    async def cell():
        return agent.run("?").content

    answers.append(asyncio.run(cell()))
    threads = [threading.Thread(target=lambda: answers.append(agent.run("?").content)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answers) == list("012345678")


def test_arun_is_a_coroutine_and_several_run_at_once():
    arrived, everybody = [], threading.Event()

    async def answer(request: Request):
        arrived.append(request.message)
        if len(arrived) == 3:
            everybody.set()
        await asyncio.to_thread(everybody.wait)
        return request.message

    agent = Agent(scripted(*[answer] * 3))

    async def together():
        return [response.content for response in await asyncio.gather(*(agent.arun(word) for word in "abc"))]

    assert asyncio.run(together()) == ["a", "b", "c"]


def test_a_message_may_be_a_model_a_list_or_a_dict():
    model = scripted(*["ok"] * 4)
    agent = Agent(model, instructions="Answer.")
    for message in (Headline(text="é"), {"topic": "é"}, ["a", 1], None):
        agent.run(message)
    assert [request.messages[-1]["content"] for request in model.requests[:3]] == [
        '{"text":"é","tags":[]}',
        '{"topic": "é"}',
        '["a", 1]',
    ]


def test_a_message_of_another_kind_is_refused():
    with pytest.raises(TypeError, match="an agent takes a str, a model, a list or a dict as its message, not 'int'"):
        Agent(scripted("")).run(5)


def test_history_is_sent_along_only_when_it_is_asked_for():
    model = scripted("one", "two", "three")
    agent = Agent(model)
    agent.run("first")
    agent.run("second")
    agent.add_history_to_messages = True
    agent.run("third")
    said = [[message["content"] for message in request.messages] for request in model.requests]
    assert said == [["first"], ["second"], ["first", "one", "second", "two", "third"]]


def test_history_can_be_cut_to_the_last_calls():
    model = scripted("one", "two", "three")
    agent = Agent(model, add_history_to_messages=True, num_history_responses=1)
    for message in ("first", "second", "third"):
        agent.run(message)
    assert [message["content"] for message in model.requests[2].messages] == ["second", "two", "third"]


def test_a_call_that_failed_is_no_history():
    model = scripted("one", ValueError("no"), "three")
    agent = Agent(model, add_history_to_messages=True)
    agent.run("first")
    with pytest.raises(ModelFailed):
        agent.run("second")
    agent.run("third")
    assert [message["content"] for message in model.requests[2].messages] == ["first", "one", "third"]


def test_a_copy_has_the_settings_and_no_history():
    model = scripted("one", "two")
    agent = Agent(model, name="a", instructions=["x"], tools=[print], add_history_to_messages=True, markdown=True)
    agent.run("first")
    twin = agent.deep_copy()
    assert twin.run_response is None
    assert {name: value for name, value in vars(twin).items() if not name.startswith("_")} == {
        name: value for name, value in vars(agent).items() if not name.startswith("_")
    }
    twin.tools.append(len)
    twin.run("second")
    assert agent.tools == [print]
    assert [message["content"] for message in model.requests[1].messages if message["role"] == "user"] == ["second"]


def test_usage_is_reported_to_the_run_once_per_call(run):
    agent = Agent(scripted("one", "two"))
    first, second = agent.run("?").metrics, agent.run("?").metrics
    assert run.usage.requests == 2
    assert run.usage.total_tokens == first["total_tokens"] + second["total_tokens"]
    assert run.usage.models == {"scripted"}


def test_a_failed_call_reports_its_usage_too(run):
    with pytest.raises(ModelFailed):
        Agent(scripted(*[{"text": 1}] * 9), response_model=Headline).run("?")
    assert run.usage.requests == 4


def test_a_stop_cancels_the_model_call_and_raises_run_cancelled(run):
    asked, ended = threading.Event(), threading.Event()

    async def never(_):
        asked.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    threading.Thread(target=lambda: (asked.wait(), run.cancel.cancel())).start()
    with pytest.raises(RunCancelled):
        Agent(scripted(never)).run("?")
    assert ended.is_set()
    assert run.usage.models == {"scripted"}


@pytest.mark.usefixtures("run")
def test_an_answer_is_written_to_a_file(working_directory):
    agent = Agent(scripted("text", {"text": "News"}), name="writer", save_response_to_file="out/{name}-{message}-{run_id}.md")
    agent.run("duck")
    agent.response_model = Headline
    agent.run("goose")
    assert (working_directory / "out/writer-duck-run-1.md").read_text() == "text"
    assert (working_directory / "out/writer-goose-run-1.md").read_text() == '{\n  "text": "News",\n  "tags": []\n}'


def test_an_answer_that_cannot_be_written_is_not_lost(working_directory):
    (working_directory / "out").write_text("a file in the way")
    with pytest.raises(
        AgentFailed, match=r"agent 'writer' could not write 'out/x\.md': .* the answer is in \.response"
    ) as failed:
        Agent(scripted("paid for"), name="writer", save_response_to_file="out/x.md").run("?")
    assert failed.value.response.content == "paid for"


def test_a_secret_is_not_written_to_a_file(monkeypatch, working_directory):
    monkeypatch.setenv("MY_API_KEY", "very-secret-key")
    Agent(scripted("it is very-secret-key"), save_response_to_file="x.md").run("?")
    assert (working_directory / "x.md").read_text() == "it is <redacted MY_API_KEY>"


def test_model_settings_reach_the_request():
    model = scripted("ok")
    Agent(model, model_settings={"temperature": 0.5, "max_tokens": 7}).run("?")
    assert model.requests[0].settings == {"temperature": 0.5, "max_tokens": 7}


def test_an_argument_without_meaning_warns_once_and_by_name(monkeypatch):
    monkeypatch.setattr(arguments, "_said", set())
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        Agent(debug_mode=True, show_tool_calls=True)
        Agent(debug_mode=True)
    assert [str(warning.message) for warning in warned] == [
        "Agent(debug_mode=…) has no meaning here and is left out",
        "Agent(show_tool_calls=…) has no meaning here and is left out",
    ]
    assert warned[0].filename == __file__


def test_an_argument_that_asks_for_nothing_is_silent():
    Agent(debug_mode=False, telemetry=False, monitoring=False, tool_choice=None, storage=None)


def test_every_argument_of_the_old_agent_is_taken():
    old = "model name description instructions response_model structured_outputs tools expected_output markdown role"
    old += " add_name_to_instructions save_response_to_file add_datetime_to_instructions add_history_to_messages"
    assert set(old.split()) <= set(vars(Agent()))
    assert {"show_tool_calls", "debug_mode"} <= set(arguments.WITHOUT_MEANING)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: Agent(temperature=0.5), "Agent() takes no argument 'temperature'; write model_settings={'temperature': …}"),
        (lambda: Agent(system_prompt="x"), "Agent() takes no argument 'system_prompt'; write instructions=…"),
        (lambda: Agent(modle="x"), "Agent() takes no argument 'modle'; did you mean 'model'?"),
        (lambda: Agent(scripted("")).run("?", streem=True), "run() takes no argument 'streem'; did you mean 'stream'?"),
        (lambda: Agent(scripted("")).run("?", audio=[]), "run() takes no argument 'audio'"),
    ],
)
def test_an_unknown_argument_is_a_type_error_with_a_suggestion(call, message):
    with pytest.raises(TypeError) as refused:
        call()
    assert str(refused.value) == message


def test_a_waiting_thread_costs_no_time_after_the_answer():
    agent = Agent(scripted(*["x"] * 21))
    agent.run("warm up")
    started = time.perf_counter()
    for _ in range(20):
        agent.run("?")
    assert time.perf_counter() - started < 2
