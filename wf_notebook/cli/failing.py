"""How a command ends: what went wrong in one line with its remedy, and the exit code."""

from __future__ import annotations

import json
import os
import sys
import traceback
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ..errors import (
    BadArguments,
    BadRows,
    CellFailed,
    MissingInput,
    OutputsDiffer,
    UnknownInput,
    UnknownOption,
    UnknownVerb,
    WorkflowError,
)
from ..nearest import did_you_mean
from ..place import LIBRARIES
from .manner import has_colours
from .wording import in_a_shell

if TYPE_CHECKING:
    from .manner import Manner

#: Exit codes: what failed, what was written wrongly, what was interrupted (as shells have it: 128 and the signal).
FAILED, USAGE, INTERRUPTED = 1, 2, 130
#: Errors that quote cells of a notebook, which are as they are there.
_OF_CELLS = (CellFailed, OutputsDiffer)
#: Errors of ours that are about the line that was written.
_OF_USAGE = (BadArguments, BadRows, MissingInput, UnknownInput, UnknownOption, UnknownVerb, click.UsageError)


def ended(error: BaseException, manner: Manner) -> int:
    """Say on stderr what ended a command; return its exit code."""
    if isinstance(error, KeyboardInterrupt | click.Abort):
        _tell("interrupted", "KeyboardInterrupt", manner)
        return INTERRUPTED
    if isinstance(error, BrokenPipeError):
        _let_go()
        return 0  # who reads has had enough: `wf runs | head -1`
    if manner.traceback and not isinstance(error, click.UsageError):
        traceback.print_exception(error, file=sys.stderr)
    elif (frames := _users_frames(error)) and not manner.json:
        click.echo("".join(["Traceback (most recent call last):\n", *traceback.format_list(frames)]), err=True, nl=False)
        click.echo("".join(traceback.format_exception_only(error)), err=True, nl=False)
        return FAILED
    from ..readable import harmless

    text = harmless(_text(error) if isinstance(error, _OF_CELLS) else in_a_shell(_text(error)))
    notes = [note if isinstance(error, _OF_CELLS) else in_a_shell(note) for note in getattr(error, "__notes__", ())]
    _tell(text, _kind(error), manner, notes)
    return USAGE if isinstance(error, _OF_USAGE) else FAILED


def _users_frames(error: BaseException) -> list[traceback.FrameSummary]:
    """Return where an exception of the user's own code came up, without our frames; nothing for an error of ours."""
    if isinstance(error, WorkflowError | click.ClickException):
        return []
    others = (str(Path(__file__).parents[1]), str(Path(click.__file__).parent), *LIBRARIES)
    return [frame for frame in traceback.extract_tb(error.__traceback__) if not frame.filename.startswith(others)]


def _tell(text: str, kind: str, manner: Manner, notes: list[str] | None = None) -> None:
    if manner.json:
        click.echo(json.dumps({"error": text, "kind": kind} | ({"notes": notes} if notes else {}), ensure_ascii=False), err=True)
        return
    click.echo("\n".join([f"{click.style('Error', fg='red')}: {text}", *(notes or ())]), err=True, color=has_colours(sys.stderr))


def _kind(error: BaseException) -> str:
    if isinstance(error, click.NoSuchOption):
        return "UnknownOption"
    return "BadArguments" if isinstance(error, click.UsageError) else type(error).__name__


def _text(error: BaseException) -> str:
    """Return an error in one line with its remedy."""
    if isinstance(error, click.NoSuchOption):
        command = error.ctx.command_path if error.ctx else "wf"
        known = [option for each in error.ctx.command.get_params(error.ctx) for option in each.opts] if error.ctx else []
        return f"no option {error.option_name!r}{did_you_mean(error.option_name, known) or f'; {command} -h shows them'}"
    if isinstance(error, click.UsageError):
        text = error.format_message().rstrip(".")
        return f"{text[:1].lower()}{text[1:]}; {error.ctx.command_path if error.ctx else 'wf'} -h shows what to write"
    if isinstance(error, click.ClickException):
        return error.format_message()
    if isinstance(error, WorkflowError):
        return str(error)
    where = "" if isinstance(error, OSError) else "; WF_DEBUG=1 shows where"
    return f"{type(error).__name__}: {error}{where}"


def _let_go() -> None:
    """Write no more to a stdout that nobody reads: Python would try once more at its end."""
    try:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except (OSError, ValueError):  # it is no file, or is closed already
        return
