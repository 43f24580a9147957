"""A run as one file that plays: what it said is laid out again, moment by moment, as it was while it went on.

The file is made of what the live output is made of: its layout, its script and its styles. Nothing in it fetches anything: a
policy in its head allows this script, styles and pictures that lie in the file, and nothing else.
"""

from __future__ import annotations

import json
from base64 import b64encode
from datetime import timedelta
from hashlib import sha256
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..accounts import shown_account
from ..readable import brief
from .layout import Layout
from .record import changed_values, moment, session_name, used
from .said import Said

if TYPE_CHECKING:
    import os
    from collections.abc import Iterator
    from datetime import datetime

    from ..events import RunResponse
    from ..run import Run

#: A text that came in one piece of a store comes in pieces of about so many characters, within so many seconds.
PIECE, WITHIN = 24, 0.25
#: A file has so many moments at most: longer runs play in larger steps.
MOMENTS = 2000

_STATIC = Path(__file__).parents[1] / "notebook" / "static"


def to_html(run: Run, path: str | os.PathLike[str]) -> Path:
    """Write a run as a file that plays, in a folder that is made if need be; return its path."""
    target = Path(path)
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(page(run), encoding="utf-8")
    return target


def page(run: Run) -> str:
    """Return a run as a page that plays."""
    script = "\n".join([_static("live.js").rpartition("export default")[0], _static("player.js")])
    digest = b64encode(sha256(script.encode()).digest()).decode()
    policy = f"default-src 'none'; script-src 'sha256-{digest}'; style-src 'unsafe-inline'; img-src data:"
    title = f"{escape(brief(run.workflow))} · {escape(moment(run.started_at))}"
    # In a script element `</` would end it, wherever it stands.
    told = json.dumps(score(run), ensure_ascii=False).replace("<", "\\u003c")
    return (
        f'<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n'
        f'<meta name="viewport" content="width=device-width, initial-scale=1">\n<title>{title}</title>\n'
        f"<style>\n{_static('live.css')}\n{_static('player.css')}</style>\n</head>\n<body>\n"
        f'<script type="application/json" id="wf-run">{told}</script>\n'
        f'<script type="module">{script}</script>\n</body>\n</html>\n'
    )


def score(run: Run) -> dict[str, Any]:
    """Return what the page plays: the fields that never change, and of each moment its second and the fields that change then."""
    seconds = run.duration or 0.0
    told = run.told.changes() if run.told is not None else ()
    values = changed_values(run)
    changes = [[_second(run, at), key, op, values.get(key, "")] for at, key, op in told]
    if not changes:
        changes = [[seconds, key, op, values.get(key, "")] for key, op in run.changes.items()]
    return {
        "fields": {
            "workflow": brief(run.workflow),
            "session": session_name(shown_account(run.session_id, run.workflow)),
            "facts": used(run),
        },
        "status": run.status,
        "error": brief(run.error or ""),
        "inputs": {brief(name): brief(repr(value)) for name, value in run.inputs.items()},
        "seconds": seconds,
        "moments": _moments(run, seconds),
        "changes": changes,
    }


def _moments(run: Run, seconds: float) -> list[tuple[float, dict[str, Any]]]:
    """Return what changes on the page, and when."""
    said, layout = Said(), Layout()
    moments: list[tuple[float, dict[str, Any]]] = []
    pieces = sorted(_pieces(run, seconds), key=lambda piece: piece[0])
    step = max(seconds, *(at for at, _ in pieces), 0.0) / MOMENTS if pieces else 0.0
    for number, (at, response) in enumerate(pieces):
        for content in said(response):
            layout.add(content, lane=response.lane, agent=response.agent_id)
        due = moments[-1][0] + step if moments else 0.0
        if (at >= due or number == len(pieces) - 1) and (changes := layout.changes()):
            moments.append((round(at, 3), changes))
    layout.end()
    return [*moments, (round(max(seconds, moments[-1][0] if moments else 0.0), 3), layout.changes())]


def _pieces(run: Run, seconds: float) -> Iterator[tuple[float, RunResponse]]:
    """Yield what was said with its second; where only the order is known, evenly over the run."""
    moments = _moments_of(run)
    if not moments:
        responses = run.told.responses() if run.told is not None else ()
        for number, response in enumerate(responses):
            yield seconds * number / len(responses), response
        return
    for number, (at, response) in enumerate(moments):
        begun, text = _second(run, at), response.content
        if not isinstance(text, str):
            yield begun, response
            continue
        after = (
            then for then, other in moments[number + 1 :] if other.lane == response.lane or None in {other.lane, response.lane}
        )
        within = min(WITHIN, max(0.0, _second(run, next(after, at + timedelta(seconds=WITHIN))) - begun))
        for start in range(0, max(len(text), 1), PIECE):
            yield begun + within * start / max(len(text), 1), response.stamped({"content": text[start : start + PIECE]})


def _moments_of(run: Run) -> list[tuple[datetime, RunResponse]]:
    """Return what the store has of a run; of values and pictures it has the names, so what is in memory is put in their place."""
    if run.told is None:
        return []
    moments, said = list(run.told.moments()), run.told.responses()
    for name in ("content", "images"):
        here = [getattr(response, name) for response in said if _has(response, name)]
        there = [place for place, (_, response) in enumerate(moments) if _has(response, name)]
        if len(here) == len(there):
            for place, value in zip(there, here, strict=True):
                at, response = moments[place]
                moments[place] = at, response.stamped({name: value})
    return moments


def _has(response: RunResponse, name: str) -> bool:
    value = getattr(response, name)
    return value is not None and not isinstance(value, str)


def _second(run: Run, at: datetime) -> float:
    return max(0.0, round((at - run.started_at).total_seconds(), 3))


def _static(name: str) -> str:
    return (_STATIC / name).read_text(encoding="utf-8")
