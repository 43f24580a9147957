"""The list of sessions: what is found by which words, in which order, a page at a time; and the head over one of them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from wf_notebook import Workflow
from wf_notebook.errors import BadArguments, SessionConflict, UnknownSession, UnknownVersion
from wf_notebook.inspection import Inspector, answer
from wf_notebook.redact import register_secret
from wf_notebook.storage import open_storage
from wf_notebook.transaction import Records

HOSTILE = json.loads((Path(__file__).parent.parent / "data" / "hostile.json").read_text())


@pytest.fixture(
    params=["duckdb:///runs.duckdb", "sqlite:///runs.db", "memory:", pytest.param("postgres", marks=pytest.mark.postgres)]
)
def storage(request, place):
    """Return a new storage of each kind."""
    with open_storage(place(request.param)) as storage:
        yield storage


def saved(storage, session_id, state=None, name=None, **about):
    """Save a session, and return it."""
    session = Workflow(session_id=session_id, storage=storage, session_name=name, **about).session
    session.state.update(state if state is not None else {"n": 1})
    session.save()
    return session


def asked(inspector, op, **fields):
    """Return what a page is told; an error fails the test."""
    told = answer(inspector, {"id": 1, "op": op, **fields})
    assert told["ok"], told
    json.dumps(told)
    return told["result"]


def ids(inspector, **fields):
    """Return the ids of a page of sessions."""
    return [row["id"] for row in asked(inspector, "sessions", **fields)["rows"]]


class Blog(Workflow):
    """Says a topic."""

    def run(self, topic):
        """Keep the topic."""
        if topic == "bad":
            raise ValueError(topic)
        self.session_state["topic"] = topic
        return topic


def test_a_row_says_which_session_it_is_how_its_last_run_stands_and_what_it_takes(storage):
    blog = Blog(session_id="demo", storage=storage, session_name="My blog")
    blog.run(topic="cheese")
    blog.run(topic="ham")
    inspector = Inspector(storage)
    (row,) = asked(inspector, "sessions")["rows"]
    told = asked(inspector, "sessions")
    assert {name: value for name, value in row.items() if name not in {"updated_at", "run_id"}} == {
        "id": "demo", "name": "My blog", "workflow": "Blog", "branch": False, "status": "completed", "versions": 2, "runs": 2,
        "size": len('"cheese"') + len('"ham"'),
    }  # fmt: skip
    assert row["run_id"] == blog.last_run.run_id
    assert (told["total"], told["start"], row["updated_at"][-6:]) == (1, 0, "+00:00")
    with pytest.raises(ValueError, match="bad"):
        blog.run(topic="bad")
    assert asked(inspector, "sessions")["rows"][0]["status"] == "failed"


def test_a_session_without_runs_has_no_status(storage):
    saved(storage, "demo")
    assert asked(Inspector(storage), "sessions")["rows"][0]["status"] is None


def test_the_rows_of_a_sweep_are_one_unless_the_filter_names_them(storage):
    saved(storage, "demo")
    Blog(session_id="trial", storage=storage).map(["cheese", "ham", "bad"]).result()
    inspector = Inspector(storage)
    told = asked(inspector, "sessions", sort="name", descending=False)
    assert (told["total"], [row["id"] for row in told["rows"]]) == (2, ["demo", "trial/"])
    assert (told["rows"][1]["rows"], told["rows"][1]["runs"]) == ("3: 2 completed, 1 failed", 3)
    assert asked(inspector, "sessions", filter="ham")["rows"][0]["rows"] == "1: 1 completed"
    assert [each.partition("-")[0] for each in sorted(ids(inspector, filter="trial/"))] == [
        "trial/bad", "trial/cheese", "trial/ham",
    ]  # fmt: skip
    assert len(ids(inspector, filter="trial/ ham")) == 1


def test_every_word_must_stand_somewhere_in_the_id_the_name_or_the_workflow(storage):
    saved(storage, "cheese-1", name="Straße nach Ägypten")
    saved(storage, "cheese-2", name="Ham")
    saved(storage, "ann@example.com")
    inspector = Inspector(storage)
    assert sorted(ids(inspector, filter="CHEESE")) == ["cheese-1", "cheese-2"]
    assert ids(inspector, filter="cheese ham") == ["cheese-2"]
    assert ids(inspector, filter="ägypten STRASSE") == ["cheese-1"]
    assert ids(inspector, filter="n@ex") == ["ann@example.com"]
    assert ids(inspector, filter="workflow 1") == ["cheese-1"]
    assert ids(inspector, filter="cheese nothing") == []


def test_signs_of_sql_are_plain_characters_in_a_filter(storage):
    for session_id in ("100%", "a_b", "axb", "it's", "back\\slash", 'quo"te', "semi;colon"):
        saved(storage, session_id)
    inspector = Inspector(storage)
    found = {word: ids(inspector, filter=word) for word in ("%", "_", "'", "\\", '"', ";", "' OR 1=1 --")}
    assert found == {
        "%": ["100%"], "_": ["a_b"], "'": ["it's"], "\\": ["back\\slash"], '"': ['quo"te'], ";": ["semi;colon"],
        "' OR 1=1 --": [],
    }  # fmt: skip


def test_sessions_are_sorted_in_both_directions_by_all_that_a_row_says(storage):
    Blog(session_id="b", storage=storage, session_name="zebra").run(topic="x" * 50)
    saved(storage, "C", {"text": "y" * 500})
    small = saved(storage, "a", {"n": 1})
    for n in (2, 3):
        small.state["n"] = n
        small.save()
    inspector = Inspector(storage)
    orders = {
        sort: "".join(ids(inspector, sort=sort, descending=False))
        for sort in ("updated_at", "name", "workflow", "size", "versions", "runs")
    }
    assert orders == {"updated_at": "bCa", "name": "aCb", "workflow": "bCa", "size": "abC", "versions": "Cba", "runs": "Cab"}
    assert "".join(ids(inspector, sort="size")) == "Cba"
    with pytest.raises(BadArguments, match="sessions are not sorted by 'sizes'; did you mean 'size'"):
        inspector.sessions(sort="sizes")


def test_pages_follow_each_other_without_a_gap_and_end_with_the_last(storage):
    def write(tx):
        for number in range(25):
            tx.append_about(f"s{number:02}", "created", storage.session("x").about)

    storage.transact(write, write=True)
    inspector = Inspector(storage)
    pages = [ids(inspector, sort="name", descending=False, start=start, count=10) for start in (0, 10, 20, 30)]
    assert [len(page) for page in pages] == [10, 10, 5, 0]
    assert [one for page in pages for one in page] == [f"s{number:02}" for number in range(25)]
    assert asked(inspector, "sessions", start=30, count=10)["total"] == 25


def test_the_size_counts_what_lies_beside_the_values_once_for_each_session(storage):
    import numpy as np

    array = np.arange(5000.0)
    session = saved(storage, "arrays", {"one": array})
    session.state["two"] = array
    session.save()
    saved(storage, "long", {"text": "x" * 100_000})
    sizes = {row["id"]: row["size"] for row in asked(Inspector(storage), "sessions")["rows"]}
    [(stored,)] = storage.read("SELECT size FROM blob WHERE bytes IS NOT NULL")
    values = storage.read("SELECT value FROM state_log WHERE session_id = 'arrays'")
    assert sizes["arrays"] == stored + sum(len(value) for (value,) in values)
    assert sizes["long"] == len('""') + 100_000


def test_a_run_whose_process_is_gone_is_lost_and_not_running(storage):
    import socket

    session = saved(storage, "demo")
    process = {"host": socket.gethostname(), "pid": 2**22 + 1, "process_started_at": "then"}
    start = {"run_id": "r1", "phase": "start", "happened_at": "2026-01-01 00:00:00", "workflow": "Blog", **process}
    session.save(Records(runs=[start]))
    (row,) = asked(Inspector(storage), "sessions")["rows"]
    assert (row["status"], row["run_id"], row["runs"]) == ("lost", "r1", 1)


def test_branches_that_conflicts_left_are_listed_when_asked_for_and_can_be_opened_and_hidden(storage):
    session = saved(storage, "demo", {"n": 1})
    other = storage.session("demo")
    other.state["n"] = 2
    other.save()
    session.state["n"] = 3
    with pytest.raises(SessionConflict):
        session.save()
    inspector = Inspector(storage)
    assert ids(inspector) == ["demo"]
    told = asked(inspector, "sessions", branches=True)
    (branch,) = [row for row in told["rows"] if row["branch"]]
    assert (told["total"], branch["id"].partition("@")[0]) == (2, "demo")
    assert asked(inspector, "head", session=branch["id"])["branch"]
    asked(inspector, "delete_sessions", sessions=[branch["id"]])
    assert ids(inspector, branches=True) == ["demo"]
    asked(inspector, "restore_sessions", sessions=[branch["id"]])
    assert sorted(ids(inspector, branches=True)) == sorted(["demo", branch["id"]])


def test_hidden_sessions_leave_the_list_the_selection_and_the_place_and_come_back_whole(storage):
    for session_id in ("a", "b", "c"):
        saved(storage, session_id)
    inspector = Inspector(storage, session="a")
    inspector.go(selected=["a", "b", "c"])
    asked(inspector, "delete_sessions", sessions=["a", "b"])
    assert ids(inspector) == ["c"]
    assert (inspector.session, inspector.selected) == (None, ["c"])
    asked(inspector, "restore_sessions", sessions=["a", "b"])
    assert sorted(ids(inspector)) == ["a", "b", "c"]
    assert storage.session("a").state == {"n": 1}
    told = answer(inspector, {"id": 1, "op": "delete_sessions", "sessions": ["c", "nobody"]})
    assert (told["ok"], told["kind"]) == (False, "UnknownSession")
    assert "c" in ids(inspector)


def test_a_session_is_renamed_though_a_workflow_holds_it_and_an_empty_name_takes_it_away(storage):
    blog = Blog(session_id="demo", storage=storage, session_name="old")
    blog.run(topic="a")
    inspector = Inspector(storage)
    asked(inspector, "rename_session", session="demo", name="  new  ")
    blog.run(topic="b")
    assert asked(inspector, "head", session="demo")["name"] == "new"
    asked(inspector, "rename_session", session="demo", name="")
    assert asked(inspector, "head", session="demo")["name"] is None


def test_the_head_is_the_row_of_its_session_and_of_one_that_is_not_there_it_says_which_is_meant(storage):
    Blog(session_id="demo", storage=storage).run(topic="a")
    inspector = Inspector(storage)
    (row,) = asked(inspector, "sessions")["rows"]
    assert asked(inspector, "head", session="demo") | {"size": row["size"]} == row
    told = answer(inspector, {"id": 1, "op": "head", "session": "dmo"})
    assert (told["kind"], "did you mean 'demo'?" in told["error"]) == ("UnknownSession", True)


def test_an_empty_store_has_no_sessions(storage):
    assert asked(Inspector(storage), "sessions") == {"total": 0, "start": 0, "rows": []}


def test_hostile_names_are_handed_on_as_the_text_that_they_are_and_found_by_it(storage):
    texts = [each["text"] for each in HOSTILE if "\0" not in each["text"]][:30]
    for number, text in enumerate(texts):
        saved(storage, f"{number} {text}", name=text)
    inspector = Inspector(storage)
    for number, text in enumerate(texts):
        (row,) = [row for row in asked(inspector, "sessions", filter=text)["rows"] if row["id"] == f"{number} {text}"]
        assert row["name"] == (text if len(text) <= 200 else f"{text[:199]}…")


def test_secrets_in_names_are_not_shown(storage):
    register_secret("api_key", "sk-in-a-session-name")
    storage.transact(lambda tx: tx.append_about("demo", "created", storage.session("x").about), write=True)
    asked(Inspector(storage), "rename_session", session="demo", name="with sk-in-a-session-name")
    assert asked(Inspector(storage), "sessions")["rows"][0]["name"] == "with <redacted api_key>"


def test_python_has_what_the_list_shows_and_moves_the_page():
    storage = open_storage("memory:")
    blog = Blog(session_id="demo", storage=storage)
    blog.run(topic="a")
    blog.run(topic="b")
    saved(storage, "other")
    inspector = Inspector(storage)
    moved = []
    inspector.on_move(lambda place: moved.append((place.session, place.version)))
    inspector.go(filter="demo")
    assert inspector.sessions()["session_id"] == ["demo"]
    assert inspector.sessions("", sort="name")["session_id"] == ["other", "demo"]
    assert inspector.sessions().columns == [
        "session_id", "session_name", "workflow", "status", "updated_at", "size", "versions", "runs",
    ]  # fmt: skip
    inspector.session = "demo"
    inspector.version = 1
    assert (inspector.session.session_id, inspector.version) == ("demo", 1)
    inspector.version = None
    inspector.session = storage.session("other")
    assert moved[1:] == [("demo", None), ("demo", 1), ("demo", None), ("other", None)]
    with pytest.raises(UnknownSession):
        inspector.session = "nobody"
    with pytest.raises(UnknownVersion):
        inspector.version = 7
    assert inspector.place.session == "other"
    inspector.session = None
    assert (inspector.session, inspector.version) == (None, None)
