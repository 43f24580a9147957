"""Whether somebody saved: a storage's files are looked at, and nothing is read, for as long as somebody wants to know."""

from __future__ import annotations

import os
import threading
import time
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..storage.place import Signature

    #: Looks at what is new, and says whether it could: if not, it is called again after a while. It raises nothing.
    Listener = Callable[["Look"], bool]

#: Seconds between two looks, between two of which something is told, and between two tries while nothing can be read.
EVERY, PAUSE, AGAIN = 0.1, 0.3, 1.0
#: A file that was written so many nanoseconds ago may be written again without another time: clocks of files are coarse.
COARSE = 20_000_000


class Look(NamedTuple):
    """What was found: the sign of the storage, and whether something may have been saved since the look before."""

    sign: Signature
    is_new: bool


class Watch:
    """Looks at one storage, in a thread that is there while somebody listens."""

    _all: dict[Any, Watch] = {}  # noqa: RUF012 - one for each storage in this process, on purpose
    _lock = threading.RLock()

    def __init__(self, storage: Any) -> None:
        self._storage = storage
        self._listeners: list[Listener] = []
        self._ended = threading.Event()
        self._due: set[Listener] = set()
        self._seen: Signature = storage.sign()

    @classmethod
    def listen(cls, storage: Any, listener: Listener) -> Callable[[], None]:
        """Call `listener` in the watching thread whenever somebody saved; return what ends that."""
        key = storage.file or id(storage)
        with cls._lock:
            watch = cls._all.get(key)
            if watch is None:
                watch = cls._all[key] = cls(storage)
                threading.Thread(target=watch._work, name="wf_notebook-watch", daemon=True).start()
            watch._listeners.append(listener)
        return lambda: watch._leave(key, listener)

    @classmethod
    def call(cls, storage: Any, listener: Listener) -> None:
        """Call a listener at the next look, whatever is found: something could not be read."""
        if (watch := cls._all.get(storage.file or id(storage))) is not None:
            watch._due.add(listener)  # noqa: SLF001 - its own

    def _leave(self, key: Any, listener: Listener) -> None:
        with self._lock:
            if listener in self._listeners:
                self._listeners.remove(listener)
            if not self._listeners:
                self._ended.set()
                if self._all.get(key) is self:
                    del self._all[key]

    def _work(self) -> None:
        failed: set[Listener] = set()
        told = -AGAIN
        while not self._ended.wait(EVERY):
            began = time.monotonic()
            if began - told < PAUSE:
                continue
            at, now = time.time_ns(), self._storage.sign()
            look = Look(now, is_new=now != self._seen)
            due, self._due = self._due, set()
            late = failed if began - told >= AGAIN else set()
            if not (look.is_new or due or late):
                continue
            self._seen = now if _is_settled(now, at) else (*now, None)
            for listener in list(self._listeners):
                if look.is_new or listener in due or listener in late:
                    (failed.discard if listener(look) else failed.add)(listener)
            failed &= set(self._listeners)
            told = time.monotonic()


def _is_settled(sign: Signature, at: int) -> bool:
    """Say whether any save after that moment will be seen by another sign."""
    return all(part is None or not 0 <= at - part[0] < COARSE for part in sign)


def _forget() -> None:
    """In a forked child no thread looks at anything, and no page is there that it would look for."""
    Watch._all, Watch._lock = {}, threading.RLock()  # noqa: SLF001 - this module's own


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget)
