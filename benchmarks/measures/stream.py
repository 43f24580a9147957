"""Responses a second of one streamed run without storage: CPU time, after a first run of a tenth as many."""

from __future__ import annotations

import json
import sys
from importlib import import_module
from statistics import median
from time import process_time

package, size, count = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
workflows = import_module(package)


class Flow(workflows.Workflow):
    """Says the same text many times."""

    def run(self, count, text):
        """Stream it."""
        for _ in range(count):
            yield workflows.RunResponse(text)


def rate(count):
    """Read a stream of `count` responses to its end."""
    flow = Flow()
    began = process_time()
    for _ in flow.run(count=count, text="x" * size):
        pass
    return count / (process_time() - began)


rate(count // 10)
print(json.dumps(median(rate(count) for _ in range(3))))
