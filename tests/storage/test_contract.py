"""The contract of every storage: memory, SQLite, DuckDB and Postgres keep a session in the same way."""

from __future__ import annotations

import json
import os
import re
import socket
import stat
import subprocess
from copy import deepcopy
from datetime import UTC, datetime
from ipaddress import ip_network

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import HttpUrl

from wf_notebook import Workflow, changes
from wf_notebook.errors import BadStorage, SessionConflict, SessionOwned, StorageFailed, UnsavableValue
from wf_notebook.journal import end_row, start_row
from wf_notebook.run import Run
from wf_notebook.session import Session
from wf_notebook.storage import WorkflowStorage, open_storage
from wf_notebook.transaction import About, Records

IN_A_NEW_PROCESS = """
import json, sys
from wf_notebook import open_storage
session = open_storage(sys.argv[1]).session(sys.argv[2])
print(json.dumps([session.state, session.version]))
"""


def saved(storage: WorkflowStorage, session_id: str = "demo", **state) -> Session:
    session = storage.session(session_id)
    session.state.update(state)
    session.save()
    return session


def a_run(run_id: str = "run-1", **changed) -> Run:
    ids = {"run_id": run_id, "session_id": "demo", "workflow": "Blog", "workflow_id": "w-1"}
    times = {"started_at": datetime(2026, 1, 2, 3, 4, 5, 678900, UTC), "ended_at": datetime(2026, 1, 2, 3, 4, 7, tzinfo=UTC)}
    return Run(**{**ids, **times, "status": "completed", "inputs": {"topic": "cheese"}, **changed})


# -- state ---------------------------------------------------------------------------------------------------------------------


def test_a_new_session_is_empty_and_at_version_0(database):
    session = database.open().session("demo")
    assert (session.state, session.version) == ({}, 0)


def test_every_storage_follows_the_protocol(database):
    assert isinstance(database.open(), WorkflowStorage)


def test_a_session_is_there_for_a_new_object(database):
    saved(database.open(), topic="cheese", posts=[{"title": "a"}])
    session = database.open().session("demo")
    assert (session.state, session.version) == ({"topic": "cheese", "posts": [{"title": "a"}]}, 1)


def test_a_session_is_there_in_a_new_process(lasting_database, python):
    saved(lasting_database.open(), topic="käse", deep={"a": [1, 2.5, None, True]})
    assert json.loads(python(IN_A_NEW_PROCESS, lasting_database.url, "demo")) == [
        {"topic": "käse", "deep": {"a": [1, 2.5, None, True]}},
        1,
    ]


def test_a_url_an_address_and_a_pattern_are_what_they_were_in_a_new_process(lasting_database, python):
    pattern, network = re.compile("a+", re.IGNORECASE), ip_network("10.0.0.0/8")
    saved(lasting_database.open(), url=HttpUrl("https://example.com/a"), network=network, pattern=pattern)
    code = "import sys, wf_notebook; print(wf_notebook.open_storage(sys.argv[1]).session('demo').state)"
    assert python(code, lasting_database.url) == (
        "{'url': HttpUrl('https://example.com/a'), 'network': IPv4Network('10.0.0.0/8'),"
        " 'pattern': re.compile('a+', re.IGNORECASE)}"
    )
    assert lasting_database.open().session("demo").state["pattern"] == pattern


def test_keys_come_back_in_the_order_in_which_they_were_set(database):
    saved(database.open(), **dict.fromkeys("zebra", 1))
    assert list(database.open().session("demo").state) == list("zebra")


def test_a_save_appends_rows_for_changed_keys_only(database):
    session = saved(database.open(), **{f"key{number}": number for number in range(20)})
    session.state["key3"] = "new"
    session.state["key4"] = "new"
    session.save()
    assert (database.count("state_log"), session.version) == (22, 2)


def test_an_edit_inside_a_value_is_a_change(database):
    session = saved(database.open(), posts=[{"tags": []}])
    session.state["posts"][0]["tags"].append("new")
    session.save()
    assert database.open().session("demo").state == {"posts": [{"tags": ["new"]}]}


def test_a_deletion_is_a_deletion(database):
    session = saved(database.open(), topic="cheese", draft="x")
    del session.state["draft"]
    session.save()
    assert database.open().session("demo").state == {"topic": "cheese"}
    assert database.query("SELECT key FROM session_state") == [("topic",)]


def test_a_deleted_key_can_be_set_again(database):
    session = saved(database.open(), topic="cheese")
    del session.state["topic"]
    session.save()
    session.state["topic"] = "wine"
    session.save()
    assert database.open().session("demo").state == {"topic": "wine"}


@pytest.mark.parametrize("kept", [True, False], ids=["one session", "each save in a session of its own"])
def test_a_value_that_only_grows_is_set_as_a_whole_again_where_its_changes_are_longer_and_each_version_is_there(
    database, kept, monkeypatch
):
    monkeypatch.setattr(changes, "LONG", 500)
    session = saved(database.open(), posts=["first"], seen={}, other=1)
    for number in range(40):
        session = session if kept else database.open().session("demo")
        session.state["posts"].append(f"post {number}")
        session.state["seen"][f"{number % 7}"] = number
        session.save()
    states = [
        {
            "posts": ["first", *(f"post {number}" for number in range(count))],
            "seen": {f"{number % 7}": number for number in range(count)},
            "other": 1,
        }
        for count in range(41)
    ]
    assert [session.at(version) for version in range(1, 42)] == states
    history = "SELECT value FROM state_history WHERE key = ? ORDER BY version"
    assert [json.loads(text) for (text,) in database.query(history, "posts")] == [state["posts"] for state in states]
    assert [json.loads(text) for (text,) in database.query(history, "seen")][-1] == states[-1]["seen"]
    sets = "SELECT count(*) FROM state_log WHERE op = 'set' AND key = ?"
    assert [database.query(sets, key) for key in ("posts", "seen", "other")] == [[(6,)], [(6,)], [(1,)]]


def test_versions_count_the_saves_from_1_without_a_gap(database):
    session = database.open().session("demo")
    for number in range(5):
        session.state["n"] = number
        session.save()
        session.save()
    assert database.query("SELECT DISTINCT version FROM state_history ORDER BY version") == [(1,), (2,), (3,), (4,), (5,)]


def test_a_save_without_a_change_writes_nothing(database):
    session = saved(database.open(), topic="cheese")
    tables = ("state_log", "session_log", "run_log", "event_log")
    before = [database.count(table) for table in tables]
    session.save()
    again = database.open().session("demo")
    assert again.state == {"topic": "cheese"}
    again.save()
    assert ([database.count(table) for table in tables], again.version) == (before, 1)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.dictionaries(
        st.text(st.characters(exclude_categories=["Cs"])),
        st.recursive(
            st.none()
            | st.booleans()
            | st.integers()
            | st.floats(allow_nan=False, allow_infinity=False)
            | st.text(st.characters(exclude_categories=["Cs"])),
            lambda inner: st.lists(inner) | st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), inner),
            max_leaves=8,
        ),
        max_size=4,
    )
)
def test_everything_that_json_has_comes_back_as_it_was(database, state):
    storage = database.open()
    session = storage.session("any")
    session.replace(state)
    session.save()
    assert json.dumps(storage.session("any").state, sort_keys=True) == json.dumps(state, sort_keys=True)


@pytest.mark.parametrize("value", [2**70, 10**400, -0.0, 5e-324, "a\0b", "\u2028", "'\";--", 1.0, {"": 1}, "x" * 3_000_000])
def test_odd_values_come_back_as_they_were(database, value):
    saved(database.open(), odd=value)
    (back,) = database.open().session("demo").state.values()
    assert (repr(back), type(back)) == (repr(value), type(value))


@pytest.mark.parametrize(
    "value", [np.float64(0.5), np.arange(3), np.datetime64("2026-01-01"), bytearray(b"abc"), b"abc", (1, b"abc")], ids=repr
)
@pytest.mark.parametrize("deep", [False, True], ids=["flat", "deep"])
def test_what_is_added_to_a_long_list_or_dict_comes_back_as_it_was(database, value, deep):
    added = {"in": [value]} if deep else value
    session = saved(database.open(), scores=["long " * 100], named={"a": "long " * 100})
    session.state["scores"].append(added)
    session.state["named"]["b"] = added
    session.save()
    state = database.open().session("demo").state
    for there in (state["scores"][1], state["named"]["b"]):
        back = there["in"][0] if deep else there
        assert (type(back), repr(back)) == (type(value), repr(value))


# -- two sides -----------------------------------------------------------------------------------------------------------------


def test_what_another_saved_arrives_at_the_next_load(database):
    mine = saved(database.open(), topic="cheese")
    saved(database.open(), seen=["gouda"])
    mine.load()
    assert (mine.state, mine.version) == ({"topic": "cheese", "seen": ["gouda"]}, 2)


def test_a_save_merges_with_what_another_saved_and_leaves_the_live_dict_alone(database):
    mine, yours = saved(database.open(), n=1), database.open().session("demo")
    yours.state["yours"] = 1
    yours.save()
    mine.state["mine"] = 1
    mine.save()
    assert mine.state == {"n": 1, "mine": 1}
    mine.load()
    assert mine.state == {"n": 1, "mine": 1, "yours": 1}
    assert database.open().session("demo").state == {"n": 1, "mine": 1, "yours": 1}
    assert database.query("SELECT max(version) FROM state_history") == [(3,)]


def test_an_edit_here_and_a_deletion_there_of_other_keys_both_hold(database):
    mine, yours = saved(database.open(), a=1, b=1), database.open().session("demo")
    del yours.state["a"]
    yours.save()
    mine.state["b"] = 2
    mine.load()
    assert mine.state == {"b": 2}
    mine.save()
    assert database.open().session("demo").state == {"b": 2}


def test_a_deletion_here_holds_against_a_load(database):
    mine, yours = saved(database.open(), a=1, b=1), database.open().session("demo")
    yours.state["c"] = 1
    yours.save()
    del mine.state["a"]
    mine.load()
    assert mine.state == {"b": 1, "c": 1}


def conflict(database) -> tuple[Session, SessionConflict]:
    mine, yours = saved(database.open(), topic="cheese", n=1), database.open().session("demo")
    yours.state["topic"] = "wine"
    yours.save()
    mine.state.update({"topic": "bread", "n": 2, "new": [1]})
    with pytest.raises(SessionConflict) as caught:
        mine.save(run_id="run-7")
    return mine, caught.value


def test_a_conflict_names_both_sides(database):
    _, error = conflict(database)
    assert (error.keys, error.mine, error.theirs, error.base) == (
        ("topic",),
        {"topic": "bread"},
        {"topic": "wine"},
        {"topic": "cheese"},
    )
    assert error.branch == "demo@run-7"
    assert str(error) == (
        """session 'demo' was changed elsewhere: 'topic' was "cheese", is "bread" here and "wine" in the store; """
        """yours are kept, in storage.session('demo', branch='run-7'); """
        """choose by the workflow's session.resolve('mine'), 'theirs', or a dict of the values"""
    )


def test_a_conflict_lets_no_key_of_mine_into_the_line_and_keeps_all_of_mine_in_a_branch(database):
    mine, _ = conflict(database)
    assert mine.state == {"topic": "bread", "n": 2, "new": [1]}
    assert database.open().session("demo").state == {"topic": "wine", "n": 1}
    assert database.open().session("demo", branch="run-7").state == {"topic": "bread", "n": 2, "new": [1]}
    assert database.open().get_all_session_ids() == ["demo"]


def test_a_conflict_met_again_and_again_fills_no_further_rows(database):
    mine, _ = conflict(database)
    rows = database.count("state_log")
    for run_id in ("run-7", None, None):
        with pytest.raises(SessionConflict):
            mine.save(run_id=run_id)
        rows = rows or database.count("state_log")
    assert database.count("state_log") == rows + 3  # the branch of saves outside a run, once


def test_a_conflict_saves_the_rows_of_the_run_once(database):
    mine, _ = conflict(database)
    with pytest.raises(SessionConflict):
        mine.save(Records([start_row(a_run()), end_row(a_run())]))
    with pytest.raises(SessionConflict):
        mine.save()
    assert (database.count("run_log"), database.open().run("run-1").status) == (2, "completed")


def test_the_next_load_offers_both_sides_and_leaves_the_dict_alone(database):
    mine, _ = conflict(database)
    with pytest.raises(SessionConflict) as caught:
        mine.load()
    assert (caught.value.mine, caught.value.theirs) == ({"topic": "bread"}, {"topic": "wine"})
    assert mine.state == {"topic": "bread", "n": 2, "new": [1]}


def test_reload_takes_what_the_store_has_and_saves_go_on(database):
    mine, _ = conflict(database)
    live = mine.state
    mine.reload()
    assert (mine.state, mine.state is live) == ({"topic": "wine", "n": 1}, True)
    mine.state["topic"] = "both"
    mine.save()
    assert database.open().session("demo").state == {"topic": "both", "n": 1}


def test_two_increments_of_one_number_conflict_though_equal(database):
    mine, yours = saved(database.open(), n=1), database.open().session("demo")
    mine.state["n"] = yours.state["n"] = 2
    yours.save()
    with pytest.raises(SessionConflict, match="'n' was 1, is 2 here and 2 in the store"):
        mine.save()


@pytest.mark.parametrize(
    ("start", "items"),
    [([], lambda log: log), ({"deep": []}, lambda log: log["deep"]), ({1: {"deep": []}}, lambda log: log[1]["deep"])],
    ids=["list", "nested", "typed keys"],
)
@pytest.mark.parametrize("how", ["saves", "loads too"])
def test_two_who_append_again_and_again_without_looking_keep_all_of_both(database, start, items, how):
    mine = saved(database.open(), log=deepcopy(start))
    yours = database.open().session("demo")
    yours.load()
    for number in range(4):
        for session, name in ((yours, "yours"), (mine, "mine")):
            items(session.state["log"]).append(f"{name} {number}")
            session.save()
    for session in (mine, yours):
        items(session.state["log"]).append("last")
        if how == "loads too":
            session.load()
        session.save()
    kept = items(database.open().session("demo").state["log"])
    both = [f"{name} {number}" for number in range(4) for name in ("yours", "mine")]
    assert kept == [*both, "last", "last"]


def test_the_same_new_text_on_both_sides_counts_once(database):
    mine, yours = saved(database.open(), n=1), database.open().session("demo")
    mine.state["topic"] = yours.state["topic"] = "cheese"
    yours.save()
    mine.save()
    assert (mine.version, database.count("state_log")) == (2, 2)


# -- values that cannot be kept ------------------------------------------------------------------------------------------------


def test_an_unsavable_value_leaves_the_stored_one_and_all_else_is_saved(database):
    session = saved(database.open(), posts=["old"], n=1)
    session.state["posts"] = [{"tags": (odd := object())}]
    session.state["n"] = 2
    with pytest.raises(UnsavableValue, match="'object'") as caught:
        session.save()
    assert caught.value.path == 'session_state["posts"][0]["tags"]'
    assert database.open().session("demo").state == {"posts": ["old"], "n": 2}
    assert session.state["posts"] == [{"tags": odd}]


def test_several_unsavable_values_are_named_in_one_error_with_what_helps_the_first(database):
    session = saved(database.open(), n=1)
    session.state.update({"posts": [len], "b": {"c": object()}, "n": 2})
    with pytest.raises(UnsavableValue, match="'builtin_function_or_method'") as caught:
        session.save()
    assert str(caught.value) == (
        "session_state[\"posts\"][0] is of type 'builtin_function_or_method', which cannot be kept; "
        'keep its name, and look it up when it is needed; session_state["b"]["c"] cannot be kept either'
    )
    assert caught.value.paths == ('session_state["posts"][0]', 'session_state["b"]["c"]')
    assert database.open().session("demo").state == {"n": 2}
    session.state.update({str(number): len for number in range(9)})
    with pytest.raises(UnsavableValue) as caught:
        session.save()
    assert str(caught.value).endswith('session_state["1"], session_state["2"] and 6 more cannot be kept either')
    assert len(caught.value.__notes__) == 10


def test_a_load_never_overwrites_a_value_that_cannot_be_kept(database):
    mine = saved(database.open(), posts=["old"])
    odd = mine.state["posts"] = object()
    saved(database.open(), posts=["theirs"])
    mine.load()
    assert mine.state == {"posts": odd}
    mine.state["posts"] = ["mine"]
    with pytest.raises(SessionConflict):
        mine.save()


def test_reload_takes_the_stored_value_in_place_of_one_that_cannot_be_kept(database):
    session = saved(database.open(), posts=["old"])
    session.state.update({"posts": object(), "new": object()})
    session.reload()
    assert session.state == {"posts": ["old"]}


def test_a_session_id_that_is_no_text_is_refused(database):
    with pytest.raises(UnsavableValue, match="surrogate"):
        database.open().session("\ud800")
    with pytest.raises(TypeError, match="session_id is of type 'int'; give a str"):
        database.open().session(7)


def test_a_name_that_is_no_text_is_kept_with_a_question_mark(database):
    session = Session("demo", storage=database.open(), about=About(session_name="half \ud800"))
    session.save()
    assert database.query("SELECT session_name FROM sessions") == [("half ?",)]


# -- sessions ------------------------------------------------------------------------------------------------------------------


def test_a_deleted_session_is_hidden_and_a_later_save_starts_anew(database):
    storage = database.open()
    saved(storage, topic="cheese")
    storage.delete_session("demo")
    assert (storage.get_all_session_ids(), database.query("SELECT * FROM session_state")) == ([], [])
    session = database.open().session("demo")
    assert session.state == {}
    session.state["n"] = 1
    session.save()
    assert database.open().session("demo").state == {"n": 1}
    assert database.query("SELECT session_id, versions FROM sessions") == [("demo", 2)]
    assert database.query("SELECT version, key FROM state_history") == [(2, "n")]
    assert database.query("SELECT version, key FROM state_log ORDER BY version") == [(1, "topic"), (2, "n")]


def test_a_session_that_deletes_itself_goes_on_empty(database):
    session = saved(database.open(), topic="cheese")
    session.delete()
    assert (session.state, database.open().session("demo").state) == ({}, {})
    session.state["n"] = 1
    session.save()
    assert database.open().session("demo").state == {"n": 1}


def test_the_constructors_state_applies_while_there_is_no_version(database):
    storage = database.open()
    assert Session("demo", storage=storage, state={"topic": "new"}).state == {"topic": "new"}
    saved(storage, topic="cheese")
    assert Session("demo", storage=storage, state={"topic": "new"}).state == {"topic": "cheese"}
    storage.delete_session("demo")
    assert Session("demo", storage=storage, state={"topic": "new"}).state == {"topic": "new"}


def test_a_session_deleted_elsewhere_is_written_again_in_full(database):
    mine = saved(database.open(), topic="cheese")
    database.open().delete_session("demo")
    mine.state["n"] = 1
    mine.save()
    assert database.open().session("demo").state == {"topic": "cheese", "n": 1}


def test_another_user_can_neither_read_nor_change_nor_delete_a_session(database):
    ann = Session("demo", storage=database.open(), about=About(user_id="ann"))
    ann.state["topic"] = "cheese"
    ann.save()
    eve = Session("demo", storage=database.open(), about=About(user_id="eve"), state={"topic": "mine"})
    for attempt in (eve.load, eve.save, eve.reload, eve.delete):
        with pytest.raises(SessionOwned, match="session 'demo' belongs to another user than 'eve'"):
            attempt()
    ann.load()
    assert ann.state == {"topic": "cheese"}


def test_what_is_known_of_a_session_is_kept(database):
    mine = Session("demo", storage=database.open(), about=About("Blog", "w-1", "ann", "First", '{"a":1}'))
    mine.save()
    mine.rename("Second")
    theirs = database.open().session("demo")
    theirs.load()
    assert theirs.about == About("Blog", "w-1", "ann", "Second", '{"a":1}')


def test_two_kernels_that_call_a_session_by_two_names_say_so_once_each(database):
    one, two = (Session("demo", storage=database.open(), about=About(workflow=name)) for name in ("One", "Two"))
    for number in range(5):
        for session in (one, two):
            session.state[session.about.workflow] = number
            session.save()
    assert (database.count("session_log"), database.count("state_log")) == (2, 10)


@pytest.mark.parametrize(
    "session_id",
    ['it\'s "q"', "a/b\\c", "../../etc", "ключ 🧀", "x" * 10_000, "ann@example.com", "@", "@@", "a@b@@c", "%_*", "a\0b", ""],
    ids=lambda value: value[:12].replace("\0", "NUL"),
)
def test_any_text_is_a_session_id(database, session_id):
    saved(database.open(), session_id, topic="cheese")
    assert database.open().session(session_id).state == {"topic": "cheese"}
    assert database.open().session(session_id + "@").state == {}
    assert database.open().get_all_session_ids() == [session_id]


def test_a_branch_is_no_session_of_a_users_own(database):
    conflict(database)
    assert database.open().session("demo@run-7").state == {}
    saved(database.open(), "demo@run-7", mine=1)
    assert database.open().session("demo", branch="run-7").state == {"topic": "bread", "n": 2, "new": [1]}
    assert sorted(database.open().get_all_session_ids()) == ["demo", "demo@run-7"]


def test_many_rows_come_back_as_one_by_one(database):
    said = {"happened_at": "2026-01-02 03:04:05.000007", "event": "RunResponse"}
    values = [("é \n ' \" \\", None, "a"), (None, '{"n":1.50,"s":"[1,"}', None), ("", "[]", None), (None, '"text"', None)] * 10
    events = [
        {**said, "run_id": run_id, "seq": seq, "content": content, "data": data, "lane": lane}
        for run_id in ("many", "few")
        for seq, (content, data, lane) in enumerate(values)
    ]
    session = database.open().session("demo")
    session.save(Records((), events[: len(values)]))
    for event in events[len(values) :]:
        session.save(Records((), [event]))
    sql = "SELECT seq, happened_at, event, agent, lane, content, data FROM event_log WHERE run_id = ? ORDER BY seq"
    many, few = (session.storage.read(sql, (run_id,)) for run_id in ("many", "few"))
    assert many == few
    assert [(content, data, lane) for *_, lane, content, data in many] == values


# -- what people query ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def filled(database):
    """Return a database with a session of two versions and a run."""
    session = Session("demo", storage=database.open("blog"), about=About("Blog", "w-1", "ann", "First"))
    session.state.update({"topic": "cheese", "draft": 1})
    session.save()
    del session.state["draft"]
    said = {"run_id": "run-1", "happened_at": "2026-01-02 03:04:05.7", "event": "RunResponse", "agent": "writer"}
    events = [{**said, "seq": 1, "content": "Hello"}, {**said, "seq": 2, "data": '{"a":1}'}]
    session.save(Records([start_row(a_run()), end_row(a_run(content="Hello"))], events), run_id="run-1")
    return database


@pytest.mark.parametrize(
    ("sql", "rows"),
    [
        ("SELECT session_id, workflow, session_name, versions, runs, user_id, store FROM sessions",
         [("demo", "Blog", "First", 2, 1, "ann", "blog")]),
        ("SELECT session_id, key, value, version, run_id FROM session_state", [("demo", "topic", '"cheese"', 1, None)]),
        ("SELECT version, key, op, value, run_id FROM state_history ORDER BY version, key",
         [(1, "draft", "set", "1", None), (1, "topic", "set", '"cheese"', None), (2, "draft", "delete", None, "run-1")]),
        ("SELECT session_id, workflow, status, inputs, content, run_id FROM runs",
         [("demo", "Blog", "completed", '{"topic": "cheese"}', "Hello", "run-1")]),
        ("SELECT session_id, seq, event, agent, content, data FROM events ORDER BY seq",
         [("demo", 1, "RunResponse", "writer", "Hello", None), ("demo", 2, "RunResponse", "writer", None, '{"a":1}')]),
        ("SELECT session_id, workflow, session_name, user_id, session_state FROM blog",
         [("demo", "Blog", "First", "ann", '{"topic":"cheese"}')]),
        ("SELECT count(*) FROM sessions WHERE updated_at >= created_at", [(1,)]),
    ],
    ids=["sessions", "session_state", "state_history", "runs", "events", "table_name", "times"],
)  # fmt: skip
def test_a_view_says_what_is_there_in_plain_sql(filled, sql, rows):
    assert filled.query(sql) == rows


def test_two_stores_in_one_file_are_apart(lasting_database):
    blog, news = lasting_database.open("blog"), lasting_database.open("news")
    saved(blog, topic="cheese")
    saved(news, topic="wine")
    assert (blog.session("demo").state, news.session("demo").state) == ({"topic": "cheese"}, {"topic": "wine"})
    assert lasting_database.query("SELECT session_state FROM blog UNION ALL SELECT session_state FROM news") == [
        ('{"topic":"cheese"}',),
        ('{"topic":"wine"}',),
    ]
    news.delete_session("demo")
    assert (blog.get_all_session_ids(), news.get_all_session_ids()) == (["demo"], [])


@pytest.mark.parametrize("name", ["runs", "RUNS", "state_log", "session_state", "steps", "blob", "sqlite_x", ""])
def test_a_name_of_our_own_is_no_table_name(database, name):
    with pytest.raises(BadStorage, match=f"table_name={name!r} is the name of a table or view that others need"):
        open_storage(database.url, table_name=name)


def test_a_table_name_may_need_quotes(lasting_database):
    saved(lasting_database.open('my "runs"; --'), topic="cheese")
    assert lasting_database.query('SELECT session_state FROM "my ""runs""; --"') == [('{"topic":"cheese"}',)]


# -- runs ----------------------------------------------------------------------------------------------------------------------


def test_the_record_of_a_run_comes_back_as_it_was(database):
    run = a_run(
        duration=2.5, content="Hello", error="ValueError: x", models=("a", "b"), input_tokens=3, output_tokens=4, cost=0.25,
        changes={"topic": "set"}, status="failed",
    )  # fmt: skip
    database.open().session("demo").save(Records([start_row(run), end_row(run)]))
    assert database.open().run("run-1") == run


def test_a_run_that_is_not_there_is_a_lookup_error(database):
    with pytest.raises(LookupError, match="no run 'nope' in"):
        database.open().run("nope")
    saved(database.open(), topic="cheese")
    with pytest.raises(LookupError, match="no run 'nope' in"):
        database.open().run("nope")


def test_an_open_run_is_running_while_its_process_lives_and_lost_after_it(database):
    alive, dead, reborn, elsewhere = (start_row(a_run(name)) for name in ("alive", "dead", "reborn", "elsewhere"))
    gone = subprocess.Popen(["true"])
    gone.wait()
    dead["pid"] = gone.pid
    reborn["process_started_at"] = "12"
    elsewhere |= {"host": f"not-{socket.gethostname()}", "pid": gone.pid}
    database.open().session("demo").save(Records([alive, dead, reborn, elsewhere]))
    statuses = {name: database.open().run(name).status for name in ("alive", "dead", "reborn", "elsewhere")}
    assert statuses == {"alive": "running", "dead": "lost", "reborn": "lost", "elsewhere": "running"}


def test_the_next_save_ends_the_runs_of_a_process_that_was_killed(database):
    dead = start_row(a_run("dead"))
    dead["process_started_at"] = "12"
    database.open().session("demo").save(Records([dead, start_row(a_run("alive"))]))
    saved(database.open(), topic="cheese")
    ended = database.query("SELECT run_id, status FROM runs ORDER BY run_id")
    assert ended == [("alive", "running"), ("dead", "lost")]
    lost = database.open().run("dead")
    assert (lost.started_at, lost.inputs) == (a_run("dead").started_at, a_run("dead").inputs)


def test_a_run_whose_state_was_not_kept_says_so_in_its_record(database):
    class Flow(Workflow):
        def run(self, value):
            self.session_state["value"] = value

    flow = Flow(session_id="demo", storage=database.open())
    with pytest.raises(UnsavableValue):
        flow.run(object())
    unsaved = flow.last_run
    assert (unsaved.status, unsaved.error[:44]) == ("completed", 'not saved: session_state["value"] is of type')
    assert flow.storage.run(unsaved.run_id).error == unsaved.error


def test_a_run_in_conflict_says_so_in_its_record(database):
    class Adds(Workflow):
        def run(self, value):
            self.session_state["said"] = value
            yield value

    one, two = (Adds(session_id="demo", storage=database.open()) for _ in range(2))
    first, second = one.run("a"), two.run("b")
    first.result()
    with pytest.raises(SessionConflict):
        second.result()
    record = two.storage.run(two.last_run.run_id)
    assert record.status == "completed"
    assert record.error.startswith("not saved: session 'demo' was changed elsewhere: 'said' was absent, is")


def test_rows_of_a_save_that_failed_go_with_the_next_one(database):
    session = saved(database.open(), topic="cheese")
    session.state["n"] = 1
    transact, session.storage.transact = session.storage.transact, failing
    with pytest.raises(BadStorage):
        session.save(Records([start_row(a_run())]))
    session.storage.transact = transact
    session.save(Records([end_row(a_run())]))
    assert [database.count(table) for table in ("run_log", "state_log")] == [2, 2]
    session.save()
    assert database.count("run_log") == 2


def failing(_work, **_how):
    raise BadStorage("not now")


class Unheard:
    """A storage whose acknowledgement does not arrive, as when an interrupt comes in that moment."""

    def __init__(self, storage: WorkflowStorage) -> None:
        self.storage = storage
        self.deaf = True

    def stamp(self) -> int | None:
        return self.storage.stamp()

    def transact(self, work, *, write: bool):
        result = self.storage.transact(work, write=write)
        if write and self.deaf:
            raise KeyboardInterrupt
        return result


@pytest.mark.parametrize("changed", [True, False])
def test_a_durable_save_that_nobody_heard_of_is_not_done_twice(database, changed):
    storage = Unheard(database.open())
    saved(storage.storage, n=1)
    session = Session("demo", storage=storage)
    session.load()
    if changed:
        session.state["n"] += 1
    events = [{"run_id": "run-1", "seq": 1, "happened_at": "2026-01-02 03:04:05.7", "event": "RunResponse", "content": "Hi"}]
    for records in (Records([start_row(a_run())]), Records((), events)):
        storage.deaf = True
        with pytest.raises(KeyboardInterrupt):
            session.save(records)
        storage.deaf = False
        session.save()
    session.save(Records([end_row(a_run())]))
    assert session.state == {"n": 1 + changed}
    assert [database.count(table) for table in ("state_log", "run_log", "event_log")] == [1 + changed, 2, 1]


# -- files ---------------------------------------------------------------------------------------------------------------------


def test_loading_makes_no_file(file_database):
    assert file_database.open().session("demo").state == {}
    assert (file_database.open().get_all_session_ids(), file_database.path.exists()) == ([], False)


def test_loading_from_a_database_of_others_leaves_it_as_it_is(file_database):
    file_database.query("CREATE TABLE mine (a INTEGER)")
    before = file_database.path.read_bytes()
    storage = file_database.open()
    assert (storage.session("demo").state, storage.get_all_session_ids()) == ({}, [])
    storage.close()
    assert file_database.path.read_bytes() == before


def test_our_tables_go_beside_those_of_others(file_database):
    file_database.query("CREATE TABLE mine AS SELECT 1 AS a")
    saved(file_database.open(), topic="cheese")
    assert file_database.query("SELECT a, key FROM mine, session_state") == [(1, "topic")]


def test_files_are_readable_by_their_owner_only(file_database):
    old = os.umask(0o022)
    try:
        session = saved(file_database.open(), topic="cheese")
        session.state["n"] = 1
        session.save()
        modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in file_database.path.parent.iterdir()}
    finally:
        os.umask(old)
    assert len(modes) == 3
    assert set(modes.values()) == {0o600}


def test_a_file_that_its_owner_opened_to_others_stays_open(file_database):
    saved(file_database.open(), n=1)
    file_database.close()
    file_database.path.chmod(0o640)
    saved(file_database.open(), n=2)
    assert {stat.S_IMODE(p.stat().st_mode) for p in file_database.path.parent.iterdir() if p.suffix != ".lock"} == {0o640}


def test_a_file_of_a_newer_release_is_refused_in_one_line(lasting_database):
    session = saved(lasting_database.open(), topic="cheese")
    lasting_database.close()
    lasting_database.query("INSERT INTO schema_log VALUES (99, '9.0.0', '2030-01-01')")
    for attempt in (lambda: lasting_database.open().session("demo").state, lambda: saved(lasting_database.open(), n=1)):
        with pytest.raises(BadStorage, match=r"was written by wf_notebook 9\.0\.0, which is newer.*; upgrade wf_notebook$"):
            attempt()
    session.state["n"] = 1
    if lasting_database.kind == "duckdb":  # there it is even seen in the middle of a process
        with pytest.raises(BadStorage, match="newer"):
            session.save()


def test_a_file_that_was_deleted_is_made_again_with_the_full_state(file_database):
    session = saved(file_database.open(), topic="cheese", n=1)
    for path in list(file_database.path.parent.iterdir()):
        path.unlink()
    session.state["n"] = 2
    session.save()
    assert (session.version, file_database.open().session("demo").state) == (1, {"topic": "cheese", "n": 2})


def test_a_file_that_was_replaced_by_an_older_copy_gets_the_full_state(file_database):
    session = saved(file_database.open(), topic="cheese")
    file_database.close()
    copy = file_database.path.read_bytes()
    session.state["n"] = 1
    session.save()
    file_database.close()
    new = file_database.path.with_name("copy")
    new.write_bytes(copy)
    new.replace(file_database.path)
    session.state["more"] = 1
    session.save()
    assert file_database.open().session("demo").state == {"topic": "cheese", "n": 1, "more": 1}


def test_a_damaged_value_is_an_error_and_nothing_is_overwritten(database):
    saved(database.open(), topic="cheese")
    database.let_anything_in()
    database.query("UPDATE state_log SET value = '{broken'")
    session = database.open().session("demo")
    for _ in range(2):
        with pytest.raises(StorageFailed, match="the stored value of key 'topic' is damaged"):
            _ = session.state
        with pytest.raises(StorageFailed, match="the stored value of key 'topic' is damaged"):
            session.save()
    assert database.query("SELECT value FROM state_log") == [("{broken",)]


@pytest.mark.slow
def test_after_a_fork_parent_and_child_both_save_and_nothing_is_lost_or_doubled(file_database, python):
    code = """
import os, sys
from wf_notebook import Workflow, open_storage
class W(Workflow):
    def run(self):
        self.session_state["run"] = 1
        yield "a"
        yield "b"
storage = open_storage(sys.argv[1])
w = W(session_id="demo", storage=storage)
stream = w.run()
next(stream)
w.write_to_storage()
child = os.fork()
if child == 0:
    session = storage.session("demo")
    session.state["child"] = 1
    session.save()
    w.session_state["inherited"] = 1
    w.session.save()
    sys.exit(0)
stream.result()
_, status = os.waitpid(child, 0)
w.session_state["parent"] = 1
w.write_to_storage()
print(status)
"""
    assert python(code, file_database.url) == "0"
    assert file_database.open().session("demo").state == {"run": 1, "child": 1, "inherited": 1, "parent": 1}
    assert file_database.query("SELECT status, content FROM runs") == [("completed", "ab")]
    assert file_database.query("SELECT phase FROM run_log ORDER BY phase") == [("end",), ("start",)]


@pytest.mark.slow
def test_a_child_that_is_forked_while_the_file_is_still_attached_saves_too(file_database, python):
    code = """
import os, sys
from wf_notebook import open_storage
from wf_notebook.storage.duckdb_checkpoints import Checkpoints
Checkpoints.are_due = lambda *_, **__: True  # after each save the file stays attached for a moment
session = open_storage(sys.argv[1]).session("demo")
session.state["parent"] = 1
session.save()
child = os.fork()
session.state["child" if child == 0 else "after"] = 1
session.save()
if child:
    print(os.waitstatus_to_exitcode(os.wait()[1]))
"""
    assert python(code, file_database.url) == "0"
    assert file_database.open().session("demo").state == {"parent": 1, "child": 1, "after": 1}


@pytest.mark.slow
def test_a_forked_child_has_a_copy_of_the_memory(python):
    code = """
import os, sys
from wf_notebook import open_storage
storage = open_storage("memory:")
session = storage.session("demo"); session.state["n"] = 1; session.save()
if os.fork() == 0:
    mine = storage.session("demo")
    mine.state["n"] += 1; mine.save()
    sys.exit(storage.session("demo").state["n"])
print(os.waitstatus_to_exitcode(os.wait()[1]), storage.session("demo").state)
"""
    assert python(code) == "2 {'n': 1}"


@pytest.mark.slow
@pytest.mark.parametrize("slept", [False, True])
def test_a_stream_left_half_read_at_exit_is_saved_into_one_whole_file_without_a_word(file_database, process, slept):
    code = """
import sys, time
from wf_notebook import Workflow
class W(Workflow):
    def run(self):
        for number in range(5):
            self.session_state["n"] = number
            yield str(number)
w = W(session_id="demo", storage=sys.argv[1])
stream = w.run()
next(stream)
while sys.argv[2] == "True" and w.session.version == 0:
    time.sleep(0.01)
next(stream)
"""
    done = process(code, file_database.url, slept)
    assert done.communicate(timeout=60) == ("", "")
    names = {path.name for path in file_database.path.parent.iterdir()} - {"runs.db.lock"}
    assert (done.returncode, names) == (0, {"runs.db"})
    assert file_database.query("SELECT status, content FROM runs") == [("stopped", "01")]
    assert file_database.open().session("demo").state == {"n": 1}


def test_a_finaliser_that_saves_inside_a_save_is_refused_and_ends_nothing(database):
    storage = database.open()
    inner = saved(storage, "inner", n=1)

    def work(_tx) -> None:
        inner.state["n"] += 1
        inner.save()

    with pytest.raises(Exception, match="a save was begun inside another one"):
        storage.transact(work, write=True)
    inner.save()
    assert storage.session("inner").state == {"n": 2}


def test_a_run_is_kept_with_its_state(database):
    class Blog(Workflow):
        def run(self, topic: str):
            self.session_state["topic"] = topic
            yield f"About {topic}"

    blog = Blog(session_id="demo", storage=database.open())
    blog.run(topic="cheese").result()
    assert database.open().run(blog.run_id) == blog.last_run
    assert database.query("SELECT workflow, content, changes FROM runs") == [("Blog", "About cheese", '{"topic": "set"}')]


def test_a_private_run_leaves_its_state_and_nothing_of_what_was_asked_and_said(database):
    class Diary(Workflow):
        def run(self, entry):
            self.session_state.setdefault("entries", []).append(len(entry))
            self.write_to_storage()
            yield f"dear diary, {entry}"
            self.session_state["done"] = True

    diary = Diary(session_id="demo", storage=database.open(), private=True)
    assert diary.run("secret").result().content == "dear diary, secret"
    assert (diary.last_run.status, diary.last_run.content) == ("completed", "dear diary, secret")
    assert (database.count("run_log"), database.count("event_log")) == (0, 0)
    assert database.query("SELECT DISTINCT run_id FROM state_log") == [(None,)]
    assert database.open().session("demo").state == {"entries": [6], "done": True}
    Diary(session_id="demo", storage=database.open()).run("open").result()
    assert database.query("SELECT content FROM runs") == [("dear diary, open",)]


def test_the_sign_changes_with_every_save_and_stays_while_nobody_saves(database):
    storage, other = database.open(), database.open()
    saved(storage, n=1)
    signs = [storage.sign()]
    for n in range(2, 7):
        assert storage.session("demo").state["n"] == n - 1
        assert (storage.sign(), other.sign()) == (signs[-1], signs[-1]), "reading is no save"
        saved(other, n=n)
        signs.append(storage.sign())
    assert len(set(signs)) == 6
