"""A process of its own that prints the digests of steps: of programs in modules, or in the cells of a notebook.

Read from stdin: {"way": "module" | "cells", "programs": {name: {file: text}}}. The file `steps.py` defines `step`, and `args` and
`kwargs` where it is called with some; in cells it is cut at lines `# %%`, and other files are modules beside it.
"""

from __future__ import annotations

import json
import sys
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryDirectory

from wf_notebook.keying import Keyer, Uncacheable


def digest(space):
    """Return the digest of a step's key, or why there is none."""
    try:
        return Keyer(space["step"]).key(space.get("args", ()), space.get("kwargs", {})).digest
    except Uncacheable as refusal:
        return f"no key: {refusal}"


def in_module(_, number):
    """Return the digest of a step in a module."""
    return digest(vars(import_module(f"steps_{number}")))


def in_cells(folder, number):
    """Return the digest of a step in cells of a real shell."""
    from IPython.core.interactiveshell import InteractiveShell
    from traitlets.config import Config

    shell = InteractiveShell.instance(config=Config(HistoryManager={"enabled": False}))
    before = {*shell.user_ns}
    for cell in (folder / f"steps_{number}.py").read_text().split("# %%\n"):
        shell.run_cell(cell, store_history=True).raise_error()
    found = digest(shell.user_ns)
    for name in {*shell.user_ns} - before:
        del shell.user_ns[name]
    return found


def main():
    """Print the digests by the names of the programs."""
    asked = json.load(sys.stdin)
    found = {}
    with TemporaryDirectory() as place:
        sys.path.insert(0, place)
        for number, (name, files) in enumerate(asked["programs"].items()):
            for file, text in files.items():
                unique = f"{Path(file).stem}_{number}"
                (Path(place) / f"{unique}.py").write_text(text.replace("helpers", f"helpers_{number}"))
            found[name] = {"module": in_module, "cells": in_cells}[asked["way"]](Path(place), number)
    json.dump(found, sys.stdout)


if __name__ == "__main__":
    main()
