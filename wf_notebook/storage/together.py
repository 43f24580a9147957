"""Many sessions saved in one transaction: what is asked of each is asked of all at once, and so are their rows written."""

from __future__ import annotations

from operator import attrgetter
from typing import TYPE_CHECKING, Any

from ..transaction import About, Head
from .finished import Finished, finished
from .moment import now
from .rows import ABOUT, SqlTransaction, text

if TYPE_CHECKING:
    from collections.abc import Sequence

_ABOUT = attrgetter(*ABOUT)


class Together(SqlTransaction):
    """The rows of one store for a number of sessions, each of which is saved once.

    Where each stands is known before; rows are gathered, and written when something else is asked for, or by `write`.
    """

    def __init__(self, tx: SqlTransaction, session_ids: Sequence[str]) -> None:
        self.__dict__.update(tx.__dict__)
        self._ask = tx._execute  # noqa: SLF001 - of its own kind
        self._execute = self._asked
        self._gathered: dict[tuple[str, tuple[str, ...]], list[tuple[Any, ...]]] = {}
        self._steps: dict[str, int] = {}
        self._there: set[str] = set()
        for session_id in sorted(session_ids):  # in one order for all, so that no two wait for each other
            self.hold(session_id)
        self._heads = self._known(list(session_ids))
        self._old = [key for key in session_ids if key not in self._heads]
        self._finished: dict[str, dict[str, list[Finished]]] = {}

    def _known(self, session_ids: list[str]) -> dict[str, Head]:
        """Return where the sessions stand of which nothing was ever kept: all others are asked for one by one."""
        there = {key for (key,) in self._of_all("SELECT DISTINCT session_id FROM session_log WHERE store = ?", session_ids)}
        return dict.fromkeys((key for key in session_ids if key not in there), Head())

    def _of_all(self, sql: str, session_ids: list[str]) -> list[tuple[Any, ...]]:
        marks = ", ".join("?" * len(session_ids))
        return self._ask(f"{sql} AND session_id IN ({marks})", [self.store, *session_ids]) if session_ids else []

    def _asked(self, sql: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        self.write()
        return self._ask(sql, parameters)

    # -- what is known -----------------------------------------------------------------------------------------------------

    def head(self, session_id: str, known: int) -> Head:
        """Return where the session stands."""
        return self._heads.get(session_id) or super().head(session_id, known)

    def append_about(self, session_id: str, op: str, about: About, *, since: int = 0) -> None:
        """Append what is kept about the session from now on."""
        if self._heads.pop(session_id, None) is None:
            super().append_about(session_id, op, about, since=since)
            return
        self._steps[session_id] = 0
        said = (self.store, session_id, 1, op, now(), 0, since, *map(text, _ABOUT(about)))
        self._insert("session_log", ("store", "session_id", "revision", "op", "happened_at", "hidden", "since", *ABOUT), [said])

    def _newest_step(self, session_id: str) -> int:
        known = self._steps.pop(session_id, None)
        return super()._newest_step(session_id) if known is None else known

    def note_steps(self, session_id: str, newest: int) -> None:
        """Remember nothing of so many sessions."""

    def _missing(self, hashes: Sequence[str]) -> set[str]:
        missing = super()._missing(new) if (new := [name for name in hashes if name not in self._there]) else set()
        self._there.update(hashes)
        return missing

    def finished(self, session_id: str, kind: str) -> list[Finished]:
        """Return what had been finished of that kind in a session, oldest first."""
        if session_id not in self._old:
            return []
        if kind not in self._finished:
            self._finished[kind] = finished(self._ask, self.store, self._old, kind, has_steps=self.has_steps)
        return self._finished[kind].get(session_id, [])

    # -- what is written ---------------------------------------------------------------------------------------------------

    def _insert(self, table: str, columns: Sequence[str], rows: Sequence[tuple[Any, ...]]) -> None:
        if rows:
            self._gathered.setdefault((table, tuple(columns)), []).extend(rows)

    def write(self) -> None:
        """Write what was gathered."""
        gathered, self._gathered = self._gathered, {}
        for (table, columns), rows in gathered.items():
            super()._insert(table, columns, rows)
