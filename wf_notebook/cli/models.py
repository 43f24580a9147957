"""`wf models` says which models are here, `wf models pull` fetches the small local one."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Self, TypedDict

import click

from .command import Command, Group
from .showing import show_lines

if TYPE_CHECKING:
    from ..agents.files import ModelFile

#: How to get what runs local models.
LOCAL = "pip install 'wf-notebook[local]'"


def _models() -> None:
    """List the models that are here; `wf models pull NAME` fetches one."""
    if click.get_current_context().invoked_subcommand is None:
        known = at_hand()
        show_lines(report(known), known)


def _pull(name: str, *, force: bool) -> None:
    """Fetch the local model NAME (smollm2): verified, and whole or not at all."""
    from ..agents.files import MODEL_FILES
    from ..agents.pull import pull as fetch
    from ..errors import UnknownModel
    from ..nearest import did_you_mean

    file = MODEL_FILES.get(name.removeprefix("local:"))
    if file is None:
        hint = did_you_mean(name, MODEL_FILES) or f"; what can be pulled: {', '.join(MODEL_FILES)}"
        raise UnknownModel(f"no model named {name!r}{hint}")
    if file.is_there and not force:
        show_lines([f"{file.name} is here: {file.path}"], {"model": file.name, "file": str(file.path), "fetched": False})
        return
    with _Bar(file) as bar:
        path = fetch(file, force=force, progress=bar.show, say=bar.say)
    show_lines([f"{file.name} is here now: {path}"], {"model": file.name, "file": str(path), "fetched": True})


models = Group("models", examples=("wf models", "wf models --json"), callback=_models, help=_models.__doc__)
models.add_command(
    Command(
        "pull",
        examples=("wf models pull smollm2",),
        params=[
            click.Argument(["name"], default="smollm2"),
            click.Option(["--force"], is_flag=True, help="fetch it again, also when it is there"),
        ],
        callback=_pull,
        help=_pull.__doc__,
    )
)


class AtHand(TypedDict):
    """What runs an agent here: the models on this machine by name, the keys of providers, and what is used."""

    folder: str
    local: dict[str, str]
    can_pull: dict[str, int]
    runs_local: bool
    keys: dict[str, bool]
    used: str | None
    by: str


def at_hand() -> AtHand:
    """Return what is on this machine, which keys are set, and what is used when nothing is said."""
    from ..agents.files import DEFAULT, MODEL_FILES, can_run_locally, folder, local_files
    from ..models import PROVIDERS

    there, runs, chosen = local_files(), can_run_locally(), os.environ.get("WF_MODEL")
    return {
        "folder": str(folder()),
        "local": {name: str(path) for name, path in there.items()},
        "can_pull": {name: file.size for name, file in MODEL_FILES.items() if name not in there},
        "runs_local": runs,
        "keys": {kind.key_variable: bool(os.environ.get(kind.key_variable)) for kind in PROVIDERS},
        "used": chosen or (f"local:{DEFAULT.name}" if DEFAULT.is_there and runs else None),
        "by": "WF_MODEL" if chosen else "default",
    }


def report(known: AtHand) -> list[str]:
    """Return the lines of `wf models`."""
    from ..models import PROVIDERS

    lines = [f"On this machine, in {known['folder']}:"]
    for name, path in known["local"].items():
        lines.append(f"  local:{name:12} {Path(path).stat().st_size / 1e6:6.0f} MB  {Path(path).name}")
    for name, size in known["can_pull"].items():
        lines.append(f"  local:{name:12} {size / 1e6:6.0f} MB  not here yet: wf models pull {name}")
    lines.append(f"  xllamacpp, which runs them, is {'installed' if known['runs_local'] else 'missing: ' + LOCAL}")
    lines.append("By their providers:")
    for kind in PROVIDERS:
        state = "set" if known["keys"][kind.key_variable] else "not set"
        lines.append(f"  {kind.provider.removesuffix('-chat') + ':…':15}{kind.key_variable} is {state}")
    why = "by WF_MODEL" if known["by"] == "WF_MODEL" else "WF_MODEL is not set"
    lines.append(f"An agent without model= uses {known['used'] or 'none, and says what to do'} ({why}).")
    return lines


class _Bar:
    """The progress of a download on stderr: a bar in a terminal, a line now and then elsewhere."""

    def __init__(self, file: ModelFile) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn, TransferSpeedColumn

        self._file = file
        self._console = Console(stderr=True)
        columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn(), TimeRemainingColumn())
        self._progress = Progress(*columns, console=self._console, transient=True, disable=not self._console.is_terminal)
        self._task = self._progress.add_task(f"fetching {file.name}", total=file.wheel_size)
        self._said = -1

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    def show(self, done: int) -> None:
        """Show that so many bytes are here."""
        self._progress.update(self._task, completed=done)
        quarter = 4 * done // self._file.wheel_size
        if not self._console.is_terminal and quarter != self._said:
            self._said = quarter
            click.echo(f"fetching {self._file.name}: {done / 1e6:.0f} of {self._file.wheel_size / 1e6:.0f} MB", err=True)

    def say(self, line: str) -> None:
        """Say a line beside the bar."""
        self._progress.console.print(line, markup=False, highlight=False, soft_wrap=True)
