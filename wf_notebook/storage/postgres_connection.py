"""A connection to Postgres, and a cursor that asks for several things in one round trip."""

from __future__ import annotations

import os
import re
import socket
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from ..errors import BadStorage
from .postgres_driver import adapted, psycopg
from .schema import quoted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .postgres_address import Address

#: How long a try to connect may take, in seconds.
CONNECT = 5
#: How long a lock is waited for before that is said, in seconds.
LOCK = 1
#: The oldest server that is known to understand our views.
OLDEST = 140000
#: What libpq is told unless the address says otherwise: a server that is gone without a word is noticed within half a minute.
_DEFAULTS = {
    "connect_timeout": str(CONNECT), "keepalives_idle": "10", "keepalives_interval": "5", "keepalives_count": "3",
    "tcp_user_timeout": "30000",
}  # fmt: skip
#: Settings of each connection. A process that was stopped in the middle of a save holds its session for a minute at most.
_SETTINGS = {
    "lock_timeout": f"{LOCK}s",
    "idle_in_transaction_session_timeout": "60s",
    "standard_conforming_strings": "on",
    "datestyle": "ISO",
    "jit": "off",
}
#: A save sees what was committed while it waited for its turn; a reader sees one moment.
_WRITING, _READING = "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE", "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"
#: What gives no answer that we wait for: an error of it is met by what comes next.
_UNANSWERED = ("INSERT ", "DELETE ", "CREATE ")
#: A mark for a parameter, and what may have a question mark in it that is none.
_MARKS = re.compile(
    r"""'(?:[^']|'')*'|"(?:[^"]|"")*"|\$(\w*)\$.*?\$\1\$|--[^\n]*|/\*.*?\*/|(?P<mark>\?)""",
    re.DOTALL,
)


def connect(address: Address) -> psycopg.Connection[Any]:
    """Connect. Raises psycopg's errors, and BadStorage for a server or a database that cannot be used."""
    application = f"wf_notebook {socket.gethostname()} {os.getpid()}"
    told = _DEFAULTS | {"fallback_application_name": application[:63]} | dict(address.parameters)
    connection = psycopg.connect(
        psycopg.conninfo.make_conninfo(**told | dict(address.secret) | {"client_encoding": "utf8"}),
        autocommit=True,
        context=adapted(),
        cursor_factory=psycopg.RawCursor,
        prepare_threshold=2,
    )
    try:
        _check(connection.info, address.url)
        settings = _SETTINGS | {"search_path": quoted(address.schema)}
        calls = ", ".join(f"set_config(${number}, ${number + 1}, false)" for number in range(1, 2 * len(settings), 2))
        connection.execute(f"SELECT {calls}", [word for pair in settings.items() for word in pair], prepare=False)
    except BaseException:
        connection.close()
        raise
    return connection


def _check(info: psycopg.ConnectionInfo, url: str) -> None:
    """Raise BadStorage for a server or a database that cannot be used."""
    if (encoding := info.parameter_status("server_encoding")) != "UTF8":
        raise BadStorage(f"the database of {url} keeps its texts as {encoding}; make one WITH ENCODING 'UTF8'")
    if info.server_version < OLDEST:
        raise BadStorage(f"the server of {url} is Postgres {info.server_version // 10000}; {OLDEST // 10000} or newer is needed")


@lru_cache(maxsize=500)
def marked(sql: str) -> str:
    """Return SQL with its question marks numbered, as Postgres takes them.

    >>> marked("SELECT '?', a FROM t WHERE b = ? AND c > ? -- why?")
    "SELECT '?', a FROM t WHERE b = $1 AND c > $2 -- why?"
    """
    count = iter(range(1, sql.count("?") + 1))
    return _MARKS.sub(lambda found: f"${next(count)}" if found["mark"] else found[0], sql)


class Cursor:
    """Runs statements of one transaction; what gives no answer goes along with the next that does, in one round trip."""

    def __init__(self, connection: psycopg.Connection[Any], schema: str, *, writes: bool) -> None:
        self._connection, self.schema, self.writes = connection, schema, writes
        self._waiting: list[tuple[str, Sequence[Any]]] = [(_WRITING if writes else _READING, ())]
        #: Whether COMMIT was sent: from then on only the server knows what came of it.
        self.is_committing = False

    def later(self, sql: str, parameters: Sequence[Any] = ()) -> None:
        """Let a statement go along with the next one."""
        self._waiting.append((sql, parameters))

    def execute(self, sql: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Run one statement."""
        self.later(sql, parameters)
        return [] if sql.startswith(_UNANSWERED) else self._sent()

    def commit(self) -> None:
        """Make all of it durable; where nothing was asked for, nothing is sent."""
        if len(self._waiting) == 1 and self._waiting[0][0] in {_WRITING, _READING}:
            return
        self.later("COMMIT")
        self.is_committing = True
        self._sent()

    def _sent(self) -> list[tuple[Any, ...]]:
        waiting, self._waiting = self._waiting, []
        with self._connection.pipeline():
            cursors = [self._connection.execute(marked(sql), parameters or None) for sql, parameters in waiting]
        last = cursors[-1]
        return last.fetchall() if last.description else []
