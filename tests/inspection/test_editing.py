"""Values that are changed in an inspector: by themselves, checked, undoable, and never over what somebody else changed."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter, OrderedDict, defaultdict, deque
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from fractions import Fraction
from ipaddress import ip_address
from pathlib import Path
from uuid import UUID
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from pydantic import BaseModel

from tests.inspection.test_past import asked, refused, saved
from wf_notebook.errors import SessionConflict, UnknownPath, UnsavableValue
from wf_notebook.inspection import Inspector
from wf_notebook.storage import open_storage, waiting


class Post(BaseModel):
    title: str
    views: int = 0


@dataclass
class Author:
    name: str


@pytest.fixture
def storage(tmp_path):
    return open_storage(f"duckdb:///{tmp_path / 'runs.duckdb'}")


def editing(storage, **state):
    """Return a way to ask the inspector of a session with that state, in its only version."""
    saved(storage, state)
    inspector = Inspector(storage, session="demo")

    def ask(op, **fields):
        return asked(inspector, op, session="demo", **fields)

    ask.inspector = inspector
    return ask


def stored(storage, session_id="demo"):
    return storage.session(session_id).state


# -- types ---------------------------------------------------------------------------------------------------------------------

BERLIN = ZoneInfo("Europe/Berlin")
NAIVE = datetime.fromisoformat("2026-01-02T03:04")

EDITS = [
    ("a text", "str", "a text", "another", "another"),
    ("", "str", "", "$5, \nof two lines", "$5, \nof two lines"),
    (1, "int", "1", "-2", -2),
    (2**70, "int", str(2**70), "7", 7),
    (1, "int", "1", str(2**70), 2**70),
    (1.0, "float", "1.0", "2", 2.0),
    (float("inf"), "float", "inf", "1e3", 1000.0),
    (True, "bool", "True", "False", False),
    (None, "None", "None", "None", None),
    (NAIVE, "datetime", "2026-01-02T03:04:00", "2026-01-02 05:06", NAIVE + timedelta(hours=2, minutes=2)),
    (
        datetime(2026, 1, 2, tzinfo=UTC),
        "datetime",
        "2026-01-02T00:00:00+00:00",
        "2026-07-02T00:00:00+02:00[Europe/Berlin]",
        datetime(2026, 7, 2, tzinfo=BERLIN),
    ),
    (date(2026, 1, 2), "date", "2026-01-02", "2027-03-04", date(2027, 3, 4)),
    (time(1, 2), "time", "01:02:00", "03:04", time(3, 4)),
    (timedelta(days=1), "timedelta", "1 day, 0:00:00", "2:00:00", timedelta(hours=2)),
    (Decimal("1.10"), "Decimal", "1.10", "2.50", Decimal("2.50")),
    (Fraction(1, 3), "Fraction", "1/3", "2/3", Fraction(2, 3)),
    (UUID(int=1), "UUID", str(UUID(int=1)), str(UUID(int=2)), UUID(int=2)),
    (Path("a/b"), "Path", "a/b", "c d", Path("c d")),
    (ip_address("127.0.0.1"), "IPv4Address", "127.0.0.1", "10.0.0.1", ip_address("10.0.0.1")),
    (1 + 2j, "complex", "(1+2j)", "3j", 3j),
    ([1, "a", None], "list", '[1, "a", null]', '[{"a": [1.5]}]', [{"a": [1.5]}]),
    ({"a": 1, "$b": 2}, "dict", '{"a": 1, "$b": 2}', '{"$b": true}', {"$b": True}),
    ((1, 2), "tuple", "[1, 2]", "[3]", (3,)),
    ({"b", "a"}, "set", '["a", "b"]', '["c", "b"]', {"b", "c"}),
    (frozenset({1}), "frozenset", "[1]", "[2]", frozenset({2})),
    (deque([1], 3), "deque", "[1]", "[2]", deque([2], 3)),
]


@pytest.mark.parametrize(("value", "kind", "text", "new_text", "new"), EDITS)
def test_a_value_that_is_edited_keeps_its_type(value, kind, text, new_text, new):
    storage = open_storage("memory:")
    ask = editing(storage, value=value, other=[1])
    as_text = ask("editable", path=["value"])
    assert (as_text["type"], as_text["text"], as_text["why_not"]) == (kind, text, "")
    ask("put", version=1, path=["value"], type=kind, text=text)
    assert stored(storage)["value"] == value
    assert storage.session("demo").newest() == 1
    ask("put", version=1, path=["value"], type=kind, text=new_text)
    after = stored(storage)["value"]
    assert (after, type(after)) == (new, type(value))
    assert getattr(after, "maxlen", None) == getattr(value, "maxlen", None)
    if new is not None:
        assert ask.inspector.undo() == 3
    assert stored(storage) == {"value": value, "other": [1]}


@pytest.mark.parametrize(
    ("kind", "text", "why"),
    [
        ("int", "1.5", "'1.5' is no int: write a whole number, or choose float"),
        ("int", "", "'' is no int: write a whole number, or choose float"),
        ("float", "1,5", "'1,5' is no float: could not convert string to float: '1,5'"),
        ("bool", "yes", "'yes' is no bool: write True or False"),
        ("None", "x", "None has no text; choose the type of what is written"),
        ("date", "1.2.2026", "'1.2.2026' is no date: write it as 2026-01-31"),
        ("datetime", "soon", "'soon' is no datetime: write it as 2026-01-31T09:30:00+01:00"),
        ("Decimal", "x", "'x' is no Decimal: write it as 1.10"),
        ("Fraction", "1/0", "'1/0' is no Fraction: write it as 1/3"),
        ("list", "[1,", "that is no JSON (expecting value, line 1, column 4)"),
        ("list", "{}", "that is the JSON of a dict; a list is written as […]"),
        ("dict", '{"a": 1, "a": 2}', "a key stands twice in one dict; keep one of them"),
        ("list", "[NaN]", "NaN is no JSON; a float of its own can be that: choose float"),
        ("set", "[[1]]", "'[[1]]' is no set: a stored value is damaged"),
        ("frame", "x", "a value of type frame cannot be written as text"),
    ],
)
def test_what_is_no_value_of_a_type_is_refused_and_nothing_is_written(kind, text, why):
    storage = open_storage("memory:")
    inspector = editing(storage, n=1).inspector
    error = refused(inspector, "put", session="demo", version=1, path=["n"], type=kind, text=text)[1]
    assert error.startswith(why)
    assert storage.session("demo").newest() == 1


@pytest.mark.parametrize(
    "value",
    [
        np.zeros(3),
        b"bytes",
        {1: "one"},
        [{1}],
        {"a": Post(title="a")},
        Post(title="a"),
        Counter("ab"),
        OrderedDict(a=1),
        defaultdict(list, a=[1]),
        "long " * 30_000,
    ],
)
def test_what_cannot_be_edited_as_text_says_so(value):
    as_text = editing(open_storage("memory:"), value=value)("editable", path=["value"])
    assert as_text["text"] == ""
    assert as_text["why_not"]


def test_a_secret_is_neither_shown_nor_written(storage, monkeypatch):
    ask = editing(storage, key="sk-of-the-inspector", n=1)
    monkeypatch.setenv("MY_API_KEY", "sk-of-the-inspector")
    assert ask("editable", path=["key"])["text"] == ""
    ask("put", version=1, path=["n"], type="str", text="is sk-of-the-inspector")
    assert stored(storage)["n"] == "is <redacted MY_API_KEY>"
    assert refused(ask.inspector, "put", session="demo", path=[], adds=True, key="sk-of-the-inspector", type="int", text="1")


# -- inside of values ----------------------------------------------------------------------------------------------------------


def test_a_value_inside_of_others_is_changed_and_all_else_is_left_as_it_is(storage):
    ask = editing(storage, posts=[{"title": "a", "$id": 1}], keyed={1: {"x": 1}}, pair=(1, [2]), made=defaultdict(int, a=1))
    for path, text in ((["posts", 0, "$$id"], "2"), (["keyed", "1", "x"], "3"), (["pair", 1, 0], "4"), (["made", "a"], "5")):
        ask("put", path=path, type="int", text=text)
    assert stored(storage) == {"posts": [{"title": "a", "$id": 2}], "keyed": {1: {"x": 3}}, "pair": (1, [4]), "made": {"a": 5}}
    assert type(stored(storage)["made"]) is defaultdict
    assert [version.changes for version in storage.session("demo").versions()[1:]] == [
        {"posts": "set"},
        {"keyed": "put"},
        {"pair": "set"},
        {"made": "set"},
    ]
    assert {version.run_id for version in storage.session("demo").versions()} == {None}


def test_a_field_of_a_class_is_checked_by_it(storage):
    ask = editing(storage, post=Post(title="a", views=1), author=Author("Ada"))
    ask("put", path=["post", "views"], type="int", text="2")
    ask("put", path=["author", "name"], type="str", text="Bob")
    assert stored(storage) == {"post": Post(title="a", views=2), "author": Author("Bob")}
    kind, error = refused(ask.inspector, "put", session="demo", path=["post", "views"], type="str", text="many")
    assert (kind, error) == ("BadArguments", 'Post does not take that as session_state["post"]["views"]; nothing was written')
    assert not ask("editable", path=["post", "views"])["removes"]
    assert "cannot be removed" in refused(ask.inspector, "remove", session="demo", path=["post", "views"])[1]
    assert "nothing can be added" in refused(
        ask.inspector, "put", session="demo", path=["post"], adds=True, key="more", type="int", text="1"
    )[1]  # fmt: skip


def test_entries_and_items_are_added_and_removed(storage):
    ask = editing(storage, posts=["a"], stats={"x": 1}, keyed={1: "one"})
    ask("put", path=["posts"], adds=True, type="str", text="b")
    ask("put", path=["stats"], adds=True, key="$y", type="float", text="2")
    ask("put", path=["keyed"], adds=True, key="2", type="str", text="two")
    ask("put", path=[], adds=True, key="new", type="bool", text="True")
    assert stored(storage) == {"posts": ["a", "b"], "stats": {"x": 1, "$y": 2.0}, "keyed": {1: "one", 2: "two"}, "new": True}
    assert "already" in refused(ask.inspector, "put", session="demo", path=["stats"], adds=True, key="x", type="int", text="1")[1]
    assert "needs a key" in refused(ask.inspector, "put", session="demo", path=[], adds=True, key="", type="int", text="1")[1]
    ask("remove", path=["posts", 0])
    ask("remove", path=["stats", "x"])
    ask("remove", path=["new"])
    assert stored(storage) == {"posts": ["b"], "stats": {"$y": 2.0}, "keyed": {1: "one", 2: "two"}}


def test_each_change_is_undone_by_a_further_version_the_last_one_first(storage):
    before = {"n": 1, "posts": ["a", "b", "c"], "stats": {"x": 1, "y": 2, "z": 3}}
    ask = editing(storage, **before)
    ask("put", path=["n"], type="str", text="one")
    ask("remove", path=["posts", 1])
    ask("remove", path=["stats", "x"])
    ask("put", path=["posts"], adds=True, type="str", text="d")
    ask("put", path=[], adds=True, key="new", type="int", text="1")
    ask("remove", path=["n"])
    assert ask("editable", path=["posts"])["undo"] == 'session_state["n"]'
    for _ in range(6):
        told = ask("undo")
    assert told["said"] == 'session_state["n"] is as it was before, in version 13; Undo puts back what was there'
    after = stored(storage)
    assert after == before
    assert list(after["stats"]) == ["x", "y", "z"]
    assert refused(ask.inspector, "undo", session="demo")[0] == "BadArguments"


# -- with others ---------------------------------------------------------------------------------------------------------------

ELSEWHERE = """
import sys
from wf_notebook import open_storage
session = open_storage(sys.argv[1]).session("demo")
exec(sys.argv[2])
session.save()
"""


def elsewhere(storage, code):
    """Change the session in another process."""
    subprocess.run([sys.executable, "-c", ELSEWHERE, storage.url, code], check=True)


def test_what_another_process_changed_is_shown_and_not_overwritten(storage):
    ask = editing(storage, n=1, posts=[{"title": "a"}, {"title": "b"}])
    elsewhere(storage, "session.state['n'] = 5; session.state['posts'][1]['title'] = 'c'")
    assert ask("put", version=1, path=["n"], type="int", text="2") == {
        "conflict": {
            "said": 'session_state["n"] was changed meanwhile: it is 5; nothing was written',
            "mine": "2",
            "theirs": "5",
            "version": 2,
        }
    }
    assert (stored(storage)["n"], storage.session("demo").newest()) == (5, 2)
    ask("put", version=1, path=["posts", 0, "title"], type="str", text="mine")  # another value than theirs
    assert stored(storage) == {"n": 5, "posts": [{"title": "mine"}, {"title": "c"}]}
    ask("put", version=2, path=["n"], type="int", text="2")  # mine, over what was shown
    assert stored(storage)["n"] == 2


def test_what_was_removed_meanwhile_is_a_conflict_too(storage):
    ask = editing(storage, posts=[{"title": "a"}])
    elsewhere(storage, "del session.state['posts']")
    assert ask("put", version=1, path=["posts", 0, "title"], type="str", text="b")["conflict"]["theirs"] is None
    assert ask("remove", version=1, path=["posts", 0, "title"])["conflict"]["mine"] is None


def test_an_undo_meets_what_was_changed_since(storage):
    ask = editing(storage, n=1)
    ask("put", path=["n"], type="int", text="2")
    elsewhere(storage, "session.state['n'] = 5")
    conflict = ask("undo")["conflict"]
    assert (conflict["mine"], conflict["theirs"], conflict["version"]) == ("1", "5", 3)
    ask("undo", version=3)
    assert stored(storage) == {"n": 1}
    ask("put", path=["n"], type="int", text="7")
    assert ask("undo", keep=True) == {"said": 'session_state["n"] is left as it is'}
    assert stored(storage) == {"n": 7}


def test_an_item_is_added_behind_those_that_others_added(storage):
    ask = editing(storage, posts=["a"])
    elsewhere(storage, "session.state['posts'].append('theirs')")
    ask("put", version=1, path=["posts"], adds=True, type="str", text="mine")
    assert stored(storage) == {"posts": ["a", "theirs", "mine"]}
    ask("undo")
    assert stored(storage) == {"posts": ["a", "theirs"]}


HOLD = """
import sqlite3, sys
held = sqlite3.connect(sys.argv[1], isolation_level=None)
for sql in ("PRAGMA locking_mode = EXCLUSIVE", "BEGIN EXCLUSIVE", "CREATE TABLE mine (a)", "COMMIT"):
    held.execute(sql)
print("held", flush=True)
sys.stdin.read()
"""


def test_a_store_that_somebody_holds_is_one_clear_line_and_nothing_is_lost(tmp_path, monkeypatch):
    monkeypatch.setattr(waiting, "PATIENCE", 0.1)
    storage = open_storage(f"sqlite:///{tmp_path / 'runs.db'}")
    ask = editing(storage, n=1)
    ask("put", path=["n"], type="int", text="2")
    storage.close()
    command = [sys.executable, "-c", HOLD, str(tmp_path / "runs.db")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout.readline() == "held\n"
        for op, fields in (("put", {"path": ["n"], "type": "int", "text": "3", "version": 2}), ("undo", {})):
            kind, error = refused(ask.inspector, op, session="demo", **fields)
            assert (kind, "is held by" in error, "\n" in error) == ("StorageBusy", True, False)
        holder.stdin.close()
    ask("undo")
    assert stored(storage) == {"n": 1}


# -- in Python -----------------------------------------------------------------------------------------------------------------


def test_python_changes_what_any_path_leads_to(storage):
    inspector = editing(storage, posts=[{"title": "a"}], keyed={1: "one"}, **{"a.b": {"c": 1}}).inspector
    inspector.put("posts.0.title", "b")
    inspector.put(("keyed", 1), np.arange(3))
    inspector.put("a.b.c", 2)
    inspector.put('session_state["posts"][1]', {"title": "new"})
    inspector.put("array", np.zeros(20_000))
    state = stored(storage)
    assert (state["posts"], state["a.b"], list(state["keyed"][1])) == ([{"title": "b"}, {"title": "new"}], {"c": 2}, [0, 1, 2])
    assert state["array"].shape == (20_000,)
    inspector.remove("array")
    inspector.undo()
    assert stored(storage)["array"].shape == (20_000,)
    with pytest.raises(UnknownPath, match="there is nothing at"):
        inspector.put("posts.7.title", 1)
    with pytest.raises(UnsavableValue, match="session_state"):
        inspector.put("odd", object())


def test_python_is_told_of_a_conflict_in_one_line(storage):
    inspector = editing(storage, n=1).inspector
    inspector.go(version=1)
    elsewhere(storage, "session.state['n'] = 5")
    with pytest.raises(SessionConflict, match="it is 5; nothing was written"):
        inspector.put("n", 2)
