"""Coming from Agno: the import lines of a file or a notebook are changed to ours, and all that stays is named.

Nothing but import lines changes: comments, line ends, the encoding, and of a notebook outputs and metadata stay as they are.

For a command: `done = port_file(path, write=…)`; `done.diff` is what changes, as text with line ends (empty if nothing does),
`done.text` the whole new file, `str(left)` for each of `done.left` one line of what stays and what to do, `done.as_dict()` JSON.
"""

from __future__ import annotations

import os
import re
import tokenize
from io import BytesIO
from pathlib import Path

from ..errors import BadNotebook, BadSource, UnwritableFile, WorkflowError
from ..nearest import did_you_mean
from ..whole import write_whole
from .cells import code_cells, put
from .python import Piece, parsed, parsed_cell, port_pieces
from .text import Text
from .told import Change, Left, Ported, Source

__all__ = ["Change", "Left", "Ported", "Source", "port_file", "ported", "ported_notebook"]

_BOM = "\ufeff"
#: An import of theirs in what cannot be read as Python.
_THEIRS = re.compile(r"^.*\b(?:from|import)[ \t]+((?:agno|phi)\b[\w.]*)", re.MULTILINE)


def ported(source: str, *, name: str = "<source>") -> Ported:
    r"""Return a source with its import lines changed; raise BadSource, with the line, if it is not Python.

    >>> done = ported("from agno.agent import Agent\nfrom agno.team import Team\n")
    >>> print(done.text, end="")
    from wf_notebook import Agent
    from agno.team import Team
    >>> print(done.left[0])
    line 2: agno.team.Team has no counterpart here; call its members in run(), several at once by parallel(…)
    """
    bom, body = (_BOM, source[1:]) if source.startswith(_BOM) else ("", source)
    try:
        tree = parsed(body)
    except SyntaxError as error:
        raise BadSource(f"{name!r} is not Python, line {error.lineno}: {error.msg}; mend it, and port again") from None
    except (ValueError, RecursionError, MemoryError) as error:
        raise BadSource(f"{name!r} cannot be read as Python: {error}; mend it, and port again") from None
    (done,) = port_pieces([Piece(body, tree)])
    text = f"{bom}{done.text}"
    return Ported(name, source, text, tuple(done.changed), tuple(done.left), (Source(source, text),))


def ported_notebook(text: str, *, name: str = "<notebook>") -> Ported:
    """Return the text of a notebook's file with the import lines of its code cells changed; raise BadNotebook if it is none.

    Lines of IPython's are passed over, and so are cells that are not Python; such a cell is told of if it imports from Agno.
    """
    cells = code_cells(text, name=name)
    trees = [(cell, parsed_cell(cell.source)) for cell in cells]
    left = [
        Left(_line(found), found[1], "is in a cell that cannot be read as Python", "mend it, and port again", cell.number)
        for cell, tree in trees
        if tree is None and (found := _THEIRS.search(cell.source))
    ]
    read = [(cell, Piece(cell.source, tree, cell.number)) for cell, tree in trees if tree is not None]
    done = port_pieces([piece for _, piece in read])
    edits = [put(text, cell, after.text) for (cell, _), after in zip(read, done, strict=True) if after.changed]
    return Ported(
        name,
        text,
        Text(text).edited(edits),
        tuple(change for each in done for change in each.changed),
        tuple(sorted([*left, *(other for each in done for other in each.left)], key=lambda each: (each.cell or 0, each.line))),
        tuple(Source(piece.source, after.text, piece.cell) for (_, piece), after in zip(read, done, strict=True)),
    )


def _line(found: re.Match[str]) -> int:
    return found.string.count("\n", 0, found.start(1)) + 1


def port_file(path: str | os.PathLike[str], *, write: bool = False) -> Ported:
    """Port a file, of Python or a notebook (`.ipynb`); with `write` it is replaced, as a whole or not at all.

    Raises:
        BadSource: It is not there, a folder, not Python (the message has the line), or not in the encoding that it says.
        BadNotebook: The same of a notebook.
        UnwritableFile: It may not be written, or could not; it is as it was.
    """
    path = Path(path)
    name, is_notebook = os.fspath(path), path.suffix == ".ipynb"
    data = _read(path, name, BadNotebook if is_notebook else BadSource)
    encoding = "utf-8" if is_notebook else _encoding(data, name)
    try:
        source = data.decode(encoding)
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        reason = f"{name!r} is not {encoding}, line {line}: {error.reason}"
        if is_notebook:
            raise BadNotebook(f"{reason}; give an .ipynb file as Jupyter saves it") from None
        raise BadSource(f"{reason}; say its encoding in its first line") from None
    done = (ported_notebook if is_notebook else ported)(source, name=name)
    if write and done.changed:
        _replace(path, name, _encoded(done, encoding, data))
    return done


def _read(path: Path, name: str, wrong: type[WorkflowError]) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        near = did_you_mean(path.name, (each.name for each in path.parent.glob("*")))
        raise wrong(f"there is no file {name!r}{near or '; name one that is there'}") from None
    except IsADirectoryError:
        raise wrong(f"{name!r} is a folder; name the files in it") from None
    except (OSError, ValueError) as error:
        raise wrong(f"{name!r} cannot be read: {_said(error)}; see to it, and port again") from None


def _encoding(data: bytes, name: str) -> str:
    """Return the encoding that a Python file says it has."""
    try:
        return tokenize.detect_encoding(BytesIO(data).readline)[0]
    except SyntaxError as error:
        raise BadSource(f"{name!r} is in no encoding that Python reads: {error.msg}; say which in its first line") from None


def _encoded(done: Ported, encoding: str, data: bytes) -> bytes:
    """Return the new text in bytes, if the old one gives the bytes of the file."""
    if done.source.encode(encoding) != data:
        raise BadSource(f"{done.name!r} cannot be written back as it was in {encoding}; save it as UTF-8, and port again")
    return done.text.encode(encoding)


def _replace(path: Path, name: str, data: bytes) -> None:
    """Put a new file in the place of an old one: whole or not at all; a link stays one."""
    target = path.resolve()
    if not os.access(target, os.W_OK):
        raise UnwritableFile(f"{name!r} may not be written; make it writable, and port again")
    try:
        write_whole(target, data)
    except OSError as error:
        raise UnwritableFile(f"{name!r} cannot be written: {_said(error)}; it is as it was") from None


def _said(error: Exception) -> str:
    return (getattr(error, "strerror", None) or str(error)).lower()
