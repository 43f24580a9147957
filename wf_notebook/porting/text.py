"""A source as the compiler counts it, in lines and bytes, and as Python holds it, in characters."""

from __future__ import annotations

import re
from functools import cached_property
from itertools import accumulate
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import ast

#: Where Python ends a line; a form feed ends none.
LINE = re.compile(r"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+")


class Text:
    r"""A source, and where in it a node of its tree stands.

    >>> import ast
    >>> text = Text("x = 'é'; import agno\r\n"); text.span(ast.parse(text.source).body[1])
    (9, 20)
    """

    def __init__(self, source: str) -> None:
        self.source = source

    @cached_property
    def lines(self) -> list[str]:
        """Its lines, with their ends."""
        return LINE.findall(self.source)

    @cached_property
    def _starts(self) -> list[int]:
        return [0, *accumulate(map(len, self.lines))]

    def span(self, node: ast.stmt | ast.alias) -> tuple[int, int]:
        """Return where a node begins and ends, in characters."""
        assert node.end_lineno is not None
        assert node.end_col_offset is not None
        return self._at(node.lineno, node.col_offset), self._at(node.end_lineno, node.end_col_offset)

    def whole_lines(self, start: int, end: int) -> tuple[int, int]:
        """Return where the lines begin and end, without its own end, that hold what is between."""
        while start and self.source[start - 1] not in "\r\n":
            start -= 1
        while end < len(self.source) and self.source[end] not in "\r\n":
            end += 1
        return start, end

    def line_end(self, at: int) -> str:
        """Return how the line ends that `at` is in; that of another line where it is the last and has none."""
        found = re.search(r"\r\n|\r|\n", self.source[at:]) or re.search(r"\r\n|\r|\n", self.source)
        return found[0] if found else "\n"

    def edited(self, edits: list[tuple[int, int, str]]) -> str:
        """Return the source with what is between `start` and `end` put in another way, for each edit.

        >>> Text("abc").edited([(2, 3, "z"), (0, 1, "x")])
        'xbz'
        """
        source = self.source
        for start, end, new in sorted(edits, reverse=True):
            source = f"{source[:start]}{new}{source[end:]}"
        return source

    def _at(self, line: int, byte: int) -> int:
        return self._starts[line - 1] + len(self.lines[line - 1].encode()[:byte].decode())
