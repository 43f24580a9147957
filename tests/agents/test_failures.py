"""What goes wrong with a model is said in one line that names the agent and the model, with the cause chained."""

from __future__ import annotations

import socket

import pytest
from pydantic_ai.exceptions import ModelHTTPError

from wf_notebook import Agent
from wf_notebook.errors import ModelFailed, UnknownModel
from wf_notebook.models import OpenAILike


def failure(agent, kind=ModelFailed, **options):
    """Return the one line of what the call raises."""
    with pytest.raises(kind) as failed:
        list(agent.run("?", **options)) if options else agent.run("?")
    assert "\n" not in str(failed.value)
    assert failed.value.__cause__ is not None
    return str(failed.value)


@pytest.fixture
def agent(provider):
    return Agent(provider.model(timeout=20), name="writer", retries=0)


def test_an_answer_comes_through(provider, agent):
    def answer(handler):
        handler.say("one ", "two")
        handler.wfile.write(b"e\r\ndata: [DONE]\n\n\r\n0\r\n\r\n")

    provider.answer = answer
    assert [piece.content for piece in agent.run("?", stream=True)] == ["one ", "two"]
    headers, body = provider.requests[0]
    assert (headers["authorization"], body["messages"]) == ("Bearer not-provided", [{"role": "user", "content": "?"}])


def test_a_server_that_dies_in_mid_stream(provider, agent):
    def answer(handler):
        handler.say("one ", "two")
        handler.die()

    provider.answer = answer
    message = failure(agent, stream=True)
    assert message.startswith("agent 'writer' on 'm': the connection to the model's server broke off (")
    assert agent.run_response.content == "one two"


def test_a_server_that_is_not_there():
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unused.getsockname()[1]}/v1"
        message = failure(Agent(OpenAILike("m", base_url=url), retries=0))
    assert message == "agent on 'm': the model's server cannot be reached (All connection attempts failed); is it running?"


def test_a_key_that_is_refused(provider, agent):
    provider.answer = lambda handler: handler.refuse(401, "Incorrect API key provided: sk-1")
    assert failure(agent) == (
        "agent 'writer' on 'm': the provider refused the key (401); check the key's environment variable, or api_key="
    )


def test_a_model_that_the_provider_does_not_know(provider, agent):
    provider.answer = lambda handler: handler.refuse(404, "The model `m` does not exist", code="model_not_found")
    message = failure(agent, UnknownModel)
    assert message.startswith("agent 'writer' on 'm': the provider has no such model (")
    assert message.endswith("); check its name")


@pytest.mark.parametrize(
    ("status", "error", "said"),
    [
        (429, {"code": "insufficient_quota"}, "the account's quota is used up (429)"),
        (429, {"code": "rate_limit_exceeded"}, "the provider limits the rate of requests (429)"),
    ],
)
def test_limits_of_the_account(provider, agent, status, error, said):
    provider.answer = lambda handler: handler.refuse(status, "too much", **error)
    assert failure(agent) == f"agent 'writer' on 'm': {said}"


def test_a_prompt_that_is_too_long(provider, agent):
    lengths = {"type": "exceed_context_size_error", "n_prompt_tokens": 9000, "n_ctx": 4096, "code": 400}
    provider.answer = lambda handler: handler.refuse(400, "request exceeds the available context size", **lengths)
    assert failure(agent) == (
        "agent 'writer' on 'm': the prompt has 9000 tokens, and the model takes 4096 with the answer;"
        " shorten the message, or leave history out"
    )


def test_any_other_refusal_keeps_the_servers_words(provider, agent):
    provider.answer = lambda handler: handler.refuse(400, "temperature must be below 2")
    assert "temperature must be below 2" in failure(agent)


def test_the_cause_is_what_the_client_said(provider, agent):
    provider.answer = lambda handler: handler.refuse(401, "no")
    with pytest.raises(ModelFailed) as failed:
        agent.run("?")
    assert isinstance(failed.value.__cause__, ModelHTTPError)


def test_a_secret_in_a_servers_words_is_redacted(provider, agent, monkeypatch):
    monkeypatch.setenv("SOME_API_KEY", "sk-very-secret-key")
    provider.answer = lambda handler: handler.refuse(400, "bad header: sk-very-secret-key")
    message = failure(agent)
    assert "sk-very-secret-key" not in message
    assert "<redacted SOME_API_KEY>" in message
