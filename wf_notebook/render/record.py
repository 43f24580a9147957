"""The record of a run: what was answered, when and by which model, and what changed in the session; as HTML and as text.

It is kept in the notebook: no script, no style sheet, nothing fetched; readable where inline styles are taken out too.
"""

from __future__ import annotations

import re
import sys
from datetime import UTC, datetime
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from ..accounts import shown_account
from ..addresses import portable
from ..log import span_of
from ..readable import brief, glimpse
from ..redact import redact
from .bars import timeline_html
from .cap import capped
from .content import LIMIT, content_html, content_text
from .made import counts, is_text, original
from .said import Lane, Reasoning, Said, ToolCall
from .status import STATUS, standing
from .timeline import timeline
from .transcript import contents, settled

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from ..events import RunResponse
    from ..run import Run

#: More outputs than these are counted, not shown.
OUTPUTS = 1000
#: A record has so many characters of what was said, as HTML and once more as text: a notebook must stay openable.
MOST = 500_000

_UUID = re.compile("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")

Detail = Literal["full", "compact", "none"]


def record_bundle(
    run: Run,
    responses: Iterable[Any] = (),
    *,
    state: Mapping[str, Any] | None = None,
    detail: Detail = "full",
    whole: bool = False,
) -> dict[str, str]:
    """Return the record of a run as HTML and text: the same for a run that has just ended and for what its store has of it.

    Args:
        run: The run.
        responses: What it said, where the run itself does not tell it.
        state: Where changed values are looked up, where the run itself does not tell how they begin.
        detail: "full"; "compact" for the head and the answer alone; "none" for nothing, which is an empty bundle.
        whole: Leave nothing out, however long it is.
    """
    if detail == "none":
        return {}
    this, run = run, original(run)
    said, left_out = told(run if is_text(this) else this, responses, whole=whole)
    if detail == "compact":
        return {"text/html": _root(_head_html(run) + _blocks(said := answer(said))), "text/plain": _text(run, said, "")}
    more = record_more(run, left_out)
    limit = sys.maxsize if whole else LIMIT
    parts = [_head_html(run), _blocks(said, limit=limit), f"<p><em>{escape(more)}</em></p>" if more else ""]
    html = _root("".join([*parts, _changes(run.changes, changed_values(run, state)), _timeline(run)]))
    return {"text/html": html, "text/plain": _text(run, said, more, limit=limit, foot=record_foot(run))}


def told(run: Run, responses: Iterable[Any] = (), *, whole: bool = False) -> tuple[list[Any], int]:
    """Return what a run said, as far as there is room for it, and how many characters there are besides."""
    said = contents(run.told.responses() if run.told is not None else ()) or contents(responses)
    said = said or ([run.content] if run.content else [])
    if run.status != "running":
        said = settled(said)
    return (said, 0) if whole else capped(said, MOST)


def run_bundle(run: Run) -> dict[str, str]:
    """Return the record of a run by itself."""
    return record_bundle(run, whole=run.whole)


def answer(said: list[Any]) -> list[Any]:
    """Return what was answered, without how it came to that."""
    kept: list[Any] = []
    for content in said:
        if isinstance(content, Lane):
            within = answer(content.contents)
            kept += [content._replace(contents=within)] if within else []
        elif not isinstance(content, (ToolCall, Reasoning)):
            kept.append(content)
    return kept


def record_more(run: Run, left_out: int) -> str:
    """Return how to see what was left out."""
    if not left_out:
        return ""
    where = f"run.show() or %wf show {run.run_id[:8]} opens all of it" if run.session_id else "they are in its responses"
    return f"… cut here; {left_out:,} more characters: {where}"


def changed_values(run: Run, state: Mapping[str, Any] | None = None) -> Mapping[str, str]:
    """Return how the changed values begin."""
    for event in run.told.events() if run.told is not None else ():
        if span_of(event.data) == "state":
            values: dict[str, str] = event.data["values"]
            return values
    state = state or {}
    return {key: glimpse(state[key]) for key, op in run.changes.items() if key in state and op != "delete"}


def response_bundle(response: RunResponse) -> dict[str, str]:
    """Return one response as HTML and text."""
    said = Said()(response)
    if not said:
        return {"text/plain": repr(response)}
    return {"text/html": _root(_blocks(said)), "text/plain": "\n\n".join(map(content_text, said))}


def responses_bundle(responses: Iterable[Any]) -> dict[str, str]:
    """Return several outputs of one run as HTML and text."""
    said = contents([list(responses)])
    return {"text/html": _root(_blocks(said)), "text/plain": "\n\n".join(map(content_text, said[:OUTPUTS]))}


def printed_bundle(responses: Iterable[Any], *, markdown: bool, head: str = "") -> dict[str, str]:
    """Return what `pprint_run_response` leaves in a notebook: a box with what was said."""
    said = contents(responses)
    html = (f"<p><em>{escape(head)}</em></p>" if head else "") + _blocks(said, markdown=markdown)
    box = "border: 1px solid var(--jp-border-color1, #999); border-radius: 4px; padding: 4px 12px"
    return {"text/html": _root(html, box), "text/plain": "\n\n".join(map(content_text, said))}


def record_metadata(run: Run, folder: Path | None = None) -> dict[str, Any]:
    """Return what belongs to this run and not to its answer; it lies under `wf_notebook` in the output's metadata.

    The store is named as it is seen from the folder of the notebook, by default the working directory.
    """
    url = run.told.url if run.told is not None else None
    return {
        "workflow": run.workflow,
        "run_id": run.run_id,
        "session_id": run.session_id,
        **({} if url is None else {"storage": portable(url, folder or Path())}),
        "status": run.status,
        "started_at": run.started_at.isoformat(),
        "duration": run.duration,
        **counts(run),
    }


def taken(metadata: Mapping[str, Any]) -> str:
    """Return how the head of a record says when its run was and how long it took, of which its metadata tells, too.

    >>> taken({"started_at": "2026-01-02T03:04:05.678+00:00", "duration": 1.04})
    '1.0 s · 2026-01-02 03:04:05 UTC'
    >>> taken({"now": "2 from the store · 1.0 s"}), taken({"of": "somebody else"})
    ('2 from the store · 1.0 s', '')
    """
    if isinstance(now := metadata.get("now"), str):  # of a sweep
        return now
    try:
        began = moment(datetime.fromisoformat(metadata["started_at"]))
        return began if metadata.get("duration") is None else f"{metadata['duration']:.1f} s · {began}"
    except (LookupError, TypeError, ValueError):
        return ""


def moment(at: datetime) -> str:
    """Return a point in time as people read it: in UTC, as a record is the same wherever it is shown."""
    return at.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def used(run: Run, seconds: float | None = None) -> list[str]:
    """Return what a run used so far: models, tokens, cost; with the seconds that it has run, tokens by the second too."""
    tokens = run.input_tokens + run.output_tokens
    return [
        *([", ".join(run.models)] if run.models else []),
        *([f"{tokens:,} tokens"] if tokens else []),
        *([f"{run.output_tokens / seconds:.0f} tokens/s"] if seconds and run.output_tokens >= seconds else []),
        *([f"${run.cost:.4f}"] if run.cost else []),
    ]


def _facts(run: Run) -> list[str]:
    """Return what the head of a record says after workflow, session and status."""
    return [
        *used(run),
        *([f"{run.duration:.1f} s"] if run.duration is not None else []),
        moment(run.started_at),
    ]


def _root(inside: str, style: str = "") -> str:
    """Return what is shown as one piece; formulas stay as they are written, as a typeset one may hold links of its own."""
    styled = f' style="{style}"' if style else ""
    return f'<div class="wf-record mathjax_ignore tex2jax_ignore"{styled}>{inside}</div>'


def _head_html(run: Run) -> str:
    status = f'<span style="color: {STATUS[run.status][1]}">{escape(standing(run.status, run.error))}</span>'
    facts = [escape(redact(fact)) for fact in _facts(run)]
    head = " · ".join([f"<strong>{escape(brief(run.workflow))}</strong>", *map(escape, _session(run)), status, *facts])
    return (
        '<p style="color: var(--jp-ui-font-color2, #666); font-size: 90%; '
        f'border-bottom: 1px solid var(--jp-border-color2, #ccc); padding-bottom: 4px">{head}</p>'
    )


def _blocks(said: list[Any], *, markdown: bool = True, limit: int = LIMIT) -> str:
    more = f"<p>… {len(said) - OUTPUTS:,} more outputs</p>" if len(said) > OUTPUTS else ""
    return "".join(content_html(content, markdown=markdown, limit=limit) for content in said[:OUTPUTS]) + more


def _changes(changes: Mapping[str, str], values: Mapping[str, str]) -> str:
    """Return what the run changed in the state, folded."""
    if not changes:
        return ""
    rows = [
        f"<tr><th>{escape(brief(key))}</th><td>{escape(operation)}</td><td>{escape(brief(str(values.get(key, ''))))}</td></tr>"
        for key, operation in changes.items()
    ]
    noun = "change" if len(rows) == 1 else "changes"
    return f"<details><summary>session_state: {len(rows)} {noun}</summary><table>{''.join(rows)}</table></details>"


def _timeline(run: Run) -> str:
    """Return what was done when, folded."""
    bars = timeline(run)
    return f"<details><summary>timeline: {escape(bars.summary)}</summary>{timeline_html(bars)}</details>" if bars else ""


def _text(run: Run, said: list[Any], more: str, *, limit: int = LIMIT, foot: str = "") -> str:
    parts = [record_head(run), *(content_text(content, limit=limit) for content in said[:OUTPUTS]), more, foot]
    return "\n\n".join(part.strip("\n") for part in parts if part)


def record_head(run: Run) -> str:
    """Return the first line of a record: what ran, how it ended, what it took."""
    status = standing(run.status, run.error)
    return " · ".join([brief(run.workflow), *_session(run), status, *map(redact, _facts(run))])


def _session(run: Run) -> list[str]:
    """Return what the head says of the session: a stream of no workflow has none."""
    return [f"session {session_name(shown_account(run.session_id, run.workflow))}"] if run.session_id else []


def session_name(session_id: str) -> str:
    """Return a session's id in one line; of one that nobody named, which is a UUID, the beginning.

    >>> session_name("demo"), session_name("67f312f4-29fd-44e7-a127-c7b2c5b0c7ed")
    ('demo', '67f312f4…')
    """
    return f"{session_id[:8]}…" if _UUID.fullmatch(session_id) else brief(session_id)


def record_foot(run: Run) -> str:
    """Return the last line of a record: what changed in the state, if anything did."""
    changes = ", ".join(f"{brief(key)} ({operation})" for key, operation in run.changes.items())
    return f"session_state: {changes}" if changes else ""
