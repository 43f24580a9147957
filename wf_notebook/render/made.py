"""Where what a run answered was made: in the run itself, or in earlier ones.

A run in which nothing was done anew is shown as the run in which it was: an answer looks the same whenever it is given.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from ..log import span_of

if TYPE_CHECKING:
    from ..run import Run


def original(run: Run) -> Run:
    """Return the run in which all that a run answered was made; the run itself, where some of it was made in it.

    What run() itself changed in the state this time, and was not changed then, is no part of what was made: then the run itself.
    """
    steps = [event.data for event in run.told.events() if _is_ended(event.data)] if run.told is not None else []
    if run.status != "completed" or not steps or not all(step["hit"] for step in steps) or run.told is None:
        return run
    made_in = max(steps, key=lambda step: step["made_at"]).get("made_in")
    first = run.told.other(made_in) if made_in else None
    if first is None or first.status != "completed" or first.workflow != run.workflow or _texts(first) != _texts(run):
        return run
    if any(first.changes.get(key) != op for key, op in run.changes.items()):
        return run
    return first.told_by(first.told, whole=run.whole)


def is_text(run: Run) -> bool:
    """Say whether all that a run said is text: of anything else a store has only what it looked like."""
    said = run.told.responses() if run.told is not None else ()
    return all((one.content is None or isinstance(one.content, str)) and not one.images for one in said)


def from_store(run: Run) -> str:
    """Return how many of the steps of a run came from the store, and when the newest of them was made; nothing, if none did."""
    steps = [event.data for event in run.told.events() if _is_ended(event.data)] if run.told is not None else []
    hits = [step for step in steps if step["hit"]]
    if not hits:
        return ""
    made = ago(datetime.fromisoformat(max(step["made_at"] for step in hits)))
    return f"✓ {len(hits)} of {len(steps)} steps from the store, made {made}"


def counts(run: Run) -> dict[str, int]:
    """Return how many steps a run had, and how many of them came from the store."""
    steps = [event.data for event in run.told.events() if _is_ended(event.data)] if run.told is not None else []
    return {"steps": len(steps), "hits": sum(step["hit"] for step in steps)} if steps else {}


def ago(moment: datetime, now: datetime | None = None) -> str:
    """Return how long ago something was, in the largest unit that says it.

    >>> ago(datetime(2026, 1, 1, 12, tzinfo=UTC), datetime(2026, 1, 3, 12, tzinfo=UTC))
    '2 days ago'
    """
    seconds = max(0.0, ((now or datetime.now(UTC)) - moment).total_seconds())
    for unit, length in (("day", 86400), ("hour", 3600), ("minute", 60)):
        if seconds >= length:
            count = int(seconds // length)
            return f"{count} {unit}{'' if count == 1 else 's'} ago"
    return "just now"


def _texts(run: Run) -> dict[str | None, str]:
    """Return what was said as text, lane by lane: which of two branches says something first is chance."""
    texts: dict[str | None, list[str]] = {}
    for said in run.told.responses() if run.told is not None else ():
        if isinstance(said.content, str):
            texts.setdefault(said.lane, []).append(said.content)
    return {lane: "".join(pieces) for lane, pieces in texts.items()}


def _is_ended(told: Any) -> bool:
    return span_of(told) == "step" and "status" in told
