"""Whose a session is: who may look at it and run in it, and who may also delete and share it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .errors import SessionOwned
from .transaction import is_branch
from .users import user, users

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from .transaction import About

#: What is said of a session that others may see: everybody, or somebody by name; and that they may no more.
SHARED, UNSHARED = "shared", "unshared"


def shared_with(ops: Iterable[str]) -> frozenset[str | None]:
    """Return with whom a session is shared by what was said about it, in order; None stands for everybody.

    >>> sorted(shared_with(["created", "shared:ann", "shared:bob", "changed", "unshared:ann"]))
    ['bob']
    >>> shared_with(["created", "shared:ann", "shared"]) == {None, "ann"}, shared_with(["shared:ann", "unshared"])
    (True, frozenset())
    """
    found: set[str | None] = set()
    for each in ops:
        op, named, name = each.partition(":")
        if op == "created" or (op == UNSHARED and not named):
            found.clear()
        elif op == SHARED:
            found.add(name if named else None)
        elif op == UNSHARED:
            found.discard(name)
    return frozenset(found)


def shared_by(said: Iterable[Sequence[Any]]) -> frozenset[str | None]:
    """Return the same by rows that begin with a revision and what was said in it, in any order: nearly all are with nobody."""
    ops = [(row[0], row[1]) for row in said]
    return shared_with(op for _, op in sorted(ops)) if any(op.startswith(SHARED) for _, op in ops) else frozenset()


def refuse_others(session_id: str, about: About | None, acting: str | None = None, *, alone: bool = False) -> None:
    """Raise SessionOwned where a session is another user's, and not shared; with `alone` also where it is.

    `acting` is who does something; left out, who works here.
    """
    mine = frozenset({acting}) if acting else users()
    if about is None or about.user_id is None or mine is None or about.user_id in mine:
        return
    if not alone and (None in about.shared or mine & about.shared):
        return
    who = acting or user()
    what = "choose another session_id, or let them share it: session.share"
    raise SessionOwned(f"session {session_id!r} belongs to another user than {who!r}; {what}({who!r})")


def visible(read: Callable[[str, Sequence[Any]], list[tuple[Any, ...]]], store: str) -> Callable[[str], bool]:
    """Return what says of the stored id of a session or branch whether it is to be listed for who works here."""
    mine = users()
    if mine is None:
        return lambda _: True
    ops: dict[str, list[str]] = {}
    owners: dict[str, str | None] = {}
    sql = "SELECT session_id, op, user_id FROM session_log WHERE store = ? ORDER BY session_id, revision"
    for stored, op, owner in read(sql, (store,)):
        ops.setdefault(stored, []).append(op)
        owners[stored] = owner

    def is_visible(stored: str) -> bool:
        session = line_of(stored)
        if (owner := owners.get(session)) is None or owner in mine:
            return True
        shared = shared_with(ops[session])
        return None in shared or bool(mine & shared)

    return is_visible


def line_of(stored: str) -> str:
    """Return the session that a branch is of, as it is stored; of a session itself.

    >>> line_of("ann@@home@run-1"), line_of("ann@@home")
    ('ann@@home', 'ann@@home')
    """
    while is_branch(stored):
        stored = stored.rpartition("@")[0]
    return stored
