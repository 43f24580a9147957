"""A live state is read at one moment, and a glance misses nothing."""

from __future__ import annotations

import random
import sys
import threading
from copy import deepcopy
from datetime import date

import pytest

from wf_notebook.glance import Glance
from wf_notebook.kept import packed, unpacked

LONG = [{"title": f"post {number}", "tags": ["a", "b"]} for number in range(500)]


def still(state) -> Glance:
    """Return a glance that has seen a state stand still."""
    glance = Glance()
    for _ in range(3):
        glance.read(state)
    return glance


@pytest.mark.parametrize(
    "change",
    [
        lambda posts: posts.append("new"),
        lambda posts: posts[0].update(title="new"),
        lambda posts: posts[-1]["tags"].append("c"),
        lambda posts: posts[7].update(title=True),
        lambda posts: posts.pop(),
        lambda posts: posts.reverse(),
        lambda posts: posts[3].update(tags=posts[3].pop("tags"), title=posts[3].pop("title")),
    ],
)
def test_any_change_of_a_long_value_that_stood_still_is_seen(change):
    state = {"posts": deepcopy(LONG), "n": 1}
    glance = still(state)
    change(state["posts"])
    assert glance.read(state) == {"posts": packed(state["posts"]), "n": packed(1)}


def test_a_one_that_becomes_true_is_seen():
    state = {"posts": [*deepcopy(LONG), 1]}
    glance = still(state)
    state["posts"][-1] = True
    assert glance.read(state) == {"posts": packed([*LONG, True])}


def test_who_else_holds_a_part_of_a_value_makes_no_difference():
    state = {"posts": deepcopy(LONG)}
    glance = still(state)
    held = [state["posts"][3], state["posts"][4]["tags"]]
    assert glance.read(state) == {"posts": packed(LONG)}
    held.clear()
    assert [glance.read(state) for _ in range(3)] == [{"posts": packed(LONG)}] * 3


def test_keys_come_and_go_and_change_their_places():
    state = {"one": deepcopy(LONG), "two": deepcopy(LONG[:400])}
    glance = still(state)
    state["one"], state["two"] = state["two"], state["one"]
    state["three"] = state.pop("one")
    assert glance.read(state) == {"two": packed(LONG), "three": packed(LONG[:400])}
    assert list(glance.read(state)) == ["two", "three"]


def test_a_value_that_is_no_plain_data_leaves_the_others_as_they_are():
    state = {"posts": deepcopy(LONG), "day": date(2026, 1, 2)}
    glance = still(state)
    assert glance.read(state) == {"posts": packed(LONG), "day": None}
    state["posts"].append(date(2026, 1, 2))
    assert glance.read(state) == {"posts": None, "day": None}
    state["posts"].pop()
    assert [glance.read(state) for _ in range(3)] == [{"posts": packed(LONG), "day": None}] * 3


def test_what_is_read_while_others_change_it_is_of_one_moment():
    state = {"left": [0, *["x" * 20] * 300], "right": [0, *["x" * 20] * 300]}
    glance, over = Glance(), threading.Event()

    def change() -> None:
        while not over.is_set():
            state["left"][0] += 1
            state["right"][0] += 1

    def read(found: list[int]) -> None:
        for _ in range(300):
            raws = glance.read(state)
            left, right = (unpacked(raws[side])[0] for side in ("left", "right"))
            found.append(left - right)
            if random.random() < 0.1:
                glance.read(dict(state))

    differences: list[int] = []
    threads = [threading.Thread(target=change), *(threading.Thread(target=read, args=(differences,)) for _ in range(2))]
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    try:
        for thread in threads:
            thread.start()
        for thread in threads[1:]:
            thread.join()
    finally:
        over.set()
        sys.setswitchinterval(interval)
        threads[0].join()
    assert (len(differences), {*differences} <= {0, 1}) == (600, True)
