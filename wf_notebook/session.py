"""One session: its ids, its versions, its state; and how it comes from rows and goes to rows.

The session decides, the storage keeps: all that a session asks of a storage is one transaction, and in it a few rows.
"""

from __future__ import annotations

import os
import threading
from contextlib import suppress
from copy import deepcopy
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from uuid import uuid4
from weakref import WeakSet

from .encoding import Encoder
from .errors import SessionConflict, SessionOwned, UnsavableValue
from .state import conflict, differences, merge, update
from .transaction import About, Attempt, Inherited, Records, Saved, SessionStorage, Transaction, stored_id

if TYPE_CHECKING:
    from .encoding import Encoded


class Session:
    """One session. `state` is one dict object for the life of the session object; it is loaded when it is first asked for.

    `version` counts the saves that are known here, from 1; 0 is a session without any.

    >>> session = Session("demo", state={"topic": "cheese"})
    >>> session.state, session.version
    ({'topic': 'cheese'}, 0)
    """

    def __init__(
        self,
        session_id: str,
        *,
        storage: SessionStorage | None = None,
        state: dict[str, Any] | None = None,
        about: About | None = None,
        live: dict[str, Any] | None = None,
        branch: str | None = None,
    ) -> None:
        self.session_id = session_id
        self.storage = storage
        self.about = about or About()
        self.version = 0
        self._is_branch = branch is not None
        self._key = stored_id(session_id) + (f"@{branch}" if branch else "")
        self.initial = _own(state or {})
        self._live: dict[str, Any] = live if live is not None else {}
        self.loaded = False
        self._encoder = Encoder()
        self._base: Encoded = {}  # what the live dict was when it was last loaded or saved
        self._stored: Encoded = {}  # what the store held at `version`
        self._save_id: str | None = None  # the save that wrote `version`
        self._hidden = 0
        self._looked_back = False  # whether runs of this session that were killed have been ended
        self._stamp: int | None = None  # of the last transaction after which all of this was so
        self._inherited: Inherited | None = None
        self._attempt: Attempt | None = None  # a save whose acknowledgement did not come
        self._stored_about: About | None = None  # as the store has it
        self._saved_about: About | None = None  # as it was last saved from here
        self._rows: list[Records] = []  # rows that wait for a save that can be done
        self._own_branch = uuid4().hex
        self._lock = threading.RLock()
        _sessions.add(self)

    def __repr__(self) -> str:
        return f"<Session {self.session_id!r} version {self.version}>"

    # -- the state ---------------------------------------------------------------------------------------------------------

    @property
    def state(self) -> dict[str, Any]:
        """The live session_state; the first access loads it."""
        if not self.loaded:
            self.load()
        return self._live

    def replace(self, state: dict[str, Any]) -> None:
        """Replace the contents of the state; the dict object stays the same."""
        live, new = self.state, dict(state)
        for key in [key for key in live if key not in new]:
            del live[key]
        live.update(new)

    def encoded(self) -> Encoded:
        """Return the live state as texts; a value that cannot be kept counts as what was last saved of it."""
        return self._mine()[0]

    def refused(self) -> list[UnsavableValue]:
        """Return why values of the live state cannot be kept, one reason for each such key."""
        return list(self._mine()[1].values())

    def _mine(self) -> tuple[Encoded, dict[Any, UnsavableValue]]:
        mine, refused = self._encoder.encode(self._live)
        mine |= {key: self._base[key] for key in refused if key in self._base}
        return mine, refused

    # -- from the store ----------------------------------------------------------------------------------------------------

    def load(self) -> None:
        """Bring in what the store has: base is what was last loaded or saved, mine the dict, theirs the store.

        Raises SessionConflict when a key was changed on both sides (the dict is then as it was), SessionOwned for
        another user's session, and what the storage raises.
        """
        with self._lock:
            if self.storage is None:
                self._start()
                self.loaded = True
                return
            if not self.loaded or self._stamp is None or self._stamp != self.storage.stamp():
                self.storage.transact(self._fetch, write=False)
            self._start()
            mine, refused = self._mine()
            merged = merge(self._base, mine, self._stored)
            if merged.conflicts:
                raise self._conflict(merged.conflicts, mine, branch=None)
            before = {key: self._base[key] for key in refused if key in self._base}
            # What cannot be kept is neither overwritten here nor forgotten to be a change of mine.
            update(self._live, mine, {key: text for key, text in merged.state.items() if key not in refused} | before)
            self._base = {key: text for key, text in self._stored.items() if key not in refused} | before
            self.loaded = True

    def _start(self) -> None:
        """The first load: the constructor's state applies only while the session has no version."""
        if not self.loaded and self.version <= self._hidden:
            self._live.update(self._inherited.state if self._inherited else self.initial)

    def reload(self) -> None:
        """Drop what is unsaved here and take what the store has; without a storage there is nothing to take."""
        with self._lock:
            if self.storage is None:
                return
            self.storage.transact(self._fetch, write=False)
            self.loaded = True
            update(self._live, self._encoder.encode(self._live)[0], self._stored)
            for key in [key for key in self._live if key not in self._stored]:
                del self._live[key]
            self._base = dict(self._stored)

    def _fetch(self, tx: Transaction) -> None:
        """Bring `version` and `_stored` up to the store's newest."""
        if self._attempt is None and self._stamp is not None and self._stamp == tx.before:
            return  # nobody wrote since
        head = tx.head(self._key, self.version)
        self._check_owner(head.about)
        replaced = self.version and (head.version < self.version or head.known_save != self._save_id)
        if replaced or head.hidden != self._hidden:  # another file, or deleted elsewhere: the full state is written again
            self.version, self._stored, self._base, self._hidden = 0, {}, {}, head.hidden
        if self._attempt is not None:
            self._recognise(tx, self._attempt)
        if head.version != self.version:
            stored = dict(self._stored)
            for change in tx.state_since(self._key, self.version):
                if change.value is None:
                    stored.pop(change.key, None)
                else:
                    stored[change.key] = change.value
            self.version, self._stored, self._save_id = head.version, stored, head.newest_save
        about = head.about
        if not (head.revision or self.loaded or self._is_branch) and (inherited := tx.inherited(self.session_id)):
            self._check_owner(inherited.about)
            self._inherited, about = inherited, inherited.about
        self._attempt, self._stored_about, self._stamp = None, head.about, tx.before
        if about:
            self.about = self.about.filled(about)

    def _recognise(self, tx: Transaction, attempt: Attempt) -> None:
        """A save that was durable though nobody heard so is not merged with itself, and its rows are not written again."""
        durable = tx.has_save(self._key, attempt.save_id)
        if durable:
            self._base = attempt.mine
        if durable or any(tx.has_records(records) for records in attempt.rows):
            self._rows = self._rows[len(attempt.rows) :]

    def _check_owner(self, about: About | None) -> None:
        owner = about.user_id if about else None
        if owner and self.about.user_id and owner != self.about.user_id:
            raise SessionOwned(
                f"session {self.session_id!r} belongs to another user than {self.about.user_id!r}; choose another session_id"
            )

    # -- to the store ------------------------------------------------------------------------------------------------------

    def save(self, records: Records | None = None, *, run_id: str | None = None) -> None:
        """Save what changed since the last save, with the rows that go along; durable when it returns.

        Never changes the live dict: what others saved meanwhile arrives at the next load. Raises SessionConflict (all of mine
        are then kept in a branch, the rows are saved), UnsavableValue (everything else is saved), and what the storage raises.
        """
        if self.storage is None:
            return
        with self._lock:
            if not self.loaded:
                self.load()
            if records:
                self._rows.append(records)
            mine, refused = self._mine()
            if mine != self._base or self._rows or self._has_news_of_itself():
                self._write(mine, run_id)
            for refusal in refused.values():
                raise refusal

    def _has_news_of_itself(self) -> bool:
        """Two kernels that call one session by two names say so once each, not with each save."""
        return self._stored_about is None or self.about not in {self._stored_about, self._saved_about}

    def _write(self, mine: Encoded, run_id: str | None) -> None:
        assert self.storage is not None
        save_id = uuid4().hex

        def work(tx: Transaction) -> Saved:
            self._fetch(tx)
            self._attempt = Attempt(save_id, mine, tuple(self._rows))
            return self._append(tx, mine, run_id, save_id)

        saved = self.storage.transact(work, write=True)
        self._attempt, self._rows, self._stamp, self._looked_back = None, [], saved.stamp, True
        self._stored_about, self._saved_about = saved.about, self.about
        if saved.conflicts:
            raise self._conflict(saved.conflicts, mine, saved.branch)
        self.version, self._stored, self._save_id, self._base = saved.version, saved.state, saved.save_id, mine

    def _append(self, tx: Transaction, mine: Encoded, run_id: str | None, save_id: str) -> Saved:
        """Inside the transaction: append mine to the session's line, or all of mine to a branch."""
        about = self._stored_about
        if self._has_news_of_itself():
            tx.append_about(self._key, "changed" if about else "created", self.about)
            about = self.about
        merged = merge(self._base, mine, self._stored)
        branch = run_id or self._own_branch
        if not self._looked_back:
            tx.end_lost(self._key)
        unsaved = f"not saved: {self._conflict(merged.conflicts, mine, branch)}" if merged.conflicts else None
        for records in self._rows:
            tx.append_records(self._key, records.noting(unsaved))
        if merged.conflicts:
            self._append_branch(tx, f"{self._key}@{branch}", mine, run_id, save_id)
            return Saved(self.version, self._stored, self._save_id, tx.after, about, merged.conflicts, branch)
        changes = differences(self._stored, merged.state)
        if not changes:
            return Saved(self.version, self._stored, self._save_id, tx.after, about)
        tx.append_state(self._key, self.version + 1, changes, run_id=run_id, save_id=save_id)
        return Saved(self.version + 1, merged.state, save_id, tx.after, about)

    def _append_branch(self, tx: Transaction, branch: str, mine: Encoded, run_id: str | None, save_id: str) -> None:
        head = tx.head(branch, 0)
        there = {change.key: change.value for change in tx.state_since(branch, 0) if change.value is not None}
        if not head.about:
            tx.append_about(branch, "branched", self.about)
        if changes := differences(there, mine):
            tx.append_state(branch, head.version + 1, changes, run_id=run_id, save_id=save_id)

    def _conflict(self, keys: tuple[str, ...], mine: Encoded, branch: str | None) -> SessionConflict:
        return conflict(self.session_id, keys, base=self._base, mine=mine, theirs=self._stored, branch=branch)

    # -- the session itself ------------------------------------------------------------------------------------------------

    def rename(self, name: str) -> None:
        """Give the session a name that people read; saved at once."""
        self.about = replace(self.about, session_name=name)
        self.save()

    def delete(self) -> None:
        """Hide the session: it is no longer listed or loaded; its rows stay in the store."""
        with self._lock:
            if self.storage is not None:
                self.storage.transact(self._hide, write=True)
            self._live.clear()
            self._base, self._stored, self._stored_about, self._stamp = {}, {}, None, None

    def _hide(self, tx: Transaction) -> None:
        self._check_owner(tx.head(self._key, 0).about)
        tx.append_about(self._key, "deleted", self.about)


_sessions: WeakSet[Session] = WeakSet()


def _go_on_in_child() -> None:
    """In a forked child a lock may be held by a thread that is not there, and rows that wait are the parent's to write."""
    for session in list(_sessions):
        session._lock, session._rows = threading.RLock(), []  # noqa: SLF001 - this module's own


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_go_on_in_child)


def _own(state: dict[str, Any]) -> dict[str, Any]:
    """Return a copy, so that two sessions given one dict never share what is in it."""
    with suppress(Exception):  # some object in it cannot be copied: share that one
        return deepcopy(state)
    return dict(state)
