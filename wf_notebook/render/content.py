"""What was said, ready to be shown: text as Markdown, models and dicts as tables, calls and thoughts folded, all escaped."""

from __future__ import annotations

import json
from html import escape
from typing import TYPE_CHECKING, Any

from ..readable import as_text, brief, glimpse, readable
from ..redact import redact
from .markdown import markdown_html, text_html
from .pictures import enclosed, is_picture, picture_html, picture_text
from .said import Failure, Lane, Pictures, Reasoning, ToolCall
from .status import STATUS, standing

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

#: More than this is cut, in characters: a notebook must stay openable.
LIMIT = 1_000_000
#: A table has so many rows at most, and nests so deep.
ROWS, DEPTH = 1000, 5
#: What stands in the line of a fold is cut to so many characters.
_GLIMPSE = 80

#: What lies in a cell begins where the cell does, beside its name.
_INNER = ' style="margin: 0"'
_CELL = 'style="text-align: left; vertical-align: top; white-space: pre-wrap"'


def content_html(content: Any, *, markdown: bool = True, limit: int = LIMIT) -> str:
    """Return one content as safe HTML; its text is Markdown, or shown as it is written, up to `limit` characters.

    >>> content_html({"title": "<b>", "tags": ["x", "y"]}).count("<td")
    2
    """
    if isinstance(content, Lane):
        within = "".join(content_html(said, markdown=markdown, limit=limit) for said in content.contents)
        return _folded(_lane_line(content), within, opened=not content.folded)
    if isinstance(content, Failure):
        return f'<p style="color: {STATUS["failed"][1]}">{escape(content_text(content))}</p>'
    if isinstance(content, Pictures):
        shown = (picture_html(within := enclosed(image)) or escape(_named(within)) for image in content.images[:ROWS])
        return "".join(f"<p>{each}</p>" for each in shown)
    if isinstance(content, (ToolCall, Reasoning)):
        return _fold(content, limit)
    if isinstance(content, str):
        content = str(as_text(content))  # before it is cut: half of a secret is not recognised
        return (markdown_html if markdown else text_html)(content[:limit]) + (
            f"<p><em>{escape(_cut(content, limit))}</em></p>" if len(content) > limit else ""
        )
    return _value(content if _holds_picture(content, 0) else readable(content), 0, limit)


def _fold(content: ToolCall | Reasoning, limit: int) -> str:
    """Return a call of a tool, or what a model thought, folded."""
    if isinstance(content, ToolCall):
        return _folded(escape(tool_line(content)), _table(_given(content), 0, limit))
    return _folded("<em>reasoning</em>", text_html(content.text[:limit]))


def _lane_line(lane: Lane) -> str:
    """Return what a lane shows first: its name; folded, also how it begins or why it failed."""
    name = f'<strong style="font-size: 90%">{escape(brief(lane.name))}</strong>'
    if not lane.folded:
        return name
    failure = next((said for said in lane.contents if isinstance(said, Failure)), None)
    text = next((said for said in lane.contents if isinstance(said, str)), "")
    shown = content_text(failure) if failure else _short(brief(text[: 20 * _GLIMPSE]))
    return f"{name} {escape(shown)}"


def _folded(summary: str, inside: str, *, opened: bool = False) -> str:
    return f"<details{' open' if opened else ''}><summary>{summary}</summary>{inside}</details>"


def _given(call: ToolCall) -> dict[str, Any]:
    """Return what lies in the fold of a call."""
    ended = {"error": call.error} if call.error else {"result": readable(call.result)} if call.over else {}
    return {"arguments": readable(call.arguments)} | ended


def tool_line(call: ToolCall) -> str:
    """Return a call of a tool in one line: how it stands, its name, its arguments in short, and why it failed.

    >>> tool_line(ToolCall("1", "search", {"topic": "cheese", "n": 3}, over=True))
    "✓ search(topic='cheese', n=3)"
    """
    status = ("failed" if call.over else "stopped") if call.error else "completed" if call.over else "running"
    after = f": {brief(call.error)}" if call.error else "" if call.over else " …"
    return f"{STATUS[status][0]} {brief(call.name)}({_short(_arguments(call.arguments))}){after}"


def _arguments(given: Any) -> str:
    if not isinstance(given, dict):
        return "" if given is None else glimpse(given)
    return ", ".join(f"{brief(str(name))}={glimpse(value)}" for name, value in list(given.items())[:_GLIMPSE])


def _short(line: str) -> str:
    return line if len(line) <= _GLIMPSE else f"{line[:_GLIMPSE]}…"


def content_text(content: Any, *, limit: int = LIMIT) -> str:
    r"""Return one content as text, models and dicts as JSON.

    >>> content_text({"n": 1})
    '{\n  "n": 1\n}'
    """
    if isinstance(content, Lane):
        return "\n".join([f"▸ {brief(content.name)}", *(content_text(said, limit=limit) for said in content.contents)])
    if isinstance(content, Failure):
        return standing("failed", content.why)
    if isinstance(content, Pictures):
        return "\n".join(map(_named, content.images[:ROWS]))
    if isinstance(content, ToolCall):
        return tool_line(content)
    if isinstance(content, Reasoning):
        return f"reasoning: {_short(brief(content.text[: 20 * _GLIMPSE]))}"
    text = str(as_text(content)) if isinstance(content, str) else picture_text(content) or json_text(content)
    return text if len(text) <= limit else f"{text[:limit]}\n{_cut(text, limit)}"


def _named(image: Any) -> str:
    """Return what stands for a picture in text, now and from the store: where it is to be found, or what it is."""
    text = readable(image)
    return brief(text) if isinstance(text, str) else glimpse(text)


def json_text(value: Any) -> str:
    """Return a value as JSON for people to read, and what JSON does not have as it prints."""
    tree = readable(value)
    return tree if isinstance(tree, str) else json.dumps(tree, indent=2, ensure_ascii=False)


def _cut(text: str, limit: int) -> str:
    return f"… cut here; {len(text) - limit:,} more characters are in the content of the response"


def _holds_picture(value: Any, depth: int) -> bool:
    """Return whether a value has a rich display, or holds one that has."""
    inside = _inside(value)
    if inside is None or depth == DEPTH:
        return is_picture(value)
    return any(_holds_picture(each, depth + 1) for each in (inside.values() if isinstance(inside, dict) else inside))


def _inside(value: Any) -> dict[Any, Any] | list[Any] | tuple[Any, ...] | None:
    """Return what is in a container or a model, None of anything else."""
    if isinstance(value, (dict, list, tuple)):
        return value
    names = getattr(type(value), "model_fields", None)
    return {name: getattr(value, name) for name in names} if isinstance(names, dict) else None


def _value(value: Any, depth: int, limit: int) -> str:
    """Return a value as itself, if it has a rich display, else as a table, a list or text."""
    if shown := picture_html(value):
        return shown
    value = readable(value) if (inside := _inside(value)) is None else inside
    if isinstance(value, dict) and depth < DEPTH:
        return _table(value, depth, limit)
    if isinstance(value, (list, tuple)) and depth < DEPTH:
        items = "".join(f"<li>{_value(item, depth + 1, limit)}</li>" for item in value[:ROWS])
        return f"<ul{_INNER if depth else ''}>{items}</ul>" + (
            f"<p>… {len(value) - ROWS:,} more</p>" if len(value) > ROWS else ""
        )
    text = redact(value if isinstance(value, str) else json_text(value) if isinstance(value, (dict, list, tuple)) else str(value))
    return escape(text[:limit]) + (escape(f" {_cut(text, limit)}") if len(text) > limit else "")


def _table(fields: Mapping[Any, Any], depth: int, limit: int) -> str:
    return f"<table{_INNER if depth else ''}>{''.join(_rows(fields, depth, limit))}</table>"


def _rows(fields: Mapping[Any, Any], depth: int, limit: int) -> Iterator[str]:
    for n, (name, value) in enumerate(fields.items()):
        if n == ROWS:
            yield f"<tr><td>… {len(fields) - ROWS:,} more</td></tr>"
            return
        yield f"<tr><th {_CELL}>{escape(redact(str(name)))}</th><td {_CELL}>{_value(value, depth + 1, limit)}</td></tr>"
