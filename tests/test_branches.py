"""parallel: order, lanes, limits, failures, Stop, and what the branches share."""

from __future__ import annotations

import asyncio
import gc
import sqlite3
import threading
from functools import partial

import pytest

from wf_notebook import Agent, RunEvent, RunResponse, Workflow, open_storage, parallel
from wf_notebook.errors import BadBranch, BadRunOutput, BranchTimeout
from wf_notebook.run import current
from wf_notebook.testing import scripted


def letters(text):
    yield from text


def said(stream):
    lanes: dict[str, list] = {}
    for response in stream:
        lanes.setdefault(response.lane, []).append(response.content)
    return lanes


def test_calls_give_a_list_of_their_results_in_order():
    gates = [threading.Event() for _ in range(3)]

    def call(n):
        if n < 2:
            assert gates[n + 1].wait(10)  # the later ones end first
        gates[n].set()
        return n

    assert parallel(*[partial(call, n) for n in range(3)]) == [0, 1, 2]
    assert parallel() == []


def test_streams_are_merged_as_they_come_each_in_its_lane():
    first, second = threading.Event(), threading.Event()

    def one():
        yield "a"
        assert second.wait(10)
        yield "b"

    def two():
        yield "x"
        assert first.wait(10)
        yield "y"
        second.set()

    stream = parallel(one(), two())
    begun = {next(stream).content, next(stream).content}
    assert begun == {"a", "x"}
    first.set()
    assert [response.content for response in stream] == ["y", "b"]
    assert [result.content for result in stream.results] == ["ab", "xy"]


def test_a_call_beside_a_stream_says_its_result_as_one_response_in_its_lane():
    def count():
        return {"n": 1}

    stream = parallel(letters("ab"), count, lambda: "text", lambda: RunResponse("response"), lambda: None)
    assert said(stream) == {"letters": ["a", "b"], "count": [{"n": 1}], "branch 3": ["text"], "branch 4": ["response"]}
    assert stream.results[1:3] == [{"n": 1}, "text"]
    assert stream.results[4] is None


def test_a_call_that_returns_a_stream_is_played_too():
    assert said(parallel(letters("a"), partial(letters, "bc"))) == {"letters": ["a"], "letters 2": ["b", "c"]}
    assert [result.content for result in parallel(partial(letters, "bc"))] == ["bc"]


@pytest.mark.parametrize("value", [7, {"n": 1}, b"bytes", 1.5, True])
def test_a_call_may_return_anything_and_a_stream_says_what_run_may_yield(value):
    def numbers():
        yield "text"
        yield value

    assert parallel(lambda: value) == [value]
    assert [said.content for said in parallel(lambda: value, letters(""))] == [value]
    for branches in ([numbers()], [numbers], [letters("a"), numbers], [lambda: value, numbers()]):
        with pytest.raises(BadRunOutput) as error:
            list(parallel(*branches))
        assert str(error.value) == (
            f"branch 'numbers' gave a value of type {type(value).__name__!r}; "
            "yield or return RunResponse, str, a pydantic model, or a stream of these"
        )
        assert error.value.results[-1] is error.value


def test_branches_nest_and_their_lanes_say_where():
    def inner():
        yield parallel(letters("ab"), letters("c"))

    assert said(parallel(inner(), letters("z"))) == {
        "inner/letters": ["a", "b"], "inner/letters 2": ["c"], "letters": ["z"],
    }  # fmt: skip
    assert parallel(lambda: parallel(lambda: 1, lambda: 2), lambda: 3) == [[1, 2], 3]


def test_no_more_than_the_limit_are_at_work_at_once():
    lock, most, at_work = threading.Lock(), 0, 0
    together = threading.Barrier(3, timeout=10)

    def call():
        nonlocal most, at_work
        with lock:
            at_work += 1
            most = max(most, at_work)
        together.wait()
        with lock:
            at_work -= 1

    parallel(*[call] * 9, limit=3)
    assert most == 3


def test_the_first_error_is_raised_and_what_the_others_gave_is_at_it():
    done = threading.Event()

    def good():
        done.set()
        return "paid for"

    def bad():
        assert done.wait(10)
        raise ValueError("mine")

    with pytest.raises(ValueError, match="mine") as error:
        parallel(good, bad, limit=2)
    assert error.value.results[0] == "paid for"
    assert error.value.results[1] is error.value
    assert error.value.__notes__ == ["in branch 'bad' of parallel; what the others gave is in .results of this error"]


def test_after_an_error_nothing_more_is_begun():
    begun = []

    def bad():
        raise ValueError("mine")

    with pytest.raises(ValueError, match="mine"):
        parallel(bad, *[partial(begun.append, n) for n in range(100)], limit=1)
    assert begun == []


def test_keep_puts_the_exception_in_the_place_of_the_result():
    def bad():
        raise ValueError("mine")

    one, two, three = parallel(lambda: 1, bad, lambda: 3, on_error="keep")
    assert (one, repr(two), three) == (1, "ValueError('mine')", 3)
    stream = parallel(letters("ab"), bad, on_error="keep")
    failures = [r for r in stream if r.event == RunEvent.run_error]
    assert [(r.lane, r.content, r.extra_data) for r in failures] == [("bad", None, {"error": "ValueError: mine"})]
    assert (stream.results[0].content, repr(stream.results[1])) == ("ab", "ValueError('mine')")


def test_a_failure_that_is_kept_is_among_the_stored_events_and_in_the_record(tmp_path):
    class Flow(Workflow):
        def run(self):
            yield parallel(letters("ab"), self.bad, on_error="keep")

        def bad(self):
            raise ValueError("mine")

    flow = Flow(session_id="s", storage=f"sqlite:///{tmp_path}/x.db")
    assert flow.run().result().content == "ab"
    with sqlite3.connect(tmp_path / "x.db") as db:
        rows = db.execute("SELECT event, content, data FROM events WHERE lane = 'bad' AND event = 'RunError'").fetchall()
    db.close()
    assert rows == [("RunError", None, '{"error": "ValueError: mine"}')]
    assert flow.last_run.status == "completed"


def test_retry_calls_again_and_raises_when_that_does_not_help():
    calls = []

    def flaky(good_at):
        calls.append(1)
        if len(calls) < good_at:
            raise ValueError(f"call {len(calls)}")
        return "good"

    assert parallel(partial(flaky, 3), on_error="retry") == ["good"]
    assert len(calls) == 3
    calls.clear()
    with pytest.raises(ValueError, match="call 2"):
        parallel(partial(flaky, 99), on_error="retry", retries=1)
    with pytest.raises(BadBranch, match="'letters' cannot be started again"):
        parallel(letters("a"), on_error="retry")


def test_a_branch_that_takes_too_long_fails_and_the_others_go_on():
    never = threading.Event()

    def agent_like():
        from wf_notebook import background

        background.call(asyncio.Event().wait())

    results = parallel(lambda: "quick", agent_like, never.wait, on_error="keep", timeout=0.2)
    assert results[0] == "quick"
    assert [type(result) for result in results[1:]] == [BranchTimeout, BranchTimeout]
    assert str(results[1]) == "branch 'agent_like' took longer than 0.2 s; give it more with timeout=, or less to do"
    never.set()


def test_a_branch_that_hangs_does_not_take_the_place_of_those_that_wait():
    never = threading.Event()
    assert parallel(never.wait, lambda: "next", limit=1, on_error="keep", timeout=0.2)[1] == "next"
    never.set()


# -- in a run ------------------------------------------------------------------------------------------------------------------


def test_in_a_run_every_branch_belongs_to_the_run_and_says_its_lane(tmp_path):
    class Both(Workflow):
        one = Agent()
        two = Agent()

        def run(self):
            yield parallel(self.one.run("go", stream=True), self.two.run("go", stream=True), self.count)

        def count(self):
            return RunResponse(f"{self.run_id == current.get().run_id} {current.get().lane}")

    flow = Both(session_id="s", storage=f"sqlite:///{tmp_path}/x.db")
    flow.one.model, flow.two.model = scripted("one two three"), scripted("four five six")
    lanes = said(flow.run())
    assert {lane: "".join(texts) for lane, texts in lanes.items()} == {
        "one": "one two three", "two": "four five six", "count": "True count",
    }  # fmt: skip
    assert flow.last_run.output_tokens > 0
    with sqlite3.connect(tmp_path / "x.db") as db:
        rows = db.execute("SELECT lane, content FROM events WHERE content IS NOT NULL ORDER BY lane, seq").fetchall()
    db.close()
    texts: dict[str, str] = {}
    for lane, content in rows:
        texts[lane] = texts.get(lane, "") + content
    assert texts == {"count": "True count", "one": "one two three", "two": "four five six"}


def test_what_branches_write_into_the_state_is_all_there(tmp_path):
    class Writes(Workflow):
        def run(self):
            self.session_state["list"] = []
            parallel(*[partial(self.write, n) for n in range(400)], limit=32)

        def write(self, n):
            self.session_state["list"].append(n)
            self.session_state[f"key {n}"] = n
            self.session_state.setdefault("dict", {})[str(n)] = n

    flow = Writes(session_id="s", storage=f"duckdb:///{tmp_path}/x.duckdb")
    flow.run()
    state = open_storage(flow.storage.url).session("s").state
    assert sorted(state["list"]) == list(range(400))
    assert state["dict"] == {str(n): n for n in range(400)} == {str(n): state[f"key {n}"] for n in range(400)}


@pytest.mark.parametrize("scheme", ["duckdb", "sqlite"])
def test_what_branches_write_is_all_there_when_it_is_saved_and_flushed_meanwhile(tmp_path, scheme):
    class Writes(Workflow):
        def run(self):
            self.session_state |= {"list": [], "deep": {}, "count": 0}
            self.flushed = threading.Event()
            yield parallel(*[partial(self.write, n) for n in range(12)], self.saves(), limit=13)

        def write(self, n):
            for step in range(100):
                if step % 25 == 0:
                    together.wait()
                self.session_state["list"].append([n, step])
                self.session_state["deep"].setdefault(str(step), {})[str(n)] = step
                self.session_state[f"key {n} {step}"] = "x" * step
                self.session_state.pop(f"key {n} {step - 1}", None)
                with lock:
                    self.session_state["count"] += 1
            while not self.flushed.wait(0.002):
                with lock:
                    self.session_state["count"] += 1
                    written.append(n)

        def saves(self):
            for _ in range(4):
                together.wait()
                self.write_to_storage()
                yield "saved "
            before = self.session.version
            while self.session.version == before:  # what changed is flushed every quarter of a second
                self.flushed.wait(0.01)
            self.flushed.set()
            yield "flushed"

    lock, together, written = threading.Lock(), threading.Barrier(13, timeout=30), []
    flow = Writes(session_id="s", storage=f"{scheme}:///{tmp_path}/x.db")
    assert flow.run().result().content == "saved saved saved saved flushed"
    session = open_storage(flow.storage.url).session("s")
    state = dict(session.state)
    assert sorted(state.pop("list")) == [[n, step] for n in range(12) for step in range(100)]
    assert state.pop("deep") == {str(step): {str(n): step for n in range(12)} for step in range(100)}
    assert state.pop("count") == 1200 + len(written)
    assert state == {f"key {n} 99": "x" * 99 for n in range(12)}
    assert session.version >= 3


def test_stop_ends_all_branches_and_keeps_what_they_said():
    async def hang(_request):
        yield "begun"
        await asyncio.Event().wait()

    class Hangs(Workflow):
        one = Agent()
        two = Agent()

        def run(self):
            yield parallel(self.one.run("go", stream=True), self.two.run("go", stream=True))

    flow = Hangs()
    flow.one.model = flow.two.model = scripted(hang, hang)
    stream = flow.run()
    assert [next(stream).content, next(stream).content] == ["begun", "begun"]
    stopper = threading.Thread(target=stream.stop)
    stopper.start()
    assert list(stream) == []
    stopper.join(10)
    assert flow.last_run.status == "stopped"


def test_stop_ends_plain_calls_too():
    inside = threading.Event()
    ended = threading.Event()

    def call():
        from wf_notebook import background

        inside.set()
        try:
            background.call(asyncio.Event().wait())
        finally:
            ended.set()

    class Calls(Workflow):
        def run(self):
            yield "before"
            yield str(parallel(call, call))

    flow = Calls()
    stream = flow.run()
    stopper = threading.Thread(target=lambda: (inside.wait(10), stream.stop()))
    stopper.start()
    assert [r.content for r in stream] == ["before"]
    assert ended.wait(10)
    assert flow.last_run.status == "stopped"
    stopper.join(10)


def test_a_stream_that_nobody_reads_any_more_ends_its_branches():
    closed = threading.Event()

    def endless():
        try:
            while True:
                yield "x"
        finally:
            closed.set()

    stream = parallel(endless())
    next(stream)
    del stream
    gc.collect()
    assert closed.wait(10)


def test_a_stream_that_nobody_ever_read_says_so_once(capsys):
    async def answer():
        return "answer"

    class Forgets(Workflow):
        def run(self):
            parallel(letters("a"), answer())
            yield "nothing"

    Forgets().run().result()
    gc.collect()
    told = "parallel of 2 branches (letters, answer) was never read, so it did nothing: yield it, iterate it or await it"
    assert capsys.readouterr().err == f"WARNING  {told}\n"
    stream = parallel(letters("a"))
    stream.close()
    del stream
    assert list(parallel(letters("a")))
    assert capsys.readouterr().err == ""


def test_an_unread_stream_begins_nothing_and_says_what_it_is_and_what_to_do():
    begun = []

    def stream():
        begun.append(1)
        yield "x"

    unread, many = parallel(stream(), lambda: 1), parallel(*[stream() for _ in range(9)])
    assert (
        repr(unread) == "<parallel of 2 branches (stream, branch 2), not begun: iterate it, or let it be the last line of a cell>"
    )
    assert "9 branches (stream, stream 2, " in repr(many)
    assert ", stream 8, …)" in repr(many)
    assert begun == []
    next(unread)
    assert repr(unread) == "<parallel of 2 branches (stream, branch 2), running>"
    list(unread)
    assert repr(unread) == "<parallel of 2 branches (stream, branch 2), over: see .results>"


# -- async ---------------------------------------------------------------------------------------------------------------------


def test_in_async_code_results_are_awaited_and_coroutines_run_on_the_callers_loop():
    async def main():
        here = asyncio.get_running_loop()
        ready = asyncio.Event()

        async def first():
            await ready.wait()
            return asyncio.get_running_loop() is here

        async def second():
            ready.set()
            return "second"

        return await parallel(first(), second(), lambda: "plain")

    assert asyncio.run(main()) == [True, "second", "plain"]


def test_a_forgotten_await_is_said_by_the_name_that_the_user_knows():
    async def main():
        forgotten = [parallel(lambda: 1)]
        assert repr(forgotten).startswith("[<coroutine object parallel at ")
        with pytest.warns(RuntimeWarning, match=r"^coroutine 'parallel' was never awaited$"):
            forgotten.clear()

    asyncio.run(main())


def test_in_async_code_streams_are_read_by_async_for():
    async def numbers():
        for n in range(3):
            await asyncio.sleep(0)
            yield str(n)

    async def main():
        stream = parallel(numbers(), letters("ab"))
        lanes: dict[str, list] = {}
        async for response in stream:
            lanes.setdefault(response.lane, []).append(response.content)
        return lanes, [result.content for result in stream.results]

    assert asyncio.run(main()) == ({"numbers": ["0", "1", "2"], "letters": ["a", "b"]}, ["012", "ab"])


def test_an_async_run_may_yield_branches():
    class Flow(Workflow):
        one = Agent()
        two = Agent()

        async def arun(self):
            answers = await parallel(self.one.arun("go"), self.two.arun("go"))
            yield " ".join(answer.content for answer in answers)
            yield parallel(letters("a"))

    flow = Flow()
    flow.one.model, flow.two.model = scripted("first"), scripted("second")

    async def main():
        return [response.content async for response in flow.arun()]

    assert asyncio.run(main()) == ["first second", "a"]


def test_plain_code_may_run_coroutines_too():
    async def double(n):
        await asyncio.sleep(0)
        return 2 * n

    assert parallel(*[double(n) for n in range(5)]) == [0, 2, 4, 6, 8]


def test_a_cancelled_await_ends_the_branches():
    ended = threading.Event()

    async def hang():
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    async def main():
        task = asyncio.ensure_future(_awaits())
        await asyncio.sleep(0.05)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        for _ in range(100):
            if ended.is_set():
                return
            await asyncio.sleep(0.02)

    async def _awaits():
        return await parallel(hang(), lambda: 1)

    asyncio.run(main())
    assert ended.is_set()
