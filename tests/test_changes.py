"""What turns one state into another: as few rows as it takes, and exactly the way back."""

from __future__ import annotations

import gc
import json
from threading import Event

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wf_notebook import kept as kept_module
from wf_notebook.changes import Change, differences, replay
from wf_notebook.errors import StorageFailed
from wf_notebook.kept import Kept, collecting_later, extended, grown, packed

KEYS = st.sampled_from(["a", "b", "", "$$x", 'q"u', "käse"])
PLAIN = st.none() | st.booleans() | st.integers(-3, 3) | st.sampled_from([0.0, -0.0, 1.0, "", "x", "$5"])
TREES = st.recursive(
    PLAIN | st.just({"$date": "2026-01-01"}),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(KEYS, inner, max_size=4)
        | st.builds(lambda entries: {"$dict": entries}, st.dictionaries(st.sampled_from(["1", "2", '"a"']), inner, min_size=1))
    ),
    max_leaves=8,
)
STATES = st.dictionaries(st.sampled_from("abc"), TREES)
quick = settings(max_examples=150, deadline=None)


def kept(state):
    return {key: Kept.of(tree) for key, tree in state.items()}


@quick
@given(STATES, STATES)
def test_differences_lead_from_one_state_to_the_other(before, after):
    changes = differences(kept(before), kept(after))
    assert replay(kept(before), changes) == kept(after)
    assert differences(kept(after), kept(after)) == []
    assert all(change.value is None or json.loads(change.value) is not ... for change in changes)


@quick
@given(st.lists(STATES, max_size=6))
def test_a_state_is_the_replay_of_all_its_changes(states):
    rows, before = [], {}
    for state in states:
        rows += differences(before, kept(state))
        before = kept(state)
    assert replay({}, rows) == before


@quick
@given(st.lists(TREES), st.lists(TREES))
def test_what_a_list_grew_by_is_found_in_its_bytes(items, more):
    before, after = packed(items), packed(items + more)
    found = grown(before, after)
    assert (found is None) == (not more)
    assert found is None or extended(before, found) == after


@pytest.mark.parametrize(
    ("before", "after", "rows"),
    [
        ({}, {"a": [1]}, [("set", None, "[1]")]),
        ({"a": [1]}, {"a": [1, 2, 3]}, [("append", None, "[2,3]")]),
        ({"a": [1, 2]}, {"a": [1]}, [("set", None, "[1]")]),
        ({"a": []}, {"a": [1]}, [("set", None, "[1]")]),
        ({"a": {"x": 1}}, {"a": {"x": 1, "y": 2}}, [("put", "y", "2")]),
        ({"a": {"x": 1, "y": 2}}, {"a": {"x": 3, "y": 2}}, [("put", "x", "3")]),
        ({"a": {"x": 1, "y": 2}}, {"a": {"y": 2}}, [("delete", "x", None)]),
        ({"a": {"x": 1, "y": 2}}, {"a": {"y": 2, "x": 1}}, [("set", None, '{"y":2,"x":1}')]),
        ({"a": {"x": [1]}}, {"a": {"x": [1, 2]}}, [("put", "x", "[1,2]")]),
        ({"a": {"$dict": {"1": "a"}}}, {"a": {"$dict": {"1": "a", "2": "b"}}}, [("put", "2", '"b"')]),
        ({"a": {"$set": ["a"]}}, {"a": {"$set": ["a", "b"]}}, [("set", None, '{"$set":["a","b"]}')]),
        ({"a": {"$model": "m:A", "x": 1}}, {"a": {"$model": "m:A", "x": 1, "y": 2}},
         [("set", None, '{"$model":"m:A","x":1,"y":2}')]),
        ({"a": 1}, {}, [("delete", None, None)]),
        ({"a": 1}, {"a": None}, [("set", None, "null")]),
    ],
)  # fmt: skip
def test_of_a_value_that_changed_only_that_is_a_row(before, after, rows):
    assert [(change.op, change.path, change.value) for change in differences(kept(before), kept(after))] == rows


def test_of_a_dict_of_which_most_changed_all_is_one_row():
    before, after = {str(n): n for n in range(300)}, {str(n): -n for n in range(300)}
    assert [change.op for change in differences(kept({"a": before}), kept({"a": after}))] == ["set"]
    assert len(differences(kept({"a": before}), kept({"a": before | {"7": "new"}}))) == 1


@pytest.mark.parametrize(
    "rows",
    [
        [Change("a", "set", "{")],
        [Change("a", "append", "[1]")],
        [Change("a", "set", "[1]"), Change("a", "append", "5")],
        [Change("a", "set", "[1]"), Change("a", "put", "5", path="x")],
        [Change("a", "set", '{"x":1}'), Change("a", "delete", path="y")],
        [Change("a", "set", '{"x":1}'), Change("a", "append", "[1]")],
    ],
)
def test_rows_that_do_not_fit_are_damaged(rows):
    with pytest.raises(StorageFailed, match=r"the stored value of key 'a' is damaged \(.*\); nothing was overwritten: restore"):
        replay({}, rows)


@pytest.fixture
def nothing_frozen(monkeypatch):
    monkeypatch.setattr(kept_module, "_FROZEN", Event())
    gc.unfreeze()
    yield
    gc.freeze()


@pytest.mark.usefixtures("nothing_frozen")
def test_what_is_made_while_nothing_is_collected_is_old_at_once():
    with collecting_later():
        assert not gc.isenabled()
        made = [[]]
    assert gc.isenabled()
    assert not any(one is made for one in gc.get_objects(generation=0))
    assert gc.get_freeze_count() == 0


@pytest.mark.usefixtures("nothing_frozen")
def test_what_somebody_froze_stays_frozen():
    gc.freeze()
    with collecting_later():
        pass
    assert gc.get_freeze_count() > 0
    with collecting_later():  # it is not counted again
        assert kept_module._FROZEN.is_set()
    assert gc.get_freeze_count() > 0
