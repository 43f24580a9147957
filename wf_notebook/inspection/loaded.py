"""The states that were looked at last, as trees: a page asks of one state many times."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field
from threading import RLock
from typing import TYPE_CHECKING, Any

from .. import codec
from ..kept import collecting_later

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

    from ..changes import Encoded
    from ..replayed import Replayed
    from ..session import Session

#: So many states are kept at hand, and so many things that were made of them.
STATES, MADE = 8, 16


class Made:
    """What was made of states, such as a frame of which pages are asked for; what was not asked for any more is let go."""

    def __init__(self) -> None:
        self._known: OrderedDict[Hashable, Any] = OrderedDict()
        self._lock = RLock()

    def once(self, what: Hashable, make: Callable[[], Any]) -> Any:
        """Return what `make` gives, which is asked only once for the same thing.

        >>> made = Made()
        >>> made.once("n", lambda: 1), made.once("n", lambda: 2)
        (1, 1)
        """
        with self._lock:
            if what in self._known:
                self._known.move_to_end(what)
                return self._known[what]
        value = make()
        with self._lock:
            self._known[what] = value
            while len(self._known) > MADE:
                self._known.popitem(last=False)
        return value

    def forget(self) -> None:
        """Let go of all."""
        with self._lock:
            self._known.clear()


@dataclass(slots=True)
class Loaded:
    """The state of a session at a version: what is kept of each key, and its tree once it was asked for."""

    session: Session
    version: int
    #: The save that made it, None before the first of all.
    save: str | None
    state: Replayed
    #: What was made of frames and arrays, which are the same in other versions.
    frames: Made = field(default_factory=Made)
    _own: Made = field(default_factory=Made)
    _trees: dict[str, Any] = field(default_factory=dict)
    _blobs: dict[str, bytes] = field(default_factory=dict)

    @property
    def kept(self) -> Encoded:
        """What is kept of each key."""
        return self.state.kept

    def tree(self, key: str) -> Any:
        """Return the tree of a key as it is stored: to look at, not to change. KeyError if it is not there."""
        if key not in self._trees:
            with collecting_later():
                self._trees[key] = self.kept[key].taken()
        return self._trees[key]

    def value(self, tree: Any) -> Any:
        """Return the value of a tree: a copy of its own. StorageFailed for a tree or a blob that is damaged."""
        return codec.decode(tree, self.blob)

    def once(self, what: Hashable, make: Callable[[], Any]) -> Any:
        """Return what `make` gives of this state, which is asked only once for the same thing."""
        return self._own.once(what, make)

    def blob(self, content_hash: str) -> bytes:
        """Return the bytes of an array or a frame; read when they are asked for."""
        if content_hash not in self._blobs:
            storage = self.session.storage
            assert storage is not None
            self._blobs |= storage.transact(lambda tx: tx.blobs([content_hash]), write=False)
        return self._blobs[content_hash]


class States:
    """States by session, version and the save that made it; those that were not asked for any more are let go."""

    def __init__(self) -> None:
        self._known: OrderedDict[tuple[str, int, str | None], Loaded] = OrderedDict()
        self._lock = RLock()
        self._frames = Made()

    def has(self, session: Session, version: int) -> bool:
        """Say whether a state is at hand, so that it costs nothing to look at it."""
        return any(known[:2] == (session.stored_as, version) for known in list(self._known))

    def at(self, session: Session, version: int | None = None) -> Loaded:
        """Return the state of a session at a version, by default the newest. Raises UnknownVersion."""
        number, save = session.save_of(version)
        where = (session.stored_as, number, save)
        with self._lock:
            if where not in self._known:
                self._known[where] = self._loaded(session, number, save)
            self._known.move_to_end(where)
            while len(self._known) > STATES:
                self._known.popitem(last=False)
            return self._known[where]

    def _loaded(self, session: Session, version: int, save: str | None) -> Loaded:
        """Load a state; what the others have of it already is not read again, and is there once."""
        others = self._others(session)
        state = session.kept_at(version, [other.state for other in others])
        trees = {
            key: tree
            for other in others
            for key, tree in list(other._trees.items())  # noqa: SLF001 - this module's own
            if state.kept.get(key) is other.kept[key]
        }
        return Loaded(session, version, save, state, self._frames, _trees=trees)

    def _others(self, session: Session) -> list[Loaded]:
        """Return the states of a session that are at hand; none, if the newest of their saves is not in the store any more."""
        others = [known for (stored, *_), known in self._known.items() if stored == session.stored_as and known.save]
        if not others:
            return []
        storage, newest = session.storage, max(others, key=lambda other: other.version)
        assert storage is not None
        if storage.transact(lambda tx: tx.has_save(session.stored_as, str(newest.save)), write=False):
            return others
        for where in [where for where in self._known if where[0] == session.stored_as]:
            del self._known[where]
        return []
