"""Milliseconds of queries over our views, by plain SQL from a connection that is open: wall time, the best of 5 after a first.

In the file are 1000 sessions; `filled` says what each of them has.
"""

from __future__ import annotations

import json
import sqlite3
import sys
from time import perf_counter

from filled import filled
from given import folder

side, sessions = sys.argv[1], int(sys.argv[2])

QUERIES = {
    "sessions": "SELECT * FROM sessions ORDER BY updated_at DESC",
    "events": "SELECT * FROM events WHERE session_id = 'session 7' ORDER BY run_id, seq",
    "runs": "SELECT workflow, status, count(*), avg(duration), sum(input_tokens) FROM runs GROUP BY workflow, status",
}

with folder() as place:
    file = f"{place}/runs.db"
    filled(side, file, sessions).close()
    if side == "duckdb":
        import duckdb

        connection = duckdb.connect(file, read_only=True)
    else:
        connection = sqlite3.connect(file)
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
