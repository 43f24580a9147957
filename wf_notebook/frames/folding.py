"""The sessions of a storage as a list that people read: the rows of a sweep are one line, however many they are."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from ..errors import UnknownSession
from ..storage.runs import status_of
from ..transaction import stored_id, sweep_of
from .columns import Column
from .queries import session_columns, session_rows
from .table import Table

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from ..storage.sql import SqlStorage

#: In which order it is said how rows stand.
_STATUSES = ("running", "completed", "failed", "stopped", "lost")


def folded_sessions(storage: SqlStorage, *, all_users: bool = False) -> Table:
    """Return a row for each session that is no row of a sweep, and one for each sweep; that which was used last first.

    Of a sweep it says how many rows it has and how these stand, each by the run that began last.
    """
    rows = session_rows(storage, all_users=all_users)
    title = f"sessions in {storage.url}"
    lines: dict[str, tuple[Any, ...]] = {}
    sweeps: dict[str, list[tuple[Any, ...]]] = {}
    for row in rows:
        if (name := sweep_of(row[0])) is None:
            lines[row[0]] = row
        else:
            lines.setdefault(f"{name}/", row)  # where the one that was used last stands
            sweeps.setdefault(f"{name}/", []).append(row)
    stands = standing(storage.read, storage.table_name) if sweeps else {}
    lines |= {name: _folded(name, each) for name, each in sweeps.items()}
    columns = session_columns([*lines.values()])
    if not sweeps:
        return Table(columns, title)
    counts = {name: Counter(stands.get(stored_id(row[0]), "") for row in each) for name, each in sweeps.items()}
    told = Column.of("rows", [rows_in_words(counts[name]) if name in counts else None for name in lines], "text")
    return Table([*columns[:3], told, *columns[3:]], f"{title}; %wf sessions NAME/ lists the rows of a sweep")


def sessions_beginning(storage: SqlStorage, beginning: str, *, all_users: bool = False) -> Table:
    """Return a row for each session whose id begins so, also of a sweep; UnknownSession where there is none."""
    rows = [row for row in session_rows(storage, all_users=all_users) if row[0].startswith(beginning)]
    if not rows:
        raise UnknownSession(f"no session begins with {beginning!r} in {storage.url}; %wf sessions lists those that there are")
    return Table(session_columns(rows), f"sessions {beginning}… in {storage.url}")


def _folded(name: str, rows: Sequence[tuple[Any, ...]]) -> tuple[Any, ...]:
    """Return one row for those of a sweep, the first of which was used last."""
    _, workflow, _, _, _, updated_at, _, *more = rows[0]
    return (name, workflow, None, sum(row[3] for row in rows), sum(row[4] for row in rows), updated_at,
            min(row[6] for row in rows), *more)  # fmt: skip


def folded_ids(ids: Iterable[str], written: str = "") -> list[str]:
    """Return ids of sessions as they are offered: of those of a sweep its name, unless what is written names it already.

    >>> ids = ["blog/cheese-f878b4483e8a63d2", "blog/wine-0123456789abcdef", "demo"]
    >>> folded_ids(ids), folded_ids(ids, "blog/c")
    (['blog/', 'demo'], ['blog/cheese-f878b4483e8a63d2', 'blog/wine-0123456789abcdef', 'demo'])
    """
    named = {each: sweep_of(each) for each in ids}
    shown = [each if name is None or written.startswith(f"{name}/") else f"{name}/" for each, name in named.items()]
    return list(dict.fromkeys(shown))


def rows_in_words(counts: Counter[str]) -> str:
    """Return how many rows a sweep has, and how they stand.

    >>> rows_in_words(Counter(completed=1198, failed=2))
    '1,200: 1,198 completed, 2 failed'
    """
    stands = ", ".join(f"{counts[status]:,} {status}" for status in _STATUSES if counts[status])
    return f"{counts.total():,}" + (f": {stands}" if stands else "")


def standing(read: Callable[[str, Sequence[Any]], Sequence[Sequence[Any]]], store: str) -> dict[str, str]:
    """Return of each session that may be a row of a sweep, by its id as it is stored, how the run stands that began last."""
    names = ("status", "host", "pid", "process_started_at")
    sql = f"SELECT session_id, {', '.join(names)} FROM runs WHERE store = ? AND session_id LIKE '%/%' ORDER BY started_at, run_id"
    found = {row[0]: row[1:] for row in read(sql, (store,))}
    return {
        stored: status_of(dict(zip(names, row, strict=True))) if row[0] == "running" else row[0] for stored, row in found.items()
    }
