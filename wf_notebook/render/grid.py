"""A dataframe or an array as it is shown: its first rows and its shape."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Any

from ..redact import redact

if TYPE_CHECKING:
    from collections.abc import Sequence

#: So many rows and columns are shown, and so many characters of a value.
ROWS, COLUMNS, BRIEF = 20, 20, 80

#: Packages and the types of theirs that are shown so.
GRIDS = {
    *((room, name) for room in ("pandas", "polars") for name in ("DataFrame", "Series")),
    *(("pyarrow", name) for name in ("Table", "RecordBatch")),
    ("numpy", "ndarray"),
}

_LINE = "var(--jp-border-color2, var(--vscode-panel-border, rgba(128, 128, 128, 0.35)))"
_QUIET = "var(--jp-ui-font-color2, var(--vscode-descriptionForeground, #767676))"
_EDGE = f"border: none; border-bottom: 1px solid {_LINE}; padding: 4px 12px 4px 4px; vertical-align: top; white-space: nowrap"


def is_grid(value: Any) -> bool:
    """Return whether a value is a dataframe or an array."""
    kind = type(value)
    return (kind.__module__.partition(".")[0], kind.__name__) in GRIDS


def grid_html(value: Any) -> str | None:
    """Return a dataframe of pandas, polars or Arrow, or an array of numpy, as HTML; None for anything else."""
    if not is_grid(value):
        return None
    room, name = type(value).__module__.partition(".")[0], type(value).__name__
    if room == "numpy":
        return f"<p>array of {escape(str(value.dtype))}, shape {escape(_shape(value.shape))}</p>"
    if name == "Series":
        value = value.to_frame()
    shape = tuple(value.shape)
    if room == "pandas":
        first = value.iloc[:ROWS, :COLUMNS]
        names = ["", *first.columns]
        rows = [(label, *row) for label, row in zip(first.index, first.itertuples(index=False, name=None), strict=True)]
    elif room == "polars":
        first = value[:ROWS, :COLUMNS]
        names, rows = first.columns, first.rows()
    else:
        names = value.schema.names[:COLUMNS]
        columns = [column.to_pylist() for column in value.slice(0, ROWS).columns[:COLUMNS]]
        rows = list(zip(*columns, strict=True))
    return _table(names, rows, shape)


def _table(names: Sequence[Any], rows: Sequence[Sequence[Any]], shape: tuple[int, ...]) -> str:
    head = "".join(f'<th style="{_EDGE}; border-bottom-width: 2px; text-align: left">{_cell(name)}</th>' for name in names)
    edge = f"{_EDGE}; text-align: "
    body = "".join(
        "<tr>" + "".join(f'<td style="{edge}{_side(cell)}">{_cell(cell)}</td>' for cell in row) + "</tr>" for row in rows
    )
    return (
        '<div style="overflow-x: auto; max-width: 100%">'
        f'<table style="border-collapse: collapse; border: none; margin: 4px 0; font-size: 92%"><thead><tr>{head}</tr></thead>'
        f'<tbody>{body}</tbody></table><p style="color: {_QUIET}; font-size: 85%; margin: 4px">{_foot(*shape[:2])}</p></div>'
    )


def _foot(rows: int, columns: int = 1) -> str:
    parts = [*([f"{ROWS} rows"] if rows > ROWS else []), *([f"{COLUMNS} columns"] if columns > COLUMNS else [])]
    shown = f", the first {' and '.join(parts)} shown" if parts else ""
    return f"{rows:,} rows × {columns:,} columns{shown}"


def _side(value: Any) -> str:
    return "right" if isinstance(value, (int, float)) and not isinstance(value, bool) else "left"


def _cell(value: Any) -> str:
    text = redact(value if isinstance(value, str) else repr(value) if isinstance(value, (list, dict, bytes)) else str(value))
    return escape(text if len(text) <= BRIEF else f"{text[:BRIEF]}…")


def _shape(shape: Sequence[int]) -> str:
    return " × ".join(f"{size:,}" for size in shape) or "()"
