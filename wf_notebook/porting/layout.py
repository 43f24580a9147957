"""One `from … import …` that becomes several: each keeps its names' lines, their comments and their order."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import ast

    from .text import Text

#: A dotted name, which may have spaces and continued lines around its dots.
DOTTED = re.compile(r"\w+(?:[\s\\]*\.[\s\\]*\w+)*")
_FROM = re.compile(rf"from[\s\\]+(?P<module>{DOTTED.pattern})[\s\\]+import\b[\s\\]*(?P<opening>\()?")
#: What follows a name up to its comma: space and comments, which may have commas of their own.
_COMMA = re.compile(r"(?:[^,#]|#[^\r\n]*+)*?,")
_REST_OF_LINE = re.compile(r"[ \t\f]*(?:#[^\r\n]*)?(?:\r\n|\r|\n)")
_COMMENT = re.compile(r"[ \t\f]*#[^\r\n]*")
#: Comments that speak to a tool about their statement, and so go to each of the statements that it becomes.
_PRAGMA = re.compile(r"[ \t\f]*#\s*(?:noqa|type:|pyright:|pylint:|ruff:|isort:|mypy:|pragma:)[^\r\n]*")


class Name(NamedTuple):
    """An imported name: where it stands, and how it is to be written."""

    start: int
    end: int
    written: str


class Layout:
    """How a `from … import …` is laid out in its source."""

    def __init__(self, node: ast.ImportFrom, text: Text) -> None:
        self._text, self._source = text, text.source
        self.start, self.end = text.span(node)
        head = _FROM.match(self._source, self.start)
        assert head is not None
        #: Where the name of the module stands.
        self.module = head.span("module")
        self._opening = head.end() if head["opening"] else None
        self._line_end = text.line_end(self.start)

    def split(self, groups: dict[str, list[Name]]) -> str:
        """Return the statements that take the place of this one, by their modules."""
        if self._opening is not None and re.search(r"[\r\n]", self._source[self._opening : self.end]):
            statements = self._blocks(groups)
        else:
            statements = [f"from {module} import {', '.join(name.written for name in names)}" for module, names in groups.items()]
        line_start, line_end = self._text.whole_lines(self.start, self.end)
        before, after = self._source[line_start : self.start], self._source[self.end : line_end]
        if before.strip(" \t\f") or (after.strip(" \t\f") and not _COMMENT.fullmatch(after)):
            return "; ".join(statements)
        pragma = after if _PRAGMA.fullmatch(after) else ""
        return f"{pragma}{self._line_end}{before}".join(statements)

    def _blocks(self, groups: dict[str, list[Name]]) -> list[str]:
        """Write each module's names in brackets, as they were laid out."""
        assert self._opening is not None
        rest = _REST_OF_LINE.match(self._source, self._opening, self.end)
        opening = self._source[self.module[1] : rest.end() if rest else self._opening]
        pieces, closing = self._pieces(sorted(name for names in groups.values() for name in names), self.module[1] + len(opening))
        indent = next((piece.indent for piece in pieces.values() if piece.starts_line), "    ")
        blocks: list[str] = []
        for module, names in groups.items():
            block = f"from {module}{opening}"
            for name in names:
                block = self._joined(block, pieces[name], indent)
            if not closing.starts_line and "#" not in re.split(r"[\r\n]", block.rstrip())[-1]:
                block = block.rstrip()
            own = closing if len(blocks) == len(groups) - 1 else closing.last_line
            one_line = f"from {module} import {', '.join(name.written for name in names)}"
            blocks.append(self._joined(block, own, "") if re.search(r"[\r\n#]", block + own.written.rstrip()) else one_line)
            opening = opening if _PRAGMA.search(opening) else _COMMENT.sub("", opening)
        return blocks

    def _pieces(self, names: list[Name], at: int) -> tuple[dict[Name, _Piece], _Piece]:
        """Cut what is in the brackets into one piece for each name, and what closes them.

        A name's piece has the comments above it, its comma, and what else is on its line if it is the last one there.
        """
        pieces = {}
        for name, limit in zip(names, [*(name.start for name in names[1:]), self.end - 1], strict=True):
            comma = _COMMA.match(self._source, name.end, limit)
            end = comma.end() if comma else name.end
            rest = _REST_OF_LINE.match(self._source, end, limit)
            end = rest.end() if rest else end
            pieces[name] = self._piece(at, f"{self._source[at : name.start]}{name.written}{self._source[name.end : end]}")
            at = end
        return pieces, self._piece(at, self._source[at : self.end])

    def _piece(self, at: int, written: str) -> _Piece:
        return _Piece(written, starts_line=self._source[at - 1] in "\r\n")

    def _joined(self, block: str, piece: _Piece, indent: str) -> str:
        """Put a piece behind what stands before it, on a line of its own if it has one or if a new line has begun."""
        begun = block[-1] in "\r\n"
        if block[-1] == "(" and not piece.written.lstrip().startswith("#"):
            return f"{block}{piece.written.lstrip()}"
        if piece.starts_line:
            return f"{block}{'' if begun else self._line_end}{piece.written}"
        return f"{block}{indent if begun else ''}{piece.written.lstrip() if begun else piece.written}"


class _Piece(NamedTuple):
    """What is written of a name, or closes the brackets, and whether it begins a line."""

    written: str
    starts_line: bool

    @property
    def indent(self) -> str:
        return self.written[: len(self.written) - len(self.written.lstrip(" \t\f"))]

    @property
    def last_line(self) -> _Piece:
        return self._replace(written=re.split(r"[\r\n]", self.written)[-1])
