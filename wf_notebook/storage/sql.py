"""What all SQL storages share: a database is prepared where it is new, and a session's rows are read and appended in it."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self, TypeVar, cast

from ..errors import BadSetting, BadStorage, SessionExists, UnknownRun, UnknownSession
from ..given import checked
from ..owners import Sight, line_of, refuse_others
from ..session import Session
from ..transaction import About, is_branch, shown_id, stored_id
from ..unit import is_unit
from ..users import users
from . import erasing
from .elsewhere import Elsewhere
from .finished import Finished, finished
from .moment import now
from .no_rows import NoRows
from .place import NotThere
from .rows import Opened, SqlTransaction
from .runs import RUN, Stored, record
from .schema import MIGRATIONS, RESERVED, Cursor, Dialect, create_store_view
from .tables import Tables
from .together import Together
from .units import Units

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime, timedelta

    from ..run import Run
    from ..transaction import Inherited, Transaction
    from .asking import Answer, Bounds
    from .erasing import Purged
    from .place import Signature

T = TypeVar("T")


class SqlStorage(Tables, Elsewhere, Units):
    """A storage over SQL; a dialect states how a transaction is opened, and what its words are."""

    dialect: Dialect
    #: The rows of one store in a transaction of this database.
    transaction: type[SqlTransaction] = SqlTransaction
    #: The same for many sessions at once.
    together: type[Together] = Together
    table_name: str
    #: The address that open_storage takes.
    url: str
    #: The file that other processes share; None where there is none.
    file: Path | None = None

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.url!r}, table_name={self.table_name!r})"

    def transact(self, work: Callable[[Transaction], T], *, write: bool) -> T:
        """Run `work` in one transaction; durable when it returns."""
        return self._in_transaction(cast("Callable[[SqlTransaction | NoRows], T]", work), write=write)

    def transact_together(self, works: Mapping[str, Callable[[Transaction], T]]) -> list[T]:
        """Run works, each of a session of its own (by its stored id), in one transaction: all of them are kept, or nothing."""

        def work(tx: SqlTransaction | NoRows) -> list[T]:
            together = self.together(cast("SqlTransaction", tx), list(works))
            results = [each(together) for each in works.values()]
            together.write()
            return results

        return self._in_transaction(work, write=True)

    def _in_transaction(self, work: Callable[[SqlTransaction | NoRows], T], *, write: bool) -> T:
        if not write and not self._exists():
            self.catch_up()  # a save whose caller was interrupted may be making it
        if write or self._exists():
            with suppress(NotThere):
                return self._transact(lambda opened: work(self._rows_of(opened, write=write)), write=write)
        return work(NoRows())

    def _rows_of(self, opened: Opened, *, write: bool) -> SqlTransaction | NoRows:
        """Return the rows of this store; a write prepares a database that is new, a read leaves it as it is."""

        def inherited(session_id: str) -> Inherited | None:
            return self._inherited(opened.cursor, session_id)

        if not opened.ready:
            catalog = set(opened.cursor.execute(self.dialect.catalog))
            if ("table", "schema_log") not in catalog and not write:
                return NoRows(inherited)
            opened.ready = self._prepared(opened.cursor, catalog, write=write)
            opened.has_steps = write or ("table", "step_log") in catalog
        return self.transaction(opened, self.table_name, inherited, self.dialect)

    def _prepared(self, cursor: Cursor, catalog: set[tuple[Any, ...]], *, write: bool) -> bool:
        """Bring a database up to this release; return whether all is there. Only a write makes the view of a new store."""
        done = 0
        if ("table", "schema_log") in catalog:
            done, by = max(cursor.execute("SELECT migration, written_by FROM schema_log"))
            if done > max(MIGRATIONS):
                raise BadStorage(f"{self.url} was written by wf_notebook {by}, which is newer than this one; upgrade wf_notebook")
            if done < min(MIGRATIONS):
                raise BadStorage(f"{self.url} was written before the first release, in a form of its own; choose another file")
        if not write and done < max(MIGRATIONS):  # a file of an earlier release is read as it is
            return False
        for statement in () if done else self.dialect.prelude:
            cursor.execute(statement)
        for number in range(done + 1, max(MIGRATIONS) + 1) if done else MIGRATIONS:
            MIGRATIONS[number](cursor, self.dialect)
            cursor.execute("INSERT INTO schema_log VALUES (?, ?, ?)", (number, _release(), now()))
        name = f"{self.table_name}_sessions" if ("table", self.table_name) in catalog else self.table_name
        if ("view", name) not in catalog and write:
            create_store_view(cursor, self.dialect, self.table_name, name)
        return write or ("view", name) in catalog

    def stamp(self) -> int | None:
        """Return a number that stays the same while nobody writes, None where that cannot be told without reading."""
        return None

    def sign(self) -> Signature:
        """Return what is different after every save, by whomever; it is told at once, without a lock or a transaction."""
        raise NotImplementedError

    def _inherited(self, cursor: Cursor, session_id: str) -> Inherited | None:
        """Return what another program kept of a session in this database."""
        return None

    def _exists(self) -> bool:
        raise NotImplementedError

    def catch_up(self) -> None:
        """Wait for what was begun before, where that is done in another thread: then nothing here holds the database."""

    def _transact(self, work: Callable[[Opened], T], *, write: bool) -> T:
        """Run `work` in one transaction of the database."""
        raise NotImplementedError

    def session(self, session_id: str, *, branch: str | None = None) -> Session:
        """Return a session of this storage, whether it was saved before or not; or a branch that a conflict left of it."""
        return Session(session_id, storage=self, branch=branch)

    def run(self, run_id: str) -> Run:
        """Return the record of a run.

        Raises UnknownRun when no run has that id.
        """
        rows = self.read(RUN, (run_id, self.table_name)) if isinstance(run_id, str) else ()
        if not rows:
            raise UnknownRun(f"no run {run_id!r} in {self.url}; storage.runs() lists them")
        if users() is not None:
            stored = rows[0][1]
            refuse_others(shown_id(stored), self.transact(lambda tx: tx.head(line_of(stored), 0).about, write=False))
        return record(rows[0], Stored(self.read, run_id, self.table_name, self.url, storage=self))

    def finished(self, session_ids: Sequence[str], kind: str) -> dict[str, list[Finished]]:
        """Return of each of these sessions that is here, by its stored id, what was finished in it of that kind."""

        def work(tx: SqlTransaction | NoRows) -> dict[str, list[Finished]]:
            return finished(tx.rows, self.table_name, session_ids, kind, has_steps=getattr(tx, "has_steps", False))

        return self._in_transaction(work, write=False)

    def get_all_session_ids(self, user_id: str | None = None, workflow_id: str | None = None) -> list[str]:
        """Return the ids of the sessions, newest first, as the old API does."""
        seen, given = Sight(self.read, self.table_name).of_sessions()
        sql = (
            "SELECT session_id FROM sessions s WHERE store = ? AND (CAST(? AS VARCHAR) IS NULL OR user_id = ?)"
            f" AND (CAST(? AS VARCHAR) IS NULL OR workflow_id = ?) AND {seen} ORDER BY created_at DESC"
        )
        parameters = (self.table_name, user_id, user_id, workflow_id, workflow_id, *given)
        return [shown_id(stored) for (stored,) in self.read(sql, parameters) if not is_branch(stored)]

    def delete_session(self, session_id: str) -> None:
        """Hide a session: it is no longer listed or loaded; its rows stay, and `restore_session` brings it back.

        Of `blog/` all rows of that sweep are hidden. Raises UnknownSession if there is none of that id.
        """
        if is_unit(session_id):
            self.say_of_rows(session_id, "deleted")
            return
        key = self._known(session_id)
        self.transact(lambda tx: tx.append_about(key, "deleted", tx.head(key, 0).about or About()), write=True)

    def purge(self, session_id: str | None = None, *, older_than: datetime | timedelta | None = None) -> Purged:
        """Erase for good what was asked for, also from the file; return how much that was. Raises UnknownSession.

        Args:
            session_id: The session to erase, or all rows of a sweep, `blog/`; None means all sessions, but those of other users
                where WF_USER or JUPYTERHUB_USER names one.
            older_than: Erase only versions that were replaced, runs that ended and sessions that were deleted before that
                moment, or longer ago than that. Left out with a session, all of it is erased; left out with none, what was
                deleted is.

        >>> from wf_notebook.storage import open_storage
        >>> storage = open_storage("memory:")
        >>> for name in ("a", "b"): session = storage.session(name); session.state["n"] = 1; session.save()
        >>> storage.delete_session("a"); storage.purge()
        Purged(sessions=1, versions=1, runs=0, blobs=0)
        """
        keys = None if session_id is None else self._all_known(session_id)
        moment = None if older_than is None else erasing.moment(older_than)
        purged: Purged = self._in_transaction(lambda tx: erasing.purged(cast("SqlTransaction", tx), keys, moment), write=True)
        self._shrink()
        return purged

    def _all_known(self, session_id: str) -> list[str]:
        """Return how the ids of what is to be erased are stored; of a sweep also rows that are hidden."""
        if not is_unit(session_id):
            return [self._known(session_id)]
        ids = self.rows_of(session_id, deleted=None)
        there = self._in_transaction(lambda tx: erasing.own(tx, ids, also_deleted=True), write=False)
        return [key if (key := stored_id(each)) in there else self._known(each) for each in ids]

    def _known(self, session_id: str) -> str:
        return self._in_transaction(lambda tx: erasing.known(tx, session_id, self.url), write=False)

    def _shrink(self) -> None:
        """Leave no byte of what was deleted in the file."""
        raise NotImplementedError

    def restore_session(self, session_id: str, *, new_id: str | None = None) -> None:
        """Bring a deleted session back, with all of its versions; under another id, if its own is used again.

        Of `blog/` all rows of that sweep are brought back that were deleted. Raises UnknownSession if there is no deleted session
        of that id, SessionOwned if it was another user's, SessionExists if there is one of the new id.
        """
        if is_unit(session_id):
            if new_id is not None:
                raise BadSetting(f"the rows of {session_id!r} come back under their own ids; leave out {new_id!r}")
            self.say_of_rows(session_id, "restored")
            return
        key = stored_id(session_id)
        self._in_transaction(lambda tx: erasing.refuse_hidden(tx, key), write=False)
        if new_id is not None and self.transact(lambda tx: tx.head(stored_id(new_id), 0).revision, write=False):
            raise SessionExists(f"there is a session {new_id!r} already; choose another id")
        to = None if new_id is None else stored_id(new_id)
        back = self.transact(lambda tx: tx.append_restored(key) if to is None else tx.copy_deleted(key, to), write=True)
        if not back and to is None and self.transact(lambda tx: tx.head(key, 0).hidden, write=False):
            raise UnknownSession(
                f"session {session_id!r} was deleted, and its id is used again; bring the old one back beside it by "
                f"%wf restore --deleted {session_id} NEW (or restore_session({session_id!r}, new_id=…))"
            )
        if not back:
            raise UnknownSession(
                f"no session {session_id!r} was deleted in {self.url}; storage.sessions() lists those that are there"
            )

    def read(self, sql: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Return the rows of a query of our own; none where nothing was saved yet."""
        return self._in_transaction(lambda tx: tx.rows(sql, parameters), write=False)

    def ask(self, query: str, parameters: Sequence[Any], bounds: Bounds) -> Answer:
        """Return what a query of the user's gives; it is done where nothing can be written, and nothing else be read."""
        raise NotImplementedError

    def close(self) -> None:
        """Close what is open; the storage can be used again afterwards."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()


def checked_table_name(name: str) -> str:
    """Return `name`, or raise BadStorage when it cannot be the name of a store."""
    checked("table_name", name, (str,), "a str")
    if Path(name).suffix in {".duckdb", ".ddb", ".db", ".sqlite", ".sqlite3"}:
        raise BadStorage(f"table_name={name!r} is the name of a file; write db_file={name!r}")
    if name.lower() in RESERVED or name.lower().startswith("sqlite_") or not name:
        raise BadStorage(f"table_name={name!r} is the name of a table or view that others need; choose another")
    return name


def _release() -> str:
    from importlib.metadata import version

    with suppress(Exception):
        return version("wf-notebook")
    return "unknown"
