"""A query of the user's in SQLite: what it does is looked at step by step, and all but reading is refused."""

from __future__ import annotations

import sqlite3
import time
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Any

from ..errors import BadQuery
from .asking import Answer, Bounds, fetched, only_reads, stopped, too_slow, wrong

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

#: Steps of SQLite's machine between two looks at the clock.
_STEPS = 10_000
#: One text or blob may take this part of the memory of a query: 250 MB, more than any value that a session keeps in practice.
_PART = 8
_READING = {sqlite3.SQLITE_SELECT, sqlite3.SQLITE_READ, sqlite3.SQLITE_RECURSIVE}
#: Functions that reach out of the database.
_FUNCTIONS = {"load_extension", "fts3_tokenizer", "readfile", "writefile", "edit"}
#: What other databases have, and must not look like a slip of the pen.
_OTHERS = {"COPY", "INSTALL", "LOAD", "SET", "EXPORT", "IMPORT", "CALL", "USE", "GRANT", "TRUNCATE"}
#: Tables of SQLite's own that it declares when json_each and the like are used, and pragmas that are tables, too.
_OWN = {"sqlite_master", "sqlite_temp_master", "sqlite_schema"}
_PRAGMAS = {"table_info", "table_xinfo", "table_list", "index_list", "index_info"}


class _Watch:
    """What a query does, and for how long."""

    def __init__(self, bounds: Bounds) -> None:
        self._until, self._stop = time.monotonic() + bounds.seconds, bounds.stop
        self.refused: str | None = None

    def allowed(self, action: int, one: str | None, two: str | None, *_: str | None) -> int:
        """Say whether the query may do this."""
        if action in _READING or (action == sqlite3.SQLITE_FUNCTION and (two or "").lower() not in _FUNCTIONS):
            return sqlite3.SQLITE_OK
        if (action == sqlite3.SQLITE_UPDATE and one in _OWN and two == "type") or (
            action == sqlite3.SQLITE_PRAGMA and (one or "").lower() in _PRAGMAS
        ):
            return sqlite3.SQLITE_OK
        self.refused = "the query does more than read"
        return sqlite3.SQLITE_DENY

    @property
    def is_over(self) -> bool:
        """Whether the time is over."""
        return time.monotonic() > self._until

    def tick(self) -> bool:
        """Say whether the query must end; an interrupt, which arrives here, ends it too."""
        return self.is_over or self._stop.cancelled


def copied(database: bytes, query: str, parameters: Sequence[Any], bounds: Bounds) -> Answer:
    """Return what a query gives of a copy of a database, as `serialize` makes it."""
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        connection.deserialize(database)
        return answer(connection, query, parameters, bounds)


def answer(connection: sqlite3.Connection, query: str, parameters: Sequence[Any], bounds: Bounds) -> Answer:
    """Return what a query gives."""
    if (word := query.split(maxsplit=1)[0].upper().rstrip(";")) in _OTHERS:
        raise only_reads(f"{word} does more than read")
    with bounds.at_work(), _watched(connection, bounds) as watch:
        try:
            with closing(connection.execute(query, parameters)) as cursor:
                found = fetched(cursor, bounds)
                names = [column[0] for column in cursor.description or ()]
        except BadQuery:
            raise
        except (sqlite3.Error, sqlite3.Warning, ValueError, TypeError) as error:
            raise _translated(error, watch, bounds) from None
    if not names:
        raise only_reads("the query gives nothing to read")
    return Answer(names, [None] * len(names), found)


def _translated(error: Exception, watch: _Watch, bounds: Bounds) -> BaseException:
    if getattr(error, "sqlite_errorname", "") == "SQLITE_INTERRUPT":
        if bounds.stop.cancelled:
            return stopped()
        return (
            too_slow(bounds.seconds) if watch.is_over else KeyboardInterrupt()
        )  # SQLite says no more of what was raised in tick
    if getattr(error, "sqlite_errorname", "").startswith(("SQLITE_BUSY", "SQLITE_LOCKED", "SQLITE_CORRUPT", "SQLITE_IOERR")):
        return error  # the storage says what that means
    if watch.refused or "not authorized" in str(error):
        return only_reads(watch.refused or "the query reaches out of the database")
    if "one statement at a time" in str(error):
        return only_reads("there are several statements")
    if "too big" in str(error):
        size = bounds.memory // _PART / 1_000_000
        error = Exception(f"{error}: a value of the query has more than {size:g} MB")
    return wrong(error)


@contextmanager
def _watched(connection: sqlite3.Connection, bounds: Bounds) -> Iterator[_Watch]:
    watch = _Watch(bounds)
    longest = connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, bounds.memory // _PART)
    connection.execute("PRAGMA query_only = ON")
    connection.set_progress_handler(watch.tick, _STEPS)
    connection.set_authorizer(watch.allowed)
    try:
        yield watch
    finally:
        connection.set_authorizer(None)
        connection.set_progress_handler(None, 0)
        connection.execute("PRAGMA query_only = OFF")
        connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, longest)
