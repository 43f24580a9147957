"""What is true of agents of agno, runnables of LangChain and graphs of LangGraph: for an environment that has these packages.

Each function is one sentence; it is run once, by `test_others.py`, in an empty folder.
"""

from __future__ import annotations

import asyncio
import json
import operator
import re
import runpy
import sys
import threading
import traceback
import warnings
from functools import partial, wraps
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count, pairwise
from pathlib import Path
from typing import Annotated, TypedDict

from agno.agent import Agent
from agno.db.in_memory import InMemoryDb
from agno.models.openai import OpenAIChat
from agno.tools import Toolkit, tool
from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.language_models import FakeListChatModel, GenericFakeChatModel
from langchain_core.messages import AIMessage
from langchain_core.output_parsers import PydanticOutputParser, StrOutputParser
from langchain_core.prompts import ChatPromptTemplate
from langchain_core.runnables import RunnableLambda
from langchain_core.tools import tool as chain_tool
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.config import get_stream_writer
from langgraph.graph import END, START, MessagesState, StateGraph
from langgraph.prebuilt import create_react_agent
from langgraph.types import interrupt
from pydantic import BaseModel
from scripts import ASKED, AgnoModel, ChatModel, call

from wf_notebook import Workflow, parallel, step
from wf_notebook.agents import AgentLike, adapt
from wf_notebook.errors import AgentFailed, CacheMiss, ModelFailed
from wf_notebook.run import current

warnings.filterwarnings("ignore", message="create_react_agent has been moved")


class Headline(BaseModel):
    text: str


def look(word: str) -> str:
    """Look a word up."""
    if word == "nothing":
        raise KeyError("mine")
    return word.upper()


agno = partial(Agent, telemetry=False)


def agno_tools(*tools):
    return agno(model=AgnoModel(answers=[call("look", word="x"), "found X now"]), tools=[*tools] or [look])


def chain(template="About {topic}.", answer="a b c"):
    return ChatPromptTemplate.from_template(template) | ChatModel(answers=[answer]) | StrOutputParser()


def reacting(answer="found X now"):
    return create_react_agent(ChatModel(answers=[call("look", word="x"), answer]), [look])


def drafting(*nodes):
    graph = StateGraph(MessagesState)
    for node in nodes:
        graph.add_node(node)
    names = [START, *(node.__name__ for node in nodes), END]
    for before, after in pairwise(names):
        graph.add_edge(before, after)
    return graph.compile()


def draft(state):
    return {"messages": [ChatModel(answers=["a b c"]).invoke(state["messages"])]}


#: An agent of each kind that says "a b c".
PLAIN = {
    "agno": lambda: agno(model=AgnoModel(answers=["a b c"]), instructions="Be brief."),
    "chat model": lambda: ChatModel(answers=["a b c"]),
    "chain": chain,
    "graph": lambda: drafting(draft),
}
#: An agent of each kind that uses a tool.
WITH_TOOLS = {"agno": agno_tools, "graph": reacting}
ALL = {
    **PLAIN,
    **{f"{kind} with tools": make for kind, make in WITH_TOOLS.items()},
    "agno with a function": lambda: agno_tools(tool(look)),
    "agno with a toolkit": lambda: agno_tools(Toolkit(tools=[look])),
}


numbers = count(1)


def asking(agent, *, session=None, cache="use", stream=True, **settings):
    """Return a workflow whose writer is that agent, in a session of its own, and let nobody have been asked yet."""

    class Asks(Workflow):
        writer = agent

        def run(self, topic="ducks", **options):
            if stream:
                yield self.writer.run(topic, stream=True, **options)
            else:
                yield self.writer.run(topic, **options)

    ASKED.clear()
    return Asks(
        session_id=session or f"session {next(numbers)}", storage=f"sqlite:///{Path.cwd()}/runs.db", cache=cache, **settings
    )


def why(workflow):
    """Return what is told of the first step."""
    told = next(iter(workflow.last_run.why()))
    return {**told, "from": told["from"].split()[-1]}


def failing(call):
    """Return the error that a call raises."""
    try:
        call()
    except Exception as error:  # noqa: BLE001 - that is the question
        return error
    raise AssertionError("nothing was raised")


# -- said as our own agents say it -----------------------------------------------------------------------------------------


def an_agent_as_an_attribute_streams_its_words_and_is_named_after_the_attribute():
    for kind, make in PLAIN.items():
        workflow = asking(make(), cache="off")
        said = [(one.content, one.agent_id, one.event) for one in workflow.run()]
        assert said == [(piece, "writer", "RunResponse") for piece in ("a ", "b ", "c")], (kind, said)
        assert workflow.writer.run_response.content == "a b c", kind
        assert isinstance(workflow.writer, AgentLike)


def an_answer_comes_whole_where_no_stream_is_asked_for():
    for kind, make in PLAIN.items():
        workflow = asking(make(), cache="off", stream=False)
        (said,) = workflow.run()
        assert (said.content, said.content_type, said.agent_id, said.model) == ("a b c", "str", "writer", "scripted"), kind


def async_code_reads_it_as_plain_code_does():
    async def read(agent):
        streamed = [said.content async for said in agent.arun("ducks", stream=True)]
        return streamed, (await agent.arun("ducks")).content, agent.run_response.content

    for kind, make in PLAIN.items():
        assert asyncio.run(read(adapt(make()))) == (["a ", "b ", "c"], "a b c", "a b c"), kind


def what_it_awaits_is_awaited_on_the_loop_of_async_code():
    async def where(_):
        return str(id(asyncio.get_running_loop()))

    async def read():
        agent = adapt(RunnableLambda(where))
        here = str(id(asyncio.get_running_loop()))
        return [(await agent.arun("?")).content, *[said.content async for said in agent.arun("?", stream=True)]] == [here, here]

    assert asyncio.run(read())


def the_record_tells_the_model_and_the_tokens():
    for kind, make in PLAIN.items():
        for stream in (True, False):
            workflow = asking(make(), cache="off", stream=stream)
            workflow.run().result()
            run = workflow.last_run
            assert (run.models, run.input_tokens, run.output_tokens) == (("scripted",), 7, 3), (kind, stream)
            assert workflow.writer.run_response.metrics["total_tokens"] == 10, (kind, stream)


def calls_of_tools_are_tool_events():
    for kind, make in WITH_TOOLS.items():
        workflow = asking(make(), cache="off")
        said = [(one.event, one.content, one.tools and one.tools[0].get("result")) for one in workflow.run()]
        tools = [("ToolCallStarted", None, None), ("ToolCallCompleted", None, "X")]
        assert said == [*tools, *(("RunResponse", word, None) for word in ("found ", "X ", "now"))], (kind, said)
        (called,) = workflow.writer.run_response.tools
        assert (called["tool_name"], called["tool_args"], called["result"]) == ("look", {"word": "x"}, "X"), kind


def tools_of_a_whole_answer_are_in_the_record():
    for kind, make in WITH_TOOLS.items():
        workflow = asking(make(), cache="off", stream=False)
        workflow.run().result()
        events = [event.event for event in workflow.last_run.told.events()]
        assert events.count("ToolCallStarted") == events.count("ToolCallCompleted") == 1, (kind, events)


def a_tool_that_fails_is_said_to_have_failed():
    agent = adapt(agno(model=AgnoModel(answers=[call("look", word="nothing"), "sorry"]), tools=[look]))
    assert agent.run("?").tools[0]["tool_call_error"] is True

    @chain_tool
    def search(word: str) -> str:
        """Search."""
        return look(word)

    graph = adapt(create_react_agent(ChatModel(answers=[call("search", word="nothing"), "sorry"]), [search]))
    error = failing(lambda: list(graph.run("?", stream=True)))
    assert (type(error), graph.run_response.tools[0]["tool_call_error"]) == (KeyError, True)


def what_is_no_text_comes_as_one_response():
    parsed = ChatModel(answers=['{"text": "News"}']) | PydanticOutputParser(pydantic_object=Headline)
    for kind, agent in {
        "agno": agno(model=AgnoModel(answers=['{"text": "News"}']), output_schema=Headline),
        "chain": parsed,
    }.items():
        for stream in (True, False):
            for _ in range(2):
                workflow = asking(agent, session=f"{kind} {stream}", stream=stream)
                (said,) = workflow.run()
                assert (said.content, said.content_type) == (Headline(text="News"), "Headline"), (kind, stream)
            assert ASKED == [], (kind, stream)


def a_graph_without_messages_answers_with_its_state_and_says_what_its_nodes_write():
    class Post(TypedDict):
        topic: str
        lines: Annotated[list[str], operator.add]

    def write(state):
        get_stream_writer()("writing ")
        return {"lines": [f"About {state['topic']}"]}

    graph = StateGraph(Post).add_node(write).add_edge(START, "write").compile()
    agent = adapt(graph)
    assert [said.content for said in agent.run({"topic": "ducks"}, stream=True)] == [
        "writing ",
        {"topic": "ducks", "lines": ["About ducks"]},
    ]
    assert agent.run_response.content["lines"] == ["About ducks"]
    twice = [[said.content for said in asking(graph, session="post").run({"topic": "ducks"})] for _ in range(2)]
    assert twice[0] == twice[1] == ["writing ", {"topic": "ducks", "lines": ["About ducks"]}], twice
    error = failing(lambda: agent.run("ducks"))
    assert str(error) == "agent is a graph without messages, and takes no text; give a dict of its state: topic, lines", error


def a_graph_within_a_graph_says_what_it_says_as_it_comes():
    def asks(state):
        return {"messages": drafting(draft).invoke(state)["messages"][-1:]}

    inner = StateGraph(MessagesState).add_node("inner", reacting()).add_edge(START, "inner").add_edge("inner", END).compile()
    for graph, said in ((inner, "found X now"), (drafting(asks), "a b c")):
        agent = adapt(graph)
        pieces = [one.content for one in agent.run("ducks", stream=True) if one.content]
        assert (pieces, agent.run_response.content) == ([f"{word} " for word in said.split()[:-1]] + [said.split()[-1]], said)
        assert agent.run("ducks").content == said


def stop_ends_what_async_code_reads():
    async def slow(_):
        yield "so far"
        await asyncio.sleep(60)

    class Slow(Workflow):
        writer = RunnableLambda(slow)

        async def arun(self):
            yield self.writer.arun("?", stream=True)

    async def read(workflow):
        stream, said = workflow.arun(), []
        async for response in stream:
            said.append(response.content)
            threading.Timer(0.05, stream.stop).start()
        return said, workflow.last_run.status, workflow.writer.run_response.content

    assert asyncio.run(asyncio.wait_for(read(Slow()), 30)) == (["so far"], "stopped", "so far")


def text_is_plain_text_whatever_class_it_has_there():
    agent = adapt(ChatModel(answers=["a"]) | RunnableLambda(lambda message: message.text))
    assert [type(said.content) for said in (*agent.run("?", stream=True), agent.run("?"))] == [str, str]


def messages_of_a_graph_are_told():
    answer = adapt(reacting()).run("ducks")
    assert [said["role"] for said in answer.messages] == ["user", "assistant", "tool", "assistant"]


def options_are_its_own():
    heard = []

    class Listening(BaseCallbackHandler):
        def on_chain_start(self, *_, **__):
            heard.append("chain")

    agent = adapt(chain())
    assert agent.run({"topic": "ducks"}, config={"callbacks": [Listening()]}).content == "a b c"
    assert heard
    named = adapt(agno(model=AgnoModel(answers=["a b c"])))
    named.run("?", session_id="theirs")
    assert named.foreign.get_last_run_output is not None
    assert (named.get_tools, named.name) == (named.foreign.get_tools, None)


def what_is_no_agent_stays_what_it_is():
    @chain_tool
    def search(word: str) -> str:
        """Search."""
        return word

    class Has(Workflow):
        model = AgnoModel()
        prompt = ChatPromptTemplate.from_template("{topic}")
        message = AIMessage("hello")
        parser = StrOutputParser()
        graph = StateGraph(MessagesState)

    workflow = Has()
    workflow.search = search
    assert workflow.search is search
    assert all(vars(Has)[name] is getattr(workflow, name) for name in ("model", "prompt", "message", "parser", "graph"))


def instances_share_no_agent_of_agno_as_that_keeps_its_session():
    class Two(Workflow):
        writer = agno(model=AgnoModel(answers=["a"]), name="poet")

        def run(self):
            return self.writer.run("?")

    first, second = Two(), Two()
    first.run()
    assert first.writer.foreign is not second.writer.foreign
    assert (first.writer.name, second.writer.run_response, Two.writer.session_id) == ("poet", None, None)


def lanes_of_branches_are_told():
    class Both(Workflow):
        poet = agno(model=AgnoModel(answers=["a b"]))
        writer = drafting(draft)

        def run(self):
            yield from parallel(self.poet.run("?", stream=True), self.writer.run("?", stream=True))

    said = list(Both().run())
    assert {one.lane for one in said} == {"poet", "writer"}
    assert "".join(one.content for one in said if one.lane == "writer") == "a b c"


def what_is_plain_code_only_is_streamed_as_it_comes():
    went_on = threading.Event()

    def spell(text):
        for letter in text:
            yield letter
            went_on.wait(30)

    for stream in (adapt(RunnableLambda(spell)).run("ab", stream=True), asking(RunnableLambda(spell)).run("ab")):
        went_on.clear()
        assert next(stream).content == "a"
        went_on.set()
        assert [said.content for said in stream] == ["b"]

    def broken(_):
        raise TypeError("mine")

    assert str(failing(lambda: adapt(RunnableLambda(broken)).run("?"))) == "mine"


def a_stream_of_plain_code_that_is_closed_early_is_read_no_further():
    read, ended = [], threading.Event()

    def spell(_):
        try:
            for number in range(10_000):
                read.append(number)
                yield str(number)
        finally:
            ended.set()

    stream = adapt(RunnableLambda(spell)).run("?", stream=True)
    next(stream)
    stream.close()
    assert ended.wait(30)
    assert len(read) < 10_000


def code_that_it_calls_knows_its_run():
    def where(_):
        return current.get().session_id

    assert asking(RunnableLambda(where), session="here", cache="off").run().result().content == "here"


def an_agent_of_agno_with_a_model_of_openai_is_known_again_once_it_has_a_client():
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            asked.append(self.path)
            self.rfile.read(int(self.headers["content-length"]))
            self.send_response(200)
            self.send_header("content-type", "text/event-stream")
            self.end_headers()
            for piece in ("a ", "b"):
                delta = {"index": 0, "delta": {"role": "assistant", "content": piece}, "finish_reason": None}
                told = {"id": "1", "object": "chat.completion.chunk", "created": 0, "model": "m", "choices": [delta]}
                self.wfile.write(f"data: {json.dumps(told)}\n\n".encode())
            self.wfile.write(b"data: [DONE]\n\n")

        def log_message(self, *_):
            pass

    asked = []
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, args=[0.01]).start()
        url = f"http://127.0.0.1:{server.server_port}/v1"
        for key in ("sk-1234567890", "sk-0987654321"):
            workflow = asking(agno(model=OpenAIChat(id="m", api_key=key, base_url=url)), session="openai")
            for _ in range(2):
                assert [said.content for said in workflow.run()] == ["a ", "b"]
        server.shutdown()
    assert asked == ["/v1/chat/completions"], (asked, why(workflow))


def a_budget_ends_the_run():
    workflow = asking(agno_tools(), max_tokens=5)
    workflow.run().result()
    assert workflow.last_run.status == "stopped", workflow.last_run


# -- ended early, and failures ---------------------------------------------------------------------------------------------


def stop_ends_a_stream_and_keeps_what_was_said():
    went_on = threading.Event()

    async def slow(_):
        yield "so far"
        await asyncio.sleep(60)
        went_on.set()

    async def model(self, messages, **_):
        for said in self.invoke_stream(messages):
            yield said
            await asyncio.sleep(60)
            went_on.set()

    class Slow(AgnoModel):
        ainvoke_stream = model

    for agent in (RunnableLambda(slow), agno(model=Slow(answers=["so far, and more"]))):
        workflow = asking(agent)
        stream = workflow.run()
        first = next(stream).content
        threading.Timer(0.05, stream.stop).start()
        assert list(stream) == []
        assert (workflow.last_run.status, workflow.writer.run_response.content) == ("stopped", first)
        assert why(workflow)["why"] == "nothing is remembered of it in this session"
    assert not went_on.is_set()


def a_stream_may_be_closed_early():
    for kind, make in PLAIN.items():
        agent = adapt(make())
        stream = agent.run("ducks", stream=True)
        next(stream)
        stream.close()
        assert agent.run_response.content == "a ", kind


def an_error_is_the_users_own_with_its_traceback():
    def broken(_):
        raise LookupError("mine")

    for kind, agent in {"function": RunnableLambda(broken), "graph": drafting(broken)}.items():
        for stream in (True, False):
            workflow = asking(agent, stream=stream)
            error = failing(lambda w=workflow: list(w.run()))
            frames = traceback.extract_tb(error.__traceback__)
            assert (type(error), str(error), frames[-1].name) == (LookupError, "mine", "broken"), (kind, stream)
            between = [frame.filename for frame in frames if re.search("langchain_core|langgraph|asyncio", frame.filename)]
            assert between == [], between
            assert workflow.last_run.status == "failed"
            assert (why(workflow)["from"], why(workflow)["made_at"]) == ("failed", None), why(workflow)


def what_agno_only_says_is_raised():
    for stream in (True, False):
        workflow = asking(agno(model=AgnoModel(answers=[ValueError("no ducks")])), stream=stream)
        error = failing(lambda w=workflow: list(w.run()))
        assert (type(error), str(error)) == (ModelFailed, "agent 'writer' on 'scripted': no ducks"), error


def who_waits_for_a_person_says_so():
    @tool(requires_confirmation=True)
    def send(text: str) -> str:
        """Send a text."""
        return text

    def ask(_):
        return {"messages": [interrupt("may I?")]}

    waiting = agno(model=AgnoModel(answers=[call("send", text="x")]), tools=[send])
    for agent, remedy in ((waiting, ".foreign.continue_run("), (drafting(ask), ".foreign.invoke(Command(")):
        for stream in (True, False):
            workflow = asking(agent, cache="off", stream=stream)
            error = failing(lambda w=workflow: list(w.run()))
            assert type(error) is AgentFailed, repr(error)
            assert str(error).startswith("agent 'writer' waits for a person"), error
            assert remedy in str(error), error


# -- remembered ------------------------------------------------------------------------------------------------------------


def what_was_said_is_said_again_in_the_same_pieces_and_nobody_is_asked():
    for kind, make in ALL.items():
        agent = make()
        first = asking(agent, session=kind)
        said = [(one.event, one.content, one.tools, one.agent_id) for one in first.run()]
        assert len(ASKED) > 0, kind
        again = asking(agent, session=kind)
        assert [(one.event, one.content, one.tools, one.agent_id) for one in again.run()] == said, kind
        assert ASKED == [], kind
        assert again.writer.run_response.content == first.writer.run_response.content, kind
        assert (why(again)["from"], why(again)["step"], why(again)["kind"]) == ("store", "writer", "agent"), why(again)
        assert (again.last_run.models, again.last_run.input_tokens) == (first.last_run.models, first.last_run.input_tokens), kind
        whole = asking(agent, session=kind, stream=False)
        assert (whole.run().result().content, ASKED) == (first.last_run.content, []), kind


def an_instance_that_runs_again_finds_it_too():
    for kind, make in ALL.items():
        workflow = asking(make(), session=kind)
        workflow.run().result()
        ASKED.clear()
        workflow.run().result()
        assert ASKED == [], (kind, why(workflow))


def async_code_finds_what_plain_code_did():
    class Asks(Workflow):
        writer = reacting()

        def run(self):
            yield self.writer.run("ducks", stream=True)

        async def arun(self):
            yield self.writer.arun("ducks", stream=True)

    async def read(workflow):
        return [said.content async for said in workflow.arun()]

    place = {"session_id": "both", "storage": f"sqlite:///{Path.cwd()}/runs.db", "cache": "use"}
    said = [one.content for one in Asks(**place).run()]
    ASKED.clear()
    assert (asyncio.run(read(Asks(**place))), ASKED) == (said, [])


def what_changes_is_asked_again():
    class Look(Toolkit):
        def __init__(self, **settings):
            super().__init__(tools=[self.look], **settings)

        def look(self, word: str) -> str:
            """Look a word up."""
            return word

    def other(word: str) -> str:
        """Look a word up."""
        return word.lower()

    def decorated(change):
        @wraps(look)
        def changed(word: str) -> str:
            return change(look(word))

        return changed

    model, named = partial(AgnoModel, answers=["a b c"]), tool(name="look")
    changes = {
        "agno instructions": [agno(model=model(), instructions=text) for text in ("Be brief.", "Be long.")],
        "agno model": [agno(model=model(id=name)) for name in ("one", "two")],
        "agno settings": [agno(model=model(temperature=heat)) for heat in (0.1, 0.9)],
        "agno tools": [agno(model=model(), tools=[function]) for function in (look, other)],
        "agno toolkit": [agno(model=model(), tools=[Look(instructions=text)]) for text in ("one", "two")],
        "agno function": [agno(model=model(), tools=[named(f)]) for f in (look, other)],
        "agno function that is decorated": [agno(model=model(), tools=[named(decorated(f))]) for f in (str.upper, str.lower)],
        "agno toolkit of functions": [agno(model=model(), tools=[Toolkit(tools=[named(f)])]) for f in (look, other)],
        "agno schema": [agno(model=model()), agno(model=model(), output_schema={"type": "json_object"})],
        "prompt": [chain("About {topic}."), chain("On {topic}.")],
        "chat model": [ChatModel(answers=["a"]), ChatModel(answers=["b"])],
        "function": [RunnableLambda(function) for function in (lambda text: text.upper(), lambda text: text.lower())],
        "closure of a package": [reacting("found X now"), reacting("found X later")],
        "node": [drafting(draft), drafting(lambda_named("draft"))],
        "way to a node": [branching(lambda _: "one"), branching(lambda _: "two")],
        "order of nodes": [drafting(*order) for order in ((one, two), (two, one))],
    }
    for what, (before, after) in changes.items():
        texts = {"prompt": {"topic": "x"}}.get(what, "x")
        first = asking(before, session=what)
        first.run(texts).result()
        then = asking(after, session=what)
        then.run(texts).result()
        assert why(then)["from"] == "done", (what, why(then))
        assert why(then)["why"].startswith("attribute `agent."), (what, why(then))
        back = asking(before, session=what, cache="only")
        back.run(texts).result()
        assert why(back)["from"] == "store", (what, why(back))


def branching(chosen):
    graph = StateGraph(MessagesState).add_node(one).add_node(two)
    return graph.add_conditional_edges(START, chosen, {"one": "one", "two": "two"}).compile()


def lambda_named(name):
    def node(_):
        return {"messages": [AIMessage("other")]}

    node.__name__ = name
    return node


def one(_):
    return {"messages": [AIMessage("one")]}


def two(_):
    return {"messages": [AIMessage("two")]}


def another_message_or_option_is_asked_anew_and_what_only_watches_is_not():
    workflow = asking(chain(), session="options")
    workflow.run({"topic": "ducks"}).result()
    workflow.run({"topic": "ducks"}, config={"callbacks": [], "tags": ["x"]}).result()
    assert why(workflow)["from"] == "store", why(workflow)
    for watched in ({"tags": ["x"]}, {"callbacks": [BaseCallbackHandler()], "verbose": True}, {}):
        model = asking(ChatModel(answers=["a"], **watched), session="watched")
        model.run().result()
    assert why(model)["from"] == "store", why(model)
    workflow.run({"topic": "geese"}).result()
    assert why(workflow)["why"].startswith("`message`"), why(workflow)
    workflow.run({"topic": "geese"}, config={"configurable": {"language": "de"}}).result()
    assert why(workflow)["why"].startswith("`options`"), why(workflow)


def what_has_no_key_runs_and_says_why():
    agents = {
        "has db=": agno(model=AgnoModel(answers=["a"] * 9), db=InMemoryDb()),
        "has a checkpointer": create_react_agent(ChatModel(answers=["a"] * 9), [], checkpointer=InMemorySaver()),
        "['messages']` (a list_iterator) can be read only once": GenericFakeChatModel(
            messages=iter([AIMessage("a"), AIMessage("a")])
        ),
    }
    for reason, agent in agents.items():
        options = {"config": {"configurable": {"thread_id": "1"}}} if "checkpointer" in reason else {}
        for _ in range(2):
            workflow = asking(agent, session=reason)
            assert workflow.run(**options).result().content == "a", reason
            assert why(workflow)["from"] == "done"
            assert reason in why(workflow)["why"], why(workflow)


def the_time_that_an_agent_is_told_is_left_out_and_that_is_said():
    agent = agno(model=AgnoModel(answers=["a"]), add_datetime_to_context=True)
    asking(agent, session="time").run().result()
    again = asking(agent, session="time")
    again.run().result()
    assert (ASKED, "the time that it is told" in why(again)["why"]) == ([], True), why(again)


def only_raises_where_nothing_is_remembered():
    error = failing(lambda: asking(chain(), session="only", cache="only").run().result())
    assert isinstance(error, CacheMiss), error


def a_tool_that_changes_the_state_changes_it_again_and_a_stream_is_then_not_remembered():
    def note(word: str) -> str:
        """Note a word."""
        current.get().workflow.session_state["words"] = [word]
        return word

    class Notes(Workflow):
        writer = agno(model=AgnoModel(answers=[call("note", word="x"), "noted"]), tools=[note])

        def run(self, stream):
            yield self.writer.run("?", stream=stream)

    def notes(**settings):
        return Notes(session_id=f"notes {settings}", storage=f"sqlite:///{Path.cwd()}/runs.db", cache="use")

    for stream in (False, True):
        first = notes(stream=stream)
        first.run(stream=stream).result()
        assert first.session_state == {"words": ["x"]}
        first.session_state.clear()
        first.write_to_storage()
        ASKED.clear()
        again = notes(stream=stream)
        again.run(stream=stream).result()
        assert again.session_state == {"words": ["x"]}
        assert (ASKED == []) is not stream, (stream, why(again))
        assert not stream or "session_state['words'] was changed while it was read" in why(again)["why"], why(again)


def an_agent_that_is_asked_leaves_the_state_alone():
    workflow = asking(agno(model=AgnoModel(answers=["a"]), session_state={"theirs": 1}), session="state")
    workflow.session_state["mine"] = 1
    workflow.run().result()
    assert workflow.session_state == {"mine": 1}


def a_step_that_asks_it_lets_it_know_what_it_said():
    class Steps(Workflow):
        writer = agno(model=AgnoModel(answers=["a b c"]))

        @step
        def written(self, topic):
            return self.writer.run(topic).content

        def run(self, topic):
            yield self.written(topic)

    place = {"session_id": "steps", "storage": f"sqlite:///{Path.cwd()}/runs.db", "cache": "use"}
    Steps(**place).run("ducks").result()
    ASKED.clear()
    again = Steps(**place)
    assert (again.run("ducks").result().content, ASKED) == ("a b c", []), why(again)
    assert again.writer.run_response.content == "a b c"


def a_process_finds_what_one_before_it_did():
    """The first one finds nothing; this is checked in two."""
    agents = {
        **PLAIN,
        "agno with tools": agno_tools,
        "graph with tools": reacting,
        "fake": lambda: FakeListChatModel(responses=["a"]),
    }
    again = Path("before").exists()
    for kind, make in agents.items():
        workflow = asking(make(), session=f"process {kind}")
        workflow.run().result()
        assert why(workflow)["from"] == ("store" if again else "done"), (kind, why(workflow))
    Path("before").touch()


def what_docs_show_of_them_runs():
    assert runpy.run_path("shown.py")["first"] == "Ducks swim.checked: Ducks swim."


if __name__ == "__main__":
    told = {}
    for sentence in json.loads(sys.argv[1]):
        try:
            globals()[sentence]()
        except BaseException:  # noqa: BLE001 - told to who runs this
            told[sentence] = traceback.format_exc()
        else:
            told[sentence] = None
    Path("found.json").write_text(json.dumps(told), encoding="utf-8")
