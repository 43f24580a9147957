"""Seconds that a process takes beyond Python's start to run what was done before, all of it: wall time, the best of several.

Ours is a workflow of steps and of an agent that is asked twice; it fails if pydantic-ai was imported for that. A peer plays the
steps of `rerun.py`.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from time import perf_counter

from given import folder

side, count = sys.argv[1], int(sys.argv[2])
HERE = Path(__file__).parent

OURS = f"""
import sys
sys.path.insert(0, {str(HERE)!r})
from steps_of_ours import work
from wf_notebook import Agent, Workflow

class Flow(Workflow):
    writer = Agent("test", instructions="Be brief.", add_history_to_messages=True)

    def run(self):
        for number in range(20):
            work(number)
        yield from self.writer.run("Hello", stream=True)
        yield self.writer.run("Again").content

print(Flow(session_id="bench", storage=sys.argv[1], cache=sys.argv[2]).run().result().content)
assert sys.argv[2] == "use" or "pydantic_ai" not in sys.modules
"""


def seconds(*command):
    """Run a Python of its own."""
    began = perf_counter()
    subprocess.run([sys.executable, *command], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    return perf_counter() - began


with folder() as place:
    if side in {"duckdb", "sqlite"}:
        url = f"{side}:///{place}/runs.db"
        first, again = (("-c", OURS, url, mode) for mode in ("use", "only"))
    else:
        first = again = (str(HERE / "rerun.py"), side, "10000", "20", place)
    seconds(*first)
    seconds(*again)
    took = [(seconds(*again), seconds("-c", "pass")) for _ in range(count)]
print(json.dumps(min(it for it, _ in took) - min(empty for _, empty in took)))
