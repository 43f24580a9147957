"""What the standard library has comes back as it was, and reads well in SQL."""

from __future__ import annotations

import math
import re
from collections import Counter, OrderedDict, defaultdict, deque
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from fractions import Fraction
from ipaddress import ip_address, ip_interface, ip_network
from pathlib import Path, PurePosixPath, PureWindowsPath
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest

BERLIN = ZoneInfo("Europe/Berlin")
NAIVE = datetime.fromisoformat("2026-11-25")

#: Values and their trees.
SHOWN = [
    (2**63 - 1, 2**63 - 1),
    (2**63, {"$int": "9223372036854775808"}),
    (-(2**63) - 1, {"$int": "-9223372036854775809"}),
    (10**400, {"$int": "1" + "0" * 400}),
    (10**630, {"$int": hex(10**630)}),
    (math.inf, {"$float": "inf"}),
    (-math.inf, {"$float": "-inf"}),
    ("half \ud800", {"$str": "half \\ud800"}),
    ("\ud83d\ude00 two halves", {"$str": "\\ud83d\\ude00 two halves"}),
    ("nul \0, naïve, 😀", "nul \0, naïve, 😀"),
    ({"$ref": 1, "a": {"$$": 2, "$": 3}}, {"$$ref": 1, "a": {"$$$": 2, "$$": 3}}),
    ((1, (2,), []), {"$tuple": [1, {"$tuple": [2]}, []]}),
    ({3, 1, "a"}, {"$set": ["a", 1, 3]}),
    (frozenset({(1, 2)}), {"$frozenset": [{"$tuple": [1, 2]}]}),
    (
        {2: "int", "2": "str", (1, 2): "tuple", None: 0, date(2026, 1, 1): 1},
        {"$dict": {"2": "int", '"2"': "str", '{"$tuple":[1,2]}': "tuple", "null": 0, '{"$date":"2026-01-01"}': 1}},
    ),
    ({True: 1}, {"$dict": {"true": 1}}),
    ({"\ud800": 1}, {"$dict": {'{"$str":"\\\\ud800"}': 1}}),
    (datetime(2026, 11, 25, 9, 27, 28, 1, UTC), {"$datetime": "2026-11-25T09:27:28.000001+00:00"}),
    (NAIVE, {"$datetime": "2026-11-25T00:00:00"}),
    (datetime(2026, 11, 25, tzinfo=BERLIN), {"$datetime": "2026-11-25T00:00:00+01:00[Europe/Berlin]"}),
    (datetime(2026, 1, 1, tzinfo=timezone(timedelta(seconds=3661))), {"$datetime": "2026-01-01T00:00:00+01:01:01"}),
    (date(2026, 11, 25), {"$date": "2026-11-25"}),
    (time(9, 27, tzinfo=BERLIN), {"$time": "09:27:00[Europe/Berlin]"}),
    (time(9, 27, 1, 2, UTC), {"$time": "09:27:01.000002+00:00"}),
    (timedelta(days=1, hours=2, microseconds=1), {"$timedelta": "1 day, 2:00:00.000001"}),
    (timedelta(microseconds=-1), {"$timedelta": "-1 day, 23:59:59.999999"}),
    (timedelta.max, {"$timedelta": "999999999 days, 23:59:59.999999"}),
    (Decimal("1.10"), {"$decimal": "1.10"}),
    (Decimal("-Infinity"), {"$decimal": "-Infinity"}),
    (Fraction(1, 3), {"$fraction": "1/3"}),
    (UUID(int=1), {"$uuid": "00000000-0000-0000-0000-000000000001"}),
    (Path("a/b.txt"), {"$path": "a/b.txt"}),
    (Path("not utf-8 \udcff"), {"$path": {"$str": "not utf-8 \\udcff"}}),
    (PurePosixPath("a"), {"$pureposixpath": "a"}),
    (PureWindowsPath("c:/a"), {"$purewindowspath": "c:\\a"}),
    (ip_address("10.0.0.1"), {"$ipv4address": "10.0.0.1"}),
    (ip_interface("10.0.0.1/8"), {"$ipv4interface": "10.0.0.1/8"}),
    (ip_network("10.0.0.0/8"), {"$ipv4network": "10.0.0.0/8"}),
    (ip_address("fe80::1%eth0"), {"$ipv6address": "fe80::1%eth0"}),
    (ip_interface("2001:db8::1/32"), {"$ipv6interface": "2001:db8::1/32"}),
    (ip_network("2001:db8::/32"), {"$ipv6network": "2001:db8::/32"}),
    (re.compile("a+", re.IGNORECASE), {"$pattern": "a+", "flags": 34}),
    (re.compile("(?i)é|$"), {"$pattern": "(?i)é|$", "flags": 34}),
    (re.compile(b"a", re.VERBOSE), {"$pattern": {"$bytes": "YQ=="}, "flags": 64}),
    (b"ab", {"$bytes": "YWI="}),
    (bytearray(b"ab"), {"$bytearray": "YWI="}),
    (1 + 2j, {"$complex": [1.0, 2.0]}),
    (complex(-0.0, math.inf), {"$complex": [-0.0, {"$float": "inf"}]}),
    (deque([1, 2], maxlen=3), {"$deque": [1, 2], "maxlen": 3}),
    (deque([(1,)]), {"$deque": [{"$tuple": [1]}]}),
    (Counter("aab"), {"$counter": {"a": 2, "b": 1}}),
    (OrderedDict([("b", 1), (1, 2)]), {"$ordereddict": {"$dict": {'"b"': 1, "1": 2}}}),
    (defaultdict(list, a=[1]), {"$defaultdict": "list", "items": {"a": [1]}}),
    (defaultdict(None, {"$": 1}), {"$defaultdict": None, "items": {"$$": 1}}),
    (range(0, 10, 3), {"$range": [0, 10, 3]}),
    (slice(1, None), {"$slice": [1, None, None]}),
]


@pytest.mark.parametrize(("value", "tree"), SHOWN, ids=[type(value).__name__ for value, _ in SHOWN])
def test_a_value_of_the_standard_library_is_stored_as_anyone_can_read_it_and_comes_back(shelf, value, tree):
    assert repr(shelf.tree(value)) == repr(tree)
    back = shelf.back(value)
    assert (type(back), back) == (type(value), value)
    assert repr(back) == repr(value) or isinstance(value, set | frozenset)  # whose order is chance


@pytest.mark.parametrize(
    "value",
    [
        datetime(2026, 10, 25, 2, 30, fold=1, tzinfo=BERLIN),
        datetime(2026, 10, 25, 2, 30, fold=0, tzinfo=BERLIN),
        datetime(2026, 3, 29, 2, 30, fold=1, tzinfo=BERLIN),
        datetime(2026, 7, 1, 2, 30, fold=1, tzinfo=BERLIN),
        NAIVE.replace(fold=1),
        datetime(2026, 7, 1, tzinfo=timezone(timedelta(hours=1), "CET")),
        datetime.max.replace(tzinfo=BERLIN),
        datetime.min.replace(tzinfo=BERLIN),
        time(2, 30, fold=1, tzinfo=BERLIN),
        time(2, 30, tzinfo=timezone(timedelta(hours=1), "CET")),
    ],
    ids=repr,
)
def test_a_time_keeps_its_zone_its_fold_and_the_name_of_its_offset(shelf, value):
    back = shelf.back(value)
    assert (back, back.fold, back.tzname(), back.utcoffset()) == (value, value.fold, value.tzname(), value.utcoffset())
    assert type(back.tzinfo) is type(value.tzinfo)
    assert getattr(back.tzinfo, "key", None) == getattr(value.tzinfo, "key", None)


def test_not_a_number_comes_back_as_a_value_and_as_a_key(shelf):
    assert math.isnan(shelf.back(math.nan))
    assert [math.isnan(key) for key in shelf.back({math.nan: 1})] == [True]
    assert len(shelf.back({float("nan"), float("nan")})) == 2
    assert Decimal.is_snan(shelf.back(Decimal("sNaN12")))


def test_a_number_of_any_length_comes_back(shelf):
    assert (shelf.back(10**5000), shelf.back({-(10**5000): 1})) == (10**5000, {-(10**5000): 1})


def test_many_bytes_lie_beside_the_tree(shelf):
    value = [b"ab" * 50_000, bytearray(b"ab" * 50_000)]
    tree = shelf.tree(value)
    assert (tree[0]["$bytes"], tree[0]["blob"]) == (100_000, tree[1]["blob"])
    assert (shelf.back(value), [len(blob) < 1000 for blob in shelf.values()]) == (value, [True])
