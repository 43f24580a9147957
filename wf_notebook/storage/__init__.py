"""Where sessions are kept: a storage is chosen by its address, and opened when it is first used."""

from __future__ import annotations

import os
import tomllib
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, Self, TypeVar, cast, runtime_checkable

from ..errors import BadStorage
from ..nearest import did_you_mean
from ..run import logger
from .postgres_address import is_postgres as is_postgres
from .postgres_address import without_password

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime, timedelta

    from ..run import Run
    from ..session import Session
    from ..transaction import Transaction
    from .duckdb import DuckDbWorkflowStorage as DuckDbWorkflowStorage
    from .memory import MemoryWorkflowStorage as MemoryWorkflowStorage
    from .postgres import PostgresWorkflowStorage as PostgresWorkflowStorage
    from .sqlite import SqliteWorkflowStorage as SqliteWorkflowStorage

__all__ = [
    "DuckDbWorkflowStorage", "MemoryWorkflowStorage", "PostgresWorkflowStorage", "SqliteWorkflowStorage", "WorkflowStorage",
    "open_storage",
]  # fmt: skip

T = TypeVar("T")

_ADDRESSES = "duckdb:///file.duckdb, sqlite:///file.db, postgresql://user@host/database or memory:"
FOLDER, FILE = ".workflows", "workflows.duckdb"


@runtime_checkable
class WorkflowStorage(Protocol):
    """What any storage must do; `tests/storage/test_contract.py` holds all of ours to it."""

    table_name: str
    url: str

    def transact(self, work: Callable[[Transaction], T], *, write: bool) -> T:
        """Run `work` in one transaction; durable when it returns."""

    def stamp(self) -> int | None:
        """Return a number that stays the same while nobody writes, None where that cannot be told cheaply."""

    def session(self, session_id: str, *, branch: str | None = None) -> Session:
        """Return a session, whether it was saved before or not; or a branch of it."""

    def run(self, run_id: str) -> Run:
        """Return the record of a run."""

    def delete_session(self, session_id: str) -> None:
        """Hide a session."""

    def purge(self, session_id: str | None = None, *, older_than: datetime | timedelta | None = None) -> object:
        """Erase a session, what is older than that, or what was deleted, for good."""

    def restore_session(self, session_id: str, *, new_id: str | None = None) -> None:
        """Bring a hidden session back."""

    def sessions(self, *, user_id: str | None = None, workflow: str | None = None, all_users: bool = False) -> Any:
        """Return the sessions as a Table."""

    def runs(self, session_id: str | None = None) -> Any:
        """Return the runs of a session, or of all, as a Table."""

    def events(self, run_id: str) -> Any:
        """Return what a run said as a Table."""

    def state(self, session_id: str, path: Any = None) -> Any:
        """Return a session's state, or one value in it, as a Table."""

    def sql(self, query: str, parameters: Sequence[Any] = (), *, seconds: float = ..., rows: int = ...) -> Any:
        """Return what a query gives as a Table."""

    def close(self) -> None:
        """Close what is open; the storage can be used again afterwards."""

    def __enter__(self) -> Self:
        """Return the storage itself."""

    def __exit__(self, *exc: object) -> None:
        """Close what is open."""


#: The kinds of addresses, and who opens them.
SCHEMES: dict[str, str] = {
    "duckdb": "duckdb:DuckDbWorkflowStorage",
    "sqlite": "sqlite:SqliteWorkflowStorage",
    "memory": "memory:MemoryWorkflowStorage",
    "postgresql": "postgres:PostgresWorkflowStorage",
    "postgres": "postgres:PostgresWorkflowStorage",
}


def open_storage(url: str = "default", *, table_name: str = "workflow_sessions") -> WorkflowStorage:
    """Return the storage at an address: `duckdb:///file`, `sqlite:///file` (four slashes: from the root), `memory:` or `default`.

    For a team `postgresql://user@host/database?schema=…`. Raises BadStorage for an address of an unknown kind. The file, or the
    schema, is made by the first save.

    >>> open_storage("memory:")
    MemoryWorkflowStorage('memory:', table_name='workflow_sessions')
    """
    url = os.fspath(url) if isinstance(url, os.PathLike) else url
    if not isinstance(url, str):
        raise BadStorage(f"the address of a storage is a str, not of type {type(url).__name__!r}; write {_ADDRESSES}")
    if url == "default":
        url = default_url()
        if url == "default":
            raise BadStorage(f"the default storage is set to 'default'; set it to an address: {_ADDRESSES}")
    scheme, colon, rest = url.partition(":")
    if colon and is_postgres(url):
        scheme = "postgresql"  # SQLAlchemy has a driver in it
    if not colon or scheme not in SCHEMES:
        raise BadStorage(f"unknown kind of storage in {without_password(url)!r}{_hint(url, scheme, colon)}")
    module, _, name = SCHEMES[scheme].partition(":")
    cls = getattr(import_module(f".{module}", __name__), name)
    if scheme == "memory":
        if rest:
            raise BadStorage(f"{url!r} names a file; write memory:, or duckdb:///{rest.lstrip('/')}")
        in_memory: WorkflowStorage = cls(table_name)
        return in_memory
    if scheme.startswith("postgres"):
        on_server: WorkflowStorage = cls(table_name, db_url=url)
        return on_server
    if not rest.startswith("///") or not rest[3:]:
        raise BadStorage(f"{url!r} names no file; write {scheme}:///file, or {scheme}:////folder/file from the root")
    in_file: WorkflowStorage = cls(table_name, db_file=rest[3:])
    return in_file


def opened(place: object) -> WorkflowStorage:
    """Return a storage that is given as itself or by its address; raise BadStorage for anything else."""
    if isinstance(place, str | os.PathLike):
        return open_storage(cast("str", place))
    if isinstance(place, type) or not (hasattr(place, "transact") and hasattr(place, "stamp")):
        what = f"the class {place.__name__!r}" if isinstance(place, type) else f"of type {type(place).__name__!r}"
        raise BadStorage(f"storage is {what}; give a storage or its address: {_ADDRESSES}")
    return cast("WorkflowStorage", place)


def _hint(url: str, scheme: str, colon: str) -> str:
    """Return what to write instead of an address that is none."""
    kinds = {".duckdb": "duckdb", ".ddb": "duckdb", ".db": "sqlite", ".sqlite": "sqlite", ".sqlite3": "sqlite"}
    kind = kinds.get(Path(url).suffix)
    if kind and not colon:
        return f"; write {kind}:///{url}"
    if scheme == "memory":
        return "; did you mean 'memory:'?"
    return (did_you_mean(scheme, SCHEMES) if colon else "") or f"; write {_ADDRESSES}"


_chosen: str | None = None


def choose_default(url: str | None) -> None:
    """Say where `storage="default"` lies in this process, above the environment; None takes that back."""
    global _chosen  # noqa: PLW0603 - one choice for the process is the point
    _chosen = url


def default_url(start: Path | None = None) -> str:
    """Return the address of the default storage.

    In this order: what was chosen in this process; `WF_STORAGE`; `[tool.wf_notebook] storage` in the nearest pyproject.toml;
    `.workflows/workflows.duckdb` in a folder `.workflows` here or above; the same in a new folder here, said once.
    """
    here = _here(start)
    return default_url_there(here) or f"duckdb:///{_new_folder(here / FOLDER) / FILE}"


def default_url_there(start: Path | None = None) -> str | None:
    """Return the same, and None where a new folder would be needed: who only looks makes none."""
    here = _here(start)
    if url := _chosen or os.environ.get("WF_STORAGE") or _from_pyproject(here):
        return url
    folder = next((up / FOLDER for up in (here, *here.parents) if (up / FOLDER).is_dir()), None)
    return None if folder is None else f"duckdb:///{folder / FILE}"


def _here(start: Path | None) -> Path:
    try:
        return (start or Path.cwd()).absolute()
    except FileNotFoundError as error:
        raise BadStorage("the working directory is gone; change into one that is there, or set WF_STORAGE") from error


def _from_pyproject(here: Path) -> str | None:
    for up in (here, *here.parents):
        file = up / "pyproject.toml"
        if file.is_file():
            try:
                url = _setting(tomllib.loads(file.read_text(encoding="utf-8")))
            except (ValueError, OSError) as error:
                raise BadStorage(f"{str(file)!r} cannot be read ({error}); mend it, or set WF_STORAGE") from error
            return None if url is None else _from_root(url, up)
    return None


def _setting(table: Any) -> str | None:
    for name in ("tool", "wf_notebook", "storage"):
        if not isinstance(table, dict):
            raise ValueError(f"what holds {name!r} is no table")  # noqa: TRY004 - caught with what tomllib says
        table = table.get(name, {})
    if table and not isinstance(table, str):
        raise ValueError(f"storage = {table!r} is no text")
    return table or None


def _from_root(url: str, root: Path) -> str:
    """Return an address in which a relative file is below `root`, where its pyproject.toml lies."""
    scheme, marker, rest = url.partition(":///")
    return f"{scheme}:///{root / rest}" if marker and not is_postgres(url) else url


def _new_folder(folder: Path) -> Path:
    try:
        folder.mkdir(mode=0o700)
        (folder / ".gitignore").write_text("*\n", encoding="utf-8")
    except FileExistsError:
        pass
    except OSError as error:
        raise BadStorage(
            f"{str(folder)!r} cannot be made ({error.strerror}); set WF_STORAGE to a place that can be written"
        ) from error
    else:
        logger.getChild("storage").info("workflows are kept in %s", folder / FILE)
    return folder


def __getattr__(name: str) -> Any:
    """Import a storage class, and with it its driver, when it is first asked for."""
    for entry in SCHEMES.values():
        module, _, cls = entry.partition(":")
        if cls == name:
            return getattr(import_module(f".{module}", __name__), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
