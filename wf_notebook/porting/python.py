"""The Python of one file, or of the cells of one notebook, ported: import lines change, every other character stays."""

from __future__ import annotations

import ast
import re
import warnings
from typing import NamedTuple

from .statements import rewritten
from .text import LINE, Text
from .told import Change, Left
from .uses import Uses, events_of_later

#: What a line of IPython's looks like that is no Python: a magic, a call of the shell, a question.
_MAGIC = re.compile(r"[ \t]*(?:[%!?]|[\w.,\s()]+=\s*[%!]|[\w.*%]+\?{1,2}\s*$)")
#: Cell magics whose body is Python.
_OF_PYTHON = re.compile(r"%%(?:workflow|time|timeit|capture|prun|python3?|writefile\b.*\.py)\b")


class Piece(NamedTuple):
    """Python as it is written, its tree, and which cell of a notebook it is."""

    source: str
    tree: ast.Module
    cell: int | None = None


class Done(NamedTuple):
    """A piece of Python as it is now."""

    text: str
    changed: list[Change]
    left: list[Left]


def parsed(source: str) -> ast.Module:
    """Return the tree of a source; what the compiler would warn of is not said."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return ast.parse(source)


def parsed_cell(source: str) -> ast.Module | None:
    r"""Return the tree of a notebook's cell, `pass` in place of its magics; None where it is not Python.

    >>> ast.unparse(parsed_cell("%pip install agno\nimport agno"))
    'pass\nimport agno'
    >>> parsed_cell("%%bash\necho agno")
    """
    lines = LINE.findall(source)
    if lines and lines[0].startswith("%%"):
        if not _OF_PYTHON.match(lines[0]):
            return None
        _pass(lines, 0)
    while True:
        try:
            return parsed("".join(lines))
        except SyntaxError as error:
            number = (error.lineno or 0) - 1
            if number not in range(len(lines)) or not _MAGIC.match(lines[number]):
                return None
            _pass(lines, number)
        except (ValueError, RecursionError, MemoryError):
            return None


def _pass(lines: list[str], number: int) -> None:
    """Put `pass` in the place of a magic, and of the lines that a backslash adds to it."""
    indent = lines[number][: len(lines[number]) - len(lines[number].lstrip())]
    while number < len(lines):
        line, text = lines[number], lines[number].rstrip("\r\n")
        lines[number] = f"{indent}pass{line[len(text) :]}"
        if not text.rstrip().endswith("\\"):
            return
        number += 1


def port_pieces(pieces: list[Piece]) -> list[Done]:
    """Port what is one program: how one cell uses a name decides about its import in another."""
    uses = Uses(piece.tree for piece in pieces)
    return [_port(piece, uses) for piece in pieces]


def _port(piece: Piece, uses: Uses) -> Done:
    text, edits, cell = Text(piece.source), [], piece.cell
    changed = []
    left = [
        Left(line, name, "is an event of Agno since 1.6", f"write {instead}", cell)
        for line, name, instead in events_of_later(piece.tree, uses.event_names)
    ]
    imports = [node for node in ast.walk(piece.tree) if isinstance(node, ast.Import | ast.ImportFrom)]
    for node in imports:
        done = rewritten(node, text, uses)
        left += [Left(*each, cell) for each in done.left]
        if done.edits:
            start, end = text.span(node)
            after = Text(text.source[start:end]).edited([(at - start, until - start, new) for at, until, new in done.edits])
            changed.append(Change(node.lineno, text.source[start:end], after, cell))
            edits += done.edits
    return Done(text.edited(edits), sorted(changed, key=_line), sorted(left, key=_line))


def _line(told: Change | Left) -> int:
    return told.line
