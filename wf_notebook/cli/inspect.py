"""`wf inspect`: a session to read, drawn in the terminal or as a page that needs no script."""

from __future__ import annotations

import tempfile
import webbrowser
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ..verbs.table import VERBS
from .manner import manner, say
from .showing import show_json, show_lines
from .verbs import asked, command, new_file

if TYPE_CHECKING:
    from ..inspection import Inspector
    from ..verbs.table import Verb
    from .command import Command


def inspect() -> Command:
    """Return the command."""
    verb = next(verb for verb in VERBS if verb.name == "inspect")
    text = "look at a session, its past and its runs: here, or as a page (-o FILE.html, --open)"
    made = command(
        verb._replace(help=text),
        _inspect,
        [
            click.Option(["--output", "-o"], metavar="FILE", type=click.Path(path_type=Path), help="write it as a page of HTML"),
            click.Option(["--open", "browse"], is_flag=True, help="open the page in a browser"),
            click.Option(["--force"], is_flag=True, help="replace FILE where it is there already"),
        ],
    )
    made.examples = ("wf inspect demo", "wf inspect demo -o demo.html")
    return made


def _inspect(verb: Verb, words: tuple[str, ...], *, output: Path | None, browse: bool, force: bool, **options: Any) -> None:
    line, _ = asked(words, **options)
    if output is not None:
        new_file(output, force=force)
    looking: Inspector = verb.do(line)
    if output is None and not browse:
        _tell(looking)
        return
    from ..inspection.static import page

    if output is None:
        output = Path(tempfile.mkdtemp(prefix="wf-")) / "inspect.html"
    output.write_text(page(looking), encoding="utf-8")
    show_lines([f"written: {output}"], {"file": str(output.absolute())})
    if browse and not webbrowser.open(output.absolute().as_uri()):
        say(f"no browser was found; open {output.absolute()} in one")


def _tell(looking: Inspector) -> None:
    from ..frames import versions_table
    from ..inspection.drawn import drawn
    from ..inspection.still import still

    if not manner().json:
        show_lines([drawn(still(looking))], None)
    elif (session := looking.session) is None:
        show_json({"storage": looking.storage.url, "sessions": list(looking.sessions())})
    else:
        state = looking.storage.state(session.session_id)
        show_json(
            {
                "storage": looking.storage.url,
                "session_id": session.session_id,
                "version": looking.version,
                "state": dict(zip(map(str, state["key"]), state["value"], strict=True)),
                "versions": list(versions_table(session.versions()[::-1])),
                "runs": list(looking.runs()),
            }
        )
