"""The time, as it is stored."""

from __future__ import annotations

from datetime import UTC, datetime


def now() -> str:
    """Return the time in UTC as it is stored: sortable text that both databases read as a timestamp."""
    return datetime.now(UTC).isoformat(" ", "microseconds")[:26]
