"""The disk or the database fails at any statement: what is kept is the old state or the new one, and the next save works."""

from __future__ import annotations

import sqlite3
import subprocess
from contextlib import contextmanager, suppress
from copy import deepcopy
from types import SimpleNamespace

import duckdb
import pytest

from wf_notebook.errors import StorageFailed
from wf_notebook.storage import duckdb_connection, duckdb_file, sqlite


class Faults:
    """The driver of a database, which fails at the k-th statement from now on: before it does it, or after."""

    def __init__(self, error: Exception) -> None:
        self.error, self.count, self.at, self.after = error, 0, 0, False

    @contextmanager
    def armed(self, at: int, *, after: bool):
        self.count, self.at, self.after = 0, at, after
        yield
        self.at = 0

    def run(self, execute, *arguments):
        self.count += bool(self.at)
        if not self.at or self.count != self.at:
            return execute(*arguments)
        if self.after:
            execute(*arguments)
        raise self.error


@pytest.fixture(params=["sqlite", "duckdb"])
def shaky(request, monkeypatch):
    """Return a database of each kind, and what makes its driver fail."""
    if request.param == "sqlite":
        database = request.getfixturevalue("lite")
        faults = Faults(sqlite3.OperationalError("disk I/O error"))

        class Connection(sqlite3.Connection):
            def execute(self, *arguments):
                return faults.run(super().execute, *arguments)

        def connect(*arguments, **options):
            return _connect(*arguments, **options, factory=Connection)

        _connect = sqlite3.connect
        monkeypatch.setattr(sqlite.sqlite3, "connect", connect)
    else:
        database = request.getfixturevalue("duck")
        faults = Faults(duckdb.IOException("IO Error: Could not write: No space left on device"))

        def connect(*arguments, **options):
            made = _connect(*arguments, **options)
            return SimpleNamespace(execute=lambda *said: faults.run(made.execute, *said), close=made.close)

        _connect = duckdb.connect
        monkeypatch.setattr(duckdb_connection.connection, "_memory", None)
        monkeypatch.setattr(duckdb_connection, "duckdb", SimpleNamespace(connect=connect, Error=duckdb.Error))
    return database, faults


def change(state: dict, number: int) -> dict:
    """Return a state, changed by set, append, put and delete, with a value beside the log."""
    seen = {key: value for key, value in state.get("seen", {}).items() if key != str(number - 3)} | {str(number): number}
    return {"n": number, "log": [*state.get("log", []), number], "seen": seen, f"large {number % 2}": f"{number} " * 40_000}


def saved_with_a_fault(database, faults, session_id: str, number: int, at: int, *, after: bool) -> tuple[bool, bool]:
    """Save with a fault at a statement, check what is left and goes on; return whether it was met, and said."""
    session = database.open().session(session_id)
    before, now = deepcopy(session.state), change(session.state, number)
    session.replace(deepcopy(now))
    said = False
    with faults.armed(at, after=after):
        try:
            session.save()
        except StorageFailed:
            said = True
    assert database.open().session(session_id).state in (before, now)
    session.save()  # what was durable though a fault was said is not done twice
    session.state["log"].append("more")
    session.save()
    again = database.open().session(session_id)
    assert again.state == {**now, "log": [*now["log"], "more"]}
    sql = "SELECT count(DISTINCT version), max(version) FROM state_log WHERE session_id = ?"
    assert database.query(sql, session_id) == [(again.version, again.version)]
    return faults.count >= at, said


@pytest.mark.slow
@pytest.mark.parametrize("wal_limit", [2_000_000, 0], ids=["alone", "with a checkpoint"])
@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_a_fault_at_any_statement_leaves_the_old_state_or_the_new_one(shaky, after, wal_limit, torture, monkeypatch):
    database, faults = shaky
    folder = database.path.parent
    monkeypatch.setattr(duckdb_file, "WAL_LIMIT", wal_limit)
    monkeypatch.setattr(duckdb_file, "STAY", 0.0)
    tried = spoken = 0
    for session_id in ("known", "new file"):  # there the first save makes the tables
        for at in range(1, 100):
            if session_id == "new file":
                database.forget()
                database.path = folder / f"{at}.db"
            met, said = saved_with_a_fault(database, faults, session_id, at, at, after=after)
            tried, spoken = tried + met, spoken + said
            if not met:
                break
    assert tried >= spoken > 10
    how = f"{'after' if after else 'before'} each statement of a save{' and its checkpoint' if not wal_limit else ''}"
    torture.note(f"a fault {how}, {database.kind}", tried=f"{tried} faults", kept=tried * 2)


@pytest.mark.torture
def test_a_disk_that_is_really_full_is_a_clear_error_and_saves_go_on_when_there_is_space(file_database, tmp_path, torture):
    disk = tmp_path / "disk"
    disk.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", disk], capture_output=True, check=False).returncode:
        pytest.skip("needs the right to mount")
    try:
        file_database.path = disk / "runs.db"
        session = file_database.open().session("demo")
        refused = kept = 0
        for number in range(8):
            (disk / "other").write_bytes(b"")
            session.state.setdefault("log", []).append(number)
            session.save()
            kept += 1
            with (disk / "other").open("wb", buffering=0) as other, suppress(OSError):
                while other.write(b"x" * 4096):
                    pass
            session.state["large"] = [f"{number} {n} " * 3 for n in range(20_000)]
            with pytest.raises(StorageFailed, match="what was saved before is still there, the unsaved state stays in memory"):
                session.save()
            refused += 1
            assert file_database.open().session("demo").state["log"] == list(range(number + 1))
            del session.state["large"]
            (disk / "other").write_bytes(b"")
            session.state["tried"] = number
            session.save()
            assert file_database.open().session("demo").state == session.state
        torture.note(f"a full disk, {file_database.kind}", tried=f"{refused} times full", kept=kept)
    finally:
        file_database.close()
        subprocess.run(["umount", "--lazy", disk], check=True)
