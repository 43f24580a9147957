"""What run() may give, and how it is played."""

from __future__ import annotations

import asyncio
import gc
import threading
from contextvars import ContextVar

import pytest
from pydantic import BaseModel

from wf_notebook import Agent, RunEvent, RunResponse, Workflow
from wf_notebook.errors import BadRunOutput
from wf_notebook.run import current
from wf_notebook.testing import scripted


class Answer(BaseModel):
    text: str


def said(stream):
    return [r.content for r in stream]


def test_everything_that_run_may_yield_is_played_in_order():
    async def later():
        yield "async"

    class All(Workflow):
        def run(self):
            yield "str"
            yield RunResponse("response")
            yield Answer(text="model")
            yield (x for x in ["nested", iter(["deeper"])])
            yield ["list", ("tuple",)]
            yield later()
            yield None
            yield from ["yield from"]
            return "returned"

    assert said(All().run()) == [
        "str", "response", Answer(text="model"), "nested", "deeper", "list", "tuple", "async", "yield from", "returned",
    ]  # fmt: skip


def test_the_agents_object_is_never_changed_and_each_copy_is_the_users_own():
    mine = RunResponse("mine")

    class Same(Workflow):
        def run(self):
            yield mine
            yield mine

    flow = Same()
    one, two = flow.run()
    assert (mine.run_id, mine.session_id) == (None, None)
    assert one.run_id == two.run_id == flow.last_run.run_id
    assert one is not two


def test_a_subclass_of_a_response_stays_what_it_is():
    class Mine(RunResponse):
        pass

    class Flow(Workflow):
        def run(self):
            yield Mine("x")

    assert type(next(Flow().run())) is Mine


@pytest.mark.parametrize("value", [1, 1.5, True, b"x", {"a": 1}])
def test_anything_else_in_a_stream_is_refused_with_its_type(value):
    class Odd(Workflow):
        def run(self):
            yield "before"
            yield value

    flow = Odd()
    with pytest.raises(BadRunOutput, match=f"'{type(value).__name__}'"):
        list(flow.run())
    assert flow.last_run.status == "failed"
    assert flow.last_run.content == "before"


def test_the_text_of_a_run_is_what_was_said_or_its_completion_when_nothing_was():
    class Flow(Workflow):
        def run(self, *responses):
            yield from responses

    completed = RunResponse("done", event=RunEvent.workflow_completed)
    assert Flow().run("a", "b", completed).result().content == "ab"
    assert Flow().run(completed).result().content == "done"
    assert Flow().run(Answer(text="x"), Answer(text="y")).result().content == Answer(text="y")
    assert Flow().run().result().content == ""


def test_an_iterator_is_a_stream_and_anything_else_has_run_at_call_time():
    class Flow(Workflow):
        def run(self, value):
            self.session_state["ran"] = self.session_state.get("ran", 0) + 1
            return value

    flow = Flow()
    assert flow.run("text").content == "text"
    assert flow.run(Answer(text="x")).content == Answer(text="x")
    assert flow.run(None) is None
    assert [r.content for r in flow.run(["a", ("b", "c")][0:1])] == ["a"]
    assert [r.content for r in flow.run(["a", iter(["b", "c"])])] == ["a", "bc"]
    assert flow.session_state["ran"] == 5
    assert said(flow.run(iter(["x", "y"]))) == ["x", "y"]


def test_interleaved_runs_of_one_instance_have_their_own_ids_and_text_and_share_the_state():
    class Flow(Workflow):
        def run(self, name):
            for n in range(3):
                self.session_state.setdefault("order", []).append(name)
                yield RunResponse(f"{name}{n} ", extra_data=self.run_id)

    flow = Flow()
    one, two = flow.run("a"), flow.run("b")
    pairs = list(zip(one, two, strict=True))
    assert all(a.run_id == a.extra_data == one.run.run_id for a, _ in pairs)
    assert all(b.run_id == b.extra_data == two.run.run_id for _, b in pairs)
    assert [next(one, None), next(two, None)] == [None, None]
    assert (one.result().content, two.result().content) == ("a0 a1 a2 ", "b0 b1 b2 ")
    assert flow.session_state["order"] == ["a", "b"] * 3


def test_the_run_is_seen_inside_only_and_never_leaks_to_the_consumer():
    mine: ContextVar[str] = ContextVar("mine", default="consumer's")

    class Flow(Workflow):
        def run(self):
            mine.set("run's")
            yield mine.get()
            yield mine.get()

    stream = Flow().run()
    assert next(stream).content == "run's"
    assert mine.get() == "consumer's"
    assert current.get() is None
    assert next(stream).content == "run's"


def test_super_run_is_the_same_run():
    class Base(Workflow):
        def run(self, topic):
            yield f"base {topic} {self.run_id}"

    class Sub(Base):
        def run(self, topic):
            yield from super().run(topic)
            yield super().run(topic)

    flow = Sub()
    contents = said(flow.run("x"))
    assert contents == [f"base x {flow.last_run.run_id}"] * 2


def test_stop_between_two_reads_ends_the_run_normally_and_keeps_what_was_said():
    closed = []

    class Flow(Workflow):
        def run(self):
            try:
                for n in range(100):
                    yield str(n)
            finally:
                closed.append(True)

    flow = Flow()
    stream = flow.run()
    next(stream), next(stream)
    stream.stop()
    assert closed == [True]
    assert said(stream) == []
    assert stream.result().content == "01"
    assert (flow.last_run.status, flow.last_run.content) == ("stopped", "01")


def test_stop_from_another_thread_ends_the_run_after_the_piece_that_is_being_made():
    reached, go_on = threading.Event(), threading.Event()

    class Flow(Workflow):
        def run(self):
            yield "a"
            reached.set()
            assert go_on.wait(10)
            yield "b"
            yield "never"

    flow = Flow()
    stream = flow.run()
    reader = threading.Thread(target=lambda: contents.extend(said(stream)))
    contents: list[str] = []
    reader.start()
    assert reached.wait(10)
    stream.stop()
    go_on.set()
    reader.join(10)
    assert contents == ["a", "b"]
    assert flow.last_run.status == "stopped"


def test_stop_ends_an_agent_call_that_hangs():
    asked = threading.Event()

    async def hang(_request):
        asked.set()
        await asyncio.Event().wait()

    class Flow(Workflow):
        writer = Agent()

        def run(self):
            yield "before"
            yield self.writer.run("go", stream=True)

    flow = Flow()
    flow.writer.model = scripted(hang)
    stream = flow.run()
    stopper = threading.Thread(target=lambda: (asked.wait(10), stream.stop()))
    stopper.start()
    assert said(stream) == ["before"]
    stopper.join(10)
    assert flow.last_run.status == "stopped"


def test_a_stream_is_read_by_one_thread_at_a_time():
    inside, leave = threading.Event(), threading.Event()

    class Flow(Workflow):
        def run(self):
            inside.set()
            leave.wait(10)
            yield "a"

    stream = Flow().run()
    reader = threading.Thread(target=lambda: list(stream))
    reader.start()
    assert inside.wait(10)
    with pytest.raises(ValueError, match="read by another thread"):
        next(stream)
    leave.set()
    reader.join(10)


def test_the_users_finally_comes_before_the_save(tmp_path):
    class Flow(Workflow):
        def run(self):
            try:
                yield "a"
                raise ValueError("no more")
            finally:
                self.session_state["tidied"] = True

    flow = Flow(session_id="s", storage=f"sqlite:///{tmp_path}/x.db")
    with pytest.raises(ValueError, match="no more"):
        list(flow.run())
    assert flow.storage.session("s").state == {"tidied": True}


def test_a_nested_stream_is_closed_innermost_first():
    order = []

    def inner():
        try:
            yield "inner"
            yield "more"
        finally:
            order.append("inner")

    class Flow(Workflow):
        def run(self):
            try:
                yield inner()
            finally:
                order.append("outer")

    stream = Flow().run()
    next(stream)
    stream.stop()
    assert order == ["inner", "outer"]


def test_a_stream_dropped_before_its_first_next_is_recorded_as_stopped(tmp_path):
    class Flow(Workflow):
        def run(self):
            yield "never"

    flow = Flow(session_id="s", storage=f"sqlite:///{tmp_path}/x.db")
    run_id = flow.run().run.run_id
    gc.collect()
    flow.run().result()
    assert flow.storage.run(run_id).status == "stopped"
    assert flow.storage.run(run_id).content is None


def test_a_stream_says_what_it_is():
    class Blog(Workflow):
        def run(self):
            yield "x"

    stream = Blog(session_id="demo").run()
    assert repr(stream) == "<RunStream running: Blog, session 'demo'>"
    list(stream)
    assert repr(stream) == "<RunStream completed: Blog, session 'demo'>"


def test_a_stream_that_is_never_read_says_that_nothing_was_done(capsys):
    class Blog(Workflow):
        def run(self):
            yield "x"

    Blog().run()
    gc.collect()
    assert "a run of Blog was never read, so it did nothing" in capsys.readouterr().err
    Blog().run().result()
    assert capsys.readouterr().err == ""


def test_what_a_stream_has_only_at_its_end_says_where_it_is():
    class Blog(Workflow):
        def run(self):
            yield "x"

    stream = Blog().run()
    with pytest.raises(AttributeError, match=r"read it to its end: \.result\(\)\.content"):
        _ = stream.content
    with pytest.raises(AttributeError, match="no attribute 'colour'"):
        _ = stream.colour
    list(stream)


def test_a_run_that_gives_itself_for_ever_is_refused():
    class Again(Workflow):
        def run(self, depth=10**9):
            yield self.run(depth - 1) if depth else "the end"

    with pytest.raises(BadRunOutput, match=r"1,000 deep; does it give itself again\? super\(\).run\(…\) is"):
        Again().run().result()
    assert Again().run(500).result().content == "the end"
    held = []
    held.append(held)

    class Held(Workflow):
        def run(self):
            yield held

    with pytest.raises(BadRunOutput, match="1,000 deep"):
        Held().run().result()
