"""Threads that read source at the same time."""

from __future__ import annotations

import ast
import gc
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from wf_notebook.keying import parsing
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


def failing(times):
    """Return a `compile` that fails so often, as that of CPython 3.11 does while code without our lock makes a tree."""
    left = iter(range(times))

    def one(*given, **named):
        if next(left, None) is not None:
            raise SystemError("AST constructor recursion depth mismatch (before=77, after=81)")
        return compile(*given, **named)

    return one


def test_a_tree_is_made_again_where_that_failed_as_another_was_made_at_once(monkeypatch):
    monkeypatch.setattr(parsing, "compile", failing(3), raising=False)
    assert ast.unparse(parsed("x=1")) == "x = 1"


def test_what_fails_each_time_is_raised(monkeypatch):
    monkeypatch.setattr(parsing, "compile", failing(1000), raising=False)
    with pytest.raises(SystemError, match="recursion depth"):
        parsed("x=1")
