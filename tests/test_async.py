"""arun in all its forms; a run that awaits is the same run."""

from __future__ import annotations

import asyncio
import inspect
import threading

import pytest

from wf_notebook import Agent, RunResponse, Workflow
from wf_notebook.testing import scripted


async def collected(stream):
    return [r.content async for r in stream]


class Coroutine(Workflow):
    async def arun(self, topic: str):
        await asyncio.sleep(0)
        self.session_state["topic"] = topic
        return RunResponse(f"about {topic}")


class Stream(Workflow):
    writer = Agent()

    async def arun(self, topic: str):
        self.session_state["topic"] = topic
        yield "first "
        yield self.writer.arun(topic, stream=True)
        yield (x for x in [" plain", " nested"])
        yield self.run_id


def test_arun_of_an_async_def_is_a_real_coroutine_that_is_saved(tmp_path):
    flow = Coroutine(session_id="s", storage=f"sqlite:///{tmp_path}/x.db")
    awaitable = flow.arun(topic="x")
    assert inspect.iscoroutine(awaitable)
    response = asyncio.run(awaitable)
    assert (response.content, response.run_id) == ("about x", flow.last_run.run_id)
    assert flow.storage.session("s").state == {"topic": "x"}
    assert flow.storage.run(flow.last_run.run_id).status == "completed"


def test_arun_of_an_async_generator_is_an_async_iterator_and_can_be_awaited():
    async def main():
        one, two = Stream(), Stream()
        one.writer.model, two.writer.model = scripted("the answer"), scripted("the answer")
        contents = await collected(one.arun("x"))
        return one, contents, await two.arun("x")

    flow, contents, response = asyncio.run(main())
    assert "".join(contents) == f"first the answer plain nested{flow.last_run.run_id}"
    assert response.content.startswith("first the answer plain nested")
    assert flow.session_state == {"topic": "x"}


def test_an_async_run_can_be_read_by_plain_code_too():
    flow = Stream()
    flow.writer.model = scripted("the answer")
    assert flow.arun("x").result().content == f"first the answer plain nested{flow.last_run.run_id}"


def test_run_itself_may_be_async():
    class Flow(Workflow):
        async def run(self, n):
            return f"{n}"

    assert asyncio.run(Flow().run(1)).content == "1"


def test_arun_of_a_workflow_that_has_only_run_awaits_that():
    class Plain(Workflow):
        def run(self, how):
            return iter(["a", "b"]) if how == "stream" else "batch"

    async def main():
        return (await Plain().arun("stream")).content, (await Plain().arun("batch")).content

    assert asyncio.run(main()) == ("ab", "batch")


def test_async_runs_side_by_side_each_see_their_own_run():
    class Flow(Workflow):
        async def arun(self, n):
            for _ in range(3):
                await asyncio.sleep(0)
                yield RunResponse(f"{n}", extra_data=self.run_id)

    async def main():
        flow = Flow()
        streams = [flow.arun(n) for n in range(5)]
        return await asyncio.gather(*[_both(s) for s in streams])

    async def _both(stream):
        return [(r.run_id, r.extra_data, r.content) async for r in stream]

    runs = asyncio.run(main())
    assert len({run[0][0] for run in runs}) == 5
    for n, run in enumerate(runs):
        assert [(run_id == seen, content) for run_id, seen, content in run] == [(True, f"{n}")] * 3


@pytest.mark.parametrize("cls", [Coroutine, Stream])
def test_a_cancelled_async_run_is_saved_as_stopped(cls, tmp_path):
    class Hangs(cls):
        async def arun(self):
            self.session_state["begun"] = 1
            begun.set()
            await asyncio.Event().wait()

    class HangsInStream(cls):
        async def arun(self):
            self.session_state["begun"] = 1
            yield "x"
            begun.set()
            await asyncio.Event().wait()

    async def main():
        nonlocal begun
        begun = asyncio.Event()
        value = flow.arun()
        task = asyncio.ensure_future(value if inspect.iscoroutine(value) else collected(value))
        await begun.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    begun = None
    flow = (Hangs if cls is Coroutine else HangsInStream)(session_id="s", storage=f"sqlite:///{tmp_path}/x.db")
    asyncio.run(main())
    assert flow.storage.run(flow.last_run.run_id).status == "stopped"
    assert flow.storage.session("s").state == {"begun": 1}


def test_stop_from_another_thread_ends_an_async_stream_that_hangs():
    hanging = threading.Event()

    class Hangs(Workflow):
        async def arun(self):
            yield "before"
            hanging.set()
            await asyncio.Event().wait()

    flow = Hangs()

    async def main():
        stream = flow.arun()
        stopper = threading.Thread(target=lambda: (hanging.wait(10), stream.stop()))
        stopper.start()
        contents = await asyncio.wait_for(collected(stream), 10)
        await asyncio.sleep(0)  # a stray cancellation would arrive here
        stopper.join(10)
        return contents

    assert asyncio.run(main()) == ["before"]
    assert flow.last_run.status == "stopped"


def test_a_coroutine_that_fails_is_recorded_and_its_error_is_the_users():
    class Fails(Workflow):
        async def arun(self):
            await asyncio.sleep(0)
            raise ValueError("mine")

    flow = Fails()
    with pytest.raises(ValueError, match="mine"):
        asyncio.run(flow.arun())
    assert (flow.last_run.status, flow.last_run.error) == ("failed", "ValueError: mine")


def test_sync_agent_calls_work_inside_a_running_loop():
    class Flow(Workflow):
        writer = Agent()

        def run(self):
            yield self.writer.run("go").content

    async def main():
        flow = Flow()
        flow.writer.model = scripted("fine")
        return flow.run().result().content

    assert asyncio.run(main()) == "fine"
