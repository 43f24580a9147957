"""A table for the library that the reader works with: pandas, polars or Arrow; each is imported when it is asked for.

Times are in UTC. Values that are no scalars stay Python objects in pandas; in polars and Arrow they are lists and structs where
all of a column have one shape, and JSON text where they do not.
"""

from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from ..errors import MissingPart
from .columns import as_json, kind_of, plain

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd
    import polars as pl
    import pyarrow as pa

    from .columns import Column, Kind

#: The types of pandas for columns without gaps, and with some.
_PANDAS: dict[Kind, tuple[str, str]] = {
    "boolean": ("bool", "boolean"),
    "integer": ("int64", "Int64"),
    "real": ("float64", "float64"),
}


def to_pandas(columns: Sequence[Column]) -> pd.DataFrame:
    """Return the columns as a DataFrame of pandas."""
    _need("pandas", ".df()")
    import numpy as np
    import pandas as pd

    def series(column: Column) -> Any:
        if column.kind == "timestamp":
            return pd.Series(pd.to_datetime(column.cells, utc=True), dtype="datetime64[us, UTC]")
        if column.kind in _PANDAS:
            whole, gapped = _PANDAS[column.kind]
            return pd.Series(column.cells, dtype=gapped if None in column.cells else whole)
        if column.kind == "object":  # pandas would make numbers and times of what is mixed
            boxes = np.empty(len(column.cells), dtype=object)
            for place, value in enumerate(column.cells):
                boxes[place] = value
            return pd.Series(boxes)
        empty = all(value is None for value in column.cells)
        return pd.Series(column.cells, dtype=object if empty else None)

    return pd.DataFrame({column.name: series(column) for column in columns})


def to_polars(columns: Sequence[Column]) -> pl.DataFrame:
    """Return the columns as a DataFrame of polars, which needs no pyarrow for that."""
    _need("polars", ".pl()")
    import polars as pl

    types: dict[str, Any] = {
        "boolean": pl.Boolean, "integer": pl.Int64, "real": pl.Float64, "text": pl.String, "status": pl.String,
        "timestamp": pl.Datetime("us", "UTC"),
    }  # fmt: skip

    def shape(values: Sequence[Any]) -> Any:
        """Return the type that all of the values have; TypeError if there is none."""
        there = [value for value in values if value is not None]
        if all(isinstance(value, list) for value in there) and there:
            return pl.List(shape([item for value in there for item in value]))
        if any(there) and all(isinstance(value, dict) for value in there):
            names = dict.fromkeys(name for value in there for name in value)
            return pl.Struct({name: shape([value.get(name) for value in there]) for name in names})
        kind = kind_of(there)
        if kind not in types and there:
            raise TypeError("of several types")
        return types.get(kind, pl.Null)

    def series(column: Column) -> pl.Series:
        if column.kind in types:
            return pl.Series(column.name, column.cells, dtype=types[column.kind])
        if column.kind == "scalar":
            return pl.Series(column.name, column.cells)
        values = [plain(value) for value in column.cells]
        try:
            return pl.Series(column.name, values, dtype=shape(values), strict=True)
        except (TypeError, pl.exceptions.PolarsError, OverflowError):
            return pl.Series(column.name, map(as_json, column.cells), dtype=pl.String)

    return pl.DataFrame([series(column) for column in columns])


def to_arrow(columns: Sequence[Column]) -> pa.Table:
    """Return the columns as a Table of Arrow."""
    _need("pyarrow", ".arrow()")
    import pyarrow as pa

    types = {
        "boolean": pa.bool_(), "integer": pa.int64(), "real": pa.float64(), "text": pa.string(), "status": pa.string(),
        "timestamp": pa.timestamp("us", tz="UTC"),
    }  # fmt: skip

    def array(column: Column) -> pa.Array:
        if column.kind in types:
            return pa.array(column.cells, type=types[column.kind])
        if column.kind == "scalar":
            return pa.array(column.cells)
        try:
            return pa.array([plain(value) for value in column.cells])
        except (pa.ArrowException, OverflowError):
            return pa.array(map(as_json, column.cells), type=pa.string())

    return pa.Table.from_arrays([array(column) for column in columns], names=[column.name for column in columns])


def to_stream(columns: Sequence[Column], schema: object) -> object:
    """Return the columns as what any library that speaks Arrow reads, made by one of those that are here."""
    made: Any = to_arrow(columns) if find_spec("pyarrow") else to_polars(columns)
    return made.__arrow_c_stream__(schema)


def _need(library: str, what: str) -> None:
    if find_spec(library) is None:
        raise MissingPart(f"{what} needs {library}, which is not here; run %pip install {library}")
