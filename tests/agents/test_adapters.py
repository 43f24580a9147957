"""What is no Agent and is called as one: agents of pydantic-ai, functions of all kinds, and what others register."""

from __future__ import annotations

import asyncio
import contextvars
import subprocess
import sys
import threading
from functools import partial

import pytest
from pydantic import BaseModel
from pydantic_ai import Agent as Foreign
from pydantic_ai import RunContext
from pydantic_ai.models.test import TestModel

from wf_notebook import Agent, RunResponse, Workflow
from wf_notebook import agents as front
from wf_notebook import foreign as packages
from wf_notebook.agents import AgentLike, adapt, adapters, register_adapter, report_usage
from wf_notebook.agents.functions import FunctionAgent
from wf_notebook.agents.pydantic import PydanticAgent
from wf_notebook.errors import AgentFailed, ModelFailed, RunCancelled, UnsendableFile
from wf_notebook.run import current
from wf_notebook.testing import Breaks, ToolCall, scripted


class Headline(BaseModel):
    text: str


def words(text):
    yield from text.split()


def shout(text):
    return text.upper()


async def whisper(text):
    await asyncio.sleep(0)
    return text.lower()


async def spell(text):
    for letter in text:
        await asyncio.sleep(0)
        yield letter


class Written(Workflow):
    writer = Foreign(scripted(*["a b"] * 9), instructions="Write.")

    def run(self, message, stream=True):
        if not stream:
            return self.writer.run(message)
        return iter([self.writer.run(message, stream=True)])


class Held(Workflow):
    """A workflow that is given a function."""

    def __init__(self, function):
        super().__init__()
        self.function = function

    def run(self, *args):
        return self.function.run(*args)


class Loud:
    """An object that can be called."""

    def __call__(self, text):
        return text.upper()


@pytest.mark.parametrize(
    ("function", "content"),
    [
        (words, "ab"),
        (shout, "A B"),
        (whisper, "a b"),
        (spell, "a b"),
        (lambda text: text + "!", "a b!"),
        (partial("{}{}".format, "> "), "> a b"),
        (len, 3),
        ("a b, {}".format, "a b, a b"),
    ],
)
def test_a_function_that_is_assigned_to_an_instance_is_an_agent_and_can_be_called(function, content):
    flow = Held(function)
    assert flow.run("a b").content == content
    assert flow.function.function is function
    if content == "A B":
        assert (flow.function("a"), flow.function.__name__, flow.function.name) == ("A", "shout", "shout")


def test_a_function_that_is_assigned_can_still_be_a_tool():
    flow = Held(shout)
    model = scripted(ToolCall("shout", {"text": "a"}), "done")
    assert Agent(model, tools=[flow.function]).run("?").tools[0]["result"] == "A"


def test_what_stands_in_place_of_a_method_stays_what_it_is():
    flow = Held(shout)
    flow._private, flow.run, flow.kind, flow.loud = words, words, Loud, Loud()
    assert (flow._private, flow.run, flow.kind, type(flow.loud)) == (words, words, Loud, Loud)


@pytest.mark.parametrize(
    ("thing", "note"),
    [
        (shout, "'shout' is a function and no agent; to call it as one, write adapt(shout)"),
        (staticmethod(shout), "'shout' is a function and no agent; to call it as one, write adapt(shout)"),
        (Loud(), "a value of type 'Loud' can be called, but is no agent; to call it as one, write adapt(…)"),
    ],
    ids=["method", "static", "object"],
)
def test_what_is_not_adapted_names_the_remedy_where_it_is_called_as_an_agent(thing, note):
    class Body(Workflow):
        function = thing

        def run(self, text):
            yield self.function.run(text, stream=True)

    class Later(Body):
        async def arun(self, text):
            return await self.function.arun(text)

    flow = Later()
    for failing in (lambda: flow.run("a").result(), lambda: asyncio.run(flow.arun("a"))):
        with pytest.raises(AttributeError) as failed:
            failing()
        assert failed.value.__notes__ == [f"{note} (from wf_notebook.agents import adapt)"]
        assert flow.last_run.error.endswith(failed.value.__notes__[0])


def test_other_errors_of_attributes_are_left_alone():
    class Wrong(Workflow):
        def run(self):
            return self.nothing.run("?")

    class Number(Workflow):
        def run(self):
            return (1).run("?")

    for kind in (Wrong, Number):
        with pytest.raises(AttributeError) as failed:
            kind().run()
        assert not hasattr(failed.value, "__notes__")


# -- agents of pydantic-ai -------------------------------------------------------------------------------------------------


def test_a_pydantic_agent_streams_as_ours_do():
    workflow = Written()
    assert [said.content for said in workflow.run("?")] == ["a", " b"]
    assert (workflow.writer.run_response.content, workflow.writer.name) == ("a b", "writer")
    assert workflow.last_run.models == ("scripted",)


def test_a_pydantic_agent_answers_as_ours_do_and_its_tokens_count():
    workflow = Written()
    answer = workflow.run("?", stream=False)
    assert (answer.content, answer.agent_id, answer.model) == ("a b", "writer", "scripted")
    assert workflow.last_run.output_tokens == workflow.writer.run_response.metrics["output_tokens"] > 0


def test_each_instance_has_its_own_and_the_agent_stays_as_it_was():
    first, second = Written(), Written()
    assert first.writer is not second.writer
    assert first.writer.foreign is second.writer.foreign is Written.writer
    assert Written.writer.name is None
    assert isinstance(Written.writer, Foreign)


def test_an_instance_may_be_given_one_later():
    workflow = Written()
    workflow.other = Foreign(scripted("later"))
    assert workflow.other.run("?").content == "later"
    assert workflow.other.name == "other"


def test_lists_and_dicts_of_a_class_are_adapted_too():
    class Several(Workflow):
        both = [Foreign(scripted("a"), name="a"), Agent(scripted("b"), name="b")]  # noqa: RUF012 - as a user writes it
        named = {"c": Foreign(scripted("c"))}  # noqa: RUF012 - as a user writes it

        def run(self):
            return [agent.run("?") for agent in (*self.both, *self.named.values())]

    assert [said.content for said in Several().run()] == ["a", "b", "c"]


def test_what_else_pydantic_ai_has_stays_what_it_is():
    model = scripted("x")
    workflow = Written()
    workflow.model = model
    assert workflow.model is model


def test_its_own_instructions_tools_output_and_dependencies_hold():
    foreign = Foreign(
        scripted(ToolCall("look", {"at": "it"}), {"text": "News"}), deps_type=int, output_type=Headline, instructions="Be brief."
    )

    @foreign.tool
    def look(context: RunContext[int], at: str) -> str:
        return f"{at} {context.deps}"

    agent = adapt(foreign)
    answer = agent.run("?", deps=7)
    assert (answer.content, answer.content_type) == (Headline(text="News"), "Headline")
    assert answer.tools[0]["result"] == "it 7"
    assert answer.messages[0] == {"role": "system", "content": "Be brief."}


def test_its_settings_and_those_of_the_call_hold():
    model = scripted("a", "b")
    agent = adapt(Foreign(model, model_settings={"temperature": 0.5}))
    agent.run("?")
    agent.run("?", model_settings={"temperature": 0.7, "max_tokens": 5})
    assert [{k: r.settings.get(k) for k in ("temperature", "max_tokens")} for r in model.requests] == [
        {"temperature": 0.5, "max_tokens": None},
        {"temperature": 0.7, "max_tokens": 5},
    ]


def test_its_model_may_be_named_in_the_call_or_overridden():
    agent = adapt(Foreign())
    assert agent.run("?", model=scripted("named")).content == "named"
    with agent.override(model=TestModel(custom_output_text="overridden")):
        assert agent.run("?").content == "overridden"


def test_a_history_may_be_given_and_its_own_is_kept_when_asked_for():
    model = scripted("one", "two", "three")
    agent = adapt(Foreign(model))
    agent.add_history_to_messages = True
    agent.run("first")
    agent.run("second")
    agent.run("third", message_history=[])
    assert [len(request.messages) for request in model.requests] == [1, 3, 1]


def test_it_is_read_in_async_code():
    async def read():
        agent = adapt(Foreign(scripted("a b", "c")))
        streamed = [said.content async for said in agent.arun("?", stream=True)]
        return streamed, (await agent.arun("?")).content

    assert asyncio.run(read()) == (["a", " b"], "c")


def test_its_failures_are_said_as_ours_are():
    with pytest.raises(ModelFailed, match="agent 'poet' on 'scripted': "):
        list(adapt(Foreign(scripted(Breaks("a", ConnectionError("gone")))), name="poet").run("?", stream=True))
    blind = scripted("x")
    blind._profile = {"supports_image_input": False}
    with pytest.raises(UnsendableFile, match="agent 'poet' on 'scripted': the model takes no images"):
        adapt(Foreign(blind), name="poet").run("?", images=b"GIF89a...")


def test_what_its_tools_raise_is_the_users_own():
    def look() -> str:
        raise KeyError("mine")

    with pytest.raises(KeyError, match="mine") as raised:
        adapt(Foreign(scripted(ToolCall("look")), tools=[look]), name="poet").run("?")
    assert raised.value.__notes__ == ["raised by the tool 'look' of agent 'poet'"]


def test_what_the_adapter_has_not_is_the_agents():
    agent = adapt(Foreign(scripted("a"), name="poet", end_strategy="exhaustive"))
    assert agent.end_strategy == "exhaustive"
    with pytest.raises(AttributeError):
        _ = agent.no_such_thing
    with pytest.raises(AttributeError):
        _ = agent._nothing


# -- functions -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("function", "streamed", "whole"),
    [(shout, ["A B"], "A B"), (words, ["a", "b"], "ab"), (whisper, ["a b"], "a b"), (spell, ["a", " ", "b"], "a b")],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_a_function_of_any_kind_speaks_as_an_agent(function, streamed, whole):
    async def read():
        agent = adapt(function)
        pieces = [said.content async for said in agent.arun("a b", stream=True)]
        return pieces, (await agent.arun("a b")).content, agent.run_response.content

    agent = adapt(function)
    assert agent.name == function.__name__
    assert agent.run_response is None
    assert [said.content for said in agent.run("a b", stream=True)] == streamed
    assert agent.run("a b").content == agent.run_response.content == whole
    assert agent.run_response.metrics["duration"] > 0
    assert asyncio.run(read()) == (streamed, whole, whole)


def test_a_function_in_a_workflow_streams_as_it_comes_and_knows_its_run():
    heard = []

    def told(topic):
        heard.append("began")
        yield f"{topic} in {current.get().session_id}"
        heard.append("went on")
        yield "!"

    class Told(Workflow):
        tell = adapt(told)

        def run(self, topic):
            yield self.tell.run(topic, stream=True)

    stream = Told(session_id="demo").run("ducks")
    assert heard == []
    assert next(stream).content == "ducks in demo"
    assert (heard, stream.workflow.tell.run_response.content) == (["began"], "ducks in demo")
    assert stream.result().content == "ducks in demo!"


def test_a_method_stays_a_method():
    class Own(Workflow):
        def shout(self, text):
            return text.upper()

        def run(self, text):
            return self.shout(text)

    assert Own().run("a").content == "A"


def test_instances_do_not_share_what_a_function_said():
    class Told(Workflow):
        tell = adapt(shout)

        def run(self, text):
            return self.tell.run(text)

    first, second = Told(), Told()
    first.run("a")
    assert (first.tell.run_response.content, second.tell.run_response) == ("A", None)


def test_arguments_are_the_functions_own():
    def add(a, b=1, *, c=0):
        return f"{a + b + c}"

    assert adapt(add).run(1, b=2, c=3).content == "6"
    assert adapt(partial(add, 1)).run(c=3).content == "5"
    assert adapt(partial(add, 1)).name == "add"


def test_any_value_is_the_content_of_a_response():
    response = adapt(lambda: {"a": [1]}, name="facts").run()
    assert (response.content, response.content_type, response.agent_id) == ({"a": [1]}, "dict", "facts")
    assert adapt(lambda: None).run().content is None
    own = RunResponse("mine", agent_id="me")
    assert adapt(lambda: own).run().agent_id == "me"
    assert next(adapt(lambda: own).run(stream=True)) is own


def test_streams_within_are_played():
    def told(text):
        yield from words(text)
        yield Agent(scripted("c d")).run("?", stream=True)
        yield spell("ef")

    async def read():
        return [said.content async for said in adapt(told).arun("a b", stream=True)]

    expected = ["a", "b", "c", " d", "e", "f"]
    assert [said.content for said in adapt(told).run("a b", stream=True)] == expected
    assert asyncio.run(read()) == expected


def test_an_exception_is_the_users_own_and_what_was_open_is_closed():
    closed = []

    def tell():
        try:
            yield "so far"
            yield broken()
        finally:
            closed.append("tell")

    def broken():
        raise KeyError("mine")
        yield

    agent = adapt(tell)
    with pytest.raises(KeyError, match="mine"):
        agent.run()
    assert (closed, agent.run_response.content) == (["tell"], "so far")


def test_a_stream_may_be_closed_early():
    closed = []

    def tell():
        try:
            yield "so far"
            yield "more"
        finally:
            closed.append(True)

    async def read():
        stream = adapt(tell).arun(stream=True)
        await anext(stream)
        await stream.aclose()

    stream = adapt(tell).run(stream=True)
    next(stream)
    stream.close()
    stream.close()
    asyncio.run(read())
    assert closed == [True, True]


def test_a_plain_function_holds_no_loop_up():
    both = threading.Barrier(2, timeout=30)

    def meet(name):
        both.wait()
        return name

    async def read():
        agents = adapt(meet), adapt(meet)
        return [said.content for said in await asyncio.gather(agents[0].arun("a"), agents[1].arun("b"))]

    assert asyncio.run(read()) == ["a", "b"]


def test_what_a_function_awaits_is_awaited_on_the_callers_loop():
    async def here():
        return str(id(asyncio.get_running_loop()))

    async def read():
        return (await adapt(here).arun()).content == str(id(asyncio.get_running_loop()))

    assert asyncio.run(read())


def test_a_generators_context_variables_stay_its_own():
    variable = contextvars.ContextVar("variable", default="outer")

    def tell():
        variable.set("inner")
        yield variable.get()
        yield variable.get()

    assert (adapt(tell).run().content, variable.get()) == ("innerinner", "outer")


def test_stop_ends_what_a_function_awaits():
    began, ended = threading.Event(), threading.Event()

    async def forever():
        began.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    class Waits(Workflow):
        wait = adapt(forever)

        def run(self):
            yield self.wait.run()

    stream = Waits().run()
    stopper = threading.Thread(target=lambda: (began.wait(), stream.stop()))
    stopper.start()
    assert stream.result().content == ""
    stopper.join()
    assert (stream.run.status, ended.wait(10)) == ("stopped", True)


def test_a_call_of_a_stopped_run_is_not_swallowed():
    def tell():
        raise RunCancelled

    with pytest.raises(RunCancelled):
        adapt(tell).run()


# -- what others register --------------------------------------------------------------------------------------------------


@pytest.fixture
def registered(monkeypatch):
    monkeypatch.setattr(adapters, "ADAPTERS", list(adapters.ADAPTERS))
    monkeypatch.setattr(packages, "PACKAGES", packages.PACKAGES)
    before = set(packages.PACKAGES)
    yield
    packages.PACKAGES.intersection_update(before)


class Parrot:
    def repeat(self, message):
        report_usage(model="parrot", input_tokens=2, output_tokens=3, cost=0.5)
        return message


@pytest.mark.usefixtures("registered")
@pytest.mark.parametrize("kind", [Parrot, Parrot.__module__])
def test_a_registered_kind_is_adapted_as_an_attribute_and_its_tokens_count(kind):
    register_adapter(kind, lambda thing: adapt(thing.repeat) if isinstance(thing, Parrot) else None)

    class Talk(Workflow):
        bird = Parrot()

        def run(self, text):
            return self.bird.run(text)

    talk = Talk()
    assert talk.run("hello").content == "hello"
    run = talk.last_run
    assert (run.models, run.input_tokens, run.output_tokens, run.cost) == (("parrot",), 2, 3, 0.5)
    assert talk.bird.name == "repeat"


def test_outside_a_run_usage_is_counted_nowhere():
    report_usage(model="parrot", input_tokens=2)


def test_ours_and_the_adapters_are_agents_like_each_other():
    for agent in (Agent(), adapt(shout), adapt(Foreign(scripted("a")))):
        assert isinstance(agent, AgentLike)
        assert adapt(agent) is agent
        assert repr(agent)
    assert not isinstance(shout, AgentLike)
    agent = Agent(name="a")
    assert (adapt(agent, name="b").name, agent.name) == ("b", "a")
    assert isinstance(adapt(shout), FunctionAgent)
    assert isinstance(adapt(Foreign()), PydanticAgent)


@pytest.mark.parametrize("thing", ["text", 3, words("a b"), None])
def test_what_cannot_be_called_is_refused(thing):
    with pytest.raises(AgentFailed, match="cannot be adapted; give a function, or register_adapter"):
        adapt(thing)


def test_nothing_is_loaded_where_nothing_is_adapted():
    code = (
        "import sys; from wf_notebook import Workflow; from wf_notebook.agents import adapt\n"
        "class W(Workflow):\n    a = adapt(print)\n    def run(self): yield 'a'\n"
        "W().run().result()\n"
        "print([name for name in ('pydantic_ai', 'pydantic', 'openai') if name in sys.modules])"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"
    assert set(front.__all__) == {"Agent", "AgentLike", "adapt", "register_adapter", "report_usage"}


def test_the_stream_of_a_function_says_what_it_is_and_gives_its_answer_as_one_response():
    stream = adapt(iter, name="tell").run("ab", stream=True)
    assert repr(stream) == "<stream of function 'tell', not begun: iterate it, or call .result()>"
    assert repr(adapt(lambda: 1).run(stream=True)).startswith("<stream of a function, not begun")
    next(stream)
    assert repr(stream) == "<stream of function 'tell', running>"
    assert stream.result().content == stream.result().content == "ab"
    assert repr(stream) == "<stream of function 'tell', over: .result() is its answer>"
