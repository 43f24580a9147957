"""What cannot be kept is refused by its exact path, with what to do; nothing crashes, also while others change the value."""

from __future__ import annotations

import ast
import asyncio
import functools
import io
import json
import queue
import subprocess
import sys
import threading
from collections import OrderedDict, defaultdict, deque
from dataclasses import dataclass
from datetime import datetime, tzinfo
from types import MappingProxyType
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from wf_notebook.codec import encode
from wf_notebook.codec.kind import DEEPEST
from wf_notebook.errors import UnsavableValue


@dataclass
class Post:
    client: Any = None


class Client:
    pass


class OpenAI:
    pass


class Zone(tzinfo):
    def utcoffset(self, _):
        return None


class Text(str):
    __slots__ = ()


class Number(int):
    pass


def generator():
    yield 1


async def coroutine():
    await asyncio.sleep(0)


def refusal(shelf, value) -> UnsavableValue:
    with pytest.raises(UnsavableValue) as found:
        shelf.tree(value)
    assert "\n" not in str(found.value)
    assert isinstance(found.value, TypeError)
    return found.value


@pytest.mark.parametrize(
    ("value", "path"),
    [
        (Client(), ""),
        ([1, Client()], "[1]"),
        ({"a": [{"$b": Client()}]}, '["a"][0]["$b"]'),
        ({1: {(1, "a"): Client()}}, "[1][(1, 'a')]"),
        ({"\ud800": Client()}, '["\\ud800"]'),
        ([0, (1, [2, Client()])], "[1][1][1]"),
        ([0, 0, 0, Post(client=Client())], "[3].client"),
        ([0, Post(client={"a": Client()})], '[1].client["a"]'),
        ({"a": deque([1, Client()])}, '["a"][1]'),
        (OrderedDict(a=defaultdict(list, b=[Client()])), '["a"]["b"][0]'),
        ([{Client()}], "[0]{…}"),
        ([frozenset([(1, Client())])], "[0]{…}[1]"),
    ],
    ids=range(12),
)
def test_the_path_says_where_it_is(shelf, value, path):
    error = refusal(shelf, value)
    says = "is of type 'Client', which cannot be kept; keep what it is made of, or register_codec(Client, encode=…, decode=…)"
    assert (error.path, str(error)) == (f'session_state["x"]{path}', f'session_state["x"]{path} {says}')


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (generator, "is of type 'generator', which cannot be kept; keep list(…) of it"),
        ({}.items, "is of type 'dict_items', which cannot be kept; keep list(…) of it"),
        (lambda: map(len, []), "is of type 'map', which cannot be kept; keep list(…) of it"),
        (lambda: generator, "is of type 'function', which cannot be kept; keep its name"),
        (lambda: len, "keep its name, and look it up when it is needed"),
        (lambda: "a".join, "keep its name"),
        (lambda: functools.partial(len, []), "is of type 'partial', which cannot be kept; keep its name"),
        (lambda: json, "is of type 'module', which cannot be kept; import it where it is used"),
        (lambda: Client, "is of type 'type', which cannot be kept; keep its name"),
        (io.StringIO, "is of type 'StringIO', which cannot be kept; keep its path or its .read()"),
        (threading.Lock, "is of type 'lock', which cannot be kept; keep it outside of session_state"),
        (threading.RLock, "is of type 'RLock', which cannot be kept; keep it outside of session_state"),
        (queue.Queue, "keep it outside of session_state"),
        (lambda: memoryview(b"x"), "is of type 'memoryview', which cannot be kept; keep bytes(…) of it"),
        (lambda: MappingProxyType({}), "is of type 'mappingproxy', which cannot be kept; keep dict(…) of it"),
        (lambda: ValueError("x"), "is of type 'ValueError', which cannot be kept; keep its repr()"),
        (OpenAI, "is of type 'OpenAI', which cannot be kept; make it in run(), or as an attribute of the workflow"),
        (lambda: Text("a"), "is of type 'Text', a kind of str, which cannot be kept; keep str(…) of it, or register_codec(Text"),
        (lambda: Number(1), "is of type 'Number', a kind of int, which cannot be kept; keep int(…) of it"),
        (lambda: ..., "is of type 'ellipsis'"),
        (lambda: NotImplemented, "is of type 'NotImplementedType'"),
        (lambda: defaultdict(Client), "is a defaultdict that makes values by <class '"),
        (lambda: datetime(2026, 1, 1, tzinfo=Zone()), "has a time zone of type '"),
        (
            lambda: datetime(2026, 1, 1, tzinfo=ZoneInfo.from_file(io.BytesIO(UTC))),
            "which does not come back equal; use zoneinfo",
        ),
        (lambda: ast.parse("1"), "is of type 'Module', which cannot be kept; keep what it is made of, or register_codec(Module"),
        (lambda: {float("nan"): 1, float("-nan"): 2}, "has two keys that would be stored as one; keep one of them"),
        (lambda: {Client(): 1}, "is a key that cannot be kept: it is of type 'Client', which cannot be kept"),
        (lambda: {b"x" * 100_000: 1}, "is a key that cannot be kept: it is too large for a key"),
    ],
)
def test_what_cannot_be_kept_is_refused_with_what_to_do(shelf, make, says):
    assert says in str(refusal(shelf, [make()]))


def figure():
    from matplotlib.figure import Figure

    return Figure()


def image():
    from PIL import Image

    return Image.new("RGB", (2, 2))


@pytest.mark.parametrize("make", [figure, image])
def test_the_remedy_for_a_picture_gives_its_bytes_as_it_stands(shelf, make):
    remedy = str(refusal(shelf, make())).partition("keep the PNG bytes: ")[2]
    save, _, take = remedy.partition("; ")
    namespace = {"io": io, make.__name__: make()}
    exec(save, namespace)
    assert eval(take, namespace)[:4] == b"\x89PNG"


def test_what_is_drawn_in_a_figure_is_kept_by_the_figure(shelf):
    assert "keep the PNG bytes of its .get_figure()" in str(refusal(shelf, figure().subplots()))


UTC = (
    b"TZif2"
    + bytes(15)
    + bytes(5 * 4 + 4 - 8)
    + b"\0\0\0\1\0\0\0\4"
    + bytes(6)
    + b"UTC\0"
    + (b"TZif2" + bytes(15) + bytes(5 * 4 + 4 - 8) + b"\0\0\0\1\0\0\0\4" + bytes(6) + b"UTC\0\nUTC0\n")
)


def test_a_coroutine_is_to_be_awaited(shelf):
    value = coroutine()
    assert "is of type 'coroutine', which cannot be kept; await it, and keep the result" in str(refusal(shelf, value))
    value.close()


# -- deep values ---------------------------------------------------------------------------------------------------------------


def nested(depth: int, wrap=lambda inner: [inner]) -> Any:
    value: Any = 1
    for _ in range(depth):
        value = wrap(value)
    return value


WRAPS = [
    lambda inner: [inner],
    lambda inner: {"a": inner},
    lambda inner: (inner,),
    lambda inner: {1: inner},
    Post,
    lambda inner: deque([inner]),
    lambda inner: OrderedDict(a=inner),
    lambda inner: frozenset([inner]),
]


@pytest.mark.parametrize("depth", [DEEPEST + 1, 1_500, 10_000, 100_000])
@pytest.mark.parametrize("wrap", WRAPS[:-2])
def test_what_is_nested_too_deeply_is_refused(shelf, wrap, depth):
    error = refusal(shelf, nested(depth, wrap))
    assert str(error).endswith("is nested too deeply (beyond 200 levels); keep a flatter value")
    assert len(str(error)) < 400
    assert error.path.startswith('session_state["x"]')


@pytest.mark.parametrize("wrap", WRAPS)
def test_what_contains_itself_is_refused(shelf, wrap):
    inner: list = []
    value = wrap(Post(inner)) if wrap is not WRAPS[-1] else Post(inner)
    inner.append({"again": (value,)})
    error = refusal(shelf, value)
    assert str(error).endswith("contains itself: it is one of the values around it; keep an id or a name in its place")
    assert error.path.endswith('.client[0]["again"][0]')


def test_what_is_there_twice_beside_itself_contains_itself_not(shelf):
    shared = [()]
    assert shelf.back([shared, {"a": shared, "b": ((), shared)}]) == [[()], {"a": [()], "b": ((), [()])}]
    error = refusal(shelf, nested(DEEPEST, lambda inner: [shared, inner]))
    assert str(error).endswith("is nested too deeply (beyond 200 levels); keep a flatter value")


@pytest.mark.parametrize("wrap", WRAPS)
def test_the_deepest_value_comes_back_where_the_stack_is_long(shelf, wrap):
    depth = next(depth for depth in range(DEEPEST, 0, -1) if not too_deep(shelf, nested(depth, wrap)))
    value = nested(depth, wrap)

    def deeper(frames: int):
        return deeper(frames - 1) if frames else (shelf.tree(value), shelf.back(value))

    tree, back = deeper(sys.getrecursionlimit() - 500)
    assert repr(back) == repr(value)
    assert DEEPEST // 2 <= deepest(tree) <= DEEPEST


def deepest(tree) -> int:
    depth, level = 0, [tree]
    while level := [box for box in level if isinstance(box, dict | list)]:
        depth += 1
        level = [item for box in level for item in (box.values() if isinstance(box, dict) else box)]
    return depth


def too_deep(shelf, value) -> bool:
    try:
        shelf.tree(value)
    except UnsavableValue:
        return True
    return False


def test_a_wide_and_shallow_value_is_no_deep_one(shelf):
    value = [{"a": ([i], {i: (i,)})} for i in range(1000)]
    assert shelf.back(value) == value


# -- other threads -------------------------------------------------------------------------------------------------------------


def test_other_threads_may_change_a_value_while_it_is_read(shelf):
    state: Any = {
        "list": [],
        "dict": {},
        "set": set(),
        "odd": {1: 1},
        "deque": deque(),
        "ordered": OrderedDict(),
        "post": Post({}),
    }
    going = True

    def change() -> None:
        number = 0
        while going:
            number += 1
            key, old = number % 500, (number + 250) % 500
            state["list"].append(number)
            state["deque"].append(number)
            for box in (state["dict"], state["ordered"], state["post"].client):
                box[str(key)] = (number,)
                box.pop(str(old), None)
            state["odd"][key] = number
            state["odd"].pop(old, None)
            state["set"].add(key)
            state["set"].discard(old)
            if len(state["list"]) > 500:
                state["list"].clear()
                state["deque"].clear()

    switch = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    thread = threading.Thread(target=change)
    thread.start()
    try:
        for _ in range(100):
            shelf.tree(state)
    finally:
        going = False
        thread.join()
        sys.setswitchinterval(switch)


def test_encoding_changes_nothing_in_the_value(shelf):
    inner = [1, {"$a": (2,)}]
    value = {"a": inner, 1: inner}
    tree = shelf.tree(value)
    tree["$dict"]["1"].append(3)
    assert (value, value["a"] is inner) == ({"a": [1, {"$a": (2,)}], 1: [1, {"$a": (2,)}]}, True)


# -- what it costs -------------------------------------------------------------------------------------------------------------


def test_plain_values_are_their_own_tree_and_load_nothing():
    code = """
import sys
from wf_notebook.codec import decode, encode, is_stale
value = {"posts": [{"title": "a", "n": 1, "x": 1.5, "ok": True, "none": None}], "more": [[], {}]}
assert encode(value, "session_state", None) == value == decode(value, None)
assert not is_stale(value)
print([name for name in ("numpy", "pandas", "polars", "pyarrow", "pydantic", "attr", "asyncio") if name in sys.modules])
"""
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"


def test_a_set_is_stored_the_same_in_every_process():
    code = """
from wf_notebook.codec import encode
print(encode({"b", "a", 1, 2.5, None, (1, "x"), frozenset("xyz")}, "s", None))
"""
    said = {
        subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, check=True, env={"PYTHONHASHSEED": seed}
        ).stdout
        for seed in ("1", "2", "3")
    }
    assert len(said) == 1


def test_blobs_need_no_more_than_keep():
    class Place:
        def keep(self, content_hash, make):
            self.kept = content_hash, make()

    place = Place()
    tree = encode(b"x" * 100_000, "session_state", place)
    assert tree == {"$bytes": 100_000, "blob": place.kept[0]}
