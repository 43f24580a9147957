"""Where two sides disagree about a session: said with what each has, and decided by whoever reads it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any, Literal

from . import codec
from .diffs import diff
from .errors import BadSetting, NoConflict, SessionConflict, UnsavableValue
from .keys import key_of
from .merging import merge
from .state import decoded

if TYPE_CHECKING:
    import threading
    from collections.abc import Iterable

    from .changes import Encoded
    from .diffs import Diff
    from .encoding import Snapshot
    from .known import Known
    from .line import Line
    from .transaction import Records, SessionStorage


class Deciding:
    """The part of a session that deals with conflicts."""

    session_id: str
    storage: SessionStorage | None
    _line: Line
    _lock: threading.RLock
    _live: dict[Any, Any]
    _base: Encoded
    _met: Encoded
    _rows: tuple[Records, ...]
    loaded: bool

    def snapshot(self) -> Snapshot:
        """Return the live state as it is kept."""
        raise NotImplementedError

    def save(self, *, run_id: str | None = None) -> None:
        """Save what changed."""
        raise NotImplementedError

    def _fetch(self) -> None:
        raise NotImplementedError

    def _grasp(self) -> Known:
        raise NotImplementedError

    def load(self) -> None:
        """Bring in what the store has."""
        raise NotImplementedError

    def _take_in(self) -> None:
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
        self._fetch()
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

    def _conflict(self, keys: tuple[str, ...], mine: Encoded, branch: str | None) -> SessionConflict:
        known = replace(self._grasp(), conflicts=keys)
        values = {
            side: {key_of(key): decoded(key, state[key], self._blob) for key in keys if key in state}
            for side, state in {"base": known.base, "mine": mine, "theirs": known.line.state}.items()
        }
        kept_in = f"{self.session_id}@{branch}" if branch else None
        return SessionConflict(known.told(mine, branch), keys=map(key_of, keys), branch=kept_in, **values)


def _listed(keys: Iterable[Any]) -> str:
    return ", ".join(map(repr, keys))
