"""A storage in Postgres, for a team: the same tables and views in a schema of their own, saved to by many at once."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Any, TypeVar, cast

from ..errors import BadQuery, BadSetting, BadStorage, StorageBusy, StorageFailed, StorageReadOnly, WorkflowError
from ..run import logger
from . import agno, postgres_address, postgres_asked, postgres_errors
from .asking import not_there
from .no_rows import NoRows
from .postgres_connection import Cursor
from .postgres_dialect import POSTGRES
from .postgres_driver import check, psycopg
from .postgres_pool import Pool
from .postgres_rows import PostgresTogether, PostgresTransaction, number
from .rows import Opened
from .schema import quoted
from .sql import SqlStorage, checked_table_name
from .waiting import BRIEF, SILENCE, busy, longest, patience_for, remembered

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ..transaction import Inherited
    from .asking import Answer, Bounds
    from .place import Signature
    from .postgres_claims import Claims
    from .rows import SqlTransaction
    from .schema import Cursor as AnyCursor

T = TypeVar("T")

#: Between two tries to reach the server, in seconds: the first, and the longest.
_PAUSE, _LONGEST = 0.05, 0.5


class PostgresWorkflowStorage(SqlStorage):
    """Sessions in a Postgres database; its schema is made by the first save.

    A password may stand in the address, in `PGPASSWORD` or in `~/.pgpass`; it is told to the server only.

    >>> PostgresWorkflowStorage(table_name="blog", db_url="postgresql://ann:cheese@db.example:5432/team", schema="flows")
    PostgresWorkflowStorage('postgresql://ann@db.example:5432/team?schema=flows', table_name='blog')
    """

    dialect = POSTGRES
    transaction, together = PostgresTransaction, PostgresTogether

    def __init__(
        self, table_name: str = "workflow_sessions", db_url: str | None = None, schema: str | None = None, **unsupported: Any
    ) -> None:
        check()
        for name in agno.without_meaning_here(unsupported):
            raise BadSetting(f"PostgresWorkflowStorage takes no {name}=; give db_url='{postgres_address.EXAMPLE}'")
        if not isinstance(db_url, str):
            raise BadStorage(f"PostgresWorkflowStorage needs an address; give db_url='{postgres_address.EXAMPLE}'")
        if schema is not None and (not isinstance(schema, str) or not schema or schema.startswith("pg_")):
            raise BadStorage(f"schema={schema!r} is no name of a schema that can be made; choose another")
        self.table_name = checked_table_name(table_name)
        self._address = postgres_address.read(db_url, schema)
        self.url, self.schema = self._address.url, self._address.schema

    @property
    def _pool(self) -> Pool:
        return Pool.at(self._address)

    @property
    def claims(self) -> Claims:
        """What this process has the right to do, among all that share the database."""
        return self._pool.claims

    def _exists(self) -> bool:
        return True

    def sign(self) -> Signature:
        """Return what is different after every save; it is told by the server at once, without a lock or a transaction.

        It is the server's count of transactions that wrote, so that those of its other databases make a difference, too.
        """
        try:
            with self._pool.lent(0.0) as connection:
                ((told,),) = connection.execute("SELECT CAST(pg_current_snapshot() AS TEXT)").fetchall()
        except (psycopg.Error, WorkflowError):
            return ((0, -1, 0),)  # whoever looks because of that is told what is wrong
        oldest, newest, open_ones = told.split(":")
        return ((0, int(newest), int(oldest)), *((0, int(one), 0) for one in open_ones.split(",") if one))

    def looked_at(self) -> tuple[str, bool]:
        """Return what the server calls itself, and whether the role may save; nothing is made."""
        sql = (
            "SELECT current_setting('server_version'), CASE WHEN to_regclass('state_log') IS NULL"
            " THEN coalesce(has_schema_privilege(to_regnamespace(?), 'CREATE'),"
            " has_database_privilege(current_database(), 'CREATE'))"
            " ELSE has_table_privilege(to_regclass('state_log'), 'INSERT') END"
        )
        version, may_save = self._transact(lambda opened: opened.cursor.execute(sql, (quoted(self.schema),))[0], write=False)
        return f"Postgres {version}", may_save

    def _inherited(self, cursor: AnyCursor, session_id: str) -> Inherited | None:
        return agno.inherited_in_postgres(cursor, self.table_name, session_id)

    # -- the transaction ---------------------------------------------------------------------------------------------------

    def _transact(self, work: Callable[[Opened], T], *, write: bool) -> T:
        limit = longest.get()
        with remembered(self.url, limit=limit):
            return _Trying(self, patience_for(self.url, write=write, limit=limit), write=write).done(work)

    def _rows_of(self, opened: Opened, *, write: bool) -> SqlTransaction | NoRows:
        cursor = cast("Cursor", opened.cursor)
        if write and not opened.ready:  # one at a time makes what is not there
            cursor.later("SELECT pg_advisory_xact_lock(?)", (number(self.schema, "", "is prepared"),))
            if not postgres_errors.check_grants(cursor, self._address, write=True):
                cursor.execute(f"CREATE SCHEMA {quoted(self.schema)}")
        rows = super()._rows_of(opened, write=write)
        if isinstance(rows, NoRows):  # or what is there may not be seen
            postgres_errors.check_grants(cursor, self._address, write=write)
        return rows

    def _shrink(self) -> None:
        """What was deleted is seen by nobody any more; autovacuum gives its room to others."""

    def ask(self, query: str, parameters: Sequence[Any], bounds: Bounds) -> Answer:
        """Return what a query of the user's gives; it is done where nothing can be written, and nothing else be read."""
        is_second = False
        while True:
            connected = False
            try:
                with self._pool.lent(bounds.seconds) as connection:
                    connected = True
                    return postgres_asked.answer(connection, query, parameters, bounds)
            except BadQuery:
                if self.transact(lambda tx: isinstance(tx, NoRows), write=False):
                    raise not_there(self.url) from None
                raise
            except psycopg.Error as error:
                if not postgres_errors.is_lost(error, connected=connected, met=self._pool.met):
                    raise postgres_errors.translated(error, self._address, write=False) from error
                if is_second or not connected:
                    raise postgres_errors.unreachable(error, self._address, 0, write=False) from error
            is_second = True
            self._pool.close()  # the server was started again, and the others are gone, too

    def close(self) -> None:
        """Close the connections of this process to the database that nobody uses; they are opened again when needed."""
        pool = self._pool
        pool.close()
        pool.claims.close(unless_held=True)


class _Trying:
    """One transaction, tried until it is done or the patience is over."""

    def __init__(self, storage: PostgresWorkflowStorage, patience: float, *, write: bool) -> None:
        self._storage, self._patience, self._write = storage, patience, write
        self._since = time.monotonic()
        self._said = self._sent = False

    def done(self, work: Callable[[Opened], T]) -> T:
        """Return what the work gives, once that is durable; StorageBusy and StorageReadOnly say that it is not there."""
        try:
            return self._done(work)
        except (StorageBusy, StorageReadOnly) as error:
            if not self._sent:
                raise
            raise StorageFailed(f"{error}; as the server may have done it before, it is looked for and not done twice") from error

    def _done(self, work: Callable[[Opened], T]) -> T:
        pause, storage = _PAUSE, self._storage
        while True:
            pool = storage._pool  # noqa: SLF001 - its own
            connected = False
            try:
                with pool.lent(self._left) as connection:
                    connected = True
                    return self._once(pool, connection, work)
            except psycopg.Error as error:
                if postgres_errors.is_undone(error) and self._left:
                    continue
                if postgres_errors.is_held(error):
                    self._waits(error, "another kernel, which saves there")
                    continue
                if not postgres_errors.is_lost(error, connected=connected, met=pool.met):
                    if self._is_gone(pool, error):
                        continue
                    raise postgres_errors.translated(error, pool.address, write=self._write) from error
                pool.close()  # the others are gone, too
                self._waits(error, None)
            time.sleep(min(pause, self._left))
            pause = min(2 * pause, _LONGEST)

    def _once(self, pool: Pool, connection: psycopg.Connection[Any], work: Callable[[Opened], T]) -> T:
        me = threading.get_ident()
        if me in pool.at_work:
            raise StorageBusy("a save was begun inside another one, as a finaliser may do; save in plain code")
        cursor = Cursor(connection, self._storage.schema, writes=self._write)
        opened = Opened(cursor, self._storage.table_name in pool.ready)
        pool.at_work.add(me)
        try:
            result = work(opened)
            cursor.commit()
        except psycopg.Error as error:
            self._sent |= cursor.is_committing and postgres_errors.is_lost(error, connected=True)
            raise
        finally:
            pool.at_work.discard(me)
        if opened.ready:
            pool.ready.add(self._storage.table_name)
        return result

    @property
    def _left(self) -> float:
        return max(0.0, self._since + self._patience - time.monotonic())

    def _waits(self, error: psycopg.Error, holder: str | None) -> None:
        """Say that it is waited; raise when that was long enough.

        All who wait for a server that is away give up at the same time, and who comes later at once.
        """
        now, left, pool = time.monotonic(), self._left, self._storage._pool  # noqa: SLF001 - its own
        url, since = self._storage.url, self._since
        away = pool.away() if holder is None else None
        if away is not None:
            since = min(since, away.since)
            left = min(left, max(away.since + self._patience, self._since + BRIEF) - now)
        if left <= 0:
            if away is not None:
                raise postgres_errors.unreachable(error, pool.address, now - since, write=self._write) from error
            raise busy(f"{url} is held by {holder}, since {now - since:.0f} s", "let it finish", write=self._write) from error
        if now - since > SILENCE and not (away.said if away is not None else self._said):
            self._said = True
            if away is not None:
                away.said = True
            why = "" if away is None else f"{url}, which cannot be reached: {postgres_errors.why(error, pool.address)}"
            logger.warning("waiting for %s", holder or why)

    def _is_gone(self, pool: Pool, error: psycopg.Error) -> bool:
        """Say whether our tables were taken away since they were prepared: then a save makes them again."""
        if (error.sqlstate or "") not in {"42P01", "3F000"} or self._storage.table_name not in pool.ready:
            return False
        pool.close()
        return True
