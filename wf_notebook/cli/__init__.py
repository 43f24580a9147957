"""cli: the command `wf`: sessions, runs and notebooks from a terminal, in the words of %wf."""

from __future__ import annotations

import click

from .attach import attach
from .command import Main
from .compare import compare
from .doctor import doctor
from .inspect import inspect
from .models import models
from .port import port
from .replay import replay
from .rerun import rerun
from .run import run
from .status import status
from .verbs import commands

_LOOKING = (
    "sessions",
    "inspect",
    "state",
    "runs",
    "events",
    "show",
    "attach",
    "replay",
    "why",
    "takes",
    "versions",
    "diff",
    "sql",
)
_NOTEBOOKS = ("export", "status", "stop")
_verbs: dict[str, click.Command] = {
    **commands(),
    "inspect": inspect(),
    "attach": attach(),
    "replay": replay(),
    "status": status(),
}

#: The commands, by what they are about.
SECTIONS: dict[str, list[click.Command]] = {
    "Work with notebooks": [run, rerun, compare, *(_verbs.pop(name) for name in _NOTEBOOKS if name in _verbs), port],
    "Look at sessions": [_verbs.pop(name) for name in _LOOKING],
    "Change sessions": list(_verbs.values()),
    "This machine": [models, doctor],
}

main = click.version_option(package_name="wf-notebook", prog_name="wf")(
    Main("wf", SECTIONS, help="Sessions, runs and notebooks of language-model workflows, from a terminal.")
)
