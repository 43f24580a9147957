"""What a session was: every save is a version, and each can be asked for, compared, and gone back to."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from itertools import groupby
from typing import TYPE_CHECKING, Any, Self

from . import codec
from .changes import Change, replay
from .diffs import diff
from .done import from_origin
from .errors import BadSetting, SessionExists, UnknownSession, UnknownVersion
from .given import checked
from .kept import collecting_later
from .keys import key_of
from .replayed import checked_version, replayed
from .run import way_up
from .sharing import Sharing
from .state import decoded
from .transaction import Records, stored_id

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import timedelta

    from .changes import Encoded
    from .diffs import Diff
    from .replayed import Replayed
    from .transaction import About, SessionStorage, Transaction


@dataclass(frozen=True, slots=True)
class Version:
    """One save of a session: when it was made, by which run, and what it did to which keys (set, append, put, delete)."""

    version: int
    saved_at: datetime
    run_id: str | None
    changes: Mapping[Any, str]

    @property
    def summary(self) -> str:
        """What it changed, in a line: `append posts; set topic, n`."""
        by_op = sorted(self.changes.items(), key=lambda item: item[1])
        told = ((op, ", ".join(str(key) for key, _ in changed)) for op, changed in groupby(by_op, key=lambda item: item[1]))
        return "; ".join(f"{op} {keys}" for op, keys in told)

    def __str__(self) -> str:
        return f"version {self.version}, saved {self.saved_at:%Y-%m-%d %H:%M:%S} UTC: {self.summary or 'nothing changed'}"


class Versions(list[Version]):
    """The versions of a session, oldest first: a list that is shown as a table, the newest on top."""

    def __repr__(self) -> str:
        text: str = way_up("Versions.__repr__")(self)
        return text

    def _repr_html_(self) -> str:
        html: str = way_up("Versions._repr_html_")(self)
        return html

    def df(self) -> Any:
        """Return a row for each version, as a DataFrame of pandas."""
        return way_up("Versions.df")(self)


class History(Sharing):
    """The past of a session that lies in a storage."""

    loaded: bool

    @property
    def stored_as(self) -> str:
        """The id as it is stored; a branch has one of its own."""
        return self._line.key

    def load(self) -> None:
        """Bring in what the store has."""
        raise NotImplementedError

    def replace(self, state: dict[Any, Any]) -> None:
        """Replace the contents of the state."""
        raise NotImplementedError

    def save(self, records: Records | None = None) -> None:
        """Save what changed."""
        raise NotImplementedError

    def _sibling(self, session_id: str, *, state: dict[Any, Any], about: About) -> Self:
        raise NotImplementedError

    def versions(self, *, last: int | None = None) -> Versions:
        """Return the versions that there are, oldest first; or so many, the last ones.

        >>> from wf_notebook.storage import open_storage
        >>> session = open_storage("memory:").session("demo")
        >>> session.state["posts"] = ["a"]; session.save()
        >>> session.state["posts"].append("b"); session.save()
        >>> [(version.version, version.changes) for version in session.versions()]
        [(1, {'posts': 'set'}), (2, {'posts': 'append'})]
        >>> session.versions(last=1)[0].summary
        'append posts'
        """

        def read(tx: Transaction) -> Sequence[tuple[Any, ...]]:
            head = tx.head(self._line.key, 0)
            return tx.versions(self._line.key, after=head.hidden if last is None else max(head.hidden, head.version - last))

        made: dict[int, Version] = {}
        for number, saved_at, run_id, key, op in self._read(read):
            moment = saved_at if isinstance(saved_at, datetime) else datetime.fromisoformat(saved_at)
            version = made.setdefault(number, Version(number, moment.replace(tzinfo=UTC), run_id, {}))
            version.changes[key_of(key)] = op  # type: ignore[index] # a dict while it is being made
        return Versions(made.values())

    def at(self, version: int) -> dict[Any, Any]:
        """Return the state as it was at a version: a dict of its own.

        Raises UnknownVersion for one that is not there.

        >>> from wf_notebook.storage import open_storage
        >>> session = open_storage("memory:").session("demo")
        >>> session.state["n"] = 1; session.save(); session.state["n"] = 2; session.save()
        >>> session.at(1), session.at(2)
        ({'n': 1}, {'n': 2})
        """
        state, blobs = self._at(version)
        with collecting_later():
            return {key_of(key): decoded(key, kept, blobs.__getitem__) for key, kept in state.items()}

    def diff(self, before: int | None = None, after: int | None = None, *, other: Self | None = None) -> Diff:
        """Return what differs between two versions of this session, or between this one and another.

        Left out, `after` is the newest version and `before` the one before it.

        >>> from wf_notebook.storage import open_storage
        >>> session = open_storage("memory:").session("demo")
        >>> session.state["n"] = 1; session.save(); session.state["n"] = 2; session.save()
        >>> session.diff()
        demo:1 → demo:2
        ~ session_state["n"] = 1 → 2
        """
        there = other if other is not None else self
        if not isinstance(there, History):
            raise BadSetting(f"other is of type {type(there).__name__!r}; give a session: storage.session('trial')")
        newest = there.newest() if after is None else after
        first = before if before is not None else self.newest() if other is not None else max(newest - 1, 0)
        (one, blobs), (two, more) = self._at(first, or_before=True), there._at(newest, or_before=True)  # noqa: SLF001 - another one of this class
        decode = partial(codec.decode, blob=(blobs | more).__getitem__)
        return diff(one, two, decode=decode, before=f"{self.session_id}:{first}", after=f"{there.session_id}:{newest}")

    def restore(self, version: int) -> None:
        """Go back to the state of a version: it becomes a new one, and what was unsaved another, so that this can be undone too.

        Raises UnknownVersion for a version that is not there, and what stands against saving: then nothing is changed.
        """
        state = self.at(version)
        self.load()
        self.save()
        self.replace(state)
        self.save()

    def fork(self, new_id: str, *, at: int | None = None) -> Self:
        """Return a new session that begins with the state of this one, which is saved first, or with that of a version.

        Raises SessionExists if there is a session of that id, UnknownVersion for a version that is not there.

        >>> from wf_notebook.storage import open_storage
        >>> session = open_storage("memory:").session("demo")
        >>> session.state["n"] = 1; session.save()
        >>> session.fork("trial").state
        {'n': 1}
        """
        storage = self._storage()
        if new_id == "":
            raise BadSetting("a fork needs an id; write fork('trial')")
        if storage.transact(lambda tx: tx.head(stored_id(new_id), 0).about, write=False) is not None:
            raise SessionExists(f"there is a session {new_id!r} already; choose another id")
        if at is None and self.loaded:
            self.save()
        state = self._now() if at is None else self.at(at)
        new = self._sibling(new_id, state=state, about=replace(self.about, session_name=None))
        new.save(Records(steps=[from_origin(stored_id(self.session_id))]))
        return new

    def compact(self, *, keep: int = 1) -> int:
        """Keep the newest versions only, and of what was before them the state that it led to; return how many went.

        Args:
            keep: How many versions can be asked for afterwards.

        >>> from wf_notebook.storage import open_storage
        >>> session = open_storage("memory:").session("demo")
        >>> for number in range(5): session.state["n"] = number; session.save()
        >>> session.compact(keep=2), [version.version for version in session.versions()], session.at(4)
        (3, [4, 5], {'n': 3})
        """
        if checked("keep", keep, (int,), "how many versions are to stay, a number") < 1:
            raise BadSetting(f"keep={keep}: the newest version is always kept; give 1 or more, or purge() the session")
        key = self._line.key
        return self._storage().transact(lambda tx: folded(tx, key, self._own_head(tx).version - keep + 1), write=True)

    def purge(self, *, older_than: datetime | timedelta | None = None) -> None:
        """Erase the session for good, or of its versions and runs what is older than that.

        >>> from wf_notebook.storage import open_storage
        >>> storage = open_storage("memory:")
        >>> session = storage.session("demo"); session.state["n"] = 1; session.save()
        >>> session.purge(); storage.session("demo").state
        {}
        """
        if self.storage is not None:
            with suppress(UnknownSession):  # it was never saved
                self.storage.purge(self.session_id, older_than=older_than)
        if older_than is None:
            self._forget()

    def _forget(self) -> None:
        """Let go of all that is known of the store, and of the state."""
        raise NotImplementedError

    def _now(self) -> dict[Any, Any]:
        """Return the state as it is stored now."""
        state, blobs = self._at(self.newest(), or_before=True)
        return {key_of(key): decoded(key, kept, blobs.__getitem__) for key, kept in state.items()}

    def kept_at(self, version: int, at_hand: Iterable[Replayed] = ()) -> Replayed:
        """Return the state as it was kept at a version, as trees: nothing in it is decoded, and no array or frame is read.

        What other versions of it that are at hand have too is taken from them. Raises UnknownVersion for one that is not there.
        """
        key = self._line.key

        def read(tx: Transaction) -> Replayed:
            hidden = checked_version(tx.head(key, 0), version, self.session_id, or_before=True)
            return replayed(tx, key, after=hidden, until=version, at_hand=at_hand)

        there: Replayed = self._read(read)
        return there

    def save_of(self, version: int | None = None) -> tuple[int, str | None]:
        """Return a version, by default the newest, and the save that made it, None before the first of all.

        A number alone may be given again, after a purge or in another file; a save's id is not. Raises UnknownVersion.
        """

        def read(tx: Transaction) -> tuple[int, str | None]:
            head = tx.head(self._line.key, version if type(version) is int else 0)
            at = head.version if version is None else version
            checked_version(head, at, self.session_id, or_before=True)
            save = head.newest_save if at == head.version else head.known_save
            return at, save if at > head.hidden else None

        made: tuple[int, str | None] = self._read(read)
        return made

    def _at(self, version: int, *, or_before: bool = False) -> tuple[Encoded, dict[str, bytes]]:
        """Return what was kept at a version, and the arrays and frames in it; before the first of all there was nothing."""

        def read(tx: Transaction) -> tuple[Encoded, dict[str, bytes]]:
            hidden = checked_version(tx.head(self._line.key, 0), version, self.session_id, or_before=or_before)
            state = replay({}, tx.changes(self._line.key, after=hidden, until=version))
            needed = set().union(*(codec.hashes(kept.tree) for kept in state.values() if kept.may_have_blobs))
            return state, tx.blobs(needed)

        there: tuple[Encoded, dict[str, bytes]] = self._read(read)
        return there

    def newest(self) -> int:
        """Return the newest version in the store, 0 while there is none."""
        newest: int = self._read(lambda tx: tx.head(self._line.key, 0).version)
        return newest

    def _read(self, work: Any) -> Any:
        return self._storage().transact(self._seeing(work), write=False)

    def _storage(self) -> SessionStorage:
        if self.storage is None:
            raise UnknownVersion(f"session {self.session_id!r} is kept in memory only, without versions; give it a storage")
        return self.storage


def folded(tx: Transaction, key: str, version: int) -> int:
    """Fold the versions before one that is to be kept; return how many those were."""
    head = tx.head(key, 0)
    first = max(head.hidden + 1, head.since)
    if not first < version <= head.version:
        return 0
    state = replay({}, tx.changes(key, after=head.hidden, until=version))
    tx.compact(key, version, [Change(text, "set", kept.text) for text, kept in state.items()])
    return version - first
