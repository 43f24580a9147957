"""The background loop: plain code and async code wait on it, and can stop waiting."""

from __future__ import annotations

import asyncio
import gc
import signal
import subprocess
import sys
import threading
import time
from contextvars import ContextVar

import pytest

from wf_notebook import background
from wf_notebook.errors import RunCancelled, WorkflowError
from wf_notebook.run import RunContext, current

#: What counts as at once, with room for a busy machine; in seconds.
PROMPT = background.GRACE + 0.4

colour: ContextVar[str] = ContextVar("colour", default="none")


@pytest.fixture
def run():
    context = RunContext("run", "session", "workflow", None)
    token = current.set(context)
    yield context
    current.reset(token)


class Forever:
    """An await that ends only by being cancelled, and says when it began and how it ended."""

    def __init__(self):
        self.began, self.cancelled = threading.Event(), threading.Event()

    async def wait(self):
        self.began.set()
        try:
            await asyncio.Event().wait()
        finally:
            self.cancelled.set()

    async def items(self):
        yield "first"
        await self.wait()


def test_a_call_works_inside_a_running_loop():
    async def cell():
        return background.call(asyncio.sleep(0, "answer"))

    assert asyncio.run(cell()) == "answer"


def test_a_call_raises_what_the_coroutine_raises():
    async def fail():
        raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        background.call(fail())


def test_a_call_sees_the_context_of_its_caller():
    async def seen():
        return colour.get()

    colour.set("blue")
    assert background.call(seen()) == "blue"
    assert asyncio.run(background.acall(seen())) == "blue"


def test_an_iteration_sees_the_context_of_its_reader():
    async def seen():
        yield colour.get()

    async def read():
        return [item async for item in background.aiterate(seen())]

    colour.set("green")
    assert list(background.iterate(seen())) == ["green"]
    assert asyncio.run(read()) == ["green"]


def test_a_waiting_call_from_the_loop_itself_raises_instead_of_deadlocking():
    async def nested():
        background.call(asyncio.sleep(0))

    with pytest.raises(WorkflowError, match="arun"):
        background.call(nested())


def test_a_stop_ends_a_waiting_call_at_once(run):
    forever = Forever()
    threading.Thread(target=lambda: (forever.began.wait(), run.cancel.cancel())).start()
    with pytest.raises(RunCancelled):
        background.call(forever.wait())
    assert forever.cancelled.is_set()


def test_a_stop_does_not_wait_for_a_thread_that_cannot_be_ended(run):
    began, let_go = threading.Event(), threading.Event()

    async def stuck():
        began.set()
        await asyncio.shield(asyncio.get_running_loop().run_in_executor(None, let_go.wait))

    async def stubborn():
        try:
            await stuck()
        except asyncio.CancelledError:
            await asyncio.get_running_loop().run_in_executor(None, let_go.wait)

    def stop():
        began.wait()
        stopped_at.append(time.monotonic())
        run.cancel.cancel()

    stopped_at: list[float] = []
    threading.Thread(target=stop).start()
    with pytest.raises(RunCancelled):
        background.call(stubborn())
    took = time.monotonic() - stopped_at[0]
    let_go.set()
    assert took < PROMPT


def test_a_stop_ends_a_waiting_iteration_at_once(run):
    forever = Forever()
    threading.Thread(target=lambda: (forever.began.wait(), run.cancel.cancel())).start()
    seen = []
    with pytest.raises(RunCancelled):
        seen.extend(background.iterate(forever.items()))
    assert forever.cancelled.wait(PROMPT)


def test_a_stop_ends_an_awaited_call_at_once(run):
    forever = Forever()
    threading.Thread(target=lambda: (forever.began.wait(), run.cancel.cancel())).start()
    with pytest.raises(RunCancelled):
        asyncio.run(background.acall(forever.wait()))
    assert forever.cancelled.is_set()


def test_a_stop_ends_an_awaited_iteration_at_once(run):
    forever = Forever()

    async def read():
        return [item async for item in background.aiterate(forever.items())]

    threading.Thread(target=lambda: (forever.began.wait(), run.cancel.cancel())).start()
    with pytest.raises(RunCancelled):
        asyncio.run(read())
    assert forever.cancelled.wait(PROMPT)


def test_a_call_in_a_run_that_was_stopped_before_never_starts(run):
    forever = Forever()
    run.cancel.cancel()
    with pytest.raises(RunCancelled):
        background.call(forever.wait())
    assert not forever.began.is_set()


def test_cancelling_the_awaiting_task_cancels_the_call():
    forever = Forever()

    async def give_up():
        task = asyncio.create_task(background.acall(forever.wait()))
        await asyncio.to_thread(forever.began.wait)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(give_up())
    assert forever.cancelled.is_set()


def test_an_interrupt_cancels_the_call_and_stays_an_interrupt():
    forever = Forever()
    main = threading.main_thread().ident
    threading.Thread(target=lambda: (forever.began.wait(), signal.pthread_kill(main, signal.SIGINT))).start()
    with pytest.raises(KeyboardInterrupt):
        background.call(forever.wait())
    assert forever.cancelled.is_set()


def test_an_interrupt_cancels_the_iteration():
    forever = Forever()
    main = threading.main_thread().ident
    threading.Thread(target=lambda: (forever.began.wait(), signal.pthread_kill(main, signal.SIGINT))).start()
    with pytest.raises(KeyboardInterrupt):
        list(background.iterate(forever.items()))
    assert forever.cancelled.wait(PROMPT)


def test_closing_an_iteration_cancels_its_source():
    forever = Forever()
    items = background.iterate(forever.items())
    assert next(items) == "first"
    assert forever.began.wait(PROMPT)
    items.close()
    assert forever.cancelled.is_set()


def test_a_dropped_iteration_cancels_its_source():
    forever = Forever()
    items = background.iterate(forever.items())
    assert next(items) == "first"
    assert forever.began.wait(PROMPT)
    del items
    gc.collect()
    assert forever.cancelled.wait(PROMPT)


def test_leaving_an_async_iteration_early_cancels_its_source():
    forever = Forever()

    async def read():
        items = background.aiterate(forever.items())
        assert await anext(items) == "first"
        await asyncio.to_thread(forever.began.wait)
        await items.aclose()

    asyncio.run(read())
    assert forever.cancelled.is_set()


def test_nothing_happens_before_the_first_item_is_asked_for():
    asked = threading.Event()

    async def source():
        asked.set()
        yield 1

    items = background.iterate(source())
    assert background.call(asyncio.sleep(0, "the loop has turned")) == "the loop has turned"
    assert not asked.is_set()
    assert list(items) == [1]


def test_an_iteration_hands_on_what_came_before_it_raises():
    async def source():
        yield 1
        raise KeyError("mine")

    seen = []
    with pytest.raises(KeyError, match="mine"):
        seen.extend(background.iterate(source()))
    items = background.iterate(source())
    assert next(items) == 1


def test_a_slow_reader_holds_the_source_back():
    made = 0

    async def source():
        nonlocal made
        for number in range(1000):
            made += 1
            yield number

    items = background.iterate(source(), limit=8)
    assert next(items) == 0
    while made < 9:  # it is filling what there is room for
        background.call(asyncio.sleep(0))
    for _ in range(100):
        background.call(asyncio.sleep(0))
    assert made == 9
    assert list(items) == list(range(1, 1000))


@pytest.mark.parametrize("limit", [1, 2, 3, 256])
def test_every_item_arrives_in_order_with_any_limit(limit):
    async def source():
        for number in range(700):
            yield number

    async def read():
        return [item async for item in background.aiterate(source(), limit=limit)]

    assert list(background.iterate(source(), limit=limit)) == list(range(700))
    assert asyncio.run(read()) == list(range(700))


def test_a_call_that_exits_does_not_take_the_loop_along():
    async def leave():
        raise SystemExit(3)

    with pytest.raises(SystemExit):
        background.call(leave())
    assert background.call(asyncio.sleep(0, "still here")) == "still here"


def test_calls_of_many_threads_share_one_loop():
    async def where():
        return id(asyncio.get_running_loop())

    loops: list[int] = []
    threads = [threading.Thread(target=lambda: loops.append(background.call(where()))) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(loops) == 20
    assert len(set(loops)) == 1


def test_a_forked_child_starts_a_loop_of_its_own():
    code = """
import asyncio, os
from wf_notebook import background
assert background.call(asyncio.sleep(0, 1)) == 1
child = os.fork()
if child == 0:
    os._exit(7 if background.call(asyncio.sleep(0, 2)) == 2 else 1)
print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), background.call(asyncio.sleep(0, 3)))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=30, check=False)
    assert done.stdout == "7 3\n", done.stderr
