"""The steps that were done in a session: found by what they depended on, and kept in its store."""

from __future__ import annotations

import json
import threading
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from weakref import ref

from .codec import hashes
from .done import Done, stored
from .transaction import Records, stored_id

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from .transaction import SessionStorage

#: So many characters of results are fetched with the list of the steps; more of them one by one.
AT_ONCE = 16_000_000
#: Of so many sessions the steps are remembered in the process: a cell that is run again makes its workflow anew.
REMEMBERED = 8

_remembered: dict[tuple[Any, ...], Steps] = {}


class Steps:
    """The steps of one session. Rows of the store are read once, in order; what is done here is known at once.

    >>> steps = Steps("demo")
    >>> first = Done("1", "outline", "step", "k", "#1", datetime(2026, 1, 1, tzinfo=UTC))
    >>> steps.keep(first, '{"value": "cheese"}', "[]")
    >>> steps.find("k", "#1") is first, steps.result(first), steps.find("k", "#2")
    (True, {'value': 'cheese'}, None)
    """

    def __init__(self, session_id: str, storage: SessionStorage | None = None) -> None:
        self._key = stored_id(session_id)
        self._origin: Steps | None = None
        self.belongs_to(storage)
        self._lock = threading.RLock()
        #: Of the last transaction after which all of this was so.
        self.stamp: int | None = None
        self._start_over()

    def _start_over(self) -> None:
        self._seq = 0
        self._last: str | None = None  # of the last row that was read, the step that it is of
        self._origin = None
        self._done: dict[tuple[str, str], list[Done]] = {}
        self._known: set[str] = set()
        self._met: set[str] = set()  # in the store
        self._unread: set[str] = set()  # saved from here, and not met there yet
        self._forgotten: set[str] = set()
        self._chosen: dict[tuple[str, str], str] = {}
        self._results: dict[str, str] = {}
        self._parts: dict[str, str] = {}
        self._hidden: list[dict[tuple[str, str], list[Done]]] = []
        #: What this process said last of the source of each workflow.
        self.sources: dict[tuple[int, str], str] = {}
        #: The bytes of arrays and frames in results.
        self.blobs: dict[str, bytes] = {}

    @classmethod
    def of(cls, session_id: str, storage: SessionStorage | None) -> Steps:
        """Return the steps of a session, those that this process knows already if they are in a file."""
        if getattr(storage, "file", None) is None:
            return cls(session_id, storage)
        place = (getattr(storage, "url", None), getattr(storage, "table_name", None), session_id)
        known = _remembered.pop(place, None)
        steps = _remembered[place] = known if known is not None else cls(session_id, storage)
        steps.belongs_to(storage)
        for oldest in list(_remembered)[:-REMEMBERED]:
            _remembered.pop(oldest, None)
        return steps

    @classmethod
    def beside(cls, origin: Steps) -> Steps:
        """Return steps that are kept nowhere, beside those of a session, which they know as they are now and never change."""
        origin.catch_up()
        steps = cls("")
        steps._origin = origin
        return steps

    def belongs_to(self, storage: SessionStorage | None) -> None:
        """Know the storage, and do not keep it open: it is its sessions'."""
        self._at: Callable[[], SessionStorage | None] = ref(storage) if storage is not None else lambda: None
        if self._origin is not None:
            self._origin.belongs_to(storage)

    @property
    def _storage(self) -> SessionStorage | None:
        return self._at()

    # -- from the store ----------------------------------------------------------------------------------------------------

    def go_on(self, before: int | None, after: int | None) -> None:
        """Between these stamps nobody wrote but who says so: what was known before is still all."""
        if before is not None and self.stamp == before:
            self.stamp = after

    def catch_up(self) -> None:
        """Learn what was written since; costs nothing where nobody wrote."""
        storage = self._storage
        if storage is None or (self.stamp is not None and self.stamp == storage.stamp()):
            return
        with self._lock:
            known, unread = (self._seq, self._last), set(self._unread)

            def read(tx: Any) -> tuple[bool, list[dict[str, Any]], int | None]:
                goes_on = tx.step_at(self._key, known[0]) == known[1]  # else they were purged, or it is another file
                return goes_on, tx.steps(self._key, after=known[0] if goes_on else 0, within=AT_ONCE), tx.before

            goes_on, rows, self.stamp = storage.transact(read, write=False)
            if not goes_on:
                self._start_over()
            for row in rows:
                self._learn(row)
            self._drop(unread - {row["step_id"] for row in rows})
            self._unread -= unread
            if self._origin is not None:
                self._origin.catch_up()

    def _learn(self, row: Mapping[str, Any]) -> None:
        self._seq, self._last, op = row["seq"], row["step_id"], row["op"]
        if op == "done":
            self._met.add(row["step_id"])
            if row["step_id"] not in self._known:
                self._add(Done.of(row), row["result"])
        elif op == "origin":
            self._origin = Steps("", self._storage)
            self._origin._key = row["key"]  # noqa: SLF001 - of its own kind
        elif op == "deleted":
            self._hidden.append(self._done)
            self._done = {}
        elif op == "restored" and self._hidden:
            self._done = self._hidden.pop() | self._done
        else:
            self._heard(op, row)

    def _add(self, done: Done, result: str | None) -> None:
        self._known.add(done.step_id)
        self._done.setdefault((done.key, done.place), []).append(done)
        if result is not None:
            self._results[done.step_id] = result

    def _drop(self, gone: set[str]) -> None:
        """Know nothing of steps that were erased from the store."""
        if gone:
            self._known -= gone
            for place, takes in list(self._done.items()):
                self._done[place] = [done for done in takes if done.step_id not in gone]

    def _heard(self, op: str, row: Mapping[str, Any]) -> None:
        if op == "forgotten":
            self._forgotten.add(row["step_id"])
        elif op == "chosen":
            self._chosen[row["key"], row["place"]] = row["step_id"]

    # -- asked -------------------------------------------------------------------------------------------------------------

    def find(self, key: str, place: str) -> Done | None:
        """Return the step that is remembered under this key in this place: the take that was chosen, else the newest."""
        takes, chosen = self.takes(key, place), self._choice(key, place)
        return next((done for done in takes if done.step_id == chosen), takes[-1] if takes else None)

    def _choice(self, key: str, place: str) -> str | None:
        """Return which take was chosen, here or else where these steps come from."""
        here = self._chosen.get((key, place))
        return here if here is not None or self._origin is None else self._origin._choice(key, place)  # noqa: SLF001 - of its own kind

    def takes(self, key: str, place: str) -> list[Done]:
        """Return all that was done under this key in this place, oldest first."""
        return self._left([*(self._origin.takes(key, place) if self._origin else ()), *self._done.get((key, place), ())])

    def all(self) -> list[Done]:
        """Return all steps that are remembered, oldest first."""
        mine = sorted((done for takes in self._done.values() for done in takes), key=lambda done: done.made_at)
        return self._left([*(self._origin.all() if self._origin else ()), *mine])

    def _left(self, steps: list[Done]) -> list[Done]:
        return [done for done in steps if done.step_id not in self._forgotten] if self._forgotten else steps

    def last(self, kind: str, name: str, place: str, nth: int) -> Done | None:
        """Return what was done last where this one would be: under its name, the n-th of that name in its branch."""
        lane = place.rpartition("#")[0]
        there = [d for d in self.all() if (d.name, d.kind, d.nth) == (name, kind, nth) and d.place.rpartition("#")[0] == lane]
        return there[-1] if there else None

    def result(self, done: Done) -> Any:
        """Return what a step gave, as a tree; None if it is not there any more."""
        return self._text(done, "result")

    def parts(self, done: Done) -> Any:
        """Return what the key of a step was made of; None if it is not there any more."""
        return self._text(done, "parts")

    def _text(self, done: Done, column: str) -> Any:
        known = self._results if column == "result" else self._parts
        if done.step_id not in known and self._origin is not None and done.step_id in self._origin:
            return self._origin._text(done, column)  # noqa: SLF001 - of its own kind
        if done.step_id not in known and (storage := self._storage) is not None:
            known |= storage.transact(lambda tx: tx.step_texts([done.step_id], column), write=False)
        text = known.get(done.step_id)
        return None if text is None else json.loads(text)

    def __contains__(self, step_id: str) -> bool:
        return step_id in self._known or (self._origin is not None and step_id in self._origin)

    def blob(self, content_hash: str) -> bytes:
        """Return the bytes of an array or a frame; KeyError if they are not there any more."""
        if content_hash not in self.blobs and self._storage is None and self._origin is not None:
            return self._origin.blob(content_hash)
        if content_hash not in self.blobs and (storage := self._storage) is not None:
            self.blobs |= storage.transact(lambda tx: tx.blobs([content_hash]), write=False)
        return self.blobs[content_hash]

    def trim(self, limit: int, used: set[str]) -> int:
        """Erase the steps that were done first until the others take no more than so many characters; return how many went.

        Those that were `used` last stay as long as there are others.
        """
        storage = self._storage
        if storage is None:
            return 0

        def work(tx: Any) -> list[str]:
            sizes = tx.step_sizes(self._key)
            left, gone = sum(size for _, size in sizes), []
            for step_id, size in sorted(sizes, key=lambda one: one[0] in used):
                if left <= limit:
                    break
                gone.append(step_id)
                left -= size
            tx.erase_steps(self._key, gone)
            return gone

        with self._lock:
            gone = storage.transact(work, write=True)
            self._drop(set(gone))
            return len(gone)

    # -- said --------------------------------------------------------------------------------------------------------------

    def keep(self, done: Done, result: str, parts: str) -> None:
        """Remember a step that was just done."""
        with self._lock:
            self._add(done, result)
            self._parts[done.step_id] = parts

    def records(self, done: Done) -> Records:
        """Return the rows of a step, to be saved."""
        result = self._results[done.step_id]
        needed = hashes(json.loads(result)) if '"blob' in result else ()
        blobs = {name: self.blobs[name] for name in needed if name in self.blobs}
        return Records(steps=[{**done.row(), "result": result, "parts": self._parts.get(done.step_id), "blobs": blobs}])

    def saved(self, done: Done) -> None:
        """Know that the rows of a step are in the store."""
        with self._lock:
            if done.step_id not in self._met:
                self._unread.add(done.step_id)

    def say(self, op: str, steps: Iterable[Done]) -> Records:
        """Say of steps that they are "forgotten" or "chosen"; return the rows that say so."""
        now = stored(datetime.now(UTC))
        rows = [{**done.row(), "op": op, "happened_at": now} for done in steps]
        with self._lock:
            for row in rows:
                self._heard(op, row)
        return Records(steps=rows)
