"""Milliseconds of queries over our views, by plain SQL from a connection that is open: wall time, the best of 5 after a first.

In the file are 1000 sessions of 10 KB each, 100 runs of each, and 10 events of each run,
written by SQL straight into our tables.
"""

from __future__ import annotations

import json
import sqlite3
import sys
from time import perf_counter

from given import folder

from wf_notebook.storage import open_storage

side, sessions = sys.argv[1], int(sys.argv[2])

QUERIES = {
    "sessions": "SELECT * FROM sessions ORDER BY updated_at DESC",
    "events": "SELECT * FROM events WHERE session_id = 'session 7' ORDER BY run_id, seq",
    "runs": "SELECT workflow, status, count(*), avg(duration), sum(input_tokens) FROM runs GROUP BY workflow, status",
}

SERIES = "WITH RECURSIVE range(range) AS (SELECT 0 UNION ALL SELECT range + 1 FROM range WHERE range + 1 < {})"
MOMENT = {
    "duckdb": "TIMESTAMP '2026-01-01' + to_seconds(range)",
    "sqlite": "strftime('%Y-%m-%d %H:%M:%f000', 1767225600 + range, 'unixepoch')",
}

#: So many times the sessions, into these columns, these values: the sessions take turns, what belongs to a run lies together.
INSERTS = (
    (
        1,
        "session_log (store, session_id, revision, op, happened_at, hidden, workflow, workflow_id)",
        "'workflow_sessions', 'session ' || range, 1, 'created', {moment}, 0, 'Blog', 'id'",
    ),
    (
        10,
        "state_log (store, session_id, version, key, op, value, save_id, saved_at)",
        "'workflow_sessions', {session}, 1 + {turn}, 'key ' || {turn}, 'set', '\"' || {text} || '\"', 'save ' || range, {moment}",
    ),
    (
        200,
        "run_log (store, session_id, run_id, phase, happened_at, started_at, workflow, inputs, status, duration, input_tokens)",
        "'workflow_sessions', {session_of_two}, {run_of_two}, {phase}, {moment}, {moment}, {flow}, '{{}}', {status}, 1, 9",
    ),
    (
        1000,
        "event_log (run_id, seq, happened_at, event, content)",
        "{run_of_ten}, 1 + range % 10, {moment}, 'RunResponse', 'Event ' || range || ' says a sentence.'",
    ),
)

#: An id as long as ours, of a number.
ID = "(({0}) * 7919 % 99991) || '-0000-4000-8000-' || substr('0000000000000000000' || ({0}), -19)"


def fill(execute):
    """Write the rows."""
    words = {
        "session": f"'session ' || (range % {sessions})",
        "turn": f"CAST((range - range % {sessions}) / {sessions} AS BIGINT)",
        "session_of_two": f"'session ' || (CAST((range - range % 2) / 2 AS BIGINT) % {sessions})",
        "run_of_two": ID.format("CAST((range - range % 2) / 2 AS BIGINT)"),
        "run_of_ten": ID.format("CAST((range - range % 10) / 10 AS BIGINT)"),
        "phase": "CASE range % 2 WHEN 0 THEN 'start' ELSE 'end' END",
        "flow": "'Flow ' || (range % 7)",
        "status": "CASE WHEN range % 2 = 1 THEN CASE WHEN range % 51 = 0 THEN 'failed' ELSE 'completed' END END",
        "moment": MOMENT[side],
        "text": "repeat('0123456789', 100)" if side == "duckdb" else "replace(hex(zeroblob(500)), '00', '01')",
    }
    for many, into, values in INSERTS:
        if side == "duckdb":
            execute(f"INSERT INTO {into} SELECT {values.format_map(words)} FROM range({sessions * many}) t(range)")
        else:
            execute(f"INSERT INTO {into} {SERIES.format(sessions * many)} SELECT {values.format_map(words)} FROM range")


with folder() as place:
    file = f"{place}/runs.db"
    with open_storage(f"{side}:///{file}") as storage:
        storage.session("first").save()
        storage.session("first").delete()
    if side == "duckdb":
        import duckdb

        connection = duckdb.connect(file)
    else:
        connection = sqlite3.connect(file)
    fill(connection.execute)
    connection.commit()
    connection.close()
    connection = duckdb.connect(file, read_only=True) if side == "duckdb" else sqlite3.connect(file)
    said = {}
    for query, sql in QUERIES.items():
        took = []
        for _ in range(6):
            began = perf_counter()
            rows = connection.execute(sql).fetchall()
            took.append(perf_counter() - began)
        assert len(rows) >= {"sessions": sessions, "events": 1000, "runs": 7}[query]
        said[query] = min(took[1:]) * 1e3
    connection.close()
    print(json.dumps(said))
