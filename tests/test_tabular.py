"""A frame or an array is said in a few words, and so is what became of it; whatever is said is true."""

from __future__ import annotations

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from wf_notebook import open_storage
from wf_notebook.brief import brief
from wf_notebook.frames.records import columns_of
from wf_notebook.tabular import became, described


def frame(rows: int = 4, **columns) -> pd.DataFrame:
    return pd.DataFrame({"title": [f"post {row}" for row in range(rows)], "words": range(rows), **columns})


@pytest.mark.parametrize(
    ("value", "told"),
    [
        (frame(1000), "frame 1000 × 2 (title, words)"),
        (pl.DataFrame({"a": [1], "b": ["x"]}), "frame 1 × 2 (a, b)"),
        (pa.table({"a": [1, 2]}), "table 2 × 1 (a)"),
        (pd.DataFrame({f"c{n}": [n] for n in range(12)}), "frame 1 × 12 (c0, c1, c2, c3, c4, c5, c6, c7, …)"),
        (pd.DataFrame(), "frame 0 × 0"),
        (np.zeros((3, 4)), "array 3 × 4 of float64"),
        (np.arange(100), "array 100 of int64"),
        (np.array(2.5), "array of float64"),
        (np.zeros(2, [("x", "i4"), ("y", "f8")]), "array 2 (x, y)"),
        (np.arange(3), "array 3 of int64: 0, 1, 2"),
        (np.arange(0), "array 0 of int64"),
        (pd.Series([1.5, None]), "series 2 of float64: 1.5, None"),
        (pl.Series("n", range(20)), "series 20 of Int64"),
        (pd.Index(["a"] * 20), "index 20 of str"),
        (pd.array([1, None], dtype="Int64"), "array 2 of Int64: 1, None"),
        (pa.array(range(20)), "array 20 of int64"),
        (np.float64(1), None),
        ([1], None),
        (pd.Timestamp("2026-01-01"), None),
    ],
)
def test_a_frame_or_an_array_is_its_shape_and_what_it_holds(value, told):
    assert described(value) == told


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        (frame(1000), frame(1200), "frame 1000 × 2 → 1200 × 2: 200 rows added"),
        (frame(4), frame(4).iloc[2:].reset_index(drop=True), "frame 4 × 2 → 2 × 2: 2 rows removed"),
        (frame(4), frame(4).drop(index=1).reset_index(drop=True), "frame 4 × 2 → 3 × 2: 1 row removed"),
        (frame(2), frame(3).iloc[::-1].reset_index(drop=True), "frame 2 × 2 → 3 × 2: 1 row added, others changed"),
        (frame(4), frame(4).replace({"post 1": "x", "post 2": "y"}), "frame 4 × 2: 2 of 8 values changed"),
        (frame(4), frame(4, tone="dry"), "frame 4 × 2 → 4 × 3: column tone added"),
        (frame(2), frame(3)[["words"]], "frame 2 × 2 → 3 × 1: column title removed, 1 row added"),
        (frame(2), frame(2)[["words", "title"]], "frame 2 × 2: columns in another order"),
        (frame(2), frame(2).astype({"words": "float64"}), "frame 2 × 2: words is float64, was int64"),
        (frame(2), frame(2).set_axis(["a", "b"]), "frame 2 × 2: another index"),
        (frame(2, gap=[1.0, None]), frame(2, gap=[1.0, None]), "frame 2 × 3: all values equal"),
        (frame(2, flag=[True, 1]), frame(2, flag=[1, 1]).astype({"flag": object}), "frame 2 × 3: 1 of 6 values changed"),
        (pl.DataFrame({"a": [1, 2]}), pl.DataFrame({"a": [1, 3]}), "frame 2 × 1: 1 of 2 values changed"),
        (pa.table({"a": [1, 2]}), pa.table({"a": [1]}), "table 2 × 1 → 1 × 1: 1 row removed"),
        (np.zeros((3, 4)), np.eye(3, 4), "array 3 × 4 of float64: 3 of 12 values changed"),
        (np.zeros((3, 4)), np.zeros((4, 4)), "array 3 × 4 → 4 × 4 of float64: 1 row added"),
        (np.zeros((3, 4)), np.zeros((3, 2)), "array 3 × 4 → 3 × 2 of float64"),
        (np.arange(3), np.arange(3.0), "array 3 of int64 → float64"),
        (np.array(1), np.array(2), "array of int64: values changed"),
        (np.zeros(2_000_000), np.ones(2_000_000), "array 2000000 of float64: values changed"),
        (np.zeros(2_000_000), np.ones(2_000_001), "array 2000000 → 2000001 of float64: 1 value more"),
        (np.array([1, [2]], object), np.array([1, [3]], object), "array 2 of object: 1 of 2 values changed"),
        (pd.Series([1, 2]), pd.Series([1, 2, 3]), "series 2 → 3 of int64: 1 value added"),
        (pd.DataFrame([[1, 2]], columns=["a", "a"]), pd.DataFrame([[1, 2]], columns=["a", "b"]),
         "frame 1 × 2: column b added, values changed"),
        (frame(2), np.zeros((2, 2)), None),
        (1, 2, None),
    ],
)  # fmt: skip
def test_what_became_of_it_is_counted(before, after, told):
    assert became(before, after) == told


def test_columns_of_one_name_are_all_kept_as_rows():
    twice = pd.DataFrame([[1, 2]], columns=["a", "a"])
    assert [(column.name, column.cells) for column in columns_of(twice)] == [("a", [1]), ("a_1", [2])]


def test_a_value_in_one_line_says_what_frames_in_it_are():
    assert brief({"posts": frame(9), "n": 1}) == "{'posts': <frame 9 × 2 (title, words)>, 'n': 1}"
    assert len(brief(["word " * 100] * 100)) == 60


@pytest.fixture
def storage():
    storage = open_storage("memory:")
    session = storage.session("demo")
    session.state.update(posts=frame(1000), weights=np.zeros((3, 4)), nested={"posts": frame(9)})
    session.save()
    session.state.update(posts=frame(1200), weights=np.eye(3, 4))
    session.save()
    return storage


@pytest.mark.parametrize("shown", [repr, lambda table: table._repr_html_()], ids=["text", "html"])
@pytest.mark.parametrize(
    "asked",
    [lambda storage: storage.state("demo"), lambda storage: storage.sql("SELECT key, value FROM session_state")],
    ids=["state", "sql"],
)
def test_tables_show_what_frames_and_arrays_are(storage, asked, shown):
    told = shown(asked(storage))
    assert "frame 1200 × 2 (title, words)" in told
    assert "array 3 × 4 of float64" in told
    assert "post 0" not in told


def test_a_diff_shows_what_became_of_frames_and_arrays(storage):
    diff = storage.session("demo").diff()
    told = ["frame 1000 × 2 → 1200 × 2: 200 rows added", "array 3 × 4 of float64: 3 of 12 values changed"]
    assert str(diff).splitlines()[1:] == [f'~ session_state["posts"] = {told[0]}', f'~ session_state["weights"] = {told[1]}']
    assert all(one in diff._repr_html_() for one in told)
    assert diff.df()["after"].tolist() == ["frame 1200 × 2 (title, words)", "array 3 × 4 of float64"]
    assert diff[0].after.shape == (1200, 2)
