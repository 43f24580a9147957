"""What was said, ready to be shown: text as Markdown, typed models and dicts as tables, everything escaped."""

from __future__ import annotations

import json
from html import escape
from typing import TYPE_CHECKING, Any

from ..redact import redact
from .markdown import markdown_html, text_html
from .pictures import picture_html, picture_text
from .said import Failure, Lane, Reasoning, ToolCall
from .status import STATUS, brief, standing

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

#: More than this is cut, in characters: a notebook must stay openable.
LIMIT = 1_000_000
#: A table has so many rows at most, and nests so deep.
ROWS, DEPTH = 1000, 5

_CELL = 'style="text-align: left; vertical-align: top; white-space: pre-wrap"'


def content_html(content: Any, *, markdown: bool = True) -> str:
    """Return one content as safe HTML; its text is Markdown, or shown as it is written.

    >>> content_html({"title": "<b>", "tags": ["x", "y"]}).count("<td")
    2
    """
    if isinstance(content, Lane):
        return lane_heading(content.name) + "".join(content_html(said, markdown=markdown) for said in content.contents)
    if isinstance(content, Failure):
        return f'<p style="color: {STATUS["failed"][1]}">{escape(content_text(content))}</p>'
    if isinstance(content, ToolCall):
        return _tool_html(content)
    if isinstance(content, Reasoning):
        return f"<details><summary>reasoning</summary>{text_html(content.text)}</details>"
    if isinstance(content, str):
        content = redact(content)  # before it is cut: half of a secret is not recognised
        return (markdown_html if markdown else text_html)(content[:LIMIT]) + (
            f"<p><em>{escape(_cut(content))}</em></p>" if len(content) > LIMIT else ""
        )
    return _value(content, 0)


def lane_heading(name: str) -> str:
    """Return what stands above what a branch said."""
    return f'<p><strong style="font-size: 90%">▸ {escape(redact(name))}</strong></p>'


def _tool_html(call: ToolCall) -> str:
    given = {"arguments": call.arguments} | ({"result": call.result} if call.over else {})
    return f"<details><summary>{escape(_tool_text(call))}</summary>{_table(given, 0)}</details>"


def _tool_text(call: ToolCall) -> str:
    sign, word = ("✗", f": {brief(call.error)}") if call.error else ("✓", "") if call.over else ("●", " …")
    return f"{sign} {brief(call.name)}{word}"


def content_text(content: Any) -> str:
    r"""Return one content as text, models and dicts as JSON.

    >>> content_text({"n": 1})
    '{\n  "n": 1\n}'
    """
    if isinstance(content, Lane):
        return "\n".join([f"▸ {redact(content.name)}", *map(content_text, content.contents)])
    if isinstance(content, Failure):
        return standing("failed", content.why)
    if isinstance(content, ToolCall):
        return _tool_text(content)
    if isinstance(content, Reasoning):
        content = content.text
    text = redact(content if isinstance(content, str) else json_text(content))
    return text if len(text) <= LIMIT else f"{text[:LIMIT]}\n{_cut(text)}"


def json_text(value: Any) -> str:
    """Return a value as JSON for people to read: what JSON does not have is shown as it prints."""
    try:
        return json.dumps(_plain(value) if hasattr(value, "model_dump") else value, indent=2, ensure_ascii=False, default=_plain)
    except (TypeError, ValueError):  # keys that are no str; circles
        return repr(value)


def _plain(value: Any) -> Any:
    if hasattr(value, "model_dump"):
        return value.model_dump(mode="json", exclude_none=True, fallback=_plain)
    return picture_text(value) or repr(value)


def _cut(text: str) -> str:
    return f"… cut here; {len(text) - LIMIT:,} more characters are in the content of the response"


def _value(value: Any, depth: int) -> str:
    """Return a value as itself, if it has a rich display, else as a table, a list or text."""
    if shown := picture_html(value):
        return shown
    fields = _fields(value)
    if fields is not None and depth < DEPTH:
        return _table(fields, depth)
    if isinstance(value, (list, tuple, set, frozenset)) and depth < DEPTH:
        items = "".join(f"<li>{_value(item, depth + 1)}</li>" for item in list(value)[:ROWS])
        return f"<ul>{items}</ul>" + (f"<p>… {len(value) - ROWS:,} more</p>" if len(value) > ROWS else "")
    text = value if isinstance(value, str) else json_text(value) if fields is not None else str(value)
    text = redact(text)
    return escape(text[:LIMIT]) + (escape(f" {_cut(text)}") if len(text) > LIMIT else "")


def _fields(value: Any) -> Mapping[Any, Any] | None:
    """Return the fields of a model or dict by name."""
    if isinstance(value, dict):
        return value
    names = getattr(type(value), "model_fields", None)
    return {name: getattr(value, name) for name in names} if isinstance(names, dict) else None


def _table(fields: Mapping[Any, Any], depth: int) -> str:
    return f"<table>{''.join(_rows(fields, depth))}</table>"


def _rows(fields: Mapping[Any, Any], depth: int) -> Iterator[str]:
    for n, (name, value) in enumerate(fields.items()):
        if n == ROWS:
            yield f"<tr><td>… {len(fields) - ROWS:,} more</td></tr>"
            return
        yield f"<tr><th {_CELL}>{escape(redact(str(name)))}</th><td {_CELL}>{_value(value, depth + 1)}</td></tr>"
