"""A budget is kept to also where nobody says on the way what was used: pieces are counted, and answers are limited."""

from __future__ import annotations

import pytest
from pydantic import BaseModel

from wf_notebook import Agent, RunEvent, Workflow
from wf_notebook.agents.tokens import Spending
from wf_notebook.branches import parallel
from wf_notebook.budget import Budget, BudgetSpent
from wf_notebook.run import RunContext, current
from wf_notebook.testing import scripted

pytestmark = pytest.mark.slow  # a server for each

WORDS = [f"{number:02} " for number in range(100)]


class Headline(BaseModel):
    text: str


class Streams(Workflow):
    def run(self):
        yield self.agent.run("?", stream=True)
        self.session_state["over"] = True


class Calls(Workflow):
    def run(self):
        answer = self.agent.run("?")
        self.session_state["over"] = True
        return answer


@pytest.fixture(autouse=True)
def _forget():
    yield
    Spending.uncapped.clear()


def made(kind, model, *, max_tokens, **settings):
    flow = kind(max_tokens=max_tokens)
    flow.agent = Agent(model, name="writer", **settings)
    return flow


def words(handler):
    """Say a hundred words, and at the end what they used."""
    handler.tell(" ".join(word.strip() for word in WORDS))


def cut_short(text):
    """Return an answer that the server cuts off at the limit that it was given."""
    usage = {"prompt_tokens": 1, "completion_tokens": 16, "total_tokens": 17}
    return lambda handler: handler.complete(text, "length", usage)


def test_a_stream_is_cut_when_as_many_pieces_came_as_the_budget_has_tokens(provider):
    provider.answer = words
    flow = made(Streams, provider.model(), max_tokens=20)
    said = [piece.content for piece in flow.run()]
    assert said == [word.strip() for word in WORDS[:20]]  # a token was the question
    assert (flow.last_run.status, flow.last_run.error) == ("stopped", "budget of 20 tokens spent (21)")
    assert (flow.last_run.input_tokens, flow.last_run.output_tokens) == (1, 20)
    assert flow.session_state == {}
    assert flow.agent.run_response.metrics["total_tokens"] == 21


def test_what_the_provider_says_at_the_end_holds(provider):
    provider.answer = words
    flow = made(Streams, provider.model(), max_tokens=200)
    list(flow.run())
    assert (flow.last_run.input_tokens, flow.last_run.output_tokens) == (30, 20)
    assert flow.last_run.status == "completed"


def test_a_stream_that_is_stopped_counts_what_was_seen(provider):
    provider.answer = lambda handler: (handler.say(*WORDS[:10]), handler.hang())
    stream = made(Streams, provider.model(), max_tokens=None).run()
    for _ in range(10):
        next(stream)
    stream.stop()
    assert stream.run.status == "stopped"
    assert (stream.run.input_tokens, stream.run.output_tokens) == (1, 10)


def test_a_provider_that_counts_nothing_is_counted(provider):
    provider.answer = cut_short("four letters make a token")
    agent = Agent(provider.model())
    assert agent.run("?").metrics["total_tokens"] == 17
    provider.answer = lambda handler: (handler.say("one ", "two"), handler.raw(b"data: [DONE]\n\n"), handler.close())
    list(agent.run("What do ducks eat?", stream=True))
    assert {name: agent.run_response.metrics[name] for name in ("input_tokens", "output_tokens", "total_tokens")} == {
        "input_tokens": 5,
        "output_tokens": 2,
        "total_tokens": 7,
    }


def test_branches_reckon_with_what_the_others_say_meanwhile(provider):
    class Wide(Workflow):
        def run(self):
            yield from parallel(*(self.agent.deep_copy().run("?", stream=True) for _ in range(4)))

    provider.answer = words
    flow = made(Wide, provider.model(), max_tokens=100)
    said = [piece.content for piece in flow.run() if piece.content]
    assert flow.last_run.status == "stopped"
    # Each is cut at its next piece, and what its question took is known at its end.
    assert len(said) <= 100 + 4
    assert flow.last_run.output_tokens <= 100 + 4
    assert flow.last_run.input_tokens <= 4


# -- the limit of an answer ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("set_to", "expected"), [({}, 39), ({"max_tokens": 1000}, 39), ({"max_tokens": 30}, 30)], ids=["none", "more", "less"]
)
def test_what_is_left_limits_the_answer(provider, set_to, expected):
    provider.answer = lambda handler: handler.tell()
    flow = made(Calls, provider.model(), max_tokens=40, model_settings=set_to)
    flow.run()
    assert provider.requests[0][1]["max_completion_tokens"] == expected


def test_a_large_budget_limits_no_answer(provider):
    provider.answer = lambda handler: handler.tell()
    made(Calls, provider.model(), max_tokens=1_000_000).run()
    assert "max_completion_tokens" not in provider.requests[0][1]


def test_an_answer_that_the_budget_cut_off_is_kept_and_the_run_is_stopped(provider, capsys):
    provider.answer = cut_short("Once upon a")
    flow = made(Calls, provider.model(), max_tokens=20)
    answer = flow.run()
    assert (answer.content, answer.event) == ("Once upon a", RunEvent.run_cancelled.value)
    assert (flow.last_run.status, flow.last_run.error) == ("stopped", "budget of 20 tokens spent (17)")
    assert flow.session_state == {"over": True}
    assert capsys.readouterr().err == (
        "WARNING  agent 'writer' on 'm': the answer was cut off at 19 tokens, as the budget of the run left no more\n"
    )


def test_structured_output_that_the_budget_cut_off_stops_the_run_and_is_no_failure(provider):
    provider.answer = cut_short('{"text": "Once up')
    flow = made(Calls, provider.model(), max_tokens=20, response_model=Headline, structured_outputs=True)
    assert flow.run().event == RunEvent.run_cancelled.value
    assert (flow.last_run.status, flow.last_run.error) == ("stopped", "budget of 20 tokens spent (17)")
    assert len(provider.requests) == 1


def test_an_answer_at_its_own_limit_spends_nothing_more(provider):
    provider.answer = cut_short("Once upon a")
    flow = made(Calls, provider.model(), max_tokens=200, model_settings={"max_tokens": 16})
    assert flow.run().event == RunEvent.run_response.value
    assert flow.last_run.status == "completed"


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
def test_a_model_that_refuses_such_a_limit_is_asked_without_one(provider, stream):
    def answer(handler):
        if "max_completion_tokens" in handler.request_body:
            handler.refuse(400, "max_tokens is too large: this model supports at most 512")
        else:
            handler.tell()

    provider.answer = answer
    for asked in (2, 3):
        flow = made(Streams if stream else Calls, provider.model(), max_tokens=4000)
        assert (flow.run().result() if stream else flow.run()).content == "ok"
        assert len(provider.requests) == asked


def test_a_request_is_made_as_long_as_anything_is_left():
    why = []
    outer = Budget(max_tokens=100, stop=why.append)
    budget = Budget(max_cost=1.0, stop=why.append, within=outer)
    budget.count(tokens=60, cost=0.1)
    budget.reckon(39)
    assert budget.left() == 1
    budget.reckon(1)
    with pytest.raises(BudgetSpent, match=r"budget of 100 tokens spent \(100\)"):
        budget.left()
    budget.reckon(-40)
    assert budget.left() == 40
    budget.exhaust()
    with pytest.raises(BudgetSpent, match=r"budget of 100 tokens spent \(60\)"):
        budget.left()
    assert (budget.overspent(), outer.overspent()) == (None, "budget of 100 tokens spent (60)")


def test_a_scripted_model_sees_the_limit_too():
    model = scripted("one")
    run = RunContext("run-1", "session-1", "workflow-1", None)
    run.limit(100, None)
    token = current.set(run)
    try:
        Agent(model).run("?")
    finally:
        current.reset(token)
    assert model.requests[0].settings["max_tokens"] == 99
