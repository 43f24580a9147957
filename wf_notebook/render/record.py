"""The record of a run: what was answered, when and by which model, and what changed in the session; as HTML and as text.

It is kept in the notebook: no script, no style sheet, nothing fetched; readable where inline styles are taken out too.
"""

from __future__ import annotations

from html import escape
from reprlib import Repr
from typing import TYPE_CHECKING, Any

from ..redact import redact
from ..tabular import described
from .content import content_html, content_text
from .said import Said, contents
from .status import BRIEF, STATUS, brief, standing

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

    from ..events import RunResponse
    from ..run import Run

#: More outputs than these are counted, not shown.
OUTPUTS = 1000


class _Preview(Repr):
    """Shows the beginning of a value, however large it is."""

    def __init__(self) -> None:
        super().__init__()
        self.maxstring = self.maxother = 2 * BRIEF
        self.maxlist = self.maxdict = self.maxtuple = 10

    def repr_str(self, x: str, level: int) -> str:
        """Return the beginning of a text; redacted before it is cut, as half of a secret is not recognised."""
        return super().repr_str(redact(x[: 20 * BRIEF])[:BRIEF], level)

    def repr_instance(self, x: Any, level: int) -> str:
        """Return what a frame or an array is, and anything else as it prints."""
        return described(x) or super().repr_instance(x, level)


def record_bundle(run: Run, responses: Iterable[Any] = (), *, state: Mapping[str, Any] | None = None) -> dict[str, str]:
    """Return the record of a run as HTML and text.

    `responses` are what it said (without them, the text that the run keeps), `state` is where the changed values are looked up.
    """
    said = contents(responses) or ([run.content] if run.content else [])
    return {"text/html": _html(run, said, state or {}), "text/plain": _text(run, said)}


def run_bundle(run: Run) -> dict[str, str]:
    """Return the record of a run by itself."""
    return record_bundle(run)


def response_bundle(response: RunResponse) -> dict[str, str]:
    """Return one response as HTML and text."""
    content = Said()(response)
    if content is None:
        return {"text/plain": repr(response)}
    return {"text/html": content_html(content), "text/plain": content_text(content)}


def responses_bundle(responses: Iterable[Any]) -> dict[str, str]:
    """Return several outputs of one run as HTML and text."""
    said = contents([list(responses)])
    return {"text/html": _blocks(said), "text/plain": "\n\n".join(map(content_text, said[:OUTPUTS]))}


def printed_bundle(responses: Iterable[Any], *, markdown: bool, head: str = "") -> dict[str, str]:
    """Return what `pprint_run_response` leaves in a notebook: a box with what was said."""
    said = contents(responses)
    html = (f"<p><em>{escape(head)}</em></p>" if head else "") + _blocks(said, markdown=markdown)
    box = "border: 1px solid var(--jp-border-color1, #999); border-radius: 4px; padding: 4px 12px"
    return {"text/html": f'<div class="wf-record" style="{box}">{html}</div>', "text/plain": "\n\n".join(map(content_text, said))}


def record_metadata(run: Run) -> dict[str, Any]:
    """Return what belongs to this run and not to its answer; it lies under `wf_notebook` in the output's metadata."""
    return {
        "workflow": run.workflow,
        "run_id": run.run_id,
        "session_id": run.session_id,
        "status": run.status,
        "started_at": run.started_at.isoformat(),
        "duration": run.duration,
    }


def moment(at: datetime) -> str:
    """Return a point in time as people read it, with its zone."""
    return at.astimezone().strftime("%Y-%m-%d %H:%M:%S %Z")


def used(run: Run, seconds: float | None = None) -> list[str]:
    """Return what a run used so far: models, tokens, cost; with the seconds that it has run, tokens by the second too."""
    tokens = run.input_tokens + run.output_tokens
    return [
        *([", ".join(run.models)] if run.models else []),
        *([f"{tokens:,} tokens"] if tokens else []),
        *([f"{run.output_tokens / seconds:.0f} tokens/s"] if seconds and run.output_tokens else []),
        *([f"${run.cost:.4f}"] if run.cost else []),
    ]


def _facts(run: Run) -> list[str]:
    """Return what the head of a record says after workflow, session and status."""
    return [
        *used(run),
        *([f"{run.duration:.1f} s"] if run.duration is not None else []),
        moment(run.started_at),
    ]


def _html(run: Run, said: list[Any], state: Mapping[str, Any]) -> str:
    status = f'<span style="color: {STATUS[run.status][1]}">{escape(standing(run.status, run.error))}</span>'
    facts = [escape(redact(fact)) for fact in _facts(run)]
    head = " · ".join([f"<strong>{escape(brief(run.workflow))}</strong>", *map(escape, _session(run)), status, *facts])
    return (
        '<div class="wf-record"><p style="color: var(--jp-ui-font-color2, #666); font-size: 90%; '
        'border-bottom: 1px solid var(--jp-border-color2, #ccc); padding-bottom: 4px">'
        f"{head}</p>{_blocks(said)}{_changes(run.changes, state)}</div>"
    )


def _blocks(said: list[Any], *, markdown: bool = True) -> str:
    more = f"<p>… {len(said) - OUTPUTS:,} more outputs</p>" if len(said) > OUTPUTS else ""
    return "".join(content_html(content, markdown=markdown) for content in said[:OUTPUTS]) + more


def _changes(changes: Mapping[str, str], state: Mapping[str, Any]) -> str:
    """Return what the run changed in the state, folded."""
    if not changes:
        return ""
    rows = []
    for key, operation in changes.items():
        value = escape(brief(_Preview().repr(state[key]))) if key in state and operation != "delete" else ""
        rows.append(f"<tr><th>{escape(brief(key))}</th><td>{escape(operation)}</td><td>{value}</td></tr>")
    noun = "change" if len(rows) == 1 else "changes"
    return f"<details><summary>session_state: {len(rows)} {noun}</summary><table>{''.join(rows)}</table></details>"


def _text(run: Run, said: list[Any]) -> str:
    parts = [record_head(run), *map(content_text, said[:OUTPUTS]), record_foot(run)]
    return "\n\n".join(part.strip("\n") for part in parts if part)


def record_head(run: Run) -> str:
    """Return the first line of a record: what ran, how it ended, what it took."""
    status = standing(run.status, run.error)
    return " · ".join([brief(run.workflow), *_session(run), status, *map(redact, _facts(run))])


def _session(run: Run) -> list[str]:
    """Return what the head says of the session: a stream of no workflow has none."""
    return [f"session {brief(run.session_id)}"] if run.session_id else []


def record_foot(run: Run) -> str:
    """Return the last line of a record: what changed in the state, if anything did."""
    changes = ", ".join(f"{brief(key)} ({operation})" for key, operation in run.changes.items())
    return f"session_state: {changes}" if changes else ""
