"""`wf attach`: a run that goes on in another process, followed in the terminal."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import click

from ..verbs.following import EVERY, followed, meant
from ..verbs.table import Verb
from .failing import FAILED, INTERRUPTED
from .manner import manner, say
from .mapping import document, following, say_failures
from .showing import COLOURS, show_json
from .streaming import stream, told
from .verbs import asked, command

if TYPE_CHECKING:
    from ..run import Run
    from ..swept import Afar
    from ..verbs.asked import Asked
    from .command import Command


def _wait(seconds: float) -> None:
    time.sleep(seconds)


def _run_id(asked: Asked) -> str:
    return meant(asked, "attach")[0]


def _attach(verb: Verb, words: tuple[str, ...], **options: Any) -> None:
    from ..swept import Afar, is_sweep

    line, lines = asked(words, **options)
    run_id: str = verb.do(line)
    for each in lines:
        say(each)
    if is_sweep(begun := line.storage().run(run_id)):
        _attach_sweep(Afar(line.storage(), begun))
        return
    run: list[Run] = []
    responses = followed(line.storage(), run_id, wait=_wait, seen=run.append)
    try:
        if manner().json:
            list(responses)
        else:
            stream(responses)
    except KeyboardInterrupt:
        say(f"the run goes on; wf attach {run_id[:8]} follows it again")
        raise click.exceptions.Exit(INTERRUPTED) from None
    if manner().json:
        show_json(run[-1])
    else:
        say(click.style(told(run[-1]), dim=True))
    if run[-1].status != "completed":
        raise click.exceptions.Exit(FAILED)


def _attach_sweep(sweep: Afar) -> None:
    """Follow a sweep until its end; exits with 1 where a row failed, or not all were done."""
    from ..swept import foot, head, like

    run_id = sweep.run.run_id[:8]
    try:
        with following(sweep, quiet=manner().json):
            while sweep.status == "running":
                _wait(EVERY)
                sweep.heard()
    except KeyboardInterrupt:
        say(f"the sweep goes on; wf attach {run_id} follows it again")
        raise click.exceptions.Exit(INTERRUPTED) from None
    if manner().json:
        show_json(document(sweep))
    else:
        failures = sweep.failures if sweep.progress.failed else []
        say_failures([(f"session {run.session_id}", run.error) for run in failures])
        say(click.style(head(sweep), **({"dim": True} if sweep.is_whole else {"fg": COLOURS[like(sweep)]})))
        say(click.style(foot(sweep), dim=True))
    if not sweep.is_whole:
        raise click.exceptions.Exit(FAILED)


def attach() -> Command:
    """Return the command."""
    verb = Verb("attach", "[RUN]", "follow a run that goes on in another process; left out, the only one", _run_id, ())
    made = command(verb, _attach)
    made.examples = ("wf attach",)
    return made
