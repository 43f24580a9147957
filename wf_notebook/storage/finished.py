"""Which of many sessions are in a store, and what was finished in each: asked for all of them at once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    Read = Callable[[str, Sequence[Any]], list[tuple[Any, ...]]]

#: So many sessions are asked for at once.
AT_ONCE = 500


class Finished(NamedTuple):
    """Something that was finished in a session: under which key, in which run, what it gave, as JSON text, and when it began."""

    key: str
    run_id: str
    result: str | None
    began_at: Any
    seconds: float | None
    input_tokens: int
    output_tokens: int
    cost: float | None


def finished(read: Read, store: str, session_ids: Sequence[str], kind: str, *, has_steps: bool) -> dict[str, list[Finished]]:
    """Return of each session that is or was in the store what was finished of that kind, by its stored id; oldest first."""
    found: dict[str, list[Finished]] = {}
    for start in range(0, len(session_ids), AT_ONCE):
        some = session_ids[start : start + AT_ONCE]
        marks = ", ".join("?" * len(some))
        there = read(f"SELECT DISTINCT session_id FROM session_log WHERE store = ? AND session_id IN ({marks})", [store, *some])
        found |= {key: [] for (key,) in there}
        if not (there and has_steps):  # of an earlier release, a database that was only read has none
            continue
        said = read(
            "SELECT s.session_id, s.op, s.step_id, s.key, s.run_id, coalesce(b.text, CAST(s.result AS VARCHAR)), s.happened_at,"
            " s.seconds, s.input_tokens, s.output_tokens, s.cost FROM step_log s LEFT JOIN blob b ON b.hash = s.blob"
            f" WHERE s.store = ? AND s.session_id IN ({marks}) AND (s.kind = ? OR s.op IN ('forgotten', 'deleted', 'restored'))"
            " ORDER BY s.session_id, s.seq",
            [store, *some, kind],
        )
        _follow(found, said)
    return found


def _follow(found: dict[str, list[Finished]], said: Sequence[tuple[Any, ...]]) -> None:
    """Note what was done, and what was said of it since."""
    hidden: dict[str, list[Finished]] = {}
    for session_id, op, step_id, *done in said:
        if op == "done":
            found[session_id].append(Finished(*done))
        elif op == "forgotten":
            found[session_id] = [one for one in found[session_id] if one.run_id != step_id]
        elif op == "deleted":
            hidden[session_id], found[session_id] = found[session_id], []
        elif op == "restored":
            found[session_id] = hidden.get(session_id, []) + found[session_id]
