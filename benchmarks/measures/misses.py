"""Milliseconds that it costs to remember a step that was done, beside the call itself: wall time, the best of 5 after a first.

Each of many steps gives a text of 1 KB that was not given before. What each side does is what it does in `rerun.py`.
"side by side" is eight branches of steps that take 20 ms each, beside the same with nothing remembered: what is added for each
step of a branch, while seven others do theirs.
"""

from __future__ import annotations

import json
import sys
from functools import partial
from time import perf_counter

from given import durable_sqlalchemy, folder

side, shape, count = sys.argv[1], sys.argv[2], int(sys.argv[3])
BRANCHES = 8


def work(number):
    """Give a text."""
    return f"{number:08d} " + "x" * 991


def best(run):
    """Return the seconds of the quickest run of several, each with numbers of its own."""
    took = []
    for place in range(6):
        began = perf_counter()
        run([place * 1_000_000 + number for number in range(count)])
        took.append(perf_counter() - began)
    return min(took[1:])


def ours(place):
    """Do steps of a workflow."""
    import steps_of_ours

    from wf_notebook import Workflow, parallel
    from wf_notebook.storage import open_storage

    def branch(step, numbers):
        for number in numbers:
            step(number)

    class Flow(Workflow):
        def run(self, numbers):
            if shape == "side by side":
                each = [[BRANCHES * number + place for number in numbers] for place in range(BRANCHES)]
                parallel(*[partial(branch, steps_of_ours.slow, some) for some in each], limit=BRANCHES)
            else:
                branch(steps_of_ours.short, numbers)

    storage = open_storage(f"{side}:///{place}/runs.db")
    with_it = Flow(session_id="bench", storage=storage, cache="use")
    without = Flow(session_id="bench", storage=storage, cache="off")
    return best(with_it.run) - best(without.run)


def each(step):
    """Return what a step costs that is called in a loop, beside the bare call."""
    return best(lambda numbers: [step(number) for number in numbers]) - best(lambda numbers: [work(n) for n in numbers])


def joblib(place):
    """Call a function of a memory."""
    from joblib import Memory

    return each(Memory(place, verbose=0).cache(work))


def diskcache(place):
    """Call a function that is memoized."""
    from diskcache import Cache

    return each(Cache(place, sqlite_synchronous=2).memoize()(work))


def marimo(place):
    """Call a function that is cached on the disk."""
    import marimo as mo

    return each(mo.persistent_cache(work, save_path=place))


def langgraph(place):
    """Run tasks of an entrypoint."""
    from langgraph.cache.sqlite import SqliteCache
    from langgraph.func import entrypoint, task
    from langgraph.types import CachePolicy

    step, plain = task(work, cache_policy=CachePolicy()), task(work)

    def flow(given, step):
        return [step(number).result() for number in given]

    with_it = entrypoint(cache=SqliteCache(path=f"{place}/cache.db"))(lambda given: flow(given, step))
    without = entrypoint()(lambda given: flow(given, plain))
    return best(with_it.invoke) - best(without.invoke)


def dbos(place):
    """Run steps of a workflow."""
    from dbos import DBOS

    durable_sqlalchemy()
    DBOS(config={"name": "bench", "system_database_url": f"sqlite:///{place}/runs.db", "log_level": "ERROR"})
    step = DBOS.step()(work)

    @DBOS.workflow()
    def flow(numbers):
        return [step(number) for number in numbers]

    DBOS.launch()
    took = best(flow) - best(lambda numbers: [work(number) for number in numbers])
    DBOS.destroy()
    return took


sides = {"duckdb": ours, "sqlite": ours, **{f.__name__: f for f in (joblib, diskcache, marimo, langgraph, dbos)}}
with folder() as place:
    print(json.dumps(sides[side](place) / count * 1e3))
