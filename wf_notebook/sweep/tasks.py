"""What is to do of a sweep: a task for each row, in the order of the rows; of those that were done before, what they gave."""

from __future__ import annotations

import json
import re
import threading
from collections import Counter
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from hashlib import blake2b
from itertools import islice
from typing import TYPE_CHECKING, Any, Protocol

from ..cache.given import given_of
from ..errors import StorageFailed
from ..keying import Keyer, Uncacheable, value_digest
from ..redact import redact
from ..transaction import stored_id
from .row import Row
from .session import KIND

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from ..storage.finished import Finished
    from .rows import Rows

#: So many rows are looked at once, beyond the first ones.
AHEAD = 500
#: Characters of an input in the id of a session; and so many of it are looked at, as there may be a secret in them.
_SLUG, _LOOKED_AT = 24, 1000


@dataclass(frozen=True, slots=True)
class Task:
    """A row to do. Where `done` is there, it was done before.

    `key` is what the row depends on, its code and its inputs, None where that cannot be told; `is_new` says that nothing is in
    the store of its session; `past` is the run that had done it before it was to be done now.
    """

    number: int
    given: dict[str, Any]
    inputs: dict[str, Any]
    session_id: str
    key: str | None = None
    is_new: bool = True
    past: str | None = None
    done: Row | None = None


class Knows(Protocol):
    """What knows of rows that were done."""

    def looked_up(self, tasks: Sequence[Task]) -> Iterator[Task]:
        """Yield tasks with what is known of each; it may leave out some for later."""

    def rest(self) -> Iterator[Task | float]:
        """Yield what was left out; where that cannot be done yet, how long to wait, in seconds."""


class Tasks:
    """The tasks of a sweep, handed out one by one to whichever thread asks."""

    def __init__(self, rows: Rows, names: Names | OneName, keys: Keys | None, known: Knows | None) -> None:
        self._rows, self._names, self._keys, self._known = enumerate(rows), names, keys, known
        self._lock = threading.Lock()
        #: What kept the next row from being read.
        self._unread: BaseException | None = None
        self._tasks = self._chunked()

    def next(self) -> Task | float | None:
        """Return the next task, None when there is none; where others do those that are left, how long to wait, in seconds.

        What keeps one from being read, or looked up, is raised once.
        """
        with self._lock:
            return next(self._tasks, None)

    def _chunked(self) -> Iterator[Task | float]:
        """Yield tasks; raises what kept a row from being read, after those before it."""
        many = 8  # the first rows are not kept waiting for those that come slowly
        while rows := self._read(many):
            if self._keys is not None:
                self._keys.look()
            chunk = [self._task(number, *row) for number, row in rows]
            yield from self._known.looked_up(chunk) if self._known is not None else chunk
            many = min(AHEAD, many * 4)
        if self._known is not None:
            yield from self._known.rest()
        if self._unread is not None:
            raise self._unread

    def _read(self, many: int) -> list[tuple[int, tuple[dict[str, Any], dict[str, Any]]]]:
        """Return the next rows, so many at most; what is in the way of one is kept until those before it are handed out."""
        rows: list[tuple[int, tuple[dict[str, Any], dict[str, Any]]]] = []
        if self._unread is None:
            try:
                rows.extend(islice(self._rows, many))  # those that came before an error are in it
            except BaseException as error:  # noqa: BLE001 - whatever the user's generator raises
                self._unread = error
        return rows

    def _task(self, number: int, given: dict[str, Any], inputs: dict[str, Any]) -> Task:
        try:
            digest = value_digest(inputs)
        except Uncacheable:
            return Task(number, given, inputs, self._names.at(number))
        return Task(number, given, inputs, self._names.of(inputs, digest), self._keys.of(digest) if self._keys else None)


class OneName:
    """The id of the session that all rows have in common."""

    def __init__(self, name: str) -> None:
        self._name = name

    def of(self, inputs: dict[str, Any], digest: str) -> str:
        """Return it."""
        return self._name

    def at(self, number: int) -> str:
        """Return it."""
        return self._name


class Names:
    """The ids of the sessions of rows: the same for the same inputs, whenever and wherever.

    >>> names = Names("blog")
    >>> [names.of({"topic": topic}, value_digest(topic)) for topic in ("Cheese & wine", "Cheese & wine")]
    ['blog/cheese-wine-56b04a22eb7ebf2b', 'blog/cheese-wine-56b04a22eb7ebf2b-2']
    """

    def __init__(self, name: str, user: str | None = None) -> None:
        self._name, self._user = name, user
        self._met: set[int] = set()
        self._again: Counter[int] = Counter()

    def of(self, inputs: dict[str, Any], digest: str) -> str:
        """Return the id of the session of a row with these inputs, of which that is the digest; each user has their own."""
        if self._user is not None:
            digest = value_digest((self._user, digest))
        name, met = f"{self._name}/{_slug(inputs)}{digest[:16]}", int(digest[:16], 16)
        if met not in self._met:
            self._met.add(met)
            return name
        self._again[met] += 1
        return f"{name}-{self._again[met] + 1}"

    def at(self, number: int) -> str:
        """Return the id of the session of a row whose inputs have no content to tell it by: it is told by its place."""
        return f"{self._name}/row-{number}"


def _slug(inputs: dict[str, Any]) -> str:
    """Return the beginning of the first input that is a text or a number, as it can stand in an id; of a secret nothing."""
    for value in inputs.values():
        if type(value) in {str, int}:
            if redact(text := str(value)[:_LOOKED_AT]) != text:
                return ""
            slug = re.sub(r"[^a-z0-9]+", "-", text[: 2 * _SLUG].lower()).strip("-")[:_SLUG].strip("-")
            return f"{slug}-" if slug else ""
    return ""


class Keys:
    """What a row depends on: the code of run() and what that reaches, the state that it begins with, and the inputs.

    Rows of one session begin with whatever the others left: for them it does not count, and a row that is done is done.
    """

    def __init__(self, method: Callable[..., Any], probe: Callable[[], Any], state: dict[str, Any]) -> None:
        self._keyer, self._probe = Keyer(method, bound=True, reads_state=False), probe()
        self._state = value_digest(state).encode()
        self._code: bytes | None = None

    def look(self) -> None:
        """Look at the code: what it is from now on counts."""
        try:
            self._code = self._keyer.code(self._probe)
        except Uncacheable:
            self._code = None

    def of(self, digest: str) -> str | None:
        """Return the key of a row whose inputs have this digest, None where it cannot be told what it depends on."""
        if self._code is None:
            return None
        return blake2b(self._code + self._state + digest.encode(), digest_size=16).hexdigest()


class Recall:
    """What a store knows of rows that were done before."""

    def __init__(self, storage: Any, *, uses: bool) -> None:
        self._storage, self._uses = storage, uses
        self._last: dict[str, dict[str, Finished]] = {}

    def looked_up(self, tasks: Sequence[Task], *, anew: bool = False) -> Iterator[Task]:
        """Yield tasks with what is known of each; `anew` also of the session that all rows are in."""
        ids = [stored_id(task.session_id) for task in tasks]
        if anew or not self._last.keys() >= {*ids}:  # but where all rows are in one session
            found: dict[str, list[Finished]] = self._storage.finished(list(dict.fromkeys(ids)), KIND)
            self._last = {key: {one.key: one for one in several} for key, several in found.items()}
        for task, key in zip(tasks, ids, strict=True):
            known = self._last.get(key)
            yield task if known is None else self._known(task, known.get(task.key or ""), uses=self._uses)

    def rest(self) -> Iterator[Task]:
        """Yield nothing: none is left out."""
        return iter(())

    def ended(self, task: Task) -> Task:
        """Return a task that was begun with what is known of it now: it is done if another run than that before has done it."""
        key = stored_id(task.session_id)
        found: list[Finished] | None = self._storage.finished([key], KIND).get(key)
        if found is None:
            return task
        one = {one.key: one for one in found}.get(task.key or "")
        return self._known(task, one, uses=one is not None and one.run_id != task.past)

    def _known(self, task: Task, one: Finished | None, *, uses: bool) -> Task:
        row = None if one is None or not uses else recalled(self._storage, task.number, task.given, task.session_id, one)
        return replace(task, is_new=False, past=None if one is None else one.run_id, done=row)


def recalled(storage: Any, number: int, given: dict[str, Any], session_id: str, one: Finished) -> Row | None:
    """Return a row as it was done; None for what is damaged, or made of classes that are not here."""

    def blob(content_hash: str) -> bytes:
        found: dict[str, bytes] = storage.transact(lambda tx: tx.blobs([content_hash]), write=False)
        return found[content_hash]

    try:
        was = given_of(json.loads(one.result or "null"), blob)
    except (StorageFailed, ValueError, LookupError, TypeError):
        return None
    began = one.began_at if isinstance(one.began_at, datetime) else datetime.fromisoformat(one.began_at)
    return Row(
        number,
        given,
        "completed",
        was.value,
        hit=True,
        session_id=session_id,
        run_id=one.run_id,
        started_at=began.replace(tzinfo=UTC),
        duration=one.seconds,
        models=tuple(was.used.get("models", ())),
        input_tokens=one.input_tokens or 0,
        output_tokens=one.output_tokens or 0,
        cost=one.cost,
    )
