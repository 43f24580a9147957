"""What the tests of storages share: databases of each kind, looked at from outside, and Python processes."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
import threading
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import duckdb
import pytest

from wf_notebook.storage import open_storage, postgres_address, postgres_connection
from wf_notebook.storage.duckdb_file import File

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from wf_notebook.storage import WorkflowStorage


@dataclass
class Database:
    """A database of one kind; `open` gives a new storage over it each time (there is only one over a memory)."""

    kind: str
    path: Path
    address: str | None = None
    _opened: list[WorkflowStorage] = field(default_factory=list)
    _outside: Any = None

    @property
    def url(self) -> str:
        return "memory:" if self.kind == "memory" else self.address or f"{self.kind}:///{self.path}"

    def open(self, table_name: str = "workflow_sessions") -> WorkflowStorage:
        if self.kind != "memory" or not self._opened:
            self._opened.append(open_storage(self.url, table_name=table_name))
        return self._opened[-1]

    def forget(self) -> None:
        """Leave the file as it is: to fold a WAL takes a tenth of a second, and nobody will read it."""
        File._files.pop(self.path.resolve(), None)
        for storage in self._opened:
            if self.kind != "duckdb":
                storage.close()
        if self._outside is not None:
            self._outside = self._outside.close()

    def close(self) -> None:
        for storage in self._opened:
            storage.close()

    def query(self, sql: str, *parameters: Any) -> list[tuple[Any, ...]]:
        """Run plain SQL as an outsider does, with the database's own driver."""
        if self.kind == "memory":
            return self._opened[-1]._kept.connection.execute(sql, parameters).fetchall()
        if self.address is not None:
            self._outside = self._outside or postgres_connection.connect(postgres_address.read(self.address))
            cursor = self._outside.execute(postgres_connection.marked(sql), parameters or None)
            return cursor.fetchall() if cursor.description else []
        with closing(sqlite3.connect(self.path, isolation_level=None)) if self.kind == "sqlite" else outsider(self.path) as db:
            return db.execute(sql, parameters).fetchall()

    def let_anything_in(self) -> None:
        """Let a value be any text, as a damaged disk does: these databases have a look at it."""
        views = ("session_state", "state_history") if self.kind == "postgres" else ()
        defined = [self.query("SELECT pg_get_viewdef(CAST(? AS regclass))", view)[0][0] for view in views]
        if views:
            self.query(f"DROP VIEW {', '.join(views)} CASCADE")
        if self.kind in {"duckdb", "postgres"}:
            self.query("ALTER TABLE state_log ALTER value TYPE VARCHAR")
        for view, definition in zip(views, defined, strict=True):
            self.query(f"CREATE VIEW {view} AS {definition}")

    def count(self, table: str) -> int:
        return self.query(f"SELECT count(*) FROM {table}")[0][0]


def outsider(path: Path) -> duckdb.DuckDBPyConnection:
    """Return a connection of a user's own; a file stays attached for 100 ms after a checkpoint, so it may take a second try."""
    for _ in range(50):
        with suppress(duckdb.Error):
            return duckdb.connect(path)
        threading.Event().wait(0.02)
    return duckdb.connect(path)


ON_SERVER = pytest.param("postgres", marks=pytest.mark.postgres)


def of_kind(request: pytest.FixtureRequest, folder: Path) -> Database:
    """Return a new database of the kind that the fixture asks for."""
    address = request.getfixturevalue("place")("postgres") if request.param == "postgres" else None
    return Database(request.param, folder / "runs.db", address)


@pytest.fixture(params=["memory", "sqlite", "duckdb", ON_SERVER])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """Return a new database of each kind."""
    database = of_kind(request, tmp_path)
    yield database
    database.forget()


@pytest.fixture(params=["memory", "sqlite", "duckdb"])
def local_database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """Return a new database of each kind that this machine keeps."""
    database = of_kind(request, tmp_path)
    yield database
    database.forget()


@pytest.fixture(params=["sqlite", "duckdb", ON_SERVER])
def lasting_database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """Return a new database of each kind that other processes see."""
    database = of_kind(request, tmp_path)
    yield database
    database.forget()


@pytest.fixture(params=["sqlite", "duckdb"])
def file_database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """Return a new database of each kind that lies in a file."""
    database = Database(request.param, tmp_path / "runs.db")
    yield database
    database.forget()


@pytest.fixture
def duck(tmp_path: Path) -> Iterator[Database]:
    """Return a new DuckDB database."""
    database = Database("duckdb", tmp_path / "runs.duckdb")
    yield database
    database.forget()


@pytest.fixture
def pg(place: Callable[[str], str], tmp_path: Path) -> Iterator[Database]:
    """Return a schema in Postgres."""
    database = Database("postgres", tmp_path, place("postgres"))
    yield database
    database.forget()


@pytest.fixture
def lite(tmp_path: Path) -> Iterator[Database]:
    """Return a new SQLite database."""
    database = Database("sqlite", tmp_path / "runs.db")
    yield database
    database.forget()


@pytest.fixture
def python() -> Callable[..., str]:
    """Return a function that runs code in a new Python process and gives what it printed; a failure fails the test."""

    def run(code: str, *arguments: object) -> str:
        command = [sys.executable, "-c", code, *map(str, arguments)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    return run


@pytest.fixture
def process() -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Return a function that starts code in a new Python process, with pipes; what still runs at the end is killed."""
    started: list[subprocess.Popen[str]] = []

    def start(code: str, *arguments: object) -> subprocess.Popen[str]:
        pipe = subprocess.PIPE
        command = [sys.executable, "-u", "-c", code, *map(str, arguments)]
        started.append(subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, text=True))
        return started[-1]

    yield start
    for one in started:
        with one:
            one.kill()


@contextmanager
def _holding(start: Callable[..., subprocess.Popen[str]], code: str, *arguments: object) -> Iterator[subprocess.Popen[str]]:
    holder = start(code + "\nprint('ready')\ninput()", *arguments)
    assert holder.stdout.readline() == "ready\n", holder.stderr.read()
    yield holder
    if holder.poll() is None:
        holder.communicate("\n", timeout=30)


@pytest.fixture
def holding(process: Callable[..., subprocess.Popen[str]]) -> Callable[..., Any]:
    """Return a context manager: another process runs code, and keeps what it has until the block ends."""
    return lambda code, *arguments: _holding(process, code, *arguments)
