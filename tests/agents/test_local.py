"""The model in the box, for real: text, streams, structured output, and a server that nobody else can talk to."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from importlib.metadata import metadata

import pytest
from pydantic import BaseModel, Field

from wf_notebook import Agent
from wf_notebook.agents import local
from wf_notebook.agents.files import SMOLLM2
from wf_notebook.errors import ModelFailed, RunCancelled
from wf_notebook.run import RunContext, current

pytestmark = [pytest.mark.model, pytest.mark.usefixtures("local_model")]

#: Every machine that runs these tests has real text: what a package says about itself.
TEXT = (metadata("click").json["description"])[:600]


class Card(BaseModel):
    headline: str = Field(max_length=120)
    tags: list[str] = Field(max_length=3)


@pytest.fixture
def agent(local_model):
    return Agent(local_model, name="writer", description="You write about software.")


def run_python(code, *arguments):
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments], capture_output=True, text=True, timeout=100, check=False, env=dict(os.environ)
    )
    assert done.returncode == 0, done.stderr
    return done


def test_it_answers_the_same_each_time_and_costs_nothing(agent):
    first, second = agent.run(f"Sum up: {TEXT}"), agent.run(f"Sum up: {TEXT}")
    assert first.content == second.content
    assert len(first.content.split()) > 5
    assert (first.model, first.metrics["cost"], first.metrics["requests"]) == ("local:smollm2", 0.0, 1)
    assert first.metrics["input_tokens"] > 100
    assert first.metrics["output_tokens"] > 5


def test_it_streams(agent):
    pieces = [piece.content for piece in agent.run(f"Sum up: {TEXT}", stream=True)]
    assert len(pieces) > 5
    streamed = agent.run_response
    assert 0 < streamed.metrics["time_to_first_token"] < streamed.metrics["duration"]
    assert "".join(pieces) == streamed.content == agent.run(f"Sum up: {TEXT}").content


def test_structured_output_follows_the_grammar(local_model):
    response = Agent(local_model, response_model=Card, instructions="Write a headline and three tags.").run(TEXT)
    assert isinstance(response.content, Card)
    assert response.content.headline


def test_an_answer_ends_even_when_the_model_finds_no_end(local_model):
    response = Agent(local_model, model_settings={"max_tokens": 16}).run("Write a very long story about a duck.")
    assert response.metrics["output_tokens"] <= 16


def test_a_prompt_that_is_too_long_says_by_how_much(agent):
    with pytest.raises(ModelFailed) as failed:
        agent.run("duck " * 20_000)
    assert f"tokens, and the model takes {local.CONTEXT} with the answer; shorten the message" in str(failed.value)


def test_a_stop_in_mid_answer_lets_the_next_call_through(agent):
    context = RunContext("run", "session", "workflow", None)
    token = current.set(context)
    stream = agent.run("Write a very long story about a duck.", stream=True)
    seen = [next(stream).content]
    threading.Thread(target=context.cancel.cancel).start()
    with pytest.raises(RunCancelled):
        seen.extend(piece.content for piece in stream)
    current.reset(token)
    assert agent.run_response.content == "".join(seen) != ""
    assert agent.run("Say hello.").content


def test_the_server_is_on_loopback_and_refuses_whoever_has_no_key(agent):
    agent.run("Say hello.")
    address = local.box(SMOLLM2.path).server.listening_address
    assert address.startswith("http://127.0.0.1:")
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(urllib.request.Request(f"{address}/v1/chat/completions", b"{}"), timeout=20)
    assert refused.value.code == 401
    refused.value.close()


def test_there_is_one_server_per_model_file(tmp_path, local_model):
    link = tmp_path / "same.gguf"
    link.symlink_to(SMOLLM2.path)
    answers = [Agent(model).run("Say hello.").content for model in (local_model, f"local:{link}", f"local:{SMOLLM2.path}")]
    assert len(set(answers)) == 1
    assert list(local._boxes) == [SMOLLM2.path.resolve()]


def test_it_is_what_an_agent_without_a_model_uses(local_model):
    assert Agent().run("Say hello.").model == local_model


def test_a_file_that_is_no_model_says_so(tmp_path):
    (tmp_path / "text.gguf").write_text("this is no model")
    (tmp_path / "half.gguf").write_bytes(SMOLLM2.path.read_bytes()[:100_000])
    for name, said in (("text", "it is no GGUF file"), ("half", "is it whole?")):
        with pytest.raises(ModelFailed, match=rf"{name}.gguf' could not be loaded as a model: {said.replace('?', '[?]')}"):
            Agent(f"local:{tmp_path / name}.gguf").run("?")


def test_a_process_ends_at_once_and_without_a_word():
    code = """
import time
from wf_notebook import Agent, agents
Agent("local:smollm2").run("Say hello.")
stream = Agent("local:smollm2").run("Write a very long story.", stream=True)
next(stream)
started = time.monotonic()
agents.local.stop()
print(time.monotonic() - started)
next(Agent("local:smollm2").run("Write a very long story.", stream=True))
again = Agent("local:smollm2").run("Write a very long story.", stream=True)
next(again)
"""
    done = run_python(code)
    assert (done.stdout[:2], done.stderr) == ("0.", "")  # seconds


def test_a_forked_child_starts_a_server_of_its_own_and_ends():
    code = """
import os, sys
from wf_notebook import Agent
agent = Agent("local:smollm2")
before = agent.run("Say hello.").content
child = os.fork()
if child == 0:
    sys.exit(7 if agent.run("Say hello.").content == before else 1)
idle = os.fork()
if idle == 0:
    sys.exit(8)
ends = [os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]) for process in (child, idle)]
print(ends, agent.run("Say hello.").content == before)
"""
    done = run_python(code)
    assert (done.stdout, done.stderr) == ("[7, 8] True\n", "")
