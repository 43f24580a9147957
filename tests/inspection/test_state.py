"""The state of a session as an inspector tells of it: its tree, its values, and what is found in it."""

from __future__ import annotations

import json
import sys
from dataclasses import make_dataclass
from datetime import date
from decimal import Decimal
from importlib import import_module
from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from wf_notebook.codec.kind import escaped
from wf_notebook.errors import BadArguments, UnknownPath
from wf_notebook.inspection import Inspector, answer
from wf_notebook.inspection.nodes import within
from wf_notebook.inspection.search import hits
from wf_notebook.inspection.selecting import steps_to
from wf_notebook.inspection.values import table_of
from wf_notebook.redact import register_secret
from wf_notebook.storage import open_storage

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent / "codec"))
things = import_module("things")  # by the name by which a stored value finds its classes
sys.path.remove(str(HERE.parent / "codec"))
VALUES = [*things.HASHABLE, *things.OTHERS]
#: What has another name than its type.
CALLED = {"NoneType": "None", "IntegerArray": "array", "StringArray": "Array"}
PNG = b"\x89PNG\r\n\x1a\n" + bytes(100)
HOSTILE = [each["text"] for each in json.loads((HERE.parent / "data" / "hostile.json").read_text())]


@pytest.fixture
def storage():
    with open_storage("memory:") as storage:
        yield storage


@pytest.fixture
def looking(storage):
    """Return a way to look at a state: an inspector of a session that has it, and what it answers."""

    def look(*states):
        session = storage.session("demo")
        for state in states:
            session.state.clear()
            session.state.update(state)
            session.save()
        inspector = Inspector(storage, session="demo")

        def ask(op, path=(), **fields):
            told = answer(inspector, {"id": "page 1", "op": op, "session": "demo", "path": list(path), **fields})
            assert told["ok"], told
            json.dumps(told, allow_nan=False).encode()
            return told["result"]

        return inspector, ask

    return look


def glances(rows):
    return [(row["key"], row["type"], row["size"], row["brief"]) for row in rows]


# -- the tree ------------------------------------------------------------------------------------------------------------------


def test_each_node_tells_its_type_as_python_calls_it_its_size_and_how_it_begins(looking):
    _, ask = looking(
        {
            "posts": [{"title": "a"}, {"title": "b"}, {"title": "c"}],
            "when": date(2026, 1, 2),
            "price": Decimal("1.10"),
            "post": things.Post("text"),
            "model": things.Model(body=[1]),
            "color": things.Color.red,
            "tags": {"x"},
            "pair": (1, "two"),
            "frame": pd.DataFrame({"a": range(1000), "b": "x", "c": 1.5, "d": True}),
            "array": np.zeros((3, 4)),
            "picture": PNG,
            "large": bytes(100_000),
            "text": "word " * 1000,
            "none": None,
            "nan": float("nan"),
        }
    )
    assert glances(ask("children")["rows"]) == [
        ("posts", "list", "3 items", "[{'title': 'a'}, {'title': 'b'}, {'title': 'c'}]"),
        ("when", "date", "", "2026-01-02"),
        ("price", "Decimal", "", "1.10"),
        ("post", "Post", "1 field", "Post(body='text')"),
        ("model", "Model", "1 field", "Model(body=[1])"),
        ("color", "Color", "", "Color.red"),
        ("tags", "set", "1 item", "{'x'}"),
        ("pair", "tuple", "2 items", "(1, 'two')"),
        ("frame", "DataFrame", "1,000 × 4", "a, b, c, d"),
        ("array", "ndarray", "3 × 4", "array of float64"),
        ("picture", "bytes", "108 bytes", "<png, 108 bytes>"),
        ("large", "bytes", "100.0 KB", ""),
        ("text", "str", "5,000 characters", "'" + ("word " * 20)[:98] + "…"),
        ("none", "None", "", "None"),
        ("nan", "float", "", "nan"),
    ]


def test_a_typed_container_opens_to_what_is_inside(looking):
    _, ask = looking({"post": things.Post({1: ("a", {2.5})}), "$ref": {"$set": 1}})
    assert glances(ask("children", ["post"])["rows"]) == [("body", "dict", "1 key", "{1: ('a', {2.5})}")]
    (inner,) = ask("children", ["post", "body"])["rows"]
    assert glances([inner]) == [("[1]", "tuple", "2 items", "('a', {2.5})")]
    (_, last) = ask("children", ["post", "body", inner["step"]])["rows"]
    assert last["step"] == 1
    assert glances(ask("children", ["post", "body", inner["step"], 1])["rows"]) == [("·", "float", "", "2.5")]
    assert glances(ask("children", ["$$ref"])["rows"]) == [("$set", "int", "", "1")]
    told = ask("value", ["post", "body", inner["step"], 0])
    assert (told["path"], told["text"]) == ('session_state["post"].body[1][0]', "a")


@pytest.mark.parametrize("number", range(len(VALUES)))
def test_every_type_that_can_be_kept_is_told_opened_read_and_copied(looking, number):
    value = VALUES[number]
    inspector, ask = looking({"value": value})
    (row,) = ask("children")["rows"]
    assert row["type"] == CALLED.get(type(value).__name__, type(value).__name__)
    assert "Error" not in row["brief"]
    for view in (told := ask("value", ["value"]))["views"]:
        assert ask("value", ["value"], **{"as": view})["view"] == view
    if "table" in told["views"]:
        assert ask("rows", ["value"], start=0, count=10) is not None
    assert ask("copy", ["value"], **{"as": "path"}) == {"text": 'session_state["value"]'}
    json.loads(ask("copy", ["value"], **{"as": "json"})["text"])
    for below in ask("children", ["value"])["rows"] if row["count"] else []:
        ask("value", ["value", below["step"]])
        inspector.select(("value",))
        steps = steps_to(inspector.loaded(), ["value", _key(inspector, below["step"])])
        assert steps == ("value", below["step"])


def _key(inspector, step):
    return within(inspector.loaded(), ("value",)).key(step)


def test_a_class_that_is_not_here_is_said_and_its_fields_are_entries(storage, monkeypatch):
    module = type(sys)("blog_of_the_test")
    module.Entry = make_dataclass("Entry", ["title"], namespace={"__module__": "blog_of_the_test"})
    monkeypatch.setitem(sys.modules, "blog_of_the_test", module)
    session = storage.session("demo")
    session.state["entry"] = module.Entry("a")
    session.save()
    monkeypatch.delitem(sys.modules, "blog_of_the_test")
    inspector = Inspector(storage, session="demo")
    told = answer(inspector, {"op": "value", "session": "demo", "path": ["entry"]})["result"]
    assert (told["type"], told["note"]) == (
        "Entry",
        "class 'blog_of_the_test:Entry' is not defined here; its values are given as dicts until it is",
    )
    inspector.select("entry.title")
    assert (inspector.path, inspector.selection) == ('session_state["entry"]["title"]', "a")


def test_a_long_list_opens_as_ranges_that_open_to_their_items(looking):
    _, ask = looking({"items": [{"n": n} for n in range(100_000)]})
    ranges = ask("children", ["items"])
    assert (ranges["total"], len(ranges["rows"])) == (100_000, 10)
    assert ranges["rows"][-1] == {"start": 90_000, "key": "[90,000 … 99,999]", "count": 10_000, "mark": None}
    inner = ask("children", ["items"], start=90_000, count=10_000)["rows"]
    assert (len(inner), inner[-1]["key"]) == (100, "[99,900 … 99,999]")
    last = ask("children", ["items"], start=99_900, count=100)["rows"][-1]
    assert (last["key"], last["step"], last["brief"]) == ("[99999]", 99_999, "{'n': 99999}")
    way = ask("way", ["items", 99_999, "n"])
    assert way["places"] == [0, 99_999, 0]
    assert [answer["rows"][-1]["key"] for answer in way["answers"]] == [
        "items", "[90,000 … 99,999]", "[99,900 … 99,999]", "[99999]", "n",
    ]  # fmt: skip


def test_a_deep_value_opens_to_its_bottom(looking):
    deep = "bottom"
    for _ in range(199):
        deep = [deep]
    inspector, ask = looking({"deep": deep})
    path = ["deep", *[0] * 199]
    assert ask("value", path)["text"] == "bottom"
    assert ask("search", text="bottom")["hits"][0]["path"] == path
    assert json.loads(ask("copy", ["deep"], **{"as": "json"})["text"]) == deep
    inspector.go(path=path)
    assert inspector.selection == "bottom"


def test_a_key_of_ten_thousand_characters_is_cut_with_its_length_told(looking):
    key = "k" * 10_000
    _, ask = looking({"outer": {key: 1}})
    (row,) = ask("children", ["outer"])["rows"]
    assert (row["key"], row["long"]) == ("k" * 79 + "…", "key of 10,000 characters")
    assert ask("copy", ["outer", key], **{"as": "path"})["text"] == f'session_state["outer"]["{key}"]'
    assert ask("value", ["outer", key])["path"].endswith("… (10,026 characters)")


def test_an_answer_is_small_whatever_is_asked(looking):
    wide = {f"key {n} {'x' * 300}": "y" * 100_000 for n in range(100)}
    inspector, _ = looking({"wide": wide, "rows": [{f"c{n}": "y" * 300 for n in range(100)}] * 100})
    for op, fields in {
        "children": {"path": ["wide"]},
        "value": {"path": ["wide"]},
        "rows": {"path": ["rows"], "start": 0, "count": 100},
        "search": {"text": "yyy"},
    }.items():
        told = answer(inspector, {"op": op, "session": "demo", **fields})
        assert told["ok"]
        assert len(json.dumps(told, ensure_ascii=False).encode()) < 150_000, op


def test_an_answer_is_small_where_a_hundred_keys_have_ten_thousand_characters_each(looking):
    keys = [f"key {n} {'x' * 10_000}" for n in range(100)]
    inspector, ask = looking({"outer": {key: {"n": n} for n, key in enumerate(keys)}})
    assert [row["key"] for row in ask("children", ["outer"])["rows"]][::9] == ["[0 … 9]", "[90 … 99]"]
    assert ask("children", ["outer"], start=90, count=10)["rows"][-1]["step"] == keys[-1]
    way = ask("way", ["outer", keys[57], "n"])
    assert [len(each["rows"]) for each in way["answers"]] == [1, 10, 10, 1]
    found = ask("search", text="xxx")
    assert (len(found["hits"]), found["more"]) == (5, True)
    assert ask("search", text="xxx", start=5)["hits"][0]["path"] == ["outer", keys[5]]
    session = inspector.session
    session.state["outer"] = {}
    session.save()
    for op, fields in {
        "children": {"path": ["outer"], "marks": True},
        "way": {"path": ["outer", keys[57]], "version": 1},
        "search": {"text": "xxx", "version": 1},
        "diff": {"one": ["demo", 2], "other": None, "start": 0, "count": 60},
    }.items():
        told = answer(inspector, {"op": op, "session": "demo", **fields})
        assert told["ok"]
        assert len(json.dumps(told)) < 150_000, op


# -- what changed --------------------------------------------------------------------------------------------------------------


def test_what_changed_since_the_version_before_is_marked(looking):
    _, ask = looking(
        {"same": 1, "gone": [1], "n": 1, "posts": [{"t": "a"}, {"t": "b"}], "type": [1]},
        {"same": 1, "n": 2, "posts": [{"t": "a"}, {"t": "B"}, {"t": "c"}], "type": (1,), "new": True},
    )
    marked = [(row["key"], row["mark"]) for row in ask("children", marks=True)["rows"]]
    assert marked == [
        ("same", None), ("n", "changed"), ("posts", "within"), ("type", "changed"), ("new", "added"), ("gone", "removed"),
    ]  # fmt: skip
    assert [row["mark"] for row in ask("children", ["posts"], marks=True)["rows"]] == [None, "within", "added"]
    assert [row["mark"] for row in ask("children", ["posts", 1], marks=True)["rows"]] == ["changed"]


def test_a_range_is_marked_where_something_in_it_changed(looking):
    before = [[n] for n in range(1000)]
    _, ask = looking({"items": before}, {"items": [*before[:500], ["new"], *before[501:]]})
    assert [row["mark"] for row in ask("children", ["items"], marks=True)["rows"]] == [*[None] * 5, "within", *[None] * 4]


def test_a_first_answer_does_not_wait_for_the_version_before(looking):
    _, ask = looking({"n": 1}, {"n": 2})
    first = ask("open")
    assert (first["version"], first["nodes"]["marked"], first["nodes"]["rows"][0]["mark"]) == (2, False, None)
    assert ask("children", marks=True)["rows"][0]["mark"] == "changed"
    assert ask("children")["rows"][0]["mark"] == "changed"


# -- values --------------------------------------------------------------------------------------------------------------------


def test_a_text_is_given_in_parts_and_as_markdown_where_it_looks_like_it(looking):
    _, ask = looking({"text": "x" * 50_000, "draft": "# Title\n\n<script>alert(1)</script>"})
    first = ask("value", ["text"])
    assert (first["views"], len(first["text"]), first["total"]) == (["text"], 20_000, 50_000)
    assert len(ask("value", ["text"], start=40_000)["text"]) == 10_000
    draft = ask("value", ["draft"])
    assert draft["views"] == ["markdown", "text"]
    assert "<h1>Title</h1>" in draft["html"]
    assert "<script" not in draft["html"]
    assert ask("value", ["draft"], **{"as": "text"})["text"].startswith("# Title")


def test_a_picture_is_shown_as_itself(looking):
    url = "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
    _, ask = looking({"bytes": PNG, "url": url, "no": "data:image/png;base64,", "svg": "data:image/svg+xml;base64,PHN2Zz4="})
    assert ask("value", ["bytes"])["html"].startswith('<img src="data:image/png;base64,')
    assert ask("value", ["url"])["views"] == ["picture", "text"]
    assert ask("value", ["no"])["views"] == ask("value", ["svg"])["views"] == ["text"]


FRAMES = {
    "pandas": pd.DataFrame({"n": [1, 2, 3], "s": ["a", None, "c"]}),
    "indexed": pd.DataFrame({"n": [1, 2, 3]}, index=pd.Index(["x", "y", "z"], name="at")),
    "series": pd.Series([1.5, 2.5], name="f"),
    "polars": pl.DataFrame({"n": [1, 2, 3]}),
    "arrow": pa.table({"n": [1, 2, 3]}),
    "array": np.arange(6).reshape(3, 2),
    "vector": np.array([0.1, 0.123456789]),
}


@pytest.mark.parametrize(
    ("name", "columns", "rows"),
    [
        ("pandas", [("n", "int64"), ("s", "str")], [["1", "a"], ["2", None], ["3", "c"]]),
        ("indexed", [("at", "str"), ("n", "int64")], [["x", "1"], ["y", "2"], ["z", "3"]]),
        ("series", [("f", "float64")], [["1.5"], ["2.5"]]),
        ("polars", [("n", "Int64")], [["1"], ["2"], ["3"]]),
        ("arrow", [("n", "int64")], [["1"], ["2"], ["3"]]),
        ("array", [("0", "int64"), ("1", "int64")], [["0", "1"], ["2", "3"], ["4", "5"]]),
        ("vector", [("value", "float64")], [["0.1"], ["0.123456789"]]),
    ],
)
def test_a_frame_or_an_array_is_a_table_in_pages(looking, name, columns, rows):
    _, ask = looking({"value": FRAMES[name]})
    told = ask("value", ["value"])
    assert (told["view"], told["table"]["total"]) == ("table", len(rows))
    assert [(column["name"], column["type"].replace("object", "str")) for column in told["table"]["columns"]] == columns
    assert ask("rows", ["value"], start=0, count=100) == rows
    assert ask("rows", ["value"], start=1, count=1) == rows[1:2]


def test_a_list_of_dicts_is_a_table_with_the_columns_of_all_of_them(looking):
    _, ask = looking(
        {"posts": [{"t": "a", "n": 1}, {"t": None, "tags": ["x"]}], "by_id": {"x": {"n": 1}}, "mixed": [{"n": 1}, 2]}
    )
    told = ask("value", ["posts"])
    assert told["views"] == ["table", "json"]
    assert [(each["name"], each["type"], each["right"]) for each in told["table"]["columns"]] == [
        ("t", "str", False), ("n", "int", True), ("tags", "list", False),
    ]  # fmt: skip
    assert ask("rows", ["posts"], start=0, count=9) == [["a", "1", ""], [None, "", "['x']"]]
    assert ask("rows", ["by_id"], start=0, count=9) == [["x", "1"]]
    assert ask("value", ["mixed"])["views"] == ["json"]


def test_a_value_is_given_as_plain_json(looking):
    _, ask = looking({"post": {"at": date(2026, 1, 2), "tags": ("a",), "of": things.Post(Decimal("1.10")), "n": 2**70}})
    text = ask("copy", ["post"], **{"as": "json"})["text"]
    assert json.loads(text) == {"at": "2026-01-02", "tags": ["a"], "of": {"body": "1.10"}, "n": 2**70}


def test_hostile_keys_and_values_are_told_as_text_and_html_comes_only_from_where_it_is_made_safe(looking):
    _, ask = looking({"values": HOSTILE, "keys": dict.fromkeys(HOSTILE, 1)})
    assert ask("children", ["values"])["total"] == len(HOSTILE)
    for path in [["values", n] for n in range(len(HOSTILE))] + [["keys", escaped(text)] for text in HOSTILE]:
        for view in ask("value", path)["views"]:
            html = ask("value", path, **{"as": view}).get("html", "")
            assert "<script" not in html.lower()
            assert " onerror=" not in html.lower() or "&lt;" in html
    for row in ask("children", ["keys"])["rows"]:
        assert not any("\u202a" <= sign <= "\u202e" or (sign < " ") for sign in row["key"])


def test_a_secret_that_became_known_later_is_shown_nowhere(looking):
    _, ask = looking({"note": "the token is tok-of-this-test-123 indeed"})
    register_secret("LATE", "tok-of-this-test-123")
    shown = json.dumps(
        [ask("children"), ask("value", ["note"]), ask("search", text="token"), ask("copy", ["note"], **{"as": "json"})]
    )
    assert "<redacted LATE>" in shown
    assert "tok-of-this-test-123" not in shown


# -- search --------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("gouda", [('session_state["cheese"][0]', "value")]),
        ("CHEESE", [('session_state["cheese"]', "key")]),
        ("cheese.0", [('session_state["cheese"][0]', "path")]),
        ('session_state["cheese"][0]', [('session_state["cheese"][0]', "path")]),
        ("42", [('session_state["n"]', "value")]),
        ("2026-01", [('session_state["post"].body', "value")]),
        ("ÜBER", [('session_state["text"]', "value")]),
        ("body", [('session_state["post"].body', "key")]),
        ('"quoted"', [('session_state["text"]', "value")]),
        ("nowhere", []),
        ("", []),
    ],
)  # fmt: skip
def test_a_text_is_found_in_keys_in_values_and_as_a_path(looking, text, found):
    _, ask = looking({"cheese": ["Gouda"], "n": 42, "post": things.Post(date(2026, 1, 2)), "text": 'über "quoted"', "raw": PNG})
    assert [(hit["shown"], hit["where"]) for hit in ask("search", text=text)["hits"]] == found


def test_more_of_what_was_found_is_given_on_demand(looking):
    _, ask = looking({"items": [f"cheese {n}" for n in range(120)]})
    first, last = ask("search", text="cheese"), ask("search", text="cheese", start=100)
    assert (len(first["hits"]), first["total"], first["more"]) == (50, 50, True)
    assert (len(last["hits"]), last["total"], last["more"], last["hits"][-1]["path"]) == (20, 120, False, ["items", 119])


def test_a_hit_shows_what_stands_around_it(looking):
    _, ask = looking({"text": "a" * 100 + "Cheese" + "b" * 200})
    (hit,) = ask("search", text="cheese")["hits"]
    assert (hit["before"], hit["match"], hit["after"]) == ("…" + "a" * 40, "Cheese", "b" * 80 + "…")


def test_a_search_that_was_overtaken_ends(looking):
    inspector, _ = looking({"items": [["cheese"]] * 10})
    with pytest.raises(BadArguments, match="another search took the place of this one"):
        list(hits(inspector.loaded(), "cheese", lambda: True))


# -- Python --------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("posts.0.title", 'session_state["posts"][0]["title"]'),
        ('session_state["posts"][-1]["title"]', 'session_state["posts"][0]["title"]'),
        (("posts", 0, "title"), 'session_state["posts"][0]["title"]'),
        ("a.b", 'session_state["a.b"]'),
        ((1,), "session_state[1]"),
        ("post.body", 'session_state["post"].body'),
        ('session_state["post"].body', 'session_state["post"].body'),
        (("by", ("x", 1)), "session_state[\"by\"][('x', 1)]"),
    ],
)
def test_a_value_is_selected_by_its_path(looking, path, said):
    state = {"posts": [{"title": "t"}], "a.b": "t", 1: "t", "post": things.Post("t"), "by": {("x", 1): "t", "y": 2}}
    inspector, _ = looking(state)
    inspector.select(path)
    assert (inspector.path, inspector.selection) == (said, "t")
    assert eval(inspector.path, {"session_state": state}) == "t"
    inspector.select(inspector.path)
    assert inspector.path == said


def test_a_selection_is_a_copy_of_its_own(looking):
    inspector, _ = looking({"posts": [{"title": "a"}]})
    inspector.select("posts")
    inspector.selection.append("mine")
    assert inspector.selection == [{"title": "a"}]


@pytest.mark.parametrize("path", ["pots", "posts.7", "posts.0.title.x", ("posts", "0a"), object()])
def test_a_path_that_leads_nowhere_is_refused(looking, path):
    inspector, _ = looking({"posts": [{"title": "a"}]})
    with pytest.raises(UnknownPath):
        inspector.select(path)


def test_the_rows_of_a_value_are_given_to_python(looking):
    frame = pd.DataFrame({"n": [1]})
    inspector, _ = looking({"posts": [{"title": "a"}], "frame": frame})
    assert table_of(inspector.loaded(), ("posts",))["title"] == ["a"]
    assert table_of(inspector.loaded(), ("frame",)).equals(frame)
