"""Bringing a live state up to date: equal in the end, and what did not change stays the same object."""

from __future__ import annotations

from copy import deepcopy
from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wf_notebook.encoding import Encoder
from wf_notebook.errors import StorageFailed
from wf_notebook.kept import Kept
from wf_notebook.state import update

KEYS = st.sampled_from(["a", "b", "$ref", ""])
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 3) | st.sampled_from([0.0, -0.0, 1.0, "", "x", date(2026, 1, 1), (1, 2)]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner) | st.dictionaries(st.integers(0, 3), inner),
    max_leaves=10,
)
STATES = st.dictionaries(st.sampled_from("abc"), VALUES)
quick = settings(max_examples=100, deadline=None)


def encoded(state):
    snapshot = Encoder().encode(state)
    assert snapshot.refused == {}
    return snapshot.kept


def kept(**trees):
    return {key: Kept.of(tree) for key, tree in trees.items()}


def brought(live, mine, merged):
    update(live, mine, merged, {}.__getitem__)


@quick
@given(STATES, STATES)
def test_an_update_makes_the_live_state_equal_to_the_merged_one(before, after):
    live = deepcopy(before)
    brought(live, encoded(before), encoded(after))
    assert repr(dict(sorted(live.items()))) == repr(dict(sorted(after.items())))
    assert encoded(live) == encoded(after)


@quick
@given(STATES, STATES, STATES)
def test_an_update_is_right_also_where_one_object_is_in_two_places(one, two, after):
    shared = list(one.values())
    live = {**one, "x": shared, "y": [shared, two, two], "z": two}
    changed = {**after, "y": [[1], {"a": 2}, {"a": 3}], "z": two}
    brought(live, encoded(live), encoded(changed))
    assert encoded(live) == encoded(changed)


def test_a_list_in_two_places_that_changes_in_one_changes_in_that_one_only():
    posts = [1]
    live = {"posts": posts, "copy": posts}
    brought(live, kept(posts=[1], copy=[1]), kept(posts=[1, 2], copy=[1]))
    assert (live, live["copy"] is posts) == ({"posts": [1, 2], "copy": [1]}, True)


def test_an_update_keeps_every_object_that_did_not_change_and_changes_others_in_place():
    first, second, tags = {"title": "a"}, {"title": "b"}, ["x"]
    second["tags"] = tags
    live = {"posts": (posts := [first, second]), "other": (other := {"deep": [1]})}
    before = encoded(live)
    brought(live, before, before | kept(posts=[{"title": "a"}, {"title": "c", "tags": ["x", "y"]}, {"title": "new"}]))
    assert live == {"posts": [{"title": "a"}, {"title": "c", "tags": ["x", "y"]}, {"title": "new"}], "other": {"deep": [1]}}
    assert live["posts"] is posts
    assert (posts[0] is first, posts[1] is second, second["tags"] is tags, live["other"] is other) == (True,) * 4


def test_an_update_with_a_damaged_value_changes_nothing():
    live = {"a": 1, "b": 2}
    with pytest.raises(StorageFailed, match="damaged"):
        brought(live, kept(a=1, b=2), kept(a=5, b={"$date": "the 1st"}))
    assert live == {"a": 1, "b": 2}


def test_an_update_of_a_state_that_contains_itself_ends():
    live = {"a": [1]}
    live["self"] = live["a"]
    live["a"].append(live)
    brought(live, kept(n=1), kept(n=1, a=[2]))
    assert live["a"] == [2]


def test_an_update_in_a_value_that_grew_leaves_typed_values_in_it_the_same_objects():
    when, posts = (date(2026, 1, 1), ["x"]), []
    posts.append({"when": when, "tags": (tags := ["x"])})
    live = {"posts": posts}
    brought(live, encoded(live), encoded({"posts": [{"when": when, "tags": ["x", "y"]}, "new"]}))
    assert live == {"posts": [{"when": when, "tags": ["x", "y"]}, "new"]}
    assert (live["posts"] is posts, posts[0]["when"] is when, posts[0]["tags"] is tags) == (True, True, True)
