"""`wf compare`: a workflow of a notebook as it is written now, over the inputs of its recorded runs, or over those of a file."""

from __future__ import annotations

import builtins
import sys
from contextlib import nullcontext, redirect_stdout, suppress
from typing import TYPE_CHECKING, Any

import click

from ..errors import BadArguments, BadRows, UnknownWorkflow
from ..ipynb.options import OPTIONS
from .command import Command
from .completing import workflows
from .failing import FAILED
from .manner import manner
from .run import only
from .showing import show_lines
from .verbs import option

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..comparing import Comparison
    from ..ipynb.loading import Notebook


def _compare(
    notebook: str,
    name: str | None,
    *,
    last: int | None,
    over: str | None,
    model: str | None,
    score: Sequence[str],
    limit: int,
    session: str | None,
    storage: str | None,
) -> None:
    """Run the workflow NAME of a notebook, or the only one, over the inputs of its last runs, and say what changes.

    Each run begins from the state that its session had then, in a copy of that: what did not change comes from the store, and
    nothing is written to it. The exit code is 1 where a run failed that did not fail so when it was recorded.
    """
    from ..ipynb.loading import load_notebook

    if over is not None and last is not None:
        raise BadArguments("--over gives the inputs, and --last takes those of recorded runs; write one of them")
    rows = None if over is None else _rows(over)
    with redirect_stdout(sys.stderr) if manner().json else nullcontext():
        book = load_notebook(notebook)
        workflow = book.workflow(
            name or only(book.names, notebook, "compare"), session=session, storage=storage, cache="use", as_main=True
        )
        scores = {each: _function(book, each) for each in score}
        compared: Comparison = workflow.compare(rows, last=last, model=model, score=_scores(scores), limit=limit)
    show_lines(str(compared).splitlines(), list(compared.table()))
    if any(row.status != "completed" and not row.failed_as_before for row in compared):
        raise click.exceptions.Exit(FAILED)


def _scores(named: dict[str, Any]) -> Any:
    """Return what scores, as compare() takes it: one by itself is called score there."""
    return (next(iter(named.values())) if len(named) == 1 else named) or None


def _rows(path: str) -> Any:
    from ..storage.files import rows_of_file

    try:
        return rows_of_file(path)
    except BadRows as error:
        raise BadArguments(f"--over: {error}") from None


def _function(book: Notebook, name: str) -> Any:
    """Return a function, an agent or a workflow of a notebook by its name; or one that Python has, such as len."""
    found = getattr(builtins, name, None)
    if name.isidentifier():
        with suppress(UnknownWorkflow):
            found = getattr(book, name)
    if not callable(found) and not callable(getattr(found, "run", None)):
        there = f"{book.path.name} has no function {name!r} to score by"
        other = f"{name!r} of {book.path.name} is of type {type(found).__name__!r}, and nothing to score by"
        raise BadArguments(
            f"{there if found is None else other}; define a function in a cell: def {name}(text): …"
            if name.isidentifier()
            else f"--score {name!r} is no name; define a function in a cell of {book.path.name}, and name it here"
        )
    return found


compare = Command(
    "compare",
    examples=("wf compare report.ipynb digest", "wf compare report.ipynb digest --last 10 --score len --json"),
    params=[
        click.Argument(["notebook"], metavar="NOTEBOOK", type=click.Path()),
        click.Argument(["name"], metavar="[NAME]", required=False, shell_complete=workflows),
        click.Option(
            ["--last"], type=click.IntRange(min=1), metavar="N", help="the inputs of the last N runs; left out, of the last 50"
        ),
        click.Option(["--over"], metavar="FILE", help="the rows of a .csv, .json or .parquet file instead; columns are inputs"),
        click.Option(["--model"], metavar="MODEL", help="another model for all agents, by its name"),
        click.Option(
            ["--score"],
            metavar="FUNCTION",
            multiple=True,
            help="how good an answer is: a function of the notebook, by its name; several by --score each",
        ),
        click.Option(["--limit"], type=click.IntRange(min=1), default=4, metavar="N", help="so many at once; 4 if left out"),
        *(option(each) for each in OPTIONS if each.name in {"session", "storage"}),
    ],
    callback=_compare,
    help=_compare.__doc__,
    short_help="Run a workflow over recorded inputs, and say what changes.",
)
