"""The rows of one store in Postgres: held against others who save the same session, and asked for in few round trips."""

from __future__ import annotations

from hashlib import blake2b
from typing import TYPE_CHECKING, cast

from ..owners import shared_with
from ..transaction import About, Head
from .rows import ABOUT, SqlTransaction
from .together import Together

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..transaction import Inherited
    from .postgres_connection import Cursor
    from .rows import Opened
    from .schema import Dialect

#: All that is asked of a session, in one question.
_HEAD = f"""
    SELECT v.version, v.save_id, k.save_id, c.ops, s.revision, s.op, s.hidden, s.since, {", ".join(f"s.{name}" for name in ABOUT)}
    FROM (SELECT CAST(? AS TEXT) AS store, CAST(? AS TEXT) AS session_id, CAST(? AS BIGINT) AS known) a
    LEFT JOIN LATERAL (SELECT version, save_id FROM state_log WHERE store = a.store AND session_id = a.session_id
                       ORDER BY version DESC LIMIT 1) v ON true
    LEFT JOIN LATERAL (SELECT save_id FROM state_log WHERE store = a.store AND session_id = a.session_id
                       AND version = a.known LIMIT 1) k ON true
    LEFT JOIN LATERAL (SELECT * FROM session_log WHERE store = a.store AND session_id = a.session_id
                       ORDER BY revision DESC LIMIT 1) s ON true
    LEFT JOIN LATERAL (SELECT string_agg(op, chr(31) ORDER BY revision) AS ops FROM session_log WHERE store = a.store
                       AND session_id = a.session_id AND op NOT IN ('changed', 'deleted')) c ON true"""


class PostgresTransaction(SqlTransaction):
    """The rows of one store, inside one transaction.

    A save holds its session from its first question on, by an advisory lock of the transaction: one number for schema, store and
    session. There is no row that could be locked in place of it, as a session begins without any and rows are only appended;
    and the server lets go of the lock at the end of the transaction, however that ends. A save reads what is committed
    (READ COMMITTED), so that it sees all of the one for which it waited; it merges with that and appends the next version.
    Different sessions do not wait for each other. Who purges holds all of them, as a value may be told of in several.
    """

    endings = {"blob": " ON CONFLICT DO NOTHING"}  # noqa: RUF012 - a table

    def __init__(self, opened: Opened, store: str, inherited: Callable[[str], Inherited | None], dialect: Dialect) -> None:
        super().__init__(opened, store, inherited, dialect)
        self._cursor = cast("Cursor", opened.cursor)
        self._held: set[str] = set()

    def hold(self, session_id: str) -> None:
        """Let nobody else save a session until this transaction ends."""
        if self._cursor.writes and session_id not in self._held:
            schema = self._cursor.schema
            self._cursor.later(
                "SELECT pg_advisory_xact_lock_shared(?), pg_advisory_xact_lock(?)",
                (number(schema), number(schema, self.store, session_id)),
            )
            self._held.add(session_id)

    def hold_all(self) -> None:
        """Let nobody else save anything until this transaction ends."""
        if self._cursor.writes:
            self._cursor.later("SELECT pg_advisory_xact_lock(?)", (number(self._cursor.schema),))

    def head(self, session_id: str, known: int) -> Head:
        """Return where the session stands."""
        self.hold(session_id)
        ((version, newest_save, known_save, ops, *told),) = self.rows(_HEAD, (self.store, session_id, known))
        revision, op, hidden, since, *about = told
        if revision is None:
            return Head(version or 0, newest_save, known_save)
        shared = shared_with((ops or "").split(chr(31)))
        there = About(**dict(zip(ABOUT, about, strict=True)), shared=shared) if op != "deleted" else None
        return Head(
            version or 0, newest_save, known_save, revision, hidden or 0, since or 0, there and self.of_line(session_id, there)
        )


class PostgresTogether(Together, PostgresTransaction):
    """The same for many sessions that are saved at once."""


def number(*names: str) -> int:
    """Return the number of an advisory lock: 64 bits, with a sign.

    >>> number("wf_notebook", "blog", "demo") == number("wf_notebook", "blog", "demo") != number("wf_notebook", "blog", "dem")
    True
    """
    return int.from_bytes(blake2b("\0".join(("wf_notebook", *names)).encode(), digest_size=8).digest(), "big", signed=True)
