"""What a run said and how it went, as rows for the store."""

from __future__ import annotations

import time
from collections import deque
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, NamedTuple

from .log import BESIDE, span_of
from .processes import this_process
from .readable import as_json, as_text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .events import RunResponse
    from .run import Run

Row = dict[str, Any]


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
        self.hear(time.time(), (said.event, said.agent_id, said.lane), content)

    def hear(self, moment: float, said: tuple[str, str | None, str | None], content: Any) -> None:
        """Note what happened at a moment: event, agent and lane, and what there is to it."""
        self._noted.append((moment, said, content))

    def rows(self) -> Iterator[Row]:
        """Give a row for each thing noted since the last time; successive pieces of one text in one lane are one row.

        Rows stand in the order in which a reader must take them: only what is said side by side in lanes may be told in turn.
        """
        texts: dict[str | None, _Text] = {}  # the text that each lane is saying
        for _ in range(len(self._noted)):  # what is noted meanwhile is for the next time
            moment, said, content = self._noted.popleft()
            lane = said[2]
            if span_of(content) in BESIDE:
                yield self._row(moment, said, content)
                continue
            if (lane is None) != (None in texts):  # branches begin after what the run said before, and end before it goes on
                for text in texts.values():
                    yield self._row(*text)
                texts = {}
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
            "content": as_text(text),
            "data": None if content is None or text is not None else as_json(content),
        }


class NoJournal(Journal):
    """Notes nothing: of a private run."""

    def note(self, said: RunResponse) -> None:
        """Let it pass."""

    def hear(self, moment: float, said: tuple[str, str | None, str | None], content: Any) -> None:
        """Let it pass."""


class _Pieces(list[str]):
    """The pieces of one text."""


class _Text(NamedTuple):
    moment: float
    said: tuple[str, str | None, str | None]
    pieces: _Pieces


def start_row(run: Run) -> Row:
    """Return the row that says that a run began, in which process."""
    return begun_row(run.run_id, run.workflow, run.workflow_id, run.inputs, run.started_at)


def begun_row(run_id: str, workflow: str, workflow_id: str | None, inputs: dict[str, Any], started_at: datetime) -> Row:
    """Return the same of a run that just begins."""
    here = this_process()
    return {
        "run_id": run_id,
        "phase": "start",
        "happened_at": _time(started_at),
        "workflow": workflow,
        "workflow_id": workflow_id,
        "inputs": as_json(inputs),
        "host": here.host,
        "pid": here.pid,
        "process_started_at": here.started_at,
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
        "content": as_text(run.content),
        "error": as_text(run.error),
        "models": as_json(run.models),
        "input_tokens": run.input_tokens,
        "output_tokens": run.output_tokens,
        "cost": run.cost,
        "changes": as_json(run.changes),
    }


def _time(moment: datetime) -> str:
    return moment.isoformat(" ", "microseconds")[:26]
