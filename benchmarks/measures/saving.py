"""Milliseconds of a save: one small key changed, or one item appended to a long list. Wall time, the median after a first few.

`100000` and `10000000` are bytes of state in 20 keys; `list` is one key with 45 000 dicts, of 10 MB. Each commit waits for the
disk. What each side does so that its state of now, and that of every moment before, can be read again afterwards:
ours: `session.save()`; langgraph: `SqliteSaver.put` of the whole checkpoint; burr: `SQLitePersister.save`;
dbos: a step of a workflow that returns the state; agno, which keeps no history: `write_to_storage()`.
"""

from __future__ import annotations

import json
import sys
from statistics import median
from time import perf_counter

from given import FULL, durable_sqlalchemy, folder, item, many_keys, one_list

side, shape, count = sys.argv[1], sys.argv[2], int(sys.argv[3])
first = max(count // 10, 2)
state = one_list(45_000 if count > 1 else 100) if shape == "list" else many_keys(int(shape))


def change(number):
    """Change what is to be saved."""
    if shape == "list":
        state["posts"].append(item(number))
    else:
        state["small"] = number


def timed(save):
    """Return what each of many saves took."""
    took = []
    for number in range(first + count):
        change(number)
        began = perf_counter()
        save(number)
        took.append(perf_counter() - began)
    return took[first:]


def ours(place):
    """Save a session."""
    from wf_notebook.storage import open_storage

    global state  # noqa: PLW0603 - the live one is changed from now on
    session = open_storage(f"{side}:///{place}/runs.db").session("bench")
    session.state.update(state)
    state = session.state
    session.save()
    return timed(lambda _: session.save())


def langgraph(place):
    """Put checkpoints."""
    from langgraph.checkpoint.base import empty_checkpoint
    from langgraph.checkpoint.sqlite import SqliteSaver

    config = {"configurable": {"thread_id": "bench", "checkpoint_ns": ""}}
    with SqliteSaver.from_conn_string(f"{place}/runs.db") as saver:
        saver.setup()
        saver.conn.execute(FULL)

        def save(number):
            nonlocal config
            versions = {key: str(number) for key in state}
            checkpoint = empty_checkpoint() | {"channel_values": state, "channel_versions": versions}
            config = saver.put(config, checkpoint, {"source": "loop", "step": number, "parents": {}}, {"small": str(number)})

        return timed(save)


def burr(place):
    """Persist states."""
    from burr.core import State
    from burr.core.persistence import SQLitePersister

    with SQLitePersister(f"{place}/runs.db") as persister:
        persister.connection.execute(FULL)
        persister.initialize()
        return timed(lambda number: persister.save("bench", "app", number, "step", State(state), "completed"))


def dbos(place):
    """Run steps."""
    from dbos import DBOS

    durable_sqlalchemy()
    DBOS(config={"name": "bench", "system_database_url": f"sqlite:///{place}/runs.db", "log_level": "ERROR"})

    @DBOS.step()
    def step(_number):
        return state

    @DBOS.workflow()
    def workflow():
        return timed(step)

    DBOS.launch()
    took = workflow()
    DBOS.destroy()
    return took


def agno(place):
    """Write the one row of a session."""
    from agno.storage.workflow.sqlite import SqliteWorkflowStorage
    from agno.workflow import Workflow

    durable_sqlalchemy()
    storage = SqliteWorkflowStorage(table_name="bench", db_file=f"{place}/runs.db")
    flow = Workflow(session_id="bench", storage=storage, session_state=state)
    return timed(lambda _: flow.write_to_storage())


sides = {"duckdb": ours, "sqlite": ours, "langgraph": langgraph, "burr": burr, "dbos": dbos, "agno": agno}
with folder() as place:
    print(json.dumps(median(sides[side](place)) * 1e3))
