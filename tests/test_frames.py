"""A table: a list of dicts to Python, a dataframe to pandas, polars and Arrow, and safe to look at."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal

import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from IPython.lib.pretty import pretty

from wf_notebook import open_storage
from wf_notebook.errors import UnknownVersion
from wf_notebook.frames import Column, Table
from wf_notebook.frames.records import columns_of
from wf_notebook.words import pieces

NAIVE = datetime(2026, 1, 2, tzinfo=UTC).replace(tzinfo=None)
AT = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def table(**columns) -> Table:
    return Table([Column.of(name, values) for name, values in columns.items()])


def rows_of(value) -> list[dict]:
    return list(Table(columns_of(value)))


# -- as Python -----------------------------------------------------------------------------------------------------------------


def test_a_table_is_a_list_of_dicts():
    made = table(title=["a", "b"], n=[1, None])
    assert (len(made), made.columns, list(made)) == (2, ["title", "n"], [{"title": "a", "n": 1}, {"title": "b", "n": None}])
    assert (made[-1], made["n"], list(made[1:])) == ({"title": "b", "n": None}, [1, None], [{"title": "b", "n": None}])


def test_a_row_or_column_that_is_not_there_is_an_error():
    with pytest.raises(IndexError, match="row 2 of 2"):
        table(n=[1, 2])[2]
    with pytest.raises(KeyError, match="nope"):
        table(n=[1, 2])["nope"]


# -- as dataframes -------------------------------------------------------------------------------------------------------------


def test_pandas_gets_good_types():
    made = table(
        text=["a", None], n=[1, 2], gaps=[1, None], real=[1, 2.5], yes=[True, False], at=[AT, None], mixed=[{"a": 1}, "b"]
    ).df()
    types = {name: str(kind) for name, kind in made.dtypes.items()}
    assert {name: types[name] for name in ("n", "gaps", "real", "yes", "at", "mixed")} == {
        "n": "int64", "gaps": "Int64", "real": "float64", "yes": "bool", "at": "datetime64[us, UTC]", "mixed": "object",
    }  # fmt: skip
    assert made["mixed"].tolist() == [{"a": 1}, "b"]
    assert made["at"][0] == pd.Timestamp(AT)


def test_an_empty_table_has_its_types_too():
    made = Table([Column.of("n", [], "integer"), Column.of("at", [], "timestamp")])
    assert [str(kind) for kind in made.df().dtypes] == ["int64", "datetime64[us, UTC]"]
    assert made.pl().schema == {"n": pl.Int64, "at": pl.Datetime("us", "UTC")}
    assert made.arrow().schema.types == [pa.int64(), pa.timestamp("us", tz="UTC")]


def test_lists_stay_lists_in_pandas_and_are_nested_in_polars_and_arrow():
    made = table(tags=[["a"], [], ["b", "c"]], who=[{"name": "Ada"}, {"name": "Bo", "age": 3}, None])
    assert made.df()["tags"].tolist() == [["a"], [], ["b", "c"]]
    nested = {"tags": [["a"], [], ["b", "c"]], "who": [{"name": "Ada", "age": None}, {"name": "Bo", "age": 3}, None]}
    assert made.arrow().to_pydict() == nested
    assert made.pl()["tags"].to_list() == nested["tags"]
    assert made.pl()["who"].to_list()[:2] == nested["who"][:2]


@pytest.mark.parametrize("mixed", [[1, "a"], [[1], ["a"]], [{"a": 1}, {"a": "b"}], [{"a": 1}, [2]], [2**70, 1], [{}, {}]])
def test_what_has_no_one_shape_is_json_text_in_polars_and_arrow_and_nothing_is_lost(mixed):
    made = table(mixed=mixed)
    assert made.df()["mixed"].tolist() == mixed
    for values in (made.pl()["mixed"].to_list(), made.arrow()["mixed"].to_pylist()):
        assert values == mixed or [type(value) for value in values] == [str, str]


def test_times_of_other_zones_are_shown_in_utc():
    made = table(at=[datetime(2026, 1, 2, 5, 4, 5, tzinfo=timezone(timedelta(hours=2)))])
    assert made["at"] == [AT]
    assert "2026-01-02 03:04:05" in repr(made)


def test_dates_decimals_and_naive_times_keep_their_types():
    made = table(day=[date(2026, 1, 2)], price=[Decimal("1.10")], naive=[NAIVE])
    assert made.pl().schema == {"day": pl.Date, "price": pl.Decimal(38, 2), "naive": pl.Datetime("us")}
    assert made.arrow().to_pydict() == {"day": [date(2026, 1, 2)], "price": [Decimal("1.10")], "naive": [NAIVE]}
    assert made.df()["price"].tolist() == [Decimal("1.10")]


def test_any_library_that_speaks_arrow_reads_a_table():
    made = table(n=[1, 2], tags=[["a"], []])
    assert pa.table(made).to_pydict() == {"n": [1, 2], "tags": [["a"], []]}
    assert pl.DataFrame(made).to_dict(as_series=False) == {"n": [1, 2], "tags": [["a"], []]}


def test_polars_needs_no_pyarrow():
    code = (
        "import sys; sys.modules['pyarrow'] = None\nfrom wf_notebook.frames import Column, Table\n"
        "made = Table([Column.of('who', [{'name': 'Ada'}]), Column.of('n', [1])])\nprint(made.pl().to_dicts())"
    )
    done = subprocess.run([sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, check=False)
    assert (done.stdout.strip(), done.stderr) == ("[{'who': {'name': 'Ada'}, 'n': 1}]", "")


def test_a_library_that_is_missing_is_named_with_how_to_get_it():
    code = (
        "import importlib.util as util; real = util.find_spec\n"
        "util.find_spec = lambda name: None if name == 'pandas' else real(name)\n"
        "from wf_notebook.frames import Column, Table\n"
        "try: Table([Column.of('n', [1])]).df()\nexcept ImportError as error: print(error)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ".df() needs pandas, which is not here; run %pip install pandas"


# -- rows of a value -----------------------------------------------------------------------------------------------------------


@dataclass
class Post:
    title: str
    n: int = 0


@pytest.mark.parametrize(
    ("value", "rows"),
    [
        ([{"title": "a"}, {"n": 1}], [{"title": "a", "n": None}, {"title": None, "n": 1}]),
        ([Post("a"), Post("b", 2)], [{"title": "a", "n": 0}, {"title": "b", "n": 2}]),
        ({"x": {"n": 1}, "y": {"n": 2}}, [{"key": "x", "n": 1}, {"key": "y", "n": 2}]),
        ({"x": {"key": 1}}, [{"key": "x", "key_1": 1}]),
        ({"x": 1, "y": {"n": 2}}, [{"key": "x", "value": 1}, {"key": "y", "value": {"n": 2}}]),
        ([1, "a"], [{"value": 1}, {"value": "a"}]),
        ([{"a": 1}, None], [{"a": 1}, {"a": None}]),
        ([{1: "one", "1": "text"}], [{"1": "one", "1_1": "text"}]),
        (7, [{"value": 7}]),
        (Post("a"), [{"title": "a", "n": 0}]),
        ([], []),
        ({}, []),
        (pd.DataFrame({"n": [1, None], "at": pd.to_datetime(["2026-01-02", None])}), [
            {"n": 1.0, "at": NAIVE}, {"n": None, "at": None}]),
        (pd.DataFrame({"n": [1]}, index=pd.Index(["x"], name="id")), [{"id": "x", "n": 1}]),
        (pl.DataFrame({"n": [1, 2]}), [{"n": 1}, {"n": 2}]),
        (pa.table({"n": [1, 2]}), [{"n": 1}, {"n": 2}]),
        (pd.Series([1, 2], name="n"), [{"n": 1}, {"n": 2}]),
    ],
)  # fmt: skip
def test_a_value_becomes_rows(value, rows):
    assert rows_of(value) == rows


# -- to look at ----------------------------------------------------------------------------------------------------------------


def test_hostile_text_is_only_text():
    evil = '<script>alert(1)</script><img src=x onerror="alert(1)">'
    html = Table([Column.of(evil, [evil, evil * 20]), Column.of("o", [{evil: evil}, [evil]])], evil)._repr_html_()
    assert "<script" not in html
    assert "<img" not in html


def test_a_long_value_is_folded_and_a_long_table_is_cut_and_says_so():
    html = table(text=["word " * 100] * 25)._repr_html_()
    assert (html.count("<details>"), html.count("<tr>")) == (20, 21)
    assert "25 rows, the first 20 shown" in html


def test_an_id_of_a_run_shows_its_beginning_and_gives_all_of_it_to_the_mouse_and_to_a_dataframe():
    run_id = "67f312f4-29fd-44e7-a127-c7b2c5b0c7ed"
    made = table(run_id=[run_id], session_id=[run_id], workflow_id=[None])
    html = made._repr_html_()
    assert f'title="{run_id}">67f312f4…</td>' in html
    assert f">{run_id}</td>" in html  # a session is asked for by all of its id
    assert made.df()["run_id"].tolist() == [run_id]
    text = repr(table(text=["word " * 100] * 25))
    assert text.endswith("25 rows, the first 20 shown")
    assert max(map(len, text.splitlines())) <= 100


def test_columns_that_do_not_fit_or_are_empty_are_named(monkeypatch):
    monkeypatch.setenv("COLUMNS", "40")
    made = table(**{f"column_{number}": ["a long value of some sort"] for number in range(6)}, nothing=[None])
    assert repr(made).splitlines()[-1] == "not shown: column_3, column_4, column_5, nothing"


@pytest.mark.parametrize(("is_terminal", "width"), [(True, 40), (False, 100)])
def test_the_text_is_as_wide_as_the_terminal_that_shows_it_not_as_the_one_a_kernel_was_started_from(
    is_terminal, width, monkeypatch
):
    monkeypatch.delenv("COLUMNS", raising=False)
    monkeypatch.setattr(os, "get_terminal_size", lambda *_: os.terminal_size((40, 24)))
    monkeypatch.setattr(sys.stdout, "isatty", lambda: is_terminal)
    made = table(one=["word " * 100], other=["word " * 100])
    assert max(map(len, repr(made).splitlines())) in range(width - 5, width + 1)


def test_wide_characters_stay_in_their_columns():
    assert repr(table(a=["日本", "x"], b=[1, 2])).splitlines()[:3] == ["a     b", "日本  1", "x     2"]


def test_a_secret_is_not_shown(monkeypatch):
    monkeypatch.setenv("MY_API_KEY", "sk-12345678")
    made = table(text=["my sk-12345678"])
    assert "sk-12345678" not in made._repr_html_() + repr(made)


# -- what a session was --------------------------------------------------------------------------------------------------------


@pytest.fixture
def session():
    """Return a session with three versions."""
    session = open_storage("memory:").session("demo")
    session.state.update(
        {"intro": "A quick brown fox jumps over the lazy dog, " * 3, "posts": [{"title": "a"}], "n": 1, "old": "x"}
    )
    session.save()
    session.state["intro"] = session.state["intro"].replace("brown", "red", 1)
    session.state["posts"].append({"title": EVIL})
    session.state["posts"][0]["title"] = "b"
    del session.state["old"]
    session.save()
    session.state["n"] = 2
    session.save()
    return session


EVIL = "<script>alert(1)</script>"


def test_versions_are_a_list_that_is_shown_as_a_table(session):
    versions = session.versions()
    assert [(each.version, each.changes) for each in versions[2:]] == [(3, {"n": "set"})]
    shown = pretty(versions).splitlines()
    assert [line.split()[0] for line in shown[:4]] == ["version", "3", "2", "1"]
    assert "delete old; set intro, posts" in shown[2]
    assert versions._repr_html_().count("<tr>") == 4
    frame = versions.df()
    assert (frame["version"].tolist(), frame["changes"][2]) == ([1, 2, 3], {"n": "set"})


def test_a_difference_is_a_row_of_a_dataframe(session):
    frame = session.diff(1, 2).df()
    assert frame[["path", "kind"]].to_numpy().tolist() == [
        ['session_state["intro"]', "changed"],
        ["session_state[\"posts\"][0]['title']", "changed"],
        ['session_state["posts"][1]', "added"],
        ['session_state["old"]', "removed"],
    ]
    assert frame["after"][2] == {"title": EVIL}


def test_what_differs_between_long_texts_is_shown_word_by_word(session):
    said = str(session.diff(1, 2)).splitlines()
    assert said[1] == '~ session_state["intro"]: A quick [-brown-]{+red+} fox jumps over the lazy dog, …'
    html = session.diff(1, 2)._repr_html_()
    assert re.search(r"A quick <del[^>]*>brown</del><ins[^>]*>red</ins> fox", html)


def test_a_diff_is_shown_as_a_tree_with_a_sign_and_a_word(session):
    html = session.diff(1, 2)._repr_html_()
    text = re.sub(r"<[^>]+>", "|", html)
    assert re.findall(r"[+~-] (?:added|removed|changed)", text) == ["~ changed", "~ changed", "+ added", "- removed"]
    assert html.count(">posts<") == 1
    assert "1 added, 1 removed, 2 changed" in text
    assert EVIL not in html
    assert "nothing differs" in session.diff(2, 2)._repr_html_()


def test_very_long_texts_are_compared_without_taking_forever():
    words = [f"w{number}" for number in range(20_000)]
    began = time.monotonic()
    told = pieces(" ".join(words), " ".join(reversed(words)))
    assert time.monotonic() - began < 5
    assert "".join(piece.text for piece in told if piece.kind != "added") == " ".join(words)
    assert "".join(piece.text for piece in told if piece.kind != "removed") == " ".join(reversed(words))


def test_versions_read_well_in_a_plain_script(session):
    assert "3 rows · versions" in str(session.versions()).splitlines()
    assert re.match(r"version 3, saved 20\d\d-\d\d-\d\d \d\d:\d\d:\d\d UTC: set n$", str(session.versions()[-1]))
    assert f"{session.versions()}" == pretty(session.versions())


def test_of_one_version_it_is_not_said_that_there_are_several():
    session = open_storage("memory:").session("demo")
    with pytest.raises(UnknownVersion, match=r"no version 9; it has none yet$"):
        session.at(9)
    session.state["n"] = 1
    session.save()
    with pytest.raises(UnknownVersion, match=r"no version 9; there is only 1$"):
        session.at(9)
