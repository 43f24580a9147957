"""Merging three ways: by value, the same from both sides, and nothing is lost without a word."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wf_notebook import merging
from wf_notebook.errors import BadSetting
from wf_notebook.kept import Kept
from wf_notebook.merging import merge, register_merge

LEAVES = st.sampled_from([1, 2, -3.5, "x", "y", None, True])
TREES = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("xyz"), inner, max_size=3), max_leaves=6
)
STATES = st.dictionaries(st.sampled_from("abc"), TREES)
quick = settings(max_examples=150, deadline=None)


def kept(state):
    return {key: Kept.of(tree) for key, tree in state.items()}


def trees(state):
    return {key: value.tree for key, value in state.items()}


@pytest.fixture(autouse=True)
def no_rules(monkeypatch):
    monkeypatch.setattr(merging, "_rules", {})


@quick
@given(STATES, STATES)
def test_what_only_one_side_changed_is_taken_whole(base, changed):
    for mine, theirs in ((changed, base), (base, changed)):
        merged = merge(kept(base), kept(mine), kept(theirs))
        assert (merged.state, merged.conflicts) == (kept(changed), ())


@quick
@given(STATES, STATES, STATES)
def test_both_sides_see_the_same_conflicts(base, mine, theirs):
    here, there = (merge(kept(base), kept(one), kept(two)) for one, two in ((mine, theirs), (theirs, mine)))
    assert sorted(here.conflicts) == sorted(there.conflicts)


@quick
@given(STATES, STATES, STATES)
def test_a_merge_merged_again_is_itself(base, mine, theirs):
    merged = merge(kept(base), kept(mine), kept(theirs))
    if not merged.conflicts:
        assert merge(kept(theirs), merged.state, kept(theirs)).state == merged.state


@quick
@given(
    st.dictionaries(st.sampled_from("abc"), LEAVES),
    st.dictionaries(st.sampled_from("xyz"), TREES),
    st.lists(LEAVES),
    st.lists(LEAVES),
)
def test_appends_and_distinct_entries_always_succeed(base, entries, mine, theirs):
    base = {"d": base, "l": ["first"]}
    here = {"d": base["d"] | entries, "l": ["first", *mine]}
    there = {"d": base["d"] | {"theirs": 1}, "l": ["first", *theirs]}
    merged = merge(kept(base), kept(here), kept(there))
    assert merged.conflicts == ()
    assert trees(merged.state) == {"d": base["d"] | entries | {"theirs": 1}, "l": ["first", *theirs, *mine]}


@pytest.mark.parametrize(
    ("base", "mine", "theirs", "merged"),
    [
        (None, "x", "x", "x"),
        (1, None, None, None),
        (1, None, 2, "conflict"),
        (1, 2, None, "conflict"),
        (1, 2, 2, "conflict"),
        (1.5, -2, -2, "conflict"),
        (None, 2, 2, 2),
        (True, False, False, False),
        (1, "x", "x", "x"),
        ("1", "2", "2", "2"),
        ([1], [1, 2], [1, 3], [1, 3, 2]),
        ([1], [1, 2], [1, 2], [1, 2, 2]),
        (None, ["a"], ["a"], ["a", "a"]),
        (None, ["a"], [], ["a"]),
        ([1], [2], [3], "conflict"),
        ([1], [2], [2], [2]),
        ([1], [1, 2], [], "conflict"),
        ({"x": 1}, {"x": 1, "y": 2}, {"x": 1, "z": 3}, {"x": 1, "z": 3, "y": 2}),
        ({"x": 1}, {"x": 2}, {"x": 2}, "conflict"),
        ({"x": {"n": [1]}}, {"x": {"n": [1, 2]}}, {"x": {"n": [1, 3], "m": 1}}, {"x": {"n": [1, 3, 2], "m": 1}}),
        ({"x": 1, "y": 1}, {"x": 1}, {"y": 1}, {}),
        (None, {"x": 1}, {"x": 2}, "conflict"),
        (None, {"x": 1}, {"x": 1}, {"x": 1}),
        ({"$dict": {"1": 1}}, {"$dict": {"1": 1, "2": 2}}, {"$dict": {"1": 1, "3": 3}}, {"$dict": {"1": 1, "3": 3, "2": 2}}),
        ({"$set": ["a"]}, {"$set": ["a", "b"]}, {"$set": ["a", "c"]}, "conflict"),
        ({"$decimal": "1"}, {"$decimal": "2"}, {"$decimal": "2"}, "conflict"),
        ({"$date": "2026-01-01"}, {"$date": "2026-01-02"}, {"$date": "2026-01-02"}, {"$date": "2026-01-02"}),
        ({}, {"$date": "2026-01-01"}, {"x": 1}, "conflict"),
    ],
)  # fmt: skip
def test_one_value_on_both_sides(base, mine, theirs, merged):
    sides = [kept({"a": side} if side is not None else {}) for side in (base, mine, theirs)]
    found = merge(*sides)
    if merged == "conflict":
        assert (found.conflicts, found.state) == (("a",), sides[2])
    else:
        assert (found.conflicts, trees(found.state)) == ((), {} if merged is None else {"a": merged})


@pytest.mark.parametrize(
    ("path", "rule", "sides", "merged"),
    [
        ("n", "sum", (10, 11, 12), 13),
        ("n", "sum", (None, 1, 1), 2),
        ("n", "max", (1, 3, 2), 3),
        ("n", "min", (1, 3, 2), 2),
        ("n", "theirs", (1, 3, 2), 2),
        ("n", "mine", (1, 3, 2), 3),
        ("n", "union", ({"$set": ["a"]}, {"$set": ["a", "b"]}, {"$set": ["a", "c"]}), {"$set": ["a", "b", "c"]}),
        ("n", "union", ([], ["a", "b"], ["b", "c"]), ["b", "c", "a"]),
        ("n.*", "sum", ({"x": 1}, {"x": 2}, {"x": 3}), {"x": 4}),
        ('session_state["n"]["x"]', "sum", ({"x": 1}, {"x": 2}, {"x": 3}), {"x": 4}),
        ("n.a.b", "sum", ({"a.b": 1}, {"a.b": 2}, {"a.b": 2}), {"a.b": 3}),
        ("n", lambda base, mine, theirs: [base, mine, theirs], (1, 2, 3), [1, 2, 3]),
        ("n", "sum", ({"$decimal": "1.1"}, {"$decimal": "1.2"}, {"$decimal": "1.3"}), {"$decimal": "1.4"}),
    ],
)
def test_a_rule_decides_what_would_conflict(path, rule, sides, merged):
    base, mine, theirs = (kept({} if side is None else {"n": side}) for side in sides)
    assert merge(base, mine, theirs) != merging.Merge(kept({"n": merged}))
    register_merge(path, rule)
    assert merge(base, mine, theirs) == merging.Merge(kept({"n": merged}))


def test_a_rule_that_nobody_knows_is_refused():
    with pytest.raises(BadSetting, match=r"no rule named 'add'; a rule is 'sum', 'max', .*, or a function"):
        register_merge("n", "add")
