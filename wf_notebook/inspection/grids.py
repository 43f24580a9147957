"""A value as a table in pages: a frame, an array, or a list of records; only the rows of a page become texts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..frames.cells import line
from ..frames.columns import fields_of
from ..frames.records import columns_of
from ..frames.table import Table
from ..kept import tag
from ..readable import harmless
from ..redact import redact
from ..tabular import seen
from .glances import begin, type_name
from .nodes import at, inside

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..frames.columns import Column
    from .loaded import Loaded
    from .place import Step

#: Characters of a cell; columns of a table; characters of a page, in which wide tables get shorter cells.
CELL, COLUMNS, PAGE = 200, 100, 80_000
#: Rows by which it is told what columns there are, and of what type.
_LOOKED_AT = 10_000
#: Tags of what has rows and is kept beside the tree.
FRAMES = ("$dataframe", "$series", "$index", "$array", "$table", "$ndarray")
_NUMBERS = ("int", "float", "Decimal", "uint", "double")


@dataclass(frozen=True, slots=True)
class Grid:
    """Rows and columns, of which a page at a time becomes texts."""

    columns: list[tuple[str, str]]
    total: int
    #: Gives the cells of some rows: texts, None for None.
    cells: Callable[[int, int], list[list[str | None]]]

    def told(self) -> dict[str, Any]:
        """Return what a page is told of it: its columns, and how many rows there are."""
        columns = [
            {"name": _cell(name), "type": _cell(kind), "right": kind.lower().startswith(tuple(map(str.lower, _NUMBERS)))}
            for name, kind in self.columns[:COLUMNS]
        ]
        return {"columns": columns, "total": self.total, "more": max(len(self.columns) - COLUMNS, 0)}

    def page(self, start: int, count: int) -> list[list[str | None]]:
        """Return the texts of some rows."""
        rows = self.cells(start, min(count, 1000))
        room = max(8, min(CELL, PAGE // max(1, len(rows) * min(len(self.columns), COLUMNS))))
        return [[None if cell is None else _cell(cell, room) for cell in row[:COLUMNS]] for row in rows]


def _cell(text: str, room: int = CELL) -> str:
    text = harmless(redact(text[:5000]))
    return text if len(text) <= room else f"{text[: room - 1]}…"


def grid(loaded: Loaded, path: tuple[Step, ...]) -> Grid | None:
    """Return the value at a path as a table; None for one that is none."""
    tree = at(loaded, path)
    kind = tag(tree)
    if kind in FRAMES:
        beside = tree.get("blob")
        if beside is None:
            return loaded.once(("frame", path), lambda: frame_grid(loaded.value(tree)))  # type: ignore[no-any-return] # once gives what was made
        return loaded.frames.once(("frame", repr(tree)), lambda: frame_grid(loaded.value(tree)))  # type: ignore[no-any-return] # as above
    return loaded.once(("records", path), lambda: records_grid(tree, loaded))  # type: ignore[no-any-return] # as above


def frame_grid(value: Any) -> Grid | None:
    """Return a frame or an array as a table, with a column for each level of an index that says something.

    >>> import numpy as np
    >>> made = frame_grid(np.array([[1, 2], [3, 4]]))
    >>> made.columns, made.total, made.page(1, 1)
    ([('0', 'int64'), ('1', 'int64')], 2, [['3', '4']])
    """
    value = _framed(value)
    what = seen(value)
    if what is None or len(what.shape) not in {1, 2}:
        return None
    if what.noun == "array" and len(what.shape) == 1:
        names, types = what.columns or ["value"], what.types
    elif what.noun == "array":
        names, types = [str(number) for number in range(what.shape[1])], what.types * what.shape[1]
        value = value[:, :COLUMNS]
    else:
        names, types = what.columns, what.types
    return Grid(list(zip(names, types, strict=True)), what.shape[0], lambda start, count: _texts(value, start, count))


def _framed(value: Any) -> Any:
    """Return a series, an index, or a frame with an index that says something, as a frame of columns alone."""
    what, library = seen(value), type(value).__module__.partition(".")[0]
    if what is None or what.noun not in {"frame", "series", "index"}:
        return value
    if library == "polars":
        return value.to_frame() if what.noun == "series" else value
    if what.noun == "index":
        return value.to_frame(index=False)
    if what.noun == "series":
        value = value.to_frame("value" if value.name is None else value.name)
    return value if type(value.index).__name__ == "RangeIndex" else value.reset_index(allow_duplicates=True)


def _rows(value: Any, start: int, count: int) -> Any:
    if hasattr(value, "iloc"):
        return value.iloc[start : start + count]
    return value[start : start + count] if not hasattr(value, "to_batches") else value.slice(start, count)


def _texts(value: Any, start: int, count: int) -> list[list[str | None]]:
    columns = columns_of(_rows(value, start, count))
    cells = [[_printed(cell, column) for cell in column.cells] for column in columns]
    return [list(row) for row in zip(*cells, strict=True)]


def _printed(cell: Any, column: Column) -> str | None:
    if cell is None:
        return None
    return repr(cell) if isinstance(cell, float) else line(cell, column)


def records_grid(tree: Any, loaded: Loaded) -> Grid | None:
    """Return a list of dicts or models as a table, or a dict of them with a column for its keys; None for anything else."""
    outer = inside(tree)
    if outer is None or not len(outer) or outer.how == "field":
        return None
    looked = [inside(item) for _, item in outer.page(0, _LOOKED_AT)]
    if any(record is None or record.how not in {"key", "field"} for record in looked):
        return None
    names: dict[Any, set[str]] = {}
    for record in looked:
        assert record is not None
        for step, item in record.page(0, COLUMNS):
            names.setdefault(step, set()).add(
                "" if item is None else type_name(item, loaded.value) if len(names) < COLUMNS else ""
            )
    if not names:
        return None
    first = next(record for record in looked if record is not None)
    keyed = outer.how in {"key", "json"}
    columns = [("key", "str" if outer.how == "key" else "")] if keyed else []
    columns += [(str(first.key(step)), " | ".join(sorted(kinds - {""})[:3]) or "None") for step, kinds in names.items()]

    def cells(start: int, count: int) -> list[list[str | None]]:
        rows: list[list[str | None]] = []
        for step, item in outer.page(start, start + count):
            record = inside(item)
            said: list[str | None] = [str(outer.key(step))] if keyed else []
            rows.append([*said, *(_said(record, name, loaded) for name in list(names)[:COLUMNS])])
        return rows

    return Grid(columns, len(outer), cells)


def _said(record: Any, step: Step, loaded: Loaded) -> str | None:
    if record is None or step not in record.trees:
        return ""
    tree = record.at(step)
    return None if tree is None else tree if isinstance(tree, str) else begin(tree, loaded.value, CELL + 1)


def table_of(value: Any) -> Any:
    """Return a value as `frame()` gives it: a frame or an array as itself, anything else with rows as a table.

    >>> table_of([{"title": "a"}]).columns
    ['title']
    """
    if seen(value) is not None:
        return value
    columns = columns_of(value if isinstance(value, (list, tuple, set, frozenset)) or fields_of(value) is not None else [value])
    return Table(columns)
