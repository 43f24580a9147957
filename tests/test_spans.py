"""Spans: one per run, and those of agents inside it; nothing at all where tracing is not configured."""

from __future__ import annotations

import asyncio
import gc
import subprocess
import sys
from contextvars import copy_context
from functools import partial

import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from pydantic_ai import Agent as Engine

from wf_notebook import Agent, Workflow, parallel, saver
from wf_notebook.agents import adapt
from wf_notebook.errors import ModelFailed
from wf_notebook.run import current
from wf_notebook.spans import begin, provider, span
from wf_notebook.testing import Breaks, ToolCall, scripted


class Exporter(InMemorySpanExporter):
    def tree(self, parent=None):
        """Return the finished spans as nested lists of names, in the order in which they began."""
        spans = sorted(self.get_finished_spans(), key=lambda span: span.start_time)
        here = [span for span in spans if (span.parent.span_id if span.parent else None) == parent]
        return {span.name: self.tree(span.context.span_id) for span in here}

    def __getitem__(self, name):
        return next(span for span in self.get_finished_spans() if span.name == name)


@pytest.fixture
def spans(monkeypatch):
    """Configure tracing for this test, as a user does by `set_tracer_provider`, which a process can do only once."""
    exporter = Exporter()
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    monkeypatch.setattr(trace, "_TRACER_PROVIDER", provider)
    yield exporter
    provider.shutdown()


class Poet(Workflow):
    writer = Agent(scripted("a b", "c d"), name="writer")

    def run(self, stream=True):
        return self.pieces() if stream else self.writer.run("Write.")

    def pieces(self):
        yield self.writer.run("Write.", stream=True)
        yield self.writer.run("Once more.")

    async def arun(self, stream=False):
        return await self.writer.arun("Write.")


def poet(*answers, **settings):
    poet = Poet(name="poet", **settings)
    poet.writer.model = scripted(*answers or ("a b", "c d"))
    return poet


CALL = {"chat scripted": {}}


def test_a_batch_run_is_a_span_with_the_call_inside(spans):
    workflow = poet(session_id="demo")
    workflow.run(stream=False)
    assert spans.tree() == {"invoke_workflow poet": {"invoke_agent writer": CALL}}
    run = workflow.last_run
    assert dict(spans["invoke_workflow poet"].attributes) == {
        "gen_ai.operation.name": "invoke_workflow",
        "gen_ai.workflow.name": "poet",
        "wf.run_id": run.run_id,
        "wf.session_id": "demo",
        "wf.status": "completed",
        "wf.input_tokens": run.input_tokens,
        "wf.output_tokens": run.output_tokens,
    }
    assert spans["chat scripted"].attributes["gen_ai.usage.input_tokens"] == run.input_tokens


def test_a_stream_is_a_span_from_its_call_to_its_end(spans):
    stream = poet(storage="memory:").run()
    next(stream)
    assert "invoke_workflow poet" not in [span.name for span in spans.get_finished_spans()]
    stream.result()
    names = [span.name for span in sorted(spans.get_finished_spans(), key=lambda span: span.start_time)]
    assert names == ["invoke_workflow poet", *["invoke_agent writer", "chat scripted"] * 2]
    outer = spans["invoke_workflow poet"]
    agents = [span for span in spans.get_finished_spans() if span.name == "invoke_agent writer"]
    assert {span.parent.span_id for span in agents} == {outer.context.span_id}
    assert outer.end_time >= max(span.end_time for span in agents)


def test_interleaved_runs_each_have_their_own(spans):
    first, second = poet("a b", "c"), poet("x y", "z")
    first.name, second.name = "first", "second"
    streams = [first.run(), second.run()]
    while streams:
        streams = [stream for stream in streams if next(stream, None)]
    names = [span.name for span in spans.get_finished_spans() if span.parent is None]
    assert sorted(names) == ["invoke_workflow first", "invoke_workflow second"]
    for name in names:
        inside = [s for s in spans.get_finished_spans() if s.parent and s.parent.span_id == spans[name].context.span_id]
        assert [span.name for span in inside] == ["invoke_agent writer"] * 2


def test_an_async_run_is_a_span_too(spans):
    asyncio.run(poet().arun())
    assert spans.tree() == {"invoke_workflow poet": {"invoke_agent writer": CALL}}


def test_an_async_stream_is_a_span_too(spans):
    class Later(Workflow):
        writer = Agent(scripted("a b"), name="writer")

        async def arun(self):
            async for response in self.writer.arun("Write.", stream=True):
                yield response

    async def read():
        return [response.content async for response in Later(name="later").arun()]

    assert asyncio.run(read()) == ["a", " b"]
    assert spans.tree() == {"invoke_workflow later": {"invoke_agent writer": CALL}}


def test_a_tool_and_the_users_own_spans_nest_where_they_happen(spans):
    def look(at: str) -> str:
        with trace.get_tracer("mine").start_as_current_span("looking"):
            return at

    workflow = poet(ToolCall("look", {"at": "it"}), "done")
    workflow.writer.tools = [look]
    with trace.get_tracer("mine").start_as_current_span("cell"):
        workflow.run(stream=False)
    inside = spans.tree()["cell"]["invoke_workflow poet"]["invoke_agent writer"]
    assert inside == {"chat scripted": {}, "execute_tool look": {"looking": {}}}


def test_what_is_adapted_nests_as_well(spans):
    def looking(at):
        yield at
        yield Agent(scripted("a"), name="inner").run("?", stream=True)

    class Adapted(Workflow):
        look = adapt(looking, name="look")
        writer = Engine(scripted("a b"))

        def run(self):
            yield self.writer.run("?", stream=True)
            yield self.look.run("it", stream=True)

    Adapted(name="adapted").run().result()
    assert spans.tree() == {
        "invoke_workflow adapted": {"invoke_agent agent": CALL, "invoke_agent look": {"invoke_agent inner": CALL}}
    }


def test_each_branch_is_a_span_with_its_calls_inside_and_each_attempt_is_one(spans):
    def flaky():
        if len(tries := [*tried, 1]) < 2:
            tried[:] = tries
            raise ValueError("not yet")
        return "done"

    class Together(Workflow):
        writer = Agent(scripted("a b"), name="writer")

        def run(self):
            yield from parallel(partial(self.writer.run, "?", stream=True), flaky, on_error="retry")
            parallel(lambda: parallel(flaky))

    tried = []
    Together(name="together").run().result()
    assert spans.tree() == {
        "invoke_workflow together": {
            "branch writer": {"invoke_agent writer": CALL},
            "branch flaky": {},
            "branch 1": {"branch flaky": {}},
        }
    }
    flakies = [span for span in spans.get_finished_spans() if span.name == "branch flaky"]
    assert [span.status.description for span in flakies] == ["ValueError: not yet", None, None]
    assert [span.attributes["wf.lane"] for span in flakies] == ["flaky", "flaky", "branch 1/flaky"]


def test_a_workflow_inside_another_nests(spans):
    class Outer(Workflow):
        def run(self):
            return poet().run(stream=False)

    Outer(name="outer").run()
    assert spans.tree() == {"invoke_workflow outer": {"invoke_workflow poet": {"invoke_agent writer": CALL}}}


@pytest.mark.usefixtures("spans")
def test_nothing_stays_current_outside_the_run():
    stream = poet().run()
    next(stream)
    assert trace.get_current_span() is trace.INVALID_SPAN
    stream.result()
    assert trace.get_current_span() is trace.INVALID_SPAN


def test_a_failed_run_says_why_and_keeps_secrets(spans, monkeypatch):
    monkeypatch.setenv("MY_API_KEY", "very-secret-key")

    class Fails(Workflow):
        def run(self):
            yield "so far"
            raise ValueError("it was very-secret-key")

    with pytest.raises(ValueError, match="it was"):
        Fails(name="fails").run().result()
    failed = spans["invoke_workflow fails"]
    assert (failed.status.status_code, failed.status.description) == (
        trace.StatusCode.ERROR,
        "ValueError: it was <redacted MY_API_KEY>",
    )
    assert failed.attributes["wf.status"] == "failed"
    (event,) = failed.events
    assert event.attributes["exception.message"] == "it was <redacted MY_API_KEY>"
    assert "very-secret-key" not in failed.to_json()


def test_a_model_that_fails_fails_its_call_and_the_run(spans):
    with pytest.raises(ModelFailed):
        poet(Breaks("a b", ConnectionError("gone"))).run().result()
    for name in ("invoke_agent writer", "invoke_workflow poet"):
        assert spans[name].status.status_code is trace.StatusCode.ERROR


def test_a_stopped_run_is_no_error_and_ends_all_that_is_inside(spans):
    stream = poet("a b c d").run()
    next(stream)
    stream.stop()
    assert spans["invoke_workflow poet"].attributes["wf.status"] == "stopped"
    assert spans["invoke_workflow poet"].status.status_code is trace.StatusCode.UNSET
    assert set(spans.tree()["invoke_workflow poet"]) == {"invoke_agent writer"}


def test_a_dropped_run_ends_its_span_without_a_storage_too(spans):
    stream = poet().run()
    next(stream)
    del stream
    gc.collect()
    saver.drain()
    assert spans["invoke_workflow poet"].attributes["wf.status"] == "stopped"


def test_what_was_said_stays_here_unless_the_user_switches_it_on(spans):
    poet("a secret poem").run(stream=False)
    assert "poem" not in "".join(span.to_json() for span in spans.get_finished_spans())
    spans.clear()
    Engine.instrument_all()
    try:
        poet("a secret poem").run(stream=False)
    finally:
        Engine.instrument_all(False)
    assert spans.tree() == {"invoke_workflow poet": {"invoke_agent writer": CALL}}
    assert "poem" in spans["chat scripted"].to_json()


def test_a_span_can_be_had_around_any_code_and_inside_any_context(spans):
    variables = copy_context()
    lane = begin("branch a", {"wf.lane": "a", "wf.none": None})
    lane.inside(variables)
    with span("step outside"):
        variables.run(lambda: begin("step inside").end())
    with pytest.raises(KeyError), span("step that fails", {"wf.hit": False}):
        {}["x"]
    lane.end()
    lane.end()
    assert spans.tree() == {"branch a": {"step inside": {}}, "step outside": {}, "step that fails": {}}
    assert dict(spans["branch a"].attributes) == {"wf.lane": "a"}
    assert spans["step that fails"].status.description == "KeyError: 'x'"


def test_without_tracing_there_is_no_span_and_no_instrumentation():
    workflow = poet()
    workflow.run(stream=False)
    assert provider() is None
    assert not begin("x").is_there
    assert current.get() is None


def test_without_tracing_a_run_imports_nothing_of_opentelemetry():
    code = (
        "import sys; from wf_notebook import Workflow\n"
        "class W(Workflow):\n    def run(self): yield 'a'\n"
        "W().run().result()\n"
        "print([name for name in sys.modules if name.startswith('opentelemetry')])"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"
    code = (
        "import sys; from wf_notebook import Agent; from wf_notebook.testing import scripted\n"
        "Agent(scripted('a')).run('?')\n"
        "print([name for name in sys.modules if name.startswith('opentelemetry.sdk')])"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"
