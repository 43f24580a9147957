"""Markdown as HTML that is safe to show: whole, or growing line by line.

What a model writes is not trusted: no HTML of its own, no images from elsewhere, links only to the web and to mail.
"""

from __future__ import annotations

import re
from functools import cache
from html import escape
from typing import TYPE_CHECKING, Any

from ..redact import redact

if TYPE_CHECKING:
    from collections.abc import MutableMapping, Sequence

    from markdown_it import MarkdownIt
    from markdown_it.renderer import RendererHTML
    from markdown_it.token import Token
    from markdown_it.utils import OptionsDict

#: Between two lines, as Markdown has them (not as str.splitlines does).
_LINES = re.compile(r"(?<=\n)|(?<=\r)(?!\n)")
#: Where a link may lead.
SCHEMES = ("http://", "https://", "mailto:")


def markdown_html(text: str) -> str:
    r"""Return Markdown as safe HTML.

    >>> markdown_html("*hello* <script>alert(1)</script>")
    '<p><em>hello</em> &lt;script&gt;alert(1)&lt;/script&gt;</p>\n'
    """
    return str(_parser().render(redact(text)))


class GrowingMarkdown:
    r"""Markdown that arrives in pieces: finished blocks are rendered once, the open one each time it is asked for.

    Only a complete line closes a block: before its end `#` may become a heading or a word.

    >>> text = GrowingMarkdown()
    >>> text.add("# One\n\nand t"), text.finished(), text.tail()
    (None, '', '<h1>One</h1>\n<p>and t</p>\n')
    >>> text.add("wo\n"), text.finished(), text.tail()
    (None, '<h1>One</h1>\n', '<p>and two</p>\n')
    """

    def __init__(self) -> None:
        self._pieces: list[str] = []
        self._open = ""
        self._definitions: dict[str, Any] = {}

    def add(self, text: str) -> None:
        """Take the next piece; this costs nothing until somebody looks."""
        self._pieces.append(text)

    def finished(self) -> str:
        """Return the HTML of the blocks that were closed since the last call."""
        self._open += "".join(self._pieces)
        self._pieces.clear()
        complete = self._open.rfind("\n") + 1
        if not complete:
            return ""
        lines, shown = self._open[:complete], redact(self._open[:complete])
        if shown.count("\n") != lines.count("\n"):  # a secret of several lines: nothing is closed around it
            return ""
        parser = _parser()
        tokens = parser.parse(shown, self._definitions)
        starts = [n for n, token in enumerate(tokens) if token.level == 0 and token.nesting >= 0 and token.map]
        if len(starts) < 2:  # noqa: PLR2004 - the last block is open
            return ""
        line = (tokens[starts[-1]].map or [0])[0]
        self._open = "".join(_LINES.split(self._open)[line:])
        return str(parser.renderer.render(tokens[: starts[-1]], parser.options, self._definitions))

    def tail(self) -> str:
        """Return the HTML of the open block."""
        return str(_parser().render(redact(self._open), self._definitions))


class GrowingText(GrowingMarkdown):
    r"""Plain text that arrives in pieces, shown as it is written.

    >>> text = GrowingText()
    >>> text.add("# One\nand t"), text.finished(), text.tail()
    (None, '<div style="white-space: pre-wrap"># One</div>', '<div style="white-space: pre-wrap">and t</div>')
    """

    def finished(self) -> str:
        """Return the HTML of the lines that were ended since the last call."""
        self._open += "".join(self._pieces)
        self._pieces.clear()
        done, newline, self._open = self._open.rpartition("\n")
        return text_html(done) if newline else ""

    def tail(self) -> str:
        """Return the HTML of the open line."""
        return text_html(self._open)


def text_html(text: str) -> str:
    """Return plain text as HTML, its spaces and line ends kept."""
    return f'<div style="white-space: pre-wrap">{escape(redact(text))}</div>'


@cache
def _parser() -> MarkdownIt:
    from markdown_it import MarkdownIt

    class Safe(MarkdownIt):
        def validateLink(self, url: str) -> bool:  # noqa: N802 - the library's name
            return url.lower().startswith(SCHEMES)

    parser = Safe("js-default", {"html": False, "linkify": False})
    parser.add_render_rule("link_open", _link)
    parser.add_render_rule("image", _image)
    return parser


def _link(
    renderer: RendererHTML, tokens: Sequence[Token], index: int, options: OptionsDict, env: MutableMapping[str, Any]
) -> str:
    """Open links in a page of their own, which learns nothing of this one."""
    tokens[index].attrSet("target", "_blank")
    tokens[index].attrSet("rel", "noopener noreferrer")
    return renderer.renderToken(tokens, index, options, env)


def _image(
    renderer: RendererHTML, tokens: Sequence[Token], index: int, options: OptionsDict, env: MutableMapping[str, Any]
) -> str:
    """Show a link in place of an image: fetching it would tell its host who reads."""
    token = tokens[index]
    source = escape(str(token.attrGet("src") or ""))
    alt = escape(renderer.renderInlineAsText(token.children or [], options, env)) or source
    return f'<a href="{source}" target="_blank" rel="noopener noreferrer">{alt}</a>'
