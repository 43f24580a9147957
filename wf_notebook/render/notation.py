"""What people write in Markdown beyond its standard: math, which stays as it is written, task lists, and bare addresses."""

from __future__ import annotations

import re
from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from markdown_it import MarkdownIt
    from markdown_it.renderer import RendererHTML
    from markdown_it.rules_block import StateBlock
    from markdown_it.rules_core import StateCore
    from markdown_it.rules_inline import StateInline
    from markdown_it.token import Token

#: How math begins, and how it ends.
_MARKS = {"$$": "$$", r"\(": r"\)", r"\[": r"\]"}
#: Between single dollars it touches both, and no digit follows: "$5 and $10" are prices.
_DOLLARS = re.compile(r"\$((?![\s$])(?:\\.|[^$\\])*?)(?<!\s)\$(?!\d)", re.DOTALL)
#: Between dollars, what begins as a price does and goes on in words is prose, unless something in it is only written in math.
_PRICE = re.compile(r"\d[^\\^_={}]*\s[^\\^_={}]*")
_ENDS = {"$$": "$$", r"\[": r"\]"}
#: Math and addresses longer than this are text, in characters: their end is looked for from each beginning.
_LONGEST = 2000

_BOX = re.compile(r"\[([ xX])\][ \t]+")
_SCHEME = re.compile(r"(?<![a-z0-9.+-])https?$", re.IGNORECASE)
_ADDRESS = re.compile(r"://[^\s<>\"'`\\|]+")
_STYLE = "white-space: pre-wrap; background: none; padding: 0"


def add_notation(parser: MarkdownIt) -> None:
    """Teach a parser what is written here."""
    parser.block.ruler.before("fence", "math_block", _math_block, {"alt": ["paragraph", "reference", "blockquote", "list"]})
    parser.inline.ruler.before("escape", "math", _math)
    parser.inline.ruler.after("text", "address", _address)
    parser.core.ruler.push("tasks", _tasks)
    parser.add_render_rule("math", _math_html)
    parser.add_render_rule("math_block", _math_html)


def _math(state: StateInline, silent: bool) -> bool:
    r"""Take `$…$`, `$$…$$`, `\(…\)` and `\[…\]` as they are."""
    source, start = state.src, state.pos
    if source[start] not in "$\\" or (source[start] == "$" and source[start - 1 : start].isalnum()):
        return False
    most = min(state.posMax, start + _LONGEST)
    if mark := _MARKS.get(source[start : start + 2]):
        found_at = source.find(mark, start + 3, most)
        if found_at < 0:
            return False
        end = found_at + len(mark)
    else:
        found = _DOLLARS.match(source, start, most)
        if found is None or _PRICE.fullmatch(found[1]):
            return False
        end = found.end()
    if not silent:
        state.push("math", "code", 0).content = source[start:end]
    state.pos = end
    return True


def _math_block(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    r"""Take lines from `$$` or `\[` on a line of its own to its end as they are; to the next empty line, if it has none."""
    if state.is_code_block(start):
        return False
    closing = _ENDS.get(_line(state, start))
    if closing is None:
        return False
    if silent:
        return True
    line = start + 1
    while line < end and not state.isEmpty(line) and state.sCount[line] >= state.blkIndent:
        line += 1
        if _line(state, line - 1).endswith(closing):
            break
    token = state.push("math_block", "code", 0)
    token.content = state.getLines(start, line, state.blkIndent, False).strip()
    token.map = [start, line]
    state.line = line
    return True


def _line(state: StateBlock, line: int) -> str:
    return state.src[state.bMarks[line] + state.tShift[line] : state.eMarks[line]].strip()


def _math_html(_: RendererHTML, tokens: list[Token], index: int, _options: object, _env: object) -> str:
    """Show math as code, which no page typesets: TeX has links of its own."""
    html = f'<code style="{_STYLE}">{escape(tokens[index].content)}</code>'
    return f"<p>{html}</p>\n" if tokens[index].type == "math_block" else html


def _address(state: StateInline, silent: bool) -> bool:
    """Make a link of an address that stands in the text."""
    at = state.pos
    if state.src[at] != ":" or state.linkLevel:
        return False
    scheme = _SCHEME.search(state.src[max(0, at - 6) : at])
    if scheme is None or not (silent or state.pending.endswith(scheme[0])):
        return False
    found = _ADDRESS.match(state.src, at, min(state.posMax, at + _LONGEST))
    if found is None:
        return False
    rest = found[0].rstrip("?!.,:*_~;")
    if rest.endswith(")") and "(" not in rest:
        rest = rest.rstrip(").")
    url = state.md.normalizeLink(scheme[0] + rest)
    if rest == "://" or not state.md.validateLink(url):
        return False
    if not silent:
        state.pending = state.pending[: -len(scheme[0])]
        state.push("link_open", "a", 1).attrs = {"href": url}
        state.push("text", "", 0).content = scheme[0] + rest
        state.push("link_close", "a", -1)
    state.pos += len(rest)
    return True


def _tasks(state: StateCore) -> None:
    """Show the box of a task as a sign: a form would do nothing here."""
    for before, paragraph, inline in zip(state.tokens, state.tokens[1:], state.tokens[2:], strict=False):
        if (before.type, paragraph.type, inline.type) != ("list_item_open", "paragraph_open", "inline"):
            continue
        first = inline.children[0] if inline.children else None
        if first is not None and first.type == "text" and (box := _BOX.match(first.content)) and box[0] != inline.content:
            first.content = ("☐ " if box[1] == " " else "☑ ") + first.content[box.end() :]
            before.attrSet("style", "list-style: none")
