"""Microseconds for each of many trivial calls, done by 8 at once, results in order: wall time, the best of 5 after a first."""

import json
import sys
from functools import partial
from time import perf_counter

way, count = sys.argv[1], int(sys.argv[2])


def work(number):
    """Do next to nothing."""
    return number + 1


def ours():
    """Call `parallel`."""
    return parallel(*[partial(work, number) for number in range(count)])


def threads():
    """Use a pool of threads, made for it."""
    with ThreadPoolExecutor(8) as pool:
        return list(pool.map(work, range(count)))


def langgraph():
    """Fan out from one node of a graph, and gather in its state."""
    return sorted(graph.invoke({"results": []}, {"max_concurrency": 8})["results"])


if way == "ours":
    from wf_notebook.branches import parallel
elif way == "threads":
    from concurrent.futures import ThreadPoolExecutor
else:
    import operator
    from typing import Annotated, TypedDict

    from langgraph.graph import END, START, StateGraph
    from langgraph.types import Send

    class State(TypedDict):
        """What is gathered."""

        results: Annotated[list, operator.add]

    building = StateGraph(State)
    building.add_node("work", lambda number: {"results": [work(number)]})
    building.add_conditional_edges(START, lambda _: [Send("work", number) for number in range(count)], ["work"])
    building.add_edge("work", END)
    graph = building.compile()

do = {"ours": ours, "threads": threads, "langgraph": langgraph}[way]
seconds = []
for _ in range(6):
    began = perf_counter()
    results = do()
    seconds.append(perf_counter() - began)
    assert results == list(range(1, count + 1))
print(json.dumps(min(seconds[1:]) / count * 1e6))
