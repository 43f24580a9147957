"""Damage is said by the name of what it hit; the rest can be read, and nothing is taken for empty and written over."""

from __future__ import annotations

import numpy as np
import pytest

from wf_notebook.errors import StorageFailed


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
    if database.kind == "duckdb":
        database.query("ALTER TABLE state_log ALTER value TYPE VARCHAR")  # it lets no such text in, and no disk asks
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
