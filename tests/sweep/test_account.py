"""A sweep is a run of its own in the store, beside those of its rows: seen, followed and ended as one."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
import threading
from dataclasses import replace

import pytest

from wf_notebook import Agent, Workflow, open_storage, saver, users
from wf_notebook.errors import BadRows, StorageFailed, UnknownRun, UnknownSession
from wf_notebook.frames import folded_sessions
from wf_notebook.inspection.overview import glances
from wf_notebook.ipynb.going import going_on
from wf_notebook.ipynb.standing import status
from wf_notebook.swept import Afar
from wf_notebook.testing import scripted
from wf_notebook.verbs.asked import Asked
from wf_notebook.verbs.following import meant
from wf_notebook.verbs.looking import run_id
from wf_notebook.verbs.stopping import stop


class Picky(Workflow):
    def run(self, n: int, gate: threading.Event | None = None):
        if gate is not None and n > 1:
            assert gate.wait(30)
        if n == 2:
            raise ValueError("not two")
        yield f"{n}"


@pytest.fixture
def going():
    """Return a sweep that goes on: two of four rows are over, the others wait for its `gate`."""
    gate = threading.Event()
    sweep = Picky(session_id="demo", storage="sqlite:///s.db").map(range(4), gate=gate, limit=4).start()
    seen = iter(sweep)
    next(seen), next(seen)
    sweep.gate = gate
    yield sweep
    gate.set()
    assert sweep.wait(30)


def test_it_is_a_run_beside_those_of_its_rows_that_no_list_takes_for_one_of_the_workflow():
    sweep = Picky(session_id="demo", storage="duckdb:///s.duckdb").map([1, 2, 3], limit=2)
    assert sweep.run_id is None
    sweep.result()
    storage = open_storage("duckdb:///s.duckdb")
    run = storage.run(sweep.run_id)
    assert (run.session_id, run.workflow, run.status, run.error) == ("demo/", "Picky.map", "completed", None)
    assert run.inputs == {"rows": 3, "limit": 2}
    assert run.content == "2 of 3 rows, 1 failed; kept in the sessions demo/…; the same again goes on with what is not done"
    assert (run.models, run.input_tokens, run.cost) == ((), 0, None)
    assert storage.runs("demo/")["run_id"] == [sweep.run_id]
    assert sorted(storage.runs()["run_id"]) == sorted(row.run_id for row in sweep.rows)
    assert sorted(storage.sessions()["session_id"]) == sorted(row.session_id for row in sweep.rows)
    assert "2 of 3 rows, 1 failed" in run._repr_mimebundle_()["text/plain"]
    assert len(sweep.workflow.compare(last=9).rows) == 3
    (failed,) = Afar(storage, run).failures
    assert (failed.inputs, failed.error) == ({"n": 2}, "ValueError: not two")


def test_while_it_goes_on_it_is_told_in_the_place_of_its_rows(going):
    (one,) = going_on(going.workflow.storage)
    assert (one.run.run_id, one.process, one.here.sweep) == (going.run_id, "this process", going)
    assert one.said.startswith("2 of 4 rows · 2 go on · ")
    (row,) = status(storage=going.workflow.storage)
    run_id = going.run_id[:8]
    assert (row["session_id"], row["status"], row["said"][:11]) == ("demo/", "running", "2 of 4 rows")
    assert row["goes_on"] == f"%wf attach {run_id} shows it; %wf stop {run_id} ends it"


def test_who_ends_its_run_ends_it_as_a_whole(going):
    (one,) = going_on(going.workflow.storage)
    one.here.context.cancel.cancel()
    going.gate.set()
    assert going.wait(30)
    assert (going.status, going.workflow.storage.run(going.run_id).status) == ("stopped", "stopped")
    assert going_on(going.workflow.storage) == []


def test_it_says_why_it_ended_before_all_rows_were_done():
    class Spends(Workflow):
        writer = Agent(scripted(*["six words are in this answer"] * 9))

        def run(self, n: int):
            return self.writer.run(f"{n}").content

    sweep = Spends(session_id="spent", storage="memory:").map(range(9), limit=1, max_tokens=30)
    sweep.result()
    run = sweep.workflow.storage.run(sweep.run_id)
    assert (run.status, run.error) == ("stopped", sweep.reason)
    assert "tokens spent" in run.error

    def rows():
        yield 1
        raise OSError("the rows are gone")

    sweep = Picky(session_id="broken", storage="memory:").map(rows())
    with pytest.raises(BadRows, match="the rows are gone") as broken:
        sweep.result()
    run = sweep.workflow.storage.run(sweep.run_id)
    assert (run.status, run.error, run.inputs) == ("failed", f"BadRows: {broken.value}", {})


def test_how_far_it_is_is_noted_where_it_is_further_once_in_a_second_and_ever_more_rarely(monkeypatch):
    now, gates = [0.0], [threading.Event() for _ in range(4)]
    monkeypatch.setattr("wf_notebook.sweep.account.monotonic", lambda: now[0])

    class Gated(Workflow):
        def run(self, n: int):
            assert gates[n].wait(30)
            return f"{n}"

    sweep = Gated(storage="memory:").map(range(4), limit=1).start()
    seen, storage = iter(sweep), sweep.workflow.storage
    (account,) = (each for each in saver.open_runs() if each.context.run_id == sweep.run_id)

    def do(number):
        gates[number].set()
        next(seen)

    def noted(second):
        now[0] = second
        account.flush()
        return [event.data["done"] for event in storage.run(sweep.run_id).told.events()]

    assert noted(0) == []
    do(0)
    assert [noted(second) for second in (0.9, 1, 300)] == [[], [1], [1]]
    do(1)
    assert [noted(second) for second in (302, 303)] == [[1], [1, 2]]
    sweep._crew.waits = "a worker: none is there"
    assert noted(310) == [1, 2, 2]
    assert str(Afar(storage, storage.run(sweep.run_id)).progress) == "2 of 4 rows, waits for a worker: none is there"
    do(2)
    do(3)
    assert sweep.wait(30)
    assert noted(310) == [1, 2, 2, 4]
    assert Afar(storage, storage.run(sweep.run_id)).progress.done == 4


def test_one_over_a_file_is_gone_on_with_by_a_line_and_any_other_by_its_user(tmp_path):
    (tmp_path / "ns.csv").write_text("n\n1\n2\n")
    storage = open_storage("memory:")
    for rows in (str(tmp_path / "ns.csv"), [1, 2]):
        Picky(session_id="demo", storage=storage).map(rows, limit=3).result()
        (row,) = (each for each in status(storage=storage) if each["session_id"] == "demo/")
        line = f"%workflow picky --map {tmp_path}/ns.csv --limit 3 -s demo"
        assert row["goes_on"] == (line if isinstance(rows, str) else "picky.map(…, name='demo') again")
        assert (row["status"], row["stopped_at"]) == ("⚠ done, 1 of 2 rows failed", None)
    for session_id, line in (("demo", "mine.map(…) again"), ("other", "mine.map(…, name='demo') again")):
        mine = Picky(session_id=session_id, storage=storage)
        (row,) = (
            each for each in status(storage=storage, workflows=[mine], namespace={"mine": mine}) if each["session_id"] == "demo/"
        )
        assert row["goes_on"] == line
    Picky(session_id="demo", storage=storage).map([1, 3]).result()
    (row,) = (each for each in status(storage=storage) if each["session_id"] == "demo/")
    assert (row["status"], row["goes_on"], row["stopped_at"]) == ("completed", None, None)


def test_what_keeps_nothing_of_its_rows_keeps_nothing_of_itself():
    storage = open_storage("memory:")
    for workflow in (Picky(), Picky(storage=storage, private=True)):
        sweep = workflow.map([1])
        sweep.result()
        assert sweep.run_id is None
    assert storage.read("SELECT run_id FROM run_log") == []


def test_rows_in_one_session_are_told_as_one_sweep_too():
    gate = threading.Event()
    sweep = Picky(session_id="demo", storage="memory:").map(range(4), session="one", gate=gate).start()
    next(iter(sweep))
    storage = sweep.workflow.storage
    try:
        assert [one.run.run_id for one in going_on(storage)] == [sweep.run_id]
    finally:
        gate.set()
    sweep.result()
    assert storage.run(sweep.run_id).content.startswith("3 of 4 rows, 1 failed; kept in session demo; ")
    assert len(storage.runs("demo")) == 4


@pytest.fixture
def team(monkeypatch):
    """Return a store in which two users have each a sweep of the same name; `ids` are the runs of these."""
    monkeypatch.setattr(users, "_in_whose_name", set())  # as in a process of their own
    storage = open_storage("sqlite:///team.db")
    storage.ids = {}
    for user in ("ann", "bob"):
        monkeypatch.setenv("WF_USER", user)
        sweep = Picky(session_id="team", storage=storage).map([1])
        sweep.result()
        storage.ids[user] = sweep.run_id
    return storage


def test_each_user_has_one_of_their_own(team, monkeypatch):
    found = set()
    for user, sweep_id in team.ids.items():
        monkeypatch.setenv("WF_USER", user)
        found.add(team.run(sweep_id).session_id)
    assert len(found) == 2
    assert all(each.startswith("team/+") for each in found)


def test_each_user_finds_their_own_by_its_name_and_nobody_sees_how_it_is_stored(monkeypatch, team):
    for user in ("ann", "bob"):
        monkeypatch.setenv("WF_USER", user)
        (row,) = team.runs("team/")
        assert (row["session_id"], row["run_id"]) == ("team/", team.ids[user])
        (listed,) = status(storage=team)
        assert (listed["session_id"], listed["run_id"]) == ("team/", team.ids[user])
        assert "session team/ " in team.run(row["run_id"])._repr_mimebundle_()["text/plain"]
    monkeypatch.setenv("WF_USER", "eve")
    with pytest.raises(UnknownSession, match="no session 'team/'"):
        team.runs("team/")
    monkeypatch.setenv("WF_USER", "bob")
    team.say_of_rows("team/", "shared:eve")
    monkeypatch.setenv("WF_USER", "eve")
    assert team.runs("team/")["run_id"] == [team.ids["bob"]]


def test_its_name_means_it_where_a_run_is_asked_for_the_one_that_goes_on_before_the_newest(going):
    storage, named = going.workflow.storage, Asked({}, ("demo/",), {"storage": "sqlite:///s.db"})
    going_on(storage)[0].here.flush()
    newer = Picky(session_id="demo", storage=storage).map([7])
    newer.result()
    assert (run_id(named), meant(named, "attach")[0]) == (going.run_id, going.run_id)
    stop(named)
    going.gate.set()
    assert going.wait(30)
    assert (going.status, run_id(named)) == ("stopped", newer.run_id)
    with pytest.raises(UnknownRun, match=r"no sweep 'demmo/' in .*; did you mean 'demo/'"):
        run_id(replace(named, words=("demmo/",)))


def test_after_a_sweep_was_deleted_nothing_of_it_is_told(monkeypatch, team):
    monkeypatch.setenv("WF_USER", "ann")
    team.say_of_rows("team/", "deleted")
    assert list(status(storage=team)) == []
    monkeypatch.setenv("WF_USER", "bob")
    assert status(storage=team)["run_id"] == [team.ids["bob"]]


def test_where_rows_cannot_be_kept_it_is_kept_with_them_later():
    storage = open_storage("sqlite:///full.db")
    storage.session("another").save()
    with sqlite3.connect("full.db") as database:
        database.execute("CREATE TRIGGER full BEFORE INSERT ON run_log BEGIN SELECT RAISE(FAIL, 'the disk is full'); END")
    sweep = Picky(session_id="demo", storage=storage).map([1, 3])
    with pytest.raises(StorageFailed):
        sweep.result()
    assert (sweep.status, going_on(storage)) == ("failed", [])
    with sqlite3.connect("full.db") as database:
        database.execute("DROP TRIGGER full")
    sweep.result()
    assert (sweep.status, storage.run(sweep.run_id).status) == ("completed", "completed")


def test_a_session_of_the_users_own_may_end_with_a_slash():
    storage = open_storage("memory:")
    Picky(session_id="notes/", storage=storage).run(n=1).result()
    assert storage.sessions()["session_id"] == ["notes/"]
    assert len(storage.runs()) == 1
    assert status(storage=storage)["workflow"] == ["Picky"]


def test_lists_that_people_read_have_one_line_for_a_sweep():
    storage = open_storage("memory:")
    Picky(session_id="demo", storage=storage).map([1, 2]).result()
    assert [(row["session_id"], row["rows"]) for row in folded_sessions(storage)] == [("demo/", "2: 1 completed, 1 failed")]
    assert [(one.id, one.rows) for one in glances(storage, folded=True)[1]] == [("demo/", "2: 1 completed, 1 failed")]


DRIVER = """
import threading
from wf_notebook import Workflow, saver

class Hung(Workflow):
    def run(self, n: int):
        threading.Event().wait()

sweep = Hung(storage="sqlite:///s.db", session_id="hung").map([1]).start()
for run in saver.open_runs():
    run.flush()
print("begun", flush=True)
threading.Event().wait()
"""


def test_a_sweep_whose_process_was_killed_is_lost_for_sql_too_when_it_is_done_again():
    with subprocess.Popen([sys.executable, "-c", DRIVER], stdout=subprocess.PIPE, text=True) as driver:
        assert driver.stdout.readline() == "begun\n"
        driver.kill()

    class Hung(Workflow):
        def run(self, n: int):
            return f"{n}"

    storage = open_storage("sqlite:///s.db")
    stand = "SELECT status, count(*) FROM runs WHERE session_id = 'hung/' GROUP BY 1 ORDER BY 1"
    assert storage.read(stand) == [("running", 1)]
    Hung(storage=storage, session_id="hung").map([1]).result()
    assert storage.read(stand) == [("completed", 1), ("lost", 1)]
