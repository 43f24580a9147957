"""Where two sides disagree about a session: said with what each has, and decided by whoever reads it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Literal

from .errors import BadSetting, SessionConflict
from .keys import key_of
from .merging import merge
from .state import decoded

if TYPE_CHECKING:
    import threading
    from collections.abc import Mapping

    from .changes import Encoded
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

    def save(self) -> None:
        """Save what changed."""
        raise NotImplementedError

    def _fetch(self) -> None:
        raise NotImplementedError

    def _grasp(self) -> Known:
        raise NotImplementedError

    def _blob(self, content_hash: str) -> bytes:
        raise NotImplementedError

    @property
    def unsaved(self) -> bool:
        """Whether something here is not in the store yet."""
        return self.storage is not None and self.loaded and (bool(self._rows) or self.snapshot().kept != self._base)

    def resolve(self, choice: Literal["mine", "theirs"] | Mapping[Any, Any]) -> None:
        """Decide a conflict, and save: by "mine" or "theirs" for all keys that were changed on both sides, or by their values.

        >>> from wf_notebook.storage import open_storage
        >>> storage = open_storage("memory:")
        >>> one, two = storage.session("demo"), storage.session("demo")
        >>> one.state["n"], two.state["n"] = 1, 2
        >>> one.save()
        >>> two.resolve({"n": 3}); storage.session("demo").state
        {'n': 3}
        """
        with self._lock:
            if isinstance(choice, str) and choice not in {"mine", "theirs"}:
                raise BadSetting(f"{choice!r} is no choice; it is 'mine', 'theirs' or a dict of the values")
            if self.storage is None:
                return
            self._fetch()
            theirs = self._line.state
            for text in merge(self._base, self.snapshot().kept, theirs, self._met).conflicts:
                key = key_of(text)
                if choice == "theirs" and text in theirs:
                    self._live[key] = decoded(text, theirs[text], self._blob)
                elif choice == "theirs":
                    self._live.pop(key, None)
                elif not isinstance(choice, str) and key in choice:
                    self._live[key] = choice[key]
                elif choice != "mine":
                    continue  # not decided: the save says so
                self._base = {other: kept for other, kept in self._base.items() if other != text}
                self._met = {other: kept for other, kept in self._met.items() if other != text}
                if text in theirs:
                    self._base[text] = theirs[text]
            self.save()

    def _conflict(self, keys: tuple[str, ...], mine: Encoded, branch: str | None) -> SessionConflict:
        known = replace(self._grasp(), conflicts=keys)
        values = {
            side: {key_of(key): decoded(key, state[key], self._blob) for key in keys if key in state}
            for side, state in {"base": known.base, "mine": mine, "theirs": known.line.state}.items()
        }
        kept_in = f"{self.session_id}@{branch}" if branch else None
        return SessionConflict(known.told(mine, branch), keys=map(key_of, keys), branch=kept_in, **values)
