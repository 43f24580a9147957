"""`wf port`: the import lines of code that was written for Agno become ours; what stays is named with a remedy."""

from __future__ import annotations

import sys

import click

from .command import Command
from .manner import has_colours, manner, say
from .showing import SIGNS, show_json


def _port(file: str, *, write: bool) -> None:
    """Show which import lines of a Python file or a notebook change, coming from Agno; --write changes them.

    What has no counterpart here stays as it is, and is told with its line and what to do about it.
    """
    from ..porting import port_file

    done = port_file(file, write=write)
    if manner().json:
        show_json({**done.as_dict(), "diff": done.diff, "written": write and bool(done.changed)})
        return
    for line in done.diff.splitlines(keepends=True):
        coloured = click.style(line, fg=SIGNS[line[0]]) if line[0] in SIGNS and not line.startswith(("+++", "---")) else line
        click.echo(coloured, nl=False, color=has_colours(sys.stdout))
    for left in done.left:
        say(str(left))
    count = f"{len(done.changed)} import{'' if len(done.changed) == 1 else 's'}"
    if not done.changed:
        say("no import changes" if done.left else f"nothing in {file} is of Agno")
    elif write:
        say(f"{count} of {file} changed")
    else:
        say(f"{count} of {file} would change; write --write to do so")


port = Command(
    "port",
    examples=("wf port agents.py", "wf port agents.py --write"),
    params=[
        click.Argument(["file"], metavar="FILE", type=click.Path()),
        click.Option(["--write"], is_flag=True, help="change the file, as a whole or not at all"),
    ],
    callback=_port,
    help=_port.__doc__,
    short_help="Change the imports of code that was written for Agno.",
)
