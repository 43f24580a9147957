"""How a command speaks: for people or as JSON, in colours where it is a terminal, and with a traceback where one is wanted."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, TextIO

import click

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True)
class Manner:
    """What was asked for on the line, of all commands alike."""

    json: bool = False
    traceback: bool = False

    @classmethod
    def of(cls, arguments: Sequence[str]) -> Manner:
        """Read it off the arguments, before a command has understood them: what stands against that is told so, too.

        >>> Manner.of(["runs", "--json"]), Manner.of(["sql", "--", "--json"])
        (Manner(json=True, traceback=False), Manner(json=False, traceback=False))
        """
        own = arguments[: arguments.index("--")] if "--" in arguments else arguments
        return cls("--json" in own, "--traceback" in own or os.environ.get("WF_DEBUG", "") not in {"", "0"})


def manner() -> Manner:
    """Return how the command that runs now speaks."""
    found: Manner | None = click.get_current_context().find_root().find_object(Manner)
    return found or Manner()


def has_colours(stream: TextIO) -> bool:
    """Say whether a stream is a terminal that shows colours, and nobody refused them: see no-color.org."""
    return stream.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def say(line: str) -> None:
    """Say something beside what a command gives: on stderr, so that it is in no pipe and in no JSON."""
    click.echo(line, err=True, color=has_colours(sys.stderr))
