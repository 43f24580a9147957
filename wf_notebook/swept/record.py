"""The record of a sweep: how it ended, its failures and its first rows, and where all of them are; as HTML and as text.

It is kept in the notebook: no script, no style sheet, nothing fetched.
"""

from __future__ import annotations

from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..addresses import portable
from ..frames.sweeps import table_of
from ..readable import brief
from ..redact import redact
from ..render import moment, session_name
from ..render.status import STATUS
from .said import far, foot, spent, stands

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..frames import Table
    from ..sweep import Row, Sweep

#: So many rows, and so many failures, are in a record; and so many rows in its text.
FIRST, FAILED, FEW = 20, 10, 5
#: Characters of a failure in text.
_LINE = 200
#: By this the record of a sweep is told from that of a run, in an output's metadata.
NAMED = "sweep"


def swept_bundle(sweep: Sweep, again: str = "") -> dict[str, str]:
    """Return the record of a sweep as HTML and text; `again` is the line that goes on with it."""
    failures = sweep.failures
    others = [row for row in sweep.rows if row.status != "failed"]
    below = redact(foot(sweep, again))
    parts, text = [_head_html(sweep)], [_head(sweep), *_failed_text(failures)]
    if failures:
        title = f"{STATUS['failed'][0]} {_counted(len(failures), 'row')} failed"
        parts.append(_folded(title, table_of(failures[:FAILED], ("error",)), more=len(failures) - FAILED, is_open=True))
    if first := others[:FIRST]:
        title = _counted(len(first), "row") if len(first) == len(others) else f"the first {len(first)} of {len(others):,} rows"
        told = ("status", "content") if any(row.status != "completed" for row in first) else ("content",)
        parts.append(_folded(title, table_of(first, told), is_open=not failures and len(first) <= FEW))
        text.append(table_of(others, told).text(rows=FEW))
    parts.append(f'<p style="color: var(--jp-ui-font-color2, #666); font-size: 90%">{escape(below)}</p>')
    html = f'<div class="wf-record mathjax_ignore tex2jax_ignore">{"".join(parts)}</div>'
    return {"text/html": html, "text/plain": "\n\n".join([*text, below])}


def swept_metadata(sweep: Sweep, folder: Path | None = None) -> dict[str, Any]:
    """Return what belongs to this sweep and not to its rows; `now` is what its record says of when and how they were done."""
    progress, url = sweep.progress, getattr(sweep.workflow.storage, "url", None)
    return {
        "workflow": sweep.workflow.name,
        NAMED: sweep.name,
        **({} if url is None else {"storage": portable(url, folder or Path())}),
        "status": sweep.status,
        "rows": progress.total,
        "completed": progress.done,
        "hits": progress.hits,
        "failed": progress.failed,
        "stopped": progress.stopped,
        "now": _now(sweep),
    }


def _now(sweep: Sweep) -> str:
    progress = sweep.progress
    began = [moment(sweep.started_at)] if sweep.started_at is not None else []
    return " · ".join([*spent(progress), f"{progress.seconds:.1f} s", *began])


def _said(sweep: Sweep) -> list[str]:
    models = dict.fromkeys(model for row in sweep.rows for model in row.models)
    used = [", ".join(map(brief, models))] if models else []
    return [f"sweep {session_name(sweep.name)}", redact(stands(sweep)), *far(sweep.progress), *used, _now(sweep)]


def _head(sweep: Sweep) -> str:
    return " · ".join([brief(sweep.workflow.name or ""), *_said(sweep)])


def _head_html(sweep: Sweep) -> str:
    name, status, *facts = map(escape, _said(sweep))
    coloured = f'<span style="color: {STATUS[sweep.status][1]}">{status}</span>'
    head = " · ".join([f"<strong>{escape(brief(sweep.workflow.name or ''))}</strong>", name, coloured, *facts])
    return (
        '<p style="color: var(--jp-ui-font-color2, #666); font-size: 90%; '
        f'border-bottom: 1px solid var(--jp-border-color2, #ccc); padding-bottom: 4px">{head}</p>'
    )


def _folded(title: str, table: Table, *, is_open: bool, more: int = 0) -> str:
    rest = f"<p>… and {more:,} more</p>" if more > 0 else ""
    opened = " open" if is_open else ""
    return f"<details{opened}><summary>{escape(title)}</summary>{table._repr_html_()}{rest}</details>"


def _failed_text(failures: Sequence[Row]) -> list[str]:
    if not failures:
        return []
    lines = [f"✗ row {row.number}: {brief(row.error or '')[:_LINE]}" for row in failures[:FAILED]]
    more = [f"… and {len(failures) - FAILED:,} more"] if len(failures) > FAILED else []
    return ["\n".join([*lines, *more])]


def _counted(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
