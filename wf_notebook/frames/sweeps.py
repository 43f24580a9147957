"""A sweep as a table: the columns that were given, and beside them what came of each row."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .columns import Column, Kind
from .table import Table

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    import pandas as pd

    from ..sweep import Row, Sweep
    from ..sweep.row import Results

#: What is told of each row, and what kind of values these are.
TOLD: dict[str, Kind | None] = {
    "content": None,
    "status": "status",
    "error": "text",
    "hit": "boolean",
    "duration": "real",
    "input_tokens": "integer",
    "output_tokens": "integer",
    "cost": "real",
    "run_id": "text",
    "session_id": "text",
}
#: Types that have room for rows that are not over.
_DTYPES: dict[str | None, str] = {"integer": "Int64", "boolean": "boolean", "real": "float64"}
#: What is added to the name of a column that was given, too.
BESIDE = "_of_run"


def sweep_table(sweep: Sweep) -> Table:
    """Return the rows that are over as a table."""
    return table_of(rows_of(sweep)).titled(f"{sweep.workflow.name}: {sweep.progress}")


def results_table(rows: Sequence[Row]) -> Table:
    """Return rows as a table of what they were given and gave."""
    told = [name for name in ("content", "error") if any(getattr(row, name) is not None for row in rows)]
    return table_of(rows, ("status", *told))


def table_of(rows: Sequence[Row], told: Collection[str] = TOLD) -> Table:
    """Return rows of a sweep as a table: what they were given, and of what came of them that which is `told`.

    Where not all is told, their numbers stand before them.
    """
    given = list(dict.fromkeys(name for row in rows for name in row.given))
    columns = [Column.of("row", [row.number for row in rows], "integer")] if len(told) < len(TOLD) else []
    columns += [Column.of(name, [row.given.get(name) for row in rows]) for name in given]
    columns += [Column.of(name, cells, kind) for name, kind, cells in _told(rows, given, told)]
    return Table(columns)


def sweep_frame(sweep: Sweep) -> pd.DataFrame:
    """Return the rows as a dataframe, by their numbers, or by the index of the dataframe that was given.

    Of a generator only those are there that are over.
    """
    rows, given = rows_of(sweep), sweep.given
    import pandas as pd

    numbers = [row.number for row in rows]
    places = numbers
    if given is None:
        listed = sweep.listed
        places = numbers if listed is None else list(range(len(listed)))
        given = _frame([row.given for row in rows] if listed is None else listed)
        given.index = pd.Index(places)
    else:
        places = list(range(len(given)))
    told = pd.DataFrame(
        {name: pd.Series(cells, dtype=_DTYPES.get(kind, "object"), index=numbers) for name, kind, cells in _told(rows, given)}
    )
    told = told.reindex(places)
    told.index = given.index
    whole: pd.DataFrame = pd.concat([given, told], axis=1)
    return whole


def _frame(given: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
    names = list(dict.fromkeys(name for row in given for name in row))
    return Table([Column.of(name, [row.get(name) for row in given]) for name in names]).df()


def rows_of(sweep: Sweep) -> Results:
    """Return the rows that are over; of a sweep that was not begun, all of them."""
    return sweep.result() if sweep.status == "new" else sweep.rows


def _told(rows: Iterable[Row], given: Iterable[str], told: Collection[str] = TOLD) -> list[tuple[str, Kind | None, list[Any]]]:
    names = {*map(str, given)}
    return [
        (f"{name}{BESIDE}" if name in names else name, kind, [getattr(row, name) for row in rows])
        for name, kind in TOLD.items()
        if name in told
    ]
