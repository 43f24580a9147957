"""Where two sides disagree about a session: said with what each has, and decided by whoever reads it."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, Literal

from . import codec
from .codec.kind import json_text
from .diffs import diff
from .errors import BadSetting, NoConflict, SessionConflict, UnsavableValue
from .kept import tag
from .keys import key_of
from .merging import merge
from .state import decoded

if TYPE_CHECKING:
    import threading
    from collections.abc import Iterable

    from .changes import Encoded
    from .diffs import Diff
    from .encoding import Snapshot
    from .kept import Kept
    from .line import Line
    from .transaction import Records, SessionStorage, Transaction

#: Characters of a value in a message.
_BRIEF = 40
#: What has rows, by its tag.
_ROWS = {"$dataframe": "frame", "$table": "table", "$series": "series", "$index": "index", "$array": "array"}


class Deciding:
    """The part of a session that deals with conflicts."""

    session_id: str
    storage: SessionStorage | None
    _line: Line
    _lock: threading.RLock
    _live: dict[Any, Any]
    _base: Encoded
    _met: Encoded
    _rows: list[Records]
    loaded: bool

    def snapshot(self) -> Snapshot:
        """Return the live state as it is kept."""
        raise NotImplementedError

    def save(self, *, run_id: str | None = None) -> None:
        """Save what changed."""
        raise NotImplementedError

    def load(self) -> None:
        """Bring in what the store has."""
        raise NotImplementedError

    def _take_in(self) -> None:
        raise NotImplementedError

    def _fetch(self, tx: Transaction) -> None:
        raise NotImplementedError

    def _blob(self, content_hash: str) -> bytes:
        raise NotImplementedError

    @property
    def unsaved(self) -> bool:
        """Whether something here is not in the store yet."""
        if self.storage is None or not self.loaded:
            return False
        snapshot = self.snapshot()
        return bool(self._rows or snapshot.refused) or snapshot.kept != self._base

    def write(self, *, run_id: str | None = None) -> None:
        """Save, and bring what others saved meanwhile into the live dict; raises what `save` does.

        >>> from wf_notebook.storage import open_storage
        >>> storage = open_storage("memory:")
        >>> one, two = storage.session("demo"), storage.session("demo")
        >>> one.state["mine"], two.state["theirs"] = 1, 2
        >>> two.save(); one.write(); one.state
        {'mine': 1, 'theirs': 2}
        """
        with self._lock:
            refusal = None
            try:
                self.save(run_id=run_id)
            except UnsavableValue as error:  # everything else is saved
                refusal = error
            if self._base != self._line.state:
                self._take_in()
            if refusal is not None:
                raise refusal

    def conflict(self) -> Diff:
        """Return what is in the store against what is here, of each key that was changed on both sides; empty if none was.

        >>> from wf_notebook.storage import open_storage
        >>> storage = open_storage("memory:")
        >>> one, two = storage.session("demo"), storage.session("demo")
        >>> one.state["n"], two.state["n"] = 1, 2
        >>> one.save()
        >>> two.conflict()
        demo:1 (theirs) → mine (unsaved)
        ~ session_state["n"] = 1 → 2
        """
        with self._lock:
            keys = self._in_conflict()
            theirs, mine = self._line.state, self.snapshot().kept
            return diff(
                {key: theirs[key] for key in keys if key in theirs},
                {key: mine[key] for key in keys if key in mine},
                decode=partial(codec.decode, blob=self._blob),
                before=f"{self.session_id}:{self._line.version} (theirs)",
                after="mine (unsaved)",
                equal_too=True,  # two who made 1 a 2 have counted to 3
            )

    def resolve(self, choice: Literal["mine", "theirs"] | Mapping[Any, Any], *, keys: Iterable[Any] | None = None) -> None:
        """Decide a conflict, and save: by "mine" or "theirs" for all keys that were changed on both sides, or by their values.

        `keys` are those that "mine" or "theirs" is for, if it is not for all; what is decided by neither is a SessionConflict
        still. Raises NoConflict where there is none (nothing is saved then), and BadSetting for keys that are in none.

        >>> from wf_notebook.storage import open_storage
        >>> storage = open_storage("memory:")
        >>> one, two = storage.session("demo"), storage.session("demo")
        >>> one.state["n"], two.state["n"] = 1, 2
        >>> one.save()
        >>> two.resolve({"n": 3}); storage.session("demo").state
        {'n': 3}
        """
        if not isinstance(choice, Mapping) and choice not in ("mine", "theirs"):
            raise BadSetting(f"{choice!r} is no choice; it is 'mine', 'theirs' or a dict of the values")
        with self._lock:
            conflicts = {key_of(text): text for text in self._in_conflict()}
            if not conflicts:
                raise NoConflict(f"session {self.session_id!r} is in no conflict, so there is nothing to decide")
            decided = list(choice) if isinstance(choice, Mapping) else list(conflicts if keys is None else keys)
            if others := [key for key in decided if key not in conflicts]:
                raise BadSetting(f"in no conflict: {_listed(others)}; in conflict: {_listed(conflicts)}")
            for key in decided:
                self._decide(key, conflicts[key], choice)
            self.write()

    def _in_conflict(self) -> tuple[str, ...]:
        """Return the keys that were changed on both sides, as of now."""
        if self.storage is None:
            return ()
        if not self.loaded:
            self.load()
        self.storage.transact(self._fetch, write=False)
        return merge(self._base, self.snapshot().kept, self._line.state, self._met).conflicts

    def _decide(self, key: Any, text: str, choice: Any) -> None:
        theirs = self._line.state.get(text)
        if isinstance(choice, Mapping):
            self._live[key] = choice[key]
        elif choice == "theirs" and theirs is not None:
            self._live[key] = decoded(text, theirs, self._blob)
        elif choice == "theirs":
            self._live.pop(key, None)
        self._base = {other: kept for other, kept in self._base.items() if other != text}
        self._met = {other: kept for other, kept in self._met.items() if other != text}
        if theirs is not None:
            self._base[text] = theirs

    def _told(self, keys: tuple[str, ...], mine: Encoded, branch: str | None) -> str:
        """Return what is said of keys that were changed on both sides; `branch` says where mine were kept."""
        key, others, theirs = keys[0], len(keys) - 1, self._line.state
        kept = f"yours are kept, in storage.session({self.session_id!r}, branch={branch!r}); " if branch else ""
        return (
            f"session {self.session_id!r} was changed elsewhere: {key_of(key)!r} was {_brief(self._base.get(key), 'absent')}, "
            f"is {_brief(mine.get(key))} here and "
            f"{_brief(theirs.get(key))} in the store{f' (and {others} more)' if others else ''}; {kept}"
            "choose by the workflow's session.resolve('mine'), 'theirs', or a dict of the values"
        )

    def _conflict(self, keys: tuple[str, ...], mine: Encoded, branch: str | None) -> SessionConflict:
        sides = {"base": self._base, "mine": mine, "theirs": self._line.state}
        values = {side: self._values(state, keys) for side, state in sides.items()}
        kept_in = f"{self.session_id}@{branch}" if branch else None
        return SessionConflict(self._told(keys, mine, branch), keys=map(key_of, keys), branch=kept_in, **values)

    def _values(self, state: Encoded, keys: tuple[str, ...]) -> dict[Any, Any]:
        return {key_of(key): decoded(key, state[key], self._blob) for key in keys if key in state}


def _listed(keys: Iterable[Any]) -> str:
    return ", ".join(map(repr, keys))


def _brief(kept: Kept | None, none: str = "deleted") -> str:
    if kept is None:
        return none
    text = _shape(kept.tree) if kept.may_have_blobs else kept.text
    return text if len(text) <= _BRIEF else text[: _BRIEF - 1] + "…"


def _shape(tree: Any) -> str:
    """Return what a tree says of a frame or an array, whose bytes may be in the store; inside a save nobody can look there."""
    kind = tag(tree)
    if kind == "$ndarray":
        return f"array {' × '.join(map(str, tree['shape']))}"
    if kind in _ROWS:
        return f"{_ROWS[kind]} {' × '.join([str(tree['rows']), *([str(len(tree['columns']))] if 'columns' in tree else [])])}"
    return json_text(tree)
