"""How far a session has come in a store: by that two stores tell whether it is the same one, and what is new of it."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from os.path import commonprefix
from typing import TYPE_CHECKING, Any
from uuid import NAMESPACE_URL, uuid5

from ..owners import line_of
from ..transaction import is_branch
from .moment import stored_moment

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from .no_rows import NoRows
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


@dataclass(frozen=True, slots=True)
class Trip:
    """What is to be carried of one session: its lines here and there, by what follows its id, how far it is in both stores."""

    lines: Mapping[str, str]
    to: Mapping[str, str]
    here: Standing
    there: Standing

    @property
    def own(self) -> dict[str, str]:
        """The lines but for those of which only the steps are carried."""
        return {suffix: stored for suffix, stored in self.lines.items() if not suffix.endswith("@origin")}

    def has_events(self, run: str, named: str) -> bool:
        """Whether a run, that is named so there, said something that is not there."""
        return self.here.events.get(run, -1) > self.there.events.get(named, -1)


def newest_of(rows: Mapping[tuple[str, int], Any], suffix: str) -> int:
    """Return the newest number of a line, 0 while there is none."""
    return max((number for line, number in rows if line == suffix), default=0)


def _went_on(mine: Mapping[tuple[str, int], Any], theirs: Mapping[tuple[str, int], Any]) -> bool:
    """Say whether a line is in neither of both the beginning of what it is in the other."""
    for suffix in {line for line, _ in mine} & {line for line, _ in theirs}:
        if (suffix, newest_of(theirs, suffix)) not in mine and (suffix, newest_of(mine, suffix)) not in theirs:
            return True
    return False


def lines_of(tx: SqlTransaction, keys: Sequence[str]) -> dict[str, dict[str, str]]:
    """Return the lines of each session by what follows its id: its own, its branches, "@origin" for whose steps it remembers."""
    lines = {key: {"": key} for key in keys}
    for stored in branches_of(tx, keys):
        key = line_of(stored)
        lines[key][stored[len(key) :]] = stored
    ends = [(each, suffix, {stored}) for each in lines.values() for suffix, stored in each.items()]
    while ends:
        origins, further = _origins(tx, {each[suffix] for each, suffix, _ in ends}), []
        for each, suffix, seen in ends:
            origin = origins.get(each[suffix])
            if origin is not None and origin not in seen:
                each[f"{suffix}@origin"] = origin
                further.append((each, f"{suffix}@origin", seen | {origin}))
        ends = further
    return lines


def branches_of(tx: SqlTransaction | NoRows, keys: Collection[str]) -> list[str]:
    """Return the branches of sessions, as they are stored, in order."""
    sql = "SELECT DISTINCT session_id FROM session_log WHERE store = ? AND session_id LIKE ? ESCAPE '!'"
    wanted, begins = {*keys}, commonprefix([*keys])  # noqa: RUF071 - ids are no paths
    found = sorted(stored for (stored,) in tx.rows(sql, (tx.store, f"{literally(begins)}%@%")))
    return [stored for stored in found if is_branch(stored) and line_of(stored) in wanted]


def _origins(tx: SqlTransaction, stored: Collection[str]) -> dict[str, str]:
    """Return of each line the session whose steps it remembers, too."""
    sql = "SELECT session_id, key FROM step_log WHERE store = ? AND op = 'origin' AND {} ORDER BY seq".format
    asked = groups([*stored]) if tx.has_steps else ()
    return {line: key for some in asked for line, key in tx.rows(sql(among("session_id", some)), (tx.store, *some))}


def standings(tx: SqlTransaction, lines: Mapping[str, Mapping[str, str]], runs: Mapping[str, str]) -> dict[str, Standing]:
    """Return how far the lines of each session have come, and its runs: `runs` says of which session each is."""
    told = {key: Standing() for key in lines}
    at: dict[str, list[tuple[Standing, str]]] = {}
    for key, each in lines.items():
        for suffix, stored in each.items():
            at.setdefault(stored, []).append((told[key], suffix))
    for some in groups([*at]):
        of, given = f"WHERE store = ? AND {among('session_id', some)}", (tx.store, *some)
        own = {stored: [one for one in at[stored] if not one[1].endswith("@origin")] for stored in some}
        for stored, revision, op, moment in tx.rows(f"SELECT session_id, revision, op, happened_at FROM session_log {of}", given):
            for one, suffix in own[stored]:
                one.about[suffix, revision] = (op, stored_moment(moment))
        for stored, version, save_id in tx.rows(f"SELECT DISTINCT session_id, version, save_id FROM state_log {of}", given):
            for one, suffix in own[stored]:
                one.versions[suffix, version] = (save_id,)
        steps = f"SELECT session_id, seq, op, step_id, key FROM step_log {of} ORDER BY seq"
        for stored, seq, op, step_id, key in tx.rows(steps, given) if getattr(tx, "has_steps", False) else ():
            for one, suffix in at[stored]:
                one.steps[suffix, seq] = (op, step_id)
                if op == "origin":
                    one.origins[suffix] = key
    for some in groups([*runs]):
        of = f"WHERE {among('run_id', some)}"
        for run, phase in tx.rows(f"SELECT run_id, phase FROM run_log {of}", some):
            told[runs[run]].runs.add((run, phase))
        for run, last in tx.rows(f"SELECT run_id, max(seq) FROM event_log {of} GROUP BY run_id", some):
            told[runs[run]].events[run] = last
    return told


def named_there(tx: SqlTransaction, runs: Mapping[str, str], to: Mapping[str, Mapping[str, str]]) -> dict[str, str]:
    """Return under which id each run is to be there: its own, or a new one where the same run belongs to another session."""
    own = {run: str(uuid5(NAMESPACE_URL, f"{tx.store}/{to[key]['']}/{run}")) for run, key in runs.items()}
    theirs = {named: {(tx.store, line) for line in to[runs[run]].values()} for run, new in own.items() for named in (run, new)}
    whose: dict[str, set[bool]] = {}
    for some in groups([*theirs]):
        for run, store, stored in tx.rows(f"SELECT run_id, store, session_id FROM run_log WHERE {among('run_id', some)}", some):
            whose.setdefault(run, set()).add((store, stored) in theirs[run])
    return {run: new if new in whose or False in whose.get(run, ()) else run for run, new in own.items()}


def literally(text: str) -> str:
    """Return a text as it stands in a LIKE … ESCAPE '!' where it means itself.

    >>> literally("a_b")
    'a!_b'
    """
    return re.sub("[!%_]", r"!\g<0>", text)


def among(column: str, ids: Sequence[str]) -> str:
    """Return the condition that a column has one of these.

    >>> among("run_id", ["a", "b"])
    'run_id IN (?, ?)'
    """
    return f"{column} IN ({', '.join('?' * len(ids))})"


def groups(ids: Sequence[str]) -> Iterator[list[str]]:
    """Yield ids in groups of which each stands in one question."""
    for start in range(0, len(ids), IDS):
        yield list(ids[start : start + IDS])
