"""Places where no session can be kept: a clear error, and what lies there is left as it is."""

from __future__ import annotations

import os
import re
import sqlite3
from pathlib import Path
from tempfile import TemporaryDirectory

import duckdb
import numpy as np
import pytest

from wf_notebook.errors import BadStorage, StorageBusy, StorageFailed, StorageReadOnly
from wf_notebook.storage import open_storage, place


def saved(database, session_id: str = "demo", **state):
    session = database.open().session(session_id)
    session.state.update(state)
    session.save()
    return session


def a_database(kind: str, path) -> bytes:
    """Return the bytes of a database file of some size."""
    connection = duckdb.connect(path) if kind == "duckdb" else sqlite3.connect(path)
    connection.execute("CREATE TABLE mine (a INTEGER, b TEXT)")
    connection.execute("INSERT INTO mine VALUES (1, ?)", ["x" * 300_000])
    connection.execute("INSERT INTO mine SELECT a, b FROM mine")
    connection.commit()
    connection.close()
    content = path.read_bytes()
    path.unlink()
    return content


def refused(database, content: bytes, error: type[Exception], says: str) -> None:
    """Check that loading and saving are refused, and that the file is left as it is."""
    database.path.write_bytes(content)
    for attempt in ("load", "save"):
        session = database.open().session("demo")
        with pytest.raises(error, match=says) as caught:
            getattr(session, attempt)()
        assert "\n" not in str(caught.value)
        database.close()
        assert database.path.read_bytes() == content


@pytest.mark.parametrize("content", [b"Dear diary,\n", b"Dear diary,\n" * 5000, b"\0" * 20_000], ids=["short", "long", "zeros"])
def test_a_file_that_is_no_database_is_refused_and_left_as_it_is(file_database, content):
    refused(file_database, content, BadStorage, r"runs\.db' is no (DuckDB|SQLite) database.*it was left as it is: choose another")


def test_an_empty_file_is_no_duckdb_database(duck):
    refused(duck, b"", BadStorage, "is no DuckDB database, or a truncated one")


def test_an_empty_file_is_an_empty_sqlite_database(lite):
    lite.path.touch()
    assert lite.open().session("demo").state == {}
    saved(lite, n=1)
    assert lite.open().session("demo").state == {"n": 1}


def test_the_database_of_another_kind_is_refused_and_left_as_it_is(file_database, tmp_path):
    other = "sqlite" if file_database.kind == "duckdb" else "duckdb"
    refused(
        file_database, a_database(other, tmp_path / "other"), BadStorage, "database.*it was left as it is: choose another file"
    )


@pytest.mark.parametrize("part", [0.02, 0.3, 0.6, 0.99, -1], ids=str)
def test_a_truncated_file_is_refused_and_left_as_it_is(file_database, tmp_path, part):
    content = a_database(file_database.kind, tmp_path / "whole")
    cut = content[:-1] if part == -1 else content[: int(len(content) * part)]
    refused(file_database, cut, BadStorage, "truncated|damaged|no SQLite database")


def test_a_truncated_file_of_ours_is_refused_and_left_as_it_is(file_database):
    for number in range(5):
        saved(file_database, f"session-{number}", text="".join(chr(65 + i * number % 26) for i in range(100_000)))
    file_database.close()
    content = file_database.path.read_bytes()
    for part in (0.1, 0.3, 0.5):  # near the end may lie blocks that are free
        refused(file_database, content[: int(len(content) * part)], BadStorage, "truncated|damaged|no SQLite database")


def test_a_folder_is_no_file(file_database):
    file_database.path.mkdir()
    for attempt in ("load", "save"):
        with pytest.raises(BadStorage, match=r"runs\.db' is a folder; name a file in it$"):
            getattr(file_database.open().session("demo"), attempt)()
    assert list(file_database.path.iterdir()) == []


@pytest.mark.parametrize("kind", ["duckdb", "sqlite"])
def test_links_in_a_circle_lead_to_no_file(kind, tmp_path):
    (tmp_path / "circle").symlink_to(tmp_path / "circle")
    with pytest.raises(BadStorage, match=r"leads to no file|cannot be reached \(Too many levels of symbolic links\)"):
        open_storage(f"{kind}:///{tmp_path}/circle").sessions()


def test_without_a_working_directory_only_paths_from_the_root_lead_anywhere(tmp_path):
    (tmp_path / "gone").mkdir()
    os.chdir(tmp_path / "gone")
    (tmp_path / "gone").rmdir()
    for url in ("duckdb:///runs.duckdb", "sqlite:///runs.db"):
        with pytest.raises(BadStorage, match=r"'runs\..*' leads to no file .* give another one, with its path from the root"):
            open_storage(url)
    with pytest.raises(BadStorage, match="the working directory is gone; change into one that is there, or set WF_STORAGE"):
        open_storage()
    open_storage("memory:").session("demo").save()
    open_storage(f"duckdb:///{tmp_path}/runs.duckdb").session("demo").save()


def test_below_a_file_there_is_no_place(file_database, tmp_path):
    (tmp_path / "file").write_text("mine")
    file_database.path = tmp_path / "file" / "sub" / "runs.db"
    with pytest.raises(BadStorage, match="lies below a file, not a folder; choose another place"):
        saved(file_database, n=1)


def test_a_name_that_is_too_long_for_a_file_is_an_error_of_ours(file_database, tmp_path):
    file_database.path = tmp_path / ("x" * 300)
    with pytest.raises(BadStorage, match="cannot be reached \\(File name too long\\); choose another place"):
        saved(file_database, n=1)


def test_parent_folders_are_made_for_their_owner_only(file_database, tmp_path):
    file_database.path = tmp_path / "a" / "b" / "runs.db"
    assert file_database.open().session("demo").state == {}
    assert not (tmp_path / "a").exists()
    saved(file_database, n=1)
    assert (tmp_path / "a" / "b").stat().st_mode & 0o777 == 0o700


# -- read-only -----------------------------------------------------------------------------------------------------------------

#: As root nothing is read-only: the code goes on as nobody, once everything that it needs is imported.
AS_NOBODY = """
import os, sys
from pathlib import Path
from wf_notebook import open_storage
from wf_notebook.errors import WorkflowError
import wf_notebook.frames, wf_notebook.storage.duckdb, wf_notebook.storage.sqlite
storage = open_storage(sys.argv[1])
if os.geteuid() == 0:
    os.setegid(65534)
    os.seteuid(65534)
session = storage.session("demo")
print(session.state)
session.state["n"] = 2
for attempt in (session.save, lambda: storage.delete_session("demo")):
    try:
        attempt()
    except WorkflowError as error:
        print(type(error).__name__, error)
print(session.state, storage.session("demo").state, storage.get_all_session_ids())
"""
#: Tables can be made there, too.
AND_TABLES = """
print(storage.state("demo")["value"], storage.sql("SELECT value FROM session_state ORDER BY key DESC")["value"])
"""


@pytest.fixture
def read_only(file_database):
    """Return a database in a folder that can be made read-only; it lies where everybody can go, as pytest's own do not."""
    with TemporaryDirectory() as root:
        Path(root).chmod(0o755)
        file_database.path = Path(root) / "read-only" / "runs.db"
        session = saved(file_database, n=1)
        session.state["m"] = 1
        session.save()
        yield file_database
        file_database.path.parent.chmod(0o755)


def make_read_only(database, *, fold: bool) -> None:
    if fold:
        database.close()
    for path in database.path.parent.iterdir():
        path.chmod(0o444)
    database.path.parent.chmod(0o555)


@pytest.mark.slow
@pytest.mark.parametrize("fold", [True, False], ids=["folded", "with a WAL"])
def test_in_a_read_only_folder_reading_works_and_saving_says_read_only(read_only, python, fold):
    make_read_only(read_only, fold=fold)
    before = {path.name: path.read_bytes() for path in read_only.path.parent.iterdir()}
    assert python(AS_NOBODY + AND_TABLES, read_only.url).splitlines() == [
        "{'n': 1, 'm': 1}",
        *2 * [
            f"StorageReadOnly '{read_only.path}' is read-only here; the unsaved state stays in memory: choose another place"
        ],
        "{'n': 2, 'm': 1} {'n': 1, 'm': 1} ['demo']",
        "[1, 1] [1, 1]",
    ]  # fmt: skip
    assert {path.name: path.read_bytes() for path in read_only.path.parent.iterdir()} == before


@pytest.mark.slow
def test_a_folder_that_cannot_be_made_says_read_only(read_only, python):
    make_read_only(read_only, fold=True)
    said = python(AS_NOBODY, f"{read_only.kind}:///{read_only.path.parent}/deeper/runs.db")
    assert "StorageReadOnly" in said
    assert "deeper' cannot be made (Permission denied); the unsaved state stays in memory: choose another place" in said


@pytest.mark.slow
def test_a_file_that_cannot_be_read_says_so(read_only, python):
    make_read_only(read_only, fold=True)
    read_only.path.chmod(0)
    code = AS_NOBODY.replace(
        "print(session.state)", "try: print(session.state)\nexcept WorkflowError as error: print(error); sys.exit()"
    )
    assert python(code, read_only.url) == f"'{read_only.path}' cannot be read by you; ask its owner, or choose another place"


@pytest.mark.slow
def test_a_folder_that_cannot_be_entered_is_an_error_of_ours(read_only, python):
    make_read_only(read_only, fold=True)
    read_only.path.parent.chmod(0)
    code = AS_NOBODY.replace(
        "print(session.state)", "try: print(session.state)\nexcept WorkflowError as error: print(error); sys.exit()"
    )
    assert python(code, read_only.url) == f"'{read_only.path}' cannot be reached (Permission denied); choose another place"


# -- a full disk ---------------------------------------------------------------------------------------------------------------

FULL = """
import json, resource, signal, sys
from wf_notebook import open_storage
from wf_notebook.errors import StorageFailed
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
storage = open_storage(sys.argv[1])
session = storage.session("demo")
session.state["before"] = 1
session.save()
storage.close()
soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[2]), hard))
large = "".join(map(str, range(300_000)))
for number in range(3):
    session.state["large"] = [large[number:]] * 3
    try:
        session.save()
    except StorageFailed as error:
        print(type(error).__name__, str(error))
resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
print(storage.session("demo").state)
session.save()
session.state["after"] = 1
session.save()
print(sorted(storage.session("demo").state), storage.session("demo").state["large"] == session.state["large"])
"""


@pytest.mark.slow
@pytest.mark.parametrize("limit", [400_000, 1_500_000, 3_000_000])
def test_a_full_disk_is_a_clear_error_and_loses_nothing(file_database, python, limit):
    *errors, kept, later = python(FULL, file_database.url, limit).splitlines()
    assert len(errors) == 3
    assert all(error.startswith(f"StorageFailed '{file_database.path}': ") for error in errors)
    assert all(error.endswith("what was saved before is still there, the unsaved state stays in memory") for error in errors)
    assert (kept, later) == ("{'before': 1}", "['after', 'before', 'large'] True")
    assert sorted(file_database.open().session("demo").state) == ["after", "before", "large"]
    file_database.close()
    assert sorted(file_database.open().session("demo").state) == ["after", "before", "large"]


@pytest.mark.slow
def test_a_full_disk_at_a_checkpoint_loses_nothing(duck, python):
    code = """
import resource, signal, sys
from wf_notebook import open_storage
from wf_notebook.storage import duckdb_file
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
storage = open_storage(sys.argv[1])
session = storage.session("demo")
session.state["n"] = 0
session.save()
storage.close()
size = duckdb_file.File.at(storage.path).path.stat().st_size
soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
duckdb_file.WAL_LIMIT = 1000
for number in range(20):
    session.state["n"] = number
    session.save()
    session.state[f"text-{number}"] = "".join(map(str, range(number * 100)))
    session.save()
resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
print(session.version, storage.session("demo").state == session.state)
session.state["n"] = "after"
session.save()
"""
    assert python(code, duck.url) == "40 True"
    assert (duck.open().session("demo").state["n"], len(duck.open().session("demo").state)) == ("after", 21)


def test_a_full_sqlite_database_is_a_clear_error(lite):
    session = saved(lite, n=1)
    connection = lite._opened[-1]._kept.connection
    (pages,) = connection.execute("PRAGMA page_count").fetchone()
    connection.execute(f"PRAGMA max_page_count = {pages}")
    session.state["large"] = "x" * 1_000_000
    with pytest.raises(StorageFailed, match="database or disk is full; what was saved before is still there"):
        session.save()
    connection.execute("PRAGMA max_page_count = 1000000")
    session.save()
    assert len(lite.open().session("demo").state["large"]) == 1_000_000


# -- SQLite that others hold ---------------------------------------------------------------------------------------------------

EXCLUSIVE = "import sqlite3, sys; db = sqlite3.connect(sys.argv[1], isolation_level=None); db.execute('BEGIN EXCLUSIVE')"


def test_a_sqlite_file_that_another_program_holds_is_waited_for_and_nothing_is_lost(lite, holding, capsys, monkeypatch):
    monkeypatch.setattr("wf_notebook.storage.waiting.PATIENCE", 0.5)
    monkeypatch.setattr("wf_notebook.storage.sqlite.SILENCE", 0.2)
    session = saved(lite, n=1)
    session.state["n"] = 2
    with holding(EXCLUSIVE, lite.path):
        with pytest.raises(StorageBusy) as busy:
            session.save()
        assert lite.open().session("demo").state == {"n": 1}
    assert str(busy.value) == (
        f"'{lite.path}' is held by another program since 0.5 s; the unsaved state stays in memory: close it there, "
        "then run %wf save (or write_to_storage())"
    )
    assert "waiting for 'runs.db', which is held by another program" in capsys.readouterr().err
    session.save()
    assert lite.open().session("demo").state == {"n": 2}


def test_readers_of_a_sqlite_file_do_not_stand_against_a_save(lite, holding):
    session = saved(lite, n=1)
    code = "import sqlite3, sys; db = sqlite3.connect(sys.argv[1], isolation_level=None); db.execute('BEGIN'); "
    code += "db.execute('SELECT * FROM session_state').fetchall()"
    with holding(code, lite.path):
        session.state["n"] = 2
        session.save()
    assert lite.open().session("demo").state == {"n": 2}


def test_a_connection_that_is_dropped_is_closed(lite):
    saved(lite, n=1)
    connection = lite._opened[-1]._kept.connection
    lite._opened.clear()
    with pytest.raises(sqlite3.ProgrammingError, match="closed"):
        connection.execute("SELECT 1")


def test_read_only_errors_are_permission_errors_too():
    assert issubclass(StorageReadOnly, PermissionError)


def test_a_file_on_a_network_file_system_is_warned_of_once(tmp_path, capsys, monkeypatch):
    here = place.file_system(tmp_path, Path("/proc/self/mountinfo").read_text(encoding="utf-8").splitlines())
    monkeypatch.setattr(place, "REMOTE", re.compile(here))
    for kind in ("sqlite", "duckdb"):
        for number in range(2):
            session = open_storage(f"{kind}:///{tmp_path}/runs.{kind}").session("demo")
            session.state["n"] = number
            session.save()
    said = capsys.readouterr().err.splitlines()
    assert [line.startswith("WARNING  ") and "lies on a network file system" in line for line in said] == [True, True]


@pytest.mark.parametrize("kind", ["nfs4", "cifs", "fuse.sshfs", "9p", "lustre"])
def test_network_file_systems_are_known_by_name(kind):
    assert place.REMOTE.match(kind)
    assert not place.REMOTE.match("ext4")


def test_a_file_that_was_replaced_by_an_older_copy_gets_the_full_state_again(file_database):
    session = saved(file_database, items=["a"], n=1, draft="x")
    file_database.close()
    copy = file_database.path.read_bytes()
    session.state["items"].append("b")
    session.state["n"] = 2
    del session.state["draft"]
    session.save()
    file_database.close()
    file_database.path.write_bytes(copy)
    session.state["items"].append("c")
    session.save()
    assert file_database.open().session("demo").state == {"items": ["a", "b", "c"], "n": 2}
    session.load()
    assert session.state == {"items": ["a", "b", "c"], "n": 2}


def test_a_file_that_was_replaced_by_another_keeps_what_is_only_there(file_database, tmp_path):
    session = saved(file_database, items=["a"], n=1, array=np.arange(3))
    file_database.close()
    other = type(file_database)(file_database.kind, tmp_path / "other.db")
    saved(other, n=7, theirs=True)
    other.close()
    (tmp_path / "other.db").replace(file_database.path)
    session.state["n"] = 2
    session.save()
    state = file_database.open().session("demo").state
    assert state.pop("array").tolist() == [0, 1, 2]
    assert state == {"items": ["a"], "n": 2, "theirs": True}
