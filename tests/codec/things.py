"""A value of each kind, and each nested in each: imported by a test, and again by a new process that reads what was stored."""

from __future__ import annotations

import ipaddress
import math
import re
from collections import Counter, OrderedDict, defaultdict, deque
from dataclasses import dataclass, fields, is_dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum, Flag
from fractions import Fraction
from pathlib import Path
from typing import Any, NamedTuple
from uuid import UUID
from zoneinfo import ZoneInfo

import attrs
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pydantic


@dataclass
class Post:
    body: Any


@dataclass(frozen=True)
class Frozen:
    body: Any


class Model(pydantic.BaseModel):
    body: Any = None


@attrs.define
class Made:
    body: Any


class Point(NamedTuple):
    x: Any
    y: Any = 0


class Color(Enum):
    red = "r"


class Perm(Flag):
    r = 1
    w = 2


HASHABLE = [
    None,
    True,
    5,
    2**70,
    -(10**1000),
    0.1,
    -0.0,
    math.inf,
    "",
    "$a \0 é 😀",
    "half \ud800",
    1 + 2j,
    b"a\0",
    (),
    (1, (2.5, "x")),
    frozenset({1, "a", (2,)}),
    datetime(2026, 11, 25, 9, 27, 28, 1, UTC),
    datetime(2026, 10, 25, 2, 30, fold=1, tzinfo=ZoneInfo("Europe/Berlin")),
    date(2026, 11, 25),
    time(9, 27),
    timedelta(days=-1, microseconds=5),
    Decimal("1.10"),
    Fraction(1, 3),
    UUID(int=5),
    ipaddress.ip_address("10.0.0.1"),
    ipaddress.ip_interface("2001:db8::1/32"),
    re.compile("a+", re.IGNORECASE),
    pydantic.HttpUrl("https://example.com/a?b=c"),
    pydantic.PostgresDsn("postgresql://ann@one:1,two:2/runs"),
    Path("a/b"),
    range(3),
    Color.red,
    Perm.r | Perm.w,
    Point(1, (2,)),
    Frozen((1, "a")),
    np.float64(0.1),
    np.float32(0.1),
    np.int8(3),
    np.bool_(True),
    np.datetime64("2026-01-01"),
    pd.Timestamp("2026-01-01", tz="Europe/Berlin"),
    pd.Timedelta(5, "s"),
    pd.Period("2026-01"),
    pd.Interval(0, 1),
    pd.NaT,
    pd.NA,
]
OTHERS = [
    math.nan,
    [],
    [1, [2]],
    {},
    {"a": {"$b": 1}},
    {1: 2, "1": 3, (1, 2): {None: 4}},
    {1, 2},
    bytearray(b"x" * 70_000),
    deque([1], maxlen=2),
    Counter("aab"),
    OrderedDict(b=1, a=2),
    defaultdict(list, a=[1]),
    slice(1, None, 2),
    Post([1]),
    Model(body={"a": (1,)}),
    Made({1}),
    np.arange(6.0).reshape(2, 3).T,
    np.array([{"a": (1,)}, None], object),
    pd.DataFrame({"a": [1, 2], "b": ["x", None], "c": [(1,), {2}]}, index=pd.date_range("2026", periods=2)),
    pd.Series([1.5], name=("a", 1)),
    pd.Index(["a", "b"]),
    pd.array([1, None], "Int64"),
    pl.DataFrame({"a": [1, None], "b": [["x"], []]}),
    pl.Series("a", [1, 2]),
    pa.table({"a": [1, None]}),
    pa.array(["a", None]),
]

#: How a value gets into another one.
WRAPS = {
    "list": lambda value: [value],
    "dict": lambda value: {"a": value},
    "other keys": lambda value: {1: value},
    "tuple": lambda value: (value, 1),
    "deque": lambda value: deque([value]),
    "ordered": lambda value: OrderedDict(a=value),
    "default": lambda value: defaultdict(dict, a=value),
    "dataclass": Post,
    "attrs": Made,
    "model": lambda value: Model(body=value),
    "namedtuple": Point,
    "array": lambda value: filled(np.empty(2, object), value),
    "series": lambda value: pd.Series(filled(np.empty(2, object), value), dtype=object),
}
HASHED = {
    "set": lambda value: {value},
    "frozenset": lambda value: frozenset([value]),
    "key": lambda value: {value: 1},
    "frozen": Frozen,
    "counter": lambda value: Counter({value: 2}),
}


def filled(array: Any, value: Any) -> Any:
    """Return an array of objects whose first one is `value`."""
    array[0] = value
    return array


def everything() -> dict[str, Any]:
    """Return each kind of value, by itself and inside of each other kind."""
    found = {f"{type(value).__name__} {number}": value for number, value in enumerate([*HASHABLE, *OTHERS])}
    plain = dict(found)
    for number, value in enumerate(HASHABLE):
        found |= {f"{type(value).__name__} {number} in {name}": wrap(value) for name, wrap in {**WRAPS, **HASHED}.items()}
    for number, value in enumerate(OTHERS):
        found |= {f"{type(value).__name__} {number} deep in {name}": wrap(wrap(value)) for name, wrap in WRAPS.items()}
    return found | {"all": [plain]}


def same(one: Any, two: Any) -> bool:  # noqa: PLR0911 - a line for each kind
    """Return whether two values are of one type and equal, also inside, where Python says that they are not or cannot say."""
    if type(one) is not type(two):
        return False
    if isinstance(one, float | Decimal) or one is pd.NA or one is pd.NaT:
        return repr(one) == repr(two)
    if isinstance(one, np.ndarray):
        return one.dtype == two.dtype and one.shape == two.shape and same(one.tolist(), two.tolist())
    if isinstance(one, pd.DataFrame):
        return same(one.index, two.index) and same([one[name] for name in one], [two[name] for name in two])
    if isinstance(one, pd.Series):
        return same((one.dtype, one.name, one.index, one.tolist()), (two.dtype, two.name, two.index, two.tolist()))
    if isinstance(one, pl.DataFrame | pl.Series | pa.Table | pa.Array | pd.Index) or hasattr(one, "_mask"):
        return bool(one.equals(two)) and getattr(one, "dtype", 0) == getattr(two, "dtype", 0)
    if isinstance(one, dict):
        return same(list(one.items()), list(two.items()))
    if isinstance(one, list | tuple | deque):
        return len(one) == len(two) and all(map(same, one, two)) and getattr(one, "maxlen", 0) == getattr(two, "maxlen", 0)
    if isinstance(one, set | frozenset):
        return len(one) == len(two) and all(any(same(item, other) for other in two) for item in one)
    if is_dataclass(one):
        return all(same(getattr(one, field.name), getattr(two, field.name)) for field in fields(one))
    if isinstance(one, Model | Made):
        return same(one.body, two.body)
    return bool(one == two)
