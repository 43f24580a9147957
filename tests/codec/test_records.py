"""Dataclasses, attrs classes, named tuples and enums come back as what they were, by calling their class."""

from __future__ import annotations

import threading
from collections import namedtuple
from dataclasses import InitVar, dataclass, field
from enum import Enum, Flag, IntEnum, IntFlag, StrEnum, auto
from functools import cached_property
from typing import Any, NamedTuple

import attrs
import pydantic
import pytest

from wf_notebook.codec import comes_back
from wf_notebook.errors import UnsavableValue
from wf_notebook.events import RunEvent, RunResponse

HERE = __name__


@dataclass
class Post:
    title: str
    parts: Any = field(default_factory=list)
    score: float = 0.5


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Frozen:
    x: Any
    y: int = 2


@dataclass
class Counted:
    words: list[str]
    total: int = field(init=False, default=0)
    seen: InitVar[int] = 0

    def __post_init__(self, seen: int) -> None:
        self.total = len(self.words) + seen

    @cached_property
    def joined(self) -> str:
        return " ".join(self.words)


@dataclass
class NeedsMore:
    words: list[str]
    more: InitVar[int]


@dataclass
class Normal:
    name: str

    def __post_init__(self) -> None:
        self.name = self.name.strip().lower()


@dataclass
class Heir(Post):
    url: str = ""


@pydantic.dataclasses.dataclass
class Checked:
    n: int


@attrs.define
class Money:
    _cents: int
    currency: str = attrs.field(default="EUR", alias="code")


class Outer:
    @dataclass
    class Inner:
        a: int


class Point(NamedTuple):
    x: Any
    y: int = 0


Pair = namedtuple("Pair", "left right")  # noqa: PYI024 - the old form


class Color(str, Enum):  # noqa: UP042 - as people write it
    red = "the red one"
    rot = "the red one"  # noqa: PIE796 - another name of it


class Level(IntEnum):
    high = 1


class Name(StrEnum):
    a = "A"


class Perm(Flag):
    r = auto()
    w = auto()


class Mode(IntFlag):
    r = 4
    w = 2


class Odd(Enum):
    a = object()
    b = [1]  # noqa: RUF012 - a member may be anything


VALUES = [
    (Post("a", [Post("b")]), {"$dataclass": f"{HERE}:Post", "title": "a", "parts": [{"title": "b"}], "score": 0.5}),
    (Frozen(x=(1,)), {"$dataclass": f"{HERE}:Frozen", "x": {"$tuple": [1]}, "y": 2}),
    (Counted(["a"]), {"$dataclass": f"{HERE}:Counted", "words": ["a"], "total": 1}),
    (Heir("a", url="u"), {"$dataclass": f"{HERE}:Heir", "title": "a", "parts": [], "score": 0.5, "url": "u"}),
    (Checked(1), {"$dataclass": f"{HERE}:Checked", "n": 1}),
    (Outer.Inner(1), {"$dataclass": f"{HERE}:Outer.Inner", "a": 1}),
    (Money(5, "USD"), {"$attrs": f"{HERE}:Money", "_cents": 5, "currency": "USD"}),
    (Point((1,), 2), {"$namedtuple": f"{HERE}:Point", "x": {"$tuple": [1]}, "y": 2}),
    (Pair(1, "$"), {"$namedtuple": f"{HERE}:Pair", "left": 1, "right": "$"}),
    (Color.red, {"$enum": f"{HERE}:Color.red"}),
    (Color.rot, {"$enum": f"{HERE}:Color.red"}),
    (Level.high, {"$enum": f"{HERE}:Level.high"}),
    (Name.a, {"$enum": f"{HERE}:Name.a"}),
    (Perm.r, {"$enum": f"{HERE}:Perm.r", "value": 1}),
    (Perm.r | Perm.w, {"$enum": f"{HERE}:Perm.r|w", "value": 3}),
    (Perm(0), {"$enum": f"{HERE}:Perm.0", "value": 0}),
    (Mode(7), {"$enum": f"{HERE}:Mode.r|w|1", "value": 7}),
    (Odd.a, {"$enum": f"{HERE}:Odd.a"}),
    (RunEvent.run_response, {"$enum": "wf_notebook.events:RunEvent.run_response"}),
]


@pytest.mark.parametrize(("value", "tree"), VALUES, ids=[type(value).__name__ for value, _ in VALUES])
def test_a_record_is_stored_with_its_fields_side_by_side_and_comes_back(shelf, value, tree):
    found = shelf.tree(value)
    if isinstance(value, Post) and value.parts:
        assert found["parts"][0].pop("$dataclass") == f"{HERE}:Post"
        assert found["parts"][0] == {"title": "b", "parts": [], "score": 0.5}
        found["parts"] = [{"title": "b"}]
    assert found == tree
    assert list(found) == list(tree)
    back = shelf.back(value)
    assert (type(back), back) == (type(value), value)


def test_a_response_comes_back_with_its_lane(shelf):
    value = RunResponse(Post("a"), messages=[{"role": "user"}], extra_data={1: (2,)}).stamped({"lane": "b", "run_id": "r"})
    back = shelf.back(value)
    assert (back, back.lane, type(back)) == (value, "b", RunResponse)
    assert shelf.tree(RunResponse("x")).keys() == {"$dataclass", *RunResponse("x").__dict__}


def test_a_field_that_a_class_sets_itself_and_attributes_that_it_was_given_are_kept(shelf):
    value = Counted(["a"])
    value.total = 5
    value.note = {"by": "me"}
    assert value.joined == "a"
    tree = shelf.tree(value)
    assert tree == {"$dataclass": f"{HERE}:Counted", "words": ["a"], "total": 5, "$attributes": {"note": {"by": "me"}}}
    back = shelf.back(value)
    assert (back.total, back.note, back.joined) == (5, {"by": "me"}, "a")


def test_a_record_that_its_class_would_not_take_does_not_come_back(shelf):
    assert not comes_back(shelf.tree(NeedsMore(["a"], 1)), shelf.__getitem__)


def test_a_record_that_its_class_would_change_does_not_come_back(shelf):
    value = Normal("a")
    assert comes_back(shelf.tree(value), shelf.__getitem__)
    value.name = " A "
    assert not comes_back(shelf.tree(value), shelf.__getitem__)


class Listed(list):
    pass


@dataclass
class Both(dict):
    a: int = 1


Dotted = Enum("Dotted", {"a.b": 1})


def local():
    @dataclass
    class Local:
        a: int = 1

    return Local()


def lost():
    cls = dataclass(type("Lost", (), {"__module__": HERE, "__annotations__": {}}))
    return cls()


@pytest.mark.parametrize(
    ("value", "says"),
    [
        ({"a": [Post(threading.Lock())]}, '["x"]["a"][0].title is of type \'lock\', which cannot be kept; keep it outside of'),
        (Point(1, object()), "[\"x\"].y is of type 'object'"),
        (
            Listed([1]),
            "is of type 'Listed', a kind of list, which cannot be kept; keep list(…) of it, or register_codec(Listed, enc",
        ),
        (Both(), "is of type 'Both', a kind of dict, which cannot be kept"),
        (Dotted["a.b"], "is a member named 'a.b', whose dot cannot be kept"),
        (
            local(),
            "is of type 'Local', a class made inside a function (local.<locals>.Local), which no other process can find; def",
        ),
        (lost(), f"is of type 'Lost', whose class is not found as '{HERE}:Lost'; define it at the top"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_a_record_that_would_not_come_back_is_refused(shelf, value, says):
    with pytest.raises(UnsavableValue) as refusal:
        shelf.tree(value)
    assert says in str(refusal.value)
