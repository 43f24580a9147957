"""The merged stream: what is said is not lost, a slow reader is waited for, and closing leaves nothing behind."""

from __future__ import annotations

import _thread
import asyncio
import gc
import random
import threading
from functools import partial
from time import monotonic

import pytest

from wf_notebook import parallel
from wf_notebook.errors import WorkflowError
from wf_notebook.merged import WAITING


def letters(text):
    yield from text


def until(fact, seconds=10.0):
    """Wait until something is so, which other threads bring about; return whether it is."""
    deadline, pause = monotonic() + seconds, threading.Event()
    while not fact() and monotonic() < deadline:
        pause.wait(0.005)
    return bool(fact())


def at_work():
    return [thread for thread in threading.enumerate() if thread.name == "wf_notebook-branch"]


# -- closing -------------------------------------------------------------------------------------------------------------------


def endless():
    while True:
        yield "x"


async def endless_async():
    while True:
        await asyncio.sleep(0)
        yield "y"


def fails(after):
    for _ in range(after):
        yield "z"
    raise ValueError("mine")


def test_closing_in_mid_stream_leaves_no_threads_and_prints_nothing(capfd):
    chance = random.Random(7)
    deadline = monotonic() + 1.5
    while monotonic() < deadline:
        sources = [
            endless,
            endless_async,
            partial(letters, "ab"),
            partial(fails, chance.randrange(2000)),
            lambda: partial(letters, "call"),
        ]
        on_error = chance.choice(["keep", "raise"])
        stream = parallel(*(chance.choice(sources)() for _ in range(7)), endless(), on_error=on_error)
        try:
            for _ in range(chance.choice([1, 10, 100, 3000])):
                next(stream)
        except ValueError:
            assert on_error == "raise"
        stream.close()
        assert list(stream) == []
    assert until(lambda: not at_work(), 3)
    assert capfd.readouterr() == ("", "")


def test_a_failure_that_is_kept_is_said_however_slow_the_reader():
    stream = parallel(fails(WAITING + 1), on_error="keep")
    next(stream)
    assert until(lambda: len(stream._pipe.arrived) == WAITING)
    until(lambda: not at_work(), 0.3)  # the branch would have ended without having said it
    assert [response.extra_data for response in stream][-1] == {"error": "ValueError: mine"}
    assert repr(stream.results) == "[ValueError('mine')]"


def test_the_failure_of_a_branch_ends_the_others_although_nobody_reads_on():
    begun, ended = threading.Event(), threading.Event()

    def paid_for():
        try:
            yield "x"
            while True:
                yield None
        finally:
            ended.set()

    def bad():
        assert begun.wait(10)
        raise ValueError("mine")

    stream = parallel(paid_for(), bad)
    next(stream)
    begun.set()
    assert ended.wait(10)
    with pytest.raises(ValueError, match="mine"):
        list(stream)


def test_an_interrupt_of_the_reader_ends_the_branches():
    ended = threading.Event()

    def silent():
        try:
            yield "x"
            _thread.interrupt_main()
            while True:
                yield None
        finally:
            ended.set()

    stream = parallel(silent())
    with pytest.raises(KeyboardInterrupt):
        for _ in stream:
            pass
    assert ended.wait(10)


def test_cancelling_the_reader_in_async_code_ends_the_branches():
    ended = threading.Event()

    async def silent():
        try:
            yield "x"
            await asyncio.Event().wait()
        finally:
            ended.set()

    async def main():
        stream = parallel(silent())
        await anext(stream)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(anext(stream), 0.05)
        assert await asyncio.to_thread(ended.wait, 10)
        assert [said async for said in stream] == []

    asyncio.run(main())


def test_coroutines_that_never_begin_warn_nobody():
    async def waits():
        await asyncio.Event().wait()

    async def main():
        stream = parallel(letters("a"), *[waits() for _ in range(6)], limit=2)
        assert (await anext(stream)).content == "a"
        await stream.aclose()

    asyncio.run(main())
    assert until(lambda: not at_work())
    gc.collect()


def test_a_stream_may_be_collected_in_the_middle_of_what_its_branches_do_with_their_token():
    stream = parallel(letters("ab"))
    next(stream)

    def collected():
        with stream._crew._token._lock:  # the collector may run anywhere
            stream.close()

    collector = threading.Thread(target=collected, daemon=True)
    collector.start()
    collector.join(5)
    assert not collector.is_alive()


def test_a_plain_function_on_the_background_loop_is_refused_instead_of_waiting_for_itself():
    from wf_notebook import background

    def helper():
        return parallel(lambda: background.call(asyncio.sleep(0, "answer")))

    async def tool():
        return helper()

    with pytest.raises(WorkflowError, match=r"hold up the loop.*await it"):
        background.call(tool())


# -- a slow reader -------------------------------------------------------------------------------------------------------------


class Producers:
    """Streams that say as much as they may, and count what they made that nobody has read."""

    each = 5 * WAITING

    def __init__(self):
        self.made, self._lock = 0, threading.Lock()

    def stream(self):
        for _ in range(self.each):
            with self._lock:
                self.made += 1
            yield "x"

    async def astream(self):
        for said in self.stream():
            yield said

    def nested(self):
        yield parallel(self.stream(), self.stream)

    def made_when_all_wait(self):
        """Wait until nothing more is made, and return how much that is."""
        before, pause = -1, threading.Event()
        while before != self.made:
            before = self.made
            pause.wait(0.15)  # a branch that waits for the reader looks up more often
        return before


@pytest.mark.parametrize(
    ("kinds", "most"),
    [
        (("stream", "stream"), WAITING + 2),
        (("astream", "stream"), WAITING + 2 + 256),  # what waits on the background loop
        (("nested", "stream"), 2 * WAITING + 4),
        (("nested", "nested"), 3 * WAITING + 6),
    ],
)
@pytest.mark.parametrize("as_calls", [False, True])
def test_what_waits_for_a_slow_reader_is_bounded_however_deep(kinds, most, as_calls):
    made = Producers()
    works = [getattr(made, kind) for kind in kinds]
    stream = parallel(letters("first"), *(works if as_calls else [work() for work in works]))
    read = len([next(stream) for _ in range(3)])
    for _ in range(2):
        waiting = made.made_when_all_wait() - read
        assert WAITING // 2 <= waiting <= most + read
        read += len([next(stream) for _ in range(WAITING)])
    assert read + sum(1 for _ in stream) == len("first") + made.made
