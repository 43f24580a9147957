"""Text that grows, as HTML: what is finished is rendered once, and of a long open block only its end is rendered again."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from ..redact import redact
from .carrying import START, Carried
from .markdown import FROM_BEFORE, GOES_ON, parser, text_html
from .splitting import LINES, NEAR, Cut, cuts, parsed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from markdown_it.token import Token

#: The end of an open block is rendered each time, so many characters or tokens; what stands before it is rendered once.
OPEN, TOKENS = 1000, 300
#: The same for code, in characters: to highlight it takes longer than to render text.
CODE = 400
#: So many characters are taken at once.
AT_ONCE = 2 * OPEN
#: An open block with more HTML than this is split into finished pieces.
PIECE = 5000
#: A block that is closed is rendered anew as a whole, up to so many characters.
ANEW = 4000
#: Marks that are seen have not found the one that ends them, yet.
_MARKS = re.compile(r"\*\*|__|~~|`|\\[(\[]")
_TAGS_AND_SPACES = re.compile(r"<[^>]*>|\s+")
_CODE = {"fence", "code_block"}


class GrowingMarkdown:
    r"""Markdown that arrives in pieces: finished blocks are rendered once, the open one each time it is asked for.

    Only a complete line closes a block: before its end `#` may become a heading or a word. A block that grows long is split into
    finished pieces: code and tables are opened again with their head, lists with their number.

    >>> text = GrowingMarkdown()
    >>> text.add("# One\n\nand t"), text.finished(), text.tail()
    (None, '', '<h1>One</h1>\n<p>and t</p>\n')
    >>> text.add("wo\n"), text.finished(), text.tail()
    (None, '<h1>One</h1>\n', '<p>and two</p>\n')
    """

    def __init__(self) -> None:
        self._pieces: list[str] = []
        self._live = ""  # the source that is open, after what is carried over
        self._references: dict[str, Any] = {}
        self._tail = ""
        self._begin(START)

    def _begin(self, head: Carried) -> None:
        """Begin a block, or a piece of one."""
        self._head = self._carried = head
        self._source = ""  # what comes between `_head` and `_live`
        self._html = ""  # and its HTML, not closed

    def add(self, text: str) -> None:
        """Take the next piece; this costs nothing until somebody looks."""
        self._pieces.append(text)

    def finished(self) -> str:
        """Return the HTML of the blocks that were closed since the last call, and of pieces of a long one."""
        if not self._pieces:
            return ""
        self._live = redact(self._live + "".join(self._pieces))
        self._pieces.clear()
        finished = []
        while True:
            shown = _first(self._live)
            found: dict[str, Any] = {}  # a reference in an open block may yet become another
            tokens = parsed(self._carried.source + shown, self._references, found)
            if not self._carried.fits(tokens):  # the rest became something else: what is before it ends here
                finished.append(self._html + self._carried.closers if self._html else "")
                self._begin(START)
                continue
            self._carried.begin(tokens)
            if start := _open_block(tokens, self._carried.source + shown):
                finished.append(self._closed(tokens, start, shown, found))
            elif _is_long(shown, tokens):
                finished.append(self._split(tokens, shown))
            else:
                break
        self._tail = self._html + self._rest(tokens)
        if self._html and len(self._tail) > PIECE:
            finished.append(self._piece())
            self._tail = self._rest(tokens)
        return "".join(finished)

    def tail(self) -> str:
        """Return the HTML of the open block, as it was when `finished` was called."""
        return self._tail

    def _rest(self, tokens: list[Token], head: Carried | None = None, *, goes_on: bool = False) -> str:
        """Return the HTML of tokens after the part of their block that is rendered already."""
        head = head or self._carried
        begins = not self._html or head is not self._carried
        if begins:
            head.begin(tokens)
        elif head.code:
            tokens[len(head.types)].meta[FROM_BEFORE] = True
        if goes_on and tokens[-1].type in _CODE:
            tokens[-1].meta[GOES_ON] = True
        shown = tokens if begins else tokens[len(head.types) :]
        return str(parser().renderer.render(shown, parser().options, {"references": self._references}))

    def _closed(self, tokens: list[Token], start: int, shown: str, found: dict[str, Any]) -> str:
        """Take the blocks before a token off, and return their HTML."""
        line = (tokens[start].map or [0])[0]
        lines = LINES.split(self._carried.source + shown)
        length = max(0, sum(map(len, lines[:line])) - len(self._carried.source))
        source = self._source + shown[:length]
        html = self._html + self._rest(tokens[:start])
        if self._html and len(source) <= ANEW:
            anew = parsed(self._head.source + source, self._references)
            html = self._rest(anew, self._head) if self._head.fits(anew) else html
        self._references |= {name: each for name, each in found.items() if each.get("map", [0, 0])[1] <= line}
        self._live = self._live[length:]
        self._begin(START)
        return html

    def _split(self, tokens: list[Token], shown: str) -> str:
        """Render most of a long open block; return what that finishes."""
        for anywhere in (False, True):
            for cut in cuts(tokens, self._carried, shown, self._references):
                if self._reads_on(cut, tokens, shown, anywhere=anywhere):
                    length = cut.length + len(cut.carried.taken)
                    self._html += self._rest(list(cut.tokens), goes_on=True) + cut.gap
                    self._source += shown[:length]
                    self._live = self._live[length:]
                    self._carried = cut.carried
                    return self._piece() if len(self._html) > PIECE else ""
        return self._broken_off(shown)

    def _reads_on(self, cut: Cut, tokens: list[Token], shown: str, *, anywhere: bool) -> bool:
        """Return whether a text that is split says what it said before."""
        rest = parsed(cut.carried.source + shown[cut.length + len(cut.carried.taken) :], self._references)
        if not cut.carried.fits(rest) or not cut.in_text:
            return cut.carried.fits(rest)
        whole, part, after = (_said(each) for each in (tokens, cut.tokens, rest))
        return whole == part + after and (anywhere or not _MARKS.search(part))

    def _broken_off(self, shown: str) -> str:
        """Split what cannot be carried on: a new block begins, wherever that is."""
        most = min(OPEN, len(shown) - NEAR)
        length = shown.rfind("\n", 0, most) + 1 or shown.rfind(" ", 0, most) + 1 or most
        tokens = parsed(self._carried.source + shown[:length], dict(self._references), self._references)
        fits = self._carried.fits(tokens)
        html = self._html + (self._rest(tokens) if fits else self._carried.closers + text_html(shown[:length]))
        self._live = self._live[length:]
        self._begin(START)
        return html

    def _piece(self) -> str:
        """Return the HTML of the open block so far; the rest of it begins a piece of its own."""
        html = self._html + self._carried.closers
        self._begin(self._carried)
        return html


def _first(source: str) -> str:
    """Return as much of a source as is taken at once, in whole lines if they are short."""
    if len(source) <= AT_ONCE:
        return source
    return source[: source.rfind("\n", OPEN, AT_ONCE) + 1 or AT_ONCE]


def _is_long(source: str, tokens: list[Token]) -> bool:
    """Return whether an open block takes so long to render that it is to be split."""
    is_code = any(token.type == "fence" for token in tokens[-6:])
    return len(source) > (CODE if is_code else OPEN) or (len(tokens) > TOKENS and len(source) > 2 * NEAR)


def _open_block(tokens: list[Token], source: str) -> int:
    """Return the index of the token that the open block begins with: 0 if all is one block."""
    complete = len(LINES.findall(source[: source.rfind("\n") + 1]))
    starts = [n for n, token in enumerate(tokens) if token.level == 0 and token.nesting >= 0 and token.map]
    starts = [n for n in starts if (tokens[n].map or [0])[0] < complete]
    return starts[-1] if starts else 0


def _said(tokens: Sequence[Token]) -> str:
    """Return what tokens say, without marks and spaces."""
    return _TAGS_AND_SPACES.sub("", str(parser().renderer.render(tokens, parser().options, {})))


class GrowingText(GrowingMarkdown):
    r"""Plain text that arrives in pieces, shown as it is written.

    >>> text = GrowingText()
    >>> text.add("# One\nand t"), text.finished(), text.tail()
    (None, '<div style="white-space: pre-wrap"># One</div>', '<div style="white-space: pre-wrap">and t</div>')
    """

    def finished(self) -> str:
        """Return the HTML of the lines that were ended since the last call, and of most of one that grows long."""
        if not self._pieces:
            return ""
        self._live = redact(self._live + "".join(self._pieces))
        self._pieces.clear()
        end = self._live.rfind("\n")
        done, self._live = self._live[: max(end, 0)], self._live[end + 1 :]
        finished = text_html(done) if end >= 0 else ""
        if len(self._live) > PIECE:
            place = self._live.rfind(" ", 0, -OPEN) + 1 or len(self._live) - OPEN
            finished += text_html(self._live[:place])
            self._live = self._live[place:]
        self._tail = text_html(self._live)
        return finished
