"""What a stored value is at a glance: whatever lies in a file, also what a later release wrote, or nobody of us."""

from __future__ import annotations

import itertools
import json
import sqlite3
from contextlib import closing

import pytest

from wf_notebook import inspector, open_storage
from wf_notebook.codec.table import TABLE
from wf_notebook.inspection.shape import shape

TAGS = [*sorted({kind.tag.partition(":")[0] for kind in TABLE if kind.tag}), "$later", "$"]
ODD = [None, 1, -5, "x", "a:B.C", [], [1, "a"], {}, {"a": 1}, {"$dict": {"1": 2}}, {"$dict": ["bad"]}, 1.5, True]
BESIDE = [
    {},
    {"rows": "x", "blob": 1},
    {"shape": [2, "x"], "blob": "gone"},
    {"columns": [1], "rows": 2, "blob": ""},
    {"items": 3},
]


def test_values_of_which_the_file_says_nonsense_are_seen_as_they_are_stored():
    storage = open_storage("sqlite:///later.db")
    for tag in TAGS:
        session = storage.session(tag)
        session.state.update({f"k{n}": n for n in range(len(ODD) * len(BESIDE))})
        session.save()
    storage.close()
    with closing(sqlite3.connect("later.db")) as file, file:
        for tag in TAGS:
            trees = ({tag: odd, **beside} for odd, beside in itertools.product(ODD, BESIDE))
            written = [(json.dumps(tree), tag, f"k{n}") for n, tree in enumerate(trees)]
            file.executemany("UPDATE state_log SET value = ? WHERE session_id = ? AND key = ?", written)
    for tag in TAGS:
        seen = inspector(storage, session=tag)._repr_mimebundle_()
        assert all(f"<b>k{n}</b>" in seen["text/html"] for n in range(len(ODD) * len(BESIDE)))
        assert "├─ k1: " in seen["text/plain"]


def test_a_kind_of_a_later_release_is_named_by_its_tag():
    assert shape({"$later": [1, 2]})[:3] == ("later", "", "{'$later': [1, 2]}")


@pytest.mark.parametrize(
    ("tree", "about", "line"),
    [
        ({"$model": "blog:Post", "title": "a", "$unset": ["x"]}, "Post · 1 field", ""),
        ({"$namedtuple": "m:Point", "x": 1, "y": 2}, "Point · 2 fields", ""),
        ({"$enum": "m:Colour.RED"}, "Colour", "Colour.RED"),
        ({"$bytes": "AAAA"}, "bytes · 3 bytes", ""),
        ({"$bytes": 100_000, "blob": "…"}, "bytes · 100,000 bytes", ""),
        ({"$set": [1, 2]}, "set · 2 items", "set([1, 2])"),
        ({"$tuple": [1, 2]}, "tuple · 2 items", "(1, 2)"),
        ({"$defaultdict": "list", "items": {"a": [1]}}, "defaultdict · 1 key", ""),
        ({"$ndarray": "<f8", "shape": [3, 4], "blob": "…"}, "ndarray · 3 × 4 of float64", ""),
        ({"$series": "polars", "rows": 3, "dtype": "Int64", "blob": "…"}, "Series · 3 values of Int64", ""),
        ({"$range": [0, 5, 1]}, "range", "range(0, 5)"),
        ({"$custom": "mine:Celsius", "value": 21}, "Celsius", ""),
        ({"$$ref": 1}, "dict · 1 key", "{'$ref': 1}"),
    ],
)
def test_a_typed_value_is_called_as_its_user_calls_it(tree, about, line):
    assert (shape(tree).about, shape(tree).line) == (about, line)
