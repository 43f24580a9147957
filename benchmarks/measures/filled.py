"""A store as large as a busy year leaves it: sessions of 10 KB each, 100 runs of each, and 10 events of each run.

It is written by SQL straight into our tables.
"""

from __future__ import annotations

from wf_notebook.storage import open_storage

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


def filled(side, file, sessions):
    """Return a connection to a new file with so many sessions: `side` is duckdb or sqlite."""
    with open_storage(f"{side}:///{file}") as storage:
        storage.session("first").save()
        storage.session("first").delete()
    if side == "duckdb":
        import duckdb

        connection = duckdb.connect(file)
    else:
        import sqlite3

        connection = sqlite3.connect(file)
    _fill(side, connection.execute, sessions)
    connection.commit()
    return connection


def _fill(side, execute, sessions):
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
