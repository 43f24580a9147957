"""Rows that are done by executors: threads in this process, and processes that write nothing themselves."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import sys
import threading
import time
from concurrent.futures import Executor, ProcessPoolExecutor, ThreadPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path

import cloudpickle
import pytest
from pydantic import BaseModel
from pydantic_ai import ModelResponse, RequestUsage, TextPart
from pydantic_ai.models.function import FunctionModel

from wf_notebook import Agent, Workflow, open_storage, prices, step
from wf_notebook.errors import BadRows, BadSetting, StorageBusy, Unshippable, WorkersLost
from wf_notebook.storage import SqliteWorkflowStorage
from wf_notebook.sweep import remote
from wf_notebook.testing import scripted

from .reading import Reading

cloudpickle.register_pickle_by_value(sys.modules[__name__])


@pytest.fixture(scope="module")
def pool():
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as executor:
        yield executor


class Double(Workflow):
    def run(self, n: int):
        self.session_state["pid"] = os.getpid()
        return f"{2 * n}"


@dataclass
class Note:
    text: str


class Noted(BaseModel):
    text: str


def test_the_threads_of_an_executor_do_rows_in_this_process():
    with ThreadPoolExecutor(2, thread_name_prefix="mine") as executor:

        class Named(Workflow):
            def run(self, n: int):
                return f"{n} in {threading.current_thread().name.partition('_')[0]}"

        sweep = Named(storage="memory:").map([1, 2, 3], executor=executor)
        assert [row.content for row in sweep.result()] == ["1 in mine", "2 in mine", "3 in mine"]


def test_an_executor_that_was_shut_down_is_said_in_one_line_and_the_sweep_has_failed():
    executor = ThreadPoolExecutor(2)
    executor.shutdown()
    sweep = Double(storage="memory:").map([1, 2], executor=executor)
    for _ in range(2):
        with pytest.raises(WorkersLost, match=r"the executor does nothing any more .*: make a new one, and map again"):
            sweep.result()
    sweep.stop()
    assert (sweep.status, sweep.rows) == ("failed", ())


def test_an_executor_that_takes_back_its_threads_ends_the_sweep():
    gate = threading.Event()
    executor = ThreadPoolExecutor(1)
    executor.submit(gate.wait, 30)
    sweep = Double(storage="memory:").map([1, 2], executor=executor).start()
    executor.shutdown(wait=False, cancel_futures=True)
    gate.set()
    assert sweep.wait(30)
    assert str(sweep.error).startswith("the executor was shut down; what is done is kept")


@pytest.mark.parametrize("kind", ["memory:", "sqlite:///{}/s.db", "duckdb:///{}/s.duckdb"])
def test_processes_do_the_rows_and_this_one_writes_them(kind, pool, tmp_path):
    storage = open_storage(kind.format(tmp_path))
    sweep = Double(storage=storage).map(range(40), executor=pool)
    assert [row.content for row in sweep.result()] == [f"{2 * n}" for n in range(40)]
    pids = {storage.session(row.session_id).state["pid"] for row in sweep.rows}
    assert pids <= {process.pid for process in pool._processes.values()}
    assert [storage.run(row.run_id).content for row in sweep.rows] == [row.content for row in sweep.rows]
    again = Double(storage=storage).map(range(41))
    assert sum(row.hit for row in again.result()) == 40


def test_what_is_in_no_module_comes_back_as_what_it_was(pool):
    class Noting(Workflow):
        def run(self, note: Note):
            if note.text == "b":
                raise LookupError(note.text)
            return Noted(text=note.text.upper())

    storage = open_storage("memory:")
    good, bad = Noting(storage=storage).map([{"note": Note("a")}, {"note": Note("b")}], executor=pool).result()
    assert (good.content, good.given, good.error) == (Noted(text="A"), {"note": Note("a")}, None)
    assert (bad.status, bad.error, type(bad.exception)) == ("failed", "LookupError: b", LookupError)
    assert Noting(storage=storage).map([{"note": Note("a")}]).result()[0].content == Noted(text="A")


def test_rows_before_one_that_cannot_be_read_are_done_by_processes_too(pool):
    def pages():
        yield from range(12)
        raise LookupError("page 3 is gone")

    sweep = Double(storage="memory:").map(pages(), executor=pool)
    with pytest.raises(BadRows, match=r"row 12 could not be read \(LookupError: page 3 is gone\)"):
        sweep.result()
    assert [row.content for row in sweep.rows] == [f"{2 * n}" for n in range(12)]


def test_steps_that_are_done_in_another_process_are_found_there_again(pool):
    class Half(Workflow):
        fails = True

        @step
        def dear(self, n):
            return n

        def run(self, n: int):
            value = self.dear(n)
            if self.fails:
                raise RuntimeError("the second half fails")
            return f"{value}"

    storage = open_storage("memory:")
    assert [row.status for row in Half(storage=storage).map([1, 2], executor=pool).result()] == ["failed", "failed"]
    Half.fails = False
    assert [row.content for row in Half(storage=storage).map([1, 2], executor=pool).result()] == ["1", "2"]
    assert storage.sql("SELECT count(*) AS done FROM steps WHERE name = 'dear'")["done"] == [2]


@pytest.mark.parametrize(
    ("attribute", "said"),
    [
        (
            threading.Lock,
            "Blog.held cannot be shipped to other processes (TypeError: cannot pickle '_thread.lock' object",
        ),
        (Path(os.devnull).open, "Blog.held cannot be shipped to other processes (TypeError: cannot pickle an open file"),
    ],
)
def test_what_cannot_be_shipped_is_named_before_anything_runs(attribute, said, pool):
    class Blog(Workflow):
        def run(self, n: int):
            return f"{n}"

    blog = Blog()
    blog.held = attribute()
    with pytest.raises(Unshippable) as refusal:
        blog.map([1], executor=pool)
    assert str(refusal.value).startswith(said)
    getattr(blog.held, "close", lambda: None)()


def test_a_row_that_cannot_be_shipped_is_failed_and_the_others_go_on(pool):
    class Any(Workflow):
        def run(self, x):
            return f"{x}"

    rows = Any(storage="memory:").map([{"x": 1}, {"x": threading.Lock()}, {"x": 3}], executor=pool, limit=1).result()
    assert [(row.content, row.status) for row in rows] == [("1", "completed"), (None, "failed"), ("3", "completed")]
    why = "TypeError: cannot pickle '_thread.lock' object"
    assert rows[1].error.startswith(f"Unshippable: row 1 cannot be shipped to other processes ({why}); give what it is made of")


def test_what_is_no_executor_is_refused(pool):
    with pytest.raises(BadSetting, match=r"executor= is of type 'int'; give a concurrent\.futures\.Executor"):
        Double().map([1], executor=4)
    with pytest.raises(BadSetting, match="session='one' is the state of one process"):
        Double().map([1], executor=pool, session="one")


def test_a_budget_is_that_of_the_sweep_in_whatever_process_it_is_spent(pool):
    class Blog(Workflow):
        writer = Agent(model=scripted(*["a post"] * 10))

        def run(self, topic: str):
            return self.writer.run(topic)

    sweep = Blog(storage="memory:").map([f"{n}" for n in range(10)], executor=pool, limit=1, max_tokens=150)
    rows = sweep.result()
    assert (sweep.status, "tokens spent" in sweep.reason) == ("stopped", True)
    assert sweep.progress.tokens == sum(row.input_tokens + row.output_tokens for row in rows) > 150
    assert len(rows) < 6


class Asking(Workflow):
    """Asks a model whose price nobody knows, in a process that notes each request in a folder."""

    def run(self, n: int, folder: str):
        script = scripted(*["a post"] * 10)

        def ask(messages, info):
            Path(folder, f"{n}-{os.getpid()}").touch()
            return script.function(messages, info)

        return Agent(FunctionModel(ask, model_name="our-model")).run(f"{n}")


class Around(Workflow):
    """Sweeps inside a run that has a budget."""

    made = Asking

    def run(self, rows, executor):
        self.sweep = self.made().map(rows, executor=executor, limit=1)
        self.sweep.result()
        return "done"


def test_a_model_without_a_price_that_is_known_here_is_asked_in_no_other_process(pool, tmp_path, monkeypatch):
    monkeypatch.setattr(prices, "_unknown", {"our-model"})
    rows = [{"n": n, "folder": f"{tmp_path}"} for n in range(3)]
    sweep = Asking().map(rows, executor=pool, limit=1, max_cost=1.0)
    sweep.result()
    around = Around(max_cost=1.0)
    around.run(rows=rows, executor=pool)
    for ended in (sweep, around.sweep):
        assert ended.status == "stopped"
        assert ended.reason.startswith("max_cost=$1 cannot be kept to, as the price of 'our-model' is not known")
    assert [*tmp_path.iterdir()] == []


class Cut(Workflow):
    """Asks a model that is cut off at once, in a process that notes each request in a folder."""

    def run(self, n: int, folder: str):
        def ask(*_):
            Path(folder, f"{n}").touch()
            return ModelResponse([TextPart("a")], usage=RequestUsage(output_tokens=1), finish_reason="length")

        return Agent(FunctionModel(ask, model_name="test")).run(f"{n}")


class AroundCut(Around):
    made = Cut


def test_an_answer_that_is_cut_at_a_budget_around_the_sweep_spends_that_budget(pool, tmp_path):
    around = AroundCut(max_tokens=200)
    around.run(rows=[{"n": n, "folder": f"{tmp_path}"} for n in range(5)], executor=pool)
    assert (around.sweep.status, around.sweep.reason.partition(" (")[0]) == ("stopped", "budget of 200 tokens spent")
    assert [each.name for each in tmp_path.iterdir()] == ["0"]


def test_a_row_that_never_returns_is_failed_and_the_others_go_on(pool):
    class Stuck(Workflow):
        def run(self, n: int):
            while n == 0:
                time.sleep(0.01)
            return f"{n}"

    storage = open_storage("memory:")
    rows = Stuck(storage=storage).map([0, 1, 2], executor=pool, timeout=0.3).result()
    assert [row.status for row in rows] == ["failed", "completed", "completed"]
    assert rows[0].error == "RowTimeout: row 0 took longer than 0.3 s"
    assert storage.run(rows[0].run_id).status == "failed"


def test_stop_ends_rows_in_other_processes_and_keeps_what_is_done(pool):
    class Slow(Workflow):
        async def arun(self, n: int):
            await asyncio.sleep(0 if n < 3 else 60)
            return f"{n}"

    storage = open_storage("memory:")
    sweep = Slow(storage=storage).map(range(10), executor=pool)
    for _ in sweep:
        if sweep.progress.done == 3:
            sweep.stop()
    assert sweep.status == "stopped"
    assert {row.number for row in sweep.rows if row.status == "completed"} == {0, 1, 2}
    assert sweep.progress.seconds < 20
    assert storage.sql("SELECT count(*) AS open FROM runs WHERE status = 'running'")["open"] == [0]


def test_a_process_that_dies_breaks_its_pool_and_the_next_sweep_goes_on(tmp_path):
    class Dying(Workflow):
        def run(self, n: int, flag: str):
            if n == 5 and not Path(flag).exists():
                Path(flag).touch()
                os.kill(os.getpid(), signal.SIGKILL)
            return f"{n}"

    storage, flag = open_storage("memory:"), str(tmp_path / "flag")
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as executor:
        sweep = Dying(storage=storage).map(range(10), executor=executor, flag=flag)
        gone = r"the executor does nothing any more .* is done is kept.*; row 5 was at work when a process died, and may be why"
        with pytest.raises(WorkersLost, match=gone):
            sweep.result()
    assert (sweep.status, [row.content for row in sweep.rows]) == ("failed", ["0", "1", "2", "3", "4"])
    assert sweep.reason == f"WorkersLost: {sweep.error}"
    assert repr(sweep) == f"<Sweep failed: Dying, 5 of 10 rows; {sweep.reason}>"
    rest = Dying(storage=storage).map(range(10), flag=flag)
    assert [(row.content, row.hit, row.error) for row in rest.result()] == [(f"{n}", n < 5, None) for n in range(10)]


def test_processes_write_to_a_store_that_they_reach_by_themselves(pool, tmp_path, monkeypatch):
    """As with Postgres: here the store is a file, and the process of the sweep does not write to it."""
    monkeypatch.setattr("wf_notebook.sweep.remote.SHARED", ("sqlite:",))

    class Storage(Reading, SqliteWorkflowStorage):
        pass

    storage = Storage(db_file=tmp_path / "s.db")
    rows = Double(storage=storage).map(range(20), executor=pool).result()
    assert [(row.content, row.given) for row in rows] == [(f"{2 * n}", {"n": n}) for n in range(20)]
    assert [storage.run(row.run_id).content for row in rows] == [row.content for row in rows]
    again = Double(storage=storage).map(range(21), executor=pool).result()
    assert [row.hit for row in again] == [True] * 20 + [False]


class Threads(Executor):
    """An executor of whose threads nobody knows that they are of this process."""

    def __init__(self, pool):
        self._pool = pool

    def submit(self, work, /, *given, **named):
        return self._pool.submit(work, *given, **named)


class Walled(Threads):
    """An executor whose workers cannot reach the process of the sweep: nothing listens where they ask."""

    def submit(self, work, host, port, *given):
        with socket.create_server((host, 0)) as door:
            nowhere = door.getsockname()[1]
        return super().submit(work, host, nowhere, *given)


def test_workers_that_cannot_reach_the_sweep_end_it_in_one_line_with_a_remedy():
    with ThreadPoolExecutor(1) as pool:
        sweep = Double(storage="memory:").map([1, 2], executor=Walled(pool))
        with pytest.raises(WorkersLost, match=r"a worker cannot reach the process of the sweep at .*; set WF_SWEEP_HOST to"):
            sweep.result()
    assert (sweep.status, sweep.rows) == ("failed", ())


def test_a_lost_row_that_cannot_be_looked_up_fails_the_sweep(tmp_path):
    class Storage(SqliteWorkflowStorage):
        def finished(self, session_ids, kind):
            if (tmp_path / "away").exists():
                raise StorageBusy("the server is away")
            return super().finished(session_ids, kind)

    class Cut(Workflow):
        def run(self, n: int, away: str):
            if n == 3:
                Path(away).touch()
                for link in list(remote._links.values()):
                    link.wire.sever()
            return f"{n}"

    with ThreadPoolExecutor(1) as pool:
        sweep = Cut(storage=Storage(db_file=tmp_path / "s.db")).map(
            range(10), executor=Threads(pool), away=str(tmp_path / "away")
        )
        assert sweep.wait(30)
        with pytest.raises(StorageBusy, match="the server is away"):
            sweep.result()
    assert [row.content for row in sweep.rows] == ["0", "1", "2"]


CELL = """
from dataclasses import dataclass
from wf_notebook import Agent, Workflow, open_storage, prices, step
from wf_notebook.testing import scripted

@dataclass
class Note:
    text: str

def shout(text):
    return text.upper()

class Blog(Workflow):
    fails = False
    writer = Agent(scripted(*["a post"] * 10))

    @step
    def dear(self, note):
        self.writer.run("write")
        return Note(shout(note.text))

    def run(self, note: Note):
        self.session_state["note"] = self.dear(note)
        if self.fails:
            raise RuntimeError("after the step")
        return self.session_state["note"].text

storage = open_storage("memory:")
"""


def test_a_workflow_of_a_cell_is_shipped_and_its_steps_are_the_same_everywhere(pool, shell):
    shell.push({"pool": pool})
    shell.run_cell(CELL).raise_error()
    shell.run_cell(
        "Blog.fails = True; first = Blog(storage=storage).map([{'note': Note('a')}], executor=pool).result()"
    ).raise_error()
    assert [row.error for row in shell.user_ns["first"]] == ["RuntimeError: after the step"]
    shell.run_cell("Blog.fails = False; second = Blog(storage=storage).map([{'note': Note('a')}]).result()").raise_error()
    shell.run_cell("blog = Blog(cache='use'); blog.run(Note('c')); blog.storage = storage").raise_error()
    shell.run_cell("third = blog.map([{'note': Note('b')}], executor=pool).result()").raise_error()
    assert [shell.user_ns[name][0].content for name in ("second", "third")] == ["A", "B"]
    storage, note = shell.user_ns["storage"], shell.user_ns["Note"]
    assert storage.sql("SELECT count(*) AS done FROM steps WHERE name = 'dear'")["done"] == [2]
    assert storage.session(shell.user_ns["third"][0].session_id).state == {"note": note("B")}
