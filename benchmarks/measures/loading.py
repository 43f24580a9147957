"""Milliseconds to load a state of 10 MB in 20 keys after so many saves: wall time, the best of 5 after a first.

Each save appended an item to one of the keys in turn, and changed a small one. `newest` is a session that is new here and loads,
`middle` is the version half way.
"""

from __future__ import annotations

import json
import sys
from time import perf_counter

from given import folder, item, many_keys

from wf_notebook.storage import open_storage

side, which, count = sys.argv[1], sys.argv[2], int(sys.argv[3])
with folder() as place:
    storage = open_storage(f"{side}:///{place}/runs.db")
    session = storage.session("bench")
    state = session.state
    state.update(many_keys(10_000_000 if count > 1 else 10_000))
    session.save()
    for number in range(2, count + 1):
        state[f"key_{number % 20:02d}"].append(item(number))
        state["small"] = number
        session.save()
    storage.close()
    took = []
    for _ in range(6):
        other = storage.session("bench")
        began = perf_counter()
        loaded = other.state if which == "newest" else other.at((count + 1) // 2)
        took.append(perf_counter() - began)
    assert loaded == state or which == "middle"
    print(json.dumps(min(took[1:]) * 1e3))
