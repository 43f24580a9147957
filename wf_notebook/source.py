"""The source of a workflow, kept with its session: once, and again when it has changed."""

from __future__ import annotations

import json
import os
from dataclasses import asdict
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from .keying.program import Program, program
from .keying.remembered import Remembered
from .processes import this_process
from .redact import redact

if TYPE_CHECKING:
    from .run import RunContext
    from .session import Session

_known: Remembered[tuple[str, str]] = Remembered()


def source_rows(run: RunContext, name: str, session: Session, at: str) -> list[dict[str, Any]]:
    """Return the row that keeps the source of a workflow, if that is not what this process said of it last in this session."""
    text, digest = ("", "") if run.private else _told(type(run.workflow))
    if not text or (sources := session.sources).get((os.getpid(), name)) == digest:
        return []
    sources[os.getpid(), name] = digest
    said = {"op": "source", "kind": "workflow", "name": name, "key": digest, "place": process(*this_process()), "parts": text}
    return [{**said, "run_id": run.run_id, "happened_at": at}]


def _told(cls: type) -> tuple[str, str]:
    """Return the source of a class as it is kept, and what it is known by; empty where none is found."""
    known = _known.get(cls)
    if known is None:
        made = program(cls)
        text = redact(json.dumps(asdict(made), ensure_ascii=False).encode("utf-8", "replace").decode()) if made else ""
        known = _known.put(cls, (text, sha256(text.encode()).hexdigest()[:32]))
    return known


def process(host: str, pid: int, started_at: str | None) -> str:
    """Return what tells a process from all others."""
    return f"{host}:{pid}:{started_at}"


def kept_source(text: str) -> Program:
    """Return a source as it was kept.

    >>> kept_source('{"name": "Blog", "body": "class Blog: ...", "before": "", "is_cell": false, "missing": []}').body
    'class Blog: ...'
    """
    told = json.loads(text)
    return Program(**{**told, "missing": tuple(told["missing"])})
