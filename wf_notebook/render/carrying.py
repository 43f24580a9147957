"""What is carried over where an open block is split: the lists, quotes, tables and code around it, opened again for the rest."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

    from markdown_it.token import Token

_QUOTE = re.compile(r" {0,3}> ?")
_ITEM = re.compile(r" {0,3}(?:[-+*]|\d{1,9}[.)])(?: {1,4}(?![ \n])| |(?=\n|$))")
_SPACES = re.compile(r" *")


class Carried(NamedTuple):
    """What goes before the rest of a block that was split, so that the rest is read as it was before."""

    #: The source that opens it again.
    source: str
    #: The types of the tokens that this source becomes, and the type of the code that goes on after them, if any.
    types: tuple[str, ...] = ()
    code: str = ""
    #: Attributes of these tokens where a piece begins: (index, name, value).
    attributes: tuple[tuple[int, str, str], ...] = ()
    #: HTML that closes the piece before.
    closers: str = ""
    #: What was taken from the first line of the rest, as `source` has it.
    taken: str = ""

    def fits(self, tokens: Sequence[Token]) -> bool:
        """Return whether the rest is read as it was before."""
        types = tuple(token.type for token in tokens[: len(self.types) + bool(self.code)])
        return types == (*self.types, *([self.code] if self.code else []))

    def begin(self, tokens: Sequence[Token]) -> None:
        """Number and mark what a piece opens again."""
        for index, name, value in self.attributes:
            tokens[index].attrSet(name, value)


START = Carried("")


class Opened(NamedTuple):
    """A block around a cut: the index of its token, and how many items it had so far if it is a list."""

    at: int
    items: int = 0


def around(tokens: Sequence[Token], index: int) -> list[Opened]:
    """Return the blocks that are open before a token, from without to within."""
    opened: list[Opened] = []
    for n, token in enumerate(tokens[:index]):
        if token.nesting > 0:
            if token.type == "list_item_open":
                opened[-1] = opened[-1]._replace(items=opened[-1].items + 1)
            opened.append(Opened(n))
        elif token.nesting < 0:
            opened.pop()
    return opened


def closers(tokens: Sequence[Token], opened: Sequence[Opened], code: str) -> str:
    """Return the HTML that closes these blocks."""
    tags = [tokens[block.at].tag for block in reversed(opened) if not tokens[block.at].hidden]
    return ("</code></pre>\n" if code else "") + "".join(f"</{tag}>\n" for tag in tags)


def carried(tokens: Sequence[Token], index: int, lines: Sequence[str], cut: tuple[int, int], code: str = "") -> Carried | None:
    """Return what is carried over a cut before a token, at (line, column); None where the source does not show it.

    `code` is the type of the token before the cut if it is code, and goes on.
    """
    opened = around(tokens, index)
    containers = _containers(tokens, opened, lines)
    if containers is None:
        return None
    line, column = cut
    text = lines[line] if line < len(lines) else ""
    taken = text[: len(text) - len(_inside(text, line, containers))] if not column else ""
    leaf = _leaf(tokens[index - 1] if code else None, lines, containers)
    types: list[str] = []
    attributes: list[tuple[int, str, str]] = []
    if code == "code_block" and column:
        leaf = "    "
    for depth, block in enumerate(opened):
        token, reopened = tokens[block.at], depth + 1 < len(opened)
        if token.type == "ordered_list_open":
            number = int(token.attrs.get("start", 1)) + block.items - reopened
            attributes.append((len(types), "start", str(number)))
        elif token.type == "list_item_open":
            attributes.append((len(types), "style", "list-style: none"))
        types.append(token.type)
        if token.type == "table_open":
            leaf = _leaf(token, lines, containers)
            within = [each.type for each in tokens[block.at + 1 : opened[depth + 1].at]]
            attributes.append((len(types), "class", "wf-again"))
            types += within
    source = "".join(container.opens for container in containers) + leaf
    return Carried(source, tuple(types), code, tuple(attributes), closers(tokens, opened, code), taken)


class _Container(NamedTuple):
    """A quote or an item of a list: the line that it begins in, what it has there, and what it has in the lines below."""

    line: int
    raw: str
    opens: str
    below: str


def _containers(tokens: Sequence[Token], opened: Sequence[Opened], lines: Sequence[str]) -> list[_Container] | None:
    containers: list[_Container] = []
    for block in opened:
        token = tokens[block.at]
        if token.type not in {"blockquote_open", "list_item_open"}:
            continue
        line = (token.map or [0])[0]
        found = (_QUOTE if token.type == "blockquote_open" else _ITEM).match(_inside(lines[line], line, containers))
        if found is None:
            return None
        opens = found[0] if found[0].endswith(" ") else f"{found[0]} "
        containers.append(_Container(line, found[0], opens, opens if ">" in opens else " " * len(opens)))
    return containers


def _inside(text: str, line: int, containers: Sequence[_Container]) -> str:
    """Return a line without what belongs to the blocks around it."""
    for container in containers:
        if container.line == line:
            text = text[len(container.raw) :]
        elif ">" in container.below:
            text = text[len(found[0]) :] if (found := _QUOTE.match(text)) else text
        else:
            text = text[min(len(container.below), len((_SPACES.match(text) or [""])[0])) :]
    return text


def _leaf(token: Token | None, lines: Sequence[str], containers: Sequence[_Container]) -> str:
    """Return the lines that open code or a table again."""
    if token is None or token.type == "code_block":
        return ""
    first = (token.map or [0])[0]
    below = "".join(container.below for container in containers)
    head = lines[first : first + (2 if token.type == "table_open" else 1)]
    return "".join(_inside(text, first + n, containers).rstrip("\r\n") + "\n" + below for n, text in enumerate(head))
