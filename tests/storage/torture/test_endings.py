"""Processes are forked, spawned, interrupted and ended in mid-run: what was saved is there, once, and each run has one end."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time

import pytest
from jupyter_client.manager import start_new_kernel

from wf_notebook import open_storage


def runs(database) -> list[tuple]:
    """Return the status of each run, with how many rows it has for its start, and for its end, and whether events are doubled."""
    return database.query(
        "SELECT r.status, (SELECT count(*) FROM run_log l WHERE l.run_id = r.run_id AND l.phase = 'start'),"
        " (SELECT count(*) FROM run_log l WHERE l.run_id = r.run_id AND l.phase = 'end'),"
        " (SELECT count(*) - count(DISTINCT seq) FROM event_log e WHERE e.run_id = r.run_id) FROM runs r ORDER BY r.started_at"
    )


MULTIPROCESSING = """
import multiprocessing, sys
from wf_notebook import Workflow, open_storage

def work(url, number):
    session = open_storage(url).session("demo")
    session.state.setdefault("done", {})[str(number)] = number
    session.save()
    return number

class Many(Workflow):
    def run(self, how):
        self.session_state["begun"] = how
        yield "a"
        self.write_to_storage()
        with multiprocessing.get_context(how).Pool(2) as pool:
            self.session_state["sum"] = sum(pool.starmap(work, [(self.storage.url, number) for number in range(6)]))
        yield "b"

if __name__ == "__main__":
    print("".join(response.content for response in Many(session_id="demo", storage=sys.argv[1]).run(sys.argv[2])))
"""


@pytest.mark.slow
@pytest.mark.parametrize("how", ["fork", "spawn"])
def test_processes_that_run_makes_save_into_its_session(file_database, tmp_path, how):
    script = tmp_path / "many.py"
    script.write_text(MULTIPROCESSING)
    command = [sys.executable, script, file_database.url, how]
    done = subprocess.run(command, capture_output=True, text=True, timeout=100, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "ab\n", "")
    state = file_database.open().session("demo").state
    assert state == {"begun": how, "done": {str(number): number for number in range(6)}, "sum": 15}
    assert runs(file_database) == [("completed", 1, 1, 0)]


DROPPED = """
import gc, sys
from wf_notebook import Workflow, open_storage, saver

class Endless(Workflow):
    def run(self):
        self.session_state["n"] = self.session_state.get("n", 0) + 1
        while True:
            yield "x"

storage = open_storage(sys.argv[1])
for number in range(5):
    endless = Endless(session_id=f"demo {number}", storage=storage)
    stream = endless.run()
    next(stream)
    endless.me = endless  # only the garbage collector finds it

    def work(tx):
        global endless, stream
        tx.append_about("other", "created", endless.session.about)
        del endless, stream
        gc.collect()

    storage.transact(work, write=True)
saver.drain()
print([open_storage(sys.argv[1]).session(f"demo {number}").state for number in range(5)])
"""


@pytest.mark.slow
def test_a_stream_that_is_collected_while_a_transaction_is_open_is_saved_after_it(file_database, python):
    assert python(DROPPED, file_database.url) == str([{"n": 1}] * 5)
    assert runs(file_database) == [("stopped", 1, 1, 0)] * 5


IN_A_KERNEL = """
from wf_notebook import Workflow
class Long(Workflow):
    def run(self):
        self.session_state["acknowledged"] = 1
        self.write_to_storage()
        yield "begun"
        self.session_state["later"] = 1
        yield "more"
long = Long(session_id="demo", storage={!r})
stream = long.run()
next(stream), next(stream)
while True:  # until it is known as running: it is saved every quarter of a second
    try:
        long.storage.run(long.run_id)
        break
    except LookupError:
        pass
{}
"""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("how", "status"), [("shutdown", "stopped"), ("exit", "stopped"), ("SIGTERM", "lost"), ("SIGKILL", "lost")]
)
def test_a_kernel_that_ends_in_mid_run_leaves_what_it_saved(file_database, how, status):
    manager, client = start_new_kernel(kernel_name="python3")
    try:
        ending = "exit()" if how == "exit" else ""
        reply = client.execute_interactive(IN_A_KERNEL.format(file_database.url, ending), timeout=60, output_hook=lambda _: None)
        assert reply["content"]["status"] == "ok"
        if how == "shutdown":
            manager.shutdown_kernel()
        elif how != "exit":
            manager.signal_kernel(getattr(signal, how))
        deadline = time.monotonic() + 30
        while manager.is_alive() and time.monotonic() < deadline:
            time.sleep(0.02)
        assert not manager.is_alive()
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)
    state = file_database.open().session("demo").state
    assert state["acknowledged"] == 1
    (run_id,) = file_database.query("SELECT run_id FROM runs")[0]
    assert open_storage(file_database.url).run(run_id).status == status
    if status == "stopped":
        assert state == {"acknowledged": 1, "later": 1}


STORM = """
import json, os, signal, sys, threading, time
from wf_notebook import Workflow, open_storage

class Counting(Workflow):
    def run(self, number):
        self.session_state.setdefault("log", []).append(number)
        yield "a"
        self.write_to_storage()
        acknowledged.append(number)
        for _ in range(20):
            yield "b"

acknowledged, heard, going = [], 0, True
def storm():
    while going:
        time.sleep(0.011)
        if going:
            os.kill(os.getpid(), signal.SIGINT)
counting = None
thread = threading.Thread(target=storm)
number = 0
while number < int(sys.argv[2]):
    try:
        if counting is None:
            counting = Counting(session_id="demo", storage=sys.argv[1])
            counting.session_state
            thread.start()
        number += 1
        for _ in counting.run(number=number):
            pass
    except KeyboardInterrupt:
        heard += 1
while going or thread.is_alive():
    try:
        going = False
        thread.join()
    except KeyboardInterrupt:
        pass
counting.session.save()
print(json.dumps([heard, acknowledged, counting.session_state["log"]]))
"""


@pytest.mark.slow
def test_a_storm_of_interrupts_during_runs_loses_and_doubles_nothing(file_database, python, torture):
    count = torture.times(40, 1000)
    heard, acknowledged, log = json.loads(python(STORM, file_database.url, count))
    assert heard > count / 10
    assert file_database.open().session("demo").state["log"] == log
    assert len(set(log)) == len(log)
    assert set(acknowledged) <= set(log)
    ended = runs(file_database)
    assert {one[1:] for one in ended} == {(1, 1, 0)}
    assert {status for status, *_ in ended} <= {"completed", "stopped"}
    torture.note(f"interrupts every 11 ms during runs, {file_database.kind}", tried=f"{heard} in {count} runs", kept=len(log))
