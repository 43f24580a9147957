"""News of saves: soon, once, none while nothing happens; and the end of the watch."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from contextlib import closing
from dataclasses import dataclass, field
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING

import duckdb
import pytest

from wf_notebook.inspection import Hearing, Inspector, News, watching
from wf_notebook.inspection.watching import PAUSE, Watch
from wf_notebook.storage import open_storage, waiting
from wf_notebook.storage.lock import locked

if TYPE_CHECKING:
    from wf_notebook.storage.sql import SqlStorage

FILES = ("duckdb:///{}/runs.duckdb", "sqlite:///{}/runs.db")

files = pytest.mark.parametrize("storage", FILES, indirect=True, ids=lambda url: url.split(":")[0])

HOLD = {
    "duckdb": """
import duckdb, sys
while True:
    try:
        db = duckdb.connect(sys.argv[1])
        break
    except duckdb.IOException:  # somebody looks at it just now
        pass
print('ready'); input()
""",
    "sqlite": "import sqlite3, sys; db = sqlite3.connect(sys.argv[1], isolation_level=None)\n"
    "for sql in ('PRAGMA locking_mode = EXCLUSIVE', 'BEGIN EXCLUSIVE', 'CREATE TABLE mine (a)', 'COMMIT'): db.execute(sql)\n"
    "print('ready'); input()",
}
SAVE = """
import sys
from wf_notebook.storage import open_storage
storage = open_storage(sys.argv[1])
session = storage.session("demo")
print("ready")
for line in sys.stdin:
    session.state["n"] = session.state.get("n", 0) + 1
    session.save()
    print("saved", flush=True)
"""


@pytest.fixture(
    params=[*FILES, "memory:", pytest.param("postgres", marks=pytest.mark.postgres)], ids=lambda url: url.split(":")[0]
)
def storage(request, place, tmp_path):
    """Return a storage of each kind, with a session in it."""
    storage = open_storage(place(request.param).format(tmp_path))
    save(storage)
    yield storage
    storage.close()


@dataclass
class Watched:
    """An inspector that a page shows, and the news that the page is told."""

    storage: SqlStorage
    told: SimpleQueue = field(default_factory=SimpleQueue)

    def __post_init__(self):
        self.inspector = Inspector(self.storage, session="demo")
        self.news = News(self.inspector, self.told.put)
        self.news.shown("page")

    def next(self):
        """Return the next piece of news."""
        return self.told.get(timeout=30)

    def until(self, wanted):
        """Return the first piece of news that is wanted."""
        while not wanted(news := self.next()):
            pass
        return news

    def close(self):
        """Close the storage, so that nothing of it is open, and nobody reads it."""
        self.storage.close()
        while not self.is_quiet():
            pass
        self.storage.close()  # what was told of the first was read
        while not self.is_quiet():
            pass

    def is_quiet(self, seconds=PAUSE):
        """Return whether nothing is told for so long."""
        try:
            self.told.get(timeout=seconds)
        except Empty:
            return True
        return False


@pytest.fixture
def watched(storage, monkeypatch):
    """Return an inspector that a page shows; it is looked at often, so that tests are over soon."""
    monkeypatch.setattr(watching, "EVERY", 0.05)
    monkeypatch.setattr(watching, "PAUSE", 0.0)
    monkeypatch.setattr(watching, "AGAIN", 0.2)
    watched = Watched(storage)
    yield watched
    watched.news.end()


@pytest.fixture
def process():
    """Return a way to start code in a new Python process, with pipes; what still runs at the end is killed."""
    started = []

    def start(code, *arguments):
        command = [sys.executable, "-u", "-c", code, *map(str, arguments)]
        started.append(subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True))
        assert started[-1].stdout.readline() == "ready\n"
        return started[-1]

    yield start
    for one in started:
        with one:
            one.kill()


def save(storage, name="demo", **state):
    """Save a session."""
    session = storage.session(name)
    session.state.update(state or {"n": 1})
    session.save()


def test_a_save_of_this_process_is_told(storage):
    watched = Watched(storage)
    save(storage, n=2)
    news = watched.next()
    watched.news.end()
    assert (news["session"], news["newest"], news["error"]) == ("demo", 2, "")


@files
def test_a_save_of_another_process_is_told(storage, process):
    watched = Watched(storage)
    other = process(SAVE, storage.url)
    for newest in (2, 3, 4):
        other.stdin.write("save\n")
        other.stdin.flush()
        assert other.stdout.readline() == "saved\n"
        watched.until(lambda news: news["newest"] == newest)  # noqa: B023 - it is called here
    watched.news.end()


def test_while_nobody_saves_nothing_is_told_and_nothing_is_asked_of_the_storage(storage, watched, monkeypatch):
    asked = []
    monkeypatch.setattr(type(storage), "transact", lambda *_, **__: asked.append("transact"))
    monkeypatch.setattr(type(storage), "read", lambda *_: asked.append("read"))
    assert watched.is_quiet()
    assert asked == []


def test_a_burst_of_saves_is_told_seldom_and_its_end_is_told(storage):
    watched = Watched(storage)
    began = time.monotonic()
    for n in range(40):
        save(storage, n=n + 10)
    took = time.monotonic() - began
    news = [watched.next()]
    while news[-1]["newest"] != 41:
        news.append(watched.next())
    watched.news.end()
    assert len(news) <= took / PAUSE + 3


def test_a_session_that_is_deleted_is_told_and_one_that_comes_back(storage, watched):
    storage.delete_session("demo")
    news = watched.next()
    assert (news["newest"], news["error"]) == (None, "")
    save(storage, "other")
    assert watched.next()["n"] == news["n"] + 1, "the others are looked at all the same"
    storage.restore_session("demo")
    assert watched.until(lambda news: news["newest"])["newest"] == 1


def test_the_watch_ends_with_the_last_page_and_begins_with_the_next(storage, watched):
    watched.news.shown("other page")
    watched.news.gone("page")
    assert watched.news.is_watched
    thread = the_thread()
    watched.news.gone("other page")
    thread.join(5)
    assert not thread.is_alive()
    save(storage, n=2)
    assert watched.is_quiet(2 * PAUSE)
    watched.news.shown("page")
    assert watched.next()["newest"] == 2, "what was saved meanwhile"


def test_a_page_that_vanished_is_told_no_more_after_a_while(storage, watched, monkeypatch):
    monkeypatch.setattr("wf_notebook.inspection.news.UNHEARD", 3)
    watched.news.shown("page")
    thread = the_thread()
    for n in range(20):
        save(storage, n=n + 10)
        thread.join(PAUSE)
        if not thread.is_alive():
            break
    assert (thread.is_alive(), watched.told.qsize()) == (False, 3)


def test_inspectors_of_one_storage_share_a_thread(storage, watched):
    others = [News(Inspector(storage), watched.told.put) for _ in range(3)]
    for other in others:
        other.shown("page")
    the_thread()
    for other in others:
        other.end()
    assert watched.news.is_watched


def test_a_forked_child_does_not_watch(storage, watched):
    thread = the_thread()
    read, write = os.pipe()
    if (child := os.fork()) == 0:
        os.write(write, b"none" if not Watch._all and thread not in threading.enumerate() else b"some")
        os._exit(0)
    os.waitpid(child, 0)
    assert os.read(read, 4) == b"none"
    assert thread.is_alive()
    save(storage, n=2)
    assert watched.next()["newest"] == 2


def the_thread():
    """Return the one thread that watches."""
    (thread,) = [thread for thread in threading.enumerate() if thread.name == "wf_notebook-watch" and not thread._is_stopped]
    return thread


# -- what cannot be read ---------------------------------------------------------------------------------------------------


def files_of(storage):
    """Return the files of a database."""
    return [path for path in storage.file.parent.glob(storage.file.name + "*") if not path.name.endswith(".lock")]


@files
def test_a_file_that_is_deleted_is_missed_and_one_that_is_made_again_is_shown(storage, watched):
    watched.close()
    kept = {path: path.read_bytes() for path in files_of(storage)}
    for path in kept:
        path.unlink()
    gone = watched.until(lambda news: news["error"])
    assert gone["error"] == f"{storage.file.name!r} is not there any more; what is shown is what was in it"
    assert watched.is_quiet()
    for path, content in kept.items():
        path.write_bytes(content)
    assert watched.until(lambda news: not news["error"])["newest"] == 1


@files
def test_a_state_of_a_file_that_was_replaced_is_read_anew(storage, watched):
    inspector = watched.inspector
    assert inspector.loaded().tree("n") == 1
    other = open_storage(storage.url.replace("runs", "other"))
    save(other, n=2)
    other.close()
    watched.close()
    other.file.replace(storage.file)
    assert watched.until(lambda _: inspector.loaded().tree("n") == 2)["newest"] == 1


@files
def test_a_file_that_others_hold_is_told_with_its_holder_and_shown_when_it_is_free(storage, watched, process, caplog):
    watched.close()
    answers = SimpleQueue()
    hearing = Hearing(watched.inspector, answers.put, failed=watched.news.asked)
    holder = process(HOLD[storage.url.split(":")[0]], storage.file)
    hearing.hear({"id": 1, "op": "sessions"})
    hearing.hear({"id": 2, "op": "look", "to": {"view": "runs"}})
    assert answers.get(timeout=10) == {"id": 2, "ok": True, "result": None}, "nothing waits for it"
    refused = answers.get(timeout=30)
    assert (refused["kind"], "is held by" in refused["error"]) == ("StorageBusy", True)
    assert "is held by" in watched.until(lambda news: news["error"])["error"]
    assert watched.is_quiet(1.5), "it is said once"
    assert storage.file not in waiting._in_vain, "who looks in the kernel waits as long as ever"
    holder.communicate("\n", timeout=30)
    assert watched.until(lambda news: not news["error"])["newest"] == 1
    assert caplog.records == []


@pytest.mark.parametrize("storage", FILES[:1], indirect=True, ids=["duckdb"])
def test_a_save_that_takes_long_is_no_news_but_one_that_does_not_end(storage, watched, monkeypatch):
    monkeypatch.setattr(watching, "AGAIN", 1.0)
    watched.close()
    lock = storage.file.with_name(storage.file.name + ".lock")
    with locked(lock):
        os.utime(storage.file)
        assert watched.is_quiet(0.6)
    assert watched.next()["error"] == ""
    with locked(lock):
        os.utime(storage.file)
        assert "is being written by another kernel" in watched.next()["error"]
    assert watched.until(lambda news: not news["error"])["newest"] == 1


@files
def test_a_damaged_file_is_told_and_a_mended_one_shown(storage, watched):
    watched.close()
    for path in files_of(storage):
        if path != storage.file:
            path.unlink()
    content = storage.file.read_bytes()
    storage.file.write_bytes(b"this is no database" * 1000)
    assert watched.until(lambda news: news["error"])["error"].startswith(f"{str(storage.file)!r} is ")
    storage.file.write_bytes(content)
    assert watched.until(lambda news: not news["error"])["newest"] == 1


@pytest.mark.parametrize("storage", FILES[:1], indirect=True)
def test_a_file_of_a_newer_release_is_told(storage, watched):
    watched.close()
    with closing(duckdb.connect(storage.file)) as other:
        other.execute("INSERT INTO schema_log VALUES (999, '99.0', '2040-01-01')")
    assert "99.0" in watched.until(lambda news: news["error"])["error"]


@files
def test_a_read_only_folder_can_be_looked_at(storage):
    save(storage, n=2)
    storage.close()
    for path in files_of(storage):
        path.chmod(0o400)
    storage.file.parent.chmod(0o500)
    watched = Watched(storage)
    watched.news.asked()
    told = watched.next()
    watched.news.end()
    storage.file.parent.chmod(0o700)
    assert (told["newest"], told["error"]) == (2, "")
