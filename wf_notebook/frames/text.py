"""A table as text: what fits into the width, and what was left out."""

from __future__ import annotations

from shutil import get_terminal_size
from typing import TYPE_CHECKING

from .cells import NUMBERS, ROWS, cut, heading, line

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .columns import Column

#: A column is cut to so many characters before another one is left out.
_NARROW, _WIDE = 12, 60
_BETWEEN = "  "


def table_text(columns: Sequence[Column], title: str, *, width: int | None = None) -> str:
    """Return a table as text of a width, the terminal's if none is given.

    >>> from wf_notebook.frames.columns import Column
    >>> print(table_text([Column.of("key", ["topic"]), Column.of("version", [3])], "state of 'demo'", width=80))
    key    version
    topic        3
    1 row · state of 'demo'
    """
    room = width or get_terminal_size((100, 24)).columns
    count = len(columns[0].cells) if columns else 0
    filled = shown(columns)
    cells = [[heading(column), *(line(value, column) for value in column.cells[:ROWS])] for column in filled]
    widths = _fitting([min(max(map(_length, each)), _WIDE) for each in cells], room)
    lines = []
    for row in range(len(cells[0]) if cells else 0):
        parts = [
            _aligned(each[row], wide, right=column.kind in NUMBERS)
            for each, wide, column in zip(cells, widths, filled, strict=False)
        ]
        lines.append(_BETWEEN.join(parts).rstrip())
    omitted = [column.name for column in filled[len(widths) :]] + [column.name for column in columns if column not in filled]
    return "\n".join([*lines, *foot(count, title, omitted)])


def shown(columns: Sequence[Column]) -> list[Column]:
    """Return the columns with something in them; all, if none has."""
    return [column for column in columns if any(value is not None for value in column.cells)] or list(columns)


def foot(count: int, title: str, omitted: Sequence[str]) -> list[str]:
    """Return what stands below a table: how much there is, of what, and what is not shown."""
    rows = "no rows" if not count else "1 row" if count == 1 else f"{count:,} rows"
    more = f", the first {ROWS} shown" if count > ROWS else ""
    return [
        f"{rows}{more}" + (f" · {title}" if title else ""),
        *([f"not shown: {', '.join(omitted)}"] if count and omitted else []),
    ]


def _fitting(widths: list[int], room: int) -> list[int]:
    """Return widths that fit: the widest is made narrower; when all are narrow, the last ones are left out."""
    fitting = list(widths)
    while fitting and sum(fitting) + len(_BETWEEN) * (len(fitting) - 1) > room:
        widest = max(fitting)
        if widest > _NARROW:
            fitting[fitting.index(widest)] -= 1
        elif len(fitting) > 1:
            fitting.pop()
        else:
            break
    return fitting


def _length(text: str) -> int:
    if text.isascii():
        return len(text)
    from rich.cells import cell_len

    return cell_len(text)


def _aligned(text: str, wide: int, *, right: bool) -> str:
    short = cut(text, wide)
    while _length(short) > wide:
        short = cut(short, len(short) - 1)
    gap = " " * (wide - _length(short))
    return gap + short if right else short + gap
