"""Code in colours: a few kinds of words, in the colours of the page that shows it, readable in light and dark."""

from __future__ import annotations

from functools import cache
from html import escape
from itertools import groupby
from time import thread_time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pygments.lexer import Lexer
    from pygments.token import _TokenType

#: Code longer than this, in characters, stays plain.
LONGEST = 50_000

#: Code that takes longer than this stays plain, in seconds of the processor: some lexers look at all the rest for each word.
SLOWEST = 0.5
#: Kind → its colour: the one of JupyterLab's editor, else one that is read on white and on black.
COLOURS = {
    "k": "var(--jp-mirror-editor-keyword-color, #9a5bd0)",
    "s": "var(--jp-mirror-editor-string-color, #b5651d)",
    "c": "color-mix(in srgb, var(--jp-mirror-editor-comment-color, #5f8579) 80%, currentcolor)",  # its own is pale in the dark
    "n": "var(--jp-mirror-editor-number-color, #2f8a4a)",
    "d": "var(--jp-mirror-editor-def-color, #3b7dd8)",
    "b": "var(--jp-mirror-editor-builtin-color, #1e8799)",
    "e": "var(--jp-mirror-editor-error-color, #d9483b)",
}
#: Kind by the name of a token's type or, where there is none, of the one that it belongs to.
KINDS = {
    **dict.fromkeys(("Keyword", "Operator.Word", "Name.Tag"), "k"),
    **dict.fromkeys(("Literal.String", "Generic.Inserted"), "s"),
    **dict.fromkeys(("Comment",), "c"),
    **dict.fromkeys(("Literal.Number",), "n"),
    **dict.fromkeys(("Name.Function", "Name.Class", "Name.Decorator", "Name.Attribute", "Generic.Heading"), "d"),
    **dict.fromkeys(("Name.Builtin", "Name.Exception"), "b"),
    **dict.fromkeys(("Generic.Deleted",), "e"),
}
_STYLE = "; ".join(f"--wf-{kind}: {colour}" for kind, colour in COLOURS.items())


def code_parts(code: str, language: str) -> tuple[str, str, str]:
    r"""Return code as HTML: what opens its block, the code itself, and what closes the block.

    Where inline styles are taken out, and in a language that nobody knows, it is plain code.

    >>> code_parts("if x:\n", "nobody's")
    ('<pre><code>', 'if x:\n', '</code></pre>\n')
    >>> code_parts("if x:\n", "python")[1]
    '<span style="color:var(--wf-k)">if</span> x:\n'
    """
    lexer = _lexer(language.lower()) if len(code) <= LONGEST else None
    if lexer is None:
        return "<pre><code>", escape(code), "</code></pre>\n"
    return f'<pre><code style="{_STYLE}">', _coloured(code, lexer), "</code></pre>\n"


def _coloured(code: str, lexer: Lexer) -> str:
    words, until = [], thread_time() + SLOWEST
    try:  # not by `get_tokens`, which strips, expands and decodes
        for n, (_, kind, word) in enumerate(lexer.get_tokens_unprocessed(code)):
            words.append((_kind(kind), word))
            if not n % 64 and thread_time() > until:
                return escape(code)
    except Exception:  # noqa: BLE001 - a lexer that fails on its own language is the lexer's affair
        return escape(code)
    if "".join(word for _, word in words) != code:
        return escape(code)
    html = []
    for kind, group in groupby(words, key=lambda word: word[0]):
        text = escape("".join(word for _, word in group))
        html.append(f'<span style="color:var(--wf-{kind})">{text}</span>' if kind and not text.isspace() else text)
    return "".join(html)


@cache
def _kind(token: _TokenType) -> str:
    while token.parent is not None:
        if found := KINDS.get(str(token).removeprefix("Token.")):
            return found
        token = token.parent
    return ""


@cache
def _names() -> frozenset[str]:
    """The names of languages: one that is not among them would be looked for among all installed packages, each time."""
    from pygments.lexers import get_all_lexers

    return frozenset(name for title, names, _, _ in get_all_lexers(plugins=False) if title != "Text only" for name in names)


@cache
def _known(language: str) -> Lexer | None:
    from pygments.lexers import get_lexer_by_name

    try:
        return get_lexer_by_name(language)
    except Exception:  # noqa: BLE001 - as above
        return None


def _lexer(language: str) -> Lexer | None:
    return _known(language) if language in _names() else None
