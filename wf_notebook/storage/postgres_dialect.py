"""The words of Postgres, and the few that it is taught so that it understands those of the others."""

from __future__ import annotations

from .schema import Dialect

#: Postgres has no place for U+0000 in a text. So it is stored as the first two of these, which mean nothing in Unicode and so
#: stand in no text; should the first of them stand in one anyway, it is stored as the first and the third.
NUL, STANDS_FOR_IT, ITSELF = "\ufdd0", "\ufdd1", "\ufdd2"

# Postgres keeps JSON as it is written, and refuses to look into one in which \u0000 or half of a surrogate pair is written.
# So the two are written otherwise where it looks, and doubled backslashes too, that none be taken for theirs.
_MASKED = (
    r"CASE WHEN strpos($1, '\u') = 0 THEN $1 ELSE regexp_replace(replace($1, '\\', U&'\FDD3'),"
    r" '\\u(0000|[dD][89a-fA-F][0-9a-fA-F]{2})', U&'\FDD4' || '\1', 'g') END"
)
#: Functions that are made in our schema: their heads, and what they return.
_FUNCTIONS = {
    "json_masked(text) RETURNS text": _MASKED,
    "json_unmasked(text) RETURNS text": r"replace(replace($1, U&'\FDD4', '\u'), U&'\FDD3', '\\')",
    "json_name(text) RETURNS text": (
        r"replace(replace(replace($1, U&'\FDD40000', U&'\FDD0\FDD1'), U&'\FDD4', '\u'), U&'\FDD3', '\')"
    ),
    "json_quote(text) RETURNS text": r"replace(to_json($1)::text, U&'\FDD0\FDD1', '\u0000')",
    "json_extract(text, text) RETURNS json": "json_unmasked((json_masked($1)::json -> substr($2, 3))::text)::json",
    "json_extract(json, text) RETURNS json": "json_extract($1::text, $2)",
    "instr(text, text) RETURNS integer": "strpos($1, $2)",
}

POSTGRES = Dialect(
    name="postgres",
    json="JSON",
    text="TEXT",
    integer="BIGINT",
    real="DOUBLE PRECISION",
    timestamp="TIMESTAMP",
    long_text="TEXT",
    bytes="BYTEA",
    hash="TEXT PRIMARY KEY",
    json_object="CAST('{' || string_agg(json_quote(t.key) || ':' || CAST(t.value AS TEXT), ',') || '}' AS JSON)",
    catalog="SELECT CASE c.relkind WHEN 'v' THEN 'view' ELSE 'table' END, CAST(c.relname AS TEXT) FROM pg_catalog.pg_class c"
    " JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace"
    " WHERE n.nspname = current_schema() AND c.relkind IN ('r', 'p', 'f', 'v', 'm')",
    columns="SELECT CAST(c.relname AS TEXT), CAST(a.attname AS TEXT), upper(format_type(a.atttypid, NULL))"
    " FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace"
    " JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped"
    " WHERE n.nspname = current_schema() AND c.relkind = 'v' ORDER BY c.relname, a.attnum",
    indexes=(
        ("state_log", "session_id, store, version"),
        ("session_log", "session_id, store, revision"),
        ("run_log", "session_id, store, phase, happened_at, run_id"),
        ("run_log", "run_id, phase"),
        ("event_log", "run_id, seq"),
        ("step_log", "session_id, store, seq"),
    ),
    takes_lists=True,
    prelude=tuple(
        f"CREATE OR REPLACE FUNCTION {head} LANGUAGE sql IMMUTABLE PARALLEL SAFE RETURN {body}"
        for head, body in _FUNCTIONS.items()
    ),
    rowid="rowid BIGINT GENERATED ALWAYS AS IDENTITY",
)
