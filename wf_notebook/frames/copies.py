"""Sessions that are copied into another store, a row for each; those of a sweep have one in common."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from ..accounts import is_account
from ..errors import BadArguments, BadStorage, WorkflowError
from ..storage import opened
from ..storage.copying import Copied, carried, listed
from ..storage.sql import SqlStorage
from ..transaction import stored_id, sweep_of
from ..unit import is_unit
from .columns import Column
from .table import Table

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from .columns import Kind

_COLUMNS: dict[str, Kind] = {
    "session_id": "text", "new_id": "text", "done": "text", "rows": "integer", "versions": "integer", "runs": "integer",
    "events": "integer", "steps": "integer", "blobs": "integer",
}  # fmt: skip
_COUNTS = ("versions", "runs", "events", "steps", "blobs")
#: So many of those that were refused are told of.
_TOLD = 3


def copied(storage: SqlStorage, sessions: str | Sequence[str] | None, to: Any, new_id: str | None) -> Table:
    """Copy sessions and return what was copied; see `Elsewhere.copy`."""
    target = opened(to)
    if not isinstance(target, SqlStorage):
        raise BadStorage(f"{target!r} is a storage of your own, into which rows cannot be copied; name another one")
    every = sessions is None
    named = listed(storage) if sessions is None else [sessions] if isinstance(sessions, str) else list(dict.fromkeys(sessions))
    if new_id is not None and len(named) != 1:
        raise BadArguments(f"one id is for one session, not for {len(named)}; copy them one by one, or without --as")
    if new_id is not None and is_unit(named[0]) != is_unit(new_id):
        raise BadArguments(f"{named[0]!r} cannot be {new_id!r} there: a sweep's name ends with /, that of a session does not")
    units = _sweeps(named) if every else {each: storage.rows_of(each) for each in named if is_unit(each)}
    names = named if every else [row for each in named for row in units.get(each, [each])]
    ids = {each: each if new_id is None else new_id + each[len(named[0]) :] for each in names}
    done = carried(storage, target, ids, along=frozenset(map(stored_id, ids)) if new_id is None else frozenset())
    of = {row: unit for unit, rows in units.items() for row in rows}
    folded: dict[str, list[Copied]] = {}
    for each, told in done.items():
        if isinstance(told, Copied):
            folded.setdefault(of.get(each, each), []).append(told)
    if refused := [told for told in done.values() if isinstance(told, WorkflowError)]:
        raise _told(refused, folded, units, left=len(ids) - len(done))
    lines = [_line(one, several, new_id) if one in units else _values(several[0]) for one, several in folded.items()]
    columns = [Column.of(name, [line[name] for line in lines], kind) for name, kind in _COLUMNS.items()]
    return Table(columns if units else [each for each in columns if each.name != "rows"], f"copied to {target.url}")


def _told(refused: Sequence[WorkflowError], folded: dict[str, list[Copied]], units: Iterable[str], left: int) -> WorkflowError:
    """Return the first error, with what is to be said of the others, and of what was copied."""
    for other in refused[1:_TOLD]:
        refused[0].add_note(f"{type(other).__name__}: {other}")
    if len(refused) > _TOLD:
        refused[0].add_note(f"and {len(refused) - _TOLD + 1:,} more of {len(refused):,}")
    if left:
        refused[0].add_note(f"not tried, as too many could not be written: {left:,}")
    if folded:
        copies = [f"{len(several):,} of {one!r}" if one in units else repr(one) for one, several in folded.items()]
        refused[0].add_note(f"copied but for that: {', '.join(copies)}")
    return refused[0]


def _sweeps(ids: Iterable[str]) -> dict[str, list[str]]:
    """Return the rows of each sweep among all sessions of a store, with the sessions in which it is a run itself."""
    listed = list(ids)
    units: dict[str, list[str]] = {}
    for each in listed:
        if (name := sweep_of(each)) is not None:
            units.setdefault(f"{name}/", []).append(each)
    for each in listed:
        name = each.rpartition("/")[0]
        if is_account(each, name) and f"{name}/" in units:
            units[f"{name}/"].append(each)
    return units


def _values(one: Copied) -> dict[str, Any]:
    return {name: getattr(one, name, None) for name in _COLUMNS}


def _line(unit: str, several: Sequence[Copied], new_id: str | None) -> dict[str, Any]:
    """Return what was copied of all rows of a sweep."""
    done = Counter(each.done for each in several)
    return {
        "session_id": unit,
        "new_id": new_id or unit,
        "done": next(iter(done)) if len(done) == 1 else ", ".join(f"{count:,} {what}" for what, count in done.most_common()),
        "rows": sum(not is_account(each.session_id, unit.removesuffix("/")) for each in several),
        **{name: sum(getattr(each, name) for each in several) for name in _COUNTS},
    }
