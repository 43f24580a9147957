"""Whose a session is: who may look at it and run in it, and who may also delete and share it."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

from .errors import SessionOwned
from .transaction import is_branch
from .users import user, users

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from .transaction import About

#: What is said of a session that others may see: everybody, or somebody by name; and that they may no more.
SHARED, UNSHARED = "shared", "unshared"
#: The sessions of which some of this was said, and not taken back since: what `shared_with` tells, for all of a store.
_SHARED = (
    "SELECT a.session_id FROM session_log a WHERE a.store = ? AND a.op IN ({said}) AND NOT EXISTS ("
    "SELECT 1 FROM session_log b WHERE b.store = a.store AND b.session_id = a.session_id AND b.revision > a.revision"
    f" AND b.op IN ('created', '{UNSHARED}', 'un' || a.op))"
)
#: What was said last of a session, s; and the same of the session of a row, r.
IS_NEWEST = (
    "NOT EXISTS (SELECT 1 FROM session_log n WHERE n.store = s.store AND n.session_id = s.session_id AND n.revision > s.revision)"
)
_NEWEST = f"SELECT 1 FROM session_log s WHERE s.store = r.store AND s.session_id = r.session_id AND {{what}} AND {IS_NEWEST}"


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


class Sight:
    """What is listed of a store for who works here: as a condition that the store itself looks at, or asked of one session.

    With `alone` it is what they may also delete: what is shared with them is not.
    """

    def __init__(
        self,
        read: Callable[[str, Sequence[Any]], list[tuple[Any, ...]]],
        store: str,
        acting: str | None = None,
        *,
        alone: bool = False,
    ) -> None:
        self._read, self._store, self._alone = read, store, alone
        self._mine = frozenset({acting}) if acting else users()

    def of_sessions(self) -> tuple[str, tuple[str, ...]]:
        """Return the condition for a row of the view `sessions` that is called s, and its parameters; ask `lists` of branches."""
        if self._mine is None:
            return "1 = 1", ()
        condition, given = self._seen()
        return f"(replace(s.session_id, '@@', '') LIKE '%@%' OR {condition})", given

    def of_rows(self, *, also_deleted: bool = False) -> tuple[str, tuple[str, ...]]:
        """Return the condition for a row called r with store and session_id: that its session is there, and to be seen."""
        if self._mine is None and also_deleted:
            return "1 = 1", ()
        seen, given = ("1 = 1", ()) if self._mine is None else self._seen()
        what = seen if also_deleted else f"s.op <> 'deleted' AND {seen}"
        return f"EXISTS ({_NEWEST.format(what=what)})", given

    def lists(self, stored: str) -> bool:
        """Say of a session or branch that such a condition let through whether it is to be listed."""
        return not is_branch(stored) or self(stored)

    def __call__(self, stored: str) -> bool:
        """Say of the stored id of any session or branch whether it is to be listed."""
        return self._mine is None or line_of(stored) not in self._hidden

    @cached_property
    def _hidden(self) -> frozenset[str]:
        condition, given = self._seen()
        sql = f"SELECT s.session_id FROM session_log s WHERE s.store = ? AND NOT {condition} AND {IS_NEWEST}"
        return frozenset(stored for (stored,) in self._read(sql, (self._store, *given)))

    def _seen(self) -> tuple[str, tuple[str, ...]]:
        """Return the condition that a session of which s is a row is mine, nobody's, or shared."""
        mine = sorted(self._mine or ())
        if self._alone:
            return f"(s.user_id IS NULL OR s.user_id IN ({', '.join('?' * len(mine))}))", (*mine,)
        ops = [SHARED, *(f"{SHARED}:{name}" for name in mine)]
        names, said = (", ".join("?" * len(each)) for each in (mine, ops))
        condition = f"(s.user_id IS NULL OR s.user_id IN ({names}) OR s.session_id IN ({_SHARED.format(said=said)}))"
        return condition, (*mine, self._store, *ops)


def line_of(stored: str) -> str:
    """Return the session that a branch is of, as it is stored; of a session itself.

    >>> line_of("ann@@home@run-1"), line_of("ann@@home")
    ('ann@@home', 'ann@@home')
    """
    while is_branch(stored):
        stored = stored.rpartition("@")[0]
    return stored
