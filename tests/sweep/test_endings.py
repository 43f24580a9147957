"""However a sweep ends, what was done is there, once; and done again it does the rest."""

from __future__ import annotations

import subprocess
import sys
import time
from collections import Counter

import pytest

from wf_notebook import Workflow, open_storage, parallel

#: A sweep of rows with two model calls each, of which the log says which was made; given: the address, the log, rows.
DRIVER = """
import sys
from wf_notebook import Agent, Workflow, parallel
from wf_notebook.testing import scripted

url, log, rows = sys.argv[1], sys.argv[2], int(sys.argv[3])

def answer(request):
    with open(LOG, "a") as file:
        file.write(request.message + "\\n")
    return request.message

LOG = log

class Twice(Workflow):
    first = Agent(model=scripted(*[answer] * 10000), name="first")
    second = Agent(model=scripted(*[answer] * 10000), name="second")

    def run(self, n: int):
        one = self.first.run(f"first {n}").content
        two, three = parallel(lambda: self.second.run(f"second {n}").content, lambda: n)
        return f"{one}, {two}, {three}"

sweep = Twice(storage=url, session_id="twice").map(range(rows))
for row in sweep:
    assert row.content == f"first {row.number}, second {row.number}, {row.number}", row
    print(row.number, flush=True)
"""


@pytest.mark.slow
@pytest.mark.parametrize("url", ["sqlite:///{}/s.db", "duckdb:///{}/s.duckdb"])
def test_a_driver_that_was_killed_is_started_again_and_does_the_rest(url, tmp_path):
    url, log, rows = url.format(tmp_path), tmp_path / "calls", 60
    command = [sys.executable, "-c", DRIVER, url, str(log), str(rows)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as driver:
        over = [int(driver.stdout.readline()) for _ in range(10)]
        driver.kill()
        over += [int(line) for line in driver.stdout if line.endswith("\n")]
    storage = open_storage(url)
    kept = {name for (name,) in storage.read("SELECT session_id FROM run_log WHERE phase = 'end'")}
    assert len(kept) >= len(over)
    made = Counter(log.read_text().split("\n"))
    finished = storage.sql("SELECT count(*) AS n FROM steps WHERE kind = 'request'")["n"][0]
    subprocess.run(command, check=True, capture_output=True, timeout=60)
    of_rows = "workflow = 'Twice' AND phase = 'end' AND status = 'completed'"
    ended = storage.read(f"SELECT session_id, count(*) FROM run_log WHERE {of_rows} GROUP BY 1")
    assert len(ended) == rows
    assert {count for _, count in ended} == {1}
    assert storage.read("SELECT DISTINCT run_id FROM runs WHERE status = 'running' AND workflow = 'Twice'") == []
    calls = Counter(log.read_text().split("\n"))
    again = sum(calls[call] > made[call] for call in made if call)
    assert again <= sum(made.values()) - finished - 1  # only what was asked for and not yet kept when it was killed


def test_ten_thousand_rows_are_ten_thousand_runs():
    class Echo(Workflow):
        def run(self, n):
            return f"{n}"

    storage = open_storage("memory:")
    rows = Echo(storage=storage).map(range(10_000)).result()
    assert [row.content for row in rows] == [f"{n}" for n in range(10_000)]
    counted = "SELECT count(*), count(DISTINCT session_id) FROM run_log WHERE phase = 'end' AND workflow = 'Echo'"
    assert storage.read(counted) == [(10_000, 10_000)]
    again = Echo(storage=storage).map(range(10_000))
    assert all(row.hit for row in again)


def test_who_leaves_the_loop_that_began_it_ends_it():
    class Echo(Workflow):
        def run(self, n):
            return f"{n}"

    for began, over in ((lambda sweep: sweep, {"stopped"}), (lambda sweep: sweep.start(), {"running", "completed"})):
        sweep = began(Echo(storage="memory:").map(range(3000), limit=1))
        for _ in sweep:
            break
        assert sweep.status in over
        assert sweep.wait()


def test_branches_in_rows_are_those_of_their_row():
    class Branching(Workflow):
        def run(self, n):
            yield from parallel(iter([f"a{n}"]), iter([f"b{n}"]), limit=2)
            self.session_state["n"] = n

    storage = open_storage("memory:")
    rows = Branching(storage=storage).map(range(30)).result()
    assert {tuple(sorted(row.content[i : i + len(row.content) // 2] for i in (0, len(row.content) // 2))) for row in rows} == {
        (f"a{n}", f"b{n}") for n in range(30)
    }
    assert {storage.session(row.session_id).state["n"] for row in rows} == {*range(30)}
    lanes = storage.read("SELECT run_id, count(DISTINCT lane) FROM event_log WHERE lane IS NOT NULL GROUP BY run_id")
    assert len(lanes) == 30
    assert {count for _, count in lanes} == {2}


FULL = """
import resource, sys
from wf_notebook import Workflow
from wf_notebook.errors import StorageFailed

class Long(Workflow):
    def run(self, n: int):
        return str(n) * 2000

def sweep():
    return Long(storage=sys.argv[1], session_id="long").map(range(400))

sweep().workflow.storage.session("made").save()
soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[2]), hard))
filled = sweep()
try:
    filled.result()
except StorageFailed as error:
    print(type(error).__name__)
print(filled.status, len(filled.rows) < 400)
print(filled.reason.partition(":")[0], "; StorageFailed: " in repr(filled))
resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
kept = len(filled.rows)
rest = sweep()
print(len(rest.result()), rest.progress.hits == kept)
paid = len(filled.result())  # what was done, and could not be kept then
print(filled.reason)
print(paid > kept, filled.workflow.storage.read("SELECT max(n) FROM (SELECT count(*) AS n FROM run_log GROUP BY run_id, phase)"))
"""


@pytest.mark.parametrize(("url", "limit"), [("sqlite:///{}/s.db", 700_000), ("duckdb:///{}/s.duckdb", 700_000)])
def test_a_full_disk_ends_the_sweep_and_what_was_kept_is_there(url, limit, tmp_path):
    done = subprocess.run(
        [sys.executable, "-c", FULL, url.format(tmp_path), str(limit)], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.stdout.splitlines() == [
        "StorageFailed",
        "failed True",
        "StorageFailed True",
        "400 True",
        "None",
        "True [(1,)]",
    ], done.stderr


def test_an_interrupt_ends_it_and_keeps_what_is_done(tmp_path):
    code = """
import signal, sys, threading
from wf_notebook import Workflow

class Slow(Workflow):
    def run(self, n: int):
        if n > 20:
            threading.Event().wait(0.2)
        return f"{n}"

sweep = Slow(storage=sys.argv[1]).map(range(1000))
try:
    for row in sweep:
        if row.number == 20:
            signal.raise_signal(signal.SIGINT)
except KeyboardInterrupt:
    print(sweep.status, sweep.progress.done >= 20, sweep.progress.over < 1000)
"""
    began = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-c", code, f"sqlite:///{tmp_path}/s.db"], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.stdout == "stopped True True\n", done.stderr
    assert time.monotonic() - began < 30
    storage = open_storage(f"sqlite:///{tmp_path}/s.db")
    assert storage.read("SELECT count(*) FROM run_log WHERE phase = 'end' AND status = 'completed'")[0][0] >= 20
    assert storage.read("SELECT DISTINCT status FROM runs WHERE status NOT IN ('completed', 'stopped')") == []
