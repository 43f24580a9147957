"""The tables that are written, the views that people query, and the numbered steps that lead from one release to the next.

Tables are append-only. The SQL is that which DuckDB, SQLite and Postgres share; a dialect is the few words in which they differ.
All times are UTC.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from .folding import session_state, state_history

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


@dataclass(frozen=True, slots=True)
class Dialect:
    """The words in which a database differs from the others."""

    name: str
    json: str
    text: str
    integer: str
    real: str
    timestamp: str
    #: A text that may be long, and is rarely read.
    long_text: str
    bytes: str
    #: A text of which there is one row: where several save at once, the database sees to that.
    hash: str
    #: A JSON object of the keys and values of session_state, which is called t.
    json_object: str
    #: Gives kind and name of each table and view.
    catalog: str
    #: Gives view, name and type of each column of each view, in order.
    columns: str
    #: Table and columns of each index; where a scan of columns is quick, an index would only make the file grow.
    indexes: tuple[tuple[str, str], ...] = ()
    #: Whether it takes many rows as a list for each column.
    takes_lists: bool = False
    #: What the SQL here needs of it and it has not: made before the tables.
    prelude: tuple[str, ...] = ()
    #: The column that numbers the rows of state_log, where a table has no `rowid` by itself.
    rowid: str | None = None


class Cursor(Protocol):
    """Runs one statement and gives all of its rows."""

    def execute(self, sql: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Run one statement."""


#: Our tables: name → columns with their kinds.
TABLES: dict[str, dict[str, str]] = {
    "state_log": {
        "store": "text", "session_id": "text", "version": "integer", "key": "text", "op": "text", "path": "text",
        "value": "json", "blob": "text", "run_id": "text", "save_id": "text", "saved_at": "timestamp",
    },
    "blob": {"hash": "hash", "size": "integer", "text": "long_text", "bytes": "bytes"},
    "session_log": {
        "store": "text", "session_id": "text", "revision": "integer", "op": "text", "happened_at": "timestamp",
        "hidden": "integer", "since": "integer", "workflow": "text", "workflow_id": "text", "user_id": "text",
        "session_name": "text", "extra_data": "json",
    },
    "run_log": {
        "store": "text", "session_id": "text", "run_id": "text", "phase": "text", "happened_at": "timestamp",
        "started_at": "timestamp", "workflow": "text", "workflow_id": "text", "inputs": "json", "status": "text",
        "duration": "real", "content": "text", "error": "text", "models": "json", "input_tokens": "integer",
        "output_tokens": "integer", "cost": "real", "changes": "json", "host": "text", "pid": "integer",
        "process_started_at": "text",
    },
    "event_log": {
        "run_id": "text", "seq": "integer", "happened_at": "timestamp", "event": "text", "agent": "text", "lane": "text",
        "content": "text", "data": "json",
    },
    "schema_log": {"migration": "integer", "written_by": "text", "happened_at": "timestamp"},
}  # fmt: skip

#: The steps that a session remembers, in the order in which they were done: "done"; and what was said of them since: "forgotten",
#: "chosen" among the takes of one, or "origin": the steps of that session are remembered too.
STEP_TABLES: dict[str, dict[str, str]] = {
    "step_log": {
        "store": "text", "session_id": "text", "seq": "integer", "op": "text", "happened_at": "timestamp", "step_id": "text",
        "name": "text", "kind": "text", "nth": "integer", "key": "text", "place": "text", "run_id": "text", "seconds": "real",
        "input_tokens": "integer", "output_tokens": "integer", "cost": "real", "result": "json", "blob": "text",
        "parts": "json", "parts_blob": "text",
    },
}  # fmt: skip

#: The columns of all tables.
COLUMNS = TABLES | STEP_TABLES

#: The definition of a view, or who gives it for a database.
View = str | Callable[[str], str]

#: What people query.
VIEWS: dict[str, View] = {
    "session_state": session_state,
    "state_history": state_history,
    "sessions": """
        SELECT s.session_id, s.workflow, s.session_name, coalesce(v.versions, 0) AS versions,
               coalesce(r.runs, 0) AS runs, s.created_at,
               CASE WHEN coalesce(v.saved_at, s.happened_at) < s.happened_at
                         AND coalesce(r.happened_at, s.happened_at) < s.happened_at
                      THEN s.happened_at
                    WHEN coalesce(v.saved_at, s.happened_at) < coalesce(r.happened_at, s.happened_at) THEN r.happened_at
                    ELSE coalesce(v.saved_at, s.happened_at) END AS updated_at,
               s.user_id, s.workflow_id, s.extra_data, s.store
        FROM (SELECT *, row_number() OVER (PARTITION BY store, session_id ORDER BY revision DESC) AS newest,
                     min(happened_at) OVER (PARTITION BY store, session_id) AS created_at
              FROM session_log) s
        LEFT JOIN (SELECT store, session_id, max(version) AS versions, max(saved_at) AS saved_at
                   FROM state_log GROUP BY store, session_id) v
          ON v.store = s.store AND v.session_id = s.session_id
        LEFT JOIN (SELECT store, session_id, count(CASE WHEN phase = 'start' THEN 1 END) AS runs,
                          max(happened_at) AS happened_at
                   FROM run_log GROUP BY store, session_id) r
          ON r.store = s.store AND r.session_id = s.session_id
        WHERE s.newest = 1 AND s.op <> 'deleted'""",
    "runs": """
        SELECT session_id, workflow, status, inputs, content, started_at, happened_at AS ended_at, duration, error, changes,
               models, input_tokens, output_tokens, cost, run_id, workflow_id, host, pid, process_started_at, store
        FROM run_log WHERE phase = 'end'
        UNION ALL
        SELECT s.session_id, s.workflow, CASE WHEN l.run_id IS NULL THEN 'running' ELSE 'lost' END, s.inputs, s.content,
               s.happened_at, l.happened_at, s.duration, s.error, s.changes, s.models, s.input_tokens, s.output_tokens, s.cost,
               s.run_id, s.workflow_id, s.host, s.pid, s.process_started_at, s.store
        FROM run_log s
        JOIN (SELECT run_id FROM run_log GROUP BY run_id HAVING count(CASE WHEN phase = 'end' THEN 1 END) = 0) o
          ON o.run_id = s.run_id
        LEFT JOIN (SELECT run_id, happened_at FROM run_log WHERE phase = 'lost') l ON l.run_id = s.run_id
        WHERE s.phase = 'start'""",
    "events": """
        SELECT r.session_id, e.seq, e.happened_at, e.event, e.agent, e.lane, e.content, e.data, e.run_id, r.store
        FROM event_log e JOIN (SELECT * FROM run_log WHERE phase = 'start') r ON r.run_id = e.run_id""",
}

STEP_VIEWS: dict[str, str] = {
    "steps": """
        SELECT s.session_id, s.name, s.kind, s.happened_at AS made_at, s.seconds, s.input_tokens, s.output_tokens, s.cost,
               json_extract(coalesce(b.text, CAST(s.result AS VARCHAR)), '$.value') AS value, s.key, s.place, s.run_id, s.step_id,
               s.store
        FROM step_log s LEFT JOIN blob b ON b.hash = s.blob
        WHERE s.op = 'done' AND NOT EXISTS (
            SELECT 1 FROM step_log f
            WHERE f.op = 'forgotten' AND f.step_id = s.step_id AND f.store = s.store AND f.session_id = s.session_id)""",
}

#: The view that bears the storage's table_name: one row for each of its sessions.
STORE_VIEW = """
        SELECT s.session_id, s.workflow_id, s.user_id, s.workflow, s.session_name,
               (SELECT {json_object} FROM session_state t
                WHERE t.store = s.store AND t.session_id = s.session_id) AS session_state,
               s.extra_data, s.created_at, s.updated_at
        FROM sessions s WHERE s.store = '{store}'"""

#: Names that a storage's table_name cannot have.
RESERVED = frozenset({*TABLES, *VIEWS, *STEP_TABLES, *STEP_VIEWS})


def quoted(name: str) -> str:
    """Return a name as an SQL identifier.

    >>> print(quoted('my runs'))
    "my runs"
    """
    return '"' + name.replace('"', '""') + '"'


def create_tables(cursor: Cursor, dialect: Dialect) -> None:
    """Migration 2: the tables and views of release 0.1."""
    _create(cursor, dialect, TABLES, VIEWS)


def create_steps(cursor: Cursor, dialect: Dialect) -> None:
    """Migration 3: the steps that were done."""
    _create(cursor, dialect, STEP_TABLES, STEP_VIEWS)


def _create(cursor: Cursor, dialect: Dialect, tables: dict[str, dict[str, str]], views: Mapping[str, View]) -> None:
    for table, columns in tables.items():
        described = [f"{quoted(column)} {getattr(dialect, kind)}" for column, kind in columns.items()]
        described += [dialect.rowid] if dialect.rowid and table == "state_log" else []
        cursor.execute(f"CREATE TABLE IF NOT EXISTS {table} ({', '.join(described)})")
    for number, (table, indexed) in enumerate(dialect.indexes):
        if table in tables:
            cursor.execute(f"CREATE INDEX IF NOT EXISTS {table}_{number} ON {table} ({indexed})")
    for view, definition in views.items():
        cursor.execute(f"CREATE VIEW {view} AS {definition if isinstance(definition, str) else definition(dialect.name)}")


def create_store_view(cursor: Cursor, dialect: Dialect, store: str, name: str) -> None:
    """Create the view of one store."""
    definition = STORE_VIEW.format(json_object=dialect.json_object, store=store.replace("'", "''"))
    cursor.execute(f"CREATE VIEW {quoted(name)} AS {definition}")


#: The steps from an empty file to this release, by number; a file says which of them was its last.
MIGRATIONS: dict[int, Callable[[Cursor, Dialect], None]] = {2: create_tables, 3: create_steps}
