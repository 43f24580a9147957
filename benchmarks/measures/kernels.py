"""Milliseconds while two processes save to one DuckDB file every 100 ms, each its own session of 1 KB: wall time.

`p50` and `p99` are of their saves. `reader` is how long an outsider, who opens the file read-only twice a second and tries again
when it is held, waits until he is in: the 90th percentile.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path

from given import folder, many_keys

from wf_notebook.storage import open_storage

beside, count = sys.argv[1], int(sys.argv[2])


def saving(file, name):
    """Save every 100 ms, as a kernel of its own does; say what each save took."""
    session = open_storage(f"duckdb:///{file}").session(name)
    session.state.update(many_keys(1000))
    session.save()
    took = []
    for number in range(count):
        time.sleep(0.1 - time.time() % 0.1 + (0.03 if name == "two" else 0) * (number % 3 == 0))
        session.state["small"] = number
        began = time.perf_counter()
        session.save()
        took.append(time.perf_counter() - began)
    print(json.dumps(took[count // 10 :]))


def reading(file, kernels):
    """Open it from outside as long as they save."""
    import duckdb

    took = []
    while any(kernel.poll() is None for kernel in kernels):
        time.sleep(0.4731)
        began = time.perf_counter()
        while True:
            try:
                with duckdb.connect(file, read_only=True):
                    took.append(time.perf_counter() - began)
                break
            except duckdb.IOException:
                time.sleep(0.005)
    return took


def percentile(took, part):
    """Return what so many of a hundred stay below."""
    return sorted(took)[min(len(took) - 1, int(len(took) * part / 100))] * 1e3


if beside in {"one", "two"}:
    saving(sys.argv[3], beside)
else:
    with folder() as place:
        file = str(Path(place) / "runs.db")
        open_storage(f"duckdb:///{file}").session("there").save()
        command = [sys.executable, __file__]
        kernels = [
            subprocess.Popen([*command, name, str(count), file], stdout=subprocess.PIPE, text=True) for name in ("one", "two")
        ]
        read = reading(file, kernels) if beside == "beside a reader" else [0]
        saved = [one for kernel in kernels for one in json.loads(kernel.communicate()[0])]
        print(json.dumps({"p50": percentile(saved, 50), "p99": percentile(saved, 99), "reader": percentile(read, 90)}))
