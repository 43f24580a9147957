"""A database that is not there yet, or not ours yet: there is nothing to read in it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..transaction import Head

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from ..changes import Change
    from ..transaction import Inherited, Records


class NoRows:
    """A transaction over a database that is not there yet, or not ours yet: nothing to read in it."""

    before = after = None
    store = ""

    def __init__(self, inherited: Callable[[str], Inherited | None] = lambda _: None) -> None:
        self.inherited = inherited

    def rows(self, sql: str, parameters: Sequence[Any]) -> list[tuple[Any, ...]]:
        """Return no row."""
        return []

    def head(self, session_id: str, known: int) -> Head:
        """Return the head of a session that was never saved."""
        return Head()

    def changes(
        self, session_id: str, *, after: int = 0, until: int | None = None, keys: Sequence[str] | None = None
    ) -> list[Change]:
        """Return no change."""
        return []

    def last_changes(self, session_id: str, *, after: int, until: int) -> list[tuple[str, int, int]]:
        """Return no key."""
        return []

    def blobs(self, hashes: Iterable[str]) -> dict[str, bytes]:
        """Return no blob."""
        return {}

    def versions(self, session_id: str, *, after: int = 0) -> list[tuple[Any, ...]]:
        """Return no version."""
        return []

    def has_save(self, session_id: str, save_id: str) -> bool:
        """Return that it is not there."""
        return False

    def has_records(self, records: Records) -> bool:
        """Return that they are not there."""
        return False

    def steps(self, session_id: str, *, after: int = 0, within: int = 0) -> list[dict[str, Any]]:
        """Return no step."""
        return []

    def step_sizes(self, session_id: str) -> list[tuple[str, int]]:
        """Return no step."""
        return []

    def step_at(self, session_id: str, seq: int) -> str | None:
        """Return nothing."""
        return None

    def sources(self, session_id: str) -> list[tuple[Any, ...]]:
        """Return nothing."""
        return []

    def step_texts(self, step_ids: Iterable[str], column: str) -> dict[str, str]:
        """Return nothing."""
        return {}
