"""The command line: `wf models` says which models are here, `wf models pull` fetches the small local one."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Self

import click

from .errors import WorkflowError

if TYPE_CHECKING:
    from .agents.files import ModelFile

#: How to get what runs local models.
LOCAL = "pip install 'wf-notebook[local]'"


class _OneLine(click.Group):
    """A group whose commands fail in one line."""

    def invoke(self, ctx: click.Context) -> object:
        try:
            return super().invoke(ctx)
        except WorkflowError as error:
            raise click.ClickException(str(error)) from error


@click.group(cls=_OneLine, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="wf-notebook", prog_name="wf")
def main() -> None:
    """Workflows of language models in Jupyter: what can be done from the terminal."""


@main.group(invoke_without_command=True)
@click.pass_context
def models(ctx: click.Context) -> None:
    """List the models that are here; `wf models pull NAME` fetches one."""
    if ctx.invoked_subcommand is None:
        for line in report():
            click.echo(line)


@models.command()
@click.argument("name", default="smollm2")
@click.option("--force", is_flag=True, help="Fetch it again, also when it is there.")
def pull(name: str, *, force: bool) -> None:
    """Fetch the local model NAME (smollm2): verified, and whole or not at all."""
    from .agents.files import MODEL_FILES
    from .agents.pull import pull as fetch
    from .errors import UnknownModel
    from .nearest import did_you_mean

    file = MODEL_FILES.get(name.removeprefix("local:"))
    if file is None:
        hint = did_you_mean(name, MODEL_FILES) or f"; what can be pulled: {', '.join(MODEL_FILES)}"
        raise UnknownModel(f"no model named {name!r}{hint}")
    if file.is_there and not force:
        click.echo(f"{file.name} is here: {file.path}")
        return
    with _Bar(file) as bar:
        path = fetch(file, force=force, progress=bar.show, say=bar.say)
    click.echo(f"{file.name} is here now: {path}")


def report() -> list[str]:
    """Return the lines of `wf models`: what is on this machine, which keys are set, and what is used when nothing is said."""
    from .agents.files import DEFAULT, MODEL_FILES, can_run_locally, folder, local_files
    from .models import PROVIDERS

    there, runs = local_files(), can_run_locally()
    lines = [f"On this machine, in {folder()}:"]
    for name, path in there.items():
        lines.append(f"  local:{name:12} {path.stat().st_size / 1e6:6.0f} MB  {path.name}")
    for name, file in MODEL_FILES.items():
        if name not in there:
            lines.append(f"  local:{name:12} {file.size / 1e6:6.0f} MB  not here yet: wf models pull {name}")
    lines.append(f"  xllamacpp, which runs them, is {'installed' if runs else 'missing: ' + LOCAL}")
    lines.append("By their providers:")
    for kind in PROVIDERS:
        state = "set" if os.environ.get(kind.key_variable) else "not set"
        lines.append(f"  {kind.provider.removesuffix('-chat') + ':…':15}{kind.key_variable} is {state}")
    chosen = os.environ.get("WF_MODEL")
    at_hand = f"local:{DEFAULT.name}" if DEFAULT.is_there and runs else None
    why = "by WF_MODEL" if chosen else "WF_MODEL is not set"
    lines.append(f"An agent without model= uses {chosen or at_hand or 'none, and says what to do'} ({why}).")
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


if __name__ == "__main__":
    sys.exit(main())
