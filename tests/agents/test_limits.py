"""A model is asked so much at once and so much a minute, by all threads together, and whoever waits can be stopped."""

from __future__ import annotations

import asyncio
import gc
import logging
import re
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context

import pytest
from pydantic_ai.models.openai import OpenAIChatModel
from pydantic_ai.providers.openai import OpenAIProvider

from wf_notebook import Agent, Workflow
from wf_notebook.agents import limits, retries
from wf_notebook.errors import ModelFailed, RunCancelled, UnknownModel
from wf_notebook.models import Ollama, OpenAIChat, OpenAILike, limit
from wf_notebook.run import RunContext, current, logger
from wf_notebook.testing import scripted

pytestmark = pytest.mark.slow  # a server for each

#: Within so many seconds a call is over when it is stopped, with some room for a busy machine.
PROMPT = 0.1 + 0.15


@pytest.fixture(autouse=True)
def _no_limits_stay():
    yield
    limits._set.clear()


@pytest.fixture
def run():
    context = RunContext("run-1", "session-1", "workflow-1", None)
    token = current.set(context)
    yield context
    current.reset(token)


def together(count, work):
    """Do work in so many threads at once; return what comes of it."""
    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(lambda _: work(), range(count)))


class Held:
    """A server that answers nobody before it is told to, and how many calls have come to the gates of their models."""

    def __init__(self, provider, monkeypatch):
        self.provider, self.go_on = provider, threading.Event()
        self.came, self.served = threading.Semaphore(0), threading.Semaphore(0)
        passing = limits.Gate.passing

        def watched(gate, who):
            self.came.release()
            return passing(gate, who)

        def answer(handler):
            if handler.request_body["model"] != "fence":
                self.served.release()
                self.go_on.wait(20)
            handler.tell()

        monkeypatch.setattr(limits.Gate, "passing", watched)
        provider.answer = answer

    def here(self, calls, expected):
        """Wait until so many calls have come to the gate, and as many to the server as should; return how many are there."""
        for semaphore, count in ((self.came, calls), (self.served, expected)):
            for _ in range(count):
                assert semaphore.acquire(timeout=20)
        # Whoever passed the gate is on the way to the server before this one is, which has come and gone.
        assert Agent(OpenAILike("fence", base_url=self.provider.url)).run("?").content == "ok"
        return sum(body["model"] != "fence" for _, body in self.provider.requests)


@pytest.fixture
def held(provider, monkeypatch):
    held = Held(provider, monkeypatch)
    yield held
    held.go_on.set()


@pytest.mark.parametrize(("concurrency", "calls"), [(None, 14), (3, 9), (1, 4)], ids=["as it is", "three", "one"])
def test_so_many_calls_at_a_time(provider, held, concurrency, calls):
    limit(provider.model(), concurrency=concurrency)
    with ThreadPoolExecutor(calls) as pool:
        waiting = [pool.submit(Agent(provider.model()).run, "?") for _ in range(calls)]
        assert held.here(calls, concurrency or 8) == (concurrency or 8)
        held.go_on.set()
        assert [call.result().content for call in waiting] == ["ok"] * calls


def test_all_names_of_a_model_are_one(provider, held):
    limit(provider.model(), concurrency=2)
    other = OpenAIChatModel("m", provider=OpenAIProvider(base_url=provider.url, api_key="none"))
    models = [provider.model(), other, OpenAIChat("m", base_url=provider.url, api_key="none")] * 2
    with ThreadPoolExecutor(6) as pool:
        waiting = [pool.submit(Agent(model).run, "?") for model in models]
        assert held.here(6, 2) == 2
        held.go_on.set()
        assert [call.result().content for call in waiting] == ["ok"] * 6
    assert {limits.name_of(model) for model in (provider.model(), other, "openai:m", "openai-chat:m")} == {"openai:m"}
    assert limits.name_of(Ollama("llama3.2")) == "ollama:llama3.2"


def test_a_model_of_the_same_name_elsewhere_is_another(provider):
    limit(provider.model(), concurrency=1)
    provider.answer = lambda handler: handler.tell()
    held = Agent(OpenAILike("m", base_url=f"{provider.url}/other/..")).run("?", stream=True)
    next(held)
    assert Agent(provider.model()).run("?").content == "ok"
    held.close()


def test_a_stream_is_a_call_until_it_ends(provider, held):
    limit(provider.model(), concurrency=1)
    provider.in_turn(lambda h: (h.say("one ", "two"), h.hang()), lambda h: h.tell())
    stream = Agent(provider.model()).run("?", stream=True)
    next(stream)
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(Agent(provider.model()).run, "?")
        assert held.here(2, 0) == 1
        stream.close()
        assert waiting.result().content == "ok"


def test_a_slot_is_free_again_after_a_failure(provider):
    limit(provider.model(), concurrency=1)
    provider.answer = lambda handler: handler.refuse(400, "no")
    for _ in range(2):
        with pytest.raises(ModelFailed):
            Agent(provider.model()).run("?")


def test_a_slot_is_free_while_the_next_attempt_is_waited_for(provider, run, monkeypatch):
    monkeypatch.setattr(retries, "FIRST_WAIT", 1000)
    monkeypatch.setattr(retries, "LONGEST_WAIT", 1000)
    limit(provider.model(), concurrency=1)
    asked = threading.Event()
    provider.in_turn(lambda h: (h.refuse(503, "not now"), asked.set()), lambda h: h.tell())
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(copy_context().run, Agent(provider.model()).run, "?")
        asked.wait()
        assert Agent(provider.model()).run("?").content == "ok"
        run.cancel.cancel()
        with pytest.raises(RunCancelled):
            first.result()


def test_no_more_requests_a_minute(monkeypatch):
    monkeypatch.setattr(limits, "MINUTE", 0.3)

    async def pass_often():
        gate, passed = limits.Gate(limits.Limits(None, requests_per_minute=3)), []

        async def once():
            async with gate.passing("a call"):
                passed.append(time.monotonic())

        await asyncio.gather(*(once() for _ in range(8)))
        return passed

    passed = asyncio.run(pass_often())
    assert all(later - earlier >= 0.299 for earlier, later in zip(passed, passed[3:], strict=False))
    assert passed[2] - passed[0] < 0.25  # so many may come at once


def test_the_rate_holds_for_all_threads_together(provider, monkeypatch):
    monkeypatch.setattr(limits, "MINUTE", 1.0)
    limit(provider.model(), requests_per_minute=3)
    provider.answer = lambda handler: handler.tell()
    began = time.monotonic()
    together(7, lambda: Agent(provider.model()).run("?"))
    arrivals = sorted(provider.arrivals)
    assert arrivals[3] - began >= 1
    assert arrivals[6] - began >= 2
    assert len(arrivals) == 7


def test_less_than_one_request_a_minute(monkeypatch):
    monkeypatch.setattr(limits, "MINUTE", 0.1)

    async def pass_twice():
        gate = limits.Gate(limits.Limits(requests_per_minute=0.5))
        began = time.monotonic()
        for _ in range(2):
            async with gate.passing("a call"):
                pass
        return time.monotonic() - began

    assert asyncio.run(pass_twice()) >= 0.2


def test_who_is_asked_to_wait_makes_the_others_wait_too(provider):
    asked = threading.Event()

    def refuse(handler):
        handler.refuse(429, "slow down", headers={"retry-after-ms": "600"})
        provider.answer = lambda handler: handler.tell()

    provider.answer = refuse
    shut, gate = limits.Gate.shut, limits.Gate
    with pytest.MonkeyPatch.context() as patch, ThreadPoolExecutor(1) as pool:
        patch.setattr(gate, "shut", lambda self, seconds: (shut(self, seconds), asked.set()))
        first = pool.submit(Agent(provider.model()).run, "first")
        asked.wait()
        assert Agent(provider.model()).run("second").content == "ok"
        assert first.result().content == "ok"
    assert min(provider.arrivals[1:]) - provider.arrivals[0] >= 0.6


def test_a_limit_that_is_changed_holds_from_the_next_call(provider, held):
    limit(provider.model(), concurrency=1)
    with ThreadPoolExecutor(5) as pool:
        first = pool.submit(Agent(provider.model()).run, "?")
        assert held.here(1, 1) == 1
        limit(provider.model(), concurrency=2)
        others = [pool.submit(Agent(provider.model()).run, "?") for _ in range(4)]
        assert held.here(1 + 4, 2) == 1 + 2  # the fence came, too
        held.go_on.set()
        assert [call.result().content for call in (first, *others)] == ["ok"] * 5


def test_a_model_of_functions_has_no_limit_but_takes_one():
    here, all_here = [], asyncio.Event()

    async def meet(_):
        here.append(1)
        if len(here) == 12:
            all_here.set()
        await all_here.wait()
        return "ok"

    model = scripted(*[meet] * 12)
    assert len(together(12, lambda: Agent(model).run("?"))) == 12

    busy, most = set(), []

    async def count(request):
        busy.add(request.message)
        most.append(len(busy))
        await asyncio.sleep(0)
        busy.discard(request.message)
        return "ok"

    numbers = iter(range(12))
    model = scripted(*[count] * 12)
    limit(model, concurrency=1)
    together(12, lambda: Agent(model).run(f"call {next(numbers)}"))
    assert most == [1] * 12


def test_two_models_of_functions_are_two_also_under_one_name():
    busy, most = set(), []

    async def count(request):
        busy.add(request.message)
        most.append(len(busy))
        await asyncio.sleep(0)
        busy.discard(request.message)
        return "ok"

    numbers = iter(range(12))
    model, other = scripted(*[count] * 12), scripted("ok")
    limit(model, concurrency=1)
    limit(other, concurrency=8)
    together(12, lambda: Agent(model).run(f"call {next(numbers)}"))
    assert most == [1] * 12
    names = [limits.name_of(model), limits.name_of(other)]
    assert names[0] != names[1]
    assert limits.name_of(model) == names[0]


def test_a_model_of_functions_that_is_gone_leaves_no_limit():
    model = scripted("ok")
    limit(model, concurrency=1)
    name = limits.name_of(model)
    assert Agent(model).run("?").content == "ok"
    assert (name in limits._set, (name, None) in limits._gates) == (True, True)
    del model
    gc.collect()
    assert (name in limits._set, (name, None) in limits._gates) == (False, False)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("opnai:gpt-5.2", "no model named 'opnai:gpt-5.2'; did you mean 'openai:gpt-5.2'?"),
        ("gpt-5.2", "no model named 'gpt-5.2'; did you mean 'openai:gpt-5.2'?"),
        ("nothing like it", "no model named 'nothing like it'; a name is provider:model, like openai:gpt-5.2 or local:smollm2"),
        ("local:smolm2", "no local model named 'smolm2'; did you mean 'smollm2'?"),
    ],
)
def test_a_limit_of_a_model_that_nobody_knows_is_refused(name, message, tmp_path, monkeypatch):
    monkeypatch.setenv("WF_MODELS", str(tmp_path))
    with pytest.raises(UnknownModel, match=rf"^{re.escape(message)}$"):
        limit(name, concurrency=1)
    assert limits._set == {}


@pytest.mark.parametrize("name", ["openai:gpt-99", "anthropic:claude-x", "local:smollm2", "ollama:llama3.2", "test"])
def test_a_limit_needs_no_key_no_package_and_no_file(name, tmp_path, monkeypatch):
    monkeypatch.setenv("WF_MODELS", str(tmp_path))
    limit(name, concurrency=1)
    assert limits._set == {limits.name_of(name): limits.Limits(1)}


@pytest.mark.parametrize("wrong", [{"concurrency": 0}, {"concurrency": -1}, {"requests_per_minute": 0}])
def test_a_limit_that_lets_nothing_through_is_refused(wrong):
    with pytest.raises(ValueError, match="lets no call through"):
        limit("openai:gpt-5.2", **wrong)
    with pytest.raises(TypeError, match="a model is a name like"):
        limit(3, concurrency=1)


# -- what is said --------------------------------------------------------------------------------------------------------------


@pytest.fixture
def said(monkeypatch):
    """What is said of those who wait, and an event for the first of it."""

    class Heard(logging.Handler):
        def emit(self, record):
            lines.append(record.getMessage())
            heard.set()

    monkeypatch.setattr(limits, "SILENT", 0.05)
    lines, heard, handler = [], threading.Event(), Heard()
    logger.addHandler(handler)
    yield lines, heard
    logger.removeHandler(handler)


def test_a_wait_for_a_slot_is_said_once_for_all_who_wait(said):
    lines, heard = said

    async def hold(_):
        await asyncio.to_thread(heard.wait, 5)
        return "ok"

    model = scripted(*[hold] * 4)
    limit(model, concurrency=1)
    assert len(together(4, lambda: Agent(model, name="writer").run("?"))) == 4
    assert lines == [
        "agent 'writer' on 'scripted' and 2 more: waiting until one of the calls before it ends, for 1 at a time are its limit"
    ]


def test_a_wait_for_the_rate_is_said_with_its_length(said, run):
    lines, heard = said
    model = scripted("one", "two")
    limit(model, requests_per_minute=2 / 3)
    Agent(model).run("?")
    threading.Thread(target=lambda: (heard.wait(5), run.cancel.cancel())).start()
    with pytest.raises(RunCancelled):
        Agent(model).run("?")
    (line,) = lines
    assert re.fullmatch(
        r"agent on 'scripted': waiting at least (8\d|90)\.\d s, for 0\.666667 requests a minute are its limit", line
    )


def test_a_wait_that_a_provider_asks_for_is_said(said):
    async def wait():
        gate = limits.Gate(limits.Limits())
        gate.shut(0.2)
        async with gate.passing("agent 'writer' on 'm'"):
            pass

    asyncio.run(wait())
    (line,) = said[0]
    assert re.fullmatch(r"agent 'writer' on 'm': waiting at least 0\.[12] s, as the provider asks for", line)


def test_a_short_wait_is_not_said(said, monkeypatch):
    monkeypatch.setattr(limits, "SILENT", 5)
    model = scripted("one", "two", "three")
    limit(model, concurrency=1)
    together(3, lambda: Agent(model).run("?"))
    assert said[0] == []


# -- Stop ----------------------------------------------------------------------------------------------------------------------


class Watched(asyncio.Semaphore):
    """A semaphore that says when somebody comes to it."""

    def __init__(self, value):
        super().__init__(value)
        self.came = threading.Event()

    async def acquire(self):
        self.came.set()
        return await super().acquire()


def stopped_while_waiting(provider, run, slots):
    """Call, stop the run when the call has come to the gate of its model, and return how long that took, in seconds."""
    gate = limits.gate("openai:m", f"{provider.url}/", limits.Limits(8))
    gate._slots, at = slots, []

    def stop():
        slots.came.wait()
        at.append(time.monotonic())
        run.cancel.cancel()

    threading.Thread(target=stop).start()
    with pytest.raises(RunCancelled):
        Agent(provider.model()).run("?")
    return time.monotonic() - at[0]


def test_a_stop_ends_the_wait_for_a_slot(provider, run):
    assert stopped_while_waiting(provider, run, Watched(0)) < PROMPT
    assert provider.requests == []


def test_a_stop_ends_the_wait_for_the_rate_and_takes_no_turn(provider, run):
    limit(provider.model(), requests_per_minute=1)
    provider.answer = lambda handler: handler.tell()
    assert Agent(provider.model()).run("?").content == "ok"
    slots = Watched(1)
    assert stopped_while_waiting(provider, run, slots) < PROMPT
    assert len(provider.requests) == 1
    assert not slots.locked()


def test_a_forked_child_does_not_wait_for_the_calls_of_its_parent(provider):
    provider.in_turn(lambda h: h.hang(), lambda h: h.tell("hello from the child"))
    code = f"""
import os, threading
from wf_notebook import Agent
from wf_notebook.models import OpenAILike, limit
model = OpenAILike("m", base_url={provider.url!r})
limit(model, concurrency=1)
threading.Thread(target=lambda: Agent(model).run("?"), daemon=True).start()
input()
child = os.fork()
if not child:
    print(Agent(model).run("?").content, flush=True)
    os._exit(0)
os.waitpid(child, 0)
os._exit(0)
"""
    options = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL, "text": True}
    with subprocess.Popen([sys.executable, "-c", code], **options) as process:
        try:
            provider.hanging.wait()
            assert process.communicate("\n", timeout=30)[0] == "hello from the child\n"
        finally:
            process.kill()


@pytest.mark.model
def test_the_local_model_is_asked_one_after_the_other_and_can_be_stopped_while_waiting(local_model, run):
    held = Agent(local_model).run("Tell me a story.", stream=True)
    next(held)
    gate = limits._gates[next(key for key in limits._gates if "smollm2" in key[0])]
    assert gate.limits == limits.Limits(1)
    came, acquire, at = threading.Event(), gate._slots.acquire, []

    def watched():
        came.set()
        return acquire()

    def stop():
        came.wait()
        at.append(time.monotonic())
        run.cancel.cancel()

    gate._slots.acquire = watched
    threading.Thread(target=stop).start()
    with pytest.raises(RunCancelled):
        Agent(local_model).run("Say yes.")
    assert time.monotonic() - at[0] < PROMPT
    with pytest.raises(RunCancelled):
        list(held)


# -- budgets, where the provider says what was used ----------------------------------------------------------------------------


class Twice(Workflow):
    def run(self):
        yield self.agent.run("?", stream=True)
        yield self.agent.run("?", stream=True)


def test_a_stream_is_cut_when_its_provider_says_on_the_way_what_it_used(provider):
    def answer(handler):
        handler.say("one ")
        for tokens, word in enumerate(["two ", "three ", "four ", "five "], start=20):
            handler.add(word, usage={"prompt_tokens": 80, "completion_tokens": tokens, "total_tokens": 80 + tokens})
        handler.hang()

    provider.answer = answer
    flow = Twice(max_tokens=100)
    flow.agent = Agent(provider.model(), model_settings={"openai_continuous_usage_stats": True})
    assert "".join(said.content for said in flow.run()) == "one two three "
    assert (flow.last_run.status, flow.last_run.error) == ("stopped", "budget of 100 tokens spent (101)")
    assert len(provider.requests) == 1


def test_a_stream_whose_use_is_known_at_its_end_is_whole(provider):
    provider.answer = lambda handler: handler.tell("one two")
    flow = Twice(max_tokens=40)
    flow.agent = Agent(provider.model())
    assert "".join(said.content for said in flow.run()) == "onetwo"
    assert (flow.last_run.status, flow.last_run.error) == ("stopped", "budget of 40 tokens spent (50)")
    assert (flow.last_run.input_tokens, flow.last_run.output_tokens) == (30, 20)
    assert len(provider.requests) == 1


def test_a_budget_of_money_where_the_price_is_known(provider):
    provider.answer = lambda handler: handler.tell("one two")
    flow = Twice(max_cost=0.0001)
    flow.agent = Agent(OpenAIChatModel("gpt-4o", provider=OpenAIProvider(base_url=provider.url, api_key="none")))
    assert "".join(said.content for said in flow.run()) == "onetwo"
    assert flow.last_run.status == "stopped"
    assert flow.last_run.error == "budget of $0.0001 spent ($0.000275)"
    assert len(provider.requests) == 1
