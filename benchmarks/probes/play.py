"""A process of its own that plays programs, as one side has them: in modules, or in the cells of a notebook.

Given: the side, the way ("module" or "cells") and a folder; read from stdin: {name: {file: text}}. The file `steps.py` defines
`work` under a line `@cached`, and says `told = said(call, …)`; in cells it is cut at lines `# %%`. What a side remembers lies in
the folder, and what each program told is printed.
"""

from __future__ import annotations

import json
import os
import re
import sys
import warnings
from contextlib import redirect_stdout
from importlib import import_module
from pathlib import Path
from typing import NamedTuple


class Side(NamedTuple):
    """How a side is used, by its own documentation: what stands at the top, above `work`, and at the end."""

    top: str = ""
    decorator: str = ""
    end: str = "def call(*args):\n    return work(*args)\n"


SIDES = {
    "plain": Side(),
    "ours": Side(
        "from wf_notebook import Workflow, step\n",
        "@step",
        "class Flow(Workflow):\n"
        "    def run(self, args):\n"
        "        self.value = work(*args)\n"
        "# %%\n"
        'flow = Flow(session_id="probe", storage="sqlite:///kept.db", cache="use")\n'
        "def call(*args):\n"
        "    flow.run(args)\n"
        "    return flow.value\n",
    ),
    "joblib": Side('from joblib import Memory\nmemory = Memory("kept", verbose=0)\n', "@memory.cache"),
    "diskcache": Side('from diskcache import Cache\ncache = Cache("kept")\n', "@cache.memoize(typed=True)"),
    "marimo": Side("import marimo as mo\n", '@mo.persistent_cache(save_path="kept")'),
    "langgraph": Side(
        "from langgraph.cache.sqlite import SqliteCache\n"
        "from langgraph.func import entrypoint, task\n"
        "from langgraph.types import CachePolicy\n",
        "@task(cache_policy=CachePolicy())",
        '@entrypoint(cache=SqliteCache(path="kept.db"))\n'
        "def flow(given):\n"
        "    return work(*given['args']).result()\n"
        "# %%\n"
        "def call(*args):\n"
        "    return flow.invoke({'args': args})\n",
    ),
}


def written(side, way, text):
    """Return a program as a side has it; a module is called after it was imported, as others would."""
    body, calls = text.rsplit("# %%\ntold = ", 1)
    body = body.replace("@cached", side.decorator) if side.decorator else re.sub(" *@cached\n", "", body)
    told = f"def told():\n    return {calls}" if way == "module" else f"told = {calls}"
    parts = [side.top, body, side.end, f"from said import said\n{told}"]
    return "# %%\n".join(part for part in parts if part)


def in_module(name):
    """Return what a program tells that is a module."""
    return import_module(name).told()


def in_cells(name):
    """Return what a program tells in the cells of a real shell, as in a kernel that was just started."""
    from IPython.core.interactiveshell import InteractiveShell
    from traitlets.config import Config

    shell = InteractiveShell.instance(config=Config(HistoryManager={"enabled": False}))
    shell.reset(new_session=False)
    shell.execution_count = 1
    for cell in Path(f"{name}.py").read_text(encoding="utf-8").split("# %%\n"):
        shell.run_cell(cell, store_history=True).raise_error()
    return shell.user_ns["told"]


def in_marimo(name):
    """Return what a program tells in the cells of a marimo notebook, written as its editor writes it."""
    from marimo._ast.cell import CellConfig
    from marimo._ast.codegen import generate_filecontents

    cells = Path(f"{name}.py").read_text(encoding="utf-8").split("# %%\n")
    notebook = generate_filecontents(cells, ["_"] * len(cells), [CellConfig() for _ in cells])
    Path(f"{name}.py").write_text(notebook, encoding="utf-8")
    return import_module(name).app.run()[1]["told"]


def main():
    """Print what the programs tell, by their names."""
    side, way, folder = sys.argv[1], sys.argv[2], Path(sys.argv[3])
    play = in_module if way == "module" else in_marimo if side == "marimo" else in_cells
    sys.dont_write_bytecode = True  # an edit of the same size in the same second would be missed by Python itself
    warnings.simplefilter("ignore")
    told = {}
    for number, (name, files) in enumerate(json.load(sys.stdin).items()):
        place = folder / str(number)
        place.mkdir(parents=True, exist_ok=True)
        os.chdir(place)
        sys.path.insert(0, str(place))
        for file, text in files.items():
            made = written(SIDES[side], way, text) if file == "steps.py" else text
            unique = f"{Path(file).stem}_{number}.py"
            (place / unique).write_text(made.replace("helpers", f"helpers_{number}"), encoding="utf-8")
        try:
            with redirect_stdout(sys.stderr):
                told[name] = play(f"steps_{number}")
        except BaseException as error:  # noqa: BLE001 - it is told
            told[name] = f"{type(error).__name__}: {error}"
        sys.path.remove(str(place))
    print(json.dumps(told))


if __name__ == "__main__":
    main()
