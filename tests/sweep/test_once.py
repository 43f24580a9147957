"""A row that several processes map at once is done by one of them, and has one final record, whoever dies when."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from multiprocessing import get_context
from pathlib import Path

import pytest

from wf_notebook import Workflow, open_storage
from wf_notebook.sweep.doing import Doing
from wf_notebook.sweep.keeping import Keeper
from wf_notebook.sweep.session import MEANWHILE, RowSession
from wf_notebook.sweep.tasks import Recall, Task
from wf_notebook.swept.said import going
from wf_notebook.transaction import About, Records

KINDS = ["sqlite:///{}/s.db", "duckdb:///{}/s.duckdb", pytest.param("postgres", marks=pytest.mark.postgres)]
ROWS = 40


class Counted(Workflow):
    """Writes down which rows it does, and in which process."""

    def run(self, n: int, folder: str):
        with (Path(folder) / "done.txt").open("a") as file:
            file.write(f"{n} {os.getpid()}\n")
        threading.Event().wait(None if os.environ.get("ROW_THAT_NEVER_ENDS") == f"{n}" else 0.01)
        self.session_state.setdefault("seen", []).append(n)
        return f"{n}"


def two_are(doing_what, folder):
    """Say that this process is doing that, and wait until two are."""
    (Path(folder) / f"{doing_what}-{os.getpid()}").touch()
    while len(list(Path(folder).glob(f"{doing_what}-*"))) < 2:
        threading.Event().wait(0.01)


class Together(Counted):
    """Ends no row before two processes have begun one."""

    def run(self, n: int, folder: str):
        two_are("at-work", folder)
        return super().run(n, folder)


def swept(url, folder, workflow=Counted):
    """Map the rows as soon as another process is about to, too; return what came of each."""
    two_are("ready", folder)
    rows = workflow(storage=url, session_id="counted").map(range(ROWS), limit=4, folder=folder).result()
    return [(row.content, row.status, row.run_id, row.hit) for row in rows]


def done(folder):
    return [line.split() for line in (Path(folder) / "done.txt").read_text().splitlines()]


def final_records(storage):
    """Return how many runs completed, of how many sessions, and how many marks there are."""
    completed = "phase = 'end' AND status = 'completed' AND workflow NOT LIKE ?"
    runs = storage.read(f"SELECT count(*), count(DISTINCT session_id) FROM run_log WHERE {completed}", ("%.map",))
    return (*runs[0], storage.read("SELECT count(*) FROM step_log WHERE kind = 'row' AND op = 'done'")[0][0])


@pytest.fixture(scope="module")
def two():
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as executor:
        yield executor


@pytest.mark.parametrize("kind", KINDS)
def test_two_processes_share_the_rows_and_each_is_done_once(kind, two, tmp_path, place):
    url, folder = place(kind).format(tmp_path), str(tmp_path)
    both = [sweep.result() for sweep in [two.submit(swept, url, folder, Together) for _ in range(2)]]
    for rows in both:
        assert [row[:2] for row in rows] == [(f"{n}", "completed") for n in range(ROWS)]
    assert [row[2] for row in both[0]] == [row[2] for row in both[1]]
    assert sorted(int(n) for n, _ in done(folder)) == [*range(ROWS)]
    assert len({pid for _, pid in done(folder)}) == 2
    assert final_records(open_storage(url)) == (ROWS, ROWS, ROWS)


@contextmanager
def another_that_never_ends(row, url, folder):
    """Let another process map the rows, and never end one of them."""
    code = "import sys, test_once; test_once.swept(*sys.argv[1:])"
    paths = os.pathsep.join([path or "." for path in (str(Path(__file__).parent), *sys.path)])
    env = {**os.environ, "PYTHONPATH": paths, "ROW_THAT_NEVER_ENDS": f"{row}"}
    (Path(folder) / "ready-here").touch()
    process = subprocess.Popen([sys.executable, "-c", code, url, folder], env=env)
    try:
        while not (Path(folder) / "done.txt").exists() or [f"{row}", f"{process.pid}"] not in done(folder):
            assert process.poll() is None
            threading.Event().wait(0.01)
        yield process
    finally:
        process.kill()
        process.wait()


@pytest.mark.parametrize("kind", [KINDS[0], KINDS[2]])
def test_the_row_of_a_process_that_is_killed_is_done_by_who_waited_for_it(kind, tmp_path, place):
    url, folder = place(kind).format(tmp_path), str(tmp_path)
    with another_that_never_ends(3, url, folder) as process:
        sweep = Counted(storage=url, session_id="counted").map(range(ROWS), limit=4, folder=folder).start()
        rows = [row for _, row in zip(range(ROWS - 1), sweep, strict=False)]
        assert (3 not in {row.number for row in rows}, sweep.wait(0.2)) == (True, False)
        process.send_signal(signal.SIGKILL)
        assert [row.content for row in sweep.result()] == [f"{n}" for n in range(ROWS)]
    assert sorted(int(n) for n, _ in done(folder)) == sorted([*range(ROWS), 3])
    assert final_records(open_storage(url)) == (ROWS, ROWS, ROWS)


class Gated(Workflow):
    """Row 0 ends when there is a file "open", and fails where there is a file "fails" at its beginning."""

    def run(self, n: int, folder: str):
        fails = (Path(folder) / "fails").exists()
        with (Path(folder) / "done.txt").open("a") as file:
            file.write(f"begin {n}\n")
        while n == 0 and not (Path(folder) / "open").exists():
            threading.Event().wait(0.005)
        with (Path(folder) / "done.txt").open("a") as file:
            file.write(f"end {n}\n")
        if n == 0 and fails:
            raise RuntimeError("not this time")
        return f"{n}"


def until(is_so):
    while not is_so():
        threading.Event().wait(0.005)


@pytest.fixture
def waiting(tmp_path):
    """Return what maps four rows twice at once, so that the second sweep waits for a row of the first one."""

    def begin(url="memory:", **settings):
        storage, folder = open_storage(url), str(tmp_path)
        first = Gated(storage=storage, session_id="gated").map(range(4), folder=folder, **settings).start()
        until(lambda: (tmp_path / "done.txt").exists() and ["begin", "0"] in done(folder))
        (tmp_path / "fails").unlink(missing_ok=True)
        second = Gated(storage=storage, session_id="gated").map(range(4), folder=folder, **settings).start()
        until(lambda: second.progress.over == 3)
        assert (second.wait(0.1), second.progress.running) == (False, 0)
        return first, second

    yield begin
    (tmp_path / "open").touch()


def test_a_stop_ends_a_sweep_at_once_that_waits_for_a_row_of_another(waiting, tmp_path):
    first, second = waiting()
    second.stop()
    assert (second.wait(5), second.status, [row.number for row in second.rows]) == (True, "stopped", [1, 2, 3])
    (tmp_path / "open").touch()
    assert [row.content for row in first.result()] == ["0", "1", "2", "3"]


def test_a_sweep_that_only_waits_for_a_row_of_another_says_so(waiting, tmp_path):
    first, second = waiting()
    until(lambda: second.progress.elsewhere == 1)
    assert (first.progress.elsewhere, going(second.progress)[:3]) == (
        0,
        ["3 of 4 rows", "3 from the store", "1 goes on in another sweep"],
    )
    (tmp_path / "open").touch()
    second.result()
    assert second.progress.elsewhere == 0


def test_a_row_that_failed_elsewhere_while_it_was_waited_for_is_done_here(waiting, tmp_path):
    (tmp_path / "fails").touch()
    first, second = waiting()
    (tmp_path / "open").touch()
    assert [row.status for row in first.result()] == ["failed", *["completed"] * 3]
    assert next((row.content, row.hit) for row in second.result()) == ("0", False)
    assert done(tmp_path).count(["begin", "0"]) == 2


def test_a_row_that_is_done_elsewhere_while_it_is_waited_for_is_a_hit(waiting, tmp_path):
    first, second = waiting()
    (tmp_path / "open").touch()
    assert next((row.content, row.run_id, row.hit) for row in second.result()) == ("0", first.result()[0].run_id, True)
    assert done(tmp_path).count(["begin", "0"]) == 1


@pytest.mark.parametrize("kind", ["memory:", *KINDS])
def test_a_row_that_was_done_elsewhere_since_it_was_looked_up_is_a_hit(kind, waiting, tmp_path, place):
    first, second = waiting(place(kind).format(tmp_path), limit=1)
    (tmp_path / "open").touch()
    assert [row.hit for row in first.result()] == [False, True, True, True]
    assert [row.hit for row in second.result()] == [True, False, False, False]
    assert sorted(n for what, n in done(tmp_path) if what == "begin") == ["0", "1", "2", "3"]


def test_who_asks_for_all_anew_does_them_but_not_while_another_does(waiting, tmp_path):
    first, second = waiting(cache="refresh")
    (tmp_path / "open").touch()
    assert [row.hit for sweep in (first, second) for row in sweep.result()] == [False] * 8
    assert [what for what, n in done(tmp_path) if n == "0"] == ["begin", "end"] * 2


@pytest.mark.parametrize("kind", KINDS)
def test_the_processes_of_two_sweeps_do_each_row_once(kind, two, tmp_path, place):
    url, folder = place(kind).format(tmp_path), str(tmp_path)
    sweeps = [Counted(storage=url, session_id="counted").map(range(20), executor=two, folder=folder).start() for _ in range(2)]
    for sweep in sweeps:
        assert [row.content for row in sweep.result()] == [f"{n}" for n in range(20)]
    assert sorted(int(n) for n, _ in done(folder)) == [*range(20)]
    assert final_records(open_storage(url)) == (20, 20, 20)


# -- who had died, and writes ------------------------------------------------------------------------------------------------


class Attempt:
    """Somebody who does rows, and has not saved them yet."""

    def __init__(self, storage, folder, numbers):
        self.rows, self.storage = [], storage
        doing = Doing(Counted(storage=storage, session_id="counted"), cache="use", shared=None)
        recall = Recall(storage, uses=True)
        self.keeper = Keeper(storage, self.rows.extend, self.rows.append)
        self.saves = []
        tasks = [Task(n, {}, {"n": n, "folder": folder}, f"counted/row-{n}", f"key-{n}") for n in numbers]
        for task in recall.looked_up(tasks):
            workflow = doing.workflow(task)
            row = doing.done(task, workflow)
            doing.mark(workflow.session, task.key, row)
            self.saves.append((row, workflow.session))

    def saved(self):
        for row, session in self.saves:
            self.keeper.put(row, session)
        assert self.keeper.close()
        return sorted(self.rows, key=lambda row: row.number)


@pytest.mark.parametrize("kind", ["memory:", *KINDS])
@pytest.mark.parametrize("numbers", [[1], [1, 2, 3]], ids=["alone", "together"])
@pytest.mark.parametrize("was_there", [False, True])
def test_what_a_writer_saves_whose_rows_are_done_already_came_too_late(kind, numbers, was_there, tmp_path, place):
    storage, folder = open_storage(place(kind).format(tmp_path)), str(tmp_path)
    if was_there:
        for n in numbers:
            storage.session(f"counted/row-{n}").save(Records(steps=[]))
    taken_for_dead, other = (Attempt(storage, folder, numbers) for _ in range(2))
    first, late = other.saved(), taken_for_dead.saved()
    assert [(row.content, row.hit, row.status) for row in first] == [(f"{n}", False, "completed") for n in numbers]
    assert [(row.content, row.hit, row.status) for row in late] == [(f"{n}", True, "completed") for n in numbers]
    assert [row.run_id for row in late] == [row.run_id for row in first]
    assert final_records(storage) == (len(numbers), len(numbers), len(numbers))
    assert [storage.session(f"counted/row-{n}").state["seen"] for n in numbers] == [[n] for n in numbers]
    (run,) = [storage.run(row.run_id) for row, _ in taken_for_dead.saves[:1]]
    assert (run.status, run.error) == ("stopped", MEANWHILE)


def test_a_row_whose_process_died_after_it_was_kept_is_known_to_have_ended(tmp_path):
    storage, folder = open_storage("memory:"), str(tmp_path)
    (row,) = Counted(storage=storage, session_id="counted").map([1], folder=folder).result()
    task = Task(0, {"n": 1}, {"n": 1, "folder": folder}, row.session_id, None)
    key = storage.read("SELECT key FROM step_log WHERE kind = 'row'")[0][0]
    ended = Recall(storage, uses=False).ended(replace(task, key=key))
    assert (ended.done.run_id, ended.done.content) == (row.run_id, "1")
    assert Recall(storage, uses=False).ended(replace(task, key=key, past=row.run_id)).done is None


STEPPING = """
import sys
from wf_notebook import Workflow, step

@step
def outline(n):
    return f"{n}"

class Stepping(Workflow):
    def run(self, n: int):
        return outline(n)

Stepping(storage=sys.argv[1], session_id="row", cache="use").run(n=1)
"""


def test_a_row_finds_the_steps_that_others_did_between_its_beginning_and_its_first_step(tmp_path):
    storage = open_storage(f"duckdb:///{tmp_path}/s.duckdb")
    storage.session("another").rename("so that there is a file")
    row = RowSession("row", storage=storage, state={}, about=About(), is_new=True)
    storage.close()
    subprocess.run([sys.executable, "-c", STEPPING, storage.url], cwd=tmp_path, check=True, timeout=60)
    assert storage.read("SELECT count(*) FROM step_log WHERE op = 'done'") == [(1,)]
    row.steps.catch_up()
    assert [done.name for done in row.steps.all()] == ["outline"]
