"""A live state is encoded as it is, quickly where little changed, and what cannot be kept is refused by its path."""

from __future__ import annotations

import json
import math
import sys
import threading
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pydantic
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wf_notebook import codec, encoding
from wf_notebook.encoding import Encoder
from wf_notebook.kept import Kept
from wf_notebook.keys import key_of

if TYPE_CHECKING:
    from wf_notebook.errors import UnsavableValue

TEXT = st.text(st.characters(exclude_categories=["Cs"]))
PLAIN = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXT
VALUES = st.recursive(PLAIN, lambda inner: st.lists(inner) | st.dictionaries(TEXT, inner))
ANY = st.recursive(
    PLAIN | st.just(math.inf) | st.tuples(st.integers()) | st.binary(max_size=3) | st.datetimes(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT | st.integers() | st.none(), inner, max_size=4),
    max_leaves=12,
)
quick = settings(max_examples=40, deadline=None)


def texts(state) -> dict:
    snapshot = Encoder().encode(state)
    assert snapshot.refused == {}
    return {key: kept.text for key, kept in snapshot.kept.items()}


def refusal(value, key="x") -> UnsavableValue:
    snapshot = Encoder().encode({key: value, "fine": 1})
    assert snapshot.kept == {"fine": Kept.of(1)}
    (refused,) = snapshot.refused.values()
    return refused


# -- what is kept --------------------------------------------------------------------------------------------------------------


@quick
@given(st.dictionaries(TEXT, VALUES))
def test_everything_that_json_has_comes_back_from_its_text(state):
    back = {key_of(key): codec.decode(json.loads(text), {}.__getitem__) for key, text in texts(state).items()}
    assert repr(back) == repr(state)


@quick
@given(st.dictionaries(TEXT, ANY, min_size=1), st.data())
def test_an_encoder_sees_every_change_that_a_new_one_sees(state, data):
    encoder = Encoder()
    encoder.encode(state)
    state[data.draw(st.sampled_from(sorted(state)))] = data.draw(ANY)
    here, there = encoder.encode(state), Encoder().encode(state)
    assert (here.kept, here.refused.keys()) == (there.kept, there.refused.keys())


@quick
@given(st.lists(ANY, min_size=2), st.lists(ANY, min_size=1))
def test_a_list_that_grew_is_kept_as_if_it_were_new(items, more):
    encoder, state = Encoder(), {"x": items}
    encoder.encode(state)
    state["x"] += more
    assert encoder.encode(state).kept == Encoder().encode(state).kept


@quick
@given(st.dictionaries(TEXT | st.integers(), ANY, min_size=2), st.dictionaries(TEXT | st.integers(), ANY, min_size=1))
def test_a_dict_that_grew_is_kept_as_if_it_were_new(items, more):
    encoder, state = Encoder(), {"x": items}
    encoder.encode(state)
    state["x"] |= more
    assert encoder.encode(state).kept == Encoder().encode(state).kept


def test_an_unchanged_value_is_not_made_anew():
    encoder, state = Encoder(), {"plain": ["x"], "typed": [(1, 2)], "array": np.zeros(3)}
    before, after = encoder.encode(state).kept, encoder.encode(state).kept
    assert before == after
    assert [before[key] is after[key] for key in state] == [True, True, True]


@pytest.mark.parametrize(
    ("one", "two"),
    [
        (1, True), (1, 1.0), (0.0, -0.0), ({"a": 1, "b": 2}, {"b": 2, "a": 1}), ("1", 1), ([1], (1,)), (b"x", bytearray(b"x")),
        (b"\0" * 8, np.zeros(1)), (np.zeros(1, "<i8"), np.zeros(1, "<f8")), ({1: 2}, {"1": 2}),
    ],
)  # fmt: skip
def test_values_that_look_alike_are_two_also_to_an_encoder_that_saw_the_other(one, two):
    encoder = Encoder()
    assert encoder.encode({"x": one}).kept != encoder.encode({"x": two}).kept


def test_a_typed_value_says_what_it_is():
    assert texts({"x": datetime(2026, 1, 2, tzinfo=UTC), "y": {1: "one"}, "z": 10**20, "s": {"$ref": 1}}) == {
        "x": '{"$datetime":"2026-01-02T00:00:00+00:00"}',
        "y": '{"$dict":{"1":"one"}}',
        "z": '{"$int":"100000000000000000000"}',
        "s": '{"$$ref":1}',
    }


def test_keys_that_are_no_text_are_stored_as_what_they_are():
    assert texts({1: "a", ("x", 2): "b", None: "c", "$1": "d"}) == {
        "$1": '"a"', '${"$tuple":["x",2]}': '"b"', "$null": '"c"', "$$1": '"d"',
    }  # fmt: skip


# -- what is not ---------------------------------------------------------------------------------------------------------------


def cycle() -> list:
    value: list = [1]
    value.append({"again": value})
    return value


def nested(depth: int) -> list:
    value: list = []
    for _ in range(depth - 1):
        value = [value]
    return value


@pytest.mark.parametrize(
    ("value", "path"),
    [
        (object(), '["x"]'),
        ([{"a": (1, object())}], '["x"][0]["a"][1]'),
        ({1: [object()]}, '["x"][1][0]'),
        ({"a": (piece for piece in "abc")}, '["x"]["a"]'),
        ([print], '["x"][0]'),
        (cycle(), None),
        (nested(201), None),
        (nested(10_000), None),
        ({math.nan: 1, float("nan"): 2}, None),
    ],
)
def test_what_cannot_be_kept_is_refused_by_its_path(value, path):
    error = refusal(value)
    assert "\n" not in str(error)
    assert error.path == "session_state" + path if path else error.path.startswith('session_state["x"][')


def test_a_key_that_is_no_text_and_cannot_be_kept_is_refused():
    assert refusal(1, object()).path.startswith("session_state[<object")
    assert refusal(1, "\ud800").path == 'session_state["\\ud800"]'


def test_the_deepest_value_that_is_kept_can_be_read_where_the_stack_is_long():
    encoded = texts({"x": nested(200), "wide": [[] for _ in range(1000)]})

    def deeper(frames: int):
        return deeper(frames - 1) if frames else json.loads(encoded["x"])

    assert deeper(sys.getrecursionlimit() - 500) == nested(200)


def test_a_list_that_grows_deeper_than_can_be_kept_is_refused():
    encoder, state = Encoder(), {"x": [nested(100)] * 3}
    encoder.encode(state)
    state["x"].append(nested(201))
    assert list(encoder.encode(state).refused) == ["x"]


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
            encoded = encoder.encode(state).kept
            first, second = (encoded[key].tree for key in ("first", "second"))
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
    monkeypatch.setattr(encoding, "_warned", set())
    return 'sk-"quoted"-1234567'


def test_a_secret_in_the_state_is_stored_by_its_name_with_one_warning_and_lives_on(secret, capsys):
    state = {"config": {"headers": [f"Bearer {secret}"], secret: 1}, "topic": "cheese"}
    encoder = Encoder()
    for number in range(3):
        state["config"]["n"] = number
        snapshot = encoder.encode(state)
    assert snapshot.refused == {}
    assert snapshot.kept["config"].tree == {"headers": ["Bearer <redacted BLOG_API_KEY>"], "<redacted BLOG_API_KEY>": 1, "n": 2}
    assert state["config"]["headers"] == [f"Bearer {secret}"]
    assert capsys.readouterr().err == (
        'WARNING  a secret in session_state["config"] is stored as <redacted …>; the live value is untouched\n'
    )


class Account(pydantic.BaseModel):
    key: pydantic.SecretStr


def test_a_secret_of_pydantic_is_left_out_with_one_warning_and_lives_on(monkeypatch, capsys):
    monkeypatch.setattr(encoding, "_warned", set())
    key, encoder = pydantic.SecretStr("nobody-else-knows"), Encoder()
    state = {"key": key, "accounts": [Account(key=key)], "fine": 1}
    for number in range(3):
        state["fine"] = number
        snapshot = encoder.encode(state)
    assert snapshot.kept["key"].tree == "<redacted SecretStr>"
    assert "nobody-else-knows" not in snapshot.kept["accounts"].text
    assert state["key"] is state["accounts"][0].key is key
    assert capsys.readouterr().err == (
        'WARNING  a secret in session_state["key"] is stored as <redacted …>; the live value is untouched\n'
        'WARNING  a secret in session_state["accounts"] is stored as <redacted …>; the live value is untouched\n'
    )


def test_a_secret_that_was_left_out_before_needs_no_warning(monkeypatch, capsys):
    monkeypatch.setattr(encoding, "_warned", set())
    Encoder().encode({"accounts": [Account(key="<redacted SecretStr>")], "key": "<redacted SecretStr>"})
    assert capsys.readouterr().err == ""


def test_a_number_is_no_secret_and_needs_no_warning(monkeypatch, capsys):
    monkeypatch.setenv("BOT_TOKEN", "123456789")
    assert texts({"n": 123456789, "s": "123456789"}) == {"n": "123456789", "s": '"<redacted BOT_TOKEN>"'}
    assert capsys.readouterr().err.count("session_state") == 1


def test_a_top_level_key_that_holds_a_secret_is_refused_without_showing_it(secret):
    error = refusal(1, secret)
    assert str(error) == 'session_state["<redacted BLOG_API_KEY>"]: the key holds the secret BLOG_API_KEY; name it otherwise'
    assert secret not in error.path


# -- arrays and frames ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def tries(monkeypatch) -> list[None]:
    """Return something as long as it was tried whether values come back."""
    seen: list[None] = []
    comes_back = codec.comes_back

    def counted(*given) -> bool:
        seen.append(None)
        return comes_back(*given)

    monkeypatch.setattr(codec, "comes_back", counted)
    return seen


@pytest.mark.parametrize("dtype", ["str", "string", "object", "float64", "Int64", "category"])
def test_a_frame_that_stands_still_is_read_once_and_an_edit_of_one_cell_in_place_is_still_seen(dtype, tries):
    state = {"frame": pd.DataFrame({"a": pd.Series(["1", "2", None], dtype="object").astype(dtype), "n": [1, 2, 3]})}
    encoder = Encoder()
    first = encoder.encode(state)
    assert [encoder.encode(state).kept == first.kept for _ in range(3)] == [True, True, True]
    assert len(tries) == 1
    state["frame"].iloc[0, 0] = state["frame"].iloc[1, 0]
    edited = encoder.encode(state)
    assert edited.kept != first.kept
    pd.testing.assert_frame_equal(codec.decode(edited.kept["frame"].tree, encoder.blobs.__getitem__), state["frame"])


def test_an_array_whose_memory_is_written_to_from_elsewhere_is_seen_after_it_stood_still(tries):
    memory = np.zeros(1000)
    state, encoder = {"array": memory[::2]}, Encoder()
    first = encoder.encode(state)
    assert encoder.encode(state).kept == first.kept
    memory[998] = 1
    assert encoder.encode(state).kept != first.kept
    memory[998] = 0
    assert encoder.encode(state).kept == first.kept
    assert len(tries) == 3
