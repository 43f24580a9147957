"""Milliseconds of one run of 3 responses with a storage: wall time, the median after a tenth as many.

A run changes one small key of a state of 1 KB, or appends one item to a list in a state of 10 MB in 20 keys. A fresh instance is
a new workflow on the storage that is open, as in a service; each commit waits for the disk. `growth` is not milliseconds, but how
the last 20 runs compare with the first 20.
"""

from __future__ import annotations

import json
import sys
from importlib import import_module
from statistics import median
from time import perf_counter

from given import durable_sqlalchemy, folder, item, many_keys

side, size, instance, count = sys.argv[1], int(sys.argv[2]), sys.argv[3], int(sys.argv[4])
workflows = import_module("agno.workflow" if side == "agno" else "wf_notebook")


class Flow(workflows.Workflow):
    """Says three words, and changes a bit of the state."""

    def run(self, number):
        """Stream them."""
        if size > 1_000_000:  # noqa: PLR2004 - a large one
            self.session_state["key_07"].append(item(number))
        else:
            self.session_state["last"] = number
        for _ in range(3):
            yield workflows.RunResponse("cheese")


def opened(place):
    """Return the storage."""
    if side == "agno":
        from agno.storage.workflow.sqlite import SqliteWorkflowStorage

        durable_sqlalchemy()
        return SqliteWorkflowStorage(table_name="bench", db_file=f"{place}/runs.db")
    from wf_notebook.storage import open_storage

    return open_storage(f"{side}:///{place}/runs.db")


with folder() as place:
    storage = opened(place)
    flow = Flow(session_id="bench", storage=storage, session_state=many_keys(size))
    list(flow.run(number=0))
    took = []
    for number in range(count + max(count // 10, 2)):
        began = perf_counter()
        if instance == "fresh":
            flow = Flow(session_id="bench", storage=storage)
        for _response in flow.run(number=number):
            pass
        took.append(perf_counter() - began)
    if instance == "growth":
        print(json.dumps(median(took[-20:]) / median(took[:20])))
    else:
        print(json.dumps(median(took[-count:]) * 1e3))
