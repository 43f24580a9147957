"""A state as it was kept at a version, made of states that are at hand: only what is in none of them is read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from .changes import replay
from .errors import UnknownVersion

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from .changes import Encoded
    from .kept import Kept
    from .transaction import Head, Transaction


@dataclass(frozen=True, slots=True)
class Replayed:
    """A state as it was kept at a version, and of each key the version that changed it last: by both a value is known again."""

    kept: Encoded
    changed: Mapping[str, int]


class _Start(NamedTuple):
    """From which version on the changes of a key are to be read, and what its value was then."""

    version: int
    kept: Kept | None


def replayed(tx: Transaction, session_id: str, *, after: int, until: int, at_hand: Iterable[Replayed] = ()) -> Replayed:
    """Return the state of a session at version `until`; versions up to `after` are none of its own.

    What is at hand are states of the same session. A value that was not changed since is the same object; of one that only
    grew since, what was added is read.
    """
    others = list(at_hand)
    kept: Encoded = {}
    changed: dict[str, int] = {}
    unread: dict[int, Encoded] = {}
    for key, last, whole in tx.last_changes(session_id, after=after, until=until):
        start = max((_start(other, key, last, whole) for other in others), default=_Start(0, None), key=lambda one: one.version)
        changed[key] = last
        kept[key] = start.kept  # type: ignore[assignment] # what is not known yet is read below, and has its place in the order
        if start.version < last:
            unread.setdefault(max(start.version, after), {})[key] = start.kept  # type: ignore[assignment] # as above
    for version, starts in unread.items():
        known = {key: value for key, value in starts.items() if value is not None}
        kept |= replay(known, tx.changes(session_id, after=version, until=until, keys=list(starts)))
    return Replayed(kept, changed)


def _start(other: Replayed, key: str, last: int, whole: int) -> _Start:
    """Return what a state at hand knows of a key that was set as a whole at a version, and changed last at another."""
    version = other.changed.get(key, 0)
    return _Start(version, other.kept[key]) if whole <= version <= last and version else _Start(0, None)


def checked_version(head: Head, version: int, session_id: str, *, or_before: bool = False) -> int:
    """Return up to which version all was deleted. Raises UnknownVersion for a version that is not there."""
    first = max(head.hidden + 1, head.since)
    if type(version) is not int:
        raise UnknownVersion(f"{version!r} is no version, which is a number; {_there(first, head.version)}")
    is_before = version == first - 1 and not head.since and (or_before or version == 0)
    if not (first <= version <= head.version or is_before):
        raise UnknownVersion(f"session {session_id!r} has no version {version}; {_there(first, head.version)}")
    return head.hidden


def _there(first: int, newest: int) -> str:
    if newest < first:
        return "it has none yet"
    return f"there is only {newest}" if first == newest else f"there are {first} to {newest}"
