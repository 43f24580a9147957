"""Tools are the user's own functions: whatever is callable is taken, and what it raises is the user's own exception."""

from __future__ import annotations

import asyncio
import threading
import traceback
from functools import partial

import pytest
from pydantic import BaseModel

from wf_notebook import Agent
from wf_notebook.errors import AgentFailed, RunCancelled, WorkflowError
from wf_notebook.run import RunContext, current
from wf_notebook.testing import ToolCall, scripted


class Point(BaseModel):
    x: int


class Shop:
    def __init__(self):
        self.sold = []

    def sell(self, what: str, count: int = 1) -> int:
        """Sell something."""
        self.sold.append((what, count))
        return len(self.sold)

    async def stock(self, what: str) -> str:
        """Say what is there."""
        await asyncio.sleep(0)
        return f"{what}: 3"


def weather(city: str, unit: str) -> str:
    """Say how the weather is."""
    return f"20 {unit} in {city}"


def broken(number: int) -> int:
    """Fail."""
    raise LookupError(f"no {number}")


async def abroken(number: int) -> int:
    """Fail."""
    raise LookupError(f"no {number}")


def results(tools, *calls):
    return [call["result"] for call in Agent(scripted(list(calls), "done"), tools=tools).run("?").tools]


def test_functions_methods_async_functions_and_partials_are_tools():
    shop = Shop()
    calls = [
        ToolCall("weather", {"city": "Rome", "unit": "C"}),
        ToolCall("sell", {"what": "tea"}),
        ToolCall("stock", {"what": "tea"}),
    ]
    assert results([weather, shop.sell, shop.stock], *calls) == ["20 C in Rome", 1, "tea: 3"]
    assert results([partial(weather, unit="F")], ToolCall("weather", {"city": "Oslo"})) == ["20 F in Oslo"]
    assert shop.sold == [("tea", 1)]


def test_tools_can_be_assigned_later():
    agent = Agent(scripted(ToolCall("sell", {"what": "tea", "count": 2}), "done"))
    shop = Shop()
    agent.tools = [shop.sell]
    agent.run("?")
    assert shop.sold == [("tea", 2)]


def test_a_toolkit_gives_its_functions():
    class Entry:
        def __init__(self, entrypoint):
            self.entrypoint = entrypoint

    class Toolkit:
        functions = {"weather": Entry(weather), "sell": Shop().sell}  # noqa: RUF012 - as toolkits have it

    calls = [ToolCall("weather", {"city": "Rome", "unit": "C"}), ToolCall("sell", {"what": "tea"})]
    assert results([Toolkit()], *calls) == ["20 C in Rome", 1]


def test_results_are_kept_as_plain_values():
    def points() -> list[Point]:
        """Give points."""
        return [Point(x=1)]

    def nothing() -> None:
        """Do nothing."""

    assert results([points, nothing], ToolCall("points"), ToolCall("nothing")) == [[{"x": 1}], None]


@pytest.mark.parametrize("tool", [broken, abroken])
@pytest.mark.parametrize("stream", [True, False])
def test_what_a_tool_raises_is_the_users_own(tool, stream):
    agent = Agent(scripted(ToolCall(tool.__name__, {"number": 4})), name="clerk", tools=[tool])
    with pytest.raises(LookupError) as failed:
        list(agent.run("?", stream=True)) if stream else agent.run("?")
    assert str(failed.value) == "no 4"
    assert failed.value.__notes__ == [f"raised by the tool '{tool.__name__}' of agent 'clerk'"]
    frames = traceback.extract_tb(failed.value.__traceback__)
    assert (frames[0].filename, frames[-1].filename, frames[-1].name) == (__file__, __file__, tool.__name__)
    assert not any("pydantic_ai" in frame.filename for frame in frames)


def test_a_tool_called_with_wrong_arguments_is_asked_for_again():
    model = scripted(ToolCall("broken", {"number": "many"}), "sorry")
    assert Agent(model, tools=[broken]).run("?").content == "sorry"
    assert "valid integer" in model.requests[1].message


def test_what_is_no_tool_is_refused_before_the_model_is_asked():
    model = scripted("never")
    with pytest.raises(AgentFailed, match=r"'weather' is no tool: a tool is a function, a method or a toolkit with \.functions"):
        Agent(model, tools=["weather"]).run("?")
    assert model.requests == []


@pytest.mark.parametrize("asynchronous", [True, False])
def test_a_tool_sees_the_run_that_it_belongs_to(asynchronous):
    def here() -> str:
        """Say which run this is."""
        return current.get().run_id

    async def ahere() -> str:
        """Say which run this is."""
        return current.get().run_id

    token = current.set(RunContext("run-7", "session", "workflow", None))
    tool = ahere if asynchronous else here
    assert results([tool], ToolCall(tool.__name__)) == ["run-7"]
    current.reset(token)


def test_an_async_tool_runs_on_the_loop_of_the_async_caller():
    loops = []

    async def where() -> str:
        """Remember the loop."""
        loops.append(asyncio.get_running_loop())
        return "here"

    async def cell():
        await Agent(scripted(ToolCall("where"), "done"), tools=[where]).arun("?")
        return asyncio.get_running_loop()

    assert asyncio.run(cell()) is loops[0]


def test_a_tool_may_call_another_agent():
    inner = Agent(scripted("from inside"), name="inner")

    def ask() -> str:
        """Ask the other agent."""
        return inner.run("?").content

    async def aask() -> str:
        """Ask the other agent."""
        return (await inner.deep_copy().arun("?")).content

    assert results([ask], ToolCall("ask")) == ["from inside"]
    inner.model = scripted("from inside")
    assert results([aask], ToolCall("aask")) == ["from inside"]


def test_an_async_tool_that_waits_in_plain_code_is_told_what_to_do():
    async def ask() -> str:
        """Ask the other agent."""
        return Agent(scripted("never")).run("?").content

    with pytest.raises(WorkflowError, match="in async code await the async twin"):
        results([ask], ToolCall("ask"))


def test_a_tool_that_cannot_be_ended_does_not_hold_up_a_stop():
    began, let_go = threading.Event(), threading.Event()

    def stuck() -> str:
        """Wait."""
        began.set()
        let_go.wait()
        return "late"

    context = RunContext("run", "session", "workflow", None)
    token = current.set(context)
    agent = Agent(scripted(ToolCall("stuck"), "never"), tools=[stuck])
    threading.Thread(target=lambda: (began.wait(), context.cancel.cancel())).start()
    with pytest.raises(RunCancelled):
        agent.run("?")
    current.reset(token)
    assert [(call["tool_name"], "result" in call) for call in agent.run_response.tools] == [("stuck", False)]
    let_go.set()
