"""Where sessions are kept: whether that can be reached, read and written, who holds it, and on what kind of disk it lies."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...errors import StorageBusy, WorkflowError
from .check import Check

if TYPE_CHECKING:
    from collections.abc import Iterator


def store(url: str | None = None) -> Iterator[Check]:
    """Look at a storage, the default one if none is given; nothing is made, and nothing in it changes."""
    from ...storage import default_url_there, open_storage

    try:
        place = url or default_url_there()
        if place is None:
            yield Check("store", "place", "ok", f"none yet; the first run makes {Path('.workflows').absolute()}")
            yield _folder(Path.cwd())
            return
        storage: Any = open_storage(place)
    except WorkflowError as error:
        yield _failed("place", error)
        return
    yield Check("store", "place", "ok", storage.url)
    if storage.dialect.name == "postgres":
        yield from _on_server(storage)
        return
    path: Path | None = storage.file
    if path is not None:
        yield _disk(path)
    if path is not None and not path.exists():
        yield _folder(path.parent)
        return
    yield from _opened(storage, path)


def _opened(storage: Any, path: Path | None) -> Iterator[Check]:
    try:
        sessions = len(storage.sessions())
    except WorkflowError as error:
        yield _failed("read", error)
        return
    size = "" if path is None else f", {path.stat().st_size / 1e6:.1f} MB"
    yield Check("store", "read", "ok", f"{sessions:,} session{'' if sessions == 1 else 's'}{size}")
    try:
        storage.transact(lambda _: None, write=True)
    except WorkflowError as error:
        yield _failed("write", error)
        return
    yield Check("store", "write", "ok", "yes, and nobody else holds it")


def _on_server(storage: Any) -> Iterator[Check]:
    try:
        server, may_save = storage.looked_at()
        yield Check("store", "server", "ok", server)
        sessions = len(storage.sessions())
    except WorkflowError as error:
        yield _failed("server", error)
        return
    yield Check("store", "read", "ok", f"{sessions:,} session{'' if sessions == 1 else 's'}")
    if may_save:
        yield Check("store", "write", "ok", "your role may save")
    else:
        remedy = f"let the owner GRANT USAGE ON SCHEMA {storage.schema} and SELECT, INSERT, DELETE ON ALL TABLES in it"
        yield Check("store", "write", "failed", "your role may not save", remedy)


def _failed(name: str, error: WorkflowError) -> Check:
    fact, _, remedy = str(error).partition("; ")
    return Check("store", "held" if isinstance(error, StorageBusy) else name, "failed", fact, remedy)


def _folder(folder: Path) -> Check:
    """Look at the folder of a file that is not there yet."""
    there = next(up for up in (folder, *folder.parents) if up.exists())
    if os.access(there, os.W_OK) and not _kind(there).startswith(("proc", "sysfs", "cgroup", "devpts")):
        return Check("store", "write", "ok", f"a file can be made in {folder}")
    return Check("store", "write", "failed", f"{str(there)!r} is read-only here", "set WF_STORAGE to a place that can be written")


def _disk(path: Path) -> Check:
    """Look at the file system of a file."""
    from ...storage.place import REMOTE

    kind = _kind(path)
    if REMOTE.match(kind):
        return Check(
            "store", "disk", "warning", f"{kind} is a network file system: saves of several kernels may get lost",
            "keep it on a local disk: WF_STORAGE=duckdb:////var/tmp/runs.duckdb",
        )  # fmt: skip
    return Check("store", "disk", "ok", f"local ({kind})" if kind else "the system does not say of what kind")


def _kind(path: Path) -> str:
    """Return the kind of file system that a path lies on; nothing where the system does not say."""
    from ...storage.place import file_system

    with suppress(OSError):
        return file_system(path, Path("/proc/self/mountinfo").read_text(encoding="utf-8", errors="replace").splitlines())
    return ""
