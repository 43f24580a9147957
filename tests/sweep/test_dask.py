"""Dask does the rows of a sweep: on a real cluster of worker processes, some of which die."""

from __future__ import annotations

import os
import signal
import socket
import sys
import threading
from pathlib import Path

import cloudpickle
import dask
import pytest
from distributed import Client, LocalCluster

from wf_notebook import Agent, Workflow, open_storage, step
from wf_notebook.errors import WorkersLost
from wf_notebook.sweep.remote import shift
from wf_notebook.testing import scripted

cloudpickle.register_pickle_by_value(sys.modules[__name__])


@pytest.fixture(scope="module")
def client():
    with (
        LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address="127.0.0.1:0", host="127.0.0.1") as cluster,
        Client(cluster) as client,
    ):
        yield client


def counted(folder, what):
    """Note that something was done, for all processes to see."""
    with (Path(folder) / what).open("a") as file:
        file.write("x")


def test_the_workers_of_a_cluster_do_the_rows(client, tmp_path):
    class Blog(Workflow):
        writer = Agent(model=scripted(*["a post"] * 50))

        def run(self, topic: str):
            self.session_state["pid"] = os.getpid()
            yield from self.writer.run(topic, stream=True)

    storage = open_storage(f"duckdb:///{tmp_path}/s.duckdb")
    sweep = Blog(storage=storage).map([f"{n}" for n in range(30)], executor=client)
    assert [row.content for row in sweep.result()] == ["a post"] * 30
    pids = {storage.session(row.session_id).state["pid"] for row in sweep.rows}
    assert len(pids) == 2
    assert os.getpid() not in pids
    assert sweep.progress.tokens == sum(row.input_tokens + row.output_tokens for row in sweep.rows) > 0
    assert len(storage.runs()) == 30


@pytest.mark.parametrize("kind", ["duckdb:///s.duckdb", pytest.param("postgres", marks=pytest.mark.postgres)])
def test_a_worker_that_dies_costs_no_finished_call_of_a_model(kind, client, tmp_path, place):
    class Blog(Workflow):
        @step
        def dear(self, n):
            counted(tmp_path, f"dear-{n}")
            return n

        def run(self, n: int):
            value = self.dear(n)
            counted(tmp_path, f"row-{n}")
            if n in {3, 11} and (tmp_path / f"row-{n}").stat().st_size == 1:
                os.kill(os.getpid(), signal.SIGKILL)
            return f"{value}"

    storage = open_storage(place(kind))
    rows = Blog(storage=storage).map(range(20), executor=client).result()
    assert [row.content for row in rows] == [f"{n}" for n in range(20)]
    assert [(tmp_path / f"dear-{n}").read_text() for n in range(20)] == ["x"] * 20
    again = {n for n in range(20) if (tmp_path / f"row-{n}").read_text() != "x"}
    assert again >= {3, 11}  # a worker that writes by itself may die with rows that it has not saved yet
    assert len(again) < 20
    kept = storage.sql("SELECT session_id, status, count(*) AS n FROM runs WHERE workflow = 'Blog' GROUP BY 1, 2").df()
    assert sorted(kept[kept.status == "completed"].n) == [1] * 20
    assert kept[kept.status != "completed"].status.tolist() == ["lost"] * len(again)


def test_a_worker_that_comes_when_the_sweep_is_over_has_done_nothing_wrong(client):
    with socket.create_server(("127.0.0.1", 0)) as door:
        over = door.getsockname()[1]
    said = client.submit(shift, "127.0.0.1", over, b"secret", 1, pure=False).result()
    assert said.startswith(f"a worker cannot reach the process of the sweep at 127.0.0.1:{over}")
    logs = [line for lines in client.get_worker_logs().values() for _, line in lines]
    assert not [line for line in logs if "Compute Failed" in line]


class Deadly(Workflow):
    def run(self, n: int, log: str):
        with Path(log).open("a") as file:
            file.write(f"{n}")
        if n == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return f"{n}"


def test_a_row_that_kills_each_worker_has_its_turn_last_and_is_failed_in_the_end(client, tmp_path):
    with dask.config.set({"distributed.scheduler.allowed-failures": 1}):
        rows = Deadly(storage="memory:").map([0, 1, 2], executor=client, limit=1, log=f"{tmp_path}/log").result()
    assert (tmp_path / "log").read_text() == "0120"
    assert [row.status for row in rows] == ["failed", "completed", "completed"]
    why = "row 0 was at work when its process died, 2 times; the log of the worker may say why"
    assert (rows[0].error, type(rows[0].exception)) == (f"WorkersLost: {why}", WorkersLost)


def test_where_all_workers_are_gone_the_sweep_says_so_and_ends(monkeypatch, tmp_path):
    monkeypatch.setattr("wf_notebook.sweep.dask.SAID", 0.0)
    said = []
    with (
        dask.config.set({"distributed.deploy.lost-worker-timeout": "1 ms"}),
        LocalCluster(n_workers=1, threads_per_worker=1, dashboard_address="127.0.0.1:0", host="127.0.0.1") as cluster,
        Client(cluster) as client,
    ):
        sweep = Deadly(storage="memory:").map([0, 1], executor=client, limit=1, log=f"{tmp_path}/log").start()
        while not said:
            sweep.wait(0.01)
            said = [sweep.progress] if sweep.progress.waits else []
        monkeypatch.setattr("wf_notebook.sweep.dask.LET_GO", 0.0)
        gone = r"all workers of Dask are gone, .* is done is kept: .*; row 0 was at work when a process died, and may be why"
        with pytest.raises(WorkersLost, match=gone):
            sweep.result()
    assert str(said[0]).endswith("of 2 rows, waits for a worker: none is there")
    assert sweep.progress.waits is None


def test_a_client_that_was_closed_is_said_in_one_line(client):
    class Echo(Workflow):
        def run(self, n: int):
            while n:
                threading.Event().wait(0.01)
            return f"{n}"

    mine = Client(client.scheduler.address)
    sweep = Echo(storage="memory:").map(range(100), executor=mine)
    rows = iter(sweep)
    assert next(rows).content == "0"
    mine.close()
    with pytest.raises(WorkersLost, match="this client of Dask is closed, or its cluster; what is done is kept"):
        sweep.result()
    again = Echo(storage="memory:").map([0], executor=mine)
    with pytest.raises(WorkersLost, match="this client of Dask is closed, or its cluster; what is done is kept"):
        again.result()
    assert (sweep.status, again.status) == ("failed", "failed")
