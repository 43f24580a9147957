"""Workers of Dask are killed all the time during a sweep, and the process of the sweep, too."""

from __future__ import annotations

import os
import random
import signal
import socket
import subprocess
import sys
import time
from contextlib import contextmanager, suppress
from pathlib import Path

import dask
import pytest
from distributed import Client, LocalCluster

from wf_notebook import Workflow, open_storage
from wf_notebook.errors import WorkersLost

SWEEPER = Path(__file__).with_name("sweeper.py")
#: A worker is killed every few seconds, and the process of the sweep each time that so many were.
EVERY, WORKERS_A_DRIVER = (1.0, 4.0), 6
#: Rows alone: the sweep itself is a run of a session whose id ends so.
COMPLETED = (
    "SELECT session_id, count(*) AS n FROM runs WHERE status = 'completed' AND session_id NOT LIKE '%/' GROUP BY session_id"
)
#: Between two of them so many rows have asked their model, at least.
PROGRESS = 5


@pytest.mark.torture
@pytest.mark.timeout(1800)
def test_workers_and_the_driver_of_a_sweep_are_killed_all_the_time(tmp_path, torture):
    count, chance = torture.times(100, 1000), random.Random(9)
    database, calls = f"duckdb:///{tmp_path}/s.duckdb", tmp_path / "calls"
    calls.mkdir()
    kills = drivers = before = 0
    with (
        dask.config.set({"distributed.deploy.lost-worker-timeout": "1 hour"}),  # a nanny brings it back
        LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address="127.0.0.1:0", host="127.0.0.1") as cluster,
    ):
        command = [sys.executable, SWEEPER, cluster.scheduler_address, database, calls, str(count)]
        driver = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        while True:
            with suppress(subprocess.TimeoutExpired):
                said, _ = driver.communicate(timeout=chance.uniform(*EVERY))
                break
            asked = len(list(calls.iterdir()))
            if asked < before + PROGRESS:  # workers take their time to begin, where the machine is busy
                continue
            if (pid := chance.choice([*cluster.workers.values()]).pid) is not None:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
                    kills, before = kills + 1, asked
            if kills // WORKERS_A_DRIVER > drivers:
                driver.kill()
                driver.communicate()
                drivers += 1
                driver = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert driver.returncode == 0
    done, hits = map(int, said.split())
    assert done == count
    storage = open_storage(database)
    final = storage.sql(COMPLETED).df()
    assert final.n.tolist() == [1] * count
    asked = storage.sql("SELECT session_id, count(*) AS n FROM steps WHERE kind = 'request' GROUP BY session_id").df()
    assert asked.n.tolist() == [1] * count  # what was in the store was not asked for again
    made = [len((calls / f"{n}").read_text()) for n in range(count)]
    assert sum(made) - count <= kills + 2 * drivers  # those that were under way, and had not been kept
    torture.note(
        "rows of a sweep on Dask, a worker killed every 1 to 4 s, and the driver, too; lost: calls made twice that were kept",
        tried=f"{count} rows, {kills} workers, {drivers} drivers killed",
        kept=count,
    )
    assert drivers == 0 or hits > 0


@pytest.mark.torture
@pytest.mark.timeout(600)
def test_the_scheduler_of_a_cluster_is_killed_and_started_again(tmp_path, torture):
    class Row(Workflow):
        def run(self, n: int):
            time.sleep(0.02)
            return f"{n}"

    count, restarts = 600, torture.times(1, 3)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = str(free.getsockname()[1])
    address, programs = f"tcp://127.0.0.1:{port}", []

    def begin():
        for given in (("scheduler", "--port", port), *[("worker", address, "--no-nanny", "--nthreads", "1")] * 2):
            command = [sys.executable, "-m", f"distributed.cli.dask_{given[0]}", *given[1:], "--host", "127.0.0.1"]
            command += ["--no-dashboard", "--dashboard-address", "127.0.0.1:0"]
            programs.append(subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL))

    def end():
        while programs:
            process = programs.pop()
            process.kill()
            process.wait()

    begin()
    try:
        with Client(address, timeout=60) as client:
            client.wait_for_workers(2)
            storage = open_storage(f"duckdb:///{tmp_path}/s.duckdb")
            sweep, left = Row(storage=storage).map(range(count), executor=client), restarts
            for _ in sweep:
                if left and sweep.progress.done >= count // (restarts + 1) * (restarts - left + 1):
                    left -= 1
                    end()
                    begin()
            assert [row.content for row in sweep.rows] == [f"{n}" for n in range(count)]
    finally:
        end()
    final = storage.sql(COMPLETED).df()
    assert final.n.tolist() == [1] * count
    torture.note(
        "rows of a sweep on Dask, scheduler and workers killed and started again",
        tried=f"{count} rows, {restarts} times",
        kept=count,
    )


@contextmanager
def program(name, *given, folder):
    """Run a program of Dask's, and end it."""
    command = [
        sys.executable,
        "-m",
        f"distributed.cli.dask_{name}",
        "--no-dashboard",
        "--dashboard-address",
        "127.0.0.1:0",
        *given,
    ]
    with (folder / f"{name}.log").open("w") as log, subprocess.Popen(command, stdout=log, stderr=log) as process:
        yield process
        process.kill()


@pytest.mark.torture
@pytest.mark.timeout(300)
def test_a_scheduler_that_does_not_come_back_is_told_and_what_is_done_is_kept(tmp_path, monkeypatch):
    monkeypatch.setattr("wf_notebook.sweep.dask.SAID", 0.0)

    class Slow(Workflow):
        def run(self, n: int):
            time.sleep(0.01 * n)
            return f"{n}"

    file, storage = tmp_path / "scheduler.json", open_storage("memory:")
    here = ("--host", "127.0.0.1")
    with (
        program("scheduler", "--port", "0", "--scheduler-file", file, *here, folder=tmp_path) as scheduler,
        program("worker", "--no-nanny", "--nthreads", "1", "--scheduler-file", file, *here, folder=tmp_path),
        Client(scheduler_file=file) as client,
    ):
        client.wait_for_workers(1)
        sweep = Slow(storage=storage).map(range(1000), executor=client)
        rows = iter(sweep)
        while next(rows).number < 3:
            pass
        scheduler.kill()
        while sweep.progress.waits is None:
            sweep.wait(0.01)
        assert str(sweep.progress).endswith("waits for its scheduler, which is away")
        monkeypatch.setattr("wf_notebook.sweep.dask.PATIENCE", 0.2)
        with pytest.raises(WorkersLost, match=r"the scheduler of Dask does not come back .*; what is done is kept"):
            sweep.result()
    assert 3 < sweep.progress.done < 1000
    assert len(storage.runs()) >= sweep.progress.done
