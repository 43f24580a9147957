"""Seconds that nbclient takes for a notebook of so many workflows, all of them remembered, beside an empty notebook: wall time.

Each cell is a `%%workflow` with a step and an agent; sessions are on DuckDB, as a notebook has them by default. It was run once
before, and is run again with `WF_CACHE=only`: nothing is done.
"""

from __future__ import annotations

import json
import os
import sys
from time import perf_counter

import nbformat
from given import folder
from nbclient import NotebookClient

count = int(sys.argv[1])

CELL = """\
%%workflow
class Flow{0}(Workflow):
    writer = Agent("test", instructions="Be brief.")

    @step
    def outline(self, topic):
        return {{"topic": topic, "points": list(range(200))}}

    def run(self, topic="cheese"):
        made = self.outline(topic)
        yield from self.writer.run(f"Write about {{made['topic']}}", stream=True)
"""
LINES = ("%load_ext wf_notebook", "from wf_notebook import Agent, Workflow, step")


def notebook(*cells):
    """Return a notebook of these cells."""
    return nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])


def seconds(made, place):
    """Run a notebook in a kernel of its own."""
    client = NotebookClient(made, kernel_name="python3", resources={"metadata": {"path": place}}, timeout=120)
    began = perf_counter()
    client.execute()
    return perf_counter() - began


with folder() as place:
    os.environ |= {"IPYTHONDIR": f"{place}/.ipython", "JUPYTER_RUNTIME_DIR": place}
    flows = notebook("\n".join(LINES), *(CELL.format(number) for number in range(count)))
    seconds(flows, place)
    os.environ["WF_CACHE"] = "only"
    took = [(seconds(flows, place), seconds(notebook(""), place)) for _ in range(3)]
    assert all(cell.outputs for cell in flows.cells[1:])
print(json.dumps(min(it for it, _ in took) - min(empty for _, empty in took)))
