"""All rows of a sweep as a unit: its name with a slash at the end, `blog/`, means each of them."""

from __future__ import annotations


def is_unit(session_id: str) -> bool:
    """Say whether an id means all rows of a sweep; a session of that very id, in which the sweep is recorded, is one of them.

    >>> is_unit("blog/"), is_unit("blog/row-1"), is_unit("/")
    (True, False, False)
    """
    return len(session_id) > 1 and session_id.endswith("/")
