"""What a command gives, on stdout: one style of table for people, in colours on a terminal; or one JSON document."""

from __future__ import annotations

import json
import math
import sys
from typing import TYPE_CHECKING, Any

import click

from .manner import has_colours, manner
from .wording import in_a_shell

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from ..diffs import Diff
    from ..frames import Column, Table
    from ..run import Run

#: Rows that are shown on a terminal; a pipe and --json have all.
ROWS = 40
#: The width of a table that goes into a pipe: as wide as it is.
_PIPE = 10_000
#: The colour repeats the sign and the word.
COLOURS = {"completed": "green", "failed": "red", "running": "blue", "stopped": "yellow", "lost": "yellow"}
#: With this begins how a sweep stands that is done but for some rows.
_WARNS = "⚠"
#: What was added, removed and changed.
SIGNS = {"+": "green", "-": "red", "~": "blue"}


def show(value: Any, told: Sequence[str] = ()) -> None:
    """Show what a verb gave, by what it is; where it gave nothing, what it told: what was done."""
    from ..diffs import Diff
    from ..frames import Table, versions_table
    from ..history import Versions
    from ..run import Run
    from ..session import Session

    if value is None or isinstance(value, Session):
        done = {"session_id": value.session_id, "version": value.version} if isinstance(value, Session) else {}
        show_lines(told, {**done, "done": list(told)})
    elif isinstance(value, Versions):
        show_table(versions_table(value[::-1], told=not manner().json))
    elif isinstance(value, Table):
        show_table(value)
    elif isinstance(value, Diff):
        _show_diff(value)
    elif isinstance(value, Run):
        _show_run(value)
    else:
        show_lines([in_a_shell(str(value))], value)


def show_table(table: Table) -> None:
    """Show a table."""
    if manner().json:
        show_json(list(table))
        return
    terminal = sys.stdout.isatty()
    text = table.titled(in_a_shell(table.title)).text(
        room=None if terminal else _PIPE, rows=ROWS if terminal else None, paint=_painted
    )
    click.echo(text, color=has_colours(sys.stdout))


def _painted(text: str, column: Column, value: Any) -> str:
    from ..readable import harmless

    text = harmless(text)  # what is in a session does not steer a terminal
    if not (said := text.rstrip()) or not (value is None or column.kind == "status"):
        return text
    colour = COLOURS["stopped"] if said.startswith(_WARNS) else COLOURS.get(value)
    return click.style(said, bold=True if value is None else None, fg=colour) + text[len(said) :]


def _show_diff(diff: Diff) -> None:
    from ..frames import diff_table
    from ..readable import harmless

    if manner().json:
        show_json({"before": diff.before, "after": diff.after, "differences": list(diff_table(diff))})
        return
    head, *lines = harmless(_redacted(str(diff))).splitlines()
    click.echo("\n".join([head, *(click.style(line, fg=SIGNS.get(line[:1])) for line in lines)]), color=has_colours(sys.stdout))


def _show_run(run: Run) -> None:
    if manner().json:
        show_json(run)
        return
    from ..render.terminal import print_record

    print_record(run, whole=True)


def show_lines(lines: Iterable[str], document: Any) -> None:
    """Show lines; as JSON a document."""
    if manner().json:
        show_json(document)
        return
    for line in lines:
        click.echo(line, color=has_colours(sys.stdout))


def show_json(document: Any) -> None:
    """Print a document: times in ISO 8601, what JSON has no word for as it prints, no number (NaN) as null, and no secrets."""
    from ..frames.columns import plain

    escaped = (sys.stdout.encoding or "").lower() not in {"utf-8", "utf8"}
    click.echo(_redacted(json.dumps(_finite(plain(document)), ensure_ascii=escaped, indent=2)))


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_finite(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _redacted(text: str) -> str:
    from ..redact import redact

    return redact(text)
