"""What every storage says of itself: sessions, runs, events and state as tables, and SQL that can only read."""

from __future__ import annotations

import signal
import threading
import time
from datetime import UTC, date, datetime
from decimal import Decimal

import duckdb
import numpy as np
import pytest

from wf_notebook import Workflow
from wf_notebook.cancel import CancelToken
from wf_notebook.errors import BadQuery, SessionConflict, UnknownPath, UnknownRun, UnknownSession

EVIL = """x'); DROP TABLE state_log; --"<b>"""


def saved(storage, session_id="demo", **state):
    session = storage.session(session_id)
    session.state.update(state)
    session.save()
    return session


class Talk(Workflow):
    def run(self, topic: str):
        self.session_state["topic"] = topic
        yield f"On {topic}"


# -- sessions, runs, events ----------------------------------------------------------------------------------------------------


def test_sessions_are_listed_newest_first_without_branches_and_deleted_ones(database):
    storage = database.open()
    for name in ("one", "two", "gone", "ann@example.com"):
        saved(storage, name, n=1)
    one, other = storage.session("two"), storage.session("two")
    one.state["n"], other.state["n"] = 2, 3
    one.save()
    with pytest.raises(SessionConflict):
        other.save()
    storage.delete_session("gone")
    listed = storage.sessions()
    assert listed["session_id"] == ["two", "ann@example.com", "one"]
    assert [str(kind) for kind in listed.df()[["versions", "updated_at"]].dtypes] == ["int64", "datetime64[us, UTC]"]


def test_sessions_can_be_asked_by_user_and_workflow(database):
    storage = database.open()
    for session_id, user in (("one", "ann"), ("two", "bob")):
        Talk(session_id=session_id, user_id=user, storage=storage).run("cats").result()
    assert storage.sessions(user_id="ann")["session_id"] == ["one"]
    assert len(storage.sessions(workflow="Talk")) == 2
    assert len(storage.sessions(workflow="Other")) == 0


def test_a_storage_of_which_nothing_was_saved_lists_nothing(database):
    storage = database.open()
    assert (len(storage.sessions()), len(storage.runs())) == (0, 0)
    assert storage.runs().columns[:3] == ["session_id", "workflow", "status"]


def test_runs_have_their_inputs_status_and_times(database):
    storage = database.open()
    talk = Talk(session_id="demo", storage=storage)
    talk.run("cats").result()
    talk.run("dogs").result()
    listed = storage.runs("demo")
    assert [(row["status"], row["inputs"], row["content"], row["changes"]) for row in listed] == [
        ("completed", {"topic": "dogs"}, "On dogs", {"topic": "set"}),
        ("completed", {"topic": "cats"}, "On cats", {"topic": "set"}),
    ]
    frame = listed.df()
    assert (str(frame["started_at"].dtype), str(frame["duration"].dtype)) == ("datetime64[us, UTC]", "float64")
    assert list(storage.runs()) == list(listed)


def test_events_are_what_a_run_said_in_order(database):
    storage = database.open()
    talk = Talk(session_id="demo", storage=storage)
    talk.run("cats").result()
    said = storage.events(talk.last_run.run_id)
    assert "On cats" in said["content"]
    assert said["seq"] == sorted(said["seq"])
    with pytest.raises(UnknownRun, match="no run 'nope' in"):
        storage.events("nope")


def test_a_session_that_is_not_there_is_an_error_with_the_nearest_name(database):
    storage = database.open()
    with pytest.raises(UnknownSession, match="it has no session yet"):
        storage.state("demo")
    saved(storage, "blog", n=1)
    with pytest.raises(UnknownSession, match=r"no session 'blgo' in .*; did you mean 'blog'?"):
        storage.state("blgo")
    with pytest.raises(UnknownSession):
        storage.runs("blgo")


# -- state ---------------------------------------------------------------------------------------------------------------------


def test_state_has_a_row_for_each_key_with_its_value_as_it_was(database):
    storage = database.open()
    session = saved(storage, topic="cheese", at=datetime(2026, 1, 2, tzinfo=UTC), price=Decimal("1.10"), array=np.arange(3))
    session.state["topic"] = "wine"
    session.save()
    rows = {row["key"]: row for row in storage.state("demo")}
    assert (rows["topic"]["value"], rows["topic"]["type"], rows["topic"]["version"]) == ("wine", "str", 2)
    assert (rows["price"]["value"], rows["price"]["version"]) == (Decimal("1.10"), 1)
    assert rows["at"]["value"] == datetime(2026, 1, 2, tzinfo=UTC)
    assert rows["array"]["value"].tolist() == [0, 1, 2]
    assert rows["topic"]["saved_at"].tzinfo is UTC


@pytest.mark.parametrize("path", ["stats.posts", ("stats", "posts"), 'session_state["stats"]["posts"]'])
def test_a_list_of_dicts_becomes_rows_wherever_it_lies(database, path):
    storage = database.open()
    saved(storage, stats={"posts": [{"title": "a", "on": date(2026, 1, 2)}, {"title": "b", "n": 2}]})
    frame = storage.state("demo", path=path).df()
    assert list(frame.columns) == ["title", "on", "n"]
    assert frame["title"].tolist() == ["a", "b"]
    assert frame["on"][0] == date(2026, 1, 2)


def test_a_path_may_go_through_numbers_and_keys_with_dots(database):
    storage = database.open()
    saved(storage, **{"a.b": {"c": [{"n": 7}]}}, posts=[{"tags": ["x", "y"]}])
    assert storage.state("demo", "a.b.c.0.n")["value"] == [7]
    assert storage.state("demo", "posts.0.tags")["value"] == ["x", "y"]


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("blgo_posts", "no key 'blgo_posts'; did you mean 'blog_posts'"),
        ("blog_posts.5", "no item '5'; there are 0 to 0"),
        ("blog_posts.0.title.x", "there is no 'x' in a value of type str"),
        (EVIL, "no key"),
    ],
)
def test_a_path_that_leads_nowhere_says_where_it_ended(database, path, said):
    storage = database.open()
    saved(storage, blog_posts=[{"title": "a"}])
    with pytest.raises(UnknownPath, match=said):
        storage.state("demo", path)


def test_the_state_of_a_branch_is_found_by_the_name_that_is_shown(database):
    storage = database.open()
    saved(storage, n=0)
    one, two = storage.session("demo"), storage.session("demo")
    one.state["n"], two.state["n"] = 1, 2
    one.save()
    with pytest.raises(SessionConflict) as conflict:
        two.save()
    assert storage.state(conflict.value.branch, "n")["value"] == [2]
    assert storage.state("demo", "n")["value"] == [1]


def test_hostile_names_are_only_names(database):
    storage = database.open()
    saved(storage, EVIL, **{EVIL: [{EVIL: EVIL}]})
    assert storage.state(EVIL, (EVIL,))[0] == {EVIL: EVIL}
    assert storage.state(EVIL, EVIL)[0] == {EVIL: EVIL}
    assert storage.sessions()["session_id"] == [EVIL]
    assert len(storage.runs(EVIL)) == 0
    assert storage.sql("SELECT key FROM session_state WHERE session_id = ?", [EVIL])["key"] == [EVIL]
    assert database.count("state_log") == 1


# -- a deleted session comes back ----------------------------------------------------------------------------------------------


def test_a_deleted_session_is_brought_back_with_its_versions(database):
    storage = database.open()
    session = saved(storage, n=1)
    session.state["n"] = 2
    session.save()
    session.rename("My demo")
    storage.delete_session("demo")
    storage.delete_session("demo")
    assert (len(storage.sessions()), database.query("SELECT * FROM session_state")) == (0, [])
    storage.restore_session("demo")
    back = storage.session("demo")
    assert (back.state, back.version, back.at(1), back.about.session_name) == ({"n": 2}, 2, {"n": 1}, "My demo")
    assert storage.sessions()["session_name"] == ["My demo"]
    assert database.query("SELECT key, version FROM session_state") == [("n", 2)]
    assert database.query("SELECT version FROM state_history ORDER BY version") == [(1,), (2,)]


def test_only_what_was_hidden_last_comes_back(database):
    storage = database.open()
    saved(storage, old=1).delete()
    saved(storage, new=1).delete()
    storage.restore_session("demo")
    assert storage.session("demo").state == {"new": 1}
    assert storage.state("demo")["key"] == ["new"]


def test_a_live_session_goes_on_after_it_came_back(database):
    storage = database.open()
    session = saved(storage, n=1)
    session.delete()
    storage.restore_session("demo")
    session.load()
    session.state["more"] = 2
    session.save()
    assert (storage.session("demo").state, session.version) == ({"n": 1, "more": 2}, 2)


@pytest.mark.parametrize("deleted_before", [False, True])
def test_only_a_deleted_session_can_be_brought_back(database, deleted_before):
    storage = database.open()
    saved(storage, n=1)
    if deleted_before:
        storage.delete_session("demo")
        saved(storage, n=2)
    said = "its id is used again" if deleted_before else "no session 'demo' was deleted"
    with pytest.raises(UnknownSession, match=said):
        storage.restore_session("demo")


# -- SQL -----------------------------------------------------------------------------------------------------------------------


def test_sql_gives_values_as_they_are(database):
    storage = database.open()
    saved(storage, posts=[{"title": "a"}], price=Decimal("1.10"), array=np.arange(3), big=["x" * 100_000])
    Talk(session_id="demo", storage=storage).run("cats").result()
    found = storage.sql("SELECT key, value, saved_at FROM session_state ORDER BY key")
    values = dict(zip(found["key"], found["value"], strict=True))
    assert (values["posts"], values["price"], values["array"].tolist()) == ([{"title": "a"}], Decimal("1.10"), [0, 1, 2])
    assert values["big"] == ["x" * 100_000]
    assert str(found.df()["saved_at"].dtype) == "datetime64[us, UTC]"
    assert storage.sql("SELECT session_state FROM workflow_sessions")[0]["session_state"]["price"] == Decimal("1.10")
    assert storage.sql("SELECT inputs, status FROM runs")[0] == {"inputs": {"topic": "cats"}, "status": "completed"}
    assert storage.sql("SELECT count(*) AS n, 1.5 AS x FROM runs")[0] == {"n": 1, "x": 1.5}


def test_sql_of_nothing_has_columns_and_no_rows(database):
    storage = database.open()
    saved(storage, n=1)
    found = storage.sql("SELECT key, version, saved_at FROM session_state WHERE key = 'nope'")
    assert (found.columns, len(found)) == (["key", "version", "saved_at"], 0)
    assert list(storage.sql("SELECT 1 AS n, 2 AS n")) == [{"n": 1, "n_1": 2}]


@pytest.mark.parametrize(
    "query",
    [
        "INSERT INTO schema_log VALUES (9, 'x', NULL)",
        "UPDATE state_log SET key = 'x'",
        "DELETE FROM state_log",
        "DELETE FROM state_log RETURNING key",
        "DROP VIEW runs",
        "CREATE TABLE mine (n INTEGER)",
        "CREATE TEMP TABLE mine AS SELECT 1",
        "ATTACH 'other.db' AS other",
        "DETACH kept",
        "COPY state_log TO 'out.csv'",
        "EXPORT DATABASE 'out'",
        "PRAGMA user_version",
        "PRAGMA query_only = OFF",
        "SET threads = 1",
        "INSTALL httpfs",
        "LOAD httpfs",
        "USE memory",
        "BEGIN",
        "COMMIT",
        "VACUUM",
        "VACUUM INTO 'out.db'",
        "CHECKPOINT",
        "SELECT 1; SELECT 2",
        "SELECT 1; DROP TABLE state_log",
        "EXPLAIN ANALYZE DELETE FROM state_log",
        "SELECT * FROM read_csv('secret.csv')",
        "SELECT * FROM read_text('secret.csv')",
        "SELECT * FROM 'secret.csv'",
        'SELECT * FROM "secret.csv"',
        "SELECT * FROM glob('*')",
        "SELECT * FROM sniff_csv('secret.csv')",
        "SELECT * FROM parquet_scan('secret.csv')",
        "SELECT load_extension('x')",
        "SELECT writefile('out.csv', 'x')",
        "SELECT * FROM nope",
        "SELEC 1",
        "SELECT ?",
        "-- nothing",
        ";",
        "",
    ],
)  # fmt: skip
def test_all_but_one_query_of_this_database_is_refused_in_one_line(database, query, working_directory):
    (working_directory / "secret.csv").write_text("a,b\n1,2\n")
    storage = database.open()
    session = saved(storage, n=1)
    before = sorted(path.name for path in working_directory.iterdir() if not path.name.startswith("runs.db"))
    with pytest.raises(BadQuery) as refusal:
        storage.sql(query)
    assert "\n" not in str(refusal.value)
    assert "; " in str(refusal.value)
    assert sorted(path.name for path in working_directory.iterdir() if not path.name.startswith("runs.db")) == before
    session.state["n"] = 2
    session.save()
    assert (database.count("state_log"), storage.session("demo").state) == (2, {"n": 2})


def test_parameters_are_values_and_no_sql(database):
    storage = database.open()
    saved(storage, n=1)
    assert list(storage.sql("SELECT ? AS x", ["1; DROP TABLE state_log"])) == [{"x": "1; DROP TABLE state_log"}]
    with pytest.raises(BadQuery):
        storage.sql("SELECT ?", [object()])


ENDLESS = "WITH RECURSIVE t(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM t) SELECT count(*) FROM t"


def test_a_query_that_takes_too_long_is_ended_and_the_storage_goes_on(database):
    storage = database.open()
    session = saved(storage, n=1)
    began = time.monotonic()
    with pytest.raises(BadQuery, match=r"the query took more than 0\.3 s"):
        storage.sql(ENDLESS, seconds=0.3)
    assert time.monotonic() - began < 5
    session.state["n"] = 2
    session.save()
    assert storage.sql("SELECT value FROM session_state")["value"] == [2]


def test_an_interrupt_ends_a_query_at_once_and_the_storage_goes_on(database):
    storage = database.open()
    session = saved(storage, n=1)
    main = threading.main_thread().ident
    interrupting = threading.Timer(0.3, lambda: signal.pthread_kill(main, signal.SIGINT))
    interrupting.start()
    began = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        storage.sql(ENDLESS)
    assert time.monotonic() - began < 5
    session.state["n"] = 2
    session.save()
    assert storage.sql("SELECT value FROM session_state")["value"] == [2]


def test_a_stop_from_another_thread_ends_a_query_and_the_storage_goes_on(database):
    storage = database.open()
    session = saved(storage, n=1)
    stop = CancelToken()
    pressing = threading.Timer(0.3, stop.cancel)
    pressing.start()
    with pytest.raises(BadQuery, match="the query was stopped"):
        storage.sql(ENDLESS, stop=stop)
    with pytest.raises(BadQuery, match="the query was stopped"):
        storage.sql(ENDLESS, stop=stop)
    session.state["n"] = 2
    session.save()
    assert storage.sql("SELECT value FROM session_state")["value"] == [2]


def test_a_query_with_too_many_rows_is_refused(database):
    storage = database.open()
    saved(storage, **{f"key{number}": number for number in range(5)})
    with pytest.raises(BadQuery, match="the query gives more than 4 rows; add a LIMIT"):
        storage.sql("SELECT * FROM session_state", rows=4)
    assert len(storage.sql("SELECT * FROM session_state", rows=5)) == 5


def test_a_query_of_a_storage_that_is_not_there_yet_makes_no_file(file_database):
    with pytest.raises(BadQuery, match="is empty yet; the first save makes it"):
        file_database.open().sql("SELECT 1")
    assert not file_database.path.exists()


def test_an_answer_holds_nothing_so_that_another_process_saves_at_once(file_database, python):
    storage = file_database.open()
    saved(storage, n=1)
    answer = storage.sql("SELECT * FROM session_state")
    saving = "import sys; from wf_notebook import open_storage\n"
    saving += "session = open_storage(sys.argv[1]).session('demo'); session.state['n'] = 2; session.save()"
    python(saving, file_database.url)
    assert (answer[0]["value"], storage.sql("SELECT value FROM session_state")[0]["value"]) == (1, 2)


def test_a_save_that_comes_while_a_query_is_made_waits_for_its_end(database):
    storage = database.open()
    session = saved(storage, n=1)
    asked: list[Exception] = []

    def ask() -> None:
        try:
            storage.sql(ENDLESS, seconds=0.5)
        except BadQuery as error:
            asked.append(error)

    asking = threading.Thread(target=ask)
    asking.start()
    session.state["n"] = 2
    session.save()
    asking.join()
    assert (len(asked), storage.session("demo").state) == (1, {"n": 2})


def test_beside_a_connection_of_the_users_own_a_query_reads_too_and_only_this_file(duck, working_directory):
    (working_directory / "secret.csv").write_text("a,b\n1,2\n")
    storage = duck.open()
    saved(storage, n=1)
    with duckdb.connect(duck.path) as mine:
        assert storage.sql("SELECT key, value FROM session_state")[0] == {"key": "n", "value": 1}
        assert storage.sql("WITH t AS (FROM range(3)) SELECT count(*) AS n FROM t")[0] == {"n": 3}
        for query in (
            "SELECT * FROM read_csv('secret.csv')",
            "FROM 'secret.csv'",
            "FROM glob('*')",
            "DELETE FROM state_log",
            "FROM duckdb_secrets()",
            "SELECT current_setting('s3_secret_access_key')",
        ):
            with pytest.raises(BadQuery):
                storage.sql(query)
        assert mine.sql("SELECT current_setting('enable_external_access')").fetchall() == [(True,)]
        mine.execute("CREATE TABLE own (n INTEGER)")
