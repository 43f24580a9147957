"""A query of the user's runs in a process of its own: it ends whatever it does there, and takes nothing of the kernel along."""

from __future__ import annotations

import os
import resource
import signal
import threading
from enum import StrEnum
from pathlib import Path

import duckdb
import pytest

from wf_notebook.cancel import CancelToken
from wf_notebook.errors import BadQuery
from wf_notebook.storage import apart, asking, open_storage

#: A function that hears no interrupt while it works, for ten seconds or more.
DEAF = {
    "duckdb": "SELECT max(regexp_matches(repeat('a', 20000) || i::VARCHAR, '(a?){500}b')) FROM range(200) t(i)",
    "sqlite": "SELECT length(printf('%.*c', 2000000000, 'x'))",
    "memory": "SELECT length(printf('%.*c', 2000000000, 'x'))",
}
#: What needs gigabytes at once, if nobody keeps it from that; and what it may have.
GREEDY = {
    "duckdb": ("SELECT max(length(repeat('x' || i::VARCHAR, 500000))) FROM range(1000) t(i)", 30_000_000),
    "sqlite": ("SELECT " + ", ".join(f"zeroblob({95_000_000 + n}) || ''" for n in range(30)), 800_000_000),
}
GREEDY["memory"] = GREEDY["sqlite"]
ENDLESS = "WITH RECURSIVE t(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM t) SELECT count(*) FROM t"


@pytest.fixture(autouse=True)
def _fresh():
    """Let each test begin without a process."""
    apart.end_all()
    yield
    apart.end_all()


@pytest.fixture
def storage(local_database):
    storage = local_database.open()
    session = storage.session("demo")
    session.state["n"] = 1
    session.save()
    return storage


def asked(storage, query, **options):
    """Ask in a thread; return that, and what came of it."""
    found = []

    def ask() -> None:
        try:
            found.append(storage.sql(query, **options))
        except BadQuery as error:
            found.append(error)

    thread = threading.Thread(target=ask)
    thread.start()
    return thread, found


def at_work(*, seconds: float = 0.0) -> int:
    """Wait until a process works on its first query, and has worked so long; return its id."""
    for _ in range(6000):
        busy = [one._process.pid for one in apart._all if one._is_there and not one.is_free]
        if busy and worked(busy[0]) >= seconds:
            return busy[0]
        threading.Event().wait(0.01)
    raise AssertionError("no process is at work")


def worked(pid: int) -> float:
    """Return for how many seconds a process has worked."""
    user, system = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[11:13]
    return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")


def is_alive(pid: int) -> bool:
    """Return whether a process that is not ours is there, and no zombie."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def goes_on(storage):
    """Save, and ask for what was saved."""
    session = storage.session("demo")
    session.state["n"] = 2
    session.save()
    assert storage.sql("SELECT value FROM session_state")["value"] == [2]


# -- how it ends ---------------------------------------------------------------------------------------------------------------


def test_a_stop_ends_a_function_that_hears_no_interrupt(storage, local_database):
    stop = CancelToken()
    thread, found = asked(storage, DEAF[local_database.kind], stop=stop, seconds=60)
    at_work(seconds=1.5)
    stop.cancel()
    thread.join()
    assert str(found[0]) == "the query was stopped; run it again, or ask for less"
    assert not apart._all  # it was killed
    goes_on(storage)


def test_the_time_ends_a_function_that_hears_no_interrupt(storage, local_database):
    with pytest.raises(BadQuery, match=r"the query took more than 0\.3 s"):
        storage.sql(DEAF[local_database.kind], seconds=0.3)
    assert local_database.kind == "duckdb" or not apart._all  # killed; DuckDB may be still at its plan, and hears
    goes_on(storage)


def test_an_interrupt_ends_a_function_that_hears_none(storage, local_database):
    main = threading.main_thread().ident
    interrupting = threading.Thread(target=lambda: (at_work(seconds=1.5), signal.pthread_kill(main, signal.SIGINT)))
    interrupting.start()
    with pytest.raises(KeyboardInterrupt):
        storage.sql(DEAF[local_database.kind], seconds=60)
    assert not apart._all  # it was killed
    interrupting.join()
    goes_on(storage)


def test_a_query_that_asks_for_gigabytes_is_ended_and_the_kernel_takes_no_more_memory(storage, local_database):
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    query, memory = GREEDY[local_database.kind]
    with pytest.raises(BadQuery, match=r"the query needs more than 0\.\d+ GB of memory; ask for fewer rows or shorter texts"):
        storage.ask(query, (), asking.Bounds(memory=memory, seconds=60))  # by its memory, not by its time
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 100_000
    goes_on(storage)


def test_a_process_that_is_ended_from_outside_is_named_and_the_next_query_has_another_one(storage):
    thread, found = asked(storage, ENDLESS)
    os.kill(pid := at_work(), signal.SIGKILL)
    thread.join()
    assert str(found[0]) == (
        "the process in which the query ran was ended from outside, as the system does where memory runs out; "
        "ask for less, or run it again"
    )
    goes_on(storage)
    assert [one._process.pid for one in apart._free] != [pid]


def test_an_interrupt_of_the_kernel_does_not_reach_the_process(storage):
    thread, found = asked(storage, ENDLESS, seconds=0.5)
    pid = at_work()
    assert os.getpgid(pid) != os.getpgid(0)
    os.kill(pid, signal.SIGINT)
    thread.join()
    assert "the query took more than 0.5 s" in str(found[0])


# -- how long it lives ---------------------------------------------------------------------------------------------------------


def test_the_next_query_asks_the_same_process(storage):
    pids = set()
    for number in range(3):
        assert list(storage.sql(f"SELECT {number} AS n")) == [{"n": number}]
        pids |= {one._process.pid for one in apart._all}
    assert len(pids) == 1


def test_a_process_that_ended_while_nobody_asked_is_replaced_without_a_word(storage):
    storage.sql("SELECT 1")
    (process,) = apart._free
    process._input.close()  # as if its parent were gone
    process._process.wait(10)
    process._input = os.fdopen(os.open(os.devnull, os.O_WRONLY), "wb", buffering=0)
    goes_on(storage)


def test_it_ends_with_the_process_that_asks_also_when_that_is_killed_and_a_forked_child_lives_on(process, file_database):
    code = """
import os, sys
from wf_notebook.storage import apart, open_storage
storage = open_storage(sys.argv[1])
session = storage.session("demo"); session.state["n"] = 1; session.save()
storage.sql("SELECT 1")
ours = apart._free[0]._process.pid
reading, writing = os.pipe()
if os.fork() == 0:
    found = storage.sql("SELECT value FROM session_state")["value"]
    os.write(writing, f"{os.getpid()} {apart._free[0]._process.pid} {found}\\n".encode())
    input()
    os._exit(0)
print(ours, os.read(reading, 100).decode(), [*storage.sql("SELECT 2 AS n")], apart._free[0]._process.pid == ours)
input()
"""
    parent = process(code, file_database.url)
    line = parent.stdout.readline()
    assert line, parent.stderr.read()
    ours, child, childs, *found = line.split()
    assert found == ["[1]"]
    assert parent.stdout.readline() == " [{'n': 2}] True\n"
    assert ours != childs
    parent.kill()
    parent.wait()
    for _ in range(1000):
        if not is_alive(int(ours)):
            break
        threading.Event().wait(0.01)
    assert (is_alive(int(ours)), is_alive(int(child)), is_alive(int(childs))) == (False, True, True)
    os.kill(int(child), signal.SIGKILL)


def test_the_end_of_the_kernel_is_not_held_up_and_says_nothing(python, file_database):
    code = """
import sys
from wf_notebook.storage import open_storage
storage = open_storage(sys.argv[1])
session = storage.session("demo"); session.state["n"] = 1; session.save()
print(storage.sql("SELECT value FROM session_state")["value"])
"""
    assert python(code, file_database.url) == "[1]"


# -- what it is told -----------------------------------------------------------------------------------------------------------


class Color(StrEnum):
    RED = "red"


def test_a_parameter_of_a_class_of_the_users_is_refused_in_one_line(storage):
    with pytest.raises(BadQuery, match="a parameter is of type 'Color'; correct the query"):
        storage.sql("SELECT ?", [Color.RED])
    with pytest.raises(BadQuery, match="the parameters cannot be given"):
        storage.sql("SELECT ?", [lambda: 1])
    goes_on(storage)


def test_a_connection_of_the_users_own_that_only_reads_is_no_obstacle(duck):
    storage = duck.open()
    session = storage.session("demo")
    session.state["n"] = 1
    session.save()
    storage.close()
    with duckdb.connect(duck.path, read_only=True):
        assert storage.sql("SELECT value FROM session_state")["value"] == [1]


def test_where_no_process_can_be_started_a_query_is_made_in_this_one(storage, monkeypatch):
    monkeypatch.setattr("sys.executable", "/nowhere/python")
    assert storage.sql("SELECT value FROM session_state")["value"] == [1]
    with pytest.raises(BadQuery, match=r"the query took more than 0\.3 s"):
        storage.sql(ENDLESS, seconds=0.3)
    with pytest.raises(BadQuery, match="does more than read"):
        storage.sql("DELETE FROM state_log")
    goes_on(storage)


def test_queries_of_several_threads_are_each_answered(storage):
    threads = [asked(storage, f"SELECT {number} AS n") for number in range(6)]
    for thread, _ in threads:
        thread.join()
    assert [[*found[0]] for _, found in threads] == [[{"n": number}] for number in range(6)]
    assert len(apart._free) == 1


def test_a_large_memory_is_not_copied(monkeypatch):
    monkeypatch.setattr("wf_notebook.storage.memory.COPIED", 0)
    with open_storage("memory:") as storage:
        storage.session("demo").save()
        assert [*storage.sql("SELECT 1 AS n")] == [{"n": 1}]
    assert not apart._free


def test_a_memory_in_which_nothing_was_saved_yet_is_asked_too():
    assert open_storage("memory:").sql("SELECT 1 AS n")[0] == {"n": 1}
