"""A query of the user's in a DuckDB file: in a process and a connection of its own that can neither write nor read anything else.

The file is attached read-only while the query runs, under the lock; its answer is fetched whole, and the file is left, before
anybody sees it.
"""

from __future__ import annotations

import json
import os
import re
import threading
from contextlib import closing, nullcontext, suppress
from typing import TYPE_CHECKING, Any

import duckdb

from . import apart, duckdb_errors, place
from .apart import NoProcess, Request
from .asking import Answer, Bounds, Clock, fetched, needs_more, only_reads, stopped, too_slow, wrong
from .duckdb_file import File
from .lock import locked
from .waiting import patience_for, remembered

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..cancel import CancelToken
    from .thread import Job

#: What the connection is told after the file is attached: from then on it can open nothing else, and this cannot be undone.
_LOCKED = ("SET enable_external_access = false", "SET lock_configuration = true")
#: So many threads at most: each takes of the address space that the process may have.
THREADS = 8
#: Kinds of statements that read; MULTI is a PIVOT.
_READING = {"SELECT", "EXPLAIN", "MULTI"}
#: Functions that may stand in FROM beside the user's own connection, where only what is asked can be looked at.
_TABLES = re.compile(
    r"range|generate_series|unnest|json_each|json_tree|repeat|repeat_row|pragma_\w+"
    r"|duckdb_(columns|constraints|databases|functions|indexes|keywords|schemas|sequences|tables|types|views)"
)
#: What would tell the settings of that connection, which may be keys.
_SETTINGS = {"current_setting", "getvariable", "pg_settings", "duckdb_logs"}


def answer(file: File, jobs: Sequence[Job], query: str, parameters: Sequence[Any], *, bounds: Bounds) -> None:
    """Lock, and let a process of its own attach, ask and detach; the job hears of it at the end.

    Beside a connection of the user's own to the file, which lets no other process in, the query is made in this process, in a
    connection like that one. The same limits hold there as far as DuckDB hears of them: one call of a function that makes a text
    of gigabytes is neither interrupted nor counted. So it is where no process can be started.
    """
    (job,) = jobs
    checked(query)
    writable = place.check(file.path, write=False)
    wait = patience_for(file.path, write=False, limit=job.limit)
    request = Request.of("duckdb", file.path, query, parameters, bounds, patience=wait)
    with (
        remembered(file.path, limit=job.limit),
        locked(file.lock, patience=wait, given_up=job.given_up, write=False) if writable else nullcontext(),
    ):
        try:
            found = _apart(request, parameters, bounds, given_up=job.given_up)
        except duckdb_errors.OwnConnection:
            found = _beside(file, query, parameters, bounds, given_up=job.given_up)
        except MemoryError:
            raise needs_more(bounds.memory) from None
    job.set_result(found)


def _apart(request: Request, parameters: Sequence[Any], bounds: Bounds, *, given_up: CancelToken) -> Answer:
    try:
        return apart.ask(request, given_up=given_up)
    except NoProcess:
        return alone(request, parameters, bounds, given_up=given_up)


def checked(query: str) -> None:
    """Raise BadQuery for SQL that is not one query."""
    try:
        statements = duckdb.extract_statements(query)
    except duckdb.Error as error:
        raise wrong(error) from None
    if len(statements) != 1:
        raise only_reads(f"there are {len(statements)} statements" if statements else "there is no statement")
    kind = str(statements[0].type).rpartition(".")[2].removesuffix("_STATEMENT")
    if kind not in _READING:
        raise only_reads(f"{query.split(maxsplit=1)[0].upper()[:20]} does more than read")


def _ask(
    connection: duckdb.DuckDBPyConnection, query: str, parameters: Sequence[Any], bounds: Bounds, *, given_up: CancelToken
) -> Answer:
    clock = Clock(bounds.seconds, connection.interrupt)
    done = threading.Event()
    forget = given_up.on_cancel(lambda: threading.Thread(target=_end, args=(connection, done), daemon=True).start())
    try:
        with bounds.at_work(), clock.running():
            cursor = connection.execute(query, parameters)
            found = fetched(cursor, bounds)
            description = cursor.description or []
    except duckdb.InterruptException:
        raise (too_slow(bounds.seconds) if clock.is_over else stopped()) from None
    except duckdb.PermissionException:
        raise only_reads("other files are out of reach") from None
    except duckdb.OutOfMemoryException:
        raise MemoryError from None
    except (duckdb.IOException, duckdb.FatalException):
        raise  # the storage says what that means
    except duckdb.Error as error:
        raise (too_slow(bounds.seconds) if clock.is_over else stopped() if given_up.cancelled else wrong(error)) from None
    except TypeError as error:  # a parameter that DuckDB has no type for
        raise wrong(error) from None
    finally:
        done.set()
        forget()
    return Answer([column[0] for column in description], [str(column[1]) for column in description], found)


def _end(connection: duckdb.DuckDBPyConnection, done: threading.Event) -> None:
    """Interrupt a query that nobody waits for: again and again, as one that has not begun yet hears nothing."""
    while not done.is_set():
        with suppress(duckdb.Error):  # it may be closed by now
            connection.interrupt()
        done.wait(0.02)


def alone(request: Request, parameters: Sequence[Any], bounds: Bounds, *, given_up: CancelToken) -> Answer:
    """Attach the file to a connection in which it is all that can be read, ask, detach.

    Raises OwnConnection where the process that asks has the file open, MemoryError when the query needs more than there is.
    """
    file = File.at(request.path)
    with duckdb_errors.asked_by(request.asker):
        try:
            with closing(duckdb.connect(":memory:", config=_config())) as memory:
                for statement in ("SET enable_progress_bar = false", "SET temp_directory = ''"):
                    memory.execute(statement)
                file.attach(memory, read_only=True, given_up=given_up, patience=request.patience)
                for statement in ("USE kept", f"SET memory_limit = '{bounds.memory}B'", *_LOCKED):
                    memory.execute(statement)
                return _ask(memory, request.query, parameters, bounds, given_up=given_up)
        except duckdb.Error as error:
            if duckdb_errors.is_own_connection(error):
                raise duckdb_errors.OwnConnection from None
            raise duckdb_errors.translated(error, file.path, write=False) from error


def _config() -> dict[str, Any]:
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return {"python_enable_replacements": False, "threads": min(THREADS, cores)}


def _beside(file: File, query: str, parameters: Sequence[Any], bounds: Bounds, *, given_up: CancelToken) -> Answer:
    """Ask in a connection beside the user's own, which has no locks: the query is looked at before."""
    try:
        with duckdb_errors.connect_beside(file.path, write=False) as beside:
            _look_at(query)
            beside.execute("BEGIN TRANSACTION READ ONLY")
            found = _ask(beside, query, parameters, bounds, given_up=given_up)
            beside.execute("ROLLBACK")
            return found
    except duckdb.Error as error:
        raise duckdb_errors.translated(error, file.path, write=False) from error


def _look_at(query: str) -> None:
    """Raise BadQuery for a query that reads elsewhere: the user's own connection has no locks, so the query is looked at."""
    with closing(duckdb.connect(":memory:")) as parser:
        ((text,),) = parser.execute("SELECT json_serialize_sql(?::VARCHAR)", [query]).fetchall()
    tree = json.loads(text)
    if tree.get("error"):
        raise only_reads("this cannot be asked beside a connection of your own to the file")
    boxes = [tree]
    while boxes:
        box = boxes.pop()
        if isinstance(box, dict):
            function = box.get("function") if box.get("type") == "TABLE_FUNCTION" else None
            name = function.get("function_name", "") if isinstance(function, dict) else ""
            if name and not _TABLES.fullmatch(name.lower()):
                raise only_reads(f"{name}() is out of reach")
            for told in (box.get("function_name"), box.get("table_name")):
                if str(told).lower() in _SETTINGS:
                    raise only_reads(f"{told} is out of reach")
            if box.get("type") == "BASE_TABLE" and re.search(r"[./\\*:]", str(box.get("table_name"))):
                raise only_reads("other files are out of reach")
        boxes += box.values() if isinstance(box, dict) else box if isinstance(box, list) else ()
