"""A session as JSON for other programs; docs/export.md says what is in it."""

from __future__ import annotations

import json
from base64 import b64encode
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from ..changes import replay
from ..codec import hashes
from ..readable import readable
from ..redact import redact

if TYPE_CHECKING:
    from ..events import RunResponse
    from ..transaction import Transaction
    from .report import Report

#: The version of the form; what is added to it does not change it.
VERSION = 1
_SAID = ("event", "agent_id", "lane", "content", "tools", "images", "extra_data")


def document(told: Report) -> str:
    """Return a session as the text of a JSON file: all of its runs, its versions, and its state as the store has it."""
    session, storage = told.session, told.storage
    head: Any = storage.transact(lambda tx: tx.head(session.stored_as, 0), write=False)
    state, blobs = storage.transact(lambda tx: _state(tx, session.stored_as, head.hidden), write=False)
    about = head.about
    tree = {
        "schema": "wf_notebook.session",
        "version": VERSION,
        "session": {
            "session_id": told.session_id,
            "session_name": about.session_name,
            "workflow": about.workflow,
            "workflow_id": about.workflow_id,
            "user_id": about.user_id,
            "extra_data": None if about.extra_data is None else json.loads(about.extra_data),
            "storage": told.address,
        },
        "workflows": [
            {"name": each.name, "source": None if each.program is None else asdict(each.program)} for each in told.workflows
        ],
        "versions": [
            {"version": v.version, "saved_at": v.saved_at.isoformat(), "run_id": v.run_id, "changes": readable(dict(v.changes))}
            for v in session.versions()
        ],
        "state": state,
        "blobs": {name: b64encode(content).decode() for name, content in sorted(blobs.items())},
        "runs": [_run(run_id, told) for run_id in told.run_ids],
    }
    return redact(json.dumps(tree, ensure_ascii=False, indent=1)) + "\n"


def _state(tx: Transaction, key: str, hidden: int) -> tuple[dict[str, Any], dict[str, bytes]]:
    """Return each key of the state with its value as it is written, and the arrays and frames in them."""
    kept = replay({}, tx.changes(key, after=hidden))
    needed = set().union(*(hashes(one.tree) for one in kept.values() if one.may_have_blobs))
    return {name: json.loads(one.text) for name, one in kept.items()}, tx.blobs(needed)


def _run(run_id: str, told: Report) -> dict[str, Any]:
    run = told.storage.run(run_id)
    return {
        "run_id": run.run_id,
        "workflow": run.workflow,
        "workflow_id": run.workflow_id,
        "status": run.status,
        "inputs": run.inputs,
        "started_at": run.started_at.isoformat(),
        "ended_at": None if run.ended_at is None else run.ended_at.isoformat(),
        "duration": run.duration,
        "content": run.content,
        "error": run.error,
        "models": list(run.models),
        "input_tokens": run.input_tokens,
        "output_tokens": run.output_tokens,
        "cost": run.cost,
        "changes": run.changes,
        "responses": [_response(each) for each in (run.told.responses() if run.told is not None else ())],
    }


def _response(said: RunResponse) -> dict[str, Any]:
    fields = {name: getattr(said, name) for name in _SAID}
    return {name.removesuffix("_id"): readable(value) for name, value in fields.items() if value is not None}
