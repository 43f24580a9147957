"""A live state, read at one moment: the bytes of each value; for a long one that did not change, a glance is enough."""

from __future__ import annotations

from itertools import repeat
from marshal import dumps
from typing import TYPE_CHECKING, Any, NamedTuple

from .kept import packed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

#: Formats of `marshal`. The quick one copies texts as they lie in memory, which takes less than half the time; but it tells an
#: object that is met again from one that is equal, so equal values may differ in it. Equal bytes are equal values in both.
EXACT, QUICK = 2, 4
#: A value of fewer bytes is always read exactly.
LONG = 4096

_NOTHING = object()


class Glance:
    """Reads a state again and again.

    >>> glance, state = Glance(), {"n": 1, "posts": ["x" * 5000], "odd": object()}
    >>> [glance.read(state) == {"n": packed(1), "posts": packed(["x" * 5000]), "odd": None} for _ in range(4)]
    [True, True, True, True]
    >>> state["posts"].append("new"); glance.read(state)["posts"] == packed(["x" * 5000, "new"])
    True
    """

    def __init__(self) -> None:
        self._known = _NOTHING_YET

    def read(self, state: Mapping[Any, Any]) -> dict[Any, bytes | None]:
        """Return the exact bytes of each key's value, None for a value that is no plain data."""
        known = self._known  # of one moment, whichever thread reads meanwhile
        seen = known.look(state)
        while moved := {key for key, (data, _) in seen.items() if known.quick.get(key, data) != data}:
            # Or so it seems: look again, exactly.
            known = known._replace(quick={key: data for key, data in known.quick.items() if key not in moved})
            seen = known.look(state)
        now = _Known({}, {}, {})
        for key, (data, glanced) in seen.items():
            before = known.exact.get(key)
            if key in known.quick:
                now.exact[key], now.quick[key] = before, known.quick[key]
                continue
            now.exact[key] = before if data == before else data
            if key in known.still:
                now.quick[key] = glanced
            elif data is not None and len(data) > LONG and data == before:
                now.still[key] = key
        self._known = now
        return dict(now.exact)


class _Known(NamedTuple):
    """What was read the last time."""

    exact: dict[Any, bytes | None]
    #: Of values that stood still, their quick bytes at a moment when the exact ones were these.
    quick: dict[Any, bytes]
    #: Keys of values that stood still once: the next time both are taken.
    still: dict[Any, Any]

    def look(self, state: Mapping[Any, Any]) -> dict[Any, tuple[bytes | None, bytes]]:
        """Return of each value its bytes in the format that it is read in, and of those that stood still the quick ones too.

        The lines that read plain values are C from end to end, so no other thread runs in the middle of them.
        """
        while True:
            try:
                return dict(zip(state.keys(), self._bytes(state.values(), state.keys, state), strict=True))
            except RuntimeError:  # a finaliser changed the state under our hands: look again
                continue
            except ValueError:  # some value is no plain data: find out which, then read all others together
                every = list(state.items())
            plain = [key for key, value in every if _is_plain(value)]
            others: dict[Any, tuple[bytes | None, bytes]] = {key: (None, b"") for key, _ in every}
            try:
                values = map(state.__getitem__, plain)
                return others | dict(zip(plain, self._bytes(values, plain.copy, state), strict=True))
            except (KeyError, ValueError):  # it was changed in between: look again
                continue

    def _bytes(
        self, values: Iterable[Any], keys: Callable[[], Iterable[Any]], state: Mapping[Any, Any]
    ) -> Iterator[tuple[bytes, bytes]]:
        formats = map(dict.fromkeys(self.quick, QUICK).get, keys(), repeat(EXACT))
        still = map(self.still.get, keys(), repeat(_NOTHING))
        return zip(map(dumps, values, formats), map(dumps, map(state.get, still), repeat(QUICK)), strict=True)


#: Never changed: what is read next is known anew.
_NOTHING_YET = _Known({}, {}, {})


def _is_plain(value: Any) -> bool:
    try:
        packed(value)
    except ValueError:
        return False
    return True
