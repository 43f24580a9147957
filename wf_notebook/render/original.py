"""A run in which nothing was done anew is shown as the run in which it was: an answer looks the same whenever it is given."""

from __future__ import annotations

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


def _texts(run: Run) -> dict[str | None, str]:
    """Return what was said as text, lane by lane: which of two branches says something first is chance."""
    texts: dict[str | None, list[str]] = {}
    for said in run.told.responses() if run.told is not None else ():
        if isinstance(said.content, str):
            texts.setdefault(said.lane, []).append(said.content)
    return {lane: "".join(pieces) for lane, pieces in texts.items()}


def _is_ended(told: Any) -> bool:
    return span_of(told) == "step" and "status" in told
