"""Saves that wait together share one transaction, and yet each stands for itself."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import pytest

from wf_notebook import Workflow, parallel, step
from wf_notebook.errors import SessionOwned
from wf_notebook.storage.duckdb_file import File


@pytest.fixture
def transactions(monkeypatch) -> list[int]:
    """Return how many jobs each transaction of the file had."""
    sizes: list[int] = []
    once = File._committed

    def counted(self, cursor, tasks):
        sizes.append(len(tasks))
        return once(self, cursor, tasks)

    monkeypatch.setattr(File, "_committed", counted)
    return sizes


@pytest.fixture
def attached(monkeypatch) -> list[bool]:
    """Return what grows each time that the file is attached."""
    times: list[bool] = []
    once = File.attach

    def counted(self, memory, **how):
        times.append(how["read_only"])
        return once(self, memory, **how)

    monkeypatch.setattr(File, "attach", counted)
    return times


def together(storage, works) -> list:
    """Do works in threads of their own, while the storage's thread is held up by another one until all of them wait."""
    held, go = threading.Event(), threading.Event()

    def hold(_):
        held.set()
        assert go.wait(10)

    def waiting() -> int:
        return storage_thread._jobs.qsize()

    from wf_notebook.storage.duckdb import _thread as storage_thread

    with ThreadPoolExecutor(len(works) + 1) as pool:
        pool.submit(storage.transact, hold, write=True)
        assert held.wait(10)
        futures = [pool.submit(work) for work in works]
        while waiting() < len(works):
            threading.Event().wait(0.001)
        go.set()
        return [future.exception() or future.result() for future in futures]


def test_saves_that_wait_together_share_one_transaction(duck, transactions, attached):
    storage = duck.open()
    sessions = [storage.session(f"s{number}") for number in range(6)]
    for number, session in enumerate(sessions):
        session.state["n"] = number
    transactions.clear()
    attached.clear()
    assert together(storage, [session.save for session in sessions]) == [None] * 6
    assert transactions == [1, 6]
    assert len(attached) == 1  # they waited when the first was done
    assert [storage.session(f"s{number}").state for number in range(6)] == [{"n": number} for number in range(6)]


def test_saves_of_one_session_in_one_transaction_see_each_other(duck, transactions):
    storage = duck.open()
    sessions = [storage.session("demo") for _ in range(4)]
    for number, session in enumerate(sessions):
        session.state.setdefault("items", []).append(number)
    transactions.clear()
    together(storage, [session.save for session in sessions])
    assert transactions == [1, 4]
    assert sorted(storage.session("demo").state["items"]) == [0, 1, 2, 3]
    assert duck.query("SELECT DISTINCT version FROM state_log ORDER BY version") == [(1,), (2,), (3,), (4,)]


def test_one_that_fails_takes_nobody_along(duck, transactions):
    storage = duck.open()
    theirs = storage.session("theirs")
    theirs.about = theirs.about.__class__(user_id="ann")
    theirs.save()
    good, bad = storage.session("good"), storage.session("theirs")
    good.state["n"] = 1
    bad.state["n"] = 1
    bad.about = bad.about.__class__(user_id="bob")
    transactions.clear()
    first, second = together(storage, [good.save, bad.save])
    assert (first, type(second)) == (None, SessionOwned)
    assert transactions == [1, 2, 1, 1]
    assert storage.session("good").state == {"n": 1}
    assert storage.session("theirs").state == {}


def test_steps_of_branches_that_end_together_share_one_transaction(duck, transactions):
    class Six(Workflow):
        @step
        def one(self, n):
            ready.wait(10)
            return n

        def run(self):
            return str(parallel(*[partial(self.one, n) for n in range(6)]))

    from wf_notebook.storage.duckdb import _thread as storage_thread

    held, go, ready = threading.Event(), threading.Event(), threading.Barrier(7)

    def hold(_):
        held.set()
        assert go.wait(10)

    storage = duck.open()
    six = Six(session_id="a", storage=storage, cache="use")
    with ThreadPoolExecutor(2) as pool:
        run = pool.submit(six.run)
        while ready.n_waiting < 6:
            threading.Event().wait(0.001)
        pool.submit(storage.transact, hold, write=True)
        assert held.wait(10)
        transactions.clear()
        ready.wait(10)
        while storage_thread._jobs.qsize() + len(six.session._queued) < 6:
            threading.Event().wait(0.001)
        go.set()
        assert run.result().content == "[0, 1, 2, 3, 4, 5]"
    assert len(six.session.steps.all()) == 6
    assert len(transactions) <= 4  # the first of them, the others, and the end of the run; a flush may come between
