"""Ids that nobody else makes: random ones as of uuid4, of which many are drawn from the system at once."""

from __future__ import annotations

import os

#: So many are drawn at once: to ask the system is to let another thread go first.
AT_ONCE = 64

_drawn: list[str] = []


def new_hex() -> str:
    """Return a new id, as `uuid4().hex` is one.

    >>> from uuid import UUID
    >>> made = UUID(new_hex()); made.version, made.variant, made != UUID(new_hex())
    (4, 'specified in RFC 4122', True)
    """
    try:
        return _drawn.pop()
    except IndexError:
        first, *others = _draw()
        _drawn.extend(others)
        return first


def new_id() -> str:
    """Return a new id, as `str(uuid4())` is one.

    >>> from uuid import UUID
    >>> made = new_id(); made == str(UUID(made))
    True
    """
    made = new_hex()
    return f"{made[:8]}-{made[8:12]}-{made[12:16]}-{made[16:20]}-{made[20:]}"


def _draw() -> list[str]:
    drawn = os.urandom(16 * AT_ONCE).hex()
    random = (drawn[start : start + 32] for start in range(0, len(drawn), 32))
    return [f"{one[:12]}4{one[13:16]}{'89ab'[int(one[16], 16) % 4]}{one[17:]}" for one in random]


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_drawn.clear)  # what was drawn before is the parent's
