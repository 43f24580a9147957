"""Milliseconds of a save: one small key changed, or one item appended to a long list. Wall time, the median after a first few.

`100000` and `10000000` are bytes of state in 20 keys; `list` is one key with 45 000 dicts, of 10 MB. Each commit waits for the
disk. What each side does so that its state of now, and that of every moment before, can be read again afterwards:
ours: `session.save()`; langgraph: a step of a graph, with `durability="sync"`; burr: `SQLitePersister.save`; dbos: a step of a
workflow that returns the state; agno, which keeps no history: `write_to_storage()`.
"""

from __future__ import annotations

import itertools
import json
import sys
from statistics import median
from time import perf_counter
from typing import TypedDict

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
    """Run the one node of a graph again and again, each step saved before the next begins."""
    from langgraph.checkpoint.sqlite import SqliteSaver
    from langgraph.graph import START, StateGraph

    took = []

    def node(_state):
        took.append(perf_counter())
        return {"small": len(took)}

    steps = first + count + 1
    building = StateGraph(TypedDict("State", {"small": int, **dict.fromkeys(state, list)}))
    building.add_node("node", node)
    building.add_edge(START, "node")
    building.add_conditional_edges("node", lambda _: "node" if len(took) < steps else "__end__")
    with SqliteSaver.from_conn_string(f"{place}/runs.db") as saver:
        saver.setup()
        saver.conn.execute(FULL)
        config = {"configurable": {"thread_id": "bench"}, "recursion_limit": steps + 10}
        building.compile(checkpointer=saver).invoke({"small": 0, **state}, config, durability="sync")
    return [after - before for before, after in itertools.pairwise(took)][first:]


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
