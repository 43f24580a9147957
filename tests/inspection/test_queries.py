"""The SQL box of an inspector, asked as its page asks: what a query gives, what it must not do, and how it ends."""

from __future__ import annotations

import json
import threading
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import pytest

from wf_notebook import Workflow
from wf_notebook.errors import BadQuery
from wf_notebook.inspection import Inspector, answer
from wf_notebook.redact import register_secret
from wf_notebook.storage import asking, open_storage
from wf_notebook.storage.schema import quoted

HOSTILE = json.loads((Path(__file__).parents[1] / "data" / "hostile.json").read_text(encoding="utf-8"))
ENDLESS = "WITH RECURSIVE t(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM t) SELECT count(*) FROM t"
DIGITS = "WITH d(n) AS (VALUES (0), (1), (2), (3), (4), (5), (6), (7), (8), (9))"
MANY = (
    DIGITS
    + " SELECT a.n + 10 * b.n + 100 * c.n + 1000 * e.n + 10000 * f.n + 100000 * g.n + 1 AS n"
    + (" FROM d a, d b, d c, d e, d f, d g ORDER BY 1 LIMIT {}")
)


@pytest.fixture(
    params=["duckdb:///runs.db", "sqlite:///runs.db", "memory:", pytest.param("postgres", marks=pytest.mark.postgres)]
)
def storage(request, place):
    with open_storage(place(request.param)) as storage:
        session = storage.session("demo")
        session.state.update(posts=[{"title": "a"}, {"title": "b"}], topic="cheese", n=1)
        session.save()
        yield storage


@pytest.fixture
def looking(storage):
    return Inspector(storage, session="demo")


def ask(looking, op, **fields):
    """Return the result of what a page asks for; an error is raised as what it was answered with."""
    answered = json.loads(json.dumps(answer(looking, {"id": 1, "op": op, **fields})))
    assert answered["ok"], answered["error"]
    return answered["result"]


def refused(looking, query, **fields):
    """Return why a query is refused, in one line."""
    answered = answer(looking, {"id": 1, "op": "sql", "query": query, **fields})
    assert (answered["ok"], answered.get("kind")) == (False, "BadQuery"), answered
    assert "\n" not in answered["error"]
    assert "; " in answered["error"]
    return answered["error"]


def kept(storage):
    """Return all bytes that a storage has, and those that lie beside it."""
    if storage.url == "memory:":
        return storage._kept.connection.serialize()
    storage.close()
    return {path.name: path.read_bytes() for path in Path().iterdir()}


# -- what it gives -------------------------------------------------------------------------------------------------------------


def test_a_result_is_told_with_its_columns_and_given_in_pages_of_texts(looking):
    found = ask(looking, "sql", query=MANY.format(250))
    assert (found["total"], found["columns"]) == (250, [{"name": "n", "type": "integer", "right": True}])
    assert ask(looking, "sql_rows", result=found["result"], start=200, count=100)["rows"] == [[str(n)] for n in range(201, 251)]
    assert ask(looking, "sql_rows", result=found["result"], start=250, count=100)["rows"] == []


def test_values_of_the_state_are_shown_as_values_and_a_long_one_can_be_opened(looking):
    session = looking.session
    session.state["essay"] = "word " * 500
    session.save()
    found = ask(looking, "sql", query="SELECT key, value, run_id FROM session_state WHERE key <> 'n' ORDER BY key")
    essay, *others = ask(looking, "sql_rows", result=found["result"])["rows"]
    assert others == [["posts", "[{'title': 'a'}, {'title': 'b'}]", None], ["topic", "cheese", None]]
    assert (len(essay[1]), essay[1][-1]) == (200, "…")
    assert ask(looking, "sql_cell", result=found["result"], row=0, column=1)["text"] == "word " * 500


def test_columns_of_one_name_are_told_apart_and_numbers_are_exact(looking):
    found = ask(looking, "sql", query="SELECT 1 AS n, 0.123456789 AS n, NULL AS n")
    assert [column["name"] for column in found["columns"]] == ["n", "n_1", "n_2"]
    assert ask(looking, "sql_rows", result=found["result"])["rows"][0][::2] == ["1", None]
    assert looking.results.run("SELECT 1e-7 AS x").page(0, 1) == [["1e-07"]]


def test_hostile_names_and_values_arrive_as_the_texts_that_they_are(looking):
    most = 15 if looking.storage.dialect.name == "postgres" else 90  # a name has 63 bytes there
    texts = list(dict.fromkeys(payload["text"].replace("\x00", "")[:most] or "x" for payload in HOSTILE))
    for some in (texts[start : start + 40] for start in range(0, len(texts), 40)):
        listed = ", ".join(f"{_quoted(text)} AS {quoted(text)}" for text in some)
        found = ask(looking, "sql", query=f"SELECT {listed}")
        assert [column["name"] for column in found["columns"]] == some
        assert ask(looking, "sql_rows", result=found["result"])["rows"] == [some]


def test_a_secret_is_not_shown_in_cells_names_or_errors(looking):
    register_secret("api_key", "sk-secret-of-the-box")
    found = ask(looking, "sql", query="SELECT 'x sk-secret-of-the-box' AS \"sk-secret-of-the-box\"")
    assert found["columns"][0]["name"] == "<redacted api_key>"
    assert ask(looking, "sql_rows", result=found["result"])["rows"] == [["x <redacted api_key>"]]
    assert ask(looking, "sql_cell", result=found["result"], row=0, column=0)["text"] == "x <redacted api_key>"
    assert "sk-secret" not in refused(looking, 'SELECT * FROM "sk-secret-of-the-box"')


def test_an_answer_stays_small_however_wide_and_long_the_result_is(looking):
    columns = ", ".join(f"replace('{'y' * 300}', 'y', 'x') AS column_{number}" for number in range(150))
    found = ask(looking, "sql", query=f"SELECT {columns} FROM ({MANY.format(200)}) t")
    assert (len(found["columns"]), found["left_out"], found["total"]) == (50, 100, 200)
    page = ask(looking, "sql_rows", result=found["result"], start=0, count=10_000)["rows"]
    assert (len(page), len(page[0])) == (100, 50)
    assert len(json.dumps(page, ensure_ascii=False)) < 130_000


def test_half_of_a_surrogate_pair_does_not_keep_the_answer_from_its_page(looking):
    found = looking.results.run("SELECT '\"\\ud800\"' AS value")
    json.dumps([found.page(0, 1), found.whole(0, 0)], ensure_ascii=False).encode()


# -- what it must not do -------------------------------------------------------------------------------------------------------

FORBIDDEN = [
    "INSERT INTO schema_log VALUES (9, 'x', NULL)",
    "UPDATE state_log SET key = 'x' RETURNING key",
    "DELETE FROM state_log",
    "REPLACE INTO blob (hash) VALUES ('x')",
    "WITH t AS (SELECT 1) INSERT INTO schema_log SELECT 9, 'x', NULL FROM t",
    "EXPLAIN ANALYZE DELETE FROM state_log",
    "CREATE TEMP TABLE mine AS SELECT 1",
    "CREATE OR REPLACE VIEW runs AS SELECT 1",
    "ALTER TABLE state_log RENAME TO mine",
    "SELECT 1; DELETE FROM state_log",
    "ATTACH 'other.db' AS other",
    "ATTACH 'https://example.com/other.duckdb'",
    "DETACH kept",
    "USE memory",
    "COPY (SELECT 1) TO 'out.csv'",
    "COPY blob FROM 'secret.csv'",
    "EXPORT DATABASE 'out'",
    "VACUUM INTO 'out.db'",
    "INSTALL httpfs",
    "LOAD httpfs",
    "SET enable_external_access = true",
    "SET memory_limit = '100GB'",
    "PRAGMA database_list",
    "PRAGMA writable_schema = ON",
    "CALL pragma_version()",
    "CHECKPOINT",
    "SELECT * FROM force_checkpoint()",
    "SELECT * FROM enable_logging(storage='file', storage_path='logs')",
    "SELECT * FROM enable_profiling(save_location='profile.json')",
    "FROM 'secret.csv'",
    'SELECT * FROM "secret.csv"',
    "SELECT * FROM 'https://example.com/x.csv'",
    "SELECT * FROM '/etc/passwd'",
    *(
        f"SELECT * FROM {function}('secret.csv')"
        for function in ("read_csv", "read_text", "read_blob", "read_json", "parquet_scan", "sniff_csv", "query_table")
    ),
    "SELECT * FROM glob('*')",
    "SELECT * FROM read_duckdb('other.duckdb')",
    "SELECT * FROM sqlite_scan('other.db', 't')",
    "SELECT * FROM query('SELECT * FROM read_text(''secret.csv'')')",
    "SELECT * FROM duckdb_secrets()",
    "SELECT * FROM arrow_scan(1, 2, 3)",
    "SELECT readfile('secret.csv')",
    "SELECT writefile('out.csv', 'x')",
    "SELECT load_extension('x')",
    "SELECT edit('x')",
    "SELECT getenv('HOME')",
    "SELECT fts3_tokenizer('simple')",
    "SELECT nope FROM runs",
    "",
    "  ",
]


#: What tells the settings of a connection: of a user's own these may be keys.
SETTINGS = [
    "SELECT * FROM duckdb_settings()",
    "SELECT * FROM pg_catalog.pg_settings",
    "SELECT current_setting('s3_secret_access_key')",
    "SELECT * FROM duckdb_logs",
]


def test_it_neither_writes_nor_reads_anything_else_and_no_byte_changes(looking, storage):
    Path("secret.csv").write_text("a,b\n1,2\n")
    before = kept(storage)
    for query in FORBIDDEN:
        refused(looking, query)
    assert kept(storage) == before
    assert ask(looking, "sql", query="SELECT key FROM session_state")["total"] == 3


def test_what_is_no_text_is_no_query(looking):
    for query in (None, 1, ["SELECT 1"]):
        refused(looking, query)


# -- what it may take ----------------------------------------------------------------------------------------------------------


def test_a_runaway_is_ended_by_its_time_and_the_storage_goes_on(looking):
    millions = f"({MANY.format(1_000_000)})"
    for query in (ENDLESS, f"SELECT count(*) FROM {millions} a, {millions} b, {millions} c"):
        with pytest.raises(BadQuery, match=r"the query took more than 0\.3 s"):
            looking.query(query, seconds=0.3)
    looking.session.state["n"] = 2
    assert looking.query("SELECT count(*) AS n FROM session_state")[0] == {"n": 3}


def test_a_result_of_too_many_rows_or_of_too_much_memory_is_refused(looking, storage):
    assert "the query gives more than 100,000 rows" in refused(looking, MANY.format(100_001))
    with pytest.raises(BadQuery, match=r"the query gives more than 0\.01 MB; ask for fewer columns, or add a LIMIT"):
        storage.ask(f"SELECT '{'x' * 100}' AS text FROM ({MANY.format(1000)}) t", (), asking.Bounds(size=10_000))


def test_a_query_that_needs_too_much_memory_is_ended(storage):
    if storage.url.startswith("duckdb"):
        query, said = (
            f"SELECT count(DISTINCT 'a text of some length ' || n) FROM ({MANY.format(1_000_000)})",
            r"the query needs more than 0\.03 GB of memory",
        )
    elif storage.url.startswith("postgres"):  # there the server's memory is its own matter
        query, said = "SELECT repeat('x', 40000000)", "the query gives more than 30 MB"
    else:
        query, said = "SELECT hex(zeroblob(20000000))", "string or blob too big"
    with pytest.raises(BadQuery, match=said):
        storage.ask(query, (), asking.Bounds(size=30_000_000, memory=30_000_000))
    assert storage.sql("SELECT count(*) AS n FROM session_state")[0] == {"n": 3}


def test_of_the_results_the_last_few_are_kept(looking):
    first, *others = [ask(looking, "sql", query=f"SELECT {number} AS n")["result"] for number in range(4)]
    answered = answer(looking, {"id": 1, "op": "sql_rows", "result": first})
    assert answered["error"] == "this result is not kept any more; run the query again"
    assert [ask(looking, "sql_rows", result=number)["rows"] for number in others] == [[["1"]], [["2"]], [["3"]]]


# -- how it ends ---------------------------------------------------------------------------------------------------------------


def asked(looking, query, run):
    """Ask in a thread; return that, and where its answer will be."""
    answers = []
    thread = threading.Thread(
        target=lambda: answers.append(answer(looking, {"id": run, "op": "sql", "query": query, "run": run}))
    )
    thread.start()
    return thread, answers


def test_a_stop_from_another_thread_ends_the_query_that_runs(looking):
    thread, answers = asked(looking, ENDLESS, "one")
    assert not thread.join(0.3)
    ask(looking, "sql_stop", run="one")
    thread.join()
    assert answers[0]["error"] == "the query was stopped; run it again, or ask for less"
    assert ask(looking, "sql", query="SELECT count(*) AS n FROM session_state")["total"] == 1


def test_a_stop_that_comes_before_its_query_ends_that_and_no_other(looking):
    ask(looking, "sql_stop", run="one")
    assert "the query was stopped" in refused(looking, ENDLESS, run="one")
    assert ask(looking, "sql", query="SELECT 1 AS n", run="two")["total"] == 1


def test_a_query_that_waits_for_another_one_can_be_stopped_too(looking):
    first = asked(looking, ENDLESS, "first")
    second = asked(looking, ENDLESS, "second")
    assert not second[0].join(0.2)
    ask(looking, "sql_stop", run="second")
    ask(looking, "sql_stop", run="first")
    for thread, answers in (first, second):
        thread.join()
        assert answers[0]["error"] == "the query was stopped; run it again, or ask for less"


def test_a_page_that_asks_again_for_what_it_asked_for_waits_for_that(looking):
    assert [ask(looking, "sql", query="SELECT 1 AS n", run="one")["result"] for _ in range(2)] == [1, 1]
    refusals = [refused(looking, "SELECT nope FROM runs", run="two") for _ in range(2)]
    assert refusals[0] == refusals[1]


# -- what there is to ask for --------------------------------------------------------------------------------------------------


class Talk(Workflow):
    def run(self, topic: str):
        self.session_state["topic"] = topic
        yield f"On {topic}"


@pytest.mark.parametrize("session", ["demo", "it's  two", "ann@example.com", ""])
def test_the_views_and_the_examples_can_all_be_asked_for(looking, storage, session):
    if session:
        list(Talk(session_id=session, storage=storage).run(topic="cats"))
    found = ask(looking, "schema", session=session)
    assert [view["name"] for view in found["views"]] == [
        *("session_state", "state_history", "sessions", "runs", "events", "steps", "workflow_sessions")
    ]
    assert [column["name"] for column in found["views"][0]["columns"]][:3] == ["session_id", "key", "value"]
    for query in [view["query"] for view in found["views"]]:
        ask(looking, "sql", query=query)
    totals = [ask(looking, "sql", query=example["query"])["total"] for example in found["examples"]]
    assert totals[0] == {"demo": 3, "": 3}.get(session, 1)
    assert totals[2] == (1 if session else 0)


def test_an_empty_storage_has_no_views_and_says_why_it_cannot_be_asked():
    looking = Inspector(open_storage("duckdb:///new.duckdb"))
    assert ask(looking, "schema")["views"] == []
    assert "is empty yet; the first save makes it" in refused(looking, "SELECT 1")
    assert not list(Path().glob("new.duckdb*"))


# -- what Python has of it -----------------------------------------------------------------------------------------------------


def test_a_query_in_python_gives_its_table_and_is_what_the_page_shows(looking):
    table = looking.query("SELECT key, value FROM session_state WHERE key = 'posts'")
    assert list(table) == [{"key": "posts", "value": [{"title": "a"}, {"title": "b"}]}]
    assert (looking.place.view, looking.sql) == ("sql", looking.place.query)
    assert ask(looking, "sql_result", query=looking.sql)["total"] == 1
    assert ask(looking, "sql_result", query="SELECT 2") is None


def test_a_frame_is_what_is_on_the_screen(looking, storage):
    session = looking.session
    session.state |= {"scores": pd.DataFrame({"x": [1, 2]}), "weights": np.arange(3), "stats": {"inner": [{"n": 5}]}}
    session.save()
    assert looking.frame()["key"].tolist() == ["posts", "topic", "n", "scores", "weights", "stats"]
    assert list(looking.frame().columns) == ["key", "value", "type", "version", "saved_at"]
    for path, columns, rows in [
        (("posts",), ["title"], [["a"], ["b"]]),
        (("scores",), ["x"], [[1], [2]]),
        (("weights",), ["value"], [[0], [1], [2]]),
        (("stats", "inner"), ["n"], [[5]]),
    ]:
        looking.go(path=path)
        assert (list(looking.frame().columns), looking.frame().to_numpy().tolist()) == (columns, rows)
    looking.go(path=("topic",), version=1)
    assert looking.frame().to_numpy().tolist()[1:] == [["topic", "cheese", "str"], ["n", 1, "int"]]
    looking.go(version=None, view="history")
    assert looking.frame().shape[0] == len(session.diff())
    list(Talk(session_id="demo", storage=storage).run(topic="cats"))
    looking.go(view="runs")
    assert looking.frame()["status"].tolist() == ["completed"]
    looking.query("SELECT 1 AS n UNION ALL SELECT 2")
    assert looking.frame()["n"].tolist() == [1, 2]
    looking.go(view="state", session="")
    assert looking.frame()["session_id"].tolist() == ["demo"]


def test_times_that_python_does_not_have_are_shown_as_texts():
    with open_storage("duckdb:///runs.db") as storage:
        storage.session("demo").save()
        session = storage.session("demo")
        session.state["n"] = 1
        session.save()
        assert storage.sql("SELECT TIMESTAMP '290309-12-22 (BC) 00:00:00' AS t")["t"] == ["290309-12-22 (BC) 00:00:00"]


def test_beside_a_connection_of_the_users_own_it_only_reads_too():
    storage = open_storage("duckdb:///runs.db")
    session = storage.session("demo")
    session.state["n"] = 1
    session.save()
    Path("secret.csv").write_text("a,b\n1,2\n")
    looking = Inspector(storage)
    with duckdb.connect(storage.path) as mine:
        mine.execute("CREATE SECRET key (TYPE http, BEARER_TOKEN 'sk-of-mine')")
        for query in [*FORBIDDEN, *SETTINGS]:
            refused(looking, query)
        assert mine.sql("SELECT current_setting('enable_external_access')").fetchall() == [(True,)]
        assert looking.query("SELECT key, value FROM session_state")[0] == {"key": "n", "value": 1}


def _quoted(text):
    return "'" + text.replace("'", "''") + "'"
