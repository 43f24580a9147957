"""`wf compare`: a workflow of a notebook as it is written now, over the inputs of its recorded runs."""

from __future__ import annotations

import sys
from contextlib import nullcontext, redirect_stdout

import click

from ..ipynb.options import OPTIONS
from .command import Command
from .completing import workflows
from .manner import manner
from .showing import show_lines
from .verbs import option


def _compare(notebook: str, name: str, *, last: int | None, model: str | None, session: str | None, storage: str | None) -> None:
    """Run the workflow NAME of a notebook over the inputs of its last runs, and say what changes.

    Each run begins from the state that its session had then, in a copy of that: what did not change comes from the store, and
    nothing is written to it.
    """
    from ..ipynb.loading import load_notebook

    with redirect_stdout(sys.stderr) if manner().json else nullcontext():
        workflow = load_notebook(notebook).workflow(name, session=session, storage=storage, cache="use", as_main=True)
        compared = workflow.compare(last=last, model=model)
    show_lines(str(compared).splitlines(), list(compared.table()))


compare = Command(
    "compare",
    examples=("wf compare report.ipynb digest", "wf compare report.ipynb digest --last 10 --json"),
    params=[
        click.Argument(["notebook"], metavar="NOTEBOOK", type=click.Path()),
        click.Argument(["name"], metavar="NAME", shell_complete=workflows),
        click.Option(["--last"], type=int, metavar="N", help="the inputs of the last N runs; left out, of the last 50"),
        click.Option(["--model"], metavar="MODEL", help="another model for all agents, by its name"),
        *(option(each) for each in OPTIONS if each.name in {"session", "storage"}),
    ],
    callback=_compare,
    help=_compare.__doc__,
    short_help="Run a workflow over recorded inputs, and say what changes.",
)
