"""What is stored and damaged says so, in one error; it never crashes, runs anything or fills the memory."""

from __future__ import annotations

import json
import tracemalloc
import zlib
from contextlib import suppress

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wf_notebook.codec import Unknown, comes_back, decode, encode, hashes
from wf_notebook.codec.blobs import _HEAD, digest, pack
from wf_notebook.codec.table import TABLE
from wf_notebook.errors import StorageFailed

TAGS = sorted({kind.tag.partition(":")[0] for kind in TABLE if kind.tag} - {"$unknown"})
HEADS = [
    None,
    1,
    -1,
    2.5,
    True,
    "",
    "x",
    "pandas",
    "polars",
    "pyarrow",
    "numpy",
    "nan",
    "0x",
    [],
    [1],
    [1, 2, 3, 4],
    [[]],
    {},
    {"a": 1},
]


def missing(content_hash: str) -> bytes:
    raise StorageFailed(f"no blob {content_hash}")


def read(tree, blob=missing):
    """Return the value of a tree, None where it is damaged; nothing else may be raised."""
    with suppress(StorageFailed):
        return decode(tree, blob)
    return None


@pytest.mark.parametrize("tag", TAGS)
def test_a_typed_value_with_another_head_or_without_the_rest_is_data_or_damage(tag):
    for head in HEADS:
        read({tag: head})
        read({tag: head, "value": head, "shape": head, "blob": head, "items": head, "unit": head, "columns": head, "is": head})


@pytest.mark.parametrize(
    "tree",
    [
        {"$datetime": "yesterday"},
        {"$datetime": 5},
        {"$datetime": "2026-01-01T00:00:00[../../etc/passwd]"},
        {"$date": "2026-13-01"},
        {"$timedelta": "x"},
        {"$timedelta": "9999999999 days, 0:00:00"},
        {"$decimal": "one"},
        {"$decimal": 1.5},
        {"$uuid": "1"},
        {"$bytes": "=="},
        {"$int": "1.5"},
        {"$int": "9" * 5000},
        {"$float": "1.5"},
        {"$str": "\\x"},
        {"$complex": [1]},
        {"$set": [[]]},
        {"$set": {"a": 1}},
        {"$tuple": "abc"},
        {"$dict": {"not json": 1}},
        {"$dict": {"[]": 1}},
        {"$dict": {"1": 1, "1.0": 2}},
        {"$ordereddict": [1]},
        {"$defaultdict": "eval", "items": {}},
        {"$deque": [1], "maxlen": -1},
        {"$range": [1, 2, 0]},
        {"$numpy": "|O", "value": 1},
        {"$numpy": "<i8", "value": "x"},
        {"$numpy": "<i1", "value": 1000},
        {"$ndarray": "|O", "shape": [10**12], "items": [1]},
        {"$ndarray": "|O", "shape": [-1], "items": []},
        {"$timestamp": "x", "unit": "ns"},
        {"$missing": "nothing"},
        {"$interval": [2, 1], "closed": "right"},
        {"$unknown": 1},
        {"a": 1, "$tuple": [1]},
    ],
    ids=repr,
)
def test_a_damaged_value_says_so(tree):
    with pytest.raises(
        StorageFailed, match=r"^a stored value is damaged \(.+\); nothing was overwritten: restore a copy of the file$"
    ):
        decode([tree], missing)
    assert not comes_back(tree, missing)


@pytest.mark.parametrize("wrap", [lambda tree: [tree], lambda tree: {"a": tree}, lambda tree: {"$tuple": [tree]}])
def test_a_tree_of_any_depth_is_damage_and_no_crash(wrap):
    tree = 1
    for _ in range(10_000):
        tree = wrap(tree)
    with pytest.raises(StorageFailed, match="RecursionError"):
        decode(tree, missing)
    assert not comes_back(tree, missing)
    assert hashes(tree) == set()


VALUES = [
    b"bytes " * 20_000,
    np.random.default_rng(0).bytes(70_000),
    np.arange(1000.0),
    np.array([{"a": b"x" * 70_000}], object),
    pd.DataFrame({"a": [1, 2], "b": ["x", None], "c": [(1,), {2}], "d": pd.Categorical(["u", "v"])}),
    pd.DataFrame({"a": pd.array([1, None], "Int64"), "b": pd.date_range("2026", periods=2, tz="Europe/Berlin")}),
]


@pytest.fixture(params=VALUES, ids=lambda value: type(value).__name__)
def stored(request, shelf):
    """Return the tree of a value that has blobs, and the blobs."""
    return shelf.tree(request.param), shelf


def test_a_blob_that_is_not_there_or_was_cut_off_says_so(stored):
    tree, shelf = stored
    for content_hash, blob in list(shelf.items()):
        for broken in (b"", blob[:5], blob[:-1], blob + b"x", blob[:9], bytes(len(blob)), b"\7" + blob[1:]):
            with pytest.raises(StorageFailed, match="blob is damaged"):
                decode(tree, (dict(shelf) | {content_hash: broken}).__getitem__)
        without = {key: item for key, item in shelf.items() if key != content_hash}
        with pytest.raises(StorageFailed, match="damaged"):
            decode(tree, without.__getitem__)
        assert not comes_back(tree, without.__getitem__)


def test_a_blob_with_a_flipped_bit_says_so(stored):
    tree, shelf = stored
    for content_hash, blob in list(shelf.items()):
        for at in range(0, len(blob), max(1, len(blob) // 40)):
            broken = blob[:at] + bytes([blob[at] ^ 4]) + blob[at + 1 :]
            back = read(tree, (dict(shelf) | {content_hash: broken}).__getitem__)
            assert back is None or shelf.tree(back) == tree  # some bits of a compressed stream mean nothing


def test_a_crafted_content_under_its_right_name_is_damage_and_no_crash(stored):
    """Its hash does not help: whoever writes the file writes the hash too."""
    tree, shelf = stored
    tag = next(iter(tree))
    kind = {"$bytes": "bytes", "$ndarray": "npy"}.get(tag, "pandas")
    content = zlib.decompress(shelf[tree["blob"]][9:]) if "blob" in tree and shelf[tree["blob"]][0] else b"{}" * 100
    for at in range(0, len(content), max(1, len(content) // 60)):
        crafted = content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :]
        name = digest(kind, [crafted])
        read(tree | {"blob": name}, (dict(shelf) | {name: pack(crafted)}).__getitem__)


def bomb(length: int, body: bytes) -> bytes:
    return _HEAD.pack(1, length) + body


def test_a_bomb_does_not_fill_the_memory():
    deflate = zlib.compressobj(9)
    body = b"".join(deflate.compress(bytes(1 << 20)) for _ in range(300)) + deflate.flush()
    tracemalloc.start()
    for blob in (bomb(10, body), bomb(2**62, body), bomb(2**62, b"x"), bomb(len(body), body)):
        with pytest.raises(StorageFailed, match="a stored blob is damaged"):
            decode({"$bytes": 1, "blob": "h"}, lambda _, blob=blob: blob)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 10e6


def test_an_array_that_claims_to_be_huge_is_damage(shelf):
    tree = shelf.tree(np.arange(1000))
    content = zlib.decompress(shelf[tree["blob"]][9:]).replace(b"(1000,)", b"(10**9)"[:7]).replace(b"(10**9)", b"(9**99)")
    for crafted in (content, content.replace(b"(9**99)", b"(8e11,)"), content.replace(b"(9**99)", b"(99999,"[:7])):
        name = digest("npy", [crafted])
        assert read(tree | {"blob": name}, {name: pack(crafted)}.__getitem__) is None


def test_an_array_of_objects_is_never_unpickled():
    from io import BytesIO

    file = BytesIO()
    np.save(file, np.array([print], object), allow_pickle=True)
    name = digest("npy", [file.getvalue()])
    tree = {"$ndarray": "|O", "shape": [1], "blob": name}
    with pytest.raises(StorageFailed, match="damaged"):
        decode(tree, {name: pack(file.getvalue())}.__getitem__)
    assert not comes_back(tree, {name: pack(file.getvalue())}.__getitem__)


def test_the_users_own_dicts_are_never_taken_for_ours(shelf):
    values = [{tag: head} for tag in TAGS for head in (None, "x", [1])] + [
        {"$": 1},
        {"$$": 1},
        {"a": 1, "$set": [1]},
        {"blob": "x"},
    ]
    assert shelf.back(values) == values
    assert hashes(shelf.tree(values)) == set()


def test_the_blobs_of_a_tree_are_named_wherever_they_are(shelf):
    big = b"x" * 70_000
    tree = shelf.tree({"a": [big, {"b": (np.arange(3), {1: bytearray(big)})}], "f": VALUES[4]})
    assert (hashes(tree), len(shelf)) == (set(shelf), 3)


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-5, 5)
    | st.text("a$", max_size=3)
    | st.sampled_from([*HEADS, "os:system", "<f8", "2026-01-01"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from([*TAGS, "value", "items", "blob", "shape", "$unset", "$args", "$private", "1", "[1]"]),
            inner,
            max_size=3,
        )
    ),
    max_leaves=12,
)


@settings(max_examples=300, deadline=None, derandomize=True)
@given(JSON)
def test_a_garbled_tree_is_data_or_damage(tree):
    read(json.loads(json.dumps(tree)))
    comes_back(tree, missing)
    hashes(tree)


def test_what_was_read_is_none_of_the_tree(shelf):
    tree = {"a": [1, {"b": []}]}
    back = shelf.read(tree)
    assert decode(tree, missing)["a"] is not tree["a"]
    back["a"].append(2)
    assert encode(back, "session_state", shelf) == {"a": [1, {"b": []}, 2]}
    assert not isinstance(back, Unknown)
