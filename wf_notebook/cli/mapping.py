"""`wf run NOTEBOOK NAME --map rows.csv`: a run for each row of a file, a bar on stderr, and the rows as a table or in a file."""

from __future__ import annotations

import sys
from contextlib import contextmanager, redirect_stdout
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ..errors import BadArguments, BadSetting
from ..ipynb.options import Option, Options
from ..readable import brief
from .failing import FAILED
from .inputs import STDIN, read_stdin
from .manner import manner, say
from .showing import COLOURS, show_json, show_table

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ..frames import Table
    from ..sweep import Sweep
    from ..swept import Afar
    from ..workflow import Workflow

#: Options of a run for each row, as they are said here.
OPTIONS = {
    "map": "run it for each row of a .csv, .json or .parquet file, or of - for what comes on stdin; columns are inputs",
    "max-tokens": "with --map: what all rows may spend; the same command again goes on with the rest",
}
#: Where the rows go.
TARGET = Option("out", "o", "FILE", "with --map: write the rows into a .csv, .jsonl or .parquet file")
#: So many failures are said one by one where the rows are not shown, each in so many characters.
_FAILURES, _LINE = 5, 200


def options_of_map(given: dict[str, Any]) -> dict[str, Any]:
    """Take from the options of a line those of a run for each row, as map() takes them."""
    names = ("map", "limit", "timeout", "max_tokens", "max_cost")
    read = Options(**{name: given.pop(name) for name in names}, reset=given["reset"])
    how = read.of_map()
    if read.map is None and given["out"] is not None:
        raise BadArguments("--out is for the rows of --map; write --map FILE with it")
    return how


def sweep_over(workflow: Workflow, path: str, inputs: dict[str, Any], how: dict[str, Any], *, out: str | None) -> Sweep:
    """Return the sweep over the rows of a file, or of stdin, which has not begun; raises what is wrong with it, or with `out`."""
    from ..storage.files import check_target, rows_of_data
    from ..sweep import mapped_by_line

    if out is not None:
        check_target(out)
        if Path(out).exists() and Path(path).exists() and Path(out).samefile(path):
            raise BadArguments(f"--out {out} is the file that is read, and would be written over; name another one")
    try:
        rows = rows_of_data(read_stdin(), "stdin") if path == STDIN else path
        sweep = mapped_by_line(workflow, rows, inputs, out=out, **how)
    except BadSetting as error:  # such as --limit 0
        raise BadArguments(str(error)) from None
    return sweep


def run_rows(sweep: Sweep, path: str, *, quiet: bool, out: str | None) -> None:
    """Run a workflow for each row of a file; exits with 1 where a row failed, or not all were done."""
    from ..swept import foot, head, like, stopped

    try:
        with redirect_stdout(sys.stderr), following(sweep, quiet=quiet):  # what a row prints is no part of what it gave
            sweep.wait()
        sweep.result()
    except KeyboardInterrupt:
        say(stopped(sweep, "the same command again"))
        if out is not None and sweep.progress.done + sweep.progress.failed:  # what was in the file stays where nothing is done
            say(f"{_written(sweep.table(), out)} that began by then are in {out}")
        raise
    table = sweep.table()
    if out is not None:
        _written(table, out)
    if manner().json:
        show_json({**document(sweep), **({"rows": list(table)} if out is None else {"out": out})})
    elif out is None and not quiet:
        show_table(table)
    if out is not None and not quiet:
        say_failures([(f"row {row.number}", row.error) for row in sweep.failures])
    failed = sweep.status != "completed" or bool(sweep.failures)
    if not quiet and not sweep.rows and not failed:
        say(f"{'stdin' if path == STDIN else repr(path)} has no rows: there is nothing to do")
    elif not quiet and (failed or not manner().json):
        say(click.style(head(sweep), fg=COLOURS[like(sweep)]) if failed else click.style(head(sweep), dim=True))
        say(click.style(foot(sweep, "the same command again").partition("; .df()")[0], dim=True))
    if failed:
        raise click.exceptions.Exit(FAILED)


@contextmanager
def following(sweep: Sweep | Afar, *, quiet: bool) -> Iterator[None]:
    """Show how far it is on stderr."""
    from ..swept.bar import Bar, Lines

    if quiet:
        yield
        return
    if sys.stderr.isatty():
        from rich.console import Console

        bar: Bar | Lines = Bar(sweep, Console(stderr=True))
    else:
        bar = Lines(sweep, say)
    bar.start()
    try:
        yield
    finally:
        bar.stop()


def say_failures(failures: Sequence[tuple[str, str | None]]) -> None:
    """Say which rows failed, and why: the first few of them."""
    for row, error in failures[:_FAILURES]:
        say(f"{click.style(f'{row} failed', fg=COLOURS['failed'])}: {brief(error or '')[:_LINE]}")
    if (more := len(failures) - _FAILURES) > 0:
        say(f"… and {more:,} more")


def document(sweep: Sweep | Afar) -> dict[str, Any]:
    """Return what became of a sweep, for a program."""
    progress = sweep.progress
    return {
        "workflow": sweep.workflow.name, "sweep": sweep.name, "status": sweep.status, "why": sweep.reason,
        "total": progress.total, "completed": progress.done, "hits": progress.hits, "failed": progress.failed,
        "stopped": progress.stopped, "tokens": progress.tokens, "cost": progress.cost, "seconds": progress.seconds,
    }  # fmt: skip


def _written(table: Table, out: str) -> str:
    """Write rows into a file; return how many these are."""
    from ..frames.columns import plain
    from ..storage.files import write_rows

    write_rows(out, table.columns, [_redacted(plain(row)) for row in table])
    return f"{len(table):,} row{'' if len(table) == 1 else 's'}"


def _redacted(value: Any) -> Any:
    from ..encoding import redacted

    return redacted(value)
