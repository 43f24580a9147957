"""A conflict: shown with both sides, decided by whoever reads it, and never where there is none."""

from __future__ import annotations

import pandas as pd
import pytest

from wf_notebook import Workflow, open_storage
from wf_notebook.errors import BadSetting, NoConflict, SessionConflict, UnsavableValue


class Blog(Workflow):
    def run(self):
        yield "ok"


@pytest.fixture
def sides():
    """Return two sessions of one id: what the second has changed conflicts with what the first has saved, in n and title."""
    storage = open_storage("memory:")
    one = storage.session("demo")
    one.state.update(n=0, title="a", kept=1)
    one.save()
    two = storage.session("demo")
    two.state.update(n=2, title="mine", own=1)
    one.state.update(n=1, title="theirs", others=1)
    one.save()
    return one, two


def test_a_conflict_is_shown_theirs_against_mine(sides):
    assert str(sides[1].conflict()).splitlines() == [
        "demo:2 (theirs) → mine (unsaved)",
        '~ session_state["n"] = 1 → 2',
        """~ session_state["title"] = 'theirs' → 'mine'""",
    ]
    assert len(sides[0].conflict()) == 0


def test_a_number_that_both_counted_up_is_shown_although_it_is_equal(sides):
    sides[1].state.update(n=1, title="a")
    assert [(one.path, one.before, one.after) for one in sides[1].conflict()] == [('session_state["n"]', 1, 1)]


def test_of_frames_in_a_conflict_it_is_said_what_they_are():
    storage = open_storage("memory:")
    one, two = storage.session("demo"), storage.session("demo")
    one.state["posts"], two.state["posts"] = pd.DataFrame({"n": [1, 2]}), pd.DataFrame({"n": [1, 3]})
    one.save()
    with pytest.raises(SessionConflict, match="is frame 2 × 1 here and frame 2 × 1 in the store"):
        two.save()
    assert str(two.conflict()).splitlines()[1] == '~ session_state["posts"] = frame 2 × 1: 1 of 2 values changed'


@pytest.mark.parametrize("choice", ["mine", "theirs", {"n": 3}])
def test_without_a_conflict_nothing_is_decided_and_nothing_saved(choice):
    storage = open_storage("memory:")
    session = storage.session("demo")
    session.state["n"] = 1
    with pytest.raises(NoConflict, match="session 'demo' is in no conflict"):
        session.resolve(choice)
    assert len(storage.sessions()) == 0


def test_keys_that_are_in_no_conflict_are_named_with_those_that_are(sides):
    with pytest.raises(BadSetting, match="in no conflict: 'kept', 'nope'; in conflict: 'n', 'title'"):
        sides[1].resolve({"n": 3, "kept": 1, "nope": 2})
    with pytest.raises(BadSetting, match="in no conflict: 'nope'; in conflict: 'n', 'title'"):
        sides[1].resolve("mine", keys=["nope"])
    assert sides[1].state["n"] == 2
    with pytest.raises(BadSetting, match="is no choice"):
        sides[1].resolve(["n"])


def test_each_key_may_be_decided_otherwise(sides):
    with pytest.raises(SessionConflict, match="'title' was"):
        sides[1].resolve("mine", keys=["n"])
    sides[1].resolve("theirs", keys=["title"])
    stored = {"n": 2, "title": "theirs", "kept": 1, "own": 1, "others": 1}
    assert (sides[1].state, sides[1].storage.session("demo").state) == (stored, stored)


@pytest.mark.parametrize("choice", ["mine", "theirs", {"n": 3, "title": "c"}])
def test_what_is_decided_is_in_the_live_dict_with_all_that_others_saved(sides, choice):
    sides[1].resolve(choice)
    assert sides[1].state == sides[1].storage.session("demo").state
    assert sides[1].state["others"] == 1


def test_write_to_storage_brings_in_what_others_saved():
    blog = Blog(session_id="demo", storage="memory:")
    posts = blog.session_state["posts"] = ["a"]
    blog.write_to_storage()
    there = blog.storage.session("demo")
    there.state.update(posts=["a", "theirs"], n=1)
    there.save()
    posts.append("mine")
    blog.session_state["odd"] = object()
    with pytest.raises(UnsavableValue):
        blog.write_to_storage()
    assert (posts, blog.session_state["n"]) == (["a", "theirs", "mine"], 1)
    assert "odd" in blog.session_state


def test_all_values_that_cannot_be_kept_are_named():
    blog = Blog(session_id="demo", storage="memory:")
    blog.session_state.update(client=object(), lock=object(), n=1)
    with pytest.raises(UnsavableValue) as caught:
        blog.write_to_storage()
    assert str(caught.value).endswith('; session_state["lock"] cannot be kept either')
    assert [note.partition(" ")[0] for note in caught.value.__notes__] == ['session_state["lock"]']
    assert blog.storage.session("demo").state == {"n": 1}
