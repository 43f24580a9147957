"""A storage that writes nothing of rows: only what a sweep says of itself."""

from __future__ import annotations

from typing import Any


class Reading:
    """Part of a storage in the process of a sweep whose rows other processes write."""

    def transact(self, work, *, write):
        return super().transact(lambda tx: work(_Checked(tx)), write=write)


class _Checked:
    def __init__(self, tx: Any) -> None:
        self._tx = tx

    def __getattr__(self, name: str) -> Any:
        return getattr(self._tx, name)

    def append_records(self, session_id, records):
        assert session_id.endswith("/")
        self._tx.append_records(session_id, records)
