"""A notebook's workflow from outside, in milliseconds of wall time, medians of many processes, files compiled.

`help`: `wf --help`. `run`: `wf run` of a workflow of which every step was done before, in a notebook of 200 cells; it needs 12
of them. `nbclient`: the whole of that notebook executed in a kernel, which is what a notebook could be run by before. `load`: its
workflow loaded in a process that has imported what it needs.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from time import perf_counter

import nbformat

CELLS = 200
HELPER = '''
def helper_{n}(text):
    """Return the text, a little changed."""
    parts = [part for part in text.split() if part]
    return helper_{before}(" ".join(parts))
'''
WORKFLOW = """%%workflow digest
from wf_notebook import step

@step
def short(self, number):
    return helper_10(f"part {number}")

def run(self, count: int):
    for number in range(count):
        yield self.short(number)
"""
LOAD = """
from time import perf_counter
import wf_notebook.storage.duckdb, wf_notebook.workflow
from wf_notebook import load_notebook
began = perf_counter()
load_notebook("report.ipynb").digest
print((perf_counter() - began) * 1e3)
"""


def cells():
    """Yield the cells of the notebook: helpers that lead to each other, of which the workflow needs the first."""
    yield "%load_ext wf_notebook\ndef helper_0(text):\n    return text"
    yield from (HELPER.format(n=n, before=n - 1) for n in range(1, CELLS - 1))
    yield WORKFLOW


def milliseconds(*command):
    """Run a program, and return how long it took."""
    began = perf_counter()
    subprocess.run(command, check=True, capture_output=True)
    return (perf_counter() - began) * 1e3


what, count = sys.argv[1], int(sys.argv[2])
wf = [sys.executable, "-m", "wf_notebook"]
with TemporaryDirectory() as folder:
    os.chdir(folder)
    Path(".workflows").mkdir()
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells()])
    nbformat.write(notebook, "report.ipynb")
    run = [*wf, "run", "report.ipynb", "digest", "count=20"]
    match what:
        case "help":
            taken = [milliseconds(*wf, "--help") for _ in range(count + 1)]
        case "run":
            taken = [milliseconds(*run) for _ in range(count + 1)]
        case "nbclient":
            notebook.cells.append(nbformat.v4.new_code_cell("%workflow digest count=20"))
            nbformat.write(notebook, "report.ipynb")
            taken = [milliseconds(sys.executable, "-m", "nbclient.cli", "report.ipynb") for _ in range(count + 1)]
        case "load":
            loads = [subprocess.run([sys.executable, "-c", LOAD], check=True, capture_output=True).stdout for _ in range(count)]
            taken = [0.0, *map(float, loads)]
    print(json.dumps(median(taken[1:])))  # the first one does what is remembered, and compiles
