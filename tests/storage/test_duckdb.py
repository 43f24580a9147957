"""A DuckDB file that others use too: it is free between saves, and whoever holds it is waited for and named."""

from __future__ import annotations

import json
import signal
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from pathlib import Path

import duckdb
import pytest

from wf_notebook import Workflow, open_storage
from wf_notebook.errors import SessionOwned, StorageBusy, StorageFailed
from wf_notebook.session import Session
from wf_notebook.storage import duckdb_file, lock, waiting
from wf_notebook.storage.duckdb_connection import Cursor
from wf_notebook.transaction import About

HOLD = "import duckdb, sys; db = duckdb.connect(sys.argv[1], read_only=sys.argv[2:] == ['read_only'])"
LOCK = "import fcntl, sys; file = open(sys.argv[1], 'w'); fcntl.flock(file, fcntl.LOCK_EX)"


def saved(database, session_id: str = "demo", **state):
    session = database.open().session(session_id)
    session.state.update(state)
    session.save()
    return session


# -- others ------------------------------------------------------------------------------------------------------------------


def test_the_file_is_free_right_after_a_save(duck, python):
    saved(duck, n=1)
    code = "import duckdb, sys; print(duckdb.connect(sys.argv[1]).sql('SELECT key, value FROM session_state').fetchall())"
    assert python(code, duck.path) == "[('n', '1')]"


def test_what_an_outsider_writes_between_two_saves_is_kept(duck):
    session = saved(duck, n=1)
    duck.query("CREATE TABLE mine AS SELECT 1 AS a")
    session.state["n"] = 2
    session.save()
    assert duck.query("SELECT a FROM mine") == [(1,)]
    assert duck.open().session("demo").state == {"n": 2}


@pytest.mark.slow
@pytest.mark.parametrize("mode", ["read_write", "read_only"])
def test_an_outsider_who_holds_the_file_is_waited_for_and_named_and_nothing_is_lost(duck, holding, capsys, monkeypatch, mode):
    session = saved(duck, n=1)
    patience = {"read_write": waiting.PATIENCE, "read_only": 1.0}[mode]  # in full once
    for place in (waiting, duckdb_file):
        monkeypatch.setattr(place, "PATIENCE", patience)
    monkeypatch.setattr(lock, "SILENCE", 0.2)
    monkeypatch.setattr("wf_notebook.storage.duckdb_errors.SILENCE", 0.2)
    session.state["n"] = 2
    with holding(HOLD, duck.path, mode) as holder:
        began = time.monotonic()
        with pytest.raises(StorageBusy) as busy:
            session.save()
        assert 0.9 * patience < time.monotonic() - began < patience + 5
        who = f"held by {Path(f'/proc/{holder.pid}/exe').resolve().name} (PID {holder.pid})"
        assert str(busy.value) == (
            f"'runs.duckdb' is {who}; the unsaved state stays in memory: close it there, "
            "then run %wf save (or write_to_storage())"
        )
        assert f"waiting for 'runs.duckdb', which is {who}" in capsys.readouterr().err
    session.save()
    assert duck.open().session("demo").state == {"n": 2}


@pytest.mark.slow
def test_an_outsider_who_lets_go_in_time_delays_a_save_only(duck, process):
    session = saved(duck, n=1)
    holder = process(HOLD + "\nprint('ready')\ninput()", duck.path)
    holder.stdout.readline()
    session.state["n"] = 2
    saving = threading.Thread(target=session.save)
    saving.start()
    saving.join(0.2)
    assert saving.is_alive()
    holder.communicate("\n", timeout=30)
    saving.join(20)
    assert duck.open().session("demo").state == {"n": 2}


def test_saves_go_on_beside_the_users_own_connection(duck):
    session = saved(duck, n=1)
    with duckdb.connect(duck.path) as mine:
        session.state["n"] = 2
        session.save()
        assert mine.sql("SELECT value FROM session_state").fetchall() == [("2",)]
        mine.execute("CREATE TABLE mine AS SELECT 1 AS a")
        session.state["n"] = 3
        session.save()
        assert duck.open().session("demo").state == {"n": 3}
    assert duck.query("SELECT a, value FROM mine, session_state") == [(1, "3")]


def test_beside_a_connection_of_the_users_that_is_in_a_transaction_saves_go_on_too(duck):
    session = saved(duck, n=1)
    with duckdb.connect(duck.path) as mine:
        mine.execute("BEGIN")
        mine.execute("CREATE TABLE mine AS SELECT 1 AS a")
        for number in range(3):
            session.state["n"] = number
            session.save()
        mine.execute("COMMIT")
    assert duck.query("SELECT a, value FROM mine, session_state") == [(1, "2")]


def test_a_read_only_connection_of_the_users_own_stands_against_a_save_and_not_against_a_load(duck):
    session = saved(duck, n=1)
    session.state["n"] = 2
    with duckdb.connect(duck.path, read_only=True):
        with pytest.raises(StorageBusy) as busy:
            session.save()
        assert str(busy.value) == (
            "'runs.duckdb' is open read-only in this kernel, or with other settings; the unsaved state stays in memory: "
            "close that connection, then run %wf save (or write_to_storage())"
        )
        assert open_storage(duck.url).session("demo").state == {"n": 1}
    session.save()
    assert duck.open().session("demo").state == {"n": 2}


def test_a_kernel_that_holds_the_lock_too_long_is_an_error_that_says_so(duck, holding, tmp_path, capsys, monkeypatch):
    saved(duck, n=1)
    monkeypatch.setattr(lock, "SILENCE", 0.1)
    with (
        holding(LOCK, tmp_path / "runs.duckdb.lock"),
        pytest.raises(StorageBusy, match=r"'runs.duckdb' is being written by another kernel \(since 0.3 s\); the unsaved state"),
        lock.locked(tmp_path / "runs.duckdb.lock", patience=0.3),
    ):
        pass
    assert "waiting for 'runs.duckdb', which another kernel is writing" in capsys.readouterr().err
    with lock.locked(tmp_path / "runs.duckdb.lock", patience=5):
        pass


def test_a_lock_that_arrives_after_it_was_given_up_is_released_at_once(holding, tmp_path):
    path = tmp_path / "x.lock"
    with holding(LOCK, path), pytest.raises(StorageBusy), lock.locked(path, patience=0.1):
        pass
    for _ in range(3):
        with lock.locked(path, patience=10):
            pass


def test_a_lock_file_that_was_replaced_does_not_count(tmp_path):
    path = tmp_path / "x.lock"
    with lock.locked(path):
        path.unlink()
        with lock.locked(path, patience=5):
            assert path.exists()


def test_a_lock_that_cannot_be_made_is_an_error_of_ours(tmp_path):
    (tmp_path / "x.lock").mkdir()
    with pytest.raises(StorageFailed, match=r"x\.lock' cannot be locked \(Is a directory\)"), lock.locked(tmp_path / "x.lock"):
        pass


def test_two_names_of_one_file_are_one_storage(duck, tmp_path):
    session = saved(duck, n=1)
    (tmp_path / "linked").mkdir()
    link = tmp_path / "linked" / "other.duckdb"
    link.symlink_to(duck.path)
    other = open_storage(f"duckdb:///{link}").session("demo")
    other.state["m"] = 1
    other.save()
    session.state["n"] = 2
    session.save()
    assert duck.open().session("demo").state == {"n": 2, "m": 1}
    assert sorted(path.name for path in link.parent.iterdir()) == ["other.duckdb"]


def test_a_path_may_have_quotes(tmp_path):
    session = open_storage(f'duckdb:///{tmp_path}/it\'s "my" folder; --/ö.duckdb').session("demo")
    session.state["n"] = 1
    session.save()
    with duckdb.connect(tmp_path / 'it\'s "my" folder; --' / "ö.duckdb") as db:
        assert db.sql("SELECT value FROM session_state").fetchall() == [("1",)]


def test_a_file_made_by_a_newer_duckdb_for_itself_is_used_as_it_is(duck):
    duck.query("CREATE TABLE mine AS SELECT 1 AS a")
    saved(duck, n=1)
    assert duck.query("SELECT a, value FROM mine, session_state") == [(1, "1")]


def test_a_new_file_can_be_opened_by_the_last_duckdb_before_2(duck):
    saved(duck, n=1)
    with duckdb.connect(duck.path) as db:
        ((tags,),) = db.sql("SELECT tags FROM duckdb_databases() WHERE NOT internal").fetchall()
    assert tags["storage_version"].startswith("v1.5")


def test_a_header_that_changes_while_the_file_is_attached_is_not_gone_by(duck, monkeypatch):
    """DuckDB 2.0 reads the header before it locks the file; whoever checkpoints in that moment would be written over later."""
    session = saved(duck, n=1)
    header, moments = duckdb_file.File._header, []

    def in_the_gap(self) -> bytes | None:
        moments.append(len(moments))
        return header(self) if len(moments) != 1 else b"as it was before another one's checkpoint"

    monkeypatch.setattr(duckdb_file.File, "_header", in_the_gap)
    session.state["n"] = 2
    session.save()
    assert len(moments) == 4
    assert duck.open().session("demo").state == {"n": 2}


# -- one transaction -----------------------------------------------------------------------------------------------------------


@pytest.fixture
def statements(monkeypatch):
    """Return the statements that are run from now on, by their first two words."""
    said: list[str] = []
    execute = Cursor.execute

    def noting(self, sql, parameters=()):
        said.append(" ".join(sql.split()[:2]))
        return execute(self, sql, parameters)

    monkeypatch.setattr(Cursor, "execute", noting)
    return said


def test_a_save_is_one_insert_while_nobody_else_writes(duck, statements):
    session = saved(duck, n=1)
    statements.clear()
    session.load()
    session.state["n"] = 2
    session.save()
    assert statements == ["BEGIN", "INSERT INTO", "COMMIT"]


def test_what_another_storage_of_this_process_wrote_is_seen(duck, statements):
    session = saved(duck, n=1)
    saved(duck, m=1)
    statements.clear()
    session.load()
    assert session.state == {"n": 1, "m": 1}
    assert statements[0] == "BEGIN"


def test_what_another_process_wrote_is_seen_by_loads_and_saves(duck, python):
    session = saved(duck, n=1)
    code = """
import sys; from wf_notebook import open_storage
session = open_storage(sys.argv[1]).session("demo"); session.state[sys.argv[2]] = 1; session.save()
"""
    python(code, duck.url, "a")
    session.load()
    assert session.state == {"n": 1, "a": 1}
    python(code, duck.url, "b")
    session.state["n"] = 2
    session.save()
    session.load()
    assert (session.state, session.version) == ({"n": 2, "a": 1, "b": 1}, 4)


# -- the WAL -------------------------------------------------------------------------------------------------------------------


def wal(database) -> int:
    path = database.path.with_name(database.path.name + ".wal")
    return path.stat().st_size if path.exists() else 0


def test_small_saves_stay_in_the_wal_and_closing_folds_it(duck):
    session = saved(duck, n=0)
    before = duck.path.stat().st_mtime_ns
    for number in range(5):
        session.state["n"] = number
        session.save()
    assert (wal(duck) > 0, duck.path.stat().st_mtime_ns) == (True, before)
    duck.close()
    assert wal(duck) == 0
    session.state["n"] = "after"
    session.save()
    assert duck.open().session("demo").state == {"n": "after"}


def test_a_wal_that_grows_large_is_folded(duck):
    session = saved(duck, n=0)
    session.state["large"] = "".join(map(str, range(500_000)))
    session.save()
    duck.open().transact(lambda _: None, write=False)
    assert wal(duck) == 0


def test_a_wal_that_takes_long_to_replay_is_folded(duck, monkeypatch):
    session = saved(duck, n=0)
    monkeypatch.setattr(duckdb_file.File.at(duck.path).checkpoints, "cost", 0.02)
    before = duck.path.stat().st_mtime_ns
    for number in range(400):
        session.state["n"] = number
        session.save()
        if duck.path.stat().st_mtime_ns != before:
            break
    assert 1 < number < 400
    session.state["n"] = "after"
    session.save()  # waits until the checkpoint is done
    assert wal(duck) < 2000  # what was saved since


def test_a_save_is_acknowledged_before_the_checkpoint_that_follows_it(duck, monkeypatch):
    session = saved(duck, n=0)
    free, freed = threading.Event(), []
    checkpoint = duckdb_file.File._checkpoint

    def waiting(self, cursor) -> None:
        freed.append(free.wait(10))
        checkpoint(self, cursor)

    monkeypatch.setattr(duckdb_file.File, "_checkpoint", waiting)
    monkeypatch.setattr(duckdb_file, "WAL_LIMIT", 0)
    session.state["n"] = 1
    session.save()
    assert session.version == 2
    free.set()
    assert duck.open().session("demo").at(2) == {"n": 1}
    assert freed[0]


@pytest.fixture
def attached(monkeypatch) -> list[None]:
    """Return something as long as there were attachments."""
    seen: list[None] = []
    attach = duckdb_file.File.attach

    def counted(self, *given, **how) -> None:
        seen.append(None)
        attach(self, *given, **how)

    monkeypatch.setattr(duckdb_file.File, "attach", counted)
    return seen


def test_saves_go_on_while_the_file_stays_attached_after_a_checkpoint(duck, attached, monkeypatch):
    session = saved(duck, n=0)
    monkeypatch.setattr(duckdb_file, "WAL_LIMIT", 0)
    monkeypatch.setattr(duckdb_file, "STAY", 2.0)
    attached.clear()
    for number in range(1, 4):
        session.state["n"] = number
        session.save()
    assert len(attached) == 1
    assert duck.open().session("demo").state == {"n": 3}


def test_a_save_that_fails_while_the_file_stays_attached_takes_no_other_with_it(duck, monkeypatch):
    session = saved(duck, n=0)
    monkeypatch.setattr(duckdb_file, "WAL_LIMIT", 0)
    session.state["n"] = 1
    session.save()
    with pytest.raises(FileExistsError):
        duck.open().transact(_failing, write=True)
    session.state["n"] = 2
    session.save()
    assert duck.open().session("demo").state == {"n": 2}
    assert not duck.open().sessions().df().query("session_id == 'other'").size


def _failing(tx) -> None:
    tx.append_about("other", "created", About())
    raise FileExistsError


# -- interrupts ----------------------------------------------------------------------------------------------------------------

INTERRUPTED = """
import json, os, signal, sys, threading, time
from wf_notebook import open_storage
session = open_storage(sys.argv[1]).session("demo")
session.state["n"] = 0
session.save()
going = True
def interrupt():
    while going:
        time.sleep(0.007)
        if going:
            os.kill(os.getpid(), signal.SIGINT)
thread = threading.Thread(target=interrupt)
heard = tried = 0
try:
    thread.start()
except KeyboardInterrupt:
    pass
while tried < 60 or (heard <= 5 and tried < 2000):  # a quick machine hears few in 60 saves
    try:
        tried += 1
        session.state["n"] += 1
        session.state.setdefault("items", []).append(tried)
        session.save()
    except KeyboardInterrupt:
        heard += 1
while going:
    try:
        going = False
        thread.join()
    except KeyboardInterrupt:
        going = False
thread.join()
session.save()
print(json.dumps([heard, session.state]))
"""


@pytest.mark.slow
def test_interrupts_during_saves_leave_the_storage_usable_and_nothing_lost_or_doubled(file_database, python):
    heard, state = json.loads(python(INTERRUPTED, file_database.url))
    assert heard > 5
    assert file_database.open().session("demo").state == state
    ((rows, versions),) = file_database.query("SELECT count(*), count(DISTINCT version) FROM state_log WHERE key = 'n'")
    assert rows == versions


WAITING = """
import sys, time
from wf_notebook import open_storage
session = open_storage(sys.argv[1]).session("demo")
def save():
    session.state["n"] = 1
    session.save()
print("waiting")
began = time.monotonic()
try:
    save()
except KeyboardInterrupt:
    print(time.monotonic() - began < 5)
input()
save()
print(session.version)
"""


def interrupted_while_waiting(process, url: str, holder) -> None:
    waiter = process(WAITING, url)
    assert waiter.stdout.readline() == "waiting\n", waiter.stderr.read()
    assert "waiting for" in waiter.stderr.readline()
    waiter.send_signal(signal.SIGINT)
    assert waiter.stdout.readline() == "True\n"
    holder.communicate("\n", timeout=30)
    assert waiter.communicate("\n", timeout=30)[0] == "1\n"


@pytest.mark.slow
def test_an_interrupt_ends_the_wait_for_another_kernel(duck, process, holding, tmp_path):
    with holding(LOCK, tmp_path / "runs.duckdb.lock") as holder:
        interrupted_while_waiting(process, duck.url, holder)


@pytest.mark.slow
def test_an_interrupt_ends_the_wait_for_an_outsider(file_database, process, holding):
    if file_database.kind == "duckdb":
        code = HOLD
    else:
        code = "import sqlite3, sys; db = sqlite3.connect(sys.argv[1], isolation_level=None); db.execute('BEGIN EXCLUSIVE')"
    with holding(code, file_database.path) as holder:
        interrupted_while_waiting(process, file_database.url, holder)


@pytest.mark.slow
def test_an_interrupt_takes_back_a_save_that_has_not_begun(duck, python):
    code = """
import os, signal, sys, threading
from wf_notebook import open_storage
storage = open_storage(sys.argv[1])
begun, free = threading.Event(), threading.Event()
def work(tx):
    begun.set()
    free.wait(30)
other = threading.Thread(target=storage.transact, args=(work,), kwargs={"write": True})
other.start()
begun.wait(30)
threading.Timer(0.3, os.kill, [os.getpid(), signal.SIGINT]).start()
try:
    storage.transact(lambda tx: print("never"), write=True)
except KeyboardInterrupt:
    print("taken back")
free.set()
other.join()
print(storage.transact(lambda tx: "usable", write=True))
"""
    assert python(code, duck.url) == "taken back\nusable"


# -- many processes ------------------------------------------------------------------------------------------------------------

MANY = """
import sys; from wf_notebook import open_storage
session = open_storage(sys.argv[1]).session("demo")
for number in range(25):
    session.load()
    session.state[f"{sys.argv[2]}-{number}"] = number
    session.save()
"""


@pytest.mark.slow
def test_four_processes_that_save_at_once_lose_nothing(file_database, process):
    writers = [process(MANY, file_database.url, name) for name in "abcd"]
    for writer in writers:
        writer.communicate(timeout=100)
        assert writer.returncode == 0
    state = file_database.open().session("demo").state
    assert sorted(state) == sorted(f"{name}-{number}" for name in "abcd" for number in range(25))
    assert file_database.query("SELECT count(*), count(DISTINCT version), max(version) FROM state_log") == [(100, 100, 100)]


@pytest.mark.slow
def test_four_processes_that_begin_one_file_at_once_make_it_once(file_database, process):
    code = "import sys; from wf_notebook import open_storage; input(); s = open_storage(sys.argv[1]).session(sys.argv[2]); "
    code += "s.state['n'] = 1; s.save()"
    writers = [process(code, file_database.url, name) for name in "abcd"]
    for writer in writers:
        writer.stdin.write("\n")
        writer.stdin.flush()
    for writer in writers:
        writer.communicate(timeout=60)
        assert writer.returncode == 0
    assert sorted(file_database.open().get_all_session_ids()) == list("abcd")
    assert file_database.query("SELECT migration FROM schema_log") == [(2,), (3,)]


KILLED = """
import sys, time
from wf_notebook import Workflow
class Endless(Workflow):
    def run(self):
        self.session_state["acknowledged"] = "yes"
        self.write_to_storage()
        yield "begun"
        number = 0
        while True:
            number += 1
            self.session_state["at"] = time.time()
            yield f"{number} "
for response in Endless(session_id="demo", storage=sys.argv[1]).run():
    print(response.content, flush=True)
    time.sleep(0.005)
"""


@pytest.mark.slow
def test_a_kill_in_mid_run_loses_no_more_than_the_last_moment_and_nothing_that_was_acknowledged(file_database, process):
    for attempt in range(3):
        victim = process(KILLED, file_database.url)
        while victim.stdout.readline() != f"{150 + 20 * attempt} \n":
            pass
        killed = time.time()
        victim.kill()
        victim.wait()
        session = file_database.open().session("demo")
        assert session.state["acknowledged"] == "yes"
        assert killed - session.state["at"] < 0.25 + 0.5  # the half: two busy cores
        (run_id,) = file_database.query("SELECT run_id FROM runs ORDER BY started_at DESC LIMIT 1")[0]
        assert file_database.open().run(run_id).status == "lost"
        assert file_database.query("SELECT count(*) FROM event_log WHERE run_id = '" + run_id + "'")[0][0] > 0


# -- a session that is used by threads -----------------------------------------------------------------------------------------


def test_threads_that_save_at_once_lose_nothing(file_database):
    sessions = [file_database.open().session("demo") for _ in range(4)]

    def save(number: int) -> None:
        for count in range(10):
            sessions[number].state[f"{number}-{count}"] = count
            sessions[number].save()

    threads = [threading.Thread(target=save, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(file_database.open().session("demo").state) == 40
    assert file_database.query("SELECT count(*), max(version) FROM state_log") == [(40, 40)]


@pytest.mark.parametrize("error", [ValueError, StorageBusy, KeyboardInterrupt])
def test_the_storage_is_usable_after_an_error_inside_a_transaction(file_database, error):
    storage = file_database.open()

    def work(tx):
        tx.append_about("demo", "created", About())
        raise error

    with pytest.raises(error):
        storage.transact(work, write=True)
    saved(file_database, n=1)
    assert file_database.query("SELECT count(*) FROM session_log") == [(1,)]


# -- what is remembered --------------------------------------------------------------------------------------------------------


class Counted:
    """A storage that counts the transactions it is asked for."""

    def __init__(self, storage) -> None:
        self.storage, self.asked = storage, 0
        self.url, self.table_name, self.stamp = storage.url, storage.table_name, storage.stamp

    def transact(self, work, *, write: bool):
        self.asked += 1
        return self.storage.transact(work, write=write)


def test_a_new_session_reads_nothing_where_nobody_wrote_since_the_last_one_of_its_id(duck):
    saved(duck, topic="cheese", when=date(2026, 1, 2))
    storage = Counted(duck.open())
    session = Session("demo", storage=storage)
    assert (session.state, session.version, storage.asked) == ({"topic": "cheese", "when": date(2026, 1, 2)}, 1, 0)
    session.state["topic"] = "bread"
    session.save()
    assert (storage.asked, Session("demo", storage=storage).state["topic"], storage.asked) == (1, "bread", 1)


def test_a_new_session_reads_what_others_wrote_since_the_last_one_of_its_id(duck, python):
    saved(duck, topic="cheese")
    python("""
import sys
from wf_notebook import open_storage
session = open_storage(sys.argv[1]).session("demo")
session.state["topic"] = "bread"
session.save()
""", duck.url)  # fmt: skip
    storage = Counted(duck.open())
    assert (Session("demo", storage=storage).state, storage.asked) == ({"topic": "bread"}, 1)


def test_a_remembered_session_is_still_its_owners(duck):
    Session("demo", storage=duck.open(), about=About(user_id="ann"), state={"topic": "cheese"}).save()
    bob = Session("demo", storage=duck.open(), about=About(user_id="bob"))
    for attempt in (bob.load, bob.reload, bob.save):
        with pytest.raises(SessionOwned):
            attempt()


def test_a_workflow_whose_id_nobody_chose_goes_by_that_of_its_session_and_says_nothing_new(duck):
    class Flow(Workflow):
        def run(self, n):
            self.session_state["n"] = n

    first, second = Flow(session_id="demo", storage=duck.open()), Flow(session_id="demo", storage=duck.open())
    first.run(1)
    second.run(2)
    assert first.workflow_id == second.workflow_id == second.last_run.workflow_id
    assert (duck.count("session_log"), duck.query("SELECT workflow_id FROM sessions")) == (1, [(first.workflow_id,)])
    Flow(session_id="demo", storage=duck.open(), workflow_id="chosen").run(3)
    assert (duck.count("session_log"), duck.query("SELECT workflow_id FROM sessions")) == (2, [("chosen",)])


def test_the_next_save_ends_a_run_that_was_killed_meanwhile(duck, process):
    saved(duck, n=1)
    killed = process("""
import sys, time
from wf_notebook import Workflow
class Flow(Workflow):
    def run(self):
        while True:  # its first row goes with a flush
            try:
                self.storage.run(self.run_id)
                break
            except LookupError:
                pass
        print("open", flush=True)
        time.sleep(60)
Flow(session_id="demo", storage=sys.argv[1]).run()
""", duck.url)  # fmt: skip
    assert killed.stdout.readline() == "open\n"
    saved(duck, n=2)
    assert duck.query("SELECT status FROM runs") == [("running",)]
    killed.kill()
    killed.wait()
    saved(duck, n=3)
    assert duck.query("SELECT status FROM runs") == [("lost",)]


def test_once_a_run_is_over_its_file_can_be_opened_in_the_same_process_also_after_a_checkpoint(tmp_path, monkeypatch):
    monkeypatch.setattr(duckdb_file, "WAL_LIMIT", 0)  # each save is worth one

    class Blog(Workflow):
        def run(self):
            self.session_state["n"] = 1
            yield "done"

    blog = Blog(session_id="demo", storage=f"duckdb:///{tmp_path / 'runs.duckdb'}")
    list(blog.run())
    with duckdb.connect(blog.storage.path, read_only=True) as db:
        assert db.sql("SELECT value FROM session_state").fetchall() == [("1",)]


def test_what_was_read_is_told_once_the_file_is_free_also_where_it_was_worth_a_checkpoint(duck, monkeypatch):
    saved(duck, n=1)
    storage = duck.open()
    monkeypatch.setattr(duckdb_file, "WAL_LIMIT", 0)  # the next one who attaches the file folds the WAL
    assert len(storage.get_all_session_ids()) == 1
    with duckdb.connect(duck.path, read_only=True) as db:
        assert db.sql("SELECT count(*) FROM session_state").fetchall() == [(1,)]


def test_a_read_makes_no_file_where_one_was_taken_away_while_it_waited(duck):
    saved(duck, n=1)
    duck.close()
    with ThreadPoolExecutor() as pool:
        with lock.locked(duck.path.with_name(duck.path.name + ".lock")):
            read = pool.submit(duck.open().get_all_session_ids)
            while not any(thread.name == "wf_notebook-lock" for thread in threading.enumerate()):
                assert not read.done()
            duck.path.unlink()
        assert read.result(timeout=30) == []
    assert not duck.path.exists()
