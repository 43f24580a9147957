"""What `parallel` refuses, in one line, before anything begins."""

from __future__ import annotations

import asyncio
import gc

import pytest

from wf_notebook import Agent, RunResponse, Workflow, parallel
from wf_notebook.errors import BadBranch


def letters(text):
    yield from text


async def answer():
    return "answer"


def refusal(*branches, **settings):
    with pytest.raises(BadBranch) as error:
        parallel(*branches, **settings)
    assert "\n" not in str(error.value)
    return str(error.value)


@pytest.mark.parametrize("work", [RunResponse("ran"), "text", 7])
def test_what_has_run_already_is_refused_with_a_remedy(work):
    with pytest.raises(BadBranch, match=f"branch 2 is of type '{type(work).__name__}'.*partial"):
        parallel(lambda: 1, work)


def test_one_stream_given_twice_is_refused():
    stream, other = letters("a"), letters("b")
    assert refusal(other, stream, stream) == "branch 3 is the same stream as branch 2, and can be done once; make one for each"
    assert list(stream) == ["a"]
    assert parallel(str, str) == ["", ""]


def test_one_coroutine_given_twice_is_refused():
    coroutine = answer()
    assert refusal(coroutine, coroutine).startswith("branch 2 is the same coroutine as branch 1")


def test_a_coroutine_that_was_awaited_is_refused():
    coroutine = answer()
    asyncio.run(coroutine)
    assert refusal(coroutine).startswith("branch 1 is a coroutine that was awaited already")


@pytest.mark.parametrize("kind", [list, tuple, set])
def test_a_list_of_branches_is_refused_with_the_star_that_it_lacks(kind):
    said = refusal(kind([answer(), letters("a")]) if kind is not set else {letters("a")})
    assert said == f"branch 1 is a {kind.__name__}; give what is in it as branches: parallel(*branches)"


def test_a_lone_generator_expression_is_refused_as_it_would_be_done_one_after_the_other():
    said = refusal(letters(text) for text in "ab")
    assert said == "the only branch is a generator expression; give what is in it as branches: parallel(*(… for …))"
    assert len(list(parallel((text for text in "ab"), letters("c")))) == 3


def test_an_agent_or_workflow_by_itself_is_refused_as_it_has_nothing_to_do():
    assert refusal(Agent()) == "branch 1 is of type 'Agent', without what it shall do; give a call: partial(….run, message)"
    assert refusal(Workflow()).startswith("branch 1 is of type 'Workflow', without what it shall do")


def test_a_branch_without_a_name_is_called_by_its_number():
    with pytest.raises(ZeroDivisionError) as error:
        parallel(lambda: 1, lambda: 1 // 0)
    assert error.value.__notes__[0].startswith("in branch 2 of parallel")


@pytest.mark.parametrize(
    ("name", "values", "remedy"),
    [
        ("limit", [0, -1, 2.5, "2", None, True], "whole number from 1 on"),
        ("retries", [-1, 1.5, "1", None], "whole number from 0 on"),
        ("timeout", [-1, 0, "2", float("nan"), True], "seconds as a number above 0, or None"),
        ("on_error", ["ignore", None, ["keep"]], "'raise', 'keep' or 'retry'"),
    ],
)
def test_a_setting_that_makes_no_sense_is_refused_with_what_to_give(name, values, remedy):
    begun = []
    for value in values:
        said = refusal(lambda: begun.append(1), letters("a"), **{name: value})
        assert said.startswith(f"{name}={value!r} is not ")
        assert said.endswith(remedy)
    assert begun == []


@pytest.mark.parametrize("settings", [{"limit": 0}, {"on_error": "retry"}, {}])
def test_coroutines_of_a_refused_call_warn_nobody(settings):
    refusal(answer(), [answer(), answer()] if not settings else answer(), **settings)
    gc.collect()  # a warning is an error in these tests
