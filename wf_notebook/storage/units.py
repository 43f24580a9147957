"""The rows of a sweep as a unit: `blog/` means all of them, and the session in which the sweep itself may be recorded."""

from __future__ import annotations

from collections import Counter
from functools import partial
from itertools import groupby
from operator import itemgetter
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar, cast

from ..accounts import is_account
from ..errors import BadSetting, SessionOwned, UnknownSession
from ..nearest import did_you_mean
from ..owners import Sight, shared_with
from ..transaction import is_branch, shown_id, stored_id, sweep_of
from ..users import user, users
from .moment import now
from .standing import among, groups, literally

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from .no_rows import NoRows
    from .rows import SqlTransaction

T = TypeVar("T")

_ABOUT = ("workflow", "workflow_id", "user_id", "session_name", "extra_data")
_SAID = ("store", "session_id", "revision", "op", "happened_at", "hidden", "since", *_ABOUT)
#: What was said last of each session, as far as its id begins so.
_NEWEST = (
    "SELECT session_id, op FROM (SELECT session_id, op, row_number() OVER (PARTITION BY session_id ORDER BY revision DESC)"
    " AS newest FROM session_log WHERE store = ? AND session_id LIKE ? ESCAPE '!') s WHERE newest = 1 ORDER BY session_id"
)


class Units:
    """The part of a storage that deals with all rows of a sweep at once."""

    table_name: str
    url: str

    def _in_transaction(self, work: Callable[[SqlTransaction | NoRows], T], *, write: bool) -> T:
        """Run `work` in one transaction."""
        raise NotImplementedError

    def rows_of(self, unit: str, *, deleted: bool | None = False) -> list[str]:
        """Return the ids of the sessions that `blog/` means, of who works here; or of those that were deleted; None: of both.

        Raises UnknownSession if there is none.
        """
        name = unit.removesuffix("/")

        def work(tx: SqlTransaction | NoRows) -> list[str]:
            newest = tx.rows(_NEWEST, (tx.store, f"{literally(stored_id(unit))}%"))
            ids = [stored for stored, op in newest if deleted in {None, op == "deleted"} and not is_branch(stored)]
            own = [stored for stored in ids if sweep_of(shown_id(stored)) == name or is_account(shown_id(stored), name)]
            sees = Sight(tx.rows, tx.store)
            return [shown_id(stored) for stored in own if sees(stored)]

        found = self._in_transaction(work, write=False)
        if not found:
            raise self._no_unit(unit, deleted=bool(deleted))
        return found

    def branches_of(self, session_id: str) -> list[str]:
        """Return the branches that conflicts left of a session, and that are there, named as they are shown."""
        key = stored_id(session_id)
        told = self._in_transaction(lambda tx: tx.rows(_NEWEST, (tx.store, f"{literally(key)}@%")), write=False)
        return [shown_id(one) for one, op in told if op != "deleted" and is_branch(one) and one.rpartition("@")[0] == key]

    def say_of_rows(self, unit: str, op: str, acting: str | None = None) -> Said:
        """Say something of all rows of a sweep: that they are "deleted", "restored", or shared with somebody, or no more.

        `acting` is who does it; left out, who works here. Rows of other users are left alone, and so are nobody's, where they are
        to be shared. Raises UnknownSession, SessionOwned or BadSetting where nothing is left.
        """
        ids = sorted(stored_id(each) for each in self.rows_of(unit, deleted=op == "restored"))
        mine, counts = frozenset({acting}) if acting else users(), Counter[str]()
        for some in groups(ids):
            counts += self._in_transaction(partial(_said, ids=some, op=op, mine=mine, name=unit.removesuffix("/")), write=True)
        said = Said(*(counts[name] for name in Said._fields))
        if not any((said.rows, counts["session"])) and said.of_others:
            raise SessionOwned(f"the rows of {unit!r} belong to another user than {acting or user()!r}; let them do it")
        if not any((said.rows, counts["session"])) and said.of_nobody:
            raise BadSetting(
                f"the rows of {unit!r} belong to nobody, and everybody on their store sees them; WF_USER or Workflow(user_id=…) "
                "gives new ones to a user"
            )
        return said

    def shared_rows(self, unit: str, *, own: bool = False) -> list[str]:
        """Return with whom any row of a sweep is shared, or any that one owns; "*" stands for everybody."""
        ids, mine = list(map(stored_id, self.rows_of(unit))), users() if own else None

        def work(tx: SqlTransaction | NoRows) -> set[str]:
            sql = "SELECT session_id, revision, op, user_id FROM session_log WHERE store = ? AND {}".format
            told = [row for some in groups(ids) for row in tx.rows(sql(among("session_id", some)), (tx.store, *some))]
            found: set[str | None] = set()
            for _, each in groupby(sorted(told, key=itemgetter(0, 1)), key=itemgetter(0)):
                _, _, ops, owners = zip(*each, strict=True)
                found |= shared_with(ops) if mine is None or owners[-1] in mine else set()
            return {name or "*" for name in found}

        return sorted(self._in_transaction(work, write=False))

    def _no_unit(self, unit: str, *, deleted: bool) -> UnknownSession:
        if deleted:
            return UnknownSession(f"no row of the sweep {unit!r} was deleted in {self.url}; %wf sessions lists what is there")

        def named(tx: SqlTransaction | NoRows) -> set[str]:
            sees = Sight(tx.rows, tx.store)
            there = [shown_id(key) for key, op in tx.rows(_NEWEST, (tx.store, "%/%")) if op != "deleted" and sees(key)]
            return {f"{name}/" for each in there if (name := sweep_of(each)) is not None}

        hint = did_you_mean(unit, sorted(self._in_transaction(named, write=False)))
        return UnknownSession(f"no sweep {unit!r} in {self.url}{hint or '; %wf sessions lists those that are there'}")


class Said(NamedTuple):
    """Of how many rows something was said: of which it was not so before, and which it was not said of."""

    rows: int = 0
    news: int = 0
    of_others: int = 0
    of_nobody: int = 0


def _said(tx: SqlTransaction | NoRows, *, ids: Sequence[str], op: str, mine: frozenset[str] | None, name: str) -> Counter[str]:
    """Say something of sessions in one transaction; return how many."""
    tx = cast("SqlTransaction", tx)
    for key in ids:
        tx.hold(key)
    of, given = f"FROM {{}} WHERE store = ? AND {among('session_id', ids)}", (tx.store, *ids)
    told = tx.rows(f"SELECT session_id, revision, op, hidden, since, {', '.join(_ABOUT)} {of.format('session_log')}", given)
    newest = dict(tx.rows(f"SELECT session_id, max(version) {of.format('state_log')} GROUP BY session_id", given))
    counts, rows, moment = Counter[str](), [], now()
    for key, each in groupby(sorted(told, key=itemgetter(0, 1)), key=itemgetter(0)):
        before = [row[1:] for row in each]
        what = _of_one(before, op, mine)
        counts[what if not is_account(shown_id(key), name) else "session" if what in {"rows", "news"} else "apart"] += 1
        if what == "news":
            _, _, hidden, since, *about = next(row for row in reversed(before) if op != "restored" or row[1] != "deleted")
            hidden = newest.get(key, 0) if op == "deleted" else hidden or 0
            rows.append((tx.store, key, before[-1][0] + 1, op, moment, hidden, since or 0, *about))
    tx.append_rows("session_log", _SAID, rows)
    if op in {"deleted", "restored"}:
        steps = tx.rows(f"SELECT session_id, max(seq) {of.format('step_log')} GROUP BY session_id", given)
        done = {row[1] for row in rows}
        numbered = [(tx.store, key, seq + 1, op, moment) for key, seq in steps if key in done]
        tx.append_rows("step_log", ("store", "session_id", "seq", "op", "happened_at"), numbered)
    counts["rows"] += counts["news"]
    return counts


def _of_one(before: Sequence[Sequence[Any]], op: str, mine: frozenset[str] | None) -> str:
    """Return whether something is to be said of a session ("news"), is so already ("rows"), or is not for who does it to say."""
    ops, owner = [row[1] for row in before], before[-1][4 + _ABOUT.index("user_id")]
    if op == "restored" and all(each == "deleted" for each in ops):
        return "gone"
    if (ops[-1] == "deleted") is not (op == "restored"):
        return "gone"  # somebody else was quicker
    if owner is not None and mine is not None and owner not in mine:
        return "of_others"
    if op in {"deleted", "restored"}:
        return "news"
    if owner is None:
        return "of_nobody"
    return "rows" if shared_with([*ops, op]) == shared_with(ops) else "news"
