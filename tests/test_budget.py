"""What a run may spend: the answer that goes over it is kept, the next request is not made, and the record says why."""

from __future__ import annotations

import asyncio
import math
import threading
from contextlib import suppress
from functools import partial

import pytest
from pydantic_ai.models.function import FunctionModel

from wf_notebook import Agent, RunEvent, Workflow, prices
from wf_notebook.branches import parallel
from wf_notebook.budget import Budget, BudgetSpent
from wf_notebook.errors import BadSetting, RunCancelled
from wf_notebook.models import price
from wf_notebook.prices import cost_of
from wf_notebook.testing import ToolCall, scripted

SPENT = r"budget of {} tokens spent ({})"


def writer(*answers, **settings):
    return Agent(scripted(*answers), name="writer", **settings)


def use(text):
    """Return how many tokens a call takes that is asked "?" and answers this."""
    return writer(text).run("?").metrics["total_tokens"]


def use_streamed(text):
    """Return the same for a stream: the scripted model guesses a little differently there."""
    agent = writer(text)
    list(agent.run("?", stream=True))
    return agent.run_response.metrics["total_tokens"]


class Pair(Workflow):
    """Two calls of one agent, streamed."""

    def run(self):
        yield self.agent.run("?", stream=True)
        self.session_state["half"] = "done"
        yield self.agent.run("?", stream=True)
        self.session_state["whole"] = "done"


def made(kind, *answers, **options):
    flow = kind(**options)
    flow.agent = writer(*answers)
    return flow


def test_a_spent_budget_ends_a_stream_with_what_it_has(tmp_path):
    limit = use_streamed("one two") - 1
    flow = made(Pair, "one two", "three", max_tokens=limit, session_id="s", storage=f"sqlite:///{tmp_path}/runs.db")
    stream = flow.run()
    assert "".join(said.content for said in stream) == "one two"
    assert stream.result().content == "one two"
    why = SPENT.format(limit, use_streamed("one two"))
    assert (flow.last_run.status, flow.last_run.content, flow.last_run.error) == ("stopped", "one two", why)
    assert flow.session_state == {"half": "done"}
    assert len(flow.agent.model.requests) == 1
    kept = flow.storage.run(flow.last_run.run_id)
    assert (kept.status, kept.error, kept.input_tokens + kept.output_tokens) == ("stopped", why, use_streamed("one two"))


def test_a_stream_is_cut_as_soon_as_it_is_known_to_go_over():
    flow = made(Pair, "one two three four", max_tokens=use_streamed("one two") - 1)
    assert "".join(said.content for said in flow.run()) == "one two"
    why = SPENT.format(use_streamed("one two") - 1, use_streamed("one two"))
    assert (flow.last_run.status, flow.last_run.content, flow.last_run.error) == ("stopped", "one two", why)
    assert flow.last_run.output_tokens < writer("one two three four").run("?").metrics["output_tokens"]
    assert flow.agent.run_response.content == "one two"


def test_a_last_call_that_goes_over_stops_the_run_with_all_that_it_has(tmp_path):
    class Once(Workflow):
        def run(self):
            yield self.agent.run("?", stream=True)
            self.session_state["over"] = True

    limit = use_streamed("one two") - 1
    flow = made(Once, "one two", max_tokens=limit, session_id="s", storage=f"sqlite:///{tmp_path}/runs.db")
    assert "".join(said.content for said in flow.run()) == "one two"
    why = SPENT.format(limit, use_streamed("one two"))
    assert (flow.last_run.status, flow.last_run.content, flow.last_run.error) == ("stopped", "one two", why)
    assert flow.session_state == {"over": True}
    assert flow.storage.run(flow.last_run.run_id).status == "stopped"


@pytest.mark.parametrize(
    ("give", "contents"),
    [(lambda said: said, "one"), (lambda said: [said, said], ["one", "one"]), (lambda _: None, None)],
    ids=["one", "several", "none"],
)
def test_a_batch_run_whose_last_call_goes_over_says_so(give, contents):
    class Once(Workflow):
        def run(self):
            return give(self.agent.run("?"))

    class Later(Workflow):
        async def arun(self):
            return give(await self.agent.arun("?"))

    for kind in (Once, Later):
        flow = made(kind, "one", max_tokens=use("one") - 1)
        answer = flow.run() if kind is Once else asyncio.run(flow.arun())
        many = isinstance(answer, list)
        assert {said.event for said in (answer if many else [answer])} == {RunEvent.run_cancelled.value}
        assert ([said.content for said in answer] if many else answer.content) == contents
        assert (flow.last_run.status, flow.last_run.error) == ("stopped", SPENT.format(use("one") - 1, use("one")))


def test_a_run_that_fails_after_its_budget_is_spent_has_failed():
    class Fails(Workflow):
        def run(self):
            self.agent.run("?")
            raise ValueError("oh no")

    flow = made(Fails, "one", max_tokens=use("one") - 1)
    with pytest.raises(ValueError, match="oh no"):
        flow.run()
    assert (flow.last_run.status, flow.last_run.error) == ("failed", "ValueError: oh no")


def test_a_budget_that_is_kept_to_changes_nothing():
    flow = made(Pair, "one", "two", max_tokens=use_streamed("one") + use_streamed("two"))
    assert "".join(said.content for said in flow.run()) == "onetwo"
    assert (flow.last_run.status, flow.last_run.error) == ("completed", None)


def test_each_run_has_its_own():
    flow = made(Pair, "one", "two", "three", "four", max_tokens=use_streamed("one") + use_streamed("three"))
    for _ in range(2):
        list(flow.run())
        assert flow.last_run.status == "completed"


def test_a_class_says_its_budget_and_an_instance_its_own():
    class Poor(Pair):
        max_tokens = 10

    assert (Poor().max_tokens, Poor(max_tokens=20).max_tokens, Pair().max_tokens) == (10, 20, None)
    list(made(Poor, "one", "two").run())
    flow = made(Poor, "one", "two")
    list(flow.run())
    assert flow.last_run.status == "stopped"


class Batch(Workflow):
    def run(self):
        first = self.agent.run("?")
        self.session_state["first"] = first.content
        return self.agent.run(first.content)


def test_a_batch_run_gives_what_it_has_and_says_that_it_was_cut():
    flow = made(Batch, "one", "two", max_tokens=10)
    answer = flow.run()
    assert (answer.content, answer.event) == (None, RunEvent.run_cancelled.value)
    assert answer.metrics["total_tokens"] == use("one")
    assert (flow.last_run.status, flow.last_run.error) == ("stopped", SPENT.format(10, use("one")))
    assert flow.session_state == {"first": "one"}


def test_an_async_run_too():
    class Later(Workflow):
        async def arun(self):
            await self.agent.arun("?")
            return await self.agent.arun("?")

    class LaterStream(Workflow):
        async def arun(self):
            async for said in self.agent.arun("?", stream=True):
                yield said
            async for said in self.agent.arun("?", stream=True):
                yield said

    flow = made(Later, "one", "two", max_tokens=10)
    assert asyncio.run(flow.arun()).event == RunEvent.run_cancelled.value
    assert (flow.last_run.status, flow.last_run.error) == ("stopped", SPENT.format(10, use("one")))

    async def read(stream):
        return [said.content async for said in stream]

    flow = made(LaterStream, "one", "two", max_tokens=10)
    assert asyncio.run(read(flow.arun())) == ["one"]
    assert (flow.last_run.status, flow.last_run.error) == ("stopped", SPENT.format(10, use_streamed("one")))


def test_code_that_catches_everything_does_not_go_on_spending():
    class Stubborn(Workflow):
        def run(self):
            for _ in range(5):
                with suppress(Exception):
                    yield self.agent.run("?").content

    flow = made(Stubborn, *["one"] * 5, max_tokens=10)
    assert [said.content for said in flow.run()] == ["one"]
    assert len(flow.agent.model.requests) == 1


def test_an_agent_that_calls_tools_for_ever_is_ended_too():
    class Loop(Workflow):
        def run(self):
            yield self.agent.run("?", stream=True)

    def look() -> str:
        """Look."""
        return "nothing yet"

    flow = Loop(max_tokens=1000)
    flow.agent = writer(*[ToolCall("look")] * 500, tools=[look])
    list(flow.run())
    assert flow.last_run.status == "stopped"
    assert flow.last_run.error.startswith("budget of 1000 tokens spent (")
    assert 2 < len(flow.agent.model.requests) < 100


def test_branches_share_the_budget():
    class Wide(Workflow):
        def run(self):
            yield from parallel(*(partial(self.agent.run, "?", stream=True) for _ in range(40)), limit=4)

    flow = made(Wide, *["one"] * 40, max_tokens=5 * use_streamed("one"))
    list(flow.run())
    assert flow.last_run.status == "stopped"
    assert flow.last_run.error.startswith(f"budget of {5 * use_streamed('one')} tokens spent (")
    assert 5 <= len(flow.agent.model.requests) <= 5 + 4 + 1


def test_a_run_inside_a_run_spends_the_budget_of_both():
    inner = made(Batch, "one", "two", "three", "four")

    class Outer(Workflow):
        def run(self):
            yield inner.run().content
            yield inner.run().content

    flow = Outer(max_tokens=use("one") + 1)
    assert [said.content for said in flow.run()] == ["two"]
    assert (flow.last_run.status, flow.last_run.error) == ("stopped", SPENT.format(use("one") + 1, use("one") + use("two")))
    assert inner.last_run.status == "stopped"


def test_many_threads_count_together():
    budget = Budget(max_tokens=8000, stop=lambda _: None)
    threads = [threading.Thread(target=lambda: [budget.count(tokens=1, cost=0.25) for _ in range(1000)]) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (budget.tokens, budget.cost) == (8000, 2000.0)
    budget.check()
    with pytest.raises(RunCancelled, match=r"budget of 8000 tokens spent \(8001\)"):
        budget.check(tokens=1)


@pytest.fixture
def dear(monkeypatch):
    """Return a model whose price nobody knows, of which this process knows nothing yet."""
    monkeypatch.setattr(prices, "_unknown", set())
    monkeypatch.setattr(prices, "_said", {})
    script = scripted(*["one", "two", "three", "four", "five"])
    model = FunctionModel(script.function, stream_function=script.stream_function, model_name="our-model")
    model.requests = script.requests
    return model


UNPRICED = (
    "max_cost=$0.5 cannot be kept to, as the price of 'our-model' is not known; limit max_tokens= instead, or say it: "
    "wf_notebook.models.price('our-model', input=…, output=…)"
)


def test_a_model_whose_price_is_not_known_is_asked_once_and_then_no_more(dear):
    flow = Pair(max_cost=0.5)
    flow.agent = Agent(dear)
    assert "".join(said.content for said in flow.run()) == "one"
    assert (flow.last_run.status, flow.last_run.error) == ("stopped", UNPRICED)
    assert (flow.session_state, len(dear.requests)) == ({"half": "done"}, 1)
    list(flow.run())  # now it is known that nobody knows it
    assert (flow.last_run.status, flow.last_run.error, len(dear.requests)) == ("stopped", UNPRICED, 1)
    price("our-model", input=1000, output=1000)
    assert "".join(said.content for said in flow.run()) == "twothree"
    run = flow.last_run
    assert (run.status, run.cost) == ("completed", pytest.approx((run.input_tokens + run.output_tokens) / 1000))


@pytest.mark.parametrize("dollars", [-1, math.nan, math.inf])
def test_what_is_no_price_is_refused_as_no_budget_could_be_kept_by_it(dollars):
    with pytest.raises(BadSetting, match=r"output=.* is no price; give US dollars for a million tokens, from 0 on"):
        price("our-model", input=0, output=dollars)
    assert cost_of("our-model", 1, 1) is None


def test_a_sweep_ends_at_the_first_such_row_and_goes_on_once_the_price_is_said(dear, tmp_path):
    class Ask(Workflow):
        def run(self, topic: str):
            return self.agent.run(topic)

    flow = Ask(storage=f"sqlite:///{tmp_path}/runs.db", session_id="ask")
    flow.agent = Agent(dear)
    sweep = flow.map(["a", "b", "c"], max_cost=0.5, limit=1)
    done = [row.content for row in sweep.result() if row.status == "completed"]
    assert (sweep.status, sweep.reason, done) == ("stopped", UNPRICED, ["one"])
    price("our-model", input=0, output=0)
    again = flow.map(["a", "b", "c"], max_cost=0.5, limit=1)
    assert [(row.content, row.hit) for row in again.result()] == [("one", True), ("two", False), ("three", False)]


def test_a_model_that_stands_for_another_in_a_test_costs_nothing(capsys):
    flow = made(Pair, "one", "two", max_cost=0.5)
    list(flow.run())
    assert (flow.last_run.status, capsys.readouterr().err) == ("completed", "")


def test_money_is_counted_where_the_price_is_known():
    why = []
    budget = Budget(max_cost=0.5, stop=why.append)
    budget.count(tokens=10, cost=0.5)
    budget.check()
    budget.count(cost=0.1234)
    with pytest.raises(BudgetSpent) as spent:
        budget.check()
    spent.value.end_run()
    assert why == ["budget of $0.5 spent ($0.6234)"]


def test_a_budget_that_was_set_to_less_than_nothing_is_refused_by_the_run():
    flow = made(Pair, "one", "two")
    flow.max_cost = -1
    with pytest.raises(BadSetting, match="max_cost=-1 is nothing that can be spent"):
        list(flow.run())
