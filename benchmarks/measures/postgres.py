"""Saves per second into one Postgres server on loopback, of so many processes at once: wall time, each save durable.

Each process saves a small change of its own session, of 1 KB, again and again. Afterwards all of them are counted in the store,
and none may be missing.
"""

from __future__ import annotations

import json
import runpy
import subprocess
import sys
import time
from pathlib import Path

from given import many_keys

from wf_notebook.storage import open_storage

what, count = sys.argv[1], int(sys.argv[2])
if what == "saving":
    session = open_storage(sys.argv[3]).session(sys.argv[4])
    session.state.update(many_keys(1000))
    session.save()
    print("ready", flush=True)
    input()
    for number in range(count):
        session.state["small"] = number
        session.save()
    sys.exit()

server = runpy.run_path(str(Path(__file__).resolve().parents[2] / "tools" / "server.py"))["Server"]()
try:
    url, many = server.schema(), int(what)
    command = [sys.executable, __file__, "saving", str(count), url]
    kernels = [
        subprocess.Popen([*command, f"s{number}"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for number in range(many)
    ]
    for kernel in kernels:
        assert kernel.stdout.readline() == "ready\n"
    began = time.perf_counter()
    for kernel in kernels:
        kernel.stdin.write("\n")
        kernel.stdin.flush()
    assert [kernel.wait() for kernel in kernels] == [0] * many
    took = time.perf_counter() - began
    with open_storage(url) as storage:
        kept = storage.sql("SELECT count(*) AS n FROM state_log WHERE key = 'small'")[0]["n"]
        assert kept == many * count, f"{kept} of {many * count} saves are there"
        for number in range(many):
            assert storage.session(f"s{number}").state["small"] == count - 1
    print(json.dumps(many * count / took))
finally:
    server.close()
