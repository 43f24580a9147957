"""How far a session has come in a store: by that two stores tell whether it is the same one, and what is new of it."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from uuid import NAMESPACE_URL, uuid5

from .moment import stored_moment

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from .rows import SqlTransaction

#: So many ids stand in one question.
IDS = 400


@dataclass(slots=True)
class Standing:
    """What is there of a session, row by row, by its line ("" is its own, "@…" a branch) and the number there."""

    about: dict[tuple[str, int], tuple[Any, ...]] = field(default_factory=dict)
    versions: dict[tuple[str, int], tuple[Any, ...]] = field(default_factory=dict)
    steps: dict[tuple[str, int], tuple[Any, ...]] = field(default_factory=dict)
    #: Of which session each line remembers the steps too.
    origins: dict[str, str] = field(default_factory=dict)
    #: Runs with their phases, and of each run the number of its last event.
    runs: set[tuple[str, str]] = field(default_factory=set)
    events: dict[str, int] = field(default_factory=dict)

    @property
    def is_deleted(self) -> bool:
        """Whether the session was there and was deleted."""
        newest = newest_of(self.about, "")
        return bool(newest) and self.about["", newest][0] == "deleted"

    def differs_from(self, there: Standing) -> str | None:
        """Return in what another one is not the same session, None where one of them is the beginning of the other."""
        for told, mine, theirs in (
            ("its versions are others", self.versions, there.versions),
            ("other things are said about it", self.about, there.about),
            ("it remembers other steps", self.steps, there.steps),
        ):
            if any(mine[at] != theirs[at] for at in mine.keys() & theirs.keys()) or _went_on(mine, theirs):
                return told
        return None


def newest_of(rows: Mapping[tuple[str, int], Any], suffix: str) -> int:
    """Return the newest number of a line, 0 while there is none."""
    return max((number for line, number in rows if line == suffix), default=0)


def _went_on(mine: Mapping[tuple[str, int], Any], theirs: Mapping[tuple[str, int], Any]) -> bool:
    """Say whether a line is in neither of both the beginning of what it is in the other."""
    for suffix in {line for line, _ in mine} & {line for line, _ in theirs}:
        if (suffix, newest_of(theirs, suffix)) not in mine and (suffix, newest_of(mine, suffix)) not in theirs:
            return True
    return False


def lines_of(tx: SqlTransaction, key: str) -> dict[str, str]:
    """Return the lines of a session by what follows its id: its own, its branches, and "@origin" for whose steps it remembers."""
    sql = "SELECT DISTINCT session_id FROM session_log WHERE store = ? AND session_id LIKE ? ESCAPE '!'"
    begins = re.sub("[!%_]", r"!\g<0>", key)
    found = [stored[len(key) :] for (stored,) in tx.rows(sql, (tx.store, f"{begins}@%"))]
    branches = sorted(suffix for suffix in found if not suffix.startswith("@@"))  # a doubled @ is the user's own
    lines = {"": key, **{suffix: key + suffix for suffix in branches}}
    for suffix in list(lines):
        line, seen = suffix, {lines[suffix]}
        while (origin := _origin(tx, lines[line])) is not None and origin not in seen:
            line = f"{line}@origin"
            lines[line] = origin
            seen.add(origin)
    return lines


def _origin(tx: SqlTransaction, stored: str) -> str | None:
    if not tx.has_steps:
        return None
    sql = "SELECT key FROM step_log WHERE store = ? AND session_id = ? AND op = 'origin' ORDER BY seq DESC LIMIT 1"
    found = tx.rows(sql, (tx.store, stored))
    return found[0][0] if found else None


def standing(tx: SqlTransaction, lines: Mapping[str, str], runs: Sequence[str]) -> Standing:
    """Return how far the lines of a session have come, and its runs."""
    told, of = Standing(), "WHERE store = ? AND session_id = ?"
    for suffix, stored in lines.items():
        at = (tx.store, stored)
        if not suffix.endswith("@origin"):
            for revision, op, moment in tx.rows(f"SELECT revision, op, happened_at FROM session_log {of}", at):
                told.about[suffix, revision] = (op, stored_moment(moment))
            for version, save_id in tx.rows(f"SELECT DISTINCT version, save_id FROM state_log {of}", at):
                told.versions[suffix, version] = (save_id,)
        if getattr(tx, "has_steps", False):
            for seq, op, step_id, key in tx.rows(f"SELECT seq, op, step_id, key FROM step_log {of} ORDER BY seq", at):
                told.steps[suffix, seq] = (op, step_id)
                if op == "origin":
                    told.origins[suffix] = key
    for some in groups(runs):
        told.runs |= {(run, phase) for run, phase in tx.rows(f"SELECT run_id, phase FROM run_log WHERE {among(some)}", some)}
        told.events |= dict(tx.rows(f"SELECT run_id, max(seq) FROM event_log WHERE {among(some)} GROUP BY run_id", some))
    return told


def named_there(tx: SqlTransaction, runs: Sequence[str], to: Mapping[str, str]) -> dict[str, str]:
    """Return under which id each run is to be there: its own, or a new one where the same run belongs to another session."""
    own = {run: str(uuid5(NAMESPACE_URL, f"{tx.store}/{to['']}/{run}")) for run in runs}
    whose: dict[str, set[bool]] = {}
    for some in groups([*own, *own.values()]):
        for run, store, stored in tx.rows(f"SELECT run_id, store, session_id FROM run_log WHERE {among(some)}", some):
            whose.setdefault(run, set()).add((store, stored) in {(tx.store, line) for line in to.values()})
    return {run: new if new in whose or False in whose.get(run, ()) else run for run, new in own.items()}


def among(ids: Sequence[str]) -> str:
    """Return the condition that a run is one of these."""
    return f"run_id IN ({', '.join('?' * len(ids))})"


def groups(ids: Sequence[str]) -> Iterator[list[str]]:
    """Yield ids in groups of which each stands in one question."""
    for start in range(0, len(ids), IDS):
        yield list(ids[start : start + IDS])
