"""The part of a transaction that takes rows as they were in another store."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .steps import StepRows

if TYPE_CHECKING:
    from collections.abc import Sequence


class CarriedRows(StepRows):
    """Takes rows from elsewhere."""

    def append_rows(self, table: str, columns: Sequence[str], rows: Sequence[tuple[Any, ...]]) -> None:
        """Append rows as they were in another store, blobs each once."""
        if table == "blob":
            self._keep({content_hash: (size, text, content) for content_hash, size, text, content in rows})
        else:
            self._insert(table, columns, rows)
