"""The time, as it is stored."""

from __future__ import annotations

from datetime import UTC, datetime


def now() -> str:
    """Return the time in UTC as it is stored: sortable text that both databases read as a timestamp."""
    return datetime.now(UTC).isoformat(" ", "microseconds")[:26]


def stored_moment(moment: datetime | str) -> str:
    """Return a moment that was read as it is stored: a database may give a datetime for it.

    >>> stored_moment(datetime(2026, 1, 2, 3, 4, 5, 600)), stored_moment("2026-01-02 03:04:05.000600")
    ('2026-01-02 03:04:05.000600', '2026-01-02 03:04:05.000600')
    """
    if isinstance(moment, str):
        return moment
    return (moment.astimezone(UTC) if moment.tzinfo else moment).isoformat(" ", "microseconds")[:26]
