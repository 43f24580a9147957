"""The line that runs a workflow again with the inputs of a run, as far as a line can hold them."""

from __future__ import annotations

import ast
import keyword
import re
from dataclasses import dataclass
from shlex import quote
from typing import TYPE_CHECKING, Any

from .line import written

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..keying.program import Program

#: What a value prints as that a line can hold once this is imported, by the name that it begins with.
_IMPORTS = {
    "datetime": "import datetime",
    "Decimal": "from decimal import Decimal",
    "UUID": "from uuid import UUID",
    "Fraction": "from fractions import Fraction",
    "PosixPath": "from pathlib import PosixPath",
    "WindowsPath": "from pathlib import WindowsPath",
}
_KINDS = ("datetime.datetime", "datetime.date", "datetime.time", "datetime.timedelta", "datetime.timezone")
_NAMES = {*_IMPORTS, *_KINDS, "datetime.timezone.utc"}
_SECRET = re.compile(r"<redacted [^<>]*>")
#: What only an object prints as.
_PRINTED = re.compile(r"<[^<>]* at 0x[0-9a-fA-F]+>|<[\d,]+ bytes>")
#: Annotations of inputs that may be text.
_TEXTS = re.compile(r"\b(str|Any|object|Literal|LiteralString|AnyStr)\b")
#: Annotations of inputs that may be a dict.
_MAPPINGS = re.compile(r"\b(dict|Dict|Mapping|MutableMapping|Any|object)\b")
#: The variable that holds a session's id which no line can.
SESSION = "SESSION"


@dataclass(frozen=True)
class Call:
    """A line that runs a workflow, what is to be imported for it, and what it cannot hold: then it is not to be run."""

    line: str
    imports: tuple[str, ...] = ()
    lacks: tuple[str, ...] = ()


def session_option(session_id: str) -> str:
    r"""Return the option that names a session; one whose id no line can hold is in a variable.

    >>> print(session_option("my demo"), session_option("a\nb"))
    -s 'my demo' -s {SESSION}
    """
    plain = session_id.isprintable() and "'" not in session_id and session_id.strip() == session_id and session_id
    return f"-s {written(session_id)}" if plain else f"-s {{{SESSION}}}"


def call(name: str, session_id: str, inputs: Mapping[str, Any], program: Program | None) -> Call:
    """Return the line that runs a workflow with inputs as a store has them: what JSON has is itself, all else as it printed.

    >>> print(call("blog", "demo", {"topic": "LLMs", "n": 3}, None).line)
    %workflow blog -s demo topic='LLMs' n=3
    """
    annotations = _annotations(program)
    given: list[str] = []
    more: dict[str, Any] = {}
    imports: dict[str, None] = {}
    lacks: list[str] = []
    for name_of_input, value in inputs.items():
        source, needed = _source(value, annotations.get(name_of_input))
        if source is None:
            lacks.append(name_of_input)
            source = "…"
        if needed:
            imports[needed] = None
        if name_of_input.isidentifier() and not keyword.iskeyword(name_of_input):
            given.append(f"{name_of_input}={source}")
        elif source != "…":
            more[name_of_input] = value
    if more:
        given.append(f"**{more!r}")
    return Call(" ".join(["%workflow", name, session_option(session_id), *given]), tuple(imports), tuple(lacks))


#: Options of map() that a line can hold, by what they are called there.
_OPTIONS = ("limit", "timeout", "max_tokens", "max_cost")
#: What stands in such a line before the file into which a command line wrote the rows: in a notebook a comment.
INTO = "  # --out "


def mapped_again(name: str, sweep: str, given: Mapping[str, Any], own: str | None = None) -> str:
    """Return the line that goes on with a sweep: over a file; what else it was mapped over, nobody but its user has.

    `own` is after what the workflow names its sweeps by itself, as it is now: another name is said.

    >>> mapped_again("blog", "demo", {"map": "my topics.csv", "rows": 9, "inputs": {"tone": "dry"}, "limit": 4})
    "%workflow blog --map 'my topics.csv' --limit 4 -s demo tone='dry'"
    >>> mapped_again("blog", "demo", {"map": "topics.csv", "out": "posts.csv"})
    '%workflow blog --map topics.csv -s demo  # --out posts.csv'
    >>> mapped_again("blog", "demo", {"rows": 9}, own="demo"), mapped_again("blog", "demo", {"rows": 9}, own="other")
    ('blog.map(…) again', "blog.map(…, name='demo') again")
    """
    if not isinstance(given.get("map"), str) or {"name", "session", "executor"} & given.keys():
        is_one = given.get("session") == "one"
        more = [] if own is not None and sweep == (own if is_one else own.rstrip("/")) else [f"name={sweep!r}"]
        if is_one:  # its rows are runs of the workflow's own session
            there = f" in session {sweep!r}" if more else ""
            return f"{name}.map(…, session='one') again{there}"
        return f"{name}.map({', '.join(['…', *more])}) again"
    options = [f"--{option.replace('_', '-')} {given[option]}" for option in _OPTIONS if option in given]
    before, named, after = call(name, sweep, given.get("inputs", {}), None).line.partition(f" {name} ")
    line = " ".join([f"{before}{named.rstrip()}", f"--map {written(given['map'])}", *options, after])
    return f"{line}{INTO}{quote(given['out'])}" if isinstance(given.get("out"), str) else line


def _source(value: Any, annotation: str | None) -> tuple[str | None, str | None]:
    """Return an input as Python has it, and what is imported for that; None where it was something that a line cannot hold."""
    if _SECRET.search(repr(value)):
        return None, None
    if isinstance(value, dict) and annotation is not None and not _MAPPINGS.search(annotation):
        return None, None  # what it was made into
    if not isinstance(value, str):
        return repr(value), None
    if annotation is None or _TEXTS.search(annotation):
        is_text = annotation is not None or not _PRINTED.fullmatch(value)
        return repr(value) if is_text else None, None
    start = re.match(r"[A-Za-z_]\w*", value)
    needed = _IMPORTS.get(start[0]) if start else None
    if needed and _is_call(value):
        return value, needed
    return value if "\n" not in value and _is_literal(value) else None, None


def _is_call(text: str) -> bool:
    """Say whether a text is a call of what makes such a value, with plain values, and of nothing else.

    >>> _is_call("datetime.date(2026, 1, 1)"), _is_call("datetime.sys.exit(1)"), _is_call("Decimal(open('x'))")
    (True, False, False)
    """
    try:
        node = ast.parse(text, mode="eval").body
    except (SyntaxError, ValueError, RecursionError):
        return False
    kinds = (ast.Call, ast.Name, ast.Attribute, ast.Constant, ast.keyword, ast.Load, ast.UnaryOp, ast.USub)
    if "\n" in text or not isinstance(node, ast.Call) or not all(isinstance(each, kinds) for each in ast.walk(node)):
        return False
    named = {ast.unparse(each) for each in ast.walk(node) if isinstance(each, ast.Name | ast.Attribute)}
    return named <= _NAMES


def _is_literal(text: str) -> bool:
    try:
        return not isinstance(ast.literal_eval(text), str)
    except (SyntaxError, ValueError, RecursionError, MemoryError, TypeError):
        return False


def _annotations(program: Program | None) -> dict[str, str]:
    """Return how the inputs of run() are annotated, by their names."""
    if program is None:
        return {}
    try:
        tree = ast.parse(program.body)
    except (SyntaxError, ValueError, RecursionError):
        return {}
    functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    found: dict[str, str] = {}
    for node in functions:
        if node.name in {"run", "arun"}:
            arguments = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
            found |= {each.arg: ast.unparse(each.annotation) for each in arguments if each.annotation is not None}
    return found
