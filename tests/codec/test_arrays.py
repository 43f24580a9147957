"""numpy's scalars and arrays come back with their dtype, shape and order; what would not is refused."""

from __future__ import annotations

import numpy as np
import pytest

from wf_notebook.errors import UnsavableValue

SCALARS = [
    (np.int8(-3), {"$numpy": "|i1", "value": -3}),
    (np.uint64(2**64 - 1), {"$numpy": "<u8", "value": {"$int": "18446744073709551615"}}),
    (np.float16(1.5), {"$numpy": "<f2", "value": 1.5}),
    (np.float32(0.1), {"$numpy": "<f4", "value": 0.10000000149011612}),
    (np.float64(0.1), {"$numpy": "<f8", "value": 0.1}),
    (np.float64("nan"), {"$numpy": "<f8", "value": {"$float": "nan"}}),
    (np.longdouble(1.5), {"$numpy": np.dtype(np.longdouble).str, "value": 1.5}),
    (np.complex64(1 + 2j), {"$numpy": "<c8", "value": [1.0, 2.0]}),
    (np.complex128(complex(np.inf, -0.0)), {"$numpy": "<c16", "value": [{"$float": "inf"}, -0.0]}),
    (np.bool_(True), {"$numpy": "|b1", "value": True}),
    (np.str_("é\ud800"), {"$numpy": "<U2", "value": {"$str": "\\xe9\\ud800"}}),
    (np.bytes_(b"a\0b"), {"$numpy": "|S3", "value": "YQBi"}),
    (np.datetime64("2026-01-01"), {"$numpy": "<M8[D]", "value": "2026-01-01"}),
    (np.datetime64("2026-01"), {"$numpy": "<M8[M]", "value": "2026-01"}),
    (np.datetime64("2026-01-01T00:00:00.000000001"), {"$numpy": "<M8[ns]", "value": "2026-01-01T00:00:00.000000001"}),
    (np.datetime64(5, "25s"), {"$numpy": "<M8[25s]", "value": "1970-01-01T00:02:05"}),
    (np.datetime64("NaT", "ns"), {"$numpy": "<M8[ns]", "value": -(2**63)}),
    (np.timedelta64(5, "D"), {"$numpy": "<m8[D]", "value": 5}),
    (np.timedelta64(5), {"$numpy": "<m8", "value": 5}),
]

ARRAYS = [
    np.arange(12.0).reshape(3, 4),
    np.arange(12.0).reshape(3, 4).T,
    np.arange(24).reshape(2, 3, 4).transpose(1, 0, 2),
    np.arange(10)[::-2],
    np.array(5),
    np.zeros((0, 3)),
    np.array(["a", "bé"]),
    np.array([b"a"]),
    np.array([True]),
    np.array(["2026-01-01", "NaT"], "M8[D]"),
    np.array([np.nan, np.inf, -0.0], "f2"),
    np.zeros(2, "c16"),
    np.zeros(2, "V3"),
    np.zeros(2, np.longdouble),
    np.arange(3, dtype=">i4"),
    np.array([(1, 2.0)], dtype=[("a", "i4"), ("b", "f8")]),
    np.array([(1, [2.0, 3])], dtype=np.dtype([("a", "i4"), ("b", "f8", (2,))], align=True)),
    np.array([{"a": (1,)}, None], object),
    np.array([[1, "a"], [None, {2}]], object).T,
    np.array(None, object),
    np.zeros((2, 0), object),
]


@pytest.mark.parametrize(("value", "tree"), SCALARS, ids=[repr(value) for value, _ in SCALARS])
def test_a_scalar_is_stored_as_anyone_can_read_it_and_comes_back(shelf, value, tree):
    assert repr(shelf.tree(value)) == repr(tree)
    back = shelf.back([value])[0]
    assert (type(back), back.dtype, repr(back)) == (type(value), value.dtype, repr(value))


@pytest.mark.parametrize("value", ARRAYS, ids=lambda value: f"{value.dtype} {value.shape}")
def test_an_array_comes_back_and_can_be_changed(shelf, value):
    back = shelf.back({"a": value})["a"]
    assert (type(back), back.dtype, back.shape) == (type(value), value.dtype, value.shape)
    assert repr(back.tolist()) == repr(value.tolist())
    assert back.flags.writeable
    assert back.flags.fnc == value.flags.fnc or not value.flags.forc


def test_anyone_sees_dtype_and_shape_of_an_array(shelf):
    tree = shelf.tree(np.zeros((3, 4)))
    assert tree == {"$ndarray": "<f8", "shape": [3, 4], "blob": tree["blob"]}
    assert set(shelf) == {tree["blob"]}


def test_equal_arrays_are_one_blob_and_other_ones_are_not(shelf):
    shelf.tree([np.arange(4), np.arange(4), np.arange(8)[::2] // 2])
    assert len(shelf) == 1
    shelf.tree([np.arange(4.0), np.arange(4).reshape(2, 2), np.array([0, 1, 2, 4])])
    assert len(shelf) == 4


def test_what_is_stored_is_what_the_hash_says_although_the_array_changes_meanwhile(shelf):
    value = np.zeros(1000)
    late = []
    shelf.keep = lambda content_hash, make: late.append((content_hash, make))
    tree = shelf.tree(value)
    value += 1
    shelf.update((content_hash, make()) for content_hash, make in late)
    assert shelf.read(tree).sum() == 0


@pytest.mark.parametrize(
    ("value", "says"),
    [
        (
            np.array(["a"], dtype=np.dtypes.StringDType()),
            "is a numpy array of dtype StringDType(), which cannot be kept; keep .astype",
        ),
        (np.array([(1, [])], dtype=[("a", "i4"), ("b", "O")]), "is a numpy array of dtype [('a', '<i4'), ('b', 'O')], which"),
        (np.rec.array([(1,)], dtype=[("a", int)]), "is of type 'recarray', which cannot be kept; keep numpy.asarray(…) of it"),
        (np.ma.array([1, 2], mask=[0, 1]), "is of type 'MaskedArray', which cannot be kept; keep its .data and its .mask"),
        (np.array([(1, 2.0)], dtype=[("a", "i4"), ("b", "f8")])[0], "is of type 'void', which cannot be kept; keep its .item()"),
        (np.longdouble(1) / 3, "is of type 'longdouble' with more digits than a float has; keep float(…) of it"),
        (np.array([object()], object), "[\"x\"][0] is of type 'object'"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_of_numpy_would_not_come_back_is_refused(shelf, value, says):
    with pytest.raises(UnsavableValue) as refusal:
        shelf.tree(value)
    assert says in str(refusal.value)
