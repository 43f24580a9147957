"""Megabytes of a file and its WAL, closed, after so many saves of one small key in a state of 100 KB."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from given import folder, many_keys

from wf_notebook.storage import open_storage

side, count = sys.argv[1], int(sys.argv[2])
with folder() as place:
    storage = open_storage(f"{side}:///{place}/runs.db")
    session = storage.session("bench")
    session.state.update(many_keys(100_000))
    session.save()
    for number in range(count):
        session.state["small"] = number
        session.save()
    storage.close()
    print(json.dumps(sum(file.stat().st_size for file in Path(place).iterdir()) / 1e6))
