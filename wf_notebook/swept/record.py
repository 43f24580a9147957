"""The record of a sweep: how it ended, its failures and its first rows, and where all of them are; as HTML and as text.

It is kept in the notebook: no script, no style sheet, nothing fetched.
"""

from __future__ import annotations

from dataclasses import replace
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from ..addresses import portable
from ..frames.sweeps import table_of
from ..readable import brief
from ..redact import redact
from ..render import moment, session_name
from ..render.status import STATUS
from .afar import Afar
from .said import ended, failed_of, foot, like, spent, stands

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from ..frames import Table
    from ..run import Run
    from ..storage.sql import SqlStorage
    from ..sweep import Row, Sweep

#: So many rows, and so many failures, are in a record; and so many rows in its text.
FIRST, FAILED, FEW = 20, 10, 5
#: Characters of a failure in text.
_LINE = 200
#: By this the record of a sweep is told from that of a run, in an output's metadata.
NAMED = "sweep"


def swept_bundle(sweep: Sweep | Afar, again: str = "") -> dict[str, str]:
    """Return the record of a sweep as HTML and text; `again` is the line that goes on with it."""
    found = _looked_over(sweep.ended())
    below = redact(foot(sweep, again))
    said = _said(sweep, found.models)
    parts, text = [_head_html(sweep, said)], [" · ".join([brief(sweep.workflow.name or ""), *said])]
    if found.failures:
        title = f"{STATUS['failed'][0]} {_counted(found.failed, 'row')} failed"
        more = found.failed - len(found.failures)
        parts.append(_folded(title, table_of(found.failures, ("error",)), more=more, is_open=True))
        lines = [f"✗ row {row.number}: {brief(row.error or '')[:_LINE]}" for row in found.failures]
        text.append("\n".join([*lines, *([f"… and {more:,} more"] if more else [])]))
    if first := found.first:
        title = _counted(len(first), "row") if len(first) == found.others else f"the first {len(first)} of {found.others:,} rows"
        told = ("status", "content") if any(row.status != "completed" for row in first) else ("content",)
        table = table_of(first, told)
        parts.append(_folded(title, table, is_open=not found.failures and len(first) <= FEW))
        text.append(table[:FEW].text() + (f", the first of {found.others:,}" if found.others > FEW else ""))
    parts.append(f'<p style="color: var(--jp-ui-font-color2, #666); font-size: 90%">{escape(below)}</p>')
    html = f'<div class="wf-record mathjax_ignore tex2jax_ignore">{"".join(parts)}</div>'
    return {"text/html": html, "text/plain": "\n\n".join([*text, below])}


def recorded(storage: SqlStorage, run: Run) -> Run:
    """Return the run of a sweep as it is shown by itself: how far it came, and which rows failed."""
    sweep = Afar(storage, run)
    progress, failures = sweep.progress, sweep.failures if sweep.progress.failed else []
    lines = [f"- {STATUS['failed'][0]} {each.session_id}: {brief(each.error or '')[:_LINE]}" for each in failures[:FAILED]]
    lines += [f"- … and {more:,} more"] if (more := len(failures) - FAILED) > 0 else []
    content = run.content or str(progress)
    why = failed_of(progress) if run.status == "completed" and progress.failed else run.error
    shown = replace(run, content="\n".join([content, "", *lines]) if lines else content, error=why)
    return shown.told_by(run.told, whole=True)


def swept_metadata(sweep: Sweep | Afar, folder: Path | None = None) -> dict[str, Any]:
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


def _now(sweep: Sweep | Afar) -> str:
    progress = sweep.progress
    began = [moment(sweep.started_at)] if sweep.started_at is not None else []
    return " · ".join([*spent(progress), f"{progress.seconds:.1f} s", *began])


class _Found(NamedTuple):
    """What a record shows of the rows: the first of those that failed and of the others, how many of each, and the models."""

    failures: list[Row]
    first: list[Row]
    failed: int
    others: int
    models: list[str]


def _looked_over(rows: Iterable[Row]) -> _Found:
    """Return what a record shows of rows, looked at once and none kept: there may be more than memory holds."""
    kept: dict[bool, list[Row]] = {True: [], False: []}
    counts = {True: 0, False: 0}
    models: dict[str, None] = {}
    for row in rows:
        failed = row.status == "failed"
        counts[failed] += 1
        models |= dict.fromkeys(row.models)
        kept[failed].append(row)
        if len(kept[failed]) > 2 * FIRST:  # those with the lowest numbers stay
            kept[failed] = sorted(kept[failed], key=_number)[:FIRST]
    first = {failed: sorted(some, key=_number) for failed, some in kept.items()}
    return _Found(first[True][:FAILED], first[False][:FIRST], counts[True], counts[False], [*models])


def _number(row: Row) -> int:
    return row.number


def _said(sweep: Sweep | Afar, models: Sequence[str]) -> list[str]:
    used = [", ".join(map(brief, models))] if models else []
    return [f"sweep {session_name(sweep.name)}", redact(stands(sweep)), *ended(sweep), *used, _now(sweep)]


def _head_html(sweep: Sweep | Afar, said: Sequence[str]) -> str:
    name, status, *facts = map(escape, said)
    coloured = f'<span style="color: {STATUS[like(sweep)][1]}">{status}</span>'
    head = " · ".join([f"<strong>{escape(brief(sweep.workflow.name or ''))}</strong>", name, coloured, *facts])
    return (
        '<p style="color: var(--jp-ui-font-color2, #666); font-size: 90%; '
        f'border-bottom: 1px solid var(--jp-border-color2, #ccc); padding-bottom: 4px">{head}</p>'
    )


def _folded(title: str, table: Table, *, is_open: bool, more: int = 0) -> str:
    rest = f"<p>… and {more:,} more</p>" if more > 0 else ""
    opened = " open" if is_open else ""
    return f"<details{opened}><summary>{escape(title)}</summary>{table._repr_html_()}{rest}</details>"


def _counted(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
