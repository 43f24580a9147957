"""Responses a second of 8 streams that are merged as they come: wall time, the best of 3 after a first."""

from __future__ import annotations

import json
import sys
from time import perf_counter

from wf_notebook.branches import parallel
from wf_notebook.events import RunResponse

count = int(sys.argv[1])


def stream():
    """Say `count` responses."""
    for _ in range(count):
        yield RunResponse("x")


def rate():
    """Read all of them, merged."""
    began = perf_counter()
    merged = sum(1 for _ in parallel(*[stream() for _ in range(8)]))
    assert merged == 8 * count
    return merged / (perf_counter() - began)


rate()
print(json.dumps(max(rate() for _ in range(3))))
