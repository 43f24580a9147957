"""Threads that read source at the same time."""

from __future__ import annotations

import gc
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from wf_notebook.keying.parsing import parsed

SOURCE = "def f(x):\n    if x:\n        return [(y, {z: [w for w in z]}) for y in x for z in y]\n" * 40


@pytest.fixture
def eager():
    """Let threads change places whenever objects are collected, as finalisers in Python let them."""
    threshold = gc.get_threshold()

    def give_way(*_):
        time.sleep(0)

    gc.callbacks.append(give_way)
    gc.set_threshold(50)
    yield
    gc.set_threshold(*threshold)
    gc.callbacks.remove(give_way)


@pytest.mark.usefixtures("eager")
def test_threads_that_parse_at_once_all_get_their_tree():
    with ThreadPoolExecutor(8) as threads:
        trees = list(threads.map(parsed, [SOURCE] * 60))
    assert {len(tree.body) for tree in trees} == {40}
