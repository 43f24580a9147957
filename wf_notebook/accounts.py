"""The runs that sweeps leave of themselves, beside those of their rows: in which sessions they are, and how they are told."""

from __future__ import annotations

import re
from hashlib import blake2b

#: What is added to the name of a workflow where what ran was a sweep of it.
MAP = ".map"
#: How such a session is named after the sweep's name, of a user's sweeps; those of nobody have only the slash.
_OF_USER = re.compile(r"(?:\+[0-9a-f]{16})?")


def account_id(name: str, user: str | None) -> str:
    """Return the id of the session in which the sweeps of a name are runs themselves; each user has one of their own.

    >>> account_id("blog", None), account_id("blog", "ann")
    ('blog/', 'blog/+8d3adf6abf23f3a5')
    """
    return f"{name}/" if user is None else f"{name}/+{blake2b(user.encode('utf-8', 'replace'), digest_size=8).hexdigest()}"


def account_of(session_id: str, workflow: str | None) -> str | None:
    """Return the name of the sweeps that a session has the own runs of, None for any other one; of a run of it likewise.

    >>> account_of("blog/", "Blog.map"), account_of("blog/+8d3adf6abf23f3a5", "Blog.map"), account_of("notes/", "Notes")
    ('blog', 'blog', None)
    """
    name, _, user = session_id.rpartition("/")
    return name if name and _OF_USER.fullmatch(user) and (workflow or "").endswith(MAP) else None


def shown_account(session_id: str, workflow: str | None) -> str:
    """Return the id of a session as people write it: one of the own runs of sweeps is named after them, whosever they are.

    >>> shown_account("blog/+8d3adf6abf23f3a5", "Blog.map"), shown_account("demo", "Blog")
    ('blog/', 'demo')
    """
    name = account_of(session_id, workflow)
    return session_id if name is None else account_id(name, None)


def is_account(session_id: str, name: str) -> bool:
    """Say whether an id is that of a session in which sweeps of that name are runs themselves, whosever they are.

    >>> is_account("blog/", "blog"), is_account("blog/+8d3adf6abf23f3a5", "blog"), is_account("blog/row-1", "blog")
    (True, True, False)
    """
    return session_id.startswith(f"{name}/") and _OF_USER.fullmatch(session_id, len(name) + 1) is not None
