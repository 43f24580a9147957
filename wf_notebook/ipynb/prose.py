"""A session as Markdown that a code host shows: what models said is quoted, and nothing of it leaves its place."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..frames.cells import ROWS, cut, line
from ..render import content_text, timeline_text
from ..render.made import is_text, original
from ..render.record import record_foot, record_head, record_more
from ..render.record import told as said_in
from ..render.said import Lane
from .making import about, heading, last_timeline, lines, notes
from .safe import fenced, plain, quoted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..frames import Table
    from .report import Report, Told

#: Characters of a value in a cell of a table.
CELL = 300


def prose(told: Report) -> str:
    """Return a session as the text of a Markdown file."""
    parts = [f"# {plain(told.title)}", *map(plain, about(told))]
    for named in told.workflows:
        parts.append(f"## {plain(named.name)}")
        sources = [] if named.program is None else [named.program.before, named.program.body]
        parts += [fenced(each, "python") for each in sources if each] or ["Its source was not kept."]
    for each in told.runs:
        parts += _run(each)
    if told.state is not None:
        parts += ["## State", _table(told.state)]
        for path, table in told.tables:
            parts += [f"### {plain(path)}", _table(table)]
    if bars := last_timeline(told):
        parts += ["## Timeline", "What the last run did, and when.", fenced(timeline_text(bars))]
    return "\n\n".join(parts) + "\n"


def _run(told: Told) -> Iterator[str]:
    yield f"## {plain(heading(told))}"
    yield fenced("\n".join(lines(told)), "python")
    yield from map(plain, notes(told))
    this, run = told.run, original(told.run)
    said, left_out = said_in(run if is_text(this) else this)
    yield plain(record_head(run))
    for content in said:
        yield from _content(content)
    yield from (plain(each) for each in (record_more(run, left_out), record_foot(run)) if each)


def _content(content: Any) -> Iterator[str]:
    if isinstance(content, Lane):
        yield f"**{plain(content.name)}**"
        for each in content.contents:
            yield from _content(each)
    elif isinstance(content, str):
        yield quoted(content)
    else:
        yield fenced(content_text(content))


def _table(table: Table) -> str:
    """Return a table: its first rows, and how many there are; what has no value in any of them is left out."""
    columns = [(column.name, [line(value, column) for value in column.cells[:ROWS]]) for column in table.shown]
    head = "| " + " | ".join(plain(name) for name, _ in columns) + " |"
    rows = [
        "| " + " | ".join(plain(cut(cell, CELL)) for cell in row) + " |" for row in zip(*(c for _, c in columns), strict=True)
    ]
    count = len(table)
    more = f"\n\n{count:,} rows, the first {ROWS} shown" if count > ROWS else ""
    return "\n".join([head, "|" + " --- |" * len(columns), *rows]) + more
