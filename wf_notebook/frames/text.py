"""A table as text: what fits into the width, and what was left out."""

from __future__ import annotations

import os
import sys
from shutil import get_terminal_size
from typing import TYPE_CHECKING, Any

from .cells import NUMBERS, ROWS, cut, heading, line

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from .columns import Column

#: A column is cut to so many characters before another one is left out.
_NARROW, _WIDE = 12, 60
_BETWEEN = "  "
#: Characters of a line where no terminal shows it.
_ROOM = 100
#: Kinds whose values are shown whole.
WHOLE = frozenset({*NUMBERS, "timestamp", "status", "boolean"})


def table_text(
    columns: Sequence[Column],
    title: str,
    *,
    room: int | None = None,
    rows: int = ROWS,
    below: str | None = None,
    paint: Callable[[str, Column, Any], str] = lambda text, *_: text,
) -> str:
    """Return a table as text of a width, the terminal's if none is given; of so many rows at most.

    The values of the column `below` stand below the table, each after the first value of its row, and are never cut.
    `paint` gives a cell its colour: it is given its text, its column and its value, and for what stands above a column no value.

    >>> from wf_notebook.frames.columns import Column
    >>> print(table_text([Column.of("key", ["topic"]), Column.of("version", [3])], "state of 'demo'", room=80))
    key    version
    topic        3
    1 row · state of 'demo'
    >>> print(table_text([Column.of("id", ["a", "b"]), Column.of("goes_on", ["wf run …", None])], "", room=8, below="goes_on"))
    id
    a
    b
    2 rows
    a: wf run …
    """
    room = room or _room()
    under = [column for column in columns if column.name == below]
    columns = [column for column in columns if column.name != below]
    count = len(columns[0].cells) if columns else 0
    filled = shown(columns)
    cells = [[heading(column), *(line(value, column) for value in column.cells[:rows])] for column in filled]
    wide = [max(map(_length, each)) for each in cells]
    least = [wide[n] if column.kind in WHOLE else min(wide[n], _NARROW) for n, column in enumerate(filled)]
    widths = _fitting([max(min(each, _WIDE), some) for each, some in zip(wide, least, strict=True)], least, room)
    lines = []
    for row in range(len(cells[0]) if cells else 0):
        parts = [
            paint(_aligned(each[row], width, right=column.kind in NUMBERS), column, column.cells[row - 1] if row else None)
            for each, width, column in zip(cells, widths, filled, strict=False)
        ]
        lines.append(_BETWEEN.join(parts).rstrip())
    omitted = [column.name for column in filled[len(widths) :]] + [column.name for column in columns if column not in filled]
    whole = [told for column in under for told in _below(columns[0], column, rows, paint)]
    return "\n".join([*lines, *foot(count, title, omitted, rows), *whole])


def _below(first: Column, column: Column, rows: int, paint: Callable[[str, Column, Any], str]) -> list[str]:
    """Return the values of a column that stands below its table, each after what its row begins with."""
    told = zip(first.cells[:rows], column.cells, strict=False)
    return [paint(f"{line(of, first)}: {line(value, column)}", column, value) for of, value in told if not _is_empty(value)]


def _room() -> int:
    """Return the width of the terminal that shows the text; that of a kernel is in none, wherever it was started from."""
    is_seen = "COLUMNS" in os.environ or (sys.stdout is not None and sys.stdout.isatty())
    return get_terminal_size((_ROOM, 24)).columns if is_seen else _ROOM


def shown(columns: Sequence[Column]) -> list[Column]:
    """Return the columns with something in them; all, if none has."""
    return [column for column in columns if any(not _is_empty(value) for value in column.cells)] or list(columns)


def _is_empty(value: object) -> bool:
    return value is None or (type(value) in {list, dict} and not value)


def foot(count: int, title: str, omitted: Sequence[str], most: int = ROWS) -> list[str]:
    """Return what stands below a table: how much there is, of what, and what is not shown."""
    rows = "no rows" if not count else "1 row" if count == 1 else f"{count:,} rows"
    more = f", the first {most} shown" if count > most else ""
    return [
        f"{rows}{more}" + (f" · {title}" if title else ""),
        *([f"not shown: {', '.join(omitted)}"] if count and omitted else []),
    ]


def _fitting(widths: list[int], least: list[int], room: int) -> list[int]:
    """Return widths that fit: long columns are made narrower, to what each needs at least; then the last ones are left out."""
    fitting = list(widths)
    while len(fitting) > 1 and sum(least[: len(fitting)]) + len(_BETWEEN) * (len(fitting) - 1) > room:
        fitting.pop()
    while sum(fitting) + len(_BETWEEN) * (len(fitting) - 1) > room:
        loose = [place for place, width in enumerate(fitting) if width > least[place]]
        if not loose:
            break
        fitting[max(loose, key=fitting.__getitem__)] -= 1
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
