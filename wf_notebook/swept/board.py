"""The board of a sweep that goes on: a bar, the rows that ended last, and those that failed; HTML that is safe to show."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Any

from ..frames.cells import cut
from ..readable import brief, glimpse
from ..render.status import STATUS

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from ..sweep import Progress, Row

#: Characters of the inputs, of what came of a row, and of one input.
_INPUTS, _CAME, _INPUT = 120, 240, 60


def board_html(progress: Progress, newest: Sequence[Row], failures: Sequence[Row]) -> str:
    """Return the board of a sweep: how far it is, the rows that ended last, the newest first, and the last that failed."""
    shown = [row for row in newest if row not in failures]
    earlier = progress.failed - len(failures)
    more = f'<p class="wf-live-more">… and {earlier:,} more failed</p>' if failures and earlier > 0 else ""
    return _bar(progress) + _table("rows that ended last", shown) + _table("rows that failed", failures) + more


def _bar(progress: Progress) -> str:
    total = progress.total
    if not total:
        return ""
    parts = {
        "hits": progress.hits, "completed": progress.done - progress.hits, "failed": progress.failed,
        "stopped": progress.stopped, "running": progress.running,
    }  # fmt: skip
    inside = "".join(
        f'<span data-part="{name}" title="{number:,} {name}" style="width: {100 * number / total:.2f}%"></span>'
        for name, number in parts.items()
        if number
    )
    return (
        f'<div class="wf-live-bar" role="progressbar" aria-label="rows" aria-valuemin="0" aria-valuemax="{total}"'
        f' aria-valuenow="{progress.over}">{inside}</div>'
    )


def _table(title: str, rows: Iterable[Row]) -> str:
    body = "".join(
        f'<tr><td>{row.number}</td><td>{escape(inputs_of(row))}</td><td data-status="{row.status}">'
        f"{escape(' '.join((STATUS[row.status][0], row.status)))}</td><td>{escape(came_of(row))}</td></tr>"
        for row in rows
    )
    return f'<table aria-label="{title}"><tbody>{body}</tbody></table>' if body else ""


def inputs_of(row: Row) -> str:
    """Return what a row was given, in a line; of a single text that text."""
    given = row.given
    if len(given) == 1:
        return cut(_plain(*given.values()), _INPUTS)
    return cut(", ".join(f"{name}={cut(glimpse(value), _INPUT)}" for name, value in given.items()), _INPUTS)


def came_of(row: Row) -> str:
    """Return what came of a row, in a line: its content, or its error."""
    if row.error:
        return cut(brief(row.error), _CAME)
    return "" if row.content is None else cut(_plain(row.content), _CAME)


def _plain(value: Any) -> str:
    return brief(value[: 4 * _CAME]) if isinstance(value, str) else glimpse(value)
