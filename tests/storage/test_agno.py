"""A table that Agno 1.x left in a SQLite file: it is read at a session's first load, and never written."""

from __future__ import annotations

import json

import pytest

from wf_notebook import Workflow
from wf_notebook.errors import SessionOwned, StorageFailed
from wf_notebook.session import Session
from wf_notebook.transaction import About

STATE = {"blog_posts": {"cheese": "# Cheese"}, "n": 1.5, "none": None}


@pytest.fixture
def agno(lite):
    """Return a database with a table as Agno 1.1 makes it, and two sessions in it."""
    lite.query(
        "CREATE TABLE blog (session_id VARCHAR NOT NULL, workflow_id VARCHAR, user_id VARCHAR, memory JSON, workflow_data JSON,"
        " session_data JSON, extra_data JSON, created_at BIGINT, updated_at BIGINT, PRIMARY KEY (session_id))"
    )
    put(lite, "demo", session_state=STATE, session_name="First", images=None)
    put(lite, "other", session_state={})
    return lite


def put(database, session_id: str, **session_data) -> None:
    memory = json.dumps({"runs": [{"input": {"topic": "cheese"}, "response": {"content": "# Cheese"}}]})
    row = (session_id, "w-1", "ann", memory, "{}", json.dumps(session_data), "null", 1, None)
    database.query(f"INSERT INTO blog VALUES ({', '.join('?' * len(row))})", *row)


def content(database) -> list[tuple]:
    return database.query("SELECT * FROM blog ORDER BY session_id")


def test_a_session_of_agnos_goes_on_where_it_was(agno):
    class Blog(Workflow):
        def run(self):
            yield self.session_state["blog_posts"]["cheese"]
            self.session_state["n"] += 1

    before = content(agno)
    blog = Blog(session_id="demo", storage=agno.open("blog"))
    assert blog.run().result().content == "# Cheese"
    assert (blog.session_name, blog.user_id) == ("First", "ann")
    again = agno.open("blog").session("demo")
    assert (again.state, again.version) == (STATE | {"n": 2.5}, 1)
    assert content(agno) == before


def test_a_table_of_phidatas_is_read_too(agno):
    agno.query("ALTER TABLE blog RENAME COLUMN extra_data TO user_data")
    before = content(agno)
    assert agno.open("blog").session("demo").state == STATE
    assert content(agno) == before


def test_loading_writes_nothing(agno):
    agno.close()
    before = agno.path.read_bytes()
    storage = agno.open("blog")
    assert (storage.session("demo").state, storage.session("other").state, storage.session("new").state) == (STATE, {}, {})
    storage.close()
    assert agno.path.read_bytes() == before


def test_once_saved_here_the_row_of_agno_counts_no_more(agno):
    session = agno.open("blog").session("demo")
    del session.state["blog_posts"]
    session.save()
    agno.query("UPDATE blog SET session_data = '{}' WHERE session_id = 'demo'")
    assert agno.open("blog").session("demo").state == {"n": 1.5, "none": None}


def test_a_session_that_was_deleted_here_does_not_come_back(agno):
    agno.open("blog").delete_session("demo")
    assert agno.open("blog").session("demo").state == {}


def test_the_constructors_state_does_not_apply_to_a_session_of_agnos(agno):
    assert Session("demo", storage=agno.open("blog"), state={"n": 7}).state == STATE
    assert Session("new", storage=agno.open("blog"), state={"n": 7}).state == {"n": 7}


def test_another_user_cannot_take_a_session_of_agnos_over(agno):
    eve = Session("demo", storage=agno.open("blog"), about=About(user_id="eve"))
    for attempt in (eve.load, eve.save):
        with pytest.raises(SessionOwned):
            attempt()


def test_the_view_stands_beside_agnos_table(agno):
    agno.open("blog").session("demo").save()
    session = agno.open("blog").session("demo")
    session.save()
    assert [json.loads(state) for (state,) in agno.query("SELECT session_state FROM blog_sessions")] == [STATE]


@pytest.mark.parametrize("damaged", ["{broken", '"text"', '{"session_state": [1]}', "[]"])
def test_a_damaged_row_is_an_error_and_no_empty_session(agno, damaged):
    agno.query("UPDATE blog SET session_data = ? WHERE session_id = 'demo'", damaged)
    storage = agno.open("blog")
    for attempt in (storage.session("demo").load, storage.session("demo").save):
        with pytest.raises(StorageFailed, match="the row of session 'demo' in the table 'blog' of Agno is damaged; nothing was"):
            attempt()
    assert storage.session("other").state == {}


def test_a_table_of_that_name_that_is_not_agnos_is_left_alone(lite):
    lite.query("CREATE TABLE blog (session_id TEXT, mine TEXT)")
    lite.query("INSERT INTO blog VALUES ('demo', 'x')")
    session = lite.open("blog").session("demo")
    assert session.state == {}
    session.state["n"] = 1
    session.save()
    assert lite.query("SELECT mine, session_state FROM blog, blog_sessions") == [("x", '{"n":1}')]


def test_ids_are_agnos_own_also_with_an_at_sign(agno):
    put(agno, "ann@example.com", session_state={"n": 1})
    assert agno.open("blog").session("ann@example.com").state == {"n": 1}
    assert agno.open("blog").session("demo", branch="run-1").state == {}
