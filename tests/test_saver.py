"""Open runs are saved while they are open, dropped ones are ended, and no run keeps another from being saved."""

from __future__ import annotations

import atexit
import gc
import subprocess
import sys
import threading
import time

import pytest

from wf_notebook import Workflow, open_storage, saver
from wf_notebook.errors import StorageBusy
from wf_notebook.run import RunContext


class Counted:
    """A run that counts what is asked of it."""

    def __init__(self, run_id: str, error: Exception | None = None) -> None:
        self.context = RunContext(run_id, "s", "w", None)
        self.error = error
        self.flushed = threading.Semaphore(0)
        self.ended: list[BaseException | None] = []

    def flush(self) -> None:
        self.flushed.release()
        if self.error:
            raise self.error

    def end(self, error: BaseException | None = None) -> None:
        self.ended.append(error)
        if self.error:
            raise self.error

    def disown(self) -> None:
        raise AssertionError("nobody forked")


@pytest.fixture
def watched():
    """Return a function that makes a run and has it watched; it is left alone at the end."""
    runs = []

    def watch(*arguments) -> Counted:
        runs.append(Counted(*arguments))
        saver.watch(runs[-1])
        return runs[-1]

    yield watch
    for run in runs:
        saver.unwatch(run)


def test_an_open_run_is_flushed_again_and_again(watched):
    run = watched("flushed")
    began = time.monotonic()
    for _ in range(3):
        assert run.flushed.acquire(timeout=20)
    assert time.monotonic() - began > 0.4


def test_a_run_that_has_ended_is_left_alone(watched):
    run, other = watched("left"), watched("other")
    assert run.flushed.acquire(timeout=20)
    saver.unwatch(run)
    while run.flushed.acquire(blocking=False):
        pass
    for _ in range(3):
        assert other.flushed.acquire(timeout=20)
    assert run.flushed._value <= 1  # one may have been under way


def test_a_run_that_cannot_be_saved_keeps_no_other_from_it(watched):
    for error in (RuntimeError("ours"), StorageBusy("theirs")):
        watched(f"broken {error}", error)
    fine = watched("fine")
    for _ in range(3):
        assert fine.flushed.acquire(timeout=20)


def test_a_dropped_run_is_ended_as_stopped_and_an_error_is_said(capsys):
    fine, broken, last = Counted("fine"), Counted("broken", ValueError("no")), Counted("last")
    for run in (fine, broken, last):
        saver.hand_over(run)
    saver.drain()
    assert [[type(error) for error in run.ended] for run in (fine, broken, last)] == [[GeneratorExit]] * 3
    assert "a run that was dropped could not be saved: no" in capsys.readouterr().err


def test_nobody_returns_from_draining_while_a_dropped_run_is_still_being_saved():
    begun, free, order = threading.Event(), threading.Event(), []
    slow = Counted("slow")

    def end(_error) -> None:
        begun.set()
        free.wait(20)
        order.append("saved")

    slow.end = end
    saver.hand_over(slow)
    threads = [threading.Thread(target=saver.drain), threading.Thread(target=lambda: (saver.drain(), order.append("drained")))]
    threads[0].start()
    assert begun.wait(20)
    threads[1].start()
    threads[1].join(0.1)
    free.set()
    for thread in threads:
        thread.join(20)
    assert order == ["saved", "drained"]


def test_the_saver_keeps_no_run_alive():
    class Endless(Workflow):
        def run(self):
            while True:
                yield "x"

    endless = Endless(session_id="demo", storage="memory:")
    stream = endless.run()
    next(stream)
    run_id = endless.run_id
    deadline = time.monotonic() + 20
    while endless.session.version == 0 and not _started(endless) and time.monotonic() < deadline:
        time.sleep(0.01)
    del stream
    gc.collect()
    saver.drain()
    assert endless.storage.run(run_id).status == "stopped"


def _started(workflow) -> bool:
    try:
        return workflow.storage.run(workflow.run_id).status == "running"
    except LookupError:
        return False


AT_EXIT = """
import atexit, sys, threading
from wf_notebook import Workflow
class Two(Workflow):
    def run(self):
        self.session_state["n"] = 1
        yield "a"
        yield "b"
two = Two(session_id="demo", storage=sys.argv[1])
kept = []
def late():
    if sys.argv[2] == "no threads":  # as Python 3.12 has it at this moment
        def start(self):
            raise RuntimeError("can't create new thread at interpreter shutdown")
        threading.Thread.start = start
    kept.append(two.run())
    next(kept[0])
atexit.register(late)
"""


@pytest.mark.slow
@pytest.mark.parametrize("threads", ["threads", "no threads"])
@pytest.mark.parametrize("kind", ["sqlite", "duckdb"])
def test_a_run_that_begins_while_the_process_ends_is_saved_without_a_word(tmp_path, kind, threads):
    url = f"{kind}:///{tmp_path}/runs.db"
    command = [sys.executable, "-c", AT_EXIT, url, threads]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    storage = open_storage(url)
    ((run_id,),) = storage.transact(lambda tx: tx.rows("SELECT run_id FROM runs", ()), write=False)
    assert (storage.run(run_id).status, storage.run(run_id).content) == ("stopped", "a")
    assert storage.session("demo").state == {"n": 1}


CLOSED_AT_EXIT = """
import atexit
from wf_notebook import Workflow
class Two(Workflow):
    def run(self):
        yield "a"
        yield "b"
two = Two(storage="memory:")
two.run().result()
atexit.register(lambda: print(two.last_run.status))
kept = two.run()
next(kept)
"""


def test_a_run_is_ended_before_what_was_there_before_it_is_closed():
    done = subprocess.run([sys.executable, "-c", CLOSED_AT_EXIT], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout == "stopped\n"


def test_a_run_costs_no_more_after_many(watched):
    watched("first")
    before = atexit._ncallbacks()
    for number in range(100):
        watched(f"run-{number}")
    assert atexit._ncallbacks() == before
