"""Tables of Arrow and polars come back equal, with their types; anyone sees their columns."""

from __future__ import annotations

from datetime import UTC, datetime

import polars as pl
import pyarrow as pa
import pytest
from polars.testing import assert_frame_equal, assert_series_equal

from wf_notebook.errors import UnsavableValue

FRAME = pl.DataFrame(
    {
        "int": [1, None],
        "text": ["x", "é"],
        "list": [[1], [2, 3]],
        "struct": [{"x": 1}, {"x": 2}],
        "time": pl.Series([datetime(2026, 1, 1, tzinfo=UTC), None]).dt.convert_time_zone("Europe/Berlin"),
        "categories": pl.Series(["a", "b"], dtype=pl.Categorical),
        "enum": pl.Series(["a", "Object"], dtype=pl.Enum(["Object", "a"])),
        "bytes": [b"a", None],
        "decimal": pl.Series(["1.10", None]).cast(pl.Decimal(10, 2)),
        "null": [None, None],
    }
)
TABLE = pa.table({"a": [1, None], "b": ["x", "y"], "c": pa.array(["u", "v"]).dictionary_encode(), "d": [[1], [2]]})
ARROW = [
    TABLE.replace_schema_metadata({"k": "v"}),
    TABLE.slice(1),
    TABLE.slice(0, 0),
    pa.table({}),
    TABLE.to_batches()[0],
    pa.array([1, 2, None, 4]).slice(1, 2),
    pa.array(["a"]).dictionary_encode(),
    pa.array([], pa.null()),
    pa.array([{"a": 1}]),
    pa.chunked_array([[1], [2, 3]]),
    pa.chunked_array([], type=pa.int64()),
]


class Mine(pa.ExtensionType):
    """A type of the user's own, which no other process knows."""

    def __init__(self):
        super().__init__(pa.int64(), "mine")

    def __arrow_ext_serialize__(self):
        return b""

    @classmethod
    def __arrow_ext_deserialize__(cls, storage_type, serialized):
        return cls()


@pytest.mark.parametrize("frame", [FRAME, FRAME.clear(), pl.DataFrame(), pl.concat([FRAME, FRAME], rechunk=False)])
def test_a_frame_of_polars_comes_back(shelf, frame):
    back = shelf.back([frame])[0]
    assert_frame_equal(back, frame)
    assert back.schema == frame.schema


@pytest.mark.parametrize("series", FRAME, ids=FRAME.columns)
def test_a_series_of_polars_comes_back(shelf, series):
    assert_series_equal(shelf.back(series), series)


@pytest.mark.parametrize("value", ARROW, ids=lambda value: f"{type(value).__name__} {len(value)}")
def test_what_arrow_has_comes_back(shelf, value):
    back = shelf.back({"a": value})["a"]
    assert (type(back), back.equals(value)) == (type(value), True)
    if hasattr(value, "schema"):
        assert back.schema.equals(value.schema, check_metadata=True)
    else:
        assert back.type == value.type


def test_anyone_sees_the_columns_of_a_table(shelf):
    tree = shelf.tree(TABLE.select(["a", "b"]))
    columns = {"a": "int64", "b": "string"}
    assert tree == {"$table": "pyarrow", "is": "Table", "rows": 2, "columns": columns, "blob": tree["blob"]}
    tree = shelf.tree(FRAME.select("int", "text"))
    assert tree == {"$dataframe": "polars", "rows": 2, "columns": {"int": "Int64", "text": "String"}, "blob": tree["blob"]}


@pytest.mark.parametrize(
    ("value", "says"),
    [
        (FRAME.lazy(), "is of type 'LazyFrame', which cannot be kept; keep its .collect()"),
        (pl.DataFrame({"a": pl.Series([object()], dtype=pl.Object)}), "is a polars frame with a column of Python objects"),
        (pa.scalar(1), "is of type 'Int64Scalar', which cannot be kept; keep its .as_py()"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_of_arrow_and_polars_would_not_come_back_is_refused(shelf, value, says):
    with pytest.raises(UnsavableValue) as refusal:
        shelf.tree(value)
    assert says in str(refusal.value)


@pytest.mark.parametrize(
    "inside", [lambda array: array, lambda array: pa.table({"a": pa.StructArray.from_arrays([array], ["b"])})]
)
def test_a_type_that_only_this_process_knows_is_refused(shelf, inside):
    pa.register_extension_type(Mine())
    try:
        with pytest.raises(UnsavableValue, match="of a type that does not come back; cast it to one of Arrow's own"):
            shelf.tree(inside(pa.ExtensionArray.from_storage(Mine(), pa.array([1]))))
    finally:
        pa.unregister_extension_type("mine")
