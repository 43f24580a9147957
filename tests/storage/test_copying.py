"""A session that is copied into another store is the same there: its history, its runs, and what it has for nothing."""

from __future__ import annotations

import signal
import tracemalloc
from datetime import UTC, datetime
from itertools import product

import numpy as np
import pytest

from wf_notebook import RunResponse, Workflow, step
from wf_notebook.errors import BadArguments, SessionConflict, SessionExists, UnknownSession
from wf_notebook.ipynb.standing import status
from wf_notebook.storage import open_storage
from wf_notebook.transaction import About, Records

KINDS = ("memory", "sqlite", "duckdb")
ON_SERVER = pytest.param("postgres", marks=pytest.mark.postgres)


@step
def draft(topic: str) -> str:
    return topic.upper()


class Blog(Workflow):
    def run(self, topic: str):
        self.session_state.setdefault("posts", []).append(draft(topic))
        yield RunResponse(f"On {topic}.")


@pytest.fixture
def place(tmp_path, request):
    """Return what opens a new store of a kind."""

    def opened(kind: str, name: str = "other"):
        if kind == "postgres":
            return open_storage(request.getfixturevalue("postgres").schema())
        return open_storage("memory:" if kind == "memory" else f"{kind}:///{tmp_path / name}.db")

    return opened


def filled(storage, session_id: str = "demo"):
    """Return a session with runs, an array, a large text, a name, a user, a version that was gone back to, and a branch."""
    blog = Blog(session_id=session_id, storage=storage, cache="use", user_id="ann", session_name="My blog")
    for topic in ("cheese", "bread"):
        blog.run(topic=topic).result()
    blog.session_state["image"] = np.arange(20_000)
    blog.session_state["text"] = "x" * 100_000
    blog.write_to_storage()
    other = storage.session(session_id)
    other.state["n"] = 1
    other.save()
    blog.session_state["n"] = 2
    with pytest.raises(SessionConflict):
        blog.write_to_storage()
    storage.session(session_id).restore(2)
    return storage.session(session_id)


def rows(storage) -> list[list[tuple]]:
    """Return all that two stores must agree upon."""
    branches = [key for (key,) in storage.read("SELECT DISTINCT session_id FROM session_log WHERE session_id LIKE ?", ["%@%"])]
    assert branches
    asked = (
        "SELECT session_id, version, key, op, path, run_id, save_id, saved_at FROM state_log ORDER BY session_id, version, rowid",
        (
            "SELECT session_id, revision, op, happened_at, workflow, user_id, session_name FROM session_log"
            " ORDER BY session_id, revision"
        ),
        "SELECT run_id, phase, happened_at, status, inputs, changes, host, pid FROM run_log ORDER BY run_id, phase",
        "SELECT * FROM event_log ORDER BY run_id, seq",
        (
            "SELECT seq, op, happened_at, step_id, name, kind, key, place, run_id, seconds, result, blob, parts_blob"
            " FROM step_log ORDER BY seq"
        ),
        "SELECT hash, size FROM blob ORDER BY hash",
    )
    return [[tuple(map(str, row)) for row in storage.read(sql)] for sql in asked]


PAIRS = [pair for pair in product(KINDS, KINDS) if pair != ("memory", "memory")]
BY_SERVER = [pytest.param(*pair, marks=pytest.mark.postgres) for pair in (("duckdb", "postgres"), ("postgres", "duckdb"))]


@pytest.mark.parametrize(("one", "other"), [*PAIRS, *BY_SERVER])
def test_a_copy_is_the_same_session(place, one, other):
    source, target = place(one, "source"), place(other)
    session = filled(source)
    (told,) = source.copy("demo", to=target)
    assert (told["done"], told["versions"], told["runs"], told["steps"]) == ("copied", len(session.versions()) + 1, 2, 2)
    assert rows(target) == rows(source)
    copy = target.session("demo")
    assert copy.versions() == session.versions()
    assert [str(copy.at(each.version)) for each in copy.versions()] == [
        str(session.at(each.version)) for each in session.versions()
    ]
    assert str(copy.diff(1, 3)) == str(session.diff(1, 3))
    assert list(target.runs("demo")) == list(source.runs("demo"))
    assert status(storage=target)["status"] == status(storage=source)["status"] == ["completed"]


def test_a_run_in_a_copy_has_all_steps_for_nothing(place):
    source, target = place("duckdb", "source"), place("sqlite")
    filled(source)
    source.copy("demo", to=target)
    blog = Blog(session_id="demo", storage=target, cache="only")
    assert blog.run(topic="bread").result().content == "On bread."


def test_a_fork_takes_along_the_steps_that_it_remembers(place):
    source, target = place("duckdb", "source"), place("sqlite")
    filled(source)
    source.session("demo").fork("trial").fork("second")
    source.copy("second", to=target)
    Blog(session_id="second", storage=target, cache="only").run(topic="cheese").result()
    assert target.sessions()["session_id"] == ["second"]
    target.copy("second", to=(third := open_storage("memory:")), new_id="third")
    Blog(session_id="third", storage=third, cache="only").run(topic="cheese").result()


def test_a_fork_that_goes_with_its_origin_finds_the_steps_there(place):
    source, target = place("sqlite", "source"), place("memory")
    filled(source)
    source.session("demo").fork("trial")
    assert sorted(source.copy(to=target)["session_id"]) == ["demo", "trial"]
    Blog(session_id="demo", storage=target, cache="use").run(topic="honey").result()
    Blog(session_id="trial", storage=target, cache="only").run(topic="honey").result()


def test_what_is_new_is_copied_later(place):
    source, target = place("sqlite", "source"), place("duckdb")
    filled(source)
    source.copy("demo", to=target)
    assert source.copy("demo", to=target)[0]["done"] == "was there"
    Blog(session_id="demo", storage=source, cache="use").run(topic="honey").result()
    source.session("demo").rename("Another name")
    told = source.copy("demo", to=target)[0]
    assert (told["done"], told["versions"], told["runs"], told["steps"]) == ("went on", 1, 1, 1)
    assert rows(target) == rows(source)
    assert target.copy("demo", to=source)[0]["done"] == "was there"
    Blog(session_id="demo", storage=target, cache="use").run(topic="jam").result()
    assert target.copy("demo", to=source)[0]["done"] == "went on"  # and back again
    assert rows(target) == rows(source)


def test_another_session_of_that_id_is_left_alone_and_the_others_are_copied(place):
    source, target = place("sqlite", "source"), place("sqlite")
    for session_id in ("a", "b", "c"):
        session = source.session(session_id)
        session.state["n"] = 1
        session.save()
    session = target.session("b")
    session.state["n"] = 2
    session.save()
    with pytest.raises(SessionExists, match=r"another session 'b' in sqlite.*: its versions are others.*--as NEW_ID") as refused:
        source.copy(to=target)
    assert refused.value.__notes__ == ["copied but for that: 'a', 'c'"]
    assert (target.session("b").state, target.session("c").state) == ({"n": 2}, {"n": 1})
    source.copy("b", to=target, new_id="b of ann")
    assert target.session("b of ann").state == {"n": 1}


def test_a_session_that_went_on_in_both_stores_is_another_one(place):
    source, target = place("sqlite", "source"), place("memory")
    filled(source)
    source.copy("demo", to=target)
    for storage in (source, target):
        session = storage.session("demo")
        session.state["more"] = 1
        session.save()
    before = rows(target)
    with pytest.raises(SessionExists, match="its versions are others"):
        source.copy("demo", to=target)
    assert rows(target) == before


def test_what_is_not_there_is_not_copied(place):
    source, target = place("sqlite", "source"), place("memory")
    with pytest.raises(UnknownSession, match="no session 'demo'"):
        source.copy("demo", to=target)
    session = filled(source)
    with pytest.raises(UnknownSession, match=r"no session 'dmo' in .*; did you mean 'demo'"):
        source.copy("dmo", to=target)
    with pytest.raises(BadArguments, match="one id is for one session, not for 2"):
        source.copy(["demo", "trial"], to=target, new_id="x")
    session.delete()
    with pytest.raises(UnknownSession, match="was deleted; %wf restore --deleted demo"):
        source.copy("demo", to=target)


def test_a_session_that_was_deleted_there_stays_deleted(place):
    source, target = place("sqlite", "source"), place("memory")
    filled(source)
    source.copy("demo", to=target)
    target.delete_session("demo")
    with pytest.raises(
        SessionExists, match=r"'demo' was deleted in memory:; .* --as NEW_ID, or bring that one back: %wf restore"
    ):
        source.copy("demo", to=target)


@pytest.mark.parametrize("kind", [*KINDS, ON_SERVER])
def test_beside_the_session_itself_its_runs_have_new_ids(place, kind):
    storage = place(kind)
    filled(storage)
    before = list(storage.runs("demo"))
    told = storage.copy("demo", to=storage, new_id="ann@home")[0]
    assert (told["new_id"], told["runs"], told["blobs"]) == ("ann@home", 2, 0)
    copies = list(storage.runs("ann@home"))
    assert {run["run_id"] for run in copies} & {run["run_id"] for run in before} == set()
    assert [run["content"] for run in copies] == [run["content"] for run in before]
    assert [list(storage.events(run["run_id"])["content"]) for run in copies] == [
        list(storage.events(run["run_id"])["content"]) for run in before
    ]
    assert list(storage.runs("demo")) == before
    assert storage.copy("demo", to=storage, new_id="ann@home")[0]["done"] == "was there"
    Blog(session_id="ann@home", storage=storage, cache="only").run(topic="bread").result()


def test_a_session_with_signs_of_patterns_in_its_id_takes_no_branch_of_another(place):
    source, target = place("sqlite", "source"), place("memory")
    for session_id in ("a_b", "axb"):
        source.transact(lambda tx, key=session_id: tx.append_about(key, "created", About()), write=True)
        source.transact(lambda tx, key=session_id: tx.append_about(f"{key}@run", "branched", About()), write=True)
    source.copy("a_b", to=target)
    assert target.read("SELECT session_id FROM session_log ORDER BY session_id") == [("a_b",), ("a_b@run",)]


def test_folded_and_forgotten_history_is_copied_as_it_is(place):
    source, target = place("duckdb", "source"), place("sqlite")
    session = filled(source)
    session.compact(keep=2)
    session.forget(step="draft")
    source.copy("demo", to=target)
    copy = target.session("demo")
    assert [each.version for each in copy.versions()] == [each.version for each in session.versions()]
    assert copy.forget() == session.forget() == 0
    for number in range(3):
        session.state["n"] = number
        session.save()
    session.compact()
    with pytest.raises(SessionExists, match="its versions are others"):  # what was folded since may have been anything
        source.copy("demo", to=target)


COPY = """
import sys
from wf_notebook import open_storage
print("ready", flush=True)
open_storage(sys.argv[1]).copy(to=sys.argv[2])
print("done", flush=True)
"""


@pytest.mark.parametrize("kind", ["sqlite", "duckdb"])
def test_a_copy_that_is_killed_leaves_whole_sessions_and_is_finished_later(place, process, kind):
    source, target = place("sqlite", "source"), place(kind)
    for number in range(30):
        session = source.session(f"s{number:02}")
        session.state["text"] = "x" * 50_000
        session.save(Records(events=[{"run_id": f"r{number}", "seq": seq, "content": "y" * 200} for seq in range(100)]))
    source.close()
    copying = process(COPY, source.url, target.url)
    assert copying.stdout.readline() == "ready\n"
    while not target.sessions():
        assert copying.poll() is None
    copying.send_signal(signal.SIGKILL)
    copying.wait(timeout=30)
    for session_id in target.sessions()["session_id"]:
        assert target.session(session_id).state == {"text": "x" * 50_000}
    source.copy(to=target)
    assert sorted(target.sessions()["session_id"]) == sorted(source.sessions()["session_id"])
    assert [target.session(f"s{number:02}").newest() for number in range(30)] == [1] * 30


def test_a_large_session_takes_little_memory(place):
    source, target = place("sqlite", "source"), place("sqlite")
    run = {"run_id": "r", "phase": "start", "happened_at": datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%S.%f")}
    session = source.session("large")
    for number in range(40):
        session.state[f"text {number}"] = np.random.default_rng(number).bytes(1_000_000)
    session.save(Records(runs=[run], events=[{"run_id": "r", "seq": seq, "content": "y" * 2000} for seq in range(10_000)]))
    source.close()
    tracemalloc.start()
    assert source.copy("large", to=target)[0]["events"] == 10_000
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert most < 45_000_000
    assert target.session("large").versions() == session.versions()
