"""The rows of steps that were done, read and appended inside one transaction."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

from ..codec.blobs import digest
from ..codec.kind import LARGE
from .finished import Finished, finished
from .moment import now
from .schema import STEP_TABLES

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

_COLUMNS = tuple(STEP_TABLES["step_log"])
#: What is told of each row; `result` and `parts` are fetched apart, as they may be large.
_TOLD = ("seq", "op", "happened_at", "step_id", "name", "kind", "nth", "key", "place", "run_id", "seconds", "input_tokens",
         "output_tokens", "cost")  # fmt: skip
_OF = "store = ? AND session_id = ?"
#: What is large lies beside the rows, once for all of equal content.
_BESIDE = {"result": "blob", "parts": "parts_blob"}


@lru_cache(maxsize=4)
def _source_digest(text: str) -> str:
    """Return the digest of a source: each row of a sweep has the same."""
    return digest("json", [text.encode()])


class StepRows:
    """The part of a transaction that deals with steps."""

    store: str
    #: Whether the tables of this release are there: a database of an earlier one that was only read has none for steps.
    has_steps: bool
    before: int | None
    after: int | None
    #: Of store and session the newest row, and after which number that was seen: asking for it takes as long as writing one.
    newest_steps: dict[tuple[str, str], tuple[int, int]]

    def hold(self, session_id: str) -> None:
        """Let nobody else save a session until this transaction ends, where others could meanwhile."""

    def hold_all(self) -> None:
        """Let nobody else save anything until this transaction ends."""

    def rows(self, sql: str, parameters: Sequence[Any]) -> list[tuple[Any, ...]]:
        """Return what a query gives."""
        raise NotImplementedError

    def _keep(self, beside: Mapping[str, tuple[int, str | None, bytes | None]]) -> None:
        raise NotImplementedError

    def _insert(self, table: str, columns: Sequence[str], rows: Sequence[tuple[Any, ...]]) -> None:
        raise NotImplementedError

    def steps(self, session_id: str, *, after: int = 0, within: int = 0) -> list[dict[str, Any]]:
        """Return the rows of a session after one of them, in order; results of the newest, within so many characters."""
        if not self.has_steps:
            return []
        of, at = "store = ? AND session_id = ? AND seq > ?", (self.store, session_id, after)
        size = "coalesce(length(CAST(result AS VARCHAR)), 0)"
        told = self.rows(f"SELECT {', '.join(_TOLD)}, {size} FROM step_log WHERE {of} ORDER BY seq", at)
        since, left = (told[-1][0] + 1 if told else 0), within
        for *row, length in reversed(told):
            left -= length
            if left < 0:
                break
            since = row[0]
        results = dict(
            self.rows(f"SELECT seq, CAST(result AS VARCHAR) FROM step_log WHERE {of} AND seq >= ? AND blob IS NULL", (*at, since))
            if told
            else []
        )
        return [dict(zip(_TOLD, row, strict=False)) | {"result": results.get(row[0])} for row in told]

    def step_at(self, session_id: str, seq: int) -> str | None:
        """Return the id of the step that a row of a session is of, None if there is no such row, or it is of none."""
        sql = "SELECT step_id FROM step_log WHERE store = ? AND session_id = ? AND seq = ?"
        found = self.rows(sql, (self.store, session_id, seq)) if seq and self.has_steps else []
        return found[0][0] if found else None

    def step_texts(self, step_ids: Iterable[str], column: str) -> dict[str, str]:
        """Return what steps gave ("result"), or what they were keyed by ("parts"), as JSON text by the id of the step."""
        wanted = list(step_ids)
        if not wanted or not self.has_steps:
            return {}
        marks = ", ".join("?" * len(wanted))
        found = self.rows(
            f"SELECT s.step_id, coalesce(b.text, CAST(s.{column} AS VARCHAR)) FROM step_log s"
            f" LEFT JOIN blob b ON b.hash = s.{_BESIDE[column]} WHERE s.op = 'done' AND s.step_id IN ({marks})",
            wanted,
        )
        return {step_id: text for step_id, text in found if text is not None}

    def sources(self, session_id: str) -> list[tuple[Any, ...]]:
        """Return what was said of the sources of workflows, in order: name, key, place, happened_at, and the source as JSON."""
        if not self.has_steps:
            return []
        return self.rows(
            "SELECT name, key, place, happened_at, coalesce(b.text, CAST(parts AS VARCHAR)) FROM step_log"
            f" LEFT JOIN blob b ON b.hash = parts_blob WHERE {_OF} AND op = 'source' ORDER BY seq",
            (self.store, session_id),
        )

    def has_step(self, step_id: str) -> bool:
        """Return whether a row of that step is in the store."""
        return self.has_steps and bool(self.rows("SELECT 1 FROM step_log WHERE step_id = ? LIMIT 1", (step_id,)))

    def finished(self, session_id: str, kind: str) -> list[Finished]:
        """Return what was finished of that kind in a session, oldest first."""
        return finished(self.rows, self.store, [session_id], kind, has_steps=self.has_steps).get(session_id, [])

    def step_sizes(self, session_id: str) -> list[tuple[str, int]]:
        """Return the steps of a session in the order in which they were done, and how many characters what each gave has."""
        size = "coalesce(b.size, length(CAST(s.result AS VARCHAR)), 0)"
        joined = "step_log s LEFT JOIN blob b ON b.hash = s.blob"
        sql = f"SELECT s.step_id, {size} FROM {joined} WHERE {_OF} AND op = 'done' ORDER BY seq"
        return [(step_id, size) for step_id, size in self.rows(sql, (self.store, session_id))] if self.has_steps else []

    def erase_steps(self, session_id: str, step_ids: Sequence[str]) -> None:
        """Erase steps for good."""
        for start in range(0, len(step_ids), 500):
            some = step_ids[start : start + 500]
            marks = ", ".join("?" * len(some))
            self.rows(
                f"DELETE FROM step_log WHERE store = ? AND session_id = ? AND step_id IN ({marks})",
                (self.store, session_id, *some),
            )

    def say_of_steps(self, session_id: str, op: str) -> None:
        """Say of all steps of a session, if it has any, that they were "deleted" with it, or "restored"."""
        if self.rows("SELECT 1 FROM step_log WHERE store = ? AND session_id = ? LIMIT 1", (self.store, session_id)):
            self.append_steps(session_id, [{"op": op, "happened_at": now()}])

    def append_steps(self, session_id: str, steps: Sequence[Mapping[str, Any]]) -> None:
        """Append rows; what is large, and arrays and frames, lie beside them."""
        if not steps:
            return
        last = self._newest_step(session_id)
        beside: dict[str, tuple[int, str | None, bytes | None]] = {}
        rows = []
        for number, step in enumerate(steps, start=last + 1):
            row = {**step, "store": self.store, "session_id": session_id, "seq": number}
            for column, where in _BESIDE.items():
                text = row.get(column)
                if text is not None and (len(text) > LARGE or row["op"] == "source"):
                    row[where] = _source_digest(text) if row["op"] == "source" else digest("json", [text.encode()])
                    beside[row[where]] = (len(text), text, None)
                    row[column] = None
            if blobs := step.get("blobs"):
                beside |= {name: (len(content), None, content) for name, content in blobs.items()}
            rows.append(tuple(map(row.get, _COLUMNS)))
        self._keep(beside)
        self._insert("step_log", _COLUMNS, rows)
        self.note_steps(session_id, last + len(rows))

    def note_steps(self, session_id: str, newest: int) -> None:
        """Remember the number of the newest row."""
        if self.after is not None:
            self.newest_steps[self.store, session_id] = self.after, newest

    def _newest_step(self, session_id: str) -> int:
        """Return the number of the newest row; known where nobody wrote since it was seen."""
        seen, newest = self.newest_steps.get((self.store, session_id), (None, 0))
        if seen is not None and seen == self.before:
            return newest
        sql = "SELECT coalesce(max(seq), 0) FROM step_log WHERE store = ? AND session_id = ?"
        found: int = self.rows(sql, (self.store, session_id))[0][0]
        return found
