"""The rows of a key folded into its value, in SQL: views by which any client reads the state that is, and each one that was.

A value is set in one row and may be changed by further ones (`changes.py`): items are appended to a list, entries of a dict are
put or deleted. Each database folds them in its own words, and only the values that are asked for.
"""

from __future__ import annotations

#: A row for each version of each key, without its value: the rows from `since` to `version` make it up, and it held until
#: `last_version`. What was deleted with its session is left out.
_VERSIONS = """
        SELECT DISTINCT store, session_id, key, version, since, run_id, save_id, saved_at, is_gone,
               max(op) OVER (PARTITION BY store, session_id, key, version) AS op,
               CASE WHEN NOT is_gone THEN coalesce(min(version) OVER (PARTITION BY store, session_id, key ORDER BY version
                                           RANGE BETWEEN 1 FOLLOWING AND UNBOUNDED FOLLOWING) - 1,
                        max(version) OVER (PARTITION BY store, session_id)) END AS last_version
        FROM (SELECT l.store, l.session_id, l.key, l.version, l.run_id, l.save_id, l.saved_at, l.op,
                     l.path IS NULL AND l.op = 'delete' AS is_gone,
                     max(CASE WHEN l.path IS NULL AND l.op IN ('set', 'delete') THEN l.version END)
                     OVER (PARTITION BY l.store, l.session_id, l.key ORDER BY l.version) AS since
              FROM state_log l
              LEFT JOIN (SELECT store, session_id, hidden,
                                row_number() OVER (PARTITION BY store, session_id ORDER BY revision DESC) AS nth
                         FROM session_log) h
                ON h.nth = 1 AND h.store = l.store AND h.session_id = l.session_id
              WHERE l.version > coalesce(h.hidden, 0)) s"""

#: The newest of them for each key that is there, a row each.
_NEWEST = f"""
        SELECT * FROM (SELECT *, max(version) OVER (PARTITION BY store, session_id, key) AS newest FROM ({_VERSIONS}) a) b
        WHERE version = newest AND NOT is_gone"""

_IS_KEYED = """substr(value, 1, 9) = '{"$dict":'"""

_OF_THE_KEY = (
    """l.store = v.store AND l.session_id = v.session_id AND l.key = v.key AND l.version BETWEEN v.since AND v.version"""
)

#: DuckDB makes a value of pieces: the whole, the items of lists, or the entries of dicts, of which the newest counts,
#: in the order in which they came since they were last deleted.
_DUCKDB = f"""
        SELECT *, (
            SELECT CAST(CASE any_value(shape) WHEN 'whole' THEN any_value(text)
                   WHEN 'list' THEN '[' || coalesce(string_agg(text, ',' ORDER BY version) FILTER (WHERE text <> ''), '') || ']'
                   ELSE CASE WHEN bool_or(keyed) THEN '{{"$dict":' ELSE '' END || '{{'
                        || coalesce(string_agg(CAST(json_quote(name) AS VARCHAR) || ':' || coalesce(text, 'null'), ','
                                               ORDER BY born) FILTER (WHERE nth = 1 AND op <> 'delete'), '')
                        || '}}' || CASE WHEN bool_or(keyed) THEN '}}' ELSE '' END END AS JSON)
            FROM (SELECT *, row_number() OVER (PARTITION BY name ORDER BY version DESC) AS nth,
                         min(came) FILTER (WHERE version > gone) OVER (PARTITION BY name) AS born
                  FROM (SELECT version, op, shape, keyed, entry.key AS name, entry.value AS text,
                               [version, place, ordinal] AS came,
                               coalesce(max(version) FILTER (WHERE op = 'delete') OVER (PARTITION BY name), 0) AS gone
                        FROM (SELECT *, unnest(pieces) AS entry, generate_subscripts(pieces, 1) AS ordinal
                              FROM (SELECT *, op = 'set' AND {_IS_KEYED} AS keyed,
                                           CASE WHEN shape = 'dict' AND op = 'set' THEN CAST(map_entries(CAST(
                                                     CASE WHEN {_IS_KEYED} THEN json_extract(value, '$."$dict"') ELSE value END
                                                     AS MAP(VARCHAR, JSON))) AS STRUCT("key" VARCHAR, "value" VARCHAR)[])
                                                WHEN shape = 'list'
                                                THEN [{{'key': NULL, 'value': substr(value, 2, length(value) - 2)}}]
                                                ELSE [{{'key': path, 'value': value}}] END AS pieces
                                    FROM (SELECT l.version, l.rowid AS place, l.op, l.path,
                                                 CAST(coalesce(b.text, l.value) AS VARCHAR) AS value,
                                                 CASE WHEN count(l.path) OVER () > 0 THEN 'dict'
                                                      WHEN count(*) OVER () > 1 THEN 'list' ELSE 'whole' END AS shape
                                          FROM state_log l LEFT JOIN blob b ON b.hash = l.blob
                                          WHERE {_OF_THE_KEY}))))) p) AS value
        FROM (__versions__) v"""

# SQLite has no ordered aggregates before 3.44: there the order of a subquery holds under an aggregate without GROUP BY.
_TEXT = "coalesce((SELECT b.text FROM blob b WHERE b.hash = l.blob), l.value)"

_SQLITE_LIST = f"""
                    SELECT '[' || coalesce(group_concat(items, ','), '') || ']'
                    FROM (SELECT substr(value, 2, length(value) - 2) AS items
                          FROM (SELECT {_TEXT} AS value FROM state_log l WHERE {_OF_THE_KEY} ORDER BY l.version, l.rowid))
                    WHERE items <> ''"""

_SQLITE_ENTRIES = f"""
                    SELECT name, op, value, keyed, row_number() OVER (PARTITION BY name ORDER BY version DESC) AS nth,
                           min(came) FILTER (WHERE version > gone) OVER (PARTITION BY name) AS born
                    FROM (SELECT *, printf('%020d %020d %020d', version, place, ordinal) AS came,
                                 coalesce(max(version) FILTER (WHERE op = 'delete') OVER (PARTITION BY name), 0) AS gone
                          FROM (SELECT e.key AS name, 'put' AS op, version, place, e.id AS ordinal,
                                 {_IS_KEYED.replace("value", "s.value")} AS keyed,
                                 CASE e.type WHEN 'text' THEN json_quote(e.value) WHEN 'null' THEN 'null'
                                             WHEN 'real' THEN coalesce(s.value -> e.fullkey, e.value)
                                             WHEN 'true' THEN 'true' WHEN 'false' THEN 'false' ELSE e.value END AS value
                          FROM (SELECT l.version, l.rowid AS place, {_TEXT} AS value
                                FROM state_log l WHERE {_OF_THE_KEY} AND l.path IS NULL) s,
                               json_each(s.value, CASE WHEN {_IS_KEYED.replace("value", "s.value")} THEN '$.$dict' ELSE '$' END) e
                          UNION ALL
                          SELECT l.path, l.op, l.version, l.rowid, 0, 0, {_TEXT}
                          FROM state_log l WHERE {_OF_THE_KEY} AND l.path IS NOT NULL))"""

_SQLITE_DICT = f"""
                    SELECT CASE WHEN max(keyed) THEN '{{"$dict":' ELSE '' END || '{{'
                           || coalesce(group_concat(CASE WHEN nth = 1 AND op <> 'delete'
                                                         THEN json_quote(name) || ':' || value END, ','), '')
                           || '}}' || CASE WHEN max(keyed) THEN '}}' ELSE '' END
                    FROM (SELECT * FROM ({_SQLITE_ENTRIES}) ORDER BY born)"""

_SQLITE = f"""
        SELECT *, CASE (SELECT CASE WHEN count(l.path) > 0 THEN 'dict' WHEN count(*) > 1 THEN 'list' ELSE 'whole' END
                        FROM state_log l WHERE {_OF_THE_KEY})
                  WHEN 'whole' THEN (SELECT {_TEXT} FROM state_log l WHERE {_OF_THE_KEY})
                  WHEN 'list' THEN ({_SQLITE_LIST}) ELSE ({_SQLITE_DICT}) END AS value
        FROM (__versions__) v"""

#: Postgres as DuckDB; `postgres_dialect` says what the functions are that are not its own.
_PIECES = """
                          SELECT r.path AS name, CASE r.shape WHEN 'list' THEN substr(r.value, 2, length(r.value) - 2)
                                                      ELSE r.value END AS text, CAST(1 AS BIGINT) AS ordinal
                          WHERE r.shape <> 'dict' OR r.op <> 'set'
                          UNION ALL
                          SELECT json_name(j.key), json_unmasked(CAST(j.value AS TEXT)), j.ordinality
                          FROM json_each(CASE WHEN r.shape <> 'dict' OR r.op <> 'set' THEN NULL
                                              WHEN r.keyed THEN CAST(json_masked(r.value) AS JSON) -> '$dict'
                                              ELSE CAST(json_masked(r.value) AS JSON) END) WITH ORDINALITY j"""

_POSTGRES = f"""
        SELECT v.*, (
            SELECT CAST(CASE max(shape) WHEN 'whole' THEN max(text)
                   WHEN 'list' THEN '[' || coalesce(string_agg(text, ',' ORDER BY version) FILTER (WHERE text <> ''), '') || ']'
                   ELSE CASE WHEN bool_or(keyed) THEN '{{"$dict":' ELSE '' END || '{{'
                        || coalesce(string_agg(json_quote(name) || ':' || coalesce(text, 'null'), ','
                                               ORDER BY born) FILTER (WHERE nth = 1 AND op <> 'delete'), '')
                        || '}}' || CASE WHEN bool_or(keyed) THEN '}}' ELSE '' END END AS JSON)
            FROM (SELECT *, row_number() OVER (PARTITION BY name ORDER BY version DESC) AS nth,
                         min(came) FILTER (WHERE version > gone) OVER (PARTITION BY name) AS born
                  FROM (SELECT r.version, r.op, r.shape, r.keyed, e.name, e.text, ARRAY[r.version, r.place, e.ordinal] AS came,
                               coalesce(max(r.version) FILTER (WHERE r.op = 'delete') OVER (PARTITION BY e.name), 0) AS gone
                        FROM (SELECT *, op = 'set' AND {_IS_KEYED} AS keyed
                              FROM (SELECT l.version, l.rowid AS place, l.op, l.path,
                                           coalesce(b.text, CAST(l.value AS TEXT)) AS value,
                                           CASE WHEN count(l.path) OVER () > 0 THEN 'dict'
                                                WHEN count(*) OVER () > 1 THEN 'list' ELSE 'whole' END AS shape
                                    FROM state_log l LEFT JOIN blob b ON b.hash = l.blob
                                    WHERE {_OF_THE_KEY}) s) r
                        CROSS JOIN LATERAL ({_PIECES}) e) p) q) AS value
        FROM (__versions__) v"""

_FOLDED = {"duckdb": _DUCKDB, "sqlite": _SQLITE, "postgres": _POSTGRES}


def session_state(database: str) -> str:
    """Return the query of the state that is: a row for each key."""
    folded = _FOLDED[database].replace("__versions__", _NEWEST)
    return f"""
        SELECT session_id, key, value, version, saved_at, run_id, store FROM ({folded}) f"""


def state_history(database: str) -> str:
    """Return the query of every state that was: a row for each key and version in which it changed, with all of its value.

    It held until `last_version`, for the newest the session's. Both are NULL where the key was deleted, so that
    `5 BETWEEN version AND last_version` is the state at version 5.
    """
    folded = _FOLDED[database].replace("__versions__", _VERSIONS)
    return f"""
        SELECT session_id, version, last_version, key, op, value, run_id, saved_at, save_id, store FROM ({folded}) f"""
