"""A table as HTML that is safe to show, in light and dark: everything escaped, no script, no style sheet."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Any

from ..render.status import STATUS
from .cells import BRIEF, NUMBERS, PRINTED, ROWS, cut, heading, line, whole
from .text import WHOLE, foot, shown

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from .columns import Column

#: Where neither JupyterLab nor VS Code says which colours are in use, these fit both light and dark.
LINE = "var(--jp-border-color2, var(--vscode-panel-border, rgba(128, 128, 128, 0.35)))"
QUIET = "var(--jp-ui-font-color2, var(--vscode-descriptionForeground, #767676))"
_CODE = "font-family: var(--jp-code-font-family, var(--vscode-editor-font-family, monospace)); font-size: 92%"
#: Ids that nobody wrote, of which the beginning says enough (`%wf show 1a2b3c4d`), and so many characters of them.
_IDS, _BEGINNING = {"run_id", "workflow_id"}, 8
#: Characters that stay in one line.
_SHORT = 40
EDGE = f"border: none; border-bottom: 1px solid {LINE}; padding: 4px 12px 4px 4px; vertical-align: top"


def table_html(columns: Sequence[Column], title: str) -> str:
    """Return a table: its first rows, and how many there are."""
    count = len(columns[0].cells) if columns else 0
    filled = shown(columns)
    head = "".join(_head(column) for column in filled)
    rows = (f"<tr>{''.join(_cell(column.cells[row], column) for column in filled)}</tr>" for row in range(min(count, ROWS)))
    omitted = [column.name for column in columns if column not in filled]
    return framed(f"<thead><tr>{head}</tr></thead><tbody>{''.join(rows)}</tbody>", foot(count, title, omitted))


def framed(table: str, notes: Iterable[str]) -> str:
    """Return the inside of a table as a whole one, with notes below it."""
    below = "<br>".join(map(escape, notes))
    return (
        f'<div class="wf-table" style="overflow-x: auto; max-width: 100%">'
        f'<table style="border-collapse: collapse; border: none; margin: 4px 0; font-size: 92%; text-align: left">{table}</table>'
        f'<p style="color: {QUIET}; font-size: 85%; margin: 4px">{below}</p></div>'
    )


def _side(column: Column) -> str:
    return "right" if column.kind in NUMBERS else "left"


def _head(column: Column) -> str:
    name, _, zone = heading(column).partition(" (UTC)") if column.kind == "timestamp" else (heading(column), "", "")
    small = (
        f' <span style="color: {QUIET}; font-weight: normal; font-size: 85%">UTC</span>' if column.kind == "timestamp" else zone
    )
    return (
        f'<th style="{EDGE}; border-bottom-width: 2px; text-align: {_side(column)}; white-space: nowrap">'
        f"{escape(cut(name))}{small}</th>"
    )


def _cell(value: Any, column: Column) -> str:
    text = line(value, column)
    style = f"{EDGE}; text-align: {_side(column)}"
    if column.kind in WHOLE:
        style += "; white-space: nowrap; font-variant-numeric: tabular-nums"
    elif len(text) <= _SHORT:  # an id, a name: no browser breaks it
        style += "; white-space: nowrap"
    else:
        style += "; min-width: 24em"
    if column.kind == "status" and value in STATUS:
        return f'<td style="{style}; color: {STATUS[value][1]}">{escape(text)}</td>'
    if column.name in _IDS and len(text) > _BEGINNING:
        return f'<td style="{style}" title="{escape(text)}">{escape(text[:_BEGINNING])}…</td>'
    return f'<td style="{style}">{folded(value, text, code=is_code(value))}</td>'


def is_code(value: Any) -> bool:
    """Say whether a value is shown as Python writes it, and no text, number or time."""
    return value is not None and not isinstance(value, (str, int, float, *PRINTED))


def folded(value: Any, text: str, *, code: bool) -> str:
    """Return a value, folded where it is long; `text` is how it is shown in one line, `code` that it is no prose."""
    font = f' style="{_CODE}"' if code else ""
    if value is None or len(text) <= BRIEF:
        return f"<span{font}>{escape(text)}</span>" if code and text else escape(text)
    return (
        f"<details><summary{font}>{escape(cut(text))}</summary>"
        f'<pre style="white-space: pre-wrap; margin: 4px 0; font-size: 92%; background: none; color: inherit">'
        f"{escape(whole(value))}</pre></details>"
    )
