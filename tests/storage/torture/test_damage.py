"""Damage is said by the name of what it hit; the rest can be read, and nothing is taken for empty and written over."""

from __future__ import annotations

import numpy as np
import pytest

from wf_notebook.errors import BadStorage, StorageFailed, WorkflowError


def saved(database, session_id: str = "demo", **state):
    session = database.open().session(session_id)
    session.state.update(state)
    session.save()
    return session


def refused(database, key: str, why: str) -> None:
    """Check that loading and saving name the damaged key and leave all rows, and that all else can be read and goes on."""
    rows = "SELECT version, key, op, path, CAST(value AS VARCHAR), blob FROM state_log WHERE session_id = 'demo' ORDER BY 1, 2"
    before = database.query(rows)
    for attempt in ("load", "save"):
        session = database.open().session("demo")
        with pytest.raises(StorageFailed, match=rf"^the stored value of key '{key}' is damaged \({why}.*nothing was overwritten"):
            getattr(session, attempt)()
    assert database.query(rows) == before
    assert session.at(1) == {"fine": [1]}
    assert database.query("SELECT value FROM session_state WHERE session_id = 'demo' AND key = 'fine'") == [("[1]",)]
    assert saved(database, "other", n=1).state == {"n": 1}


@pytest.mark.parametrize(
    ("garbage", "why"),
    [
        ('{"$datetime": "never"}', "ValueError: Invalid isoformat"),
        ('{"$set": [[1]]}', "TypeError: unhashable"),
        ('{"$ndarray": {}}', "KeyError"),
        ('{"$dict": 3}', "AttributeError"),
        ('{"$bytes": 5}', "TypeError"),
    ],
)
def test_a_value_that_was_damaged_is_named(database, garbage, why):
    saved(database, fine=[1])
    saved(database, broken={"a": 1})
    database.query("UPDATE state_log SET value = ? WHERE key = 'broken'", garbage)
    refused(database, "broken", why)


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ("SET value = '[1'", "Expecting"),
        ("SET value = NULL", "Expecting"),
        ("SET op = 'append'", "what it changes is missing"),
        ("SET op = 'put', path = 'x'", "what it changes is missing"),
    ],
)
def test_a_row_that_was_damaged_is_named(database, change, why):
    saved(database, fine=[1])
    saved(database, broken=1)
    database.let_anything_in()
    database.query(f"UPDATE state_log {change} WHERE key = 'broken'")
    refused(database, "broken", why)


@pytest.mark.parametrize("value", [np.arange(3), "x" * 100_000, ["x" * 100_000]], ids=["array", "text", "list"])
def test_a_value_whose_blob_is_gone_is_named(database, value):
    saved(database, fine=[1])
    saved(database, broken=value)
    database.query("DELETE FROM blob")
    refused(database, "broken", "")


@pytest.mark.parametrize(
    ("change", "value", "why"),
    [
        ("append", "1", "an append to what is no list"),
        ("append", '"text"', "an append to what is no list"),
        ("append", "{}", "an append to what is no list"),
        ("put", "1", "an entry was changed of what is no dict"),
        ("delete", "1", "an entry was changed of what is no dict"),
    ],
)
def test_a_change_that_does_not_fit_is_named(database, change, value, why):
    saved(database, fine=[1])
    saved(database, broken=[1])
    session = database.open().session("demo")
    session.state["broken"].append(2)
    session.save()
    path = None if change == "append" else "x"
    database.query("UPDATE state_log SET op = ?, value = ?, path = ? WHERE version = 3", change, value, path)
    refused(database, "broken", why)


# -- the log that a database writes ahead --------------------------------------------------------------------------------------

SAVE_AND_DIE = """
import os, sys
from wf_notebook import open_storage
session = open_storage(sys.argv[1]).session("demo")
for n in range(1, 7):
    session.state["n"] = n
    session.state.setdefault("log", []).append(n)
    session.save()
os._exit(0)
"""


def state_of(n: int) -> dict:
    return {"n": n, "log": list(range(1, n + 1))} if n else {}


def refusal(attempt) -> str | None:
    """Return what is said of damage, None if nothing is."""
    try:
        attempt()
    except WorkflowError as error:
        return str(error)
    return None


def flip(path, part: float) -> None:
    """Flip all bits of one byte."""
    content = bytearray(path.read_bytes())
    content[int(part * (len(content) - 1))] ^= 0xFF
    path.write_bytes(content)


@pytest.mark.slow
def test_a_byte_flipped_in_the_log_gives_an_error_or_a_whole_earlier_version(file_database, python, tmp_path, torture):
    count = torture.times(12, 300)
    python(SAVE_AND_DIE, file_database.url)
    wal = next(path for path in tmp_path.iterdir() if path.name.endswith("wal"))
    files = {path: path.read_bytes() for path in (file_database.path, wal)}
    refusals = earlier = 0
    for number in range(count):
        file_database.forget()
        for path in tmp_path.iterdir():
            if path.name.startswith(file_database.path.name):
                path.unlink()
        for path, content in files.items():
            path.write_bytes(content)
        flip(wal, number / (count - 1))
        damaged = wal.read_bytes()
        session = file_database.open().session("demo")
        if (said := refusal(session.load)) is not None:
            refusals += 1
            assert "is damaged" in said
            assert (wal.read_bytes(), file_database.path.read_bytes()) == (damaged, files[file_database.path])
            continue
        n = session.version
        earlier += n < 6
        assert session.state == state_of(n)
        session.state["more"] = 1
        session.save()
        again = file_database.open().session("demo")
        assert (again.state, again.version) == (state_of(n) | {"more": 1}, n + 1)
        assert [version.version for version in again.versions()] == list(range(1, n + 2))
    assert refusals + earlier == count
    what = f"*damage from outside*: a byte flipped in the WAL of a killed kernel, {file_database.kind}"
    torture.note(f"{what}; kept: refused, lost: a whole earlier version", tried=f"{count} bytes", kept=refusals, lost=earlier)


def cut(wal) -> None:
    wal.write_bytes(wal.read_bytes()[: wal.stat().st_size * 2 // 3])


DAMAGE = [cut, lambda wal: wal.unlink(), *(lambda wal, part=part: flip(wal, part) for part in (0, 0.1, 0.5, 0.9, 1))]


@pytest.mark.parametrize("damage", DAMAGE, ids=["cut", "gone", "first", "10 %", "50 %", "90 %", "last"])
def test_what_a_living_kernel_saved_is_written_again_when_the_log_was_damaged(duck, damage):
    """DuckDB may silently drop what follows a damaged byte: then the newest version is below the one that is known here."""
    session = duck.open().session("demo")
    for n in range(1, 7):
        session.state.update(state_of(n))
        session.save()
    wal = duck.path.with_name(duck.path.name + ".wal")
    damage(wal)
    session.state["more"] = 1
    if (said := refusal(session.save)) is not None:
        assert "is damaged" in said
        with pytest.raises(BadStorage):
            duck.open().session("demo").load()
        wal.rename(wal.with_suffix(".damaged"))  # what the user does: what was in it is in the memory of this kernel
        session.save()
    assert duck.open().session("demo").state == session.state == state_of(6) | {"more": 1}
    assert [one.version for one in session.versions()] == list(range(1, session.version + 1))


@pytest.mark.parametrize("part", [0.1, 0.5, 0.9])
def test_what_a_living_kernel_saved_is_written_again_when_the_file_was_cut_and_taken_away(file_database, part):
    session = file_database.open().session("demo")
    session.state["large"] = "".join(map(str, range(200_000)))
    session.save()
    file_database.close()
    content = file_database.path.read_bytes()
    file_database.path.write_bytes(content[: int(len(content) * part)])
    session.state["more"] = 1
    with pytest.raises(BadStorage, match=r"truncated|damaged|no SQLite"):
        session.save()
    file_database.close()
    assert file_database.path.stat().st_size == int(len(content) * part)
    file_database.path.rename(file_database.path.with_suffix(".damaged"))
    session.save()
    assert file_database.open().session("demo").state == session.state
