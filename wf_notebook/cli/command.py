"""What all commands have in common: --json and --traceback, an example in --help, and a way to end."""

from __future__ import annotations

import sys
from io import TextIOWrapper
from typing import TYPE_CHECKING, Any

import click

from ..errors import UnknownVerb
from ..exiting import hold_interrupts
from ..nearest import did_you_mean
from .failing import ended
from .manner import Manner
from .wording import ONLY_THERE

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

HELP = {"help_option_names": ["-h", "--help"]}


def _common() -> list[click.Parameter]:
    """Return the options of every command; what they say is read before, see Manner."""
    return [
        click.Option(["--json"], is_flag=True, expose_value=False, help="print one JSON document, and say the rest on stderr"),
        click.Option(["--traceback"], is_flag=True, expose_value=False, help="show where an error came up (also WF_DEBUG=1)"),
    ]


class Command(click.Command):
    """A command with an example or two, which a test runs."""

    def __init__(self, name: str, *, examples: Sequence[str], params: Sequence[click.Parameter] = (), **settings: Any) -> None:
        settings = {"context_settings": HELP, "params": [*params, *_common()], **settings}
        super().__init__(name, **settings)
        self.examples = tuple(examples)

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Read the arguments; an error of usage knows of which command it is."""
        try:
            return super().parse_args(ctx, args)
        except click.UsageError as error:
            error.ctx = error.ctx or ctx
            raise

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the examples as they are typed."""
        _write_examples(self.examples, formatter)


class Group(click.Group):
    """A command that has others below it, and does something without them, too."""

    def __init__(self, name: str, *, examples: Sequence[str], **settings: Any) -> None:
        super().__init__(name, **{"context_settings": HELP, "invoke_without_command": True, "params": _common(), **settings})
        self.examples = tuple(examples)

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the examples as they are typed."""
        _write_examples(self.examples, formatter)

    def resolve_command(self, ctx: click.Context, args: list[str]) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command that is named; raises UnknownVerb, with the nearest one."""
        name = args[0]
        if not name.startswith("-") and self.get_command(ctx, name) is None:
            if name in ONLY_THERE:
                raise UnknownVerb(f"{name} is about what lives in a notebook: write %wf {name} in one of its cells")
            near = did_you_mean(name, self.list_commands(ctx))
            raise UnknownVerb(f"{ctx.command_path} has no command {name!r}{near or f'; {ctx.command_path} -h lists them'}")
        return super().resolve_command(ctx, args)


class Main(Group):
    """The command itself: its commands by what they are about, and each way to end."""

    def __init__(self, name: str, sections: Mapping[str, Sequence[click.Command]], **settings: Any) -> None:
        self.sections = sections
        commands = {each.name: each for section in sections.values() for each in section}
        super().__init__(name, commands=commands, examples=("wf sessions", "wf runs --json"), callback=self._alone, **settings)

    @staticmethod
    def _alone() -> None:
        ctx = click.get_current_context()
        if ctx.invoked_subcommand is None:
            click.echo(ctx.get_help())

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of the commands, in the order in which help shows them."""
        return list(self.commands)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write a line for each command, below what it is about."""
        width = max(len(name) for name in self.commands)
        for title, commands in self.sections.items():
            with formatter.section(title):
                formatter.write_dl([((each.name or "").ljust(width), each.get_short_help_str(80)) for each in commands])

    def main(self, args: Sequence[str] | None = None, *rest: Any, standalone_mode: bool = True, **extra: Any) -> Any:
        """Do what the arguments say, and end the process with its exit code."""
        given = list(sys.argv[1:] if args is None else args)
        manner = Manner.of(given)
        extra = {"prog_name": "wf", **extra, "obj": manner, "standalone_mode": False}
        if not standalone_mode:
            return super().main(given, *rest, **extra)
        for stream in (sys.stdout, sys.stderr):  # a terminal that has not all signs shows another one
            if isinstance(stream, TextIOWrapper):
                stream.reconfigure(errors="replace")
        try:
            code = super().main(given, *rest, **extra)
        except (click.ClickException, click.Abort) as error:
            code = ended(error, manner)
        if args is None:
            hold_interrupts()
        sys.exit(code if isinstance(code, int) else 0)

    def invoke(self, ctx: click.Context) -> Any:
        """Run a command, up to the last byte that it writes."""
        try:
            result = super().invoke(ctx)
            sys.stdout.flush()
        except (click.exceptions.Exit, SystemExit):
            raise
        except BaseException as error:  # whatever it is, it ends here
            raise click.exceptions.Exit(ended(error, ctx.obj)) from error
        return result


def _write_examples(examples: Sequence[str], formatter: click.HelpFormatter) -> None:
    if examples:
        with formatter.section("Examples" if len(examples) > 1 else "Example"):
            for example in examples:
                formatter.write(f"{'':>{formatter.current_indent}}{example}\n")
