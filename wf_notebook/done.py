"""A step that was done: under which key, when and where, and what it took; and the row that says so."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class Done:
    """A step that was done: under which key, when and where, and what it took.

    `place` says which of equal steps of a run it was, and in which branch; `nth`, which of those of its name. Seconds, tokens as
    counts, cost in US dollars.
    """

    step_id: str
    name: str
    kind: str
    key: str
    place: str
    made_at: datetime
    run_id: str | None = None
    nth: int = 1
    seconds: float = 0.0
    input_tokens: int = 0
    output_tokens: int = 0
    cost: float | None = None

    def row(self) -> dict[str, Any]:
        """Return it as it is stored."""
        told = {name: getattr(self, name) for name in self.__slots__ if name != "made_at"}
        return {**told, "op": "done", "happened_at": stored(self.made_at)}

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> Done:
        """Return what a row says."""
        made_at = row["happened_at"]
        if isinstance(made_at, str):
            made_at = datetime.fromisoformat(made_at)
        told = {name: row[name] for name in cls.__slots__ if name != "made_at"}
        counts = {name: told[name] or 0 for name in ("seconds", "input_tokens", "output_tokens", "nth")}
        return cls(**(told | counts), made_at=made_at.replace(tzinfo=UTC))


def from_origin(key: str) -> dict[str, Any]:
    """Return the row that says that a session remembers the steps of another one too, by the id that it is stored under."""
    return {"op": "origin", "key": key, "happened_at": stored(datetime.now(UTC))}


def stored(moment: datetime) -> str:
    """Return a moment as it is stored."""
    return moment.isoformat(" ", "microseconds")[:26]
