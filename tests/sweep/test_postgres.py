"""A sweep into a team's store: rows are saved by many at once, and a server that is started again costs none."""

from __future__ import annotations

import os
import threading
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import pytest

from wf_notebook import Workflow, open_storage, step
from wf_notebook.storage import PostgresWorkflowStorage

from .reading import Reading

pytestmark = pytest.mark.postgres


class Slowly(Workflow):
    @step
    def half(self, n):
        threading.Event().wait(0.01)
        return n

    def run(self, n: int):
        self.session_state["n"] = self.half(n)
        yield f"{n}"


def final_records(storage):
    """Return how many runs, sessions and ids there are of rows that ended."""
    counts = "count(*), count(DISTINCT session_id), count(DISTINCT run_id)"
    return storage.read(f"SELECT {counts} FROM run_log WHERE phase = 'end' AND session_id NOT LIKE ?", ("%/",))


def test_rows_come_from_a_store_that_others_have_open_too(place):
    url = place("postgres")
    first = Slowly(storage=url, session_id="slowly").map(range(40)).result()
    assert [row.content for row in first] == [f"{n}" for n in range(40)]
    again = Slowly(storage=open_storage(url), session_id="slowly").map(range(41)).result()
    assert [row.hit for row in again] == [True] * 40 + [False]
    assert final_records(open_storage(url)) == [(41, 41, 41)]


@pytest.mark.slow
def test_a_server_that_is_started_again_in_the_middle_costs_no_row(postgres, place):
    url = place("postgres")
    sweep = Slowly(storage=url, session_id="slowly").map(range(400)).start()
    restarted = False
    for row in sweep:
        if row.number > 60 and not restarted:
            postgres.stop(at_once=True)
            postgres.start()
            restarted = True
        assert row.content == f"{row.number}"
    assert (restarted, sweep.status, sweep.progress.done) == (True, "completed", 400)
    storage = open_storage(url)
    assert final_records(storage) == [(400, 400, 400)]
    assert storage.read("SELECT count(*), count(DISTINCT session_id) FROM step_log WHERE kind = 'step'") == [(400, 400)]


def test_two_sweeps_of_the_same_rows_at_once_keep_each_row(place):
    url = place("postgres")
    sweeps = [Slowly(storage=open_storage(url), session_id="slowly").map(range(60)).start() for _ in range(2)]
    for sweep in sweeps:
        assert [row.content for row in sweep.result()] == [f"{n}" for n in range(60)]
    storage = open_storage(url)
    assert len({row.session_id for sweep in sweeps for row in sweep.rows}) == 60
    assert {storage.session(row.session_id).state["n"] for row in sweeps[0].rows} == {*range(60)}


def test_the_processes_of_an_executor_write_to_it_by_themselves(place):
    class Pids(Workflow):
        @step
        def half(self, n):
            return n

        def run(self, n: int):
            self.session_state["pid"] = os.getpid()
            return f"{self.half(n)}"

    class Storage(Reading, PostgresWorkflowStorage):
        pass

    storage = Storage(db_url=place("postgres"))
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as executor:
        rows = Pids(storage=storage).map(range(30), executor=executor).result()
    assert [(row.content, row.error) for row in rows] == [(f"{n}", None) for n in range(30)]
    assert os.getpid() not in {storage.session(row.session_id).state["pid"] for row in rows}
    assert final_records(storage) == [(30, 30, 30)]
