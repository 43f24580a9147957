"""One session: its ids, its versions, its state; and how it comes from rows and goes to rows.

The session decides, the storage keeps: all that a session asks of a storage is one transaction, and in it a few rows.
"""

from __future__ import annotations

import os
import threading
from collections import deque
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from weakref import WeakSet

from .encoding import Encoder, Snapshot
from .errors import SessionConflict, UnsavableValue
from .exported import Exported
from .history import History
from .keys import is_stored
from .known import Known
from .line import Line
from .merging import merge
from .remembers import Remembers
from .state import as_dict, own, update
from .steps import Steps
from .transaction import About, Attempt, Records, SessionStorage, Transaction, stored_id
from .users import user
from .writing import Saving

if TYPE_CHECKING:
    from .changes import Encoded


class Session(Saving, History, Remembers, Exported):
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
        self.session_id, self.storage = session_id, storage
        self.about = about or About()
        self._is_branch = branch is not None
        self._line = Line(stored_id(session_id) + (f"@{branch}" if branch else ""))
        self.initial = own({} if state is None else state)
        self._live: dict[Any, Any] = live if live is not None else {}
        self.loaded = False
        self._encoder = Encoder()
        self._base: Encoded = {}  # what the live dict was when it was last loaded or saved
        self._met: Encoded = {}  # what base became in the store when it was saved, with what others had saved meanwhile
        self._attempts: tuple[Attempt, ...] = ()  # saves whose acknowledgement did not come
        self._saved_about: About | None = None  # as it was last saved from here
        self._rows: tuple[Records, ...] = ()  # rows that wait for a save that can be done
        self._queued: deque[Records] = deque()
        self._lock = threading.RLock()
        self._steps: Steps | None = None
        _sessions.add(self)

    @property
    def version(self) -> int:
        """The newest version that is known here."""
        return self._line.version

    def __repr__(self) -> str:
        return f"<Session {self.session_id!r} {f'version {self.version}' if self.loaded else 'not loaded yet'}>"

    @property
    def steps(self) -> Steps:
        """The steps that are remembered."""
        if self._steps is None:
            with self._lock:
                self._steps = self._steps or self._known_steps()
        return self._steps

    @steps.setter
    def steps(self, steps: Steps) -> None:
        self._steps = steps

    def _known_steps(self) -> Steps:
        return Steps.of(self.session_id, self.storage)

    @property
    def sources(self) -> dict[tuple[int, str], str]:
        """What a process said last in this session of the source of each workflow."""
        return self.steps.sources

    def _sibling(self, session_id: str, *, state: dict[Any, Any], about: About) -> Session:
        return Session(session_id, storage=self.storage, state=state, about=replace(about, user_id=self._acting() or user()))

    # -- the state ---------------------------------------------------------------------------------------------------------

    @property
    def state(self) -> dict[str, Any]:
        """The live session_state; the first access loads it."""
        if not self.loaded:
            self.load()
        return self._live

    @state.setter
    def state(self, state: dict[str, Any]) -> None:
        self.replace(state)

    def replace(self, state: dict[str, Any]) -> None:
        """Replace the contents of the state; the dict object stays the same."""
        live, new = self.state, as_dict(state)
        for key in [key for key in live if key not in new]:
            del live[key]
        live.update(new)

    def snapshot(self) -> Snapshot:
        """Return the live state as it is kept; a value that cannot be counts as what was last saved of it."""
        snapshot = self._encoder.encode(self._live)
        if not snapshot.refused:
            return snapshot
        before = {key: self._base[key] for key in snapshot.refused if key in self._base}
        return Snapshot(snapshot.kept | before, snapshot.refused)

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
            self._line = self._line if self.loaded else Line.at(self.storage, self._line.key, self._check_owner)
            if not self._line.is_current(self.storage.stamp()):
                self._fetch()
                self._line.remember(self.storage)
            self.about = self.about.filled(self._line.about or self.about)
            self._start()
            self._take_in()
            self.loaded = True

    def _take_in(self) -> None:
        """Bring what is known of the store into the live dict."""
        mine = self.snapshot()
        merged = merge(self._base, mine.kept, self._line.state, self._met)
        if merged.conflicts:
            raise self._conflict(merged.conflicts, mine.kept, branch=None)
        # What cannot be kept is neither overwritten here nor forgotten to be a change of mine.
        unkept = {key: self._base[key] for key in mine.refused if key in self._base}
        self._bring(mine.kept, {key: kept for key, kept in merged.state.items() if key not in mine.refused} | unkept)
        self._base = {key: kept for key, kept in self._line.state.items() if key not in mine.refused} | unkept
        self._met = {}

    def _bring(self, mine: Encoded, to: Encoded) -> None:
        """Bring the live dict from one state to another."""
        update(self._live, mine, to, self._blob, renew=self._encoder.stale(self._live))
        self._encoder.loaded(self._live, to, [key for key, kept in to.items() if mine.get(key) != kept])
        self._encoder.blobs |= self._line.blobs
        self._line.blobs = {}

    def _blob(self, content_hash: str) -> bytes:
        """Return the bytes of an array or frame: just read, of the live state, from the store, or else of a remembered step."""
        known = self._line.blobs.get(content_hash) or self._encoder.blobs.get(content_hash)
        if known is not None:
            return known
        if self.storage is None:
            return self.steps.blob(content_hash)
        found: dict[str, bytes] = self.storage.transact(lambda tx: tx.blobs([content_hash]), write=False)
        return found[content_hash]

    def _start(self) -> None:
        """The first load: the constructor's state applies only while the session has no version."""
        if not self.loaded and self._line.is_new:
            self._live.update(self._line.inherited.state if self._line.inherited else self.initial)

    def reload(self) -> None:
        """Drop what is unsaved here and take what the store has; without a storage there is nothing to take."""
        with self._lock:
            if self.storage is None:
                return
            self._fetch()
            self.loaded = True
            mine = self._encoder.encode(self._live)
            self._bring(mine.kept, self._line.state)
            for key in [key for key in self._live if not is_stored(key, self._line.state)]:
                del self._live[key]
            self._base, self._met = dict(self._line.state), {}

    def _grasp(self) -> Known:
        """Return what is known of the store, for a transaction to begin with."""
        return Known(self._line, self.about, self._base, self._met, self._attempts, self._rows, self._saved_about)

    def _take(self, known: Known) -> None:
        """Know what a transaction found out. Without a call in between, where an interrupt could come: all of it, or nothing."""
        before = self._line.stamp if known.undisturbed else None
        self._line, self.about, self._base, self._met = known.line, known.about, known.base, known.met
        self._attempts, self._rows, self._saved_about = known.attempts, known.rows, known.saved_about
        if self._steps is not None:
            self._steps.go_on(before, self._line.stamp)

    def _fetch(self) -> None:
        """Bring what is known of the store up to its newest."""
        known, inherits = self._grasp(), not (self.loaded or self._is_branch)
        if self.storage is not None:
            self._take(
                self.storage.transact(lambda tx: known.copy().fetch(tx, self._check_owner, inherits=inherits), write=False)
            )

    # -- the session itself ------------------------------------------------------------------------------------------------

    def rename(self, name: str) -> None:
        """Give the session a name that people read; saved at once."""
        self.about = replace(self.about, session_name=name)
        self.save()

    def delete(self) -> None:
        """Hide the session: it is no longer listed or loaded; its rows stay in the store, with what was unsaved.

        The session `blog/` stands for all rows of that sweep.
        """
        with self._lock:
            if self.storage is not None:
                if self.loaded and self._line.about is not None:
                    with suppress(UnsavableValue, SessionConflict):  # all else is saved, mine in a branch
                        self.save()
                if self._of_all is not None:
                    self._of_all.say_of_rows(self.session_id, "deleted", self._acting())
                else:
                    self.storage.transact(self._hide, write=True)
            self._forget()

    def _forget(self) -> None:
        self._live.clear()
        self.sources.clear()
        self._base, self._met, self._line, self._encoder = {}, {}, Line(self._line.key), Encoder()

    def _hide(self, tx: Transaction) -> None:
        tx.append_about(self._line.key, "deleted", self.about.owned_as(self._own_head(tx).about))


_sessions: WeakSet[Session] = WeakSet()


def _go_on_in_child() -> None:
    """In a forked child a lock may be held by a thread that is not there, and rows that wait are the parent's to write."""
    for session in list(_sessions):
        session._lock, session._rows = threading.RLock(), ()  # noqa: SLF001 - this module's own
        session._queued.clear()  # noqa: SLF001 - as above


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_go_on_in_child)
