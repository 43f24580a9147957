"""`wf doctor`: whether what we need is here and works, a line for each thing, with a remedy where it does not."""

from __future__ import annotations

import sys
from itertools import groupby
from typing import TYPE_CHECKING

import click

from ..command import Command
from ..failing import FAILED
from ..manner import has_colours, manner
from ..showing import show_json
from .check import SIGNS, Check

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Check", "doctor"]


def _checks(storage: str | None) -> Iterator[Check]:
    from .front_end import front_end
    from .model import model
    from .store import store
    from .versions import versions

    yield from versions()
    yield from model()
    yield from store(storage)
    yield from front_end()


def _doctor(storage: str | None) -> None:
    """Look at versions, model, store and front end: what does not work is told with a remedy, and ends with 1."""
    found = []
    if manner().json:
        found = list(_checks(storage))
        show_json([each._asdict() for each in found])
    else:
        for about, checks in groupby(_checks(storage), key=lambda each: each.about):
            click.echo(click.style(about, bold=True), color=has_colours(sys.stdout))
            for each in checks:
                found.append(each)
                click.echo(click.style(f"  {each}", fg=SIGNS[each.state][1]), color=has_colours(sys.stdout))
    if failed := sum(each.state == "failed" for each in found):
        if not manner().json:
            click.echo(f"{failed} of {len(found)} {'does' if failed == 1 else 'do'} not work", err=True)
        raise click.exceptions.Exit(FAILED)


doctor = Command(
    "doctor",
    examples=("wf doctor", "wf doctor --json"),
    params=[click.Option(["--storage"], metavar="URL", help="the store that is looked at; left out, the default one")],
    callback=_doctor,
    help=_doctor.__doc__,
    short_help="Look at versions, model, store and front end.",
)
