"""What a step writes into session_state without reading it first: nothing of its key says what stood there before."""

from __future__ import annotations

from contextlib import suppress
from hashlib import blake2b
from typing import TYPE_CHECKING, Any

from ..changes import Change
from ..errors import UnsavableValue
from ..keys import key_of, stored_key

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from ..changes import Encoded
    from ..encoding import Snapshot
    from ..kept import Kept
    from ..keying import Key

#: The keys that a step may have written with what stood there already, and the digests of that.
Needs = dict[str, str]


def whole(changes: list[Change], before: Encoded, after: Encoded, key: Key, needs: Needs) -> list[Change]:
    """Return changes with what was written blindly as whole values, and note in `needs` what that leaves open.

    A key that holds what it held before may have been written all the same: what is remembered counts only where it holds that.
    """
    written = set(_written(changes, before, key))
    changed = {change.key for change in changes}
    for name in written - changed:
        if name in before:
            needs.setdefault(name, _digest(before[name]))
    sets = [Change(name, "set", after[name].text) for name in sorted(written & changed & after.keys())]
    return [change for change in changes if change.key not in written or change.key not in after] + sets


def open_after(needs: Needs, changes: list[Change]) -> Needs:
    """Return what is still open after all changes: a key that was changed is known to have been written.

    >>> open_after({"a": "…", "b": "…"}, [Change("a", "set", "1")])
    {'b': '…'}
    """
    changed = {change.key for change in changes}
    return {name: digest for name, digest in needs.items() if name not in changed}


def unmet(needs: Needs, snapshot: Callable[[], Snapshot]) -> str:
    """Return why a step cannot come from the store in a state, nothing if it can.

    >>> from wf_notebook.encoding import Snapshot
    >>> from wf_notebook.kept import Kept
    >>> needs = {"k": _digest(Kept.of(3))}
    >>> unmet(needs, lambda: Snapshot({"k": Kept.of(3)}, {})), unmet(needs, lambda: Snapshot({}, {}))
    ('', "session_state['k'] is not what it was")
    """
    state = snapshot().kept if needs else {}
    for name, digest in needs.items():
        if name not in state or _digest(state[name]) != digest:
            return f"session_state[{key_of(name)!r}] is not what it was"
    return ""


def _written(changes: list[Change], before: Encoded, key: Key) -> Iterator[str]:
    """Yield the keys that may have been written blindly: those that the code names; of others, those of which that is likely."""
    read = set(_stored(key.state.read))
    yield from set(_stored(key.state.written)) - read
    if key.state.anywhere:
        yield from ({change.key for change in changes} or set(before)) - read


def _stored(keys: Iterable[Any]) -> Iterator[str]:
    for key in keys:
        with suppress(UnsavableValue):  # such a key keeps the step from being remembered
            yield stored_key(key)


def _digest(kept: Kept) -> str:
    return blake2b(kept.packed, digest_size=16).hexdigest()
