"""Frames, series and indexes of pandas come back equal, with dtypes, index, names and attributes; anyone sees their columns."""

from __future__ import annotations

import subprocess
import sys
from datetime import date, timedelta, timezone

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from pandas.testing import assert_frame_equal, assert_index_equal, assert_series_equal

from wf_notebook.codec import hashes
from wf_notebook.errors import UnsavableValue

DAYS = pd.date_range("2026", periods=3, tz="Europe/Berlin")
FRAMES = {
    "nothing": pd.DataFrame(),
    "plain": pd.DataFrame({"a": [1, 2], "b": [0.1, np.nan], "c": ["x", None], "d": [True, False]}),
    "widths": pd.DataFrame({kind: np.arange(2).astype(kind) for kind in ("u1", "i2", "f2", "f4", "c8", "M8[s]", "m8[ns]")}),
    "rows only": pd.DataFrame(index=range(3)),
    "columns only": pd.DataFrame(columns=["a", "b"]),
    "numbers as names": pd.DataFrame({1: [1], (1, 2): [2], "x": [3], None: [4]}),
    "one name twice": pd.DataFrame([[1, "a"], [3, "b"]], columns=["a", "a"]),
    "range of names": pd.DataFrame(np.zeros((2, 2))),
    "levels of names": pd.DataFrame({("a", "b"): [1], ("a", "c"): [2]}),
    "dates": pd.DataFrame({"a": [1, 2, 3]}, index=DAYS),
    "zones": pd.DataFrame({"a": DAYS, "b": pd.to_datetime(["2026"] * 3, utc=True), "c": [None, *DAYS[:2]]}),
    "fixed offset": pd.DataFrame({"t": pd.to_datetime(["2026"]).tz_localize(timezone(timedelta(hours=1)))}),
    "no times": pd.DataFrame({"a": pd.to_datetime(["2026", None]), "b": pd.to_timedelta([1, None], unit="s")}),
    "levels": pd.DataFrame({"v": range(4)}, index=pd.MultiIndex.from_product([["a", "b"], [1, 2]], names=["x", None])),
    "tuples as index": pd.DataFrame({"v": range(2)}, index=pd.Index([(1, 2), (3, 4)], tupleize_cols=False)),
    "categories as index": pd.DataFrame({"v": range(3)}, index=pd.CategoricalIndex(["a", "b", "a"], name=("n", 1))),
    "one row twice": pd.DataFrame({"v": ["a", "b"], "w": [(1,), 2]}, index=[1, 1]),
    "no row twice": pd.DataFrame({"v": [1, 2]}).set_flags(allows_duplicate_labels=False),
    "categories": pd.DataFrame(
        {
            "ordered": pd.Categorical(["a", "b", None], categories=["b", "a", "unused"], ordered=True),
            "dates": pd.Categorical(DAYS),
            "tuples": pd.Categorical([(1, 2), (3, 4), None]),
            "objects": pd.Categorical(np.array(["a", 1, None], object)),
        }
    ),
    "with holes": pd.DataFrame(
        {
            "integer": pd.array([1, None, 2**62 + 1], "Int64"),
            "boolean": pd.array([True, None, False], "boolean"),
            "float": pd.array([1.5, None, 2], "Float32"),
            "python": pd.array(["a", None, "\ud83d\ude00"], pd.StringDtype("python")),
            "arrow": pd.array(["a", None, "é"], pd.StringDtype("pyarrow")),
            "ints of arrow": pd.array([1, None, 3], dtype=pd.ArrowDtype(pa.int64())),
            "lists of arrow": pd.array([[1], None, [2, 3]], dtype=pd.ArrowDtype(pa.list_(pa.int64()))),
        }
    ),
    "objects": pd.DataFrame(
        {
            "mixed": [(1, 2), {"a": {1}}, date(2026, 1, 1)],
            "texts": np.array(["a", "b", None], object),
            "arrays": np.array([np.arange(2), np.float64(1), b"x" * 70_000], object),
        }
    ),
    "periods": pd.DataFrame(
        {"p": pd.period_range("2026", periods=3, freq="M"), "w": pd.period_range("2026", periods=3, freq="W-WED")}
    ),
    "intervals": pd.DataFrame({"i": pd.interval_range(0, 3), "d": pd.IntervalIndex.from_breaks([*DAYS, DAYS[2]], closed="both")}),
}
FRAMES["plain"].attrs = {"source": "x", 1: (2,)}
UNEQUAL = FRAMES["objects"]


@pytest.mark.parametrize("frame", FRAMES.values(), ids=FRAMES)
def test_a_frame_comes_back(shelf, frame):
    back = shelf.back({"frame": frame})["frame"]
    if frame is UNEQUAL:  # pandas cannot compare arrays inside of objects
        assert back.to_dict("list").__repr__() == frame.to_dict("list").__repr__()
    else:
        assert_frame_equal(back, frame, check_exact=True, check_freq=True, check_flags=True)
    assert [repr(dtype) for dtype in back.dtypes] == [repr(dtype) for dtype in frame.dtypes]
    assert (type(back.index), type(back.columns), back.attrs) == (type(frame.index), type(frame.columns), frame.attrs)


@pytest.mark.parametrize("frame", [frame for frame in FRAMES.values() if frame is not UNEQUAL and frame.size])
def test_its_columns_its_index_and_its_arrays_come_back_by_themselves(shelf, frame):
    assert_index_equal(shelf.back(frame.index), frame.index, exact=True)
    for position, dtype in enumerate(frame.dtypes):
        series = frame.iloc[:, position]
        assert_series_equal(shelf.back(series), series, check_exact=True, check_freq=True, check_flags=True)
        if not isinstance(dtype, np.dtype):
            back = shelf.back(series.array)
            assert type(back) is type(series.array)
            pd.testing.assert_extension_array_equal(back, series.array, check_exact=True)


def test_anyone_sees_the_columns_of_a_frame(shelf):
    tree = shelf.tree(pd.DataFrame({"a": [1], "$b": ["x"]}))
    assert tree == {"$dataframe": "pandas", "rows": 1, "columns": {"a": "int64", "$$b": "str"}, "blob": tree["blob"]}
    series = shelf.tree(pd.Series([1.5], name="a"))
    assert series == {"$series": "pandas", "rows": 1, "dtype": "float64", "blob": series["blob"]}


def test_what_lies_beside_the_objects_of_a_frame_is_referred_to_by_the_frame(shelf):
    assert hashes(shelf.tree([UNEQUAL])) == set(shelf)


@pytest.mark.parametrize(
    ("value", "tree"),
    [
        (pd.Timestamp("2026-01-01"), {"$timestamp": "2026-01-01T00:00:00", "unit": "us"}),
        (pd.Timestamp(1), {"$timestamp": "1970-01-01T00:00:00.000000001", "unit": "ns"}),
        (DAYS[0], {"$timestamp": "2026-01-01T00:00:00+01:00[Europe/Berlin]", "unit": "us"}),
        (pd.Timestamp("2026", tz="UTC"), {"$timestamp": "2026-01-01T00:00:00+00:00", "unit": "us"}),
        (pd.Timedelta(days=-1, seconds=5), {"$pandas_timedelta": "-1 days +00:00:05", "unit": "us"}),
        (pd.Period("2026-01"), {"$period": "2026-01", "freq": "M", "ordinal": 672}),
        (pd.Interval(1, 2.5, closed="both"), {"$interval": [1, 2.5], "closed": "both"}),
        (pd.NaT, {"$missing": "NaT"}),
        (pd.NA, {"$missing": "NA"}),
    ],
    ids=repr,
)
def test_a_scalar_is_stored_as_anyone_can_read_it_and_comes_back(shelf, value, tree):
    assert shelf.tree(value) == tree
    back = shelf.back(value)
    assert (type(back), repr(back)) == (type(value), repr(value))
    assert (getattr(back, "unit", 0), getattr(back, "tz", 0)) == (getattr(value, "unit", 0), getattr(value, "tz", 0))


@pytest.mark.parametrize("ambiguous", [True, False])
def test_a_timestamp_keeps_the_hour_that_comes_twice(shelf, ambiguous):
    value = pd.Timestamp("2026-10-25 02:30").tz_localize("Europe/Berlin", ambiguous=ambiguous)
    back = shelf.back(value)
    assert (back, back.fold, back.tzname()) == (value, value.fold, value.tzname())


class Mine(pd.DataFrame):
    """A frame of the user's own kind."""


@pytest.mark.parametrize(
    ("value", "says"),
    [
        (
            pd.DataFrame({"a": pd.arrays.SparseArray([0, 1])}),
            '["x"]["a"] has dtype Sparse[int64, 0], which cannot be kept; convert',
        ),
        (pd.DataFrame({("a", 1): [object()]}), "[\"x\"][('a', 1)][0] is of type 'object'"),
        (Mine({"a": [1]}), "is of type 'Mine', which cannot be kept; keep the plain pandas object of it"),
        (pd.Series([1]).array, "is of type 'NumpyExtensionArray', which cannot be kept; keep pandas.Series(…) of it"),
        (
            pd.DataFrame(index=pd.date_range("2026", periods=2, freq=pd.offsets.CustomBusinessDay(holidays=["2026-01-02"]))),
            "frequency",
        ),
        (pd.offsets.Day(1), "is of type 'Day'"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_of_pandas_would_not_come_back_is_refused(shelf, value, says):
    with pytest.raises(UnsavableValue) as refusal:
        shelf.tree(value)
    assert says in str(refusal.value)


def test_a_frame_needs_no_pyarrow(shelf, tmp_path):
    tree = shelf.tree(pd.DataFrame({"a": [1], "b": ["x"], "c": pd.Categorical(["y"])}))
    (tmp_path / "blob").write_bytes(shelf[tree["blob"]])
    code = f"""
import sys
sys.modules["pyarrow"] = None
from wf_notebook.codec import decode
print(decode({tree!r}, lambda _: open("blob", "rb").read()).to_dict("list"))
"""
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert said == "{'a': [1], 'b': ['x'], 'c': ['y']}\n"
