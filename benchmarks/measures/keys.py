"""Microseconds for the key of a step: its function reaches others, each with a global of its own; the best of 5 after a first."""

from __future__ import annotations

import importlib
import json
import sys
import tempfile
from pathlib import Path
from time import perf_counter

from wf_notebook.keying import Keyer

what, count = sys.argv[1], int(sys.argv[2])

FUNCTIONS = 50
ONE = "LIMIT_{0} = {0}\ndef clean_{0}(text):\n    return {1}[:LIMIT_{0}]\n"


def functions():
    """Return a module of so many functions, of which each calls the one before."""
    calls = ["text", *(f"clean_{number}(text)" for number in range(FUNCTIONS))]
    helpers = "".join(ONE.format(number, calls[number]) for number in range(FUNCTIONS))
    return f"{helpers}\ndef step(topic):\n    return {calls[-1].replace('text', 'topic')}\n"


def container():
    """Return a module whose step reads a megabyte of dicts."""
    posts = [
        {"id": number, "title": f"number {number}", "text": f"{number} said a sentence or two " * 6} for number in range(4500)
    ]
    return f"POSTS = {posts!r}\ndef step(topic):\n    return POSTS\n"


with tempfile.TemporaryDirectory() as folder:
    sys.path.insert(0, folder)
    (Path(folder) / "steps.py").write_text({"functions": functions, "container": container}[what]())
    steps = importlib.import_module("steps")
    keyer = Keyer(steps.step)
    first = keyer.key(("cheese",), {})
    assert what == "container" or len(first.parts) > 2 * FUNCTIONS
    best = []
    for _ in range(5):
        began = perf_counter()
        for _ in range(count):
            again = keyer.key(("cheese",), {})
        best.append((perf_counter() - began) / count)
        assert again == first
print(json.dumps(min(best) * 1e6))
