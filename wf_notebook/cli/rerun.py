"""`wf rerun`: a notebook run again from above to below, a line for each cell, and a check that needs no key."""

from __future__ import annotations

import re
import sys
from typing import TYPE_CHECKING

import click

from ..errors import BadArguments, CellFailed, OutputsDiffer
from .command import Command
from .manner import has_colours, manner, say
from .showing import show_json

if TYPE_CHECKING:
    from ..ipynb.reran import CellRun

#: What a kernel colours a traceback with.
_COLOURS = re.compile(r"\x1b\[[\d;]*m")


def _rerun(notebook: str, *, fresh: bool, check: bool, timeout: float | None) -> None:
    """Run a notebook again in a kernel of its own: what is remembered costs nothing, and changed outputs are written.

    --check changes no notebook, asks no model, and fails where an output is not what is saved: for CI, without a key.
    """
    if fresh and check:
        raise BadArguments("--fresh asks for every step again, and --check asks no model; write one of them")
    from ..ipynb.rerunning import rerun as run_again

    try:
        done = run_again(notebook, fresh=fresh, check=check, tell=_tell, timeout=timeout)
    except (CellFailed, OutputsDiffer) as error:
        if manner().json:
            show_json(error.rerun.to_dict())
        elif traceback := getattr(error, "traceback", ""):
            say(traceback if has_colours(sys.stderr) else _COLOURS.sub("", traceback))
        raise
    if manner().json:
        show_json(done.to_dict())
    else:
        click.echo(str(done))


def _tell(cell: CellRun) -> None:
    (say if manner().json else click.echo)(str(cell))


rerun = Command(
    "rerun",
    examples=("wf rerun report.ipynb", "wf rerun report.ipynb --check"),
    params=[
        click.Argument(["notebook"], metavar="NOTEBOOK", type=click.Path()),
        click.Option(["--fresh"], is_flag=True, help="do every step again"),
        click.Option(["--check"], is_flag=True, help="change no notebook, ask no model, and fail where an output differs"),
        click.Option(["--timeout"], type=float, metavar="SECONDS", help="how long a cell may take; left out, any time"),
    ],
    callback=_rerun,
    help=_rerun.__doc__,
    short_help="Run a notebook again; --check compares its outputs, without a key.",
)
