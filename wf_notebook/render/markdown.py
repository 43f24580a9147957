"""Markdown as HTML that is safe to show.

What a model writes is not trusted: no HTML of its own, no images from elsewhere, links only to the web and to mail.
"""

from __future__ import annotations

import re
from functools import cache
from html import escape
from time import thread_time
from typing import TYPE_CHECKING, Any

from ..redact import redact
from .highlight import code_parts

if TYPE_CHECKING:
    from collections.abc import MutableMapping, Sequence

    from markdown_it import MarkdownIt
    from markdown_it.renderer import RendererHTML
    from markdown_it.token import Token
    from markdown_it.utils import OptionsDict

#: Where a link may lead.
SCHEMES = ("http://", "https://", "mailto:")
#: Where math begins or ends for who looks for it in a page.
_TEX = re.compile(r"[$\\]")
#: So much code of one text is highlighted, in characters and in seconds of the processor.
HIGHLIGHTED, SLOWEST = 200_000, 2.0
#: A text with more brackets than these has no links: each would be tried as one.
BRACKETS = 5000
#: What the meta of a block of code says if it is a part of one.
FROM_BEFORE, GOES_ON = "from before", "goes on"


def markdown_html(text: str) -> str:
    r"""Return Markdown as safe HTML.

    >>> markdown_html("*hello* <script>alert(1)</script>")
    '<p><em>hello</em> &lt;script&gt;alert(1)&lt;/script&gt;</p>\n'
    """
    text = redact(text)
    return str(parser(links=text.count("[") <= BRACKETS).render(text))


def text_html(text: str) -> str:
    """Return plain text as HTML, its spaces and line ends kept."""
    return f'<div style="white-space: pre-wrap">{prose_html(redact(text))}</div>'


def prose_html(text: str) -> str:
    """Return text as HTML in which no page finds math: Jupyter takes what lies between two prices for it.

    >>> prose_html("<$5>")
    '&lt;<span>$</span>5&gt;'
    """
    return _TEX.sub(r"<span>\g<0></span>", escape(text))


@cache
def parser(*, links: bool = True) -> MarkdownIt:
    """Return what takes Markdown apart and renders it."""
    from markdown_it import MarkdownIt

    from .notation import add_notation

    class Safe(MarkdownIt):
        def validateLink(self, url: str) -> bool:  # noqa: N802 - the library's name
            return url.lower().startswith(SCHEMES)

    safe = Safe("js-default", {"html": False, "linkify": False})
    add_notation(safe)
    for name, rule in (("link_open", _link), ("image", _image), ("fence", _code), ("code_block", _code), ("text", _text)):
        safe.add_render_rule(name, rule)
    return safe if links else safe.disable(["link", "image"])


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


def _text(_: RendererHTML, tokens: Sequence[Token], index: int, _options: OptionsDict, _env: MutableMapping[str, Any]) -> str:
    return prose_html(tokens[index].content)


def _code(_: RendererHTML, tokens: Sequence[Token], index: int, _options: OptionsDict, env: MutableMapping[str, Any]) -> str:
    """Show code in colours; of a block that goes on from before, or goes on after this, only what is its own."""
    token = tokens[index]
    length, spent = env.get("highlighted", (0, 0.0))
    length, began = length + len(token.content), thread_time()
    language = token.info.split(maxsplit=1)[0] if token.info.strip() and length <= HIGHLIGHTED and spent < SLOWEST else ""
    opening, code, closing = code_parts(token.content, language)
    env["highlighted"] = length, spent + thread_time() - began
    return ("" if token.meta.get(FROM_BEFORE) else opening) + code + ("" if token.meta.get(GOES_ON) else closing)
