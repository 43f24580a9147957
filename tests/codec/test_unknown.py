"""A value whose class is not here is its fields, loses nothing, and heals; so does one whose class was defined again."""

from __future__ import annotations

import copy
import sys
from collections import OrderedDict, deque
from types import ModuleType

import pandas as pd
import pytest

from wf_notebook.codec import Unknown, comes_back, decode, is_stale

POST = {"$dataclass": "__main__:Post", "title": "a", "$$ref": {"$tuple": [1]}, "$attributes": {"note": 1}}
KINDS = {
    "dataclass": "from dataclasses import dataclass\n@dataclass\nclass Post:\n    title: object",
    "frozen": "from dataclasses import dataclass\n@dataclass(frozen=True)\nclass Post:\n    title: object",
    "attrs": "import attrs\n@attrs.define\nclass Post:\n    title: object",
    "model": "import pydantic, typing\nclass Post(pydantic.BaseModel):\n    title: typing.Any",
    "namedtuple": "from typing import NamedTuple\nclass Post(NamedTuple):\n    title: object",
}
ENUM = "from enum import Enum\nclass Color(Enum):\n    red = 1"


@pytest.fixture
def cell(monkeypatch):
    """Return a function that runs a cell in a `__main__` of its own, and gives what one name is after it."""
    main = ModuleType("__main__")
    monkeypatch.setitem(sys.modules, "__main__", main)

    def run(source, name="Post"):
        exec(source, vars(main))
        return vars(main)[name]

    run.forget = lambda name: delattr(main, name)
    return run


def rebuilt(shelf, value):
    return shelf.read(shelf.tree(value))


@pytest.mark.usefixtures("cell")
def test_a_class_that_is_not_here_gives_the_fields_and_one_warning(shelf, capsys):
    back = shelf.read([POST, {"deep": POST}])
    assert back == [{"title": "a", "$ref": (1,)}, {"deep": {"title": "a", "$ref": (1,)}}]
    assert (type(back[0]), repr(back[0])) == (Unknown, "<__main__:Post {'title': 'a', '$ref': (1,)}>")
    assert capsys.readouterr().err == (
        "WARNING  class '__main__:Post' is not defined here; its values are given as dicts until it is\n"
    )


@pytest.mark.usefixtures("cell")
def test_unchanged_it_is_stored_as_it_was_and_changed_with_its_new_fields(shelf):
    back = shelf.read(POST)
    assert (shelf.tree(back), comes_back(POST, shelf.__getitem__), shelf.classes) == (POST, True, {"__main__:Post"})
    assert shelf.tree(copy.deepcopy([back])) == [POST]
    back["title"] = {"b"}
    assert shelf.tree(back) == POST | {"title": {"$set": ["b"]}}


@pytest.mark.parametrize("source", KINDS.values(), ids=KINDS)
def test_it_heals_when_its_class_appears(shelf, cell, source):
    tree = shelf.tree({"posts": [cell(source)(title="a")]})
    cell.forget("Post")
    state = shelf.read(tree)
    assert (type(state["posts"][0]), is_stale(state)) == (Unknown, False)
    now = cell(source)
    assert is_stale(state)
    state = rebuilt(shelf, state)
    assert (type(state["posts"][0]), state["posts"], is_stale(state)) == (now, [now(title="a")], False)


@pytest.mark.parametrize("source", KINDS.values(), ids=KINDS)
@pytest.mark.parametrize(
    "inside",
    [
        lambda value: value,
        lambda value: [{"a": (value,)}],
        lambda value: {"a": [1, {2: value}]},
        lambda value: deque([value]),
        lambda value: OrderedDict(a=value),
        lambda value: pd.Series([value, 1], dtype=object).to_numpy(),
    ],
)
def test_a_value_of_a_class_that_was_defined_again_is_stale_and_heals(shelf, cell, source, inside):
    state = inside(cell(source)(title="a"))
    assert not is_stale(state)
    now = cell(source)
    assert is_stale(state)
    state = rebuilt(shelf, state)
    assert not is_stale(state)
    assert repr(state) == repr(inside(now(title="a")))


@pytest.mark.parametrize("outer", ["dataclass", "attrs", "model", "namedtuple"])
def test_a_stale_field_of_a_fresh_class_is_seen(shelf, cell, outer):
    inner = cell(KINDS["dataclass"])
    holder = cell(KINDS[outer].replace("Post", "Holder"), "Holder")
    value = holder(title=[inner("a")]) if outer == "model" else holder([inner("a")])
    assert not is_stale(value)
    cell(KINDS["dataclass"])
    assert is_stale(value)
    assert not is_stale(rebuilt(shelf, value))


def test_members_of_an_enum_heal_also_in_sets_and_as_keys(shelf, cell):
    color = cell(ENUM, "Color")
    state = {"set": {color.red}, "keys": {color.red: 1}, "member": color.red}
    tree = shelf.tree(state)
    cell.forget("Color")
    back = shelf.read(tree)
    assert back == {"set": {back["member"]}, "keys": {back["member"]: 1}, "member": {"enum": "__main__:Color.red"}}
    assert (shelf.tree(back), comes_back(tree, shelf.__getitem__), is_stale(back)) == (tree, True, False)
    color = cell(ENUM, "Color")
    for stale in (state, back):
        assert is_stale(stale)
        assert rebuilt(shelf, stale) == {"set": {color.red}, "keys": {color.red: 1}, "member": color.red}


def test_a_class_with_a_new_default_takes_what_was_stored_and_one_that_lost_a_field_does_not(shelf, cell, capsys):
    old = cell(KINDS["dataclass"])("a")
    new = cell(KINDS["dataclass"] + "\n    score: int = 5")
    assert rebuilt(shelf, old) == new("a", 5)
    cell(KINDS["dataclass"].replace("title", "name"))
    back = rebuilt(shelf, old)
    assert (back, shelf.tree(back)) == ({"title": "a"}, shelf.tree(old))
    assert capsys.readouterr().err == (
        "WARNING  class '__main__:Post' does not take its stored values any more (it has no 'title'); "
        "they are given as dicts until it does\n"
    )


def test_what_a_class_does_not_take_is_stale_only_when_it_is_defined_again(shelf, cell):
    tree = shelf.tree(cell(KINDS["model"])(title="a"))
    cell(KINDS["model"].replace("typing.Any", "int"))
    back = shelf.read(tree)
    assert (back, is_stale(back), shelf.tree(back)) == ({"title": "a"}, False, tree)
    now = cell(KINDS["model"])
    assert (is_stale(back), rebuilt(shelf, back)) == (True, now(title="a"))


def test_what_a_class_does_not_take_comes_back_only_as_the_data_that_it_is(shelf, cell):
    live = cell(KINDS["model"])(title="a")
    cell(KINDS["model"].replace("typing.Any", "int"))
    tree = shelf.tree(live)
    assert not comes_back(tree, shelf.__getitem__)
    back = shelf.read(tree)
    assert comes_back(shelf.tree([back]), shelf.__getitem__)
    del back
    assert not comes_back(tree, shelf.__getitem__)


def test_a_library_that_is_not_here_gives_what_is_seen_and_loses_nothing(shelf, monkeypatch, capsys):
    import numpy as np

    tree = shelf.tree({"a": np.arange(3), "b": np.float32(1)})
    with monkeypatch.context() as patch:
        patch.setitem(sys.modules, "numpy", None)
        back = shelf.read(tree)
        assert not is_stale(back)
    assert back == {
        "a": {"ndarray": "<i8", "shape": [3], "blob": tree["a"]["blob"]},
        "b": {"numpy": "<f4", "value": 1.0},
    }
    assert (shelf.tree(back), is_stale(back)) == (tree, True)
    assert rebuilt(shelf, back)["a"].tolist() == [0, 1, 2]
    assert capsys.readouterr().err == "WARNING  numpy is not installed; its values are given as dicts until it is\n"
    back["b"]["value"] = 2.0
    with pytest.raises(TypeError, match="stands for a value of 'numpy', which is not here, and was changed"):
        shelf.tree(back)


def test_a_kind_of_a_later_version_is_given_as_data_and_loses_nothing(shelf, capsys):
    tree = [{"$quantity": "5 m", "unit": {"$tuple": []}}]
    back = shelf.read(tree)
    assert (back, shelf.tree(back), comes_back(tree, shelf.__getitem__)) == ([{"quantity": "5 m", "unit": ()}], tree, True)
    assert "'$quantity' are not known to this version" in capsys.readouterr().err


def test_a_time_zone_that_is_not_known_here_loses_nothing(shelf):
    tree = {"$datetime": "2026-01-01T00:00:00+01:00[Europe/Atlantis]"}
    assert shelf.tree(shelf.read(tree)) == tree


def test_a_frame_of_stale_values_is_stale_and_heals(shelf, cell):
    state = {"frame": pd.DataFrame({"a": [1], "b": [cell(KINDS["dataclass"])("a")]})}
    assert not is_stale(state)
    now = cell(KINDS["dataclass"])
    assert is_stale(state)
    assert rebuilt(shelf, state)["frame"]["b"].tolist() == [now("a")]


def test_what_a_class_says_shows_no_secret(shelf, cell, capsys, monkeypatch):
    monkeypatch.setenv("BLOG_API_KEY", "sk-123456789")
    tree = shelf.tree(cell(KINDS["model"])(title="sk-123456789"))
    cell(KINDS["model"].replace("typing.Any", "int"))
    shelf.read(tree)
    said = capsys.readouterr().err
    assert ("sk-1234" in said, "<redacted BLOG_API_KEY>" in said, said.count("\n")) == (False, True, 1)


def test_plain_values_are_never_stale():
    value: list = [1, "a", None, {"a": [1.5, b"x", (True,)]}, float("nan")]
    value.append(value)
    assert not is_stale(value)


def test_decode_warns_and_comes_back_does_not(shelf, capsys):
    comes_back(POST, shelf.__getitem__)
    assert capsys.readouterr().err == ""
    decode(POST, shelf.__getitem__)
    assert capsys.readouterr().err.count("WARNING") == 1
