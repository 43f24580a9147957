"""What others wrote, in Markdown: as plain text, or as Markdown that stays in its place, runs nothing and fetches nothing."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ..readable import harmless
from ..redact import redact
from ..render.markdown import parser

if TYPE_CHECKING:
    from collections.abc import Iterable

_MARKS = re.compile(r"([\\`*_\[\]#|<>&~$])|^([-+=])|^(\d+)([.)])")
_SPANS = re.compile(r"(?<!`)(`+)(?!`)(.+?)(?<!`)\1(?!`)", re.DOTALL)
#: The end of the text of a link that leads elsewhere than to the web or to mail, or is none.
_LINK = re.compile(r"\](?=\((?!\s*<?(?:https?://|mailto:)))", re.IGNORECASE)


def plain(text: str) -> str:
    r"""Return text as Markdown in which it reads as it is written, in one line.

    >>> print(plain("<b> *x*\n# y"))
    \<b\> \*x\* \# y
    """
    line = " ".join(harmless(redact(text)).split())
    return _MARKS.sub(lambda found: f"{found[3]}\\{found[4]}" if found[3] else f"\\{found[0]}", line)


def fenced(text: str, language: str = "") -> str:
    """Return text as a block of code, with a fence that nothing in it closes.

    >>> print(fenced("```x"))
    ````
    ```x
    ````
    """
    text = harmless(redact(text))
    longest = max(map(len, re.findall(r"`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}{language}\n{text.rstrip(chr(10))}\n{fence}"


def quoted(text: str) -> str:
    r"""Return Markdown of a model as a quotation: it ends where that ends, whatever it begins.

    HTML in it is text, pictures are links, and links lead to the web or to mail.

    >>> print(quoted("# a <script> `<b>` ![p](https://x.example/p.png) [l](javascript:x)"))
    > # a &lt;script> `<b>` \![p](https://x.example/p.png) [l\](javascript:x)
    """
    lines = harmless(redact(text)).rstrip().split("\n")
    tokens = parser().parse("\n".join(lines))
    code = {line for token in tokens if token.type in {"fence", "code_block"} for line in range(*(token.map or (0, 0)))}
    spans = {child.content for token in tokens for child in token.children or () if child.type == "code_inline"}
    made: list[str] = []
    prose: list[str] = []
    for number, line in enumerate([*lines, None]):
        if line is not None and number not in code:
            prose.append(line)
            continue
        if prose:
            made += _tame("\n".join(prose), spans).split("\n")
            prose = []
        if line is not None:
            made.append(line)
    return "\n".join(f"> {line}".rstrip() for line in made)


def _tame(text: str, spans: Iterable[str]) -> str:
    """Return Markdown outside of blocks of code, in which nothing is HTML, a picture, or a link to a script.

    What is taken for a span of code stays as it is, if the parser takes it for one, too.
    """
    parts, at = [], 0
    for found in _SPANS.finditer(text):
        within = " ".join(found[2].split("\n"))
        if {within, within[1:-1]} & {*spans}:
            parts += [_tamed(text[at : found.start()]), found[0]]
            at = found.end()
    return "".join([*parts, _tamed(text[at:])])


def _tamed(text: str) -> str:
    text = text.replace("<", "&lt;").replace("![", "\\![").replace("]:", "]\\:")
    return _LINK.sub(r"\\]", text)
