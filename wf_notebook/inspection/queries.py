"""The SQL box: a query that only reads, its result in pages, a Stop, and what there is to ask for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..errors import BadQuery
from ..storage.asking import ROWS
from ..storage.schema import STEP_VIEWS, VIEWS, quoted
from ..transaction import stored_id
from .results import SECONDS, Result, sayable

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .looking import Inspector

#: The views that are listed, those first that are asked for most.
LISTED = ("session_state", "state_history", "sessions", "runs", "events", "steps")

#: Queries to begin with: what each is for, and its text, of one session or of all.
EXAMPLES = {
    "the state, newest first": "SELECT key, value, version, saved_at FROM session_state {where}ORDER BY saved_at DESC",
    "what changed": "SELECT version, key, op, saved_at, run_id FROM state_history {where}ORDER BY version DESC LIMIT 100",
    "runs and what they took": "SELECT workflow, status, duration, input_tokens, output_tokens, cost, error, started_at"
    " FROM runs {where}ORDER BY started_at DESC LIMIT 100",
    "who said how much": "SELECT agent, count(*) AS events FROM events {where}GROUP BY agent ORDER BY events DESC",
    "where the time went": "SELECT name, kind, count(*) AS times, sum(seconds) AS seconds, sum(cost) AS cost FROM steps {where}"
    "GROUP BY name, kind ORDER BY seconds DESC",
}


def run_query(inspector: Inspector, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Run a query, and return what a page shows of its result; `run` is how the page calls it, to stop it. Raises BadQuery."""
    return inspector.results.run(_query(asked), asked.get("run")).told()


def last_result(inspector: Inspector, asked: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return what a query gave the last time, if it was run and that is kept: after a reload, or when it was run in Python."""
    result = inspector.results.newest_of(_query(asked))
    return None if result is None else result.told()


def result_rows(inspector: Inspector, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Return a page of a result as texts."""
    return {"rows": _result(inspector, asked).page(asked.get("start", 0), asked.get("count", 100))}


def result_cell(inspector: Inspector, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Return all of a cell of a result."""
    return {"text": _result(inspector, asked).whole(asked["row"], asked["column"])}


def stop(inspector: Inspector, asked: Mapping[str, Any]) -> None:
    """End a query that runs."""
    inspector.results.stop(asked["run"])


def schema(inspector: Inspector, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Return the views with their columns, queries to begin with, and what a query may take."""
    found: dict[str, list[dict[str, str]]] = {}
    for view, name, type_ in inspector.storage.read(inspector.storage.dialect.columns):
        found.setdefault(view, []).append({"name": name, "type": type_ or ""})
    own = [name for name in found if name not in {*VIEWS, *STEP_VIEWS} and name in _stores(inspector)]
    session = asked.get("session")
    where = f"WHERE session_id = {_text(stored_id(session))} " if session else ""
    return {
        "views": [
            {"name": sayable(name), "query": f"SELECT * FROM {_named(name)} LIMIT 1000", "columns": found[name]}
            for name in (*LISTED, *own)
            if name in found
        ],
        "examples": [{"title": title, "query": text.format(where=where)} for title, text in EXAMPLES.items()],
        "seconds": SECONDS,
        "rows": ROWS,
    }


def _stores(inspector: Inspector) -> set[str]:
    """Return the names of the views of this storage's own: one row for each of its sessions."""
    name = inspector.storage.table_name
    return {name, f"{name}_sessions"}


def _named(view: str) -> str:
    return view if view.isidentifier() and view.isascii() and view.islower() else quoted(view)


def _text(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"


def _query(asked: Mapping[str, Any]) -> str:
    query = asked.get("query")
    if not isinstance(query, str) or not query.strip():
        raise BadQuery("there is no query; write one: SELECT key, value FROM session_state")
    return query


def _result(inspector: Inspector, asked: Mapping[str, Any]) -> Result:
    return inspector.results.find(asked["result"])
