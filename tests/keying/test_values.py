"""Values by type and content: what is equal, what only looks so, and what has no content."""

from __future__ import annotations

import itertools
import logging
import re
import threading
from collections import Counter, OrderedDict, defaultdict, deque
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import Enum, IntEnum
from fractions import Fraction
from pathlib import Path, PurePosixPath
from typing import NamedTuple
from uuid import UUID

import numpy as np
import pandas as pd
import polars as pl
import pytest
from pydantic import BaseModel, SecretStr

from wf_notebook.codec import register_codec
from wf_notebook.keying import Uncacheable, value_digest


class Color(Enum):
    RED = 1
    BLUE = 2


class Size(IntEnum):
    ONE = 1


@dataclass
class Post:
    title: str


@dataclass
class Page:
    title: str


class Text(str):
    __slots__ = ()


class Client:
    def __init__(self):
        self.socket = iter([1])


class Model(BaseModel):
    title: str = "a"
    n: int = 1


class Point(NamedTuple):
    x: int
    y: int


class Place(NamedTuple):
    x: int
    y: int


class Tree:
    def __init__(self, n):
        self.n, self.parent, self.children = n, None, []


def test_values_that_look_equal_differ():
    values = [
        *(1, "1", True, 1.0, Decimal(1), Fraction(1), complex(1), np.int64(1), np.float64(1), Size.ONE, b"1", [1], (1,), {1}),
        *(
            frozenset({1}),
            {1: 1},
            {"1": 1},
            {1: None},
            {1: True},
            deque([1]),
            range(1),
            np.array([1]),
            np.array(1),
            np.array([[1]]),
        ),
        *(
            np.array([1], "i4"),
            np.array([1.0]),
            pd.Series([1]),
            pl.Series([1]),
            pd.DataFrame({"a": [1]}),
            pl.DataFrame({"a": [1]}),
        ),
        *(None, False, 0, 0.0, -0.0, "", b"", (), [], {}, set(), frozenset(), float("nan"), float("inf"), -float("inf")),
        *(
            OrderedDict(a=1),
            Counter(a=1),
            defaultdict(int, a=1),
            defaultdict(list, a=1),
            {"a": 1},
            deque([1], 3),
            bytearray(b"1"),
        ),
        *(Post("a"), Page("a"), Model(), Model(title="a"), Point(1, 2), Place(1, 2), (1, 2), Text("a"), "a", Path("a")),
        *(
            PurePosixPath("a"),
            date(2026, 1, 1),
            datetime(2026, 1, 1),  # noqa: DTZ001 - it has none
            datetime(2026, 1, 1, tzinfo=UTC),
            re.compile("a"),
            re.compile(b"a"),
        ),
        *(
            re.compile("a", re.IGNORECASE),
            UUID(int=1),
            Color.RED,
            Color.BLUE,
            Color,
            int,
            float,
            len,
            print,
            "nan",
            ...,
            NotImplemented,
            2**64,
        ),
        *(
            [[1], [2]],
            [[1, 2]],
            [[], 1, 2],
            ["ab", "c"],
            ["a", "bc"],
            {"a": {"b": 1}},
            {"a": "b", "c": 1},
            list[int],
            list[str],
            int | str,
        ),
    ]
    digests = [value_digest(value) for value in values]
    same = [(values[i], values[j]) for i, j in itertools.combinations(range(len(values)), 2) if digests[i] == digests[j]]
    assert same == []


def test_equal_values_are_equal_whatever_order_they_were_made_in():
    words = [f"word {number}" for number in range(50)]
    assert value_digest(set(words)) == value_digest({*words[::-1]})
    assert value_digest(dict.fromkeys(words)) == value_digest(dict.fromkeys(reversed(words)))
    assert value_digest({1: 2, "a": 3, (1,): 4}) == value_digest({(1,): 4, "a": 3, 1: 2})
    assert value_digest(OrderedDict(a=1, b=2)) != value_digest(OrderedDict(b=2, a=1))
    assert value_digest([words, words]) == value_digest([words, list(words)])
    assert value_digest(float("nan")) == value_digest(-float("nan"))
    one, other = Post("a"), Post("a")
    assert value_digest([one, one]) == value_digest([one, other])


def test_arrays_and_frames_count_by_content():
    frame = pd.DataFrame({"a": [1, 2], "b": ["x", None]})
    before = value_digest(frame), value_digest({"deep": [np.arange(10)]})
    assert before == (value_digest(frame.copy()), value_digest({"deep": [np.arange(10)]}))
    frame.loc[0, "a"] = 5
    assert value_digest(frame) != before[0]
    assert value_digest(pd.DataFrame({"a": [Post("x")]})) != value_digest(pd.DataFrame({"a": [Post("y")]}))
    assert value_digest(np.array([Post("x")], object)) != value_digest(np.array([Page("x")], object))


def test_an_instance_counts_by_its_fields_wherever_they_lie():
    class Slots:
        __slots__ = ("__secret", "n")

        def __init__(self, n):
            self.n, self.__secret = n, 1

    assert value_digest(Slots(1)) == value_digest(Slots(1)) != value_digest(Slots(2))
    changed = Text("a"), Text("b")
    assert value_digest(changed[0]) != value_digest(changed[1])
    model = Model()
    before = value_digest(model)
    model.n = 2
    assert value_digest(model) != before


def test_trees_that_know_their_parents_have_a_key():
    def tree(n):
        root, leaf = Tree(1), Tree(n)
        leaf.parent, root.children = root, [leaf]
        return root

    assert value_digest(tree(2)) == value_digest(tree(2)) != value_digest(tree(3))
    assert value_digest(tree(2).children[0]) != value_digest(tree(2))


def test_what_has_no_content_counts_by_its_name():
    assert value_digest(threading.Lock()) == value_digest(threading.Lock()) != value_digest(threading.RLock())
    assert value_digest(logging.getLogger("a")) != value_digest(logging.getLogger("b"))
    assert value_digest(ContextVar("a")) == value_digest(ContextVar("a"))
    assert value_digest(object()) == value_digest(object())
    assert value_digest(SecretStr("one secret")) == value_digest(SecretStr("another"))


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (Client(), "can be read only once"),
        ((number for number in [1]), "(a generator) can be read only once"),
        (iter([1]), "can be read only once"),
        (memoryview(b"a"), "(a memoryview) has no content to key by"),
        (threading.Thread(), "(a Thread) has no content to key by"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_cannot_be_keyed_says_why(value, said):
    with pytest.raises(Uncacheable, match=re.escape(said)):
        value_digest(value)


def test_a_value_without_an_end_is_refused():
    endless: list = [1]
    endless.append({"again": endless})
    with pytest.raises(Uncacheable, match="contains itself"):
        value_digest(endless)


@pytest.mark.parametrize("levels", [150, 10_000])
def test_deep_values_have_a_key_or_are_refused_in_words(levels):
    deep, instances = [], None
    for _ in range(levels):
        deep = [deep]
        instances = Post(instances)
    for value in (deep, instances):
        if levels < 200:
            assert len(value_digest(value)) == 32
        else:
            with pytest.raises(Uncacheable, match="nested too deeply"):
                value_digest(value)


def test_a_class_that_was_taught_to_the_codec_counts_by_what_it_says():
    class Money:
        def __init__(self, cents):
            self.cents, self.seen = cents, object()

    register_codec(Money, encode=lambda money: money.cents, decode=Money, name="money of keys")
    assert value_digest(Money(1)) == value_digest(Money(1)) != value_digest(Money(2))


def test_an_object_can_say_what_it_is_made_of():
    class Agent:
        def __init__(self, instructions):
            self.instructions, self.lock = instructions, iter([])

        def _key_parts_(self):
            return {"instructions": self.instructions, "tools": [value_digest]}

    assert value_digest(Agent("a")) == value_digest(Agent("a")) != value_digest(Agent("b"))


def test_many_values_that_share_their_parts_take_no_longer_than_the_parts():
    value: list = []
    for _ in range(100):
        value = [value, value]
    assert len(value_digest(value)) == 32
