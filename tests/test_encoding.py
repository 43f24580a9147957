"""What can be kept is kept as it is, and what cannot is refused by its path."""

from __future__ import annotations

import json
import math
import sys
import threading
from collections import OrderedDict, defaultdict
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import Enum, IntEnum
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import UUID

import numpy as np
import pandas as pd
import pydantic
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wf_notebook.encoding import DEEPEST, Encoder

if TYPE_CHECKING:
    from wf_notebook.errors import UnsavableValue

TEXT = st.text(st.characters(exclude_categories=["Cs"]))
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXT,
    lambda inner: st.lists(inner) | st.dictionaries(TEXT, inner),
)
quick = settings(max_examples=25, deadline=None)


class Post(pydantic.BaseModel):
    title: str = "a"


class Color(str, Enum):  # noqa: UP042 - as people write it
    red = "red"


class Level(IntEnum):
    high = 1


@dataclass
class Plain:
    a: int = 1


def nested(depth: int) -> list:
    value: list = []
    for _ in range(depth - 1):
        value = [value]
    return value


def cycle() -> list:
    value: list = [1]
    value.append({"again": value})
    return value


def refusal(value, key="x") -> UnsavableValue:
    encoded, refused = Encoder().encode({key: value, "fine": 1})
    assert encoded == {"fine": "1"}
    return refused[key]


@quick
@given(st.dictionaries(TEXT, VALUES))
def test_everything_that_json_has_is_kept(state):
    encoded, refused = Encoder().encode(state)
    assert refused == {}
    assert {key: json.loads(text) for key, text in encoded.items()} == state


@quick
@given(st.dictionaries(TEXT, VALUES, min_size=1), st.data())
def test_an_encoder_sees_every_change_that_a_new_one_sees(state, data):
    encoder = Encoder()
    encoder.encode(state)
    state[data.draw(st.sampled_from(sorted(state)))] = data.draw(VALUES)
    assert encoder.encode(state) == Encoder().encode(state)


@pytest.mark.parametrize(("one", "two"), [(1, True), (1, 1.0), (0.0, -0.0), ({"a": 1, "b": 2}, {"b": 2, "a": 1}), ("1", 1)])
def test_values_that_are_equal_to_python_and_not_to_json_are_two(one, two):
    encoder = Encoder()
    assert encoder.encode({"x": one}) != encoder.encode({"x": two})


@pytest.mark.parametrize(
    ("value", "path", "says"),
    [
        ((1, 2), '["x"]', "is of type 'tuple', which session_state cannot keep yet; keep a list"),
        ([{"a": (1,)}], '["x"][0]["a"]', "is of type 'tuple'"),
        ({1: "a"}, '["x"][1]', "has a key of type 'int'; session_state keeps keys of type str"),
        ({"a": {(1, 2): 3}}, '["x"]["a"][(1, 2)]', "has a key of type 'tuple'"),
        ({None: 1}, '["x"][None]', "has a key of type 'NoneType'"),
        ({True: 1}, '["x"][True]', "has a key of type 'bool'"),
        (math.nan, '["x"]', "is nan, which JSON does not have; keep None or a str"),
        ([0, {"a": [-math.inf]}], '["x"][1]["a"][0]', "is -inf"),
        ({"a"}, '["x"]', "is of type 'set', which session_state cannot keep yet; keep a sorted list"),
        ([frozenset()], '["x"][0]', "keep a sorted list"),
        (b"bytes", '["x"]', "is of type 'bytes'"),
        (bytearray(b"bytes"), '["x"]', "is of type 'bytearray'"),
        ([object()], '["x"][0]', "is of type 'object', which session_state cannot keep yet; keep str, int, float, bool, None"),
        (1 + 2j, '["x"]', "is of type 'complex'"),
        (..., '["x"]', "is of type 'ellipsis'"),
        (datetime(2026, 1, 1, tzinfo=UTC), '["x"]', "is of type 'datetime', which session_state cannot keep yet; keep its .iso"),
        ({"d": date(2026, 1, 1)}, '["x"]["d"]', "keep its .isoformat()"),
        (Decimal("1.5"), '["x"]', "keep its str()"),
        (UUID(int=1), '["x"]', "keep its str()"),
        (Path(), '["x"]', "keep its str()"),
        (Post(), '["x"]', "is of type 'Post', which session_state cannot keep yet; keep its .model_dump()"),
        (Plain(), '["x"]', "is of type 'Plain'"),
        (Color.red, '["x"]', "is of type 'Color'"),
        (Level.high, '["x"]', "is of type 'Level'"),
        (defaultdict(list), '["x"]', "is of type 'defaultdict'"),
        ([OrderedDict(a=1)], '["x"][0]', "is of type 'OrderedDict'"),
        (np.zeros(2), '["x"]', "is of type 'ndarray', which session_state cannot keep yet; keep its .tolist()"),
        ([np.float64(1)], '["x"][0]', "is of type 'float64'"),
        (pd.DataFrame(), '["x"]', "keep its .to_dict("),
        ("half \ud800", '["x"]', "holds half of a surrogate pair, which is no text; clean it first"),
        ({"a": ["\udfff"]}, '["x"]["a"][0]', "holds half of a surrogate pair"),
        ({"\ud800": 1}, '["x"]["\\ud800"]', "holds half of a surrogate pair"),
        ([10**5000], '["x"][0]', "has too many digits; keep it as hex()"),
        (cycle(), None, "is nested too deeply, or contains itself; keep a flatter value"),
        (nested(10_000), None, "is nested too deeply, or contains itself"),
        (nested(1_500), None, "is nested too deeply, or contains itself"),
        (nested(DEEPEST + 1), None, "is nested too deeply, or contains itself"),
    ],
)
def test_what_cannot_be_kept_is_refused_by_its_path(value, path, says):
    error = refusal(value)
    assert says in str(error)
    assert "\n" not in str(error)
    if path is None:
        assert error.path.startswith('session_state["x"][')
    else:
        assert (error.path, str(error).split(" ")[0]) == ("session_state" + path, "session_state" + path.split(" ")[0])


@pytest.mark.parametrize(
    ("key", "path"),
    [
        (1, "session_state[1]"),
        ((1, 2), "session_state[(1, 2)]"),
        (None, "session_state[None]"),
        (Color.red, 'session_state["red"]'),
    ],
)
def test_a_top_level_key_that_is_no_str_is_refused(key, path):
    error = refusal("value", key)
    assert error.path == path
    assert "session_state keeps keys of type str" in str(error)


def test_a_top_level_key_that_is_no_text_is_refused():
    assert str(refusal(1, "\ud800")) == (
        'session_state["\\ud800"] holds half of a surrogate pair, which is no text; clean it first'
    )


def test_the_deepest_value_that_is_kept_can_be_read_where_the_stack_is_long():
    encoded, refused = Encoder().encode({"x": nested(DEEPEST), "wide": [[] for _ in range(1000)]})
    assert (refused, set(encoded)) == ({}, {"x", "wide"})

    def deeper(frames: int):
        return deeper(frames - 1) if frames else json.loads(encoded["x"])

    assert deeper(sys.getrecursionlimit() - 500) == nested(DEEPEST)


def test_a_wide_and_shallow_value_is_no_deep_one():
    assert refusal_or_none([{"a": [i]} for i in range(10_000)]) is None


def refusal_or_none(value):
    return Encoder().encode({"x": value})[1].get("x")


# -- one snapshot --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("unsavable", [False, True], ids=["plain", "beside a value that cannot be kept"])
def test_a_snapshot_is_consistent_while_another_thread_changes_the_state(unsavable):
    """The other thread adds to one list before it adds to the other, so that no moment shows more in the second."""
    state: dict = {"first": [], **{f"between{number}": [number] * 50 for number in range(100)}, "second": []}
    if unsavable:
        state["odd"] = object()
    going = True

    def change() -> None:
        number = 0
        while going:
            number += 1
            state["first"].append(number)
            state["second"].append(number)
            state[f"key{number % 7}"] = number
            state.pop(f"key{(number + 3) % 7}", None)
            if number % 500 == 0:
                state["second"].clear()
                state["first"].clear()

    switch = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    thread = threading.Thread(target=change)
    thread.start()
    try:
        encoder = Encoder()
        for _ in range(300):
            encoded, _ = encoder.encode(state)
            first, second = (json.loads(encoded[key]) for key in ("first", "second"))
            assert len(first) - len(second) in (0, 1) or not second
    finally:
        going = False
        thread.join()
        sys.setswitchinterval(switch)


def test_encoding_changes_nothing_in_the_live_state():
    posts = [{"title": "a"}]
    state = {"posts": posts, "odd": (1,)}
    Encoder().encode(state)
    assert (state, state["posts"] is posts) == ({"posts": [{"title": "a"}], "odd": (1,)}, True)


# -- secrets -------------------------------------------------------------------------------------------------------------------


@pytest.fixture
def secret(monkeypatch):
    """Return the value of a secret that is in the environment."""
    monkeypatch.setenv("BLOG_API_KEY", 'sk-"quoted"-1234567')
    monkeypatch.setattr("wf_notebook.encoding._warned", set())
    return 'sk-"quoted"-1234567'


def test_a_secret_in_the_state_is_stored_by_its_name_with_one_warning_and_lives_on(secret, capsys):
    state = {"config": {"headers": [f"Bearer {secret}"], secret: 1}, "topic": "cheese"}
    encoder = Encoder()
    for number in range(3):
        state["config"]["n"] = number
        encoded, refused = encoder.encode(state)
    assert refused == {}
    assert json.loads(encoded["config"]) == {"headers": ["Bearer <redacted BLOG_API_KEY>"], "<redacted BLOG_API_KEY>": 1, "n": 2}
    assert state["config"]["headers"] == [f"Bearer {secret}"]
    assert capsys.readouterr().err == (
        'WARNING  a secret in session_state["config"] is stored as <redacted …>; the live value is untouched\n'
    )


def test_a_number_is_no_secret_and_needs_no_warning(monkeypatch, capsys):
    monkeypatch.setenv("BOT_TOKEN", "123456789")
    assert Encoder().encode({"n": 123456789, "s": "123456789"})[0] == {"n": "123456789", "s": '"<redacted BOT_TOKEN>"'}
    assert capsys.readouterr().err.count("session_state") == 1


def test_a_top_level_key_that_holds_a_secret_is_refused_without_showing_it(secret):
    error = refusal(1, secret)
    assert str(error) == 'session_state["<redacted BLOG_API_KEY>"]: the key holds the secret BLOG_API_KEY; name it otherwise'
    assert secret not in error.path
