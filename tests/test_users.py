"""Several users on one store: each sees what is theirs, what is nobody's and what is shared, and opens nothing else."""

from __future__ import annotations

from datetime import timedelta

import pytest

from wf_notebook import Workflow, open_storage, users
from wf_notebook.errors import BadSetting, SessionConflict, SessionOwned, UnknownRun, UnknownSession
from wf_notebook.frames.queries import newest_session
from wf_notebook.inspection import Inspector
from wf_notebook.inspection.overview import glances
from wf_notebook.inspection.sessions import restore_sessions
from wf_notebook.ipynb.going import going_on
from wf_notebook.ipynb.standing import status
from wf_notebook.notebook.known import known
from wf_notebook.storage.erasing import Purged
from wf_notebook.storage.runs import ids_beginning, last_runs
from wf_notebook.storage.sqlite import SqliteWorkflowStorage
from wf_notebook.verbs.asked import Asked
from wf_notebook.verbs.looking import run_id


class Blog(Workflow):
    def run(self, topic: str):
        self.session_state.setdefault("topics", []).append(topic)
        yield f"On {topic}."


@pytest.fixture(params=["sqlite", "duckdb", pytest.param("postgres", marks=pytest.mark.postgres)])
def url(request, tmp_path):
    if request.param == "postgres":
        return request.getfixturevalue("postgres").schema()
    return f"{request.param}:///{tmp_path}/team.db"


@pytest.fixture
def works(monkeypatch):
    """Return what lets a user of a hub work here."""

    def work(name):
        monkeypatch.setattr(users, "_in_whose_name", set())  # as in a process of their own
        monkeypatch.setenv("JUPYTERHUB_USER", name)

    return work


@pytest.fixture
def team(url, works):
    """Return the store of a session of nobody, one of ann and one of bob; bob works."""
    Blog(session_id="old", storage=url).run(topic="cheese").result()
    for name in ("ann", "bob"):
        works(name)
        Blog(session_id=f"{name}'s", storage=url).run(topic=name).result()
    return open_storage(url)


def test_a_hub_names_the_user_and_wf_user_another_one(monkeypatch, works):
    assert Workflow().user_id is None
    works("ann")
    assert (Workflow().user_id, Workflow(user_id="client").user_id) == ("ann", "client")
    monkeypatch.setenv("WF_USER", "eve")
    assert Workflow().user_id == "eve"


def test_each_user_sees_what_is_theirs_and_nobodys(team, works):
    assert set(team.sessions()["session_id"]) == {"old", "bob's"}
    assert set(team.sessions(all_users=True)["session_id"]) == {"old", "ann's", "bob's"}
    assert set(team.runs()["session_id"]) == {"old", "bob's"}
    assert {one.id for one in glances(team)[1]} == {"old", "bob's"}
    assert set(team.get_all_session_ids()) == {"old", "bob's"}
    assert set(status(storage=team)["session_id"]) == {"old", "bob's"}
    works("ann")
    assert set(team.sessions()["session_id"]) == {"old", "ann's"}


def test_without_a_user_nothing_is_hidden(team, monkeypatch):
    monkeypatch.delenv("JUPYTERHUB_USER")
    assert set(team.sessions()["session_id"]) == {"old", "ann's", "bob's"}
    assert team.session("ann's").state == {"topics": ["ann"]}


OPENS = {
    "a run": lambda team: Blog(session_id="ann's", storage=team).run(topic="x"),
    "its state": lambda team: team.session("ann's").state,
    "its table": lambda team: team.state("ann's"),
    "its runs": lambda team: team.runs("ann's"),
    "its versions": lambda team: team.session("ann's").versions(),
    "what it was": lambda team: team.session("ann's").at(1),
    "what changed in it": lambda team: team.session("ann's").diff(0, 1),
    "what differs": lambda team: team.session("bob's").diff(other=team.session("ann's")),
    "its past": lambda team: team.session("ann's").kept_at(1),
    "its newest version": lambda team: team.session("ann's").newest(),
    "its save": lambda team: team.session("ann's").save_of(),
    "a fork": lambda team: team.session("ann's").fork("mine"),
    "a fork of what it was": lambda team: team.session("ann's").fork("mine", at=1),
    "another version": lambda team: team.session("ann's").restore(1),
    "its steps": lambda team: team.session("ann's").takes(),
    "no steps": lambda team: team.session("ann's").forget(),
    "a take": lambda team: team.session("ann's").use(1),
    "who sees it": lambda team: team.session("ann's").shared,
    "another name": lambda team: team.session("ann's").rename("Mine"),
    "a file": lambda team: team.session("ann's").to_notebook("ann.ipynb"),
    "no history": lambda team: team.session("ann's").compact(),
    "less of it": lambda team: team.purge("ann's", older_than=timedelta(0)),
    "its inspector": lambda team: Inspector(team, session="ann's").state,
    "a run of it": lambda team: team.run(team.read("SELECT run_id FROM runs WHERE session_id = 'ann''s'")[0][0]),
    "a copy": lambda team: team.copy("ann's", to="memory:"),
    "an end": lambda team: team.delete_session("ann's"),
    "its end": lambda team: team.session("ann's").delete(),
    "no trace": lambda team: team.purge("ann's"),
    "another owner": lambda team: team.session("ann's").share("bob"),
}


@pytest.mark.parametrize("what", OPENS)
def test_a_session_of_another_user_is_not_opened(team, what):
    rows = "SELECT (SELECT count(*) FROM session_log), (SELECT count(*) FROM state_log), (SELECT count(*) FROM run_log)"
    before = team.read(rows)
    with pytest.raises(SessionOwned, match=r"session \"ann's\" belongs to another user than 'bob'; .* session.share"):
        OPENS[what](team)
    assert team.read(rows) == before


HIDDEN = {
    "brought back": lambda team: team.restore_session("ann's"),
    "brought back under another id": lambda team: team.restore_session("ann's", new_id="mine"),
    "brought back in the inspector": lambda team: restore_sessions(Inspector(team), {"sessions": ["ann's"]}),
    "erased": lambda team: team.purge("ann's"),
}


@pytest.mark.parametrize("what", HIDDEN)
def test_a_session_that_another_user_has_deleted_is_theirs_still(team, works, what):
    works("ann")
    team.delete_session("ann's")
    works("bob")
    before = team.read("SELECT count(*) FROM session_log")
    with pytest.raises(SessionOwned, match=r"session \"ann's\" belongs to another user than 'bob'"):
        HIDDEN[what](team)
    assert team.read("SELECT count(*) FROM session_log") == before
    works("ann")
    team.restore_session("ann's")
    team.session("ann's").share("bob")
    works("bob")
    team.copy("ann's", to="memory:")
    assert team.session("ann's").state == {"topics": ["ann"]}


def test_a_name_that_is_misspelt_suggests_no_session_of_others(team):
    with pytest.raises(UnknownSession) as error:
        team.state("ann")
    assert "ann's" not in str(error.value)


@pytest.mark.parametrize("name", ["bob", None])
def test_a_session_that_is_shared_is_seen_and_run_in_and_stays_its_owners(team, works, name):
    works("ann")
    session = team.session("ann's")
    session.share(name)
    assert session.shared == ["*" if name is None else name]
    works("bob")
    assert "ann's" in team.sessions()["session_id"]
    assert {one.id for one in glances(team)[1]} == {"old", "ann's", "bob's"}
    Blog(session_id="ann's", storage=team).run(topic="x").result()
    Blog(session_id="ann's", storage=team, user_id="bob").write_to_storage()
    assert team.session("ann's").state == {"topics": ["ann", "x"]}
    assert team.read("SELECT DISTINCT user_id FROM session_log WHERE session_id = 'ann''s'") == [("ann",)]
    for closed in ("an end", "its end", "no trace", "less of it", "no history", "another owner"):
        with pytest.raises(SessionOwned):
            OPENS[closed](team)
    works("eve")
    assert ("ann's" in team.sessions()["session_id"]) is (name is None)
    works("ann")
    team.session("ann's").unshare(name)
    works("bob")
    assert "ann's" not in team.sessions()["session_id"]
    with pytest.raises(SessionOwned):
        Blog(session_id="ann's", storage=team).run(topic="y")


def test_sharing_is_taken_back_for_one_or_for_all(team):
    session = team.session("bob's")
    for name in ("ann", "eve", None):
        session.share(name)
    assert session.shared == ["*", "ann", "eve"]
    session.unshare("ann")
    assert session.shared == ["*", "eve"]
    session.rename("Ours")
    assert session.shared == ["*", "eve"]
    session.unshare()
    assert session.shared == []
    session.share("ann")
    team.copy("bob's", to=(other := open_storage("memory:")))
    assert other.session("bob's").shared == ["ann"]
    session.delete()
    team.session("bob's").state["n"] = 1
    again = team.session("bob's")
    again.state["n"] = 1
    again.save()
    assert again.shared == []


def test_a_session_of_nobody_stays_nobodys_and_cannot_be_shared(team, works):
    Blog(session_id="old", storage=team).run(topic="bread").result()
    team.session("old").rename("Old")
    assert team.read("SELECT DISTINCT user_id FROM session_log WHERE session_id = 'old'") == [(None,)]
    with pytest.raises(BadSetting, match="'old' belongs to nobody, and everybody on its store sees it; WF_USER"):
        team.session("old").share("ann")
    works("ann")
    assert team.session("old").state == {"topics": ["cheese", "bread"]}


def test_a_new_session_is_the_users_also_without_a_workflow_and_as_a_fork_of_anothers(team, works):
    session = team.session("mine")
    session.state["n"] = 1
    session.save()
    session.share("ann")
    works("ann")
    team.session("mine").fork("anns own")
    owners = dict(team.read("SELECT session_id, user_id FROM sessions"))
    assert (owners["mine"], owners["anns own"]) == ("bob", "ann")


def test_in_whose_name_a_workflow_was_made_counts_as_the_user_too(team):
    client = Blog(session_id="client's", storage=team, user_id="client")
    client.run(topic="x").result()
    assert "client's" in team.sessions()["session_id"]
    assert team.state("client's")["key"] == ["topics"]


def test_comparing_takes_what_is_shared_and_nothing_else_of_others(team, works):
    works("ann")
    team.session("ann's").share("bob")
    for number in range(3):
        Blog(session_id=f"hers {number}", storage=team).run(topic=f"secret {number}").result()
    works("bob")
    mine = Blog(session_id="bob's", storage=team)
    for compared in (mine.compare(last=3), mine.compare([{"topic": topic} for topic in ("bob", "ann", "cheese")])):
        assert [(row.inputs["topic"], row.outcome) for row in compared] == [
            ("bob", "= same"),
            ("ann", "= same"),
            ("cheese", "= same"),
        ]
    assert [row.outcome for row in mine.compare([{"topic": "secret 1"}])] == ["+ new"]
    works("ann")
    team.session("ann's").unshare()
    works("bob")
    assert [row.inputs["topic"] for row in mine.compare()] == ["bob", "cheese"]


def test_comparing_for_a_client_takes_what_is_the_clients_and_nobodys(team, monkeypatch):
    monkeypatch.delenv("JUPYTERHUB_USER")
    client = Blog(session_id="client's", storage=team, user_id="ann")
    assert {row.inputs["topic"] for row in client.compare()} == {"cheese", "ann"}
    assert {row.inputs["topic"] for row in Blog(session_id="any", storage=team).compare()} == {"cheese", "ann", "bob"}


def test_the_sessions_of_a_user_are_asked_for_within_what_may_be_seen(team, works):
    assert team.sessions(user_id="ann")["session_id"] == []
    assert team.get_all_session_ids(user_id="ann") == []
    assert team.sessions(user_id="ann", all_users=True)["session_id"] == ["ann's"]
    works("ann")
    team.session("ann's").share()
    works("bob")
    assert team.sessions(user_id="ann")["session_id"] == ["ann's"]


def test_what_is_listed_is_what_sharing_says(team, works):
    """The store's own question and `shared_with` agree, whatever was said in whichever order."""
    works("ann")
    session = team.session("ann's")
    for op, name in (
        ("share", "bob"), ("unshare", "eve"), ("unshare", "bob"), ("share", None), ("unshare", "bob"), ("unshare", None),
        ("share", "bob"), ("share", "eve"), ("unshare", None), ("share", "eve"), ("share", "bobby"), ("share", "b"),
    ):  # fmt: skip
        works("ann")
        getattr(session, op)(name)
        told = {*session.shared}
        works("bob")
        assert ("ann's" in team.sessions()["session_id"]) is bool(told & {"*", "bob"}), (op, name)
        assert ("ann's" in team.get_all_session_ids()) is bool(told & {"*", "bob"})
        assert ("ann's" in team.runs()["session_id"]) is bool(told & {"*", "bob"})


def test_completion_offers_nothing_of_a_session_of_another_user(team, works):
    namespace = {"blog": Blog(session_id="bob's", storage=team)}
    for words in (["state", "-s"], ["runs", "-s"], ["diff", "-s"], ["restore", "-s"], ["versions", "-s"]):
        assert not {"topics", "1"} & {*known([*words, "ann's"], namespace)}
    works("ann")
    assert known(["state", "-s", "ann's"], namespace) == ["topics"]


def test_a_branch_is_seen_by_whom_its_session_is_shared_with(team, works):
    works("ann")
    one, two = team.session("ann's"), team.session("ann's")
    one.state["n"], two.state["n"] = 1, 2
    one.save()
    with pytest.raises(SessionConflict) as conflict:
        two.save()
    branch = conflict.value.branch.partition("@")[2]
    works("bob")
    with pytest.raises(SessionOwned):
        team.session("ann's", branch=branch).state  # noqa: B018 - it is loaded by that
    works("ann")
    one.share("bob")
    works("bob")
    theirs = team.session("ann's", branch=branch)
    assert (theirs.state["n"], len(theirs.versions())) == (2, 1)
    theirs.state["n"] = 3
    theirs.save()
    assert team.session("ann's", branch=branch).state["n"] == 3


def test_who_clears_up_clears_up_what_is_theirs(team, works, monkeypatch):
    works("ann")
    session = team.session("ann's")
    session.share("bob")
    for number in range(3):
        session.state["n"] = number
        session.save()
    for name in ("gone", "gone too"):
        Blog(session_id=name, storage=team).run(topic="x").result()
        team.delete_session(name)
    works("bob")
    Blog(session_id="bob's", storage=team).run(topic="more").result()
    hers = "SELECT count(*) FROM {} WHERE session_id IN (?, ?, ?)".format
    names = ("ann's", "gone", "gone too")
    before = [team.read(hers(table), names) for table in ("session_log", "state_log", "run_log")]
    assert team.purge() == Purged()
    assert team.purge(older_than=timedelta(seconds=-60)) == Purged(versions=1, runs=3)  # bob's, and nobody's run
    assert [team.read(hers(table), names) for table in ("session_log", "state_log", "run_log")] == before
    works("ann")
    team.restore_session("gone too")
    assert team.purge() == Purged(sessions=1, versions=1, runs=1)
    monkeypatch.delenv("JUPYTERHUB_USER")
    assert team.purge(older_than=timedelta(seconds=-60)) == Purged(versions=3, runs=2)


def asked_of(storage, *words):
    return Asked({}, words, {"storage": storage.url})


def test_runs_of_others_are_found_by_no_beginning_of_their_id(team, works):
    works("ann")
    swept = Blog(session_id="swept", storage=team).map(["cheese"])
    swept.result()
    her_run = team.runs("ann's")["run_id"][0]
    works("bob")
    for beginning in (her_run, her_run[:8], swept.run_id, swept.run_id[:8]):
        with pytest.raises(UnknownRun, match=r"no run .*; (%wf runs lists them|did you mean)") as error:
            run_id(asked_of(team, beginning))
        assert not {her_run, swept.run_id} & {*str(error.value).split("'")[3:]}
    mine = team.runs("bob's")["run_id"][0]
    assert run_id(asked_of(team, mine)) == mine == run_id(asked_of(team, mine[:30]))
    with pytest.raises(UnknownRun, match=f"did you mean '{mine}'"):
        run_id(asked_of(team, f"{mine[:-1]}x"))
    works("ann")
    assert run_id(asked_of(team, swept.run_id[:30])) == swept.run_id


class Counting(SqliteWorkflowStorage):
    """A store that counts the rows that it is asked for."""

    rows = 0

    def read(self, sql, parameters=()):
        found = super().read(sql, parameters)
        self.rows += len(found)
        return found


LOOKS = {
    "sessions": lambda store: store.sessions(),
    "runs": lambda store: store.runs(),
    "what goes on": going_on,
    "the last runs": lambda store: last_runs(store, "Blog", 10, "bob"),
    "a beginning": lambda store: ids_beginning(store, store.last[:30]),
    "the newest": newest_session,
    "all ids": lambda store: store.get_all_session_ids(),
}


@pytest.mark.parametrize("what", LOOKS)
def test_a_store_of_many_is_asked_for_what_is_seen(tmp_path, works, what):
    store = Counting(db_file=tmp_path / "team.db")
    works("ann")
    Blog(session_id="many", storage=store).map([f"topic {number}" for number in range(100)]).result()
    works("bob")
    Blog(session_id="mine", storage=store).run(topic="bob").result()
    store.last, store.rows = store.runs("mine")["run_id"][0], 0
    LOOKS[what](store)
    assert store.rows <= 1
