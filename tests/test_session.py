"""One session object: what is in its dict, what it knows of the store, and what it asks of it."""

from __future__ import annotations

import gc
import subprocess
import sys
import weakref

import pytest

from wf_notebook.errors import SessionConflict, StorageBusy
from wf_notebook.kept import Kept
from wf_notebook.session import Session
from wf_notebook.storage import MemoryWorkflowStorage
from wf_notebook.transaction import Records


class Shaky:
    """A storage that can be told to fail, and counts its transactions."""

    def __init__(self) -> None:
        self.storage = MemoryWorkflowStorage()
        self.fails = False
        self.asked: list[str] = []

    def stamp(self) -> None:
        return None

    def transact(self, work, *, write: bool):
        self.asked.append("write" if write else "read")
        if self.fails:
            raise StorageBusy("held")
        return self.storage.transact(work, write=write)


@pytest.fixture
def shaky():
    return Shaky()


def test_a_session_without_a_storage_lives_in_memory_and_nothing_takes_it_away():
    session = Session("demo", state={"topic": "cheese"})
    session.state["n"] = 1
    session.save()
    session.load()
    session.reload()
    assert (session.state, session.version) == ({"topic": "cheese", "n": 1}, 0)
    session.delete()
    assert session.state == {}


def test_the_given_state_is_copied_so_that_no_two_sessions_share_what_is_in_it():
    given = {"posts": []}
    one, two = Session("a", state=given), Session("b", state=given)
    one.state["posts"].append(1)
    assert (two.state, given) == ({"posts": []}, {"posts": []})


def test_the_first_access_loads_and_no_later_one(shaky):
    session = Session("demo", storage=shaky)
    assert shaky.asked == []
    assert (session.state, session.state, shaky.asked) == ({}, {}, ["read"])


def test_the_dict_is_one_object_for_the_life_of_the_session(shaky):
    session = Session("demo", storage=shaky)
    live = session.state
    session.replace({"a": 1})
    session.save()
    session.load()
    session.reload()
    session.replace(live)
    assert session.state is live
    assert live == {"a": 1}


def test_a_first_load_that_fails_leaves_the_session_unloaded(shaky):
    saved = shaky.storage.session("demo")
    saved.state["topic"] = "cheese"
    saved.save()
    session = Session("demo", storage=shaky, state={"topic": "new"})
    shaky.fails = True
    for _ in range(2):
        with pytest.raises(StorageBusy):
            _ = session.state
        with pytest.raises(StorageBusy):
            session.save()
    shaky.fails = False
    assert session.state == {"topic": "cheese"}


def test_a_load_that_fails_later_changes_nothing(shaky):
    session = Session("demo", storage=shaky)
    session.state["n"] = 1
    shaky.fails = True
    with pytest.raises(StorageBusy):
        session.load()
    assert session.state == {"n": 1}
    shaky.fails = False
    session.save()
    assert shaky.storage.session("demo").state == {"n": 1}


def test_rows_wait_in_order_for_a_save_that_can_be_done(shaky):
    session = Session("demo", storage=shaky)
    session.save()
    shaky.fails = True
    rows = [{"run_id": "r", "seq": seq, "happened_at": "2026-01-01 00:00:00.0", "event": "e"} for seq in (1, 2, 3)]
    for row in rows[:2]:
        with pytest.raises(StorageBusy):
            session.save(Records((), [row]))
    shaky.fails = False
    session.save(Records((), rows[2:]))
    query = "SELECT seq FROM event_log"
    assert shaky.storage.transact(lambda tx: tx.rows(query, ()), write=False) == [(1,), (2,), (3,)]


def test_a_snapshot_counts_a_value_that_cannot_be_kept_as_what_was_last_saved_of_it(shaky):
    session = Session("demo", storage=shaky)
    session.state.update(a=1, b=2)
    session.save()
    session.state.update(a=object(), c=object())
    assert session.snapshot().kept == {"a": Kept.of(1), "b": Kept.of(2)}


def test_a_conflict_that_was_mended_is_over(shaky):
    one, two = Session("demo", storage=shaky), Session("demo", storage=shaky)
    one.state["topic"], two.state["topic"] = "cheese", "wine"
    one.save()
    with pytest.raises(SessionConflict):
        two.save()
    two.state["topic"] = "cheese"
    two.save()
    assert (two.version, shaky.storage.session("demo").state) == (1, {"topic": "cheese"})


IN_A_CHILD = """
import os, sqlite3, sys, threading
from wf_notebook import open_storage
from wf_notebook.errors import StorageBusy
from wf_notebook.storage import waiting
from wf_notebook.transaction import Records
waiting.PATIENCE = 0
session = open_storage(sys.argv[1] + "/runs.db").session("demo")
session.save()
other = sqlite3.connect(session.storage.path, isolation_level=None)
other.execute("BEGIN EXCLUSIVE")
try:
    session.save(Records((), [{"run_id": "r", "seq": 1, "happened_at": "2026-01-01 00:00:00.0", "event": "e"}]))
except StorageBusy:
    other.execute("COMMIT")
held, free = threading.Event(), threading.Event()
def hold():
    with session._lock:
        held.set()
        free.wait(30)
holder = threading.Thread(target=hold)
holder.start()
held.wait(30)
child = os.fork()
if child == 0:
    session.state["child"] = 1
    session.save()
    os._exit(0)
status = os.waitpid(child, 0)[1]
free.set()
holder.join()
session.save()
print(status, other.execute("SELECT count(*), (SELECT value FROM state_log) FROM event_log").fetchall())
"""


@pytest.mark.slow
def test_in_a_forked_child_no_lock_is_held_and_rows_that_wait_are_the_parents(tmp_path):
    quiet = ("-W", "ignore::DeprecationWarning")  # Python 3.12 warns of forks beside threads
    command = [sys.executable, *quiet, "-c", IN_A_CHILD, f"sqlite:///{tmp_path}"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert (done.stdout, done.stderr) == ("0 [(1, '1')]\n", "")


def test_a_session_that_is_dropped_is_gone():
    session = Session("demo", storage=MemoryWorkflowStorage())
    session.save()
    gone = weakref.ref(session)
    del session
    gc.collect()
    assert gone() is None
