"""`wf replay`: a run said again in the terminal, as it was: from the store, no model is asked."""

from __future__ import annotations

import shlex
import time
from typing import TYPE_CHECKING, Any

import click

from ..accounts import account_of
from ..errors import BadArguments
from ..verbs.looking import run_id
from ..verbs.replaying import paced
from ..verbs.table import Verb
from .manner import manner, say
from .showing import show_json
from .streaming import stream, told
from .verbs import asked, command

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..events import RunResponse
    from ..run import Run
    from ..verbs.asked import Asked
    from .command import Command


def _run_of(line: Asked) -> Run:
    run: Run = line.storage().run(run_id(line))
    if (name := account_of(run.session_id, run.workflow)) is not None:
        rows = f"wf runs -s {shlex.quote(name)}" if run.inputs.get("session") == "one" else f"wf sessions {shlex.quote(name)}/"
        raise BadArguments(
            f"run {run.run_id[:8]} is a sweep, which says nothing itself; wf show {run.run_id[:8]} shows its record, "
            f"{rows} lists its rows, and wf replay plays one of these"
        )
    return run


def _replay(verb: Verb, words: tuple[str, ...], *, fast: bool, **options: Any) -> None:
    line, lines = asked(words, **options)
    run: Run = verb.do(line)
    for each in lines:
        say(each)
    if manner().json:
        said = run.told.moments() if run.told is not None else ()
        show_json([{"at": at, **response.to_dict()} for at, response in said])
        return
    stream(_played(run, fast=fast))
    say(click.style(told(run), dim=True))


def _played(run: Run, *, fast: bool) -> Iterator[RunResponse]:
    for pause, response in paced(run):
        if pause and not fast:
            time.sleep(pause)
        yield response


def replay() -> Command:
    """Return the command."""
    verb = Verb("replay", "[RUN]", "play a run again as it was, from the store: no model is asked", _run_of)
    fast = click.Option(["--fast"], is_flag=True, help="without its pauses")
    made = command(verb, _replay, [fast])
    made.examples = ("wf replay", "wf replay --fast")
    return made
