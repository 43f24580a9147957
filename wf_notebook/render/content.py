"""What was said, ready to be shown: text as Markdown, typed models and dicts as tables, everything escaped."""

from __future__ import annotations

import json
from html import escape
from typing import TYPE_CHECKING, Any, NamedTuple

from ..events import RunEvent, RunResponse
from ..redact import redact
from .markdown import markdown_html, text_html
from .status import STATUS, standing

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

#: More than this is cut, in characters: a notebook must stay openable.
LIMIT = 1_000_000
#: A table has so many rows at most, and nests so deep.
ROWS, DEPTH = 1000, 5

_CELL = 'style="text-align: left; vertical-align: top; white-space: pre-wrap"'


class Said:
    """What is to be shown of each response: a piece of text, another content, the failure of a branch, or None.

    A completion repeats what was said before it: it counts only if nothing was.

    >>> said = Said()
    >>> [said(RunResponse("hello ")), said(RunResponse(None)), said(RunResponse("hello", event="WorkflowCompleted"))]
    ['hello ', None, None]
    """

    def __init__(self) -> None:
        self._spoke = False
        self._last: Any = None

    def __call__(self, response: RunResponse) -> Any:
        """Return what to show of the next response."""
        content, completed = response.content, response.event == RunEvent.workflow_completed
        if content is None and response.event == RunEvent.run_error and isinstance(response.extra_data, dict):
            return Failure(str(response.extra_data.get("error") or ""))
        if isinstance(content, str):
            if completed and self._spoke:
                return None
            self._spoke = self._spoke or not completed
        elif content is not None:
            if completed and content is self._last:
                return None
            self._last = content
        return content


class Lane(NamedTuple):
    """What one branch said, beside others."""

    name: str
    contents: list[Any]


class Failure(NamedTuple):
    """That a branch failed, and why; the run goes on."""

    why: str


class _Pieces(list[str]):
    """The pieces of one text."""


class _Lanes(dict[str, list[Any]]):
    """What branches said side by side."""


class Transcript:
    """What responses said, in order; pieces of one text are joined, and what branches said at once stands lane by lane.

    >>> transcript = Transcript()
    >>> for text, lane in [("Go. ", None), ("a", "one"), ("x", "two"), ("b", "one"), ("Done.", None)]:
    ...     transcript.add(RunResponse(text).stamped({"lane": lane}))
    >>> transcript.contents()
    ['Go. ', Lane(name='one', contents=['ab']), Lane(name='two', contents=['x']), 'Done.']
    """

    def __init__(self) -> None:
        self._said = Said()
        self._parts: list[Any] = []

    def add(self, response: RunResponse) -> None:
        """Take the next response."""
        content = self._said(response)
        if content is None:
            return
        if response.lane is None:
            _put(self._parts, content)
            return
        if not self._parts or not isinstance(self._parts[-1], _Lanes):
            self._parts.append(_Lanes())
        _put(self._parts[-1].setdefault(response.lane, []), content)

    def add_outputs(self, outputs: list[Any]) -> None:
        """Take several outputs, each by itself."""
        for output in outputs:
            self._parts += contents([output])

    def contents(self) -> list[Any]:
        """Return what was said so far."""
        return _joined(self._parts)


def _put(parts: list[Any], content: Any) -> None:
    if not isinstance(content, str):
        parts.append(content)
    elif parts and isinstance(parts[-1], _Pieces):
        parts[-1].append(content)
    else:
        parts.append(_Pieces([content]))


def _joined(parts: list[Any]) -> list[Any]:
    joined: list[Any] = []
    for part in list(parts):
        if isinstance(part, _Lanes):
            joined += [Lane(name, _joined(said)) for name, said in list(part.items())]
        else:
            joined.append("".join(part) if isinstance(part, _Pieces) else part)
    return joined


def contents(responses: Iterable[Any]) -> list[Any]:
    """Return what the responses of a stream said in order, its text joined; a list among them is several outputs, each by itself.

    >>> contents([RunResponse("a"), RunResponse("b"), RunResponse({"n": 1})]), contents([[RunResponse("a"), RunResponse("b")]])
    (['ab', {'n': 1}], ['a', 'b'])
    """
    transcript = Transcript()
    for response in responses:
        if isinstance(response, list):
            transcript.add_outputs(response)
        elif isinstance(response, RunResponse):
            transcript.add(response)
    return transcript.contents()


def content_html(content: Any, *, markdown: bool = True) -> str:
    """Return one content as safe HTML; its text is Markdown, or shown as it is written.

    >>> content_html({"title": "<b>", "tags": ["x", "y"]}).count("<td")
    2
    """
    if isinstance(content, Lane):
        return lane_heading(content.name) + "".join(content_html(said, markdown=markdown) for said in content.contents)
    if isinstance(content, Failure):
        return f'<p style="color: {STATUS["failed"][1]}">{escape(content_text(content))}</p>'
    if isinstance(content, str):
        content = redact(content)  # before it is cut: half of a secret is not recognised
        return (markdown_html if markdown else text_html)(content[:LIMIT]) + (
            f"<p><em>{escape(_cut(content))}</em></p>" if len(content) > LIMIT else ""
        )
    return _value(content, 0)


def lane_heading(name: str) -> str:
    """Return what stands above what a branch said."""
    return f'<p><strong style="font-size: 90%">▸ {escape(redact(name))}</strong></p>'


def content_text(content: Any) -> str:
    r"""Return one content as text, models and dicts as JSON.

    >>> content_text({"n": 1})
    '{\n  "n": 1\n}'
    """
    if isinstance(content, Lane):
        return "\n".join([f"▸ {redact(content.name)}", *map(content_text, content.contents)])
    if isinstance(content, Failure):
        return standing("failed", content.why)
    text = redact(content if isinstance(content, str) else json_text(content))
    return text if len(text) <= LIMIT else f"{text[:LIMIT]}\n{_cut(text)}"


def json_text(value: Any) -> str:
    """Return a value as JSON for people to read: what JSON does not have is shown as it prints."""
    if hasattr(value, "model_dump"):
        value = value.model_dump(mode="json", exclude_none=True)
    try:
        return json.dumps(value, indent=2, ensure_ascii=False, default=_plain)
    except (TypeError, ValueError):  # keys that are no str; circles
        return repr(value)


def _plain(value: Any) -> Any:
    return value.model_dump(mode="json", exclude_none=True) if hasattr(value, "model_dump") else repr(value)


def _cut(text: str) -> str:
    return f"… cut here; {len(text) - LIMIT:,} more characters are in the content of the response"


def _value(value: Any, depth: int) -> str:
    """Return a value as a table, a list or text."""
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
