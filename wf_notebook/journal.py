"""What a run said and how it went, as rows for the store."""

from __future__ import annotations

import json
import math
import os
import socket
import time
from collections import deque
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, NamedTuple

from .encoding import redacted
from .redact import redact
from .run import process_started_at

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .events import RunResponse
    from .run import Run

Row = dict[str, Any]

#: Lists and dicts inside each other that are shown one by one; what lies deeper is shown by its repr.
_DEEPEST = 10
#: Bits of a number that is shown: Python does not make text of many more.
_LONGEST = 10_000


class Journal:
    """Notes what is said as it is said, and gives it as rows when it is saved; noting costs next to nothing.

    >>> from wf_notebook.events import RunResponse
    >>> journal = Journal("run-1")
    >>> for piece in ("Hello, ", "Ada"): journal.note(RunResponse(piece))
    >>> [(row["seq"], row["event"], row["content"]) for row in journal.rows()]
    [(1, 'RunResponse', 'Hello, Ada')]
    """

    def __init__(self, run_id: str) -> None:
        self._run_id = run_id
        self._noted: deque[tuple[float, tuple[str, str | None, str | None], Any]] = deque()
        self._seq = 0

    def note(self, said: RunResponse) -> None:
        """Note one response."""
        content = said.content
        if content is None:
            content = said.extra_data if said.tools is None else said.tools
        self._noted.append((time.time(), (said.event, said.agent_id, said.lane), content))

    def rows(self) -> Iterator[Row]:
        """Give a row for each thing noted since the last time; successive pieces of one text in one lane are one row."""
        texts: dict[str | None, _Text] = {}  # the text that each lane is saying
        for _ in range(len(self._noted)):  # what is noted meanwhile is for the next time
            moment, said, content = self._noted.popleft()
            lane = said[2]
            if lane in texts and (not isinstance(content, str) or texts[lane].said != said):
                yield self._row(*texts.pop(lane))
            if not isinstance(content, str):
                yield self._row(moment, said, content)
            elif lane in texts:
                texts[lane].pieces.append(content)
            else:
                texts[lane] = _Text(moment, said, _Pieces([content]))
        for text in texts.values():
            yield self._row(*text)

    def _row(self, moment: float, said: tuple[str, str | None, str | None], content: Any) -> Row:
        event, agent, lane = said
        self._seq += 1
        text = "".join(content) if isinstance(content, _Pieces) else None
        return {
            "run_id": self._run_id,
            "seq": self._seq,
            "happened_at": _time(datetime.fromtimestamp(moment, UTC)),
            "event": str(getattr(event, "value", event)),
            "agent": agent,
            "lane": lane,
            "content": _text(text),
            "data": None if content is None or text is not None else _json(content),
        }


class NoJournal(Journal):
    """Notes nothing: of a private run."""

    def note(self, said: RunResponse) -> None:
        """Let it pass."""


class _Pieces(list[str]):
    """The pieces of one text."""


class _Text(NamedTuple):
    moment: float
    said: tuple[str, str | None, str | None]
    pieces: _Pieces


def start_row(run: Run) -> Row:
    """Return the row that says that a run began, in which process."""
    return {
        "run_id": run.run_id,
        "phase": "start",
        "happened_at": _time(run.started_at),
        "workflow": run.workflow,
        "workflow_id": run.workflow_id,
        "inputs": _json(run.inputs),
        "host": socket.gethostname(),
        "pid": os.getpid(),
        "process_started_at": process_started_at(os.getpid()),
    }


def end_row(run: Run, start: Row | None = None) -> Row:
    """Return the row that says how a run ended, after all that its first row said: nobody has to put the two together."""
    start = start or start_row(run)
    return start | {
        "phase": "end",
        "happened_at": _time(run.ended_at or datetime.now(UTC)),
        "started_at": start["happened_at"],
        "status": run.status,
        "duration": run.duration,
        "content": _text(run.content),
        "error": _text(run.error),
        "models": _json(run.models),
        "input_tokens": run.input_tokens,
        "output_tokens": run.output_tokens,
        "cost": run.cost,
        "changes": _json(run.changes),
    }


def _time(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%d %H:%M:%S.%f")


def _text(text: str | None) -> str | None:
    """Return text without secrets that can be written as UTF-8: half of a surrogate pair becomes a question mark."""
    return None if text is None else redact(text.encode("utf-8", "replace").decode())


def _json(value: Any) -> str | None:
    """Return a value as JSON; what JSON does not have is shown by its repr, as a record is read and never loaded."""
    try:
        text = json.dumps(value, default=_shown, ensure_ascii=False, allow_nan=False)
    except Exception:  # noqa: BLE001 - the user's own __repr__ and model_dump are called here, and a record fails no run
        text = json.dumps(_reprs(value, 0), ensure_ascii=False)
    text = text.encode("utf-8", "replace").decode()
    return text if redact(text) == text else json.dumps(redacted(json.loads(text)), ensure_ascii=False)


def _shown(value: Any) -> Any:
    return value.model_dump(mode="json") if hasattr(value, "model_dump") else _repr(value)


def _reprs(value: Any, depth: int) -> Any:
    """Return a value in which all that JSON does not have is shown by its repr."""
    if value is None or type(value) in {bool, str} or (type(value) is float and math.isfinite(value)):
        return value
    if type(value) is int and value.bit_length() <= _LONGEST:
        return value
    if depth < _DEEPEST and isinstance(value, dict):
        return {str(key) if type(key) in {str, int} else _repr(key): _reprs(item, depth + 1) for key, item in value.items()}
    if depth < _DEEPEST and isinstance(value, (list, tuple)):
        return [_reprs(item, depth + 1) for item in value]
    return _repr(value)


def _repr(value: Any) -> str:
    try:
        return repr(value)
    except Exception:  # noqa: BLE001 - the user's
        return f"<{type(value).__name__}>"
