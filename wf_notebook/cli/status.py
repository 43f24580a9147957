"""`wf status`: what can be continued, and the line of a shell that does."""

from __future__ import annotations

import ast
import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import WorkflowError
from ..verbs.table import VERBS
from .showing import show_table
from .verbs import asked, command
from .wording import in_a_shell

if TYPE_CHECKING:
    from ..frames import Table
    from ..verbs.table import Verb
    from .command import Command

#: The column that says how a session is gone on with.
_LINE = "goes_on"
#: What stands in such a line for a notebook that is not said.
_NOTEBOOK = "NOTEBOOK"


def status() -> Command:
    """Return the command."""
    verb = next(verb for verb in VERBS if verb.name == "status")
    return command(verb, _status)


def _status(verb: Verb, words: tuple[str, ...], **options: Any) -> None:
    from ..frames import Column, Table

    line, _ = asked(words, anywhere=bool(words), **options)
    found: Table = verb.do(line)
    columns = [Column.of(name, found[name], found.kinds[name]) for name in found.columns]
    typed = [each and typed_line(each, words[0] if words else _NOTEBOOK) for each in found[_LINE]]
    lines = Column(_LINE, typed, "text")
    show_table(Table([lines if each.name == _LINE else each for each in columns], in_a_shell(found.title), below=_LINE))


def typed_line(line: str, notebook: str) -> str:
    """Return a line of %workflow as it is typed in a shell.

    >>> print(typed_line("%workflow blog -s 'my demo' topic='two words' n=[1, 2]", "report.ipynb"))
    wf run report.ipynb blog -s 'my demo' 'topic=two words' 'n=[1, 2]'
    >>> print(typed_line("%workflow blog --map 'my topics.csv' --limit 4 -s demo  # --out posts.csv", "report.ipynb"))
    wf run report.ipynb blog --map 'my topics.csv' --limit 4 -s demo --out posts.csv
    """
    from ..ipynb.calls import INTO
    from ..ipynb.line import read_line

    if not line.startswith("%workflow "):
        return in_a_shell(line)
    try:
        read = read_line(line.removeprefix("%workflow "))
    except WorkflowError:  # it has more in it than one line
        return in_a_shell(line).replace(f" {_NOTEBOOK} ", f" {shlex.quote(notebook)} ", 1)
    names = ("map", "limit", "timeout", "max_tokens", "max_cost")
    told = vars(read.options) | {"map": read.options.map and _from_here(read.options.map, notebook)}
    given = [(name.replace("_", "-"), value) for name in names if (value := told[name]) is not None]
    options = [word for name, value in given for word in (f"--{name}", value)]
    session = [] if read.options.session is None else ["-s", read.options.session]
    before, _, file = line.rpartition(INTO)
    if before and read_line(before.removeprefix("%workflow ")) == read:  # it was a comment
        session += ["--out", *shlex.split(file)]
    inputs = [f"{each.name}={_text(each.source)}" for each in read.arguments if each.name]
    return shlex.join(["wf", "run", notebook, *filter(None, [read.name]), *options, *session, *inputs])


def _from_here(file: str, notebook: str) -> str:
    """Return the path of a file that a kernel knows from the folder of its notebook, as it is known from here."""
    beside = Path(notebook).parent / file
    return str(beside) if beside.exists() and not Path(file).exists() else file


def _text(source: str) -> str:
    """Return a value of Python as an input of a shell: of a text what it says."""
    try:
        value = ast.literal_eval(source)
    except (ValueError, SyntaxError):
        return source
    return value if isinstance(value, str) else source
