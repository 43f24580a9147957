"""Every kind of value comes back inside of every other one, also in a new process, and so does whatever is made of them."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import timedelta, timezone
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from wf_notebook.codec import comes_back, decode, encode, hashes

HERE = Path(__file__).parent


@pytest.fixture(scope="module")
def things():
    """Return the module of values, which a new process imports by the same name."""
    sys.path.insert(0, str(HERE))
    yield import_module("things")
    sys.path.remove(str(HERE))


@pytest.fixture(scope="module")
def everything(things) -> dict[str, Any]:
    return things.everything()


def test_every_kind_of_value_comes_back_inside_of_every_other_one(shelf, things, everything):
    wrong = [name for name, value in everything.items() if not things.same(shelf.back(value), value)]
    assert (wrong, len(everything) > 900) == ([], True)


READ = """
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
import json, things
from wf_notebook.codec import decode
trees = json.loads(Path("trees.json").read_text(encoding="utf-8"))
values = things.everything()
back = {name: decode(tree, lambda name: (Path("blobs") / name).read_bytes()) for name, tree in trees.items()}
print([name for name in values if not things.same(back[name], values[name])], len(back))
"""


def test_it_comes_back_in_a_new_process(shelf, everything, tmp_path):
    trees = {name: shelf.tree(value) for name, value in everything.items()}
    (tmp_path / "trees.json").write_text(json.dumps(trees, ensure_ascii=False, allow_nan=False), encoding="utf-8")
    (tmp_path / "blobs").mkdir()
    for name, blob in shelf.items():
        (tmp_path / "blobs" / name).write_bytes(blob)
    assert hashes(trees) == set(shelf)
    done = subprocess.run([sys.executable, "-c", READ, str(HERE)], capture_output=True, text=True, check=False)
    assert (done.stderr, done.stdout) == ("", f"[] {len(everything)}\n")


def test_libraries_that_a_new_process_has_not_loaded_are_loaded_where_their_values_are_read(shelf, tmp_path):
    import numpy as np

    tree = shelf.tree(np.arange(3))
    (tmp_path / "blob").write_bytes(shelf[tree["blob"]])
    code = f"from wf_notebook.codec import decode\nprint(decode({tree!r}, lambda _: open('blob', 'rb').read()))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[0 1 2]\n"


LESS = timedelta(hours=23, minutes=59)
LEAVES = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.integers(2**63, 2**80)
    | st.floats(allow_nan=False)
    | st.complex_numbers(allow_nan=False)
    | st.text(st.characters(), max_size=5)
    | st.text("$ab", max_size=3)
    | st.binary(max_size=5)
    | st.decimals(allow_nan=False)
    | st.fractions()
    | st.uuids()
    | st.dates()
    | st.times()
    | st.timedeltas()
    | st.datetimes(timezones=st.none() | st.timezones() | st.timedeltas(-LESS, LESS).map(timezone))
)

KEYS = st.recursive(LEAVES, lambda inner: st.tuples(inner, inner) | st.frozensets(inner, max_size=2), max_leaves=3)
VALUES = st.recursive(
    KEYS | st.floats() | st.decimals(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text("$ab", max_size=3), inner, max_size=3)
        | st.dictionaries(KEYS, inner, max_size=3)
        | st.sets(KEYS, max_size=3)
        | st.lists(inner, max_size=3).map(tuple)
    ),
    max_leaves=10,
)


@settings(max_examples=300, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
@given(VALUES)
def test_whatever_is_made_of_values_comes_back(things, value):
    tree = encode(value, "session_state", None)
    text = json.dumps(tree, ensure_ascii=False, allow_nan=False)
    text.encode()
    back = decode(json.loads(text), None)
    assert json.dumps(encode(back, "session_state", None), ensure_ascii=False) == text
    assert things.same(back, value)
    assert comes_back(json.loads(text), None)
