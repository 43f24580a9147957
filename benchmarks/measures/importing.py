"""Milliseconds that `import wf_notebook` adds to an empty Python: wall time, medians of many processes, files compiled."""

from __future__ import annotations

import json
import subprocess
import sys
from statistics import median
from time import perf_counter


def milliseconds(code):
    """Run a Python of its own."""
    began = perf_counter()
    subprocess.run([sys.executable, "-c", code], check=True)
    return (perf_counter() - began) * 1e3


count = int(sys.argv[1])
milliseconds("import wf_notebook")
pairs = [(milliseconds("import wf_notebook"), milliseconds("pass")) for _ in range(count)]
print(json.dumps(median(ours for ours, _ in pairs) - median(empty for _, empty in pairs)))
