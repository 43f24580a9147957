"""Who reads a file that others hold is told what a reader can do, and waits in full once only."""

from __future__ import annotations

import os
import signal
import time

import pytest

from wf_notebook.errors import StorageBusy
from wf_notebook.storage import waiting
from wf_notebook.storage.lock import locked

HOLD = {
    "duckdb": "import duckdb, sys; db = duckdb.connect(sys.argv[1]); db.execute('CREATE TABLE mine (a INT)')",
    "sqlite": "import sqlite3, sys; db = sqlite3.connect(sys.argv[1], isolation_level=None)\n"
    "for sql in ('PRAGMA locking_mode = EXCLUSIVE', 'BEGIN EXCLUSIVE', 'CREATE TABLE mine (a)', 'COMMIT'): db.execute(sql)",
}
READS = {
    "state": lambda storage: storage.session("demo").state,
    "sessions": lambda storage: storage.sessions(),
    "sql": lambda storage: storage.sql("SELECT key FROM session_state"),
}
NOTHING_READ = r"is held by .*, so that nothing could be read; close it there, then try again$"


@pytest.fixture
def held(file_database, holding, monkeypatch):
    """Return a database with a session, and who holds it; our patience is short."""
    monkeypatch.setattr(waiting, "PATIENCE", 0.1)
    monkeypatch.setattr(waiting, "_in_vain", {})
    session = file_database.open().session("demo")
    session.state["n"] = 1
    session.save()
    file_database.close()
    return file_database, holding(HOLD[file_database.kind], file_database.path)


@pytest.mark.parametrize("read", READS)
def test_a_read_of_a_file_that_others_hold_says_what_a_reader_can_do(held, read):
    database, holder = held
    with holder, pytest.raises(StorageBusy, match=NOTHING_READ):
        READS[read](database.open())


def test_a_read_soon_after_a_wait_in_vain_waits_briefly_and_a_save_as_long_as_ever(held, monkeypatch):
    database, holder = held
    session = database.open().session("demo")
    with holder:
        with pytest.raises(StorageBusy, match=NOTHING_READ):
            session.load()
        monkeypatch.setattr(waiting, "PATIENCE", 10_000)
        for read in READS.values():
            with pytest.raises(StorageBusy, match=NOTHING_READ):
                read(database.open())
        assert waiting.patience_for(database.path, write=True) == 10_000
        monkeypatch.setattr(waiting, "PATIENCE", 0.1)
        session._live["n"], session.loaded = 2, True
        with pytest.raises(StorageBusy, match="the unsaved state stays in memory: close it there, then run %wf save"):
            session.save()
    assert database.open().session("demo").state == {"n": 1}
    assert waiting.patience_for(database.path, write=False) == 0.1


def test_a_wait_in_vain_is_forgotten_after_a_while(tmp_path, monkeypatch):
    with pytest.raises(StorageBusy), waiting.remembered(tmp_path):
        raise StorageBusy("held")
    assert waiting.patience_for(tmp_path, write=False) == waiting.BRIEF
    monkeypatch.setattr(waiting, "SOON", 0)
    assert waiting.patience_for(tmp_path, write=False) == waiting.PATIENCE


def test_who_looks_again_anyway_waits_as_long_as_they_want_and_shortens_nobody_elses_wait(held, monkeypatch):
    monkeypatch.setattr(waiting, "PATIENCE", 10_000)
    database, holder = held
    with holder, waiting.at_most(0.1):
        for read in READS.values():
            with pytest.raises(StorageBusy, match=NOTHING_READ):
                read(database.open())
    assert waiting.patience_for(database.path, write=False) == 10_000
    with waiting.at_most(0.1):
        assert waiting.patience_for(database.path, write=True) == 10_000


def test_a_process_that_was_forked_while_the_lock_was_held_does_not_hold_it(tmp_path):
    path = tmp_path / "runs.duckdb.lock"
    with locked(path):
        child = os.fork()
        if not child:
            time.sleep(30)
            os._exit(0)
    try:
        with locked(path, patience=1.0):
            pass
    finally:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
