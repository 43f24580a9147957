"""The verbs of %wf that need no kernel, each a command: made from their one table, with the same words and options."""

from __future__ import annotations

import sys
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ..errors import BadArguments, UnknownSession
from ..nearest import did_you_mean
from ..run import logger
from ..verbs.asked import Asked, rows_in_words
from ..verbs.table import HELP, VERBS, options_of
from .command import Command
from .completing import sessions
from .manner import manner, say
from .showing import show
from .wording import ONLY_THERE, in_a_shell

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ..ipynb.options import Option
    from ..verbs.table import Verb

#: Examples of each; a test runs them one after the other, from above to below.
EXAMPLES: dict[str, tuple[str, ...]] = {
    "sessions": ("wf sessions", "wf sessions --json", "wf sessions --all-users"),
    "state": ("wf state", "wf state posts -s demo"),
    "runs": ("wf runs -s demo",),
    "events": ("wf events",),
    "show": ("wf show",),
    "why": ("wf why",),
    "takes": ("wf takes -s demo",),
    "use": ("wf use 1 -s demo",),
    "forget": ("wf forget -s demo",),
    "versions": ("wf versions -s demo",),
    "diff": ("wf diff 1 2 -s demo", "wf diff demo:1 demo"),
    "restore": ("wf restore 1 -s demo", "wf delete demo && wf restore --deleted demo"),
    "fork": ("wf fork second --at 1 -s demo",),
    "rename": ("wf rename My first blog -s demo",),
    "delete": ("wf delete second", "wf delete second --purge --yes"),
    "export": ("wf export demo -o demo.ipynb", "wf export demo --format md --force"),
    "share": ("wf share trial bob", "wf share trial"),
    "unshare": ("wf unshare trial bob", "wf unshare trial"),
    "copy": (
        "wf copy demo --to sqlite:///team.db",
        "wf copy demo --to sqlite:///team.db --as demo-2",
        "wf copy --all --to sqlite:///team.db",
    ),
    "status": ("wf status", "wf status report.ipynb"),
    "stop": ("wf stop",),
    "sql": ('wf sql "SELECT session_id, status FROM runs"', "wf sql --json < query.sql"),
}
#: Verbs that have a room of their own.
_OF_THEIR_OWN = {"inspect", "status"}
#: Verbs after which a session may be named.
_OF_SESSIONS = {"sessions", "inspect", "runs", "delete", "export", "copy", "share", "unshare", "diff"}
#: What is said of a verb here, where that is something else than in a notebook.
_SAID = {"sql": "ask the views by SQL: on the line, or from stdin"}


def commands() -> dict[str, Command]:
    """Return a command for each verb that can be done from here, in the order of their table."""
    special = {"sql": _sql, "delete": _delete}
    return {
        verb.name: special.get(verb.name, command)(verb) for verb in VERBS if verb.name not in {*ONLY_THERE, "inspect", "status"}
    }


def command(verb: Verb, do: Callable[..., Any] | None = None, more: Sequence[click.Parameter] = ()) -> Command:
    """Return a verb as a command; `do` is given the verb and what was written, and does something else with them."""
    offered = sessions if verb.name in _OF_SESSIONS else None
    words = click.Argument(["words"], nargs=-1, metavar=verb.usage or "", required=False, shell_complete=offered)
    options = [option(each) for each in options_of(verb) if each != HELP and each.metavar != "VAR"]
    text = in_a_shell(_SAID.get(verb.name, verb.help))
    text = f"{text[:1].upper()}{text[1:]}."
    return Command(
        verb.name,
        examples=EXAMPLES.get(verb.name, ()),
        params=[words, *options, *more],
        callback=partial(do or _done, verb),
        help=text,
        short_help=text,
    )


def option(each: Option) -> click.Option:
    """Return an option of the magics as one of a command."""
    names = [f"--{each.name}", *([f"-{each.short}"] if each.short else [])]
    if each.metavar is None:
        return click.Option(names, is_flag=True, help=in_a_shell(each.help))
    offered = sessions if each.metavar == "ID" else None
    return click.Option(names, metavar=each.metavar, help=in_a_shell(each.help), shell_complete=offered)


def asked(words: Sequence[str] = (), text: str = "", *, anywhere: bool = False, **options: Any) -> tuple[Asked, list[str]]:
    """Return what a line asks for, and the list in which there will be what is told of it.

    `anywhere` is for what needs no store here: its words say where.
    """
    if not anywhere:
        _check_there(options.get("storage"))
    told: list[str] = []
    given = {name: value for name, value in options.items() if value is not None and value is not False}
    return Asked({}, tuple(words), given, text, say=lambda line: told.append(in_a_shell(str(line)))), told


def _check_there(url: str | None) -> None:
    """Raise UnknownSession where there is no store to look at: who looks makes none, and is told of a wrong name."""
    from ..storage import default_url_there, is_postgres

    if url is None:
        if default_url_there() is None:
            raise UnknownSession("there are no sessions here or in a folder above; run a workflow, or say where: --storage URL")
        return
    scheme, in_file, file = url.partition(":///")
    if not in_file or not file or is_postgres(url) or (path := Path(file).expanduser()).exists():
        return
    near = did_you_mean(path.name, [each.name for each in path.parent.glob("*")]) if path.parent.is_dir() else ""
    raise UnknownSession(f"there is no file {file!r}{near or f'; name one that is there: --storage {scheme}:///FILE'}")


def perform(verb: Verb, line: Asked, told: Sequence[str]) -> None:
    """Do a verb and show what it gives: what was told beside that goes to stderr, as does all of it where it fails."""
    gives_nothing = False
    classes = logger.getChild("codec")  # of cells are none here: what is shown says of which a value is
    classes.disabled = True
    try:
        value = verb.do(line)
        gives_nothing = value is None or bool(told and _is_done(value))
        show(value, told)
    finally:
        classes.disabled = False
        if not gives_nothing or manner().json:
            for each in told:
                say(each)


def _is_done(value: Any) -> bool:
    from ..session import Session

    return isinstance(value, Session)


def _done(verb: Verb, words: tuple[str, ...], **options: Any) -> None:
    perform(verb, *asked(words, **options))


def _sql(verb: Verb) -> Command:
    def do(verb: Verb, words: tuple[str, ...], **options: Any) -> None:
        line, told = asked((), query(words), **options)
        perform(verb, line, told)
        if line.namespace:
            raise BadArguments("-o VAR is for a notebook; write the table into a file: wf sql … --json > rows.json")

    return command(verb._replace(usage='["SELECT …"]'), do)


def query(words: Sequence[str]) -> str:
    """Return the query that is on the line, or on stdin."""
    if words and list(words) != ["-"]:
        return " ".join(words)
    if sys.stdin is None or sys.stdin.isatty():
        raise BadArguments('write the query: wf sql "SELECT * FROM sessions", or give it on stdin: wf sql < query.sql')
    return sys.stdin.read()


def _delete(verb: Verb) -> Command:
    def do(verb: Verb, words: tuple[str, ...], *, yes: bool, **options: Any) -> None:
        if not (words or options.get("session")):
            raise BadArguments("which session is not said: wf delete ID; wf sessions lists them")
        line, told = asked(words, **options)
        if options.get("purge") and not yes:
            named = words[0] if len(words) == 1 else line.meant()
            rows = line.rows(named, deleted=None)
            what = rows_in_words(rows, named) if rows else f"session {named!r}"
            confirmed(f"erase {what}, with {'their' if rows else 'its'} versions, runs and events? This cannot be undone.")
        perform(verb, replace(line), told)

    yes = click.Option(["--yes", "-y"], is_flag=True, help="do not ask before something is erased")
    return command(verb, do, [yes])


def confirmed(question: str) -> None:
    """Ask on the terminal, and go on if the answer is yes; raises BadArguments where nobody answers so."""
    click.echo(f"{question} [y/N] ", nl=False, err=True)
    said = sys.stdin.readline() if sys.stdin else ""
    if not said:
        click.echo(err=True)
    if said.strip().lower() not in {"y", "yes"}:
        raise BadArguments("nothing is erased; answer y, or write --yes")


def new_file(path: Path, *, force: bool) -> Path:
    """Return a path that may be written. Raises BadArguments where something lies there, and nobody said --force."""
    if path.exists() and not force:
        raise BadArguments(f"{str(path)!r} is there already; write --force to replace it, or name another file")
    return path
