"""Names, paths and stored values of an attacker's are text and data: nothing is run by them, and nothing is taken by them."""

from __future__ import annotations

import json
import sys

import pytest

from wf_notebook import open_storage
from wf_notebook.errors import BadStorage, SessionOwned, UnsavableValue
from wf_notebook.transaction import About

NAMES = [
    *("'; DROP TABLE state_log; --", '"; DROP TABLE state_log; --', "') OR 1=1 --", "x' UNION SELECT 1 --", "/* */ ;;"),
    *("?", "$1", "{0}", "%s%n", "\\", "a\0b", "\0", "\n\r\t", "ö \u202e \U0001f9c0", " ", ".", "../..", "x" * 5000),
    *("a@b@@c", "$dict", "$$set", "__class__"),
]
TABLES = {"state_log", "session_log", "run_log", "event_log", "blob", "schema_log"}


def tables(database) -> set[str]:
    if database.kind == "duckdb":
        return {name for (name,) in database.query("SELECT table_name FROM duckdb_tables() WHERE NOT internal")}
    if database.kind == "postgres":
        of = "table_schema = current_schema() AND table_type = 'BASE TABLE'"
        return {name for (name,) in database.query(f"SELECT table_name FROM information_schema.tables WHERE {of}")}
    return {name for (name,) in database.query("SELECT name FROM sqlite_master WHERE type = 'table'")}


def test_any_text_is_the_name_of_a_session_a_key_or_an_entry_and_no_sql(database):
    storage = database.open()
    for number, name in enumerate(NAMES):
        session = storage.session(name)
        session.about = About(workflow=name, workflow_id=name, user_id=name, session_name=name)
        session.state.update({name: number, "in": {name: [name]}})
        session.save(run_id=name)
        session.state["in"][f"{name}2"] = name
        session.state[name] = [number]
        session.save(run_id=name)
    again = database.open()
    for number, name in enumerate(NAMES):
        session = again.session(name)
        assert session.state == {name: [number], "in": {name: [name], f"{name}2": name}}
        assert (session.version, session.about.user_id) == (2, name)
        assert session.at(1) == {name: number, "in": {name: [name]}}
    assert sorted(again.get_all_session_ids()) == sorted(NAMES)
    assert tables(database) >= TABLES
    assert dict(database.query("SELECT session_id, count(*) FROM session_state GROUP BY session_id")) == {
        name.replace("@", "@@"): 2 for name in NAMES
    }


@pytest.mark.parametrize("name", [name for name in NAMES if "\0" not in name], ids=ascii)
def test_any_text_is_the_name_of_a_table_and_no_sql(file_database, name):
    session = file_database.open(name).session("demo")
    session.state["n"] = 1
    session.save()
    assert file_database.open(name).session("demo").state == {"n": 1}
    assert file_database.open().session("demo").state == {}
    assert tables(file_database) >= TABLES


@pytest.mark.parametrize("kind", ["sqlite", "duckdb"])
@pytest.mark.parametrize("folder", ["it's", 'a "folder"', "a b; --", "?mode=ro", "%20", "ö#x", "[0]", "$HOME", "a'; DROP"])
def test_any_folder_and_file_name_is_a_place(tmp_path, kind, folder):
    path = tmp_path / folder / f"{folder}.db"
    if (kind, folder) == ("duckdb", "?mode=ro"):
        with pytest.raises(BadStorage, match="has a question mark in it, which DuckDB does not take for a name; choose another"):
            open_storage(f"duckdb:///{path}")
        return
    with open_storage(f"{kind}:///{path}") as storage:
        session = storage.session("demo")
        session.state["n"] = 1
        session.save()
    assert path.is_file()
    assert [one.name for one in tmp_path.iterdir()] == [folder]
    with open_storage(f"{kind}:///{path}") as storage:
        assert storage.session("demo").state == {"n": 1}


def test_two_links_to_one_file_are_one_storage(file_database, tmp_path):
    links = [tmp_path / "a" / "one.db", tmp_path / "b" / "two.db"]
    first = file_database.open().session("demo")
    first.state["n"] = 0
    first.save()
    sessions = []
    for link in links:
        link.parent.mkdir()
        link.symlink_to(file_database.path)
        sessions.append(open_storage(f"{file_database.kind}:///{link}").session("demo"))
    for number in range(6):
        sessions[number % 2].state[f"k{number}"] = number
        sessions[number % 2].save()
    assert file_database.open().session("demo").state == {"n": 0} | {f"k{number}": number for number in range(6)}
    assert [path.name for link in links for path in link.parent.iterdir()] == ["one.db", "two.db"]
    for session in sessions:
        session.storage.close()


def test_the_session_of_another_user_is_neither_read_nor_changed_nor_forked(database):
    storage = database.open()
    hers = storage.session("demo")
    hers.about = About(user_id="ann")
    hers.state["secret"] = 1
    hers.save()
    his = storage.session("demo")
    his.about = About(user_id="bob")
    changes = (lambda: his.restore(1), lambda: his.rename("x"), lambda: his.resolve("mine"))
    for attempt in (his.load, his.save, his.delete, his.reload, *changes):
        with pytest.raises(SessionOwned, match="belongs to another user than 'bob'"):
            attempt()
    assert storage.session("demo").state == {"secret": 1}


EVIL = """
import pathlib; pathlib.Path({!r}).write_text("imported")
import dataclasses
@dataclasses.dataclass
class Evil:
    a: int
    def __post_init__(self): pathlib.Path({!r}).write_text("called")
"""


@pytest.mark.parametrize("tag", ["$dataclass", "$model", "$enum", "$namedtuple", "$attrs", "$custom"])
@pytest.mark.parametrize(
    "name",
    ["subprocess:Popen", "os:system", "builtins:eval", "evil_module:Evil", "posix:system", "sys:exit", "evil_module:Evil.A"],
)
def test_a_stored_value_that_names_a_class_imports_and_calls_nothing(file_database, tag, name, tmp_path, monkeypatch):
    trace = tmp_path / "trace"
    (tmp_path / "evil_module.py").write_text(EVIL.format(str(trace), str(trace)))
    monkeypatch.syspath_prepend(tmp_path)
    session = file_database.open().session("demo")
    session.state.update(fine=1, evil={"a": 1})
    session.save()
    crafted = {
        tag: name,
        "a": 1,
        "args": f"touch {trace}",
        "command": f"touch {trace}",
        "$args": [f"touch {trace}"],
        "value": "x",
    }
    file_database.query("UPDATE state_log SET value = ? WHERE key = 'evil'", json.dumps(crafted))
    state = file_database.open().session("demo").state
    assert state["fine"] == 1
    assert not isinstance(state["evil"], int)
    assert not trace.exists()
    assert "evil_module" not in sys.modules


def test_half_of_a_surrogate_pair_is_no_session_id(database):
    with pytest.raises(UnsavableValue, match="which is no text"):
        database.open().session("\ud800")
