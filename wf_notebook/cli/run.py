"""`wf run`: a workflow of a notebook, in the terminal: with the same sessions, the same cache and the same options."""

from __future__ import annotations

import inspect as introspect
import shlex
import sys
from contextlib import nullcontext, redirect_stdout
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ..alone import REPORT
from ..errors import BadArguments, UnknownWorkflow
from ..ipynb.options import OPTIONS
from . import mapping
from .command import Command
from .completing import workflows
from .detached import begin, go_on_alone
from .failing import FAILED
from .inputs import RULES, STDIN, hints_of, read_inputs
from .manner import manner, say
from .showing import show_json
from .streaming import print_answer, stream, told
from .verbs import option

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..run import Run
    from ..workflow import Workflow

#: Options of %workflow that only a notebook has a use for, or that mean something else here.
_ONLY_THERE = {"no-run", "out", "help"}
#: What is said of an option here, where that is something else than in a notebook.
_SAID = {
    "session": "the session to load and save; left out, as the notebook has it: that of its line, WF_SESSION, or NAME",
    "storage": "where sessions are kept, likewise: duckdb:///runs.duckdb, sqlite:///runs.db, memory:",
    "quiet": "print nothing",
    "background": "return at once: the run goes on in a process of its own, also when the terminal is closed",
    "no-stream": "print the answer at the end, and nothing before",
    **mapping.OPTIONS,
}


def _run(
    notebook: str,
    words: tuple[str, ...],
    *,
    no_stream: bool,
    quiet: bool,
    background: bool,
    report_to: str | None,
    **options: Any,
) -> None:
    """Run the workflow NAME of a notebook, without a kernel; NAME may be left out where there is only one.

    Only what it needs of the notebook is executed. What it answers goes to stdout, what there is to say of the run to stderr.
    With --map, it is run for each row of a file: the rows that were done before come from the store, so after an interrupt the
    same command goes on where it was. The exit code is 1 where the run, or a row, failed.
    """
    if options["map"] == STDIN and (taken := next((each for each in words if each.partition("=")[2] == STDIN), None)):
        raise BadArguments(f"stdin is read once, and --map - has it; give {taken!r} otherwise, such as {taken[:-1]}@FILE")
    if background:
        given = {"no-stream": no_stream, "quiet": quiet, **options}
        begin(
            [*(_written(name, each) for name, each in given.items() if each), "--", notebook, *words], private=options["private"]
        )
        return
    rows, how = options["map"], mapping.options_of_map(options)
    workflow: Workflow | None = None
    try:
        with redirect_stdout(sys.stderr) if manner().json else nullcontext():
            workflow, inputs = _asked(notebook, words, options, of_a_row=rows is not None)
            sweep = None if rows is None else mapping.sweep_over(workflow, rows, inputs, how, out=options["out"])
            if report_to is not None:
                go_on_alone(Path(report_to), workflow, maps=rows is not None)
        if sweep is not None:
            mapping.run_rows(sweep, rows, quiet=quiet, out=options["out"])
            return
        with redirect_stdout(sys.stderr) if manner().json else nullcontext():
            answer = _performed(workflow, inputs, shown=not (no_stream or quiet or manner().json))
    except BaseException:
        if manner().json and workflow is not None and workflow.last_run is not None:
            show_json(_document(workflow.last_run, None))  # what went wrong is said on stderr besides
        raise
    run: Run | None = workflow.last_run
    if manner().json:
        show_json(_document(run, answer))
    elif no_stream and not quiet:
        print_answer(answer)
    if run is not None and run.status != "completed":
        say(told(run))
        raise click.exceptions.Exit(FAILED)
    if run is not None and not quiet and not manner().json:
        say(click.style(told(run), dim=True))


def _written(option: str, value: str | bool) -> str:
    name = option.replace("_", "-")
    return f"--{name}" if value is True else f"--{name}={value}"


def _asked(path: str, words: Sequence[str], options: dict[str, Any], *, of_a_row: bool) -> tuple[Workflow, dict[str, Any]]:
    """Return the workflow that is named, and its inputs; what a row gives besides may be missing."""
    from ..ipynb.loading import load_notebook
    from ..ipynb.workflows import missing, needs, written

    if options["fresh"] and options["cache"] not in {None, "refresh"}:
        raise BadArguments(f"--fresh is --cache refresh, and --cache {options['cache']} is something else; write one of them")
    notebook = load_notebook(path)
    has_name = bool(words) and "=" not in words[0]
    name = words[0] if has_name else only(notebook.names, path)
    workflow = notebook.workflow(
        name,
        session=options["session"],
        storage=options["storage"],
        cache="refresh" if options["fresh"] else options["cache"],
        as_main=True,
    )
    inputs = read_inputs(words[1:] if has_name else words, hints_of(written(type(workflow))))
    if not of_a_row and (absent := missing(type(workflow), inputs, name)):
        needed = needs(type(workflow), name, absent)
        needed.args = (str(needed).replace("%workflow ", f"wf run {shlex.quote(path)} "),)
        raise needed
    if options["reset"]:
        workflow.session.reload()
        workflow.session_state.clear()
    workflow.private = options["private"] or workflow.private
    return workflow, inputs


def only(names: Sequence[str], path: str, verb: str = "run") -> str:
    """Return the name of the one workflow that a notebook has; UnknownWorkflow where there is none, or one is to be named."""
    if len(names) == 1:
        return names[0]
    there = f"it has {', '.join(map(repr, names))}; name one: wf {verb} {path} {names[0]}" if names else "it defines none"
    raise UnknownWorkflow(f"which workflow of {path!r} is not said, and {there}")


def _performed(workflow: Workflow, inputs: dict[str, Any], *, shown: bool) -> Any:
    """Run a workflow, shown while it goes on or not; return what it answered. What was said before an interrupt is saved."""
    from .. import background
    from ..ipynb.workflows import method
    from ..stream import RunStream

    answer = method(workflow)(**inputs)
    if introspect.iscoroutine(answer):
        answer = background.call(answer)
    if not isinstance(answer, RunStream):
        if shown:
            print_answer(answer)
        return answer
    try:
        if shown:
            stream(answer)
    except BaseException:
        if answer.run.status == "running":  # interrupted between two responses
            answer.stop()
            for _ in answer:
                pass
        say(told(answer.run))
        raise
    return answer.result()


def _document(run: Run | None, answer: Any) -> dict[str, Any]:
    """Return a run and its answer for a program."""
    from ..frames.columns import plain
    from ..render.made import counts

    about = {} if run is None else {**plain(run), **counts(run)}
    if answer is None:
        return about
    return {**about, "content": [each.content for each in answer] if isinstance(answer, list) else answer.content}


run = Command(
    "run",
    examples=(
        "wf run report.ipynb digest text='one two three four'",
        "wf run report.ipynb digest text=@notes.txt -s trial --fresh",
        "echo 'one two' | wf run report.ipynb digest text=- --json",
        "wf run report.ipynb digest text='one two three' --background",
        "wf run report.ipynb digest --map texts.csv --limit 4 --out results.csv",
        "wf run report.ipynb digest --map - < texts.csv",
    ),
    params=[
        click.Argument(["notebook"], metavar="NOTEBOOK", type=click.Path()),
        click.Argument(["words"], nargs=-1, metavar="[NAME] [INPUT=VALUE …]", shell_complete=workflows),
        option(mapping.TARGET),
        *(option(each._replace(help=_SAID.get(each.name, each.help))) for each in OPTIONS if each.name not in _ONLY_THERE),
        click.Option([REPORT], hidden=True),
    ],
    callback=_run,
    help=f"{introspect.cleandoc(_run.__doc__ or '')}\n\n{RULES}",
    short_help="Run a workflow of a notebook, without a kernel.",
)
