"""The takes of a session's steps side by side: what each gave, which one is in use, and the choice of another."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..errors import UnknownStep
from ..frames.steps import gist
from ..readable import brief, harmless
from ..redact import redact

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..done import Done
    from .looking import Inspector

#: So many steps with several takes are on a page, so many takes of each, the newest, and so much of what each gave.
STEPS, TAKES, TEXT = 10, 8, 1000


def takes(inspector: Inspector, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Return a page of the steps that were done more than once with nothing changed, each with its takes."""
    session, start = inspector.find(asked["session"]), int(asked.get("start", 0))
    several = session.several()
    return {
        "total": len(several),
        "start": start,
        "rows": [
            {"step": brief(group[0].name), "place": brief(group[0].place), "total": len(group), "takes": _told(session, group)}
            for group in several[start : start + STEPS]
        ],
    }


def use_take(inspector: Inspector, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Use a take of a step from now on; what depends on it is done again at the next run, and nothing else."""
    session = inspector.find(asked["session"])
    chosen = next((done for group in session.several() for done in group if done.step_id == asked["take"]), None)
    if chosen is None:
        raise UnknownStep(f"session {session.session_id!r} remembers no such take any more; it was forgotten or erased")
    session.save(session.steps.say("chosen", [chosen]))
    return {"step": brief(chosen.name)}


def _told(session: Any, group: list[Done]) -> list[dict[str, Any]]:
    used = session.steps.find(group[0].key, group[0].place)
    told = []
    for number, done in list(enumerate(group, start=1))[-TAKES:]:
        text = harmless(redact(gist(session.steps.result(done))))
        told.append(
            {
                "id": done.step_id,
                "number": number,
                "used": used is not None and done.step_id == used.step_id,
                "text": text[:TEXT],
                "length": len(text),
                "made_at": str(done.made_at)[:26],
                "seconds": done.seconds,
                "tokens": done.input_tokens + done.output_tokens,
                "cost": done.cost,
            }
        )
    return told
