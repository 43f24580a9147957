"""Where sessions are kept when nobody says so, and what an address may be."""

from __future__ import annotations

import subprocess

import pytest

from wf_notebook.errors import BadStorage
from wf_notebook.storage import (
    DuckDbWorkflowStorage,
    MemoryWorkflowStorage,
    SqliteWorkflowStorage,
    choose_default,
    default_url,
    open_storage,
)


@pytest.fixture(autouse=True)
def choice():
    """Take back what a test chose."""
    yield
    choose_default(None)


def pyproject(folder, text: str = '[tool.wf_notebook]\nstorage = "sqlite:///state/runs.db"\n') -> None:
    (folder / "pyproject.toml").write_text(text)


# -- the order -----------------------------------------------------------------------------------------------------------------


def test_without_anything_it_is_a_new_folder_here_that_git_ignores_said_once(tmp_path, capsys):
    place = tmp_path / ".workflows" / "workflows.duckdb"
    assert [default_url(), default_url()] == [f"duckdb:///{place}"] * 2
    assert capsys.readouterr().err == f"INFO     workflows are kept in {place}\n"
    assert ((tmp_path / ".workflows").stat().st_mode & 0o777, [p.name for p in place.parent.iterdir()]) == (0o700, [".gitignore"])
    subprocess.run(["git", "init", "-q", tmp_path], check=True)
    (place.parent / "workflows.duckdb").touch()
    git = ["git", "-C", tmp_path, "status", "--porcelain"]
    assert subprocess.run(git, capture_output=True, text=True, check=True).stdout == ""


def test_a_folder_above_is_found(tmp_path, monkeypatch, capsys):
    (tmp_path / ".workflows").mkdir()
    (tmp_path / "a" / "b").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "a" / "b")
    assert default_url() == f"duckdb:///{tmp_path}/.workflows/workflows.duckdb"
    assert capsys.readouterr().err == ""


def test_a_file_of_that_name_is_no_folder(tmp_path):
    (tmp_path / ".workflows").write_text("mine")
    storage = open_storage("default")
    with pytest.raises(BadStorage, match="lies below a file"):
        storage.session("demo").save()
    assert (tmp_path / ".workflows").read_text() == "mine"


def test_the_nearest_pyproject_says_where_from_its_own_folder(tmp_path, monkeypatch):
    (tmp_path / ".workflows").mkdir()
    pyproject(tmp_path)
    (tmp_path / "a" / "b").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "a" / "b")
    assert default_url() == f"sqlite:///{tmp_path}/state/runs.db"
    pyproject(tmp_path / "a", "[project]\nname = 'a'\n")
    assert default_url() == f"duckdb:///{tmp_path}/.workflows/workflows.duckdb"


@pytest.mark.parametrize("url", ["sqlite:////var/runs.db", "memory:"])
def test_an_address_from_the_root_stays_as_it_is(tmp_path, url):
    pyproject(tmp_path, f"[tool.wf_notebook]\nstorage = '{url}'\n")
    assert default_url() == url


@pytest.mark.parametrize(
    "text", [b"[tool", b"\xff\xfe", b"tool = 3", b"[tool]\nwf_notebook = 3", b"tool.wf_notebook.storage = 3"]
)
def test_a_pyproject_that_cannot_be_read_is_named(tmp_path, text):
    (tmp_path / "pyproject.toml").write_bytes(text)
    with pytest.raises(BadStorage, match=r"pyproject\.toml' cannot be read \(.*\); mend it, or set WF_STORAGE$"):
        default_url()


def test_the_environment_comes_before_pyproject_and_a_choice_before_both(tmp_path, monkeypatch):
    pyproject(tmp_path)
    monkeypatch.setenv("WF_STORAGE", "sqlite:///env.db")
    assert default_url() == "sqlite:///env.db"
    choose_default("memory:")
    assert default_url() == "memory:"
    assert open_storage("sqlite:///argument.db").url == f"sqlite:///{tmp_path}/argument.db"
    choose_default(None)
    monkeypatch.setenv("WF_STORAGE", "")
    assert default_url() == f"sqlite:///{tmp_path}/state/runs.db"


def test_default_means_the_default_place_wherever_it_is_said(tmp_path, monkeypatch):
    monkeypatch.setenv("WF_STORAGE", "default")
    with pytest.raises(BadStorage, match="the default storage is set to 'default'; set it to an address: duckdb:"):
        open_storage("default")
    assert not (tmp_path / ".workflows").exists()


# -- addresses -----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("url", "kind", "path"),
    [
        ("duckdb:///runs.duckdb", DuckDbWorkflowStorage, "runs.duckdb"),
        ("sqlite:///sub/runs.db", SqliteWorkflowStorage, "sub/runs.db"),
        ("duckdb:////abs/runs.duckdb", DuckDbWorkflowStorage, "/abs/runs.duckdb"),
        ("sqlite:///~/runs.db", SqliteWorkflowStorage, "~/runs.db"),
        ("sqlite:///a b?c#d%20e.db", SqliteWorkflowStorage, "a b?c#d%20e.db"),
    ],
)
def test_an_address_names_a_kind_and_a_file(tmp_path, home, url, kind, path):
    storage = open_storage(url, table_name="blog")
    expected = home / path[2:] if path.startswith("~") else tmp_path / path
    assert (type(storage), storage.path, storage.table_name) == (kind, expected, "blog")
    assert storage.url == f"{url.split(':')[0]}:///{expected}"


def test_memory_is_an_address_too():
    assert type(open_storage("memory:")) is MemoryWorkflowStorage


ADDRESSES = "write duckdb:///file.duckdb, sqlite:///file.db, postgresql://user@host/database or memory:"


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("duckdbb:///x.db", "unknown kind of storage in 'duckdbb:///x.db'; did you mean 'duckdb'?"),
        ("sqlit:///x.db", "unknown kind of storage in 'sqlit:///x.db'; did you mean 'sqlite'?"),
        ("redis://x", f"unknown kind of storage in 'redis://x'; {ADDRESSES}"),
        ("runs.duckdb", "unknown kind of storage in 'runs.duckdb'; write duckdb:///runs.duckdb"),
        ("runs.db", "unknown kind of storage in 'runs.db'; write sqlite:///runs.db"),
        ("memory", "unknown kind of storage in 'memory'; did you mean 'memory:'?"),
        ("duckdb", f"unknown kind of storage in 'duckdb'; {ADDRESSES}"),
        (":memory:", f"unknown kind of storage in ':memory:'; {ADDRESSES}"),
        ("", f"unknown kind of storage in ''; {ADDRESSES}"),
        ("duckdb:", "'duckdb:' names no file; write duckdb:///file, or duckdb:////folder/file from the root"),
        ("duckdb:///", "'duckdb:///' names no file; write duckdb:///file, or duckdb:////folder/file from the root"),
        ("sqlite://runs.db", "'sqlite://runs.db' names no file; write sqlite:///file, or sqlite:////folder/file from the root"),
        ("sqlite:///:memory:", "':memory:' is no file; write storage='memory:'"),
        ("duckdb:///:memory:", "':memory:' is no file; write storage='memory:'"),
        ("memory:x", "'memory:x' names a file; write memory:, or duckdb:///x"),
    ],
)
def test_a_wrong_address_is_refused_in_one_line(url, says):
    with pytest.raises(BadStorage) as caught:
        open_storage(url)
    assert str(caught.value) == says


def test_storages_are_constructed_as_in_the_old_api(tmp_path):
    storage = SqliteWorkflowStorage(table_name="blog", db_file="tmp/workflows.db")
    assert (storage.path, storage.table_name) == (tmp_path / "tmp" / "workflows.db", "blog")
    assert SqliteWorkflowStorage(db_url="sqlite:///other.db").path == tmp_path / "other.db"
    assert DuckDbWorkflowStorage("blog", "x.duckdb").path == tmp_path / "x.duckdb"
    assert (SqliteWorkflowStorage().path, DuckDbWorkflowStorage().path) == (
        tmp_path / ".workflows" / "workflows.db",
        tmp_path / ".workflows" / "workflows.duckdb",
    )


@pytest.mark.parametrize(
    ("cls", "arguments", "error", "says"),
    [
        (SqliteWorkflowStorage, {"db_engine": 1}, TypeError, "takes no db_engine=; give db_file= or db_url='sqlite:///file.db'"),
        (DuckDbWorkflowStorage, {"db_url": "x"}, TypeError, "DuckDbWorkflowStorage takes no db_url=; give db_file="),
        (SqliteWorkflowStorage, {"db_url": "postgres://"}, BadStorage, "db_url='postgres://' is no SQLite address; write"),
    ],
)
def test_an_argument_without_a_meaning_is_refused(cls, arguments, error, says):
    with pytest.raises(error, match=says):
        cls(**arguments)


def test_a_storage_is_closed_by_with_and_can_be_used_again(file_database):
    with file_database.open() as storage:
        session = storage.session("demo")
        session.state["n"] = 1
        session.save()
    assert [path.name for path in file_database.path.parent.iterdir() if path.suffix != ".lock"] == ["runs.db"]
    assert storage.session("demo").state == {"n": 1}
