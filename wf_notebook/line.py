"""The line of a session's versions in a store, as far as it is known here: followed as others write it, and extended."""

from __future__ import annotations

from copy import copy
from dataclasses import replace
from typing import TYPE_CHECKING, Literal

from .changes import Encoded, differences, hashes, lengths, replay, shortened
from .transaction import Records

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from .changes import Change
    from .transaction import About, Head, Inherited, Save, SessionStorage, Transaction

#: So many lines are remembered beyond the sessions that knew them: a cell that is run again makes its workflow anew.
REMEMBERED = 4

_remembered: dict[tuple[str | None, str | None, str], Line] = {}


def _place(storage: SessionStorage, key: str) -> tuple[str | None, str | None, str]:
    """Return what a line is remembered by; a storage of the user's own may have no address."""
    return getattr(storage, "url", None), getattr(storage, "table_name", None), key


class Line:
    """What a store holds of one session, as of one transaction.

    `state` is what it holds at `version`, which `save_id` wrote; versions up to `hidden` were deleted with the session.
    """

    def __init__(self, key: str) -> None:
        self.key = key
        self._start_over()

    @classmethod
    def at(cls, storage: SessionStorage, key: str, check: Callable[[About | None], object]) -> Line:
        """Return the line as another session of this process left it; if somebody wrote since, one of which nothing is known.

        `check` may refuse the session, as in `follow`.
        """
        known = _remembered.get(_place(storage, key))
        if known is None or not known.was_there or not known.is_current(storage.stamp()):
            return cls(key)
        check(known.about)
        return copy(known)

    def remember(self, storage: SessionStorage) -> None:
        """Keep it for the next session of its key, where it can be told whether it is still so."""
        if self.stamp is None or (place := _place(storage, self.key))[0] is None:
            return
        _remembered.pop(place, None)
        known = _remembered[place] = copy(self)
        known.blobs, known.looked_back = {}, self.looked_back and not self.has_open_runs
        for oldest in list(_remembered)[:-REMEMBERED]:
            _remembered.pop(oldest, None)

    def __copy__(self) -> Line:
        new = Line.__new__(Line)
        vars(new).update(vars(self))
        return new

    def _start_over(self, hidden: int = 0) -> None:
        self.version, self.state, self.hidden = 0, Encoded(), hidden
        #: How long the chains of changes are of which the values in the store are made.
        self.chains: Mapping[str, int] = {}
        self.save_id: str | None = None
        #: What is kept of the session besides its state; None if it is not there.
        self.about: About | None = None
        #: Whether the session was ever there, also if it was deleted since.
        self.was_there = False
        #: Of the last transaction after which all of this was so.
        self.stamp: int | None = None
        #: What another program kept of a session that is not here.
        self.inherited: Inherited | None = None
        #: Arrays and frames that were read, until the live state has them.
        self.blobs: dict[str, bytes] = {}
        #: Whether runs of this session that were killed have been ended.
        self.looked_back = False
        #: Whether there may be runs that have not ended: they may be killed yet.
        self.has_open_runs = False

    @property
    def is_new(self) -> bool:
        """Whether the session has no version."""
        return self.version <= self.hidden

    def is_current(self, stamp: int | None) -> bool:
        """Say whether nobody wrote since."""
        return self.stamp is not None and self.stamp == stamp

    def follow(self, tx: Transaction, check: Callable[[About | None], object]) -> Literal["on", "back", "elsewhere"]:
        """Bring all of this up to the store's newest; return where that led.

        "on" is what was known, and more. "back" is less than was known: an older copy of the file, or its end was lost.
        "elsewhere" is another line: another file, or the session was deleted.

        `check` may refuse the session by what is kept about it, before anything is changed here.
        """
        head = tx.head(self.key, self.version)
        check(head.about)
        way = self._way_to(head)
        if way != "on":
            self._start_over(head.hidden)
        if head.version != self.version:
            is_folded = self.version < head.since  # what came after it was folded with what was before
            known, chains = ((self.version, self.state), self.chains) if not is_folded else ((0, {}), {})
            changes = list(tx.changes(self.key, after=max(known[0], self.hidden)))
            state = replay(known[1], changes)
            self.blobs = self.blobs | tx.blobs(hashes(changes) - self.blobs.keys())
            self.version, self.state, self.save_id = head.version, state, head.newest_save
            self.chains = lengths(chains, changes)
        self.about, self.was_there, self.stamp = head.about, head.revision > 0, tx.before
        return way

    def _way_to(self, head: Head) -> Literal["on", "back", "elsewhere"]:
        if head.hidden != self.hidden:
            return "elsewhere"
        if head.version < self.version:
            return "back"
        return "elsewhere" if self.version >= max(head.since, 1) and head.known_save != self.save_id else "on"

    def extend(self, tx: Transaction, state: Encoded, save: Save) -> None:
        """Append what leads to `state`."""
        if changes := differences(self.state, state):
            changes = shortened(changes, state, self.chains)
            _append(tx, self.key, self.version + 1, changes, save)
            self.version, self.state, self.save_id = self.version + 1, state, save.save_id
            self.chains = lengths(self.chains, changes)
        self.stamp, self.was_there = tx.after, True

    def branch_off(self, tx: Transaction, branch: str, state: Encoded, about: About, save: Save) -> None:
        """Append what leads to `state` to a branch of this line."""
        key = f"{self.key}@{branch}"
        head = tx.head(key, 0)
        if not head.about:
            tx.append_about(key, "branched", about)
        if changes := differences(replay({}, tx.changes(key, after=head.hidden)), state):
            _append(tx, key, head.version + 1, changes, save)

    def look_back(self, tx: Transaction, rows: Sequence[Records], unsaved: str | None) -> None:
        """Append the rows that go along with a save, and end the runs whose process is gone."""
        if not self.looked_back:
            self.has_open_runs = tx.end_lost(self.key)
        records = rows[0] if len(rows) == 1 else Records.joined(rows)
        tx.append_records(self.key, records.noting(unsaved))
        self.has_open_runs |= records.leave_open
        self.looked_back = True


def _append(tx: Transaction, key: str, version: int, changes: Sequence[Change], save: Save) -> None:
    """Append a version, with the arrays and frames in it; those that are not known here are in the store already."""
    if save.blobs:
        save = replace(save, blobs={name: save.blobs[name] for name in hashes(changes) if name in save.blobs})
    tx.append_state(key, version, changes, save)
