"""Where an open block that grows long can be split: between the blocks inside it, else between lines of code or words of text."""

from __future__ import annotations

import re
from itertools import accumulate
from typing import TYPE_CHECKING, Any, NamedTuple

from .carrying import Carried, carried
from .markdown import parser

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from markdown_it.token import Token

#: Between two lines, as Markdown has them (not as str.splitlines does).
LINES = re.compile(r"(?<=\n)|(?<=\r)(?!\n)")
#: Nothing is split so near to its end, in characters: a word, or a secret, may go on.
NEAR = 100
#: A part of a text with more brackets than these has no links: each would be tried as one.
BRACKETS = 150
#: So many places between words are tried.
TRIES = 6
_SPACE = re.compile(r"\s+(?=\S)")
_LEAVES = {"fence", "code_block", "inline"}


def parsed(source: str, known: Mapping[str, Any], found: dict[str, Any] | None = None) -> list[Token]:
    """Return the tokens of a part of a text with these references; those that it defines itself are added to `found`."""
    references = {} if found is None else found
    references |= known
    return parser(links=source.count("[") <= BRACKETS).parse(source, {"references": references})


class Cut(NamedTuple):
    """One way to split a source: the tokens before the cut, what ends their HTML, how much source it is, what is carried over."""

    tokens: Sequence[Token]
    gap: str
    length: int
    carried: Carried
    #: Whether marks of text may reach over the cut.
    in_text: bool = False


def cuts(tokens: Sequence[Token], head: Carried, text: str, known: Mapping[str, Any]) -> Iterator[Cut]:
    """Yield the ways to split a text that is one open block, the best first; `head` is what was carried over to it."""
    lines = LINES.split(head.source + text)
    starts = [start - len(head.source) for start in accumulate(map(len, lines), initial=0)]
    if cut := _between_blocks(tokens, lines, starts, len(text) - NEAR):
        yield cut
    for length in _places(text):
        part = list(parsed(head.source + text[:length], known))
        if not head.fits(part):
            return
        head.begin(part)
        while part and part[-1].nesting < 0:
            part.pop()
        if not part or part[-1].type not in _LEAVES:
            return
        line = max(n for n, start in enumerate(starts) if start <= length)
        code = part[-1].type if part[-1].type != "inline" else ""
        if part[-1].type == "inline" and part[-2].type != "paragraph_open":
            return
        if code and not _goes_on(part[-1], line, tokens):
            continue
        carry = carried(part, len(part), lines, (line, length - starts[line]), code)
        if carry is not None:
            yield Cut(part, "" if code else "\n", length, carry, in_text=not code)


def _goes_on(code: Token, line: int, tokens: Sequence[Token]) -> bool:
    """Return whether a block of code goes on in a line."""
    ends = [token.map[1] for token in tokens if token.type == code.type and token.map and token.map[:1] == (code.map or [])[:1]]
    return bool(ends) and line < ends[0]


def _between_blocks(tokens: Sequence[Token], lines: Sequence[str], starts: Sequence[int], most: int) -> Cut | None:
    """Return the last cut between two blocks within the open one."""
    best, seen = None, 0
    for n, token in enumerate(tokens):
        if token.nesting < 0 or not token.map or token.type in {"inline", "thead_open", "tbody_open"}:
            continue
        line = token.map[0]
        if token.level and line > seen and most // 3 < starts[line] <= most and tokens[n - 1].type != "thead_open":
            best = n
        seen = max(seen, line)
    if best is None:
        return None
    line = (tokens[best].map or [0])[0]
    carry = carried(tokens, best, lines, (line, 0))
    return Cut(tokens[:best], "", starts[line], carry) if carry else None


def _places(text: str) -> Iterator[int]:
    """Yield places to split a text at: after the last line, else before the last words, else anywhere."""
    most = len(text) - NEAR
    line = text.rfind("\n", 0, most) + 1
    if line > most // 3:
        yield line
    spaces = [found.end() for found in _SPACE.finditer(text, most // 3, most)]
    yield from reversed(spaces[-TRIES:])
    yield most
