"""The most megabytes that a process held while it swept so many trivial rows into a DuckDB file: a fifth of them, and all.

Rows are looked at as they come, and not kept.
"""

from __future__ import annotations

import json
import sys
from resource import RUSAGE_SELF, getrusage

from given import folder

from wf_notebook import Workflow
from wf_notebook.storage import open_storage

count = int(sys.argv[1])


class Row(Workflow):
    """Gives a number as text."""

    def run(self, number: int):
        """Do next to nothing."""
        return f"{number}"


def megabytes():
    """Return the most that this process held."""
    return getrusage(RUSAGE_SELF).ru_maxrss / (1e6 if sys.platform == "darwin" else 1e3)


with folder() as place, open_storage(f"duckdb:///{place}/runs.db") as storage:
    for place_in_order, _row in enumerate(Row(storage=storage).map(range(count)), 1):
        if place_in_order == count // 5:
            fifth = megabytes()
    print(json.dumps({"fifth": fifth, "end": megabytes()}))
