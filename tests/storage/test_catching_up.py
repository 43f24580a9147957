"""Who was interrupted and goes on finds what was begun before: done whole, by one thread, before anything that came later."""

from __future__ import annotations

import threading
from functools import partial
from threading import Event

import pytest

from wf_notebook import open_storage
from wf_notebook.storage.duckdb import _thread
from wf_notebook.storage.thread import Job, StorageThread


def test_one_thread_does_all_jobs_however_many_are_started(monkeypatch):
    class Interrupted(threading.Thread):
        """A thread whose start is interrupted once it runs, as Ctrl-C does it."""

        def start(self):
            super().start()
            raise KeyboardInterrupt

    thread, done = StorageThread("demo"), []
    job = Job(lambda jobs: (done.append(threading.current_thread()), jobs[0].set_result(None)))
    with monkeypatch.context() as patch:
        patch.setattr(threading, "Thread", Interrupted)
        with pytest.raises(KeyboardInterrupt):
            thread.run(job)
    for _ in range(20):
        thread.run(Job(lambda jobs: (done.append(threading.current_thread()), jobs[0].set_result(None))))
    assert len(set(done)) == 1


def test_a_file_that_is_being_made_is_waited_for_before_it_is_said_not_to_be_there(tmp_path):
    storage = open_storage(f"duckdb:///{tmp_path / 'runs.duckdb'}")
    session, go_on, loaded = storage.session("demo"), Event(), []
    session.state["n"] = 1
    held = Job(lambda jobs: jobs[0].set_result(go_on.wait(10)))
    work = [partial(_thread.run, held), session.save, lambda: loaded.append(storage.session("demo").state)]
    threads = [threading.Thread(target=each) for each in work]
    for thread in threads[:2]:
        thread.start()
        while not held.running():
            Event().wait(0.001)
    while not _thread._jobs.qsize():
        Event().wait(0.001)
    threads[2].start()
    go_on.set()
    for thread in threads:
        thread.join()
    assert loaded == [{"n": 1}]
