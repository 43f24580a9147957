"""Milliseconds a row of a sweep of so many trivial rows, eight in flight: wall time of the whole, after one of 20 rows.

A row gives its number as text. What each side does: ours: `map`, each row a run in a session of its own; threads: a pool's `map`,
which keeps nothing; llama_index: a run of a workflow for each row, in memory; dbos: a workflow for each row, by eight threads, on
SQLite, its journal a WAL, each commit waiting for the disk; prefect: a flow's `task.map` on eight threads and the server that it
starts for itself, which records most of the rows only later.

Those that keep rows are asked by SQL, when it is over, how many they have; prefect is not, for it may take minutes.
"""

from __future__ import annotations

import json
import os
import sqlite3
import sys
from time import perf_counter

from given import durable_sqlalchemy, folder

side, count = sys.argv[1], int(sys.argv[2])
IN_FLIGHT, FIRST = 8, 20


def row(number):
    """Do next to nothing."""
    return f"{number}"


def ours(place):
    """Map a workflow."""
    from wf_notebook import Workflow
    from wf_notebook.storage import open_storage

    class Row(Workflow):
        def run(self, number: int):
            return row(number)

    storage = open_storage("memory:" if side == "memory" else f"{side}:///{place}/runs.db")
    flow = Row(storage=storage)
    return lambda numbers: [done.content for done in flow.map(numbers, limit=IN_FLIGHT).result()], storage.close


def threads(_place):
    """Use a pool of threads."""
    from concurrent.futures import ThreadPoolExecutor

    pool = ThreadPoolExecutor(IN_FLIGHT)
    return lambda numbers: list(pool.map(row, numbers)), pool.shutdown


def llama_index(_place):
    """Run a workflow for each row."""
    import asyncio

    from workflows import Workflow, step
    from workflows.events import StartEvent, StopEvent

    class Row(Workflow):
        @step
        async def answer(self, event: StartEvent) -> StopEvent:
            return StopEvent(result=row(event.number))

    async def swept(numbers):
        flow = Row(num_concurrent_runs=IN_FLIGHT)
        return await asyncio.gather(*[flow.run(number=number) for number in numbers])

    return lambda numbers: asyncio.run(swept(numbers)), lambda: None


def dbos(place):
    """Run a workflow for each row."""
    from concurrent.futures import ThreadPoolExecutor

    from dbos import DBOS
    from sqlalchemy import event
    from sqlalchemy.engine import Engine

    durable_sqlalchemy()

    @event.listens_for(Engine, "connect")
    def ahead(connection, _record):
        connection.execute("PRAGMA journal_mode = WAL")

    DBOS(config={"name": "bench", "system_database_url": f"sqlite:///{place}/runs.db", "log_level": "ERROR"})
    flow = DBOS.workflow()(row)
    DBOS.launch()
    pool = ThreadPoolExecutor(IN_FLIGHT)
    return lambda numbers: list(pool.map(flow, numbers)), pool.shutdown


def prefect(place):
    """Map a task."""
    os.environ |= {"PREFECT_HOME": str(place), "PREFECT_LOGGING_LEVEL": "CRITICAL", "PREFECT_SERVER_ANALYTICS_ENABLED": "false"}
    os.environ |= {"PREFECT_SERVER_LOGGING_LEVEL": "CRITICAL", "PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS": "120"}
    from prefect import flow, task
    from prefect.task_runners import ThreadPoolTaskRunner

    mapped = task(row)

    @flow(task_runner=ThreadPoolTaskRunner(max_workers=IN_FLIGHT))
    def swept(numbers):
        return mapped.map(numbers).result()

    return swept, lambda: None


#: A sweep itself is a run, too, of a session whose id ends so.
OF_ROWS = "SELECT count(DISTINCT session_id) FROM runs WHERE status = 'completed' AND session_id NOT LIKE '%/'"


def kept(place):
    """Return how many rows are in the file."""
    if side == "duckdb":
        import duckdb

        with duckdb.connect(f"{place}/runs.db", read_only=True) as db:
            return db.execute(OF_ROWS).fetchone()[0]
    asked = {
        "sqlite": OF_ROWS,
        "dbos": "SELECT count(*) FROM workflow_status WHERE status = 'SUCCESS'",
    }
    return sqlite3.connect(f"{place}/runs.db").execute(asked[side]).fetchone()[0]


sides = {"memory": ours, "duckdb": ours, "sqlite": ours, **{f.__name__: f for f in (threads, llama_index, dbos, prefect)}}
with folder() as place:
    swept, close = sides[side](place)
    first = list(range(count, count + FIRST))
    assert swept(first) == [row(number) for number in first]
    began = perf_counter()
    rows = swept(list(range(count)))
    took = perf_counter() - began
    assert rows == [row(number) for number in range(count)]
    close()
    if side in ("duckdb", "sqlite", "dbos"):
        assert kept(place) == count + FIRST
print(json.dumps(took / count * 1e3), flush=True)
if side == "dbos":
    os._exit(0)  # its threads take their time
