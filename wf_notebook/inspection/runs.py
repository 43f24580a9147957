"""Runs: the list of a session's, and one of them in full; each part is asked for when it is opened, and is bounded."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ..errors import BadArguments
from ..frames.reading import found_session
from ..keys import key_of
from ..log import span_of
from ..readable import brief, harmless
from ..redact import redact
from ..render import content_html, record_bundle, timeline, timeline_html
from ..render.cap import capped
from ..render.player import MOMENTS, PIECE
from ..render.player import page as player_page
from ..render.record import told as all_said
from ..render.status import standing
from .listing import page

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..run import Run
    from .looking import Inspector

#: Of a value that is one of many so many characters are shown, and of one that was asked for.
SHORT, LONG = 300, 60_000
#: Inputs that are listed, and steps and changes on a page.
INPUTS, ROWS = 100, 100
#: Of what was said so many characters are shown, in so many blocks, and so many of HTML: pictures lie in that.
SAID, BLOCKS, HTML = 40_000, 200, 400_000
#: A run is played that makes about so many characters of HTML, at all of its moments together.
PLAYED = 4_000_000


def runs(inspector: Inspector, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Return a page of the runs of a session, the newest first."""
    storage, session, start = inspector.storage, asked["session"], int(asked.get("start", 0))
    stored = storage.transact(lambda tx: found_session(storage, tx, session), write=False)
    words, status = str(asked.get("words", "")), str(asked.get("status", ""))
    total, rows = page(storage, stored, start=start, count=int(asked.get("count", 50)), words=words, status=status)
    return {"total": total, "start": start, "rows": rows}


def run(inspector: Inspector, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Return how a run stands, what it was asked and what it used."""
    found = with_used(_run(inspector, asked))
    return {
        "id": found.run_id,
        "session": found.session_id,
        "workflow": brief(found.workflow),
        "status": found.status,
        "standing": redact(standing(found.status, found.error)),
        "started_at": found.started_at.isoformat(sep=" ")[:26],
        "duration": found.duration,
        "models": [brief(model) for model in found.models[:20]],
        "input_tokens": found.input_tokens,
        "output_tokens": found.output_tokens,
        "tokens": found.input_tokens + found.output_tokens,
        "cost": found.cost,
        "inputs": [{"name": brief(name), **_begun(value)} for name, value in list(found.inputs.items())[:INPUTS]],
        "has_error": bool(found.error),
    }


def run_input(inspector: Inspector, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Return one input of a run, by its number, as Python prints it."""
    return cut(_printed(list(_run(inspector, asked).inputs.values())[int(asked["number"])]), LONG)


def run_said(inspector: Inspector, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a run said, as blocks of safe HTML: a lane of each branch, or of each agent where several spoke."""
    every, _ = all_said(_run(inspector, asked), whole=True)
    said, left_out = capped(every, SAID)
    blocks: list[str] = []
    room = HTML
    for content in said[:BLOCKS]:
        html = content_html(content)
        room -= len(html)
        if room < 0:
            break
        blocks.append(html)
    left = f"{left_out:,} more characters" if left_out else f"{len(said) - len(blocks)} more" if len(said) > len(blocks) else ""
    return {"blocks": blocks, "more": f"… {left}: open the record" if left else ""}


def run_timeline(inspector: Inspector, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Return what was done when, as bars."""
    bars = timeline(_run(inspector, asked))
    return {"blocks": [timeline_html(bars)], "summary": bars.summary} if bars else {"blocks": []}


def run_steps(inspector: Inspector, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Return a page of the steps of a run: which came from the store, and why the others were done."""
    table, start = _run(inspector, asked).why(), int(asked.get("start", 0))
    rows = [
        {
            "step": brief(row["step"]),
            "kind": row["kind"],
            "lane": brief(row["lane"] or ""),
            "from": row["from"],
            "why": brief(row["why"] or ""),
            "seconds": row["seconds"],
            "tokens": row["tokens"],
            "cost": row["cost"],
        }
        for row in table[start : start + ROWS]
    ]
    return {"summary": table.title if rows else "", "total": len(table), "start": start, "rows": rows}


def run_changes(inspector: Inspector, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a run changed in the state, and the version that it saved it as."""
    storage, found = inspector.storage, _run(inspector, asked)
    stored = storage.transact(lambda tx: found_session(storage, tx, found.session_id), write=False)
    rows = storage.read(
        "SELECT DISTINCT version, key, op, CASE WHEN path IS NULL THEN 0 ELSE 1 END FROM state_log"
        f" WHERE session_id = ? AND store = ? AND run_id = ? ORDER BY version, key LIMIT {ROWS + 1}",
        (stored, storage.table_name, found.run_id),
    )
    told = [
        {"version": version, "step": key, "key": brief(str(key_of(key))), "op": "put" if inside else op}
        for version, key, op, inside in rows[:ROWS]
    ]
    return {"rows": told, "total": len(told), "summary": f"{len(told)}{'+' if len(rows) > ROWS else ''}" if told else ""}


def run_error(inspector: Inspector, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Return the error of a run, with its traceback where that was recorded."""
    found = _run(inspector, asked)
    events = found.told.events() if found.told is not None else ()
    traceback = next((event.data["traceback"] for event in events if _is_traceback(event.data)), None)
    lacks = found.status == "failed" and traceback is None
    text = harmless(redact(str(traceback or found.error or "")))
    return {**cut(text, LONG), "note": "its traceback was not recorded" if lacks else ""}


def record(inspector: Inspector, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Return the record of a run as safe HTML, as long as a notebook would hold it."""
    return {"blocks": [record_bundle(_run(inspector, asked))["text/html"]]}


def played(inspector: Inspector, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Return a run as a page that plays, which needs nothing else and may do nothing else; BadArguments where it is too long."""
    found = _run(inspector, asked)
    said = [event.content for event in (found.told.events() if found.told is not None else ()) if event.content]
    step = max(PIECE, sum(map(len, said)) / MOMENTS)
    # A paragraph that is not over is laid out anew at each moment.
    size = sum(len(paragraph) ** 2 / step / 2 for text in said for paragraph in text.split("\n\n"))
    if size > PLAYED:
        line = f"storage.run({found.run_id!r}).to_html('run.html')"
        raise BadArguments(f"the run said too much to be played in this page; {line} writes it as a file that plays")
    return {"page": player_page(found)}


def with_used(run: Run) -> Run:
    """Return a run that goes on with what its agents used so far: the store has the sums only of one that is over."""
    if run.status != "running" or run.told is None:
        return run
    calls = [event.data for event in run.told.events() if span_of(event.data) == "agent" and "status" in event.data]
    costs = [call["cost"] for call in calls if call.get("cost") is not None]
    return replace(
        run,
        models=tuple(sorted({call["model"] for call in calls if call.get("model")})),
        input_tokens=sum(call.get("input_tokens") or 0 for call in calls),
        output_tokens=sum(call.get("output_tokens") or 0 for call in calls),
        cost=sum(costs) if costs else None,
    )


def cut(text: str, most: int) -> dict[str, Any]:
    """Return the beginning of a text, and how long all of it is.

    >>> cut("abcdef", 3)
    {'text': 'abc', 'length': 6}
    """
    return {"text": text[:most], "length": len(text)}


def _run(inspector: Inspector, asked: Mapping[str, Any]) -> Run:
    return inspector.recorded.at(inspector.storage, str(asked["run"]))


def _begun(value: Any) -> dict[str, Any]:
    """Return how an input begins; of a long text no more is printed than is shown."""
    if isinstance(value, str) and len(value) > 20 * SHORT:
        return {"text": _printed(value[: 20 * SHORT])[:SHORT], "length": len(value) + 2}
    return cut(_printed(value), SHORT)


def _printed(value: Any) -> str:
    return harmless(redact(repr(value)))


def _is_traceback(data: Any) -> bool:
    return isinstance(data, dict) and data.get("span") == "error" and isinstance(data.get("traceback"), str)
