"""A model's server that fails for a while is asked again, politely; one that fails for good, or in mid-answer, is not."""

from __future__ import annotations

import asyncio
import logging
import signal
import socket
import threading
import time

import pytest
from pydantic import BaseModel

from wf_notebook import Agent
from wf_notebook.agents import retries
from wf_notebook.errors import ModelFailed, RunCancelled
from wf_notebook.models import OpenAILike
from wf_notebook.run import RunContext, current, logger

pytestmark = pytest.mark.slow  # a server for each

#: Within so many seconds a call is over when it is stopped, with some room for a busy machine.
PROMPT = 0.1 + 0.15


class Headline(BaseModel):
    text: str


@pytest.fixture
def agent(provider):
    return Agent(provider.model(), name="writer")


@pytest.fixture
def run():
    context = RunContext("run-1", "session-1", "workflow-1", None)
    token = current.set(context)
    yield context
    current.reset(token)


@pytest.fixture
def quick(monkeypatch):
    """Let the waits of the tests be short; their lengths have tests of their own."""
    monkeypatch.setattr(retries, "FIRST_WAIT", 0.01)


@pytest.fixture
def said():
    """What is said while waiting, and an event for the first of it."""

    class Heard(logging.Handler):
        def emit(self, record):
            lines.append(record.getMessage())
            heard.set()

    lines, heard, handler = [], threading.Event(), Heard()
    logger.addHandler(handler)
    yield lines, heard
    logger.removeHandler(handler)


def text(agent, *, stream, **others):
    """Return the answer, streamed or whole."""
    if stream:
        return "".join(piece.content for piece in agent.run("?", stream=True, **others) if piece.content)
    return agent.run("?", **others).content


def fails(agent, *, stream=False):
    """Return the one line of what the call raises."""
    with pytest.raises(ModelFailed) as failed:
        text(agent, stream=stream)
    assert "\n" not in str(failed.value)
    return str(failed.value)


def waits(provider):
    """Return the seconds between the requests, by the server's clock."""
    return [later - earlier for earlier, later in zip(provider.arrivals, provider.arrivals[1:], strict=False)]


both_ways = pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])


@both_ways
@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize("status", [429, 500, 504])
def test_a_refusal_that_passes_is_asked_again(provider, agent, status, stream):
    provider.in_turn(lambda h: h.refuse(status, "not now"), lambda h: h.refuse(status, "not now"), lambda h: h.tell("well"))
    assert text(agent, stream=stream) == "well"
    assert len(provider.requests) == 3
    assert provider.requests[0][1] == provider.requests[2][1]


@both_ways
@pytest.mark.parametrize(
    ("status", "error"),
    [(400, {}), (401, {}), (429, {"code": "insufficient_quota"})],
    ids=["bad", "key", "quota"],
)
def test_a_refusal_that_stays_is_not_asked_again(provider, agent, status, error, stream):
    provider.answer = lambda handler: handler.refuse(status, "no", **error)
    with pytest.raises(Exception, match=r"^agent 'writer' on 'm': "):
        text(agent, stream=stream)
    assert len(provider.requests) == 1


def test_a_server_that_says_not_to_ask_again_is_obeyed(provider, agent):
    provider.answer = lambda handler: handler.refuse(500, "no", headers={"x-should-retry": "false"})
    fails(agent)
    assert len(provider.requests) == 1


@pytest.mark.usefixtures("quick")
def test_the_last_failure_says_which_attempt_it_was(provider, agent):
    provider.answer = lambda handler: handler.refuse(503, "overloaded")
    assert fails(agent).startswith("agent 'writer' on 'm', attempt 3 of 3: ")
    assert len(provider.requests) == 3


@both_ways
@pytest.mark.usefixtures("quick")
def test_an_agent_says_how_often(provider, agent, stream):
    provider.answer = lambda handler: handler.refuse(503, "overloaded")
    agent.retries = 4
    assert "attempt 5 of 5" in fails(agent, stream=stream)
    assert len(provider.requests) == 5
    agent.retries = 0
    assert "attempt" not in fails(agent, stream=stream)
    assert len(provider.requests) == 6


@both_ways
@pytest.mark.usefixtures("quick")
def test_a_call_says_how_often_for_itself(provider, agent, stream, recwarn):
    provider.answer = lambda handler: handler.refuse(503, "overloaded")
    agent.retries = 1
    for times, requests in ((3, 4), (0, 1), (None, 2)):
        provider.requests.clear()
        with pytest.raises(ModelFailed):
            text(agent, stream=stream, retries=times)
        assert len(provider.requests) == requests
    with pytest.raises(ModelFailed, match=r"attempt 3 of 3"):
        asyncio.run(agent.arun("?", retries=2))
    assert agent.retries == 1
    assert [str(warning.message) for warning in recwarn] == []


def test_retry_after_is_honoured(provider, agent):
    provider.in_turn(lambda h: h.refuse(429, "slow down", headers={"retry-after": "1"}), lambda h: h.tell())
    assert text(agent, stream=False) == "ok"
    (wait,) = waits(provider)
    assert 1 <= wait < 2.5


def test_who_asks_to_wait_for_an_hour_is_not_waited_for(provider, agent):
    provider.answer = lambda handler: handler.refuse(429, "come back later", headers={"retry-after": "3600"})
    assert fails(agent) == "agent 'writer' on 'm': the provider limits the rate of requests (429); it asks to wait 3600 s"
    assert len(provider.requests) == 1


def test_the_waits_grow_and_differ():
    error = ConnectionError()
    spans = [[retries.wait_after(error, attempt) for _ in range(50)] for attempt in (1, 2, 3, 12)]
    limits = [(0.25, 0.5), (0.5, 1.0), (1.0, 2.0), (15.0, 30.0)]
    for span, (least, most) in zip(spans, limits, strict=True):
        assert least <= min(span) < max(span) <= most
        assert max(span) - min(span) > (most - least) / 2


@pytest.mark.usefixtures("quick")
def test_a_wait_is_said(provider, agent, said):
    provider.in_turn(lambda h: h.refuse(503, "overloaded"), lambda h: h.tell())
    agent.run("?")
    (line,) = said[0]
    assert line.startswith("agent 'writer' on 'm', attempt 1 of 3: ")
    assert line.endswith("; again in 0.0 s")


# -- the connection ------------------------------------------------------------------------------------------------------------


@both_ways
@pytest.mark.usefixtures("quick")
def test_a_connection_that_is_reset_is_made_again(provider, agent, stream):
    provider.in_turn(lambda h: h.reset(), lambda h: h.tell("well"))
    assert text(agent, stream=stream) == "well"
    assert len(provider.requests) == 2


@pytest.mark.usefixtures("quick")
def test_a_server_that_is_not_there_is_looked_for_three_times():
    with socket.socket() as reserved:
        reserved.bind(("127.0.0.1", 0))
        address = reserved.getsockname()
        agent = Agent(OpenAILike("m", base_url=f"http://127.0.0.1:{address[1]}/v1"), name="writer")
        message = fails(agent)
    assert message.startswith("agent 'writer' on 'm', attempt 3 of 3: the model's server cannot be reached (")
    assert message.endswith("; is it running?")


@both_ways
@pytest.mark.usefixtures("quick")
def test_a_server_that_is_slow_to_begin_is_asked_again(provider, agent, stream):
    provider.in_turn(lambda h: h.hang(), lambda h: h.tell("well"))
    agent.timeout = 0.3
    assert text(agent, stream=stream) == "well"
    assert len(provider.requests) == 2
    provider.left.get(timeout=5)


@both_ways
@pytest.mark.usefixtures("quick")
def test_a_server_that_hangs_is_given_up(provider, agent, stream):
    provider.answer = lambda handler: handler.hang()
    agent.timeout = 0.1
    assert fails(agent, stream=stream) == "agent 'writer' on 'm', attempt 3 of 3: the model's server said nothing for 0.1 s"
    assert len(provider.requests) == 3


def test_a_timeout_of_the_model_holds_too(provider):
    provider.answer = lambda handler: handler.hang()
    message = fails(Agent(provider.model(timeout=0.1), retries=0))
    assert message in {
        "agent on 'm': the model's server said nothing for 0.1 s",
        "agent on 'm': the model's server did not answer in time",
    }


@both_ways
def test_a_whole_call_has_a_time_too(provider, agent, stream):
    provider.answer = lambda handler: handler.refuse(503, "later", headers={"retry-after": "60"})
    agent.total_timeout = 0.3
    message = fails(agent, stream=stream)
    assert message == "agent 'writer' on 'm': the call took longer than 0.3 s (total_timeout)"
    assert len(provider.requests) == 1


def test_a_stream_that_never_ends_is_ended(provider, agent):
    def trickle(handler):
        handler.say("one ")
        while not handler.wfile.closed and not provider.hanging.wait(0.02):
            handler.raw(b": still here\n\n")
        handler.raw(b"")

    def answer(handler):
        try:
            trickle(handler)
        except OSError:
            provider.hanging.set()

    provider.answer = answer
    agent.total_timeout = 0.4
    message = fails(agent, stream=True)
    assert message == "agent 'writer' on 'm': the call took longer than 0.4 s (total_timeout)"
    assert agent.run_response.content == "one "


# -- in mid-answer -------------------------------------------------------------------------------------------------------------


def cut(handler, *pieces):
    handler.say(*pieces)
    handler.reset()


def malformed(handler, *pieces):
    handler.say(*pieces)
    handler.raw(b'data: {"choices": [{"delta": {"content"\n\n')
    handler.hang()


def broken(handler, *pieces):
    handler.say(*pieces)
    handler.raw(b'data: {"error": {"message": "internal error", "type": "server_error"}}\n\n')
    handler.hang()


def silent(handler, *pieces):
    handler.say(*pieces)
    handler.hang()


def closed(handler, *pieces):
    handler.say(*pieces)
    handler.close()


breaks = pytest.mark.parametrize("way", [cut, malformed, broken, silent, closed])


@breaks
def test_what_was_given_out_is_not_asked_again(provider, agent, way):
    provider.answer = lambda handler: way(handler, "one ", "two")
    agent.timeout = 0.3
    message = fails(agent, stream=True)
    assert message.startswith("agent 'writer' on 'm': ")
    assert agent.run_response.content == "one two"
    assert len(provider.requests) == 1


@breaks
@pytest.mark.usefixtures("quick")
def test_an_answer_that_breaks_off_before_its_first_word_is_asked_again(provider, agent, way):
    provider.in_turn(lambda h: way(h, None, ""), lambda h: h.tell("all is well"))
    agent.timeout = 0.3
    assert text(agent, stream=True) == "alliswell"
    assert len(provider.requests) == 2


@breaks
@pytest.mark.usefixtures("quick")
def test_structured_output_is_given_out_whole_so_it_can_be_asked_again(provider, agent, way):
    provider.in_turn(lambda h: way(h, '{"te'), lambda h: h.tell('{"text":"News"}'))
    agent.timeout, agent.response_model, agent.structured_outputs = 0.3, Headline, True
    (said,) = agent.run("?", stream=True)
    assert said.content == Headline(text="News")
    assert len(provider.requests) == 2


def test_a_stream_that_is_only_closed_is_no_whole_answer(provider, agent):
    provider.answer = lambda handler: closed(handler, "one ", "two")
    said = "the model's server closed the stream in mid-answer: no finish_reason came"
    assert fails(agent, stream=True) == f"agent 'writer' on 'm': {said}"


@pytest.mark.parametrize("end", [{"finish_reason": "stop"}, {"finish_reason": "guardrail"}, None], ids=["stop", "other", "done"])
def test_a_stream_ends_by_its_reason_or_by_the_line_that_says_so(provider, agent, end):
    def answer(handler):
        handler.say("one ", "two")
        if end:
            handler.add(None, **end)
        else:
            handler.raw(b"data: [DONE]\n\n")
        handler.close()

    provider.answer = answer
    assert text(agent, stream=True) == "one two"
    assert len(provider.requests) == 1


@pytest.mark.usefixtures("quick")
def test_an_answer_that_is_no_answer_is_asked_again(provider, agent):
    provider.in_turn(lambda h: h.send("<html>Bad gateway</html>", headers={"content-type": "text/html"}), lambda h: h.tell())
    assert text(agent, stream=False) == "ok"
    provider.answer = lambda handler: handler.send('{"choices": []')
    assert fails(agent).startswith("agent 'writer' on 'm', attempt 3 of 3: ")
    assert len(provider.requests) == 5


def test_structured_output_that_stays_wrong_fails_with_what_was_said(provider, agent):
    provider.answer = lambda handler: handler.tell('{"text": 1}')
    agent.response_model, agent.structured_outputs = Headline, True
    message = fails(agent)
    assert message.startswith("agent 'writer' on 'm': Exceeded maximum output retries (3): text: Input should be a valid string")
    assert message.endswith("""; it said '{"text": 1}'""")
    assert len(provider.requests) == 4


# -- Stop, interrupt, close ----------------------------------------------------------------------------------------------------


def stopped_after(when, run):
    """Stop the run when an event comes; return a function that says how long ago that was."""
    at = []

    def stop():
        when.wait()
        at.append(time.monotonic())
        run.cancel.cancel()

    threading.Thread(target=stop).start()
    return lambda: time.monotonic() - at[0]


@both_ways
def test_a_stop_ends_the_wait_for_the_next_attempt(provider, agent, run, said, stream):
    provider.answer = lambda handler: handler.refuse(429, "later", headers={"retry-after": "60"})
    since = stopped_after(said[1], run)
    with pytest.raises(RunCancelled):
        text(agent, stream=stream)
    assert since() < PROMPT
    assert len(provider.requests) == 1


@both_ways
def test_a_stop_ends_the_wait_for_a_server_that_hangs(provider, agent, run, stream):
    provider.answer = lambda handler: handler.hang()
    since = stopped_after(provider.hanging, run)
    with pytest.raises(RunCancelled):
        text(agent, stream=stream)
    assert since() < PROMPT


def test_a_stop_ends_a_stream_that_hangs_and_the_server_is_left(provider, agent, run):
    provider.answer = lambda handler: silent(handler, "one ")
    since = stopped_after(provider.hanging, run)
    with pytest.raises(RunCancelled):
        text(agent, stream=True)
    assert since() < PROMPT
    provider.left.get(timeout=5)


def test_an_interrupt_ends_the_wait_for_the_next_attempt(provider, agent, said):
    provider.answer = lambda handler: handler.refuse(503, "later", headers={"retry-after": "60"})
    at = []

    def interrupt():
        said[1].wait()
        at.append(time.monotonic())
        signal.pthread_kill(threading.main_thread().ident, signal.SIGINT)

    threading.Thread(target=interrupt).start()
    with pytest.raises(KeyboardInterrupt):
        agent.run("?")
    assert time.monotonic() - at[0] < PROMPT


def test_closing_a_stream_leaves_the_server(provider, agent):
    provider.answer = lambda handler: silent(handler, "one ", "two")
    stream = agent.run("?", stream=True)
    assert next(stream).content == "one "
    began = time.monotonic()
    stream.close()
    assert time.monotonic() - began < PROMPT
    provider.left.get(timeout=5)


def test_an_async_call_that_is_cancelled_ends_at_once(provider, agent, said):
    provider.answer = lambda handler: handler.refuse(503, "later", headers={"retry-after": "60"})

    async def cell():
        waiting = asyncio.create_task(agent.arun("?"))
        await asyncio.to_thread(said[1].wait)
        began = time.monotonic()
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        return time.monotonic() - began

    assert asyncio.run(cell()) < PROMPT
