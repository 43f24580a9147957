"""Merging, comparing and bringing a live state up to date: laws that hold for every state."""

from __future__ import annotations

import json
from copy import deepcopy

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wf_notebook.encoding import Encoder
from wf_notebook.errors import StorageFailed
from wf_notebook.state import Change, conflict, decode, differences, merge, update

KEYS = st.sampled_from("abc")
TEXTS = st.dictionaries(KEYS, st.sampled_from(["1", "2", "-3.5", '"x"', '"y"', "[]", "null", "true"]))
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 3) | st.sampled_from([0.0, -0.0, 1.0, "", "x"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner),
    max_leaves=10,
)
STATES = st.dictionaries(KEYS, VALUES)
quick = settings(max_examples=60, deadline=None)


def encoded(state):
    texts, refused = Encoder().encode(state)
    assert refused == {}
    return texts


@quick
@given(TEXTS, TEXTS)
def test_what_only_one_side_changed_is_taken_whole(base, changed):
    assert (merge(base, changed, base).state, merge(base, changed, base).conflicts) == (changed, ())
    assert (merge(base, base, changed).state, merge(base, base, changed).conflicts) == (changed, ())


@quick
@given(TEXTS, TEXTS, TEXTS)
def test_both_sides_see_the_same_conflicts_and_but_for_them_the_same_state(base, mine, theirs):
    here, there = merge(base, mine, theirs), merge(base, theirs, mine)
    assert sorted(here.conflicts) == sorted(there.conflicts)
    assert {k: v for k, v in here.state.items() if k not in here.conflicts} == {
        k: v for k, v in there.state.items() if k not in here.conflicts
    }


@quick
@given(TEXTS, TEXTS, TEXTS)
def test_a_merged_value_is_one_sides_own_and_a_conflict_leaves_theirs(base, mine, theirs):
    merged = merge(base, mine, theirs)
    for key in "abc":
        if key in merged.conflicts:
            assert merged.state.get(key) == theirs.get(key)
            assert base.get(key) not in (mine.get(key), theirs.get(key))
        else:
            assert merged.state.get(key) in (mine.get(key), theirs.get(key))


@quick
@given(TEXTS, TEXTS, TEXTS)
def test_a_merge_merged_again_is_itself(base, mine, theirs):
    merged = merge(base, mine, theirs)
    if not merged.conflicts:
        assert merge(theirs, merged.state, theirs).state == merged.state


@pytest.mark.parametrize(
    ("base", "mine", "theirs", "state", "conflicts"),
    [
        ({}, {"a": '"x"'}, {"a": '"x"'}, {"a": '"x"'}, ()),
        ({"a": "1"}, {}, {}, {}, ()),
        ({"a": "1"}, {}, {"a": "2"}, {"a": "2"}, ("a",)),
        ({"a": "1"}, {"a": "2"}, {}, {}, ("a",)),
        ({"a": "1"}, {"a": "2"}, {"a": "2"}, {"a": "2"}, ("a",)),
        ({"a": "1.5"}, {"a": "-2"}, {"a": "-2"}, {"a": "-2"}, ("a",)),
        ({}, {"a": "2"}, {"a": "2"}, {"a": "2"}, ()),
        ({"a": "true"}, {"a": "false"}, {"a": "false"}, {"a": "false"}, ()),
        ({"a": "1"}, {"a": '"x"'}, {"a": '"x"'}, {"a": '"x"'}, ()),
        ({"a": '"1"'}, {"a": '"2"'}, {"a": '"2"'}, {"a": '"2"'}, ()),
        ({"a": "[1]"}, {"a": "[1,2]"}, {"a": "[1,3]"}, {"a": "[1,3]"}, ("a",)),
    ],
)
def test_one_key_on_both_sides(base, mine, theirs, state, conflicts):
    merged = merge(base, mine, theirs)
    assert (merged.state, merged.conflicts) == (state, conflicts)


@quick
@given(TEXTS, TEXTS)
def test_differences_lead_from_one_state_to_the_other(before, after):
    state = dict(before)
    for change in differences(before, after):
        if change.value is None:
            del state[change.key]
        else:
            state[change.key] = change.value
    assert state == after
    assert differences(after, after) == []


def test_a_change_to_null_is_no_deletion():
    assert differences({"a": "1"}, {"a": "null"}) == [Change("a", "set", "null")]


@quick
@given(STATES, STATES)
def test_an_update_makes_the_live_state_equal_to_the_merged_one(before, after):
    live = deepcopy(before)
    update(live, encoded(before), encoded(after))
    assert json.dumps(live, sort_keys=True) == json.dumps(after, sort_keys=True)
    assert encoded(live) == encoded(after)


@quick
@given(STATES, STATES, STATES)
def test_an_update_is_right_also_where_one_object_is_in_two_places(one, two, after):
    shared = list(one.values())
    live = {**one, "x": shared, "y": [shared, two, two], "z": two}
    changed = {**after, "y": [[1], {"a": 2}, {"a": 3}], "z": two}
    update(live, encoded(live), encoded(changed))
    assert encoded(live) == encoded(changed)


def test_a_list_in_two_places_that_changes_in_one_changes_in_that_one_only():
    posts = [1]
    live = {"posts": posts, "copy": posts}
    update(live, {"posts": "[1]", "copy": "[1]"}, {"posts": "[1,2]", "copy": "[1]"})
    assert (live, live["copy"] is posts) == ({"posts": [1, 2], "copy": [1]}, True)


def test_an_update_keeps_every_object_that_did_not_change_and_changes_others_in_place():
    first, second, tags = {"title": "a"}, {"title": "b"}, ["x"]
    second["tags"] = tags
    live = {"posts": (posts := [first, second]), "other": (other := {"deep": [1]})}
    before = encoded(live)
    update(live, before, before | {"posts": '[{"title":"a"},{"title":"c","tags":["x","y"]},{"title":"new"}]'})
    assert live == {"posts": [{"title": "a"}, {"title": "c", "tags": ["x", "y"]}, {"title": "new"}], "other": {"deep": [1]}}
    assert live["posts"] is posts
    assert (posts[0] is first, posts[1] is second, second["tags"] is tags, live["other"] is other) == (True,) * 4


def test_an_update_with_a_damaged_value_changes_nothing():
    live = {"a": 1, "b": 2}
    with pytest.raises(StorageFailed, match="the stored value of key 'b' is damaged"):
        update(live, {"a": "1", "b": "2"}, {"a": "5", "b": "{"})
    assert live == {"a": 1, "b": 2}


def test_an_update_of_a_state_that_contains_itself_ends():
    live = {"a": [1]}
    live["self"] = live["a"]
    live["a"].append(live)
    update(live, {"n": "1"}, {"n": "1", "a": "[2]"})
    assert live["a"] == [2]


def test_a_text_that_is_no_json_is_damaged():
    with pytest.raises(
        StorageFailed, match=r"the stored value of key 'posts' is damaged \(.*\); nothing was overwritten: restore"
    ):
        decode("posts", "{")


def test_a_conflict_shows_long_values_in_brief_and_counts_the_others():
    error = conflict("demo", ("a", "b"), base={}, mine={"a": '"' + "x" * 100 + '"', "b": "1"}, theirs={"b": "2"}, branch=None)
    assert str(error) == (
        f"session 'demo' was changed elsewhere: 'a' was absent, is \"{'x' * 38}… here and deleted in the store (and 1 more); "
        "choose by the workflow's session.resolve('mine'), 'theirs', or a dict of the values"
    )
    assert (error.mine, error.theirs, error.base, error.branch) == ({"a": "x" * 100, "b": 1}, {"b": 2}, {}, None)
