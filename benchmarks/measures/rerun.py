"""Milliseconds of a rerun of which every step was done before, in a living process: wall time, the best of 9 after two.

Each step gives a text of so many bytes; none of them is done again, or this fails. What each side does: ours: a run of a
workflow, made anew as in a cell that is run again, with `cache="use"`; joblib: `Memory.cache`; diskcache: `memoize`; marimo:
`persistent_cache`; langgraph: an entrypoint with tasks that have a `CachePolicy`, on its SQLite cache; hamilton: a driver with a
cache, made anew; dbos: `fork_workflow` after the last step, which its queue starts when it looks next, within a second; prefect:
a flow of tasks that are cached by their inputs, the best of 3.

Given a folder, it is played there once, and nothing is said: for a process that begins with all of it done.
"""

from __future__ import annotations

import json
import os
import sys
from contextlib import nullcontext
from time import perf_counter

from given import durable_sqlalchemy, folder

side, size, count, there = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4:]
done = []
RERUNS = 3 if side == "prefect" else 9


def work(number):
    """Give a text."""
    done.append(number)
    return f"{number:08d} " + "x" * (size - 9)


def steps(step):
    """Call a step so often."""
    return [step(number) for number in range(count)]


def ours(place):
    """Run a workflow."""
    import steps_of_ours

    from wf_notebook import Workflow
    from wf_notebook.storage import open_storage

    steps_of_ours.SIZE = size
    storage = open_storage(f"{side}:///{place}/runs.db")

    class Flow(Workflow):
        def run(self):
            self.texts = steps(steps_of_ours.work)

    def rerun():
        flow = Flow(session_id="bench", storage=storage, cache="only" if done else "use")
        flow.run()
        return flow.texts

    return rerun


def joblib(place):
    """Call a function of a memory."""
    from joblib import Memory

    step = Memory(place, verbose=0).cache(work)
    return lambda: steps(step)


def diskcache(place):
    """Call a function that is memoized."""
    from diskcache import Cache

    step = Cache(place).memoize()(work)
    return lambda: steps(step)


def marimo(place):
    """Call a function that is cached on the disk."""
    import marimo as mo

    step = mo.persistent_cache(work, save_path=place)
    return lambda: steps(step)


def langgraph(place):
    """Invoke an entrypoint."""
    from langgraph.cache.sqlite import SqliteCache
    from langgraph.func import entrypoint, task
    from langgraph.types import CachePolicy

    step = task(work, cache_policy=CachePolicy())

    @entrypoint(cache=SqliteCache(path=f"{place}/cache.db"))
    def flow(_):
        return [text.result() for text in steps(step)]

    return lambda: flow.invoke({"given": 1})


def hamilton(place):
    """Execute a graph."""
    from hamilton import ad_hoc_utils, driver

    lines = [f"def text_{n}() -> str:\n    return work({n})\n" for n in range(count)]
    module = ad_hoc_utils.module_from_source("\n".join(lines), "texts")
    module.work = work
    names = [f"text_{n}" for n in range(count)]

    def rerun():
        built = driver.Builder().with_modules(module).with_cache(path=place).build()
        return list(built.execute(names).values())

    return rerun


def dbos(place):
    """Fork a workflow after its last step."""
    from dbos import DBOS, SetWorkflowID

    durable_sqlalchemy()
    DBOS(config={"name": "bench", "system_database_url": f"sqlite:///{place}/runs.db", "log_level": "ERROR"})
    step = DBOS.step()(work)

    @DBOS.workflow()
    def flow():
        return steps(step)

    DBOS.launch()
    with SetWorkflowID("first"):
        flow()
    return lambda: DBOS.fork_workflow("first", count + 1).get_result(polling_interval_sec=0.001)


def prefect(place):
    """Run a flow of tasks that are cached by their inputs."""
    os.environ |= {"PREFECT_HOME": str(place), "PREFECT_LOGGING_LEVEL": "CRITICAL", "PREFECT_SERVER_ANALYTICS_ENABLED": "false"}
    os.environ["PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS"] = "120"
    from prefect import flow, task
    from prefect.cache_policies import INPUTS

    step = task(cache_policy=INPUTS, persist_result=True)(work)

    @flow
    def flows():
        return steps(step)

    return flows


sides = {
    "duckdb": ours,
    "sqlite": ours,
    **{f.__name__: f for f in (joblib, diskcache, marimo, langgraph, hamilton, dbos, prefect)},
}
with nullcontext(there[0]) if there else folder() as place:
    rerun = sides[side](place)
    first = rerun()
    if there:
        sys.exit()
    assert first == steps(work)
    rerun()
    done.clear()
    took = []
    for _ in range(RERUNS):
        began = perf_counter()
        again = rerun()
        took.append(perf_counter() - began)
        assert again == first
    assert not done, f"{len(done)} steps were done again"
print(json.dumps(min(took) * 1e3), flush=True)
if side == "dbos":
    os._exit(0)  # its threads take their time
