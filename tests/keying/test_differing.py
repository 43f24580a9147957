"""What differs between two keys, in the words that a user is told."""

from __future__ import annotations

import sys
from types import ModuleType

import pytest

from wf_notebook.keying import Keyer, Part, difference

PROGRAM = """
LIMIT = 10
class Post:
    n = 1
    def title(self):
        text = "a"
        return text
class Agent:
    def __init__(self, instructions): self.instructions = instructions
    def _key_parts_(self): return {"instructions": self.instructions}
writer = Agent("You write short posts about cheese, in a friendly tone.")
def clean(text):
    text = text.strip()
    # cleaned
    return text
def deco(f):
    def g(*args, **kwargs):
        return f(*args, **kwargs)
    return g
def step(topic, n=3):
    return clean(topic), LIMIT, Post, n, writer, other()
@deco
def other():
    return 1
def call(): return Keyer(step).key(("cheese",), {})
"""


@pytest.fixture
def parts(tmp_path, monkeypatch):
    """Return a way to run the program, edited, and to get the parts of its key."""
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(sys, "dont_write_bytecode", True)

    def of(*edits):
        text = PROGRAM
        for before, after in edits:
            assert before in text
            text = text.replace(before, after)
        path = tmp_path / f"program_{len([*tmp_path.iterdir()])}.py"
        path.write_text(text)
        module = ModuleType("__main__")
        module.Keyer = Keyer
        exec(compile(text, str(path), "exec"), vars(module))
        return module.call().parts

    return of


@pytest.mark.parametrize(
    ("edit", "words"),
    [
        (("    return text\ndef deco", "    return text.lower()\ndef deco"), "helper `clean`, line 4"),
        (("LIMIT = 10", "LIMIT = 20"), "global `LIMIT` 10 → 20"),
        (('("cheese",)', '("wine",)'), "argument `topic` 'cheese' → 'wine'"),
        (("n=3", "n=4"), "default `n` 3 → 4"),
        (("return clean(topic)", "return topic"), "body `step`, line 2"),
        (('text = "a"', 'text = "b"'), "method `Post.title`, line 2"),
        (("    n = 1", "    n = 2"), "attribute `Post.n` 1 → 2"),
        (("return f(*args, **kwargs)", "return f(*args)"), "helper `other`, line 2"),
        (
            ("a friendly tone", "an angry tone"),
            "attribute `writer.instructions`: … short posts about cheese, in [-a-]{+an+} [-friendly-]{+angry+} tone.'",
        ),
    ],
)
def test_the_first_difference_is_told_in_words(parts, edit, words):
    before, after = parts(), parts(edit)
    assert str(difference(before, after)) == words
    assert difference(before, before) is None


def test_the_nearest_to_the_user_is_told_first(parts):
    edits = [("LIMIT = 10", "LIMIT = 20"), ("text.strip()", "text.lower()"), ('("cheese",)', '("wine",)'), (", n, ", ", n + 1, ")]
    before = parts()
    told = []
    while edits:
        found = difference(before, parts(*edits))
        told.append((found.what, found.name))
        edits.pop()
    assert told == [("body", "step"), ("argument", "topic"), ("helper", "clean"), ("global", "LIMIT")]


def test_what_is_new_or_gone_is_told(parts):
    assert str(difference(parts(), parts(("clean(topic), LIMIT", "clean(topic)")))) == "body `step`, line 2"
    old, new = [Part("helper", "a", "1", "def a(): pass")], [Part("helper", "b", "1", "def b(): pass")]
    assert str(difference([], new)) == "helper `b` is new"
    assert str(difference(old, [])) == "helper `a` is gone"


def test_a_difference_keeps_both_sides(parts):
    found = difference(parts(), parts(("LIMIT = 10", "LIMIT = 20")))
    assert (found.what, found.name, found.old.shown, found.new.shown) == ("global", "LIMIT", "10", "20")


def test_comments_move_no_line_of_a_difference():
    old = Part("helper", "f", "1", "def f(x):\n    return x")
    new = Part("helper", "f", "2", "def f(x):\n    # one\n    # two\n    return x + 1")
    assert str(difference([old], [new])) == "helper `f`, line 4"
    bare = Part("helper", "f", "3", "<code of f, without its source>")
    assert str(difference([old], [bare])) == "helper `f`"
    gone = Part("helper", "f", "4", "def f(x):\n    y = 1\n    return x")
    assert str(difference([gone], [old])) == "helper `f`, line 2"


def test_state_and_files_are_told_as_they_are_written():
    state = [Part("state", 'session_state["posts"]', digest, digest) for digest in "12"]
    assert str(difference(state[:1], state[1:])) == 'session_state["posts"] 1 → 2'
    files = [Part("file", "notes.txt", digest, "notes.txt") for digest in "12"]
    assert str(difference(files[:1], files[1:])) == "file `notes.txt`"
    package = [Part("package", "numpy", digest, f"numpy {digest}") for digest in "12"]
    assert str(difference(package[:1], package[1:])) == "package `numpy` numpy 1 → numpy 2"
