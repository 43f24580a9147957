"""Microseconds for one run of 3 responses without storage, by one instance or by a fresh one: CPU time, after a tenth as many."""

from __future__ import annotations

import json
import sys
from importlib import import_module
from time import process_time

package, instance, count = sys.argv[1], sys.argv[2], int(sys.argv[3])
workflows = import_module(package)


class Flow(workflows.Workflow):
    """Says three words."""

    def run(self, topic):
        """Stream them."""
        for _ in range(3):
            yield workflows.RunResponse(topic)


def microseconds(count):
    """Run it `count` times to the end."""
    flow = Flow()
    began = process_time()
    for _ in range(count):
        for _response in (Flow() if instance == "fresh" else flow).run(topic="cheese"):
            pass
    return (process_time() - began) / count * 1e6


microseconds(count // 10)
print(json.dumps(microseconds(count)))
