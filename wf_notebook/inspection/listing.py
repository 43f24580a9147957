"""The runs of a session as a list reads them: a page of rows, found by what is indexed, and only these are read."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from ..readable import brief, glimpse
from ..storage.runs import status_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

#: So many rows are given at once, at most.
PAGE = 200
#: Of inputs and an error so many characters are read for a list.
_READ = 4000
#: Of the inputs so many are shown in a row.
_SHOWN = 8
#: How runs stand of which the store has the end; those that have none go on, or their process is gone.
ENDED = ("completed", "failed", "stopped", "lost")

_PROCESS = ("host", "pid", "process_started_at")
_ROW = (
    "run_id", "phase", "workflow", "status", "happened_at", "started_at", "duration", "input_tokens", "output_tokens", "cost",
    *_PROCESS,
)  # fmt: skip
_INPUTS = f"substr(CAST(inputs AS VARCHAR), 1, {_READ})"
#: The phases of a run by how much they say.
_PHASES = ("start", "lost", "end")
_OF = "s.session_id = ? AND s.store = ? AND s.phase = 'start'"


def page(storage: Any, stored: str, *, start: int, count: int, words: str, status: str) -> tuple[int, list[dict[str, Any]]]:
    """Return how many runs of a session there are, and a page of them, the newest first.

    Args:
        storage: Where they are.
        stored: The session's id as it is stored.
        start: The first run of the page.
        count: So many of them, PAGE at most.
        words: What is looked for in workflow, inputs and error; "" for all.
        status: How they stand: one of ENDED, "open" for those without an end, "" for all.
    """
    source, given = f"run_log s WHERE {_OF}", [stored, storage.table_name]
    if words or status:
        ends = "run_log s LEFT JOIN run_log e ON e.run_id = s.run_id AND e.phase = 'end'"
        source = f"{ends} WHERE {_OF} AND coalesce(e.status, 'open') = ?" if status else f"{ends} WHERE {_OF}"
        given += [status] if status else []
        if words:
            told = "coalesce(s.workflow, '') || ' ' || coalesce(CAST(s.inputs AS VARCHAR), '') || ' ' || coalesce(e.error, '')"
            source += f" AND instr(lower({told}), ?) > 0"
            given.append(words.lower())
    total = storage.read(f"SELECT count(*) FROM {source}", given)
    ids = storage.read(
        f"SELECT s.run_id FROM {source} ORDER BY s.happened_at DESC, s.run_id LIMIT ? OFFSET ?",
        [*given, max(0, min(count, PAGE)), max(0, start)],
    )
    return (total[0][0] if total else 0), rows(storage, [run_id for (run_id,) in ids])


def rows(storage: Any, ids: Sequence[str]) -> list[dict[str, Any]]:
    """Return runs as a list has them, in the order of their ids; one that is not there is left out."""
    if not ids:
        return []
    columns = ", ".join((*_ROW, f"{_INPUTS} AS inputs", f"substr(error, 1, {_READ}) AS error"))
    found = storage.read(
        f"SELECT {columns} FROM run_log WHERE run_id IN ({_marks(ids)}) AND store = ?", [*ids, storage.table_name]
    )
    known: dict[str, dict[str, Any]] = {}
    named = (dict(zip((*_ROW, "inputs", "error"), cells, strict=True)) for cells in found)
    for row in sorted(named, key=lambda row: _PHASES.index(row["phase"])):
        before = known.get(row["run_id"], {})
        known[row["run_id"]] = before | {name: value for name, value in row.items() if value is not None or name not in before}
        known[row["run_id"]].setdefault("began_at", row["happened_at"])
    steps = _steps(storage, ids)
    return [_told(known[run_id], steps.get(run_id, (0, 0))) for run_id in ids if run_id in known]


def _told(row: dict[str, Any], steps: tuple[int, int]) -> dict[str, Any]:
    status = {"start": "running", "lost": "lost"}.get(row["phase"]) or row["status"]
    return {
        "id": row["run_id"],
        "workflow": brief(row["workflow"] or ""),
        "status": status_of({**row, "status": status}),
        "error": brief(row["error"] or ""),
        "inputs": inputs_line(row["inputs"] or "{}"),
        "started_at": str(row["started_at"] or row["began_at"]),
        "duration": row["duration"],
        "tokens": (row["input_tokens"] or 0) + (row["output_tokens"] or 0),
        "cost": row["cost"],
        "steps": steps[0],
        "hits": steps[1],
    }


def inputs_line(text: str) -> str:
    """Return inputs in a line, from the beginning of their JSON.

    >>> inputs_line('{"topic": "cheese", "n": 3}'), inputs_line('{"topic": "chee')
    ("topic='cheese', n=3", '{"topic": "chee…')
    """
    try:
        given = json.loads(text)
    except ValueError:
        return brief(text[:300]) + "…"
    told = [f"{brief(str(name))}={glimpse(value)}" for name, value in list(given.items())[:_SHOWN]]
    return brief(", ".join([*told, *(["…"] if len(given) > _SHOWN else [])]))


def _steps(storage: Any, ids: Sequence[str]) -> dict[str, tuple[int, int]]:
    """Return of each run how many steps it had, and how many came from the store; requests are parts of their agents' calls."""
    hit, span, ended, kind = (f"CAST(json_extract(data, '$.{name}') AS VARCHAR)" for name in ("hit", "span", "status", "kind"))
    found = storage.read(
        f"SELECT run_id, count(*), sum(CASE WHEN {hit} IN ('true', '1') THEN 1 ELSE 0 END) FROM event_log"
        f" WHERE run_id IN ({_marks(ids)}) AND {span} IN ('step', '\"step\"') AND {ended} IS NOT NULL"
        f" AND {kind} NOT IN ('request', '\"request\"') GROUP BY run_id",
        ids,
    )
    return {run_id: (count, int(hits)) for run_id, count, hits in found}


def _marks(values: Iterable[Any]) -> str:
    return ", ".join("?" for _ in values)
