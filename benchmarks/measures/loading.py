"""Milliseconds to load a state of 10 MB in 20 keys after so many saves: wall time, the best of 5 processes that load it once.

Each save appended an item to one of the keys in turn, and changed a small one. `newest` is a session that loads, `middle` is the
version half way. A process has loaded another session of that file before, so that drivers and plans are there.
"""

from __future__ import annotations

import json
import subprocess
import sys
from time import perf_counter

from given import folder, item, many_keys

from wf_notebook.storage import open_storage

side, count = sys.argv[1], int(sys.argv[2])


def load(url, which):
    """Load it, and say how long that took."""
    storage = open_storage(url)
    for session_id in ("small", "bench"):
        session = storage.session(session_id)
        began = perf_counter()
        loaded = session.state if which == "newest" else session.at((count + 1) // 2 if session_id == "bench" else 1)
        took = perf_counter() - began
    assert len(loaded) == 21  # noqa: PLR2004 - 20 keys and a small one
    print(json.dumps(took * 1e3))


def fill(url):
    """Save it again and again."""
    with open_storage(url) as storage:
        session = storage.session("small")
        session.state["n"] = 1
        session.save()
        session = storage.session("bench")
        session.state.update(many_keys(10_000_000 if count > 2 else 10_000) | {"small": 1})  # noqa: PLR2004 - only tried
        session.save()
        for number in range(2, count + 1):
            session.state[f"key_{number % 20:02d}"].append(item(number))
            session.state["small"] = number
            session.save()


if sys.argv[3:]:
    load(*sys.argv[3:])
else:
    with folder() as place:
        fill(url := f"{side}:///{place}/runs.db")
        command = [sys.executable, __file__, side, str(count), url]
        took = {which: [] for which in ("newest", "middle")}
        for _ in range(5):
            for which, seen in took.items():
                seen.append(float(subprocess.check_output([*command, which], text=True)))
        print(json.dumps({which: min(seen) for which, seen in took.items()}))
