"""What becomes of branches that fail, hang or are stopped, and of what the others gave."""

from __future__ import annotations

import asyncio
import threading
from functools import partial

import pytest

from wf_notebook import Workflow, parallel
from wf_notebook.branch import branches_of
from wf_notebook.crew import Crew
from wf_notebook.errors import BranchTimeout, RunCancelled
from wf_notebook.run import current


def letters(text):
    yield from text


def test_stopped_branches_are_no_results_also_when_all_of_them_ended_before_anybody_looked():
    inside, ended = threading.Barrier(3, timeout=10), threading.Event()

    def call():
        inside.wait()
        ended.wait(10)
        current.get().cancel.check()

    crew = Crew(branches_of([call, call]), limit=2, on_error="raise", retries=0, timeout=None)
    over = threading.Event()
    crew.start(lambda: crew.left or over.set())
    inside.wait()
    crew.stop()
    ended.set()
    assert over.wait(10)
    with pytest.raises(RunCancelled):
        crew.conclude()


# -- what the others gave ------------------------------------------------------------------------------------------------------


class Gate:
    """Three branches: one that gives, one that fails once that is so, and one that would go on for ever."""

    def __init__(self):
        self.given = threading.Event()

    def good(self):
        self.given.set()
        return "paid for"

    def bad(self):
        assert self.given.wait(10)
        threading.Event().wait(0.05)
        raise ValueError("mine")

    def bad_stream(self):
        yield "part"
        self.bad()

    def endless(self):
        while True:
            yield None


def test_a_stream_that_fails_among_streams_leaves_what_the_others_gave():
    gate = Gate()

    def good():
        yield "paid "
        yield "for"
        gate.given.set()

    stream = parallel(good(), gate.bad_stream(), gate.endless(), gate.good)
    with pytest.raises(ValueError, match="mine") as error:
        list(stream)
    one, two, three, four = error.value.results
    assert (one.content, two, three, four) == ("paid for", error.value, None, "paid for")
    assert stream.results == error.value.results
    assert error.value.__context__ is None  # its traceback is about the user's code alone


def test_a_failure_in_a_parallel_within_a_branch_leaves_the_results_of_both():
    gate, outer = Gate(), threading.Event()

    def inner():
        assert outer.wait(10)
        return parallel(gate.good, gate.bad)

    def good():
        outer.set()
        return "outer"

    with pytest.raises(ValueError, match="mine") as error:
        parallel(good, inner)
    assert error.value.results == ["outer", ["paid for", error.value]]
    assert [note.partition(" of ")[0] for note in error.value.__notes__] == ["in branch 'bad'", "in branch 'inner'"]


def test_a_failure_in_streams_within_a_stream_leaves_the_results_of_both():
    gate, outer = Gate(), threading.Event()

    def inner():
        assert outer.wait(10)
        yield parallel(gate.good, gate.bad_stream())

    def good():
        yield "outer"
        outer.set()

    with pytest.raises(ValueError, match="mine") as error:
        list(parallel(good(), inner()))
    first, second = error.value.results
    assert (first.content, second) == ("outer", ["paid for", error.value])


def test_in_async_code_too():
    gate = Gate()

    async def good():
        return gate.good()

    async def bad():
        await asyncio.to_thread(gate.bad)

    async def inner():
        return await parallel(good(), bad())

    async def main():
        await parallel(good(), inner())

    with pytest.raises(ValueError, match="mine") as error:
        asyncio.run(main())
    assert error.value.results == ["paid for", ["paid for", error.value]]


def test_an_error_that_has_no_place_for_results_is_raised_as_it_is():
    class Closed(Exception):
        results = property(lambda _: "its own")

    def bad():
        raise Closed

    with pytest.raises(Closed) as error:
        parallel(bad)
    assert error.value.results == "its own"


def test_what_a_failed_branch_said_last_may_not_be_printable():
    class Odd(Exception):
        def __str__(self):
            raise RuntimeError

    def bad():
        yield "part"
        raise Odd

    assert [said.extra_data for said in parallel(bad(), on_error="keep")] == [None, {"error": "Odd"}]


# -- time ----------------------------------------------------------------------------------------------------------------------


def test_no_more_than_the_limit_are_at_work_when_some_took_too_long():
    lock, at_work, most = threading.Lock(), 0, 0
    hangs, never = 2, threading.Event()

    def call(n):
        nonlocal at_work, most
        if n < hangs:
            never.wait()
            return n
        with lock:
            at_work += 1
            most = max(most, at_work)
        threading.Event().wait(0.01)
        with lock:
            at_work -= 1
        return n

    results = parallel(*[partial(call, n) for n in range(20)], limit=2, timeout=0.2, on_error="keep")
    assert [type(result) for result in results] == [BranchTimeout] * hangs + [int] * (20 - hangs)
    assert most <= 2
    never.set()


def test_time_without_end_is_a_time_too():
    assert parallel(lambda: 1, timeout=float("inf")) == [1]


def test_a_run_that_is_stopped_gets_no_results_of_its_branches():
    got = []

    class Calls(Workflow):
        def run(self):
            yield "begun"
            got.append(parallel(*[partial(self.wait, n) for n in range(4)]))

        def wait(self, n):
            inside.release()
            while True:
                current.get().cancel.check()
                threading.Event().wait(0.001)

    inside = threading.Semaphore(0)
    flow = Calls()
    stream = flow.run()
    stopper = threading.Thread(target=lambda: ([inside.acquire() for _ in range(4)], stream.stop()))
    stopper.start()
    assert [said.content for said in stream] == ["begun"]
    stopper.join(10)
    assert (got, flow.last_run.status) == ([], "stopped")
