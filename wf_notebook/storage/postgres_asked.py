"""A query of the user's in Postgres: in a transaction that can only read, for so long, fetched bit by bit."""

from __future__ import annotations

import re
import threading
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from .asking import Answer, Bounds, Clock, fetched, only_reads, stopped, too_slow, wrong
from .postgres_connection import marked
from .postgres_driver import psycopg

if TYPE_CHECKING:
    from collections.abc import Sequence

#: So many rows are fetched at once, at most, and so many bytes of them, about.
_ROWS, _BYTES = 1000, 1_000_000
#: Functions that the server cannot know to give the same twice, and that do nothing but that.
_HARMLESS = frozenset({
    "random", "random_normal", "setseed", "clock_timestamp", "timeofday", "gen_random_uuid", "uuidv4", "uuidv7",
    "pg_relation_size", "pg_total_relation_size", "pg_table_size", "pg_indexes_size", "pg_database_size",
})  # fmt: skip
#: How a query begins that can be read row by row; EXPLAIN is asked as it is.
_READING = {"SELECT", "WITH", "VALUES", "TABLE", "(", "EXPLAIN"}
#: The parts of SQL as the server reads them, as far as they tell what is a name and what is none: what is taken for a text here,
#: and is none there, would be called unseen.
_PARTS = re.compile(
    r"""(?P<comment>--[^\n\r]*|/\*.*?\*/)|(?P<text>[eE]'(?:[^'\\]|\\.|'')*'|(?:[bBxXnN]|[uU]&)?'(?:[^']|'')*'"""
    r"""|\$(?P<tag>(?:[A-Za-z_\x80-\U0010ffff][\w\x80-\U0010ffff]*)?)\$.*?\$(?P=tag)\$)"""
    r"""|(?P<escaped>[uU]&")|"(?P<quoted>(?:[^"]|"")*)"|(?P<name>[A-Za-z_\x80-\U0010ffff][\w$\x80-\U0010ffff]*)|(?P<other>\S)""",
    re.DOTALL,
)
#: What the types of Postgres are called where answers are read; any other is told by its values.
_TYPES = {
    16: "BOOLEAN", 20: "BIGINT", 21: "BIGINT", 23: "BIGINT", 700: "DOUBLE", 701: "DOUBLE", 25: "VARCHAR", 1043: "VARCHAR",
    19: "VARCHAR", 114: "JSON", 3802: "JSON", 1114: "TIMESTAMP", 1184: "TIMESTAMP WITH TIME ZONE",
}  # fmt: skip
_NUMERIC = 1700


def answer(connection: psycopg.Connection[Any], query: str, parameters: Sequence[Any], bounds: Bounds) -> Answer:
    """Return what a query gives. Raises BadQuery, and psycopg's errors for a connection that is lost."""
    word = _looked_at(connection, query)
    clock = Clock(bounds.seconds, connection.cancel)
    forget = bounds.stop.on_cancel(lambda: threading.Thread(target=connection.cancel, daemon=True).start())
    try:
        if bounds.stop.cancelled:
            raise stopped()
        connection.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
        connection.execute(f"SET LOCAL statement_timeout = {max(1, int(bounds.seconds * 1000) + 1000)}")
        with bounds.at_work(), clock.running():
            found = _fetched(connection, word, query, parameters, bounds)
        connection.execute("ROLLBACK")
    except psycopg.errors.QueryCanceled:
        raise (stopped() if bounds.stop.cancelled else too_slow(bounds.seconds)) from None
    except (psycopg.errors.ReadOnlySqlTransaction, psycopg.errors.FeatureNotSupported) as error:
        raise only_reads(_said(error)) from None
    except (psycopg.Error, ValueError, TypeError, OverflowError) as error:
        if connection.closed:
            raise
        raise wrong(Exception(_said(error) if isinstance(error, psycopg.Error) else error)) from None
    finally:
        forget()
        if bounds.stop.cancelled:  # what ends it may arrive only now
            connection.close()
    return found


def _fetched(connection: psycopg.Connection[Any], word: str, query: str, parameters: Sequence[Any], bounds: Bounds) -> Answer:
    sql = marked(query) if parameters else query
    sql = sql if word == "EXPLAIN" else f"DECLARE asked NO SCROLL CURSOR FOR {sql.rstrip().rstrip(';')}"
    found = connection.execute(sql, list(parameters) or None, prepare=False)
    if word != "EXPLAIN":
        found = connection.execute("FETCH 1 FROM asked", prepare=False)
    described = found.description or []
    rows = fetched(found if word == "EXPLAIN" else _Rows(connection, found), bounds)
    numbers = [place for place, column in enumerate(described) if column.type_code == _NUMERIC]
    if numbers:
        rows = [tuple(_number(cell) if place in numbers else cell for place, cell in enumerate(row)) for row in rows]
    return Answer([column.name for column in described], [_TYPES.get(column.type_code) for column in described], rows)


class _Rows:
    """The rows of the cursor: more at once as long as they are short."""

    def __init__(self, connection: psycopg.Connection[Any], first: psycopg.Cursor[Any]) -> None:
        self._connection, self._found, self._count = connection, first, 1

    def fetchone(self) -> tuple[Any, ...] | None:
        """Return the next row, None at the end."""
        row: tuple[Any, ...] | None = self._found.fetchone()
        if row is None and self._found.rowcount == self._count:
            fit = _BYTES * self._count // max(1, _size(self._found))
            self._count = max(1, min(_ROWS, 4 * self._count, fit))
            self._found = self._connection.execute(f"FETCH {self._count} FROM asked", prepare=False)
            row = self._found.fetchone()
        return row


def _size(found: psycopg.Cursor[Any]) -> int:
    result = found.pgresult
    assert result is not None
    return sum(len(result.get_value(row, column) or b"") for row in range(result.ntuples) for column in range(result.nfields))


def _number(cell: Any) -> Any:
    """Return an exact number as Python's own, where it has one: a sum of whole numbers is whole."""
    if cell is None or not cell.is_finite():
        return None if cell is None else float(cell)
    return int(cell) if cell == cell.to_integral_value() and cell.as_tuple().exponent == 0 else float(cell)


def _looked_at(connection: psycopg.Connection[Any], query: str) -> str:
    """Return how a query begins. Raises BadQuery for one that calls what does more than read.

    The transaction cannot write; but functions may reach out of the database, or hold locks that others wait for. The server says
    which these are: those that it calls volatile.
    """
    every = list(_PARTS.finditer(query))
    if any(part[0].startswith("/*") and "/*" in part[0][2:] for part in every):
        raise only_reads("a comment begins in another one")
    parts = [part for part in every if not part["comment"]]
    if any(part["text"] and (after["text"] or "").startswith("'") for part, after in pairwise(parts)):
        raise only_reads("a text goes on in another one")
    parts = [part for part in parts if not part["text"]]
    if any(part["escaped"] for part in parts):
        raise only_reads('a name is written as U&"…"')
    first = next((part[0].upper() for part in parts), "")
    if first not in _READING:
        raise only_reads(f"{first[:20]} does more than read" if first else "there is no statement")
    if any(part["other"] == ";" for part in parts[:-1]):
        raise only_reads("there are several statements")
    called = {
        part["name"].lower() if part["name"] else part["quoted"].replace('""', '"')
        for part, after in pairwise(parts)
        if after["other"] == "(" and (part["name"] or part["quoted"])
    }
    sql = "SELECT DISTINCT CAST(proname AS TEXT) FROM pg_catalog.pg_proc WHERE provolatile = 'v' AND proname = ANY($1)"
    reaching = sorted({name for (name,) in connection.execute(sql, [sorted(called - _HARMLESS)])} if called - _HARMLESS else ())
    if reaching:
        raise only_reads(f"{reaching[0]}() is out of reach")
    return first


def _said(error: psycopg.Error) -> str:
    return error.diag.message_primary or str(error)
