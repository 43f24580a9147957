"""What a step does besides what it gives, while its code goes on: to the state, and to the object whose method it is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..errors import UnsavableValue
from .blind import changes_of
from .whose import own_changes

if TYPE_CHECKING:
    from ..changes import Change, Encoded
    from ..keying import Key
    from ..session import Session
    from .blind import Needs


class Stretch:
    """The stretches of time in which the code of a step goes on, and what it does in them besides what it gives.

    `owner` is the object whose method it is; `beside` says whether run() goes on beside it, as it does beside a tool.
    """

    def __init__(self, session: Session, owner: object, workflow: object, *, beside: bool) -> None:
        self._session, self._owner, self._workflow, self._beside = session, owner, workflow, beside
        self._before: Encoded | None = None
        self._attributes: dict[str, Any] = {}
        self.changes: list[Change] = []
        self.needs: Needs = {}

    def begin(self, *, touches: bool) -> None:
        """A stretch begins; `touches` says whether it may change the state."""
        self._attributes = dict(getattr(self._owner, "__dict__", ()))
        self._before = self._session.snapshot().kept if touches else None

    def end(self, key: Key) -> str | None:
        """A stretch ends: note what was changed; return why the step cannot be remembered, if so."""
        if (name := self._set()) is not None:
            return f"it set self.{name}, which would not be set when it comes from the store; keep that in session_state"
        if self._before is None:
            return None
        snapshot = self._session.snapshot()
        if snapshot.refused:
            return f"session_state cannot be kept: {UnsavableValue.joined(snapshot.refused.values())}"
        changes = changes_of(self._before, snapshot.kept, key, self._workflow, self.needs)
        unclear = None
        if changes and self._beside:
            changes, unclear = own_changes(changes, key, self._workflow)
        self.changes += changes
        return None if unclear is None else f"it cannot be told whether it was this that changed session_state[{unclear!r}]"

    def _set(self) -> str | None:
        """Return an attribute that was set or deleted, None if there is none."""
        now, seen = getattr(self._owner, "__dict__", {}), self._attributes
        names = [name for name, value in now.items() if seen.get(name, self) is not value]
        return next((name for name in [*names, *(seen.keys() - now.keys())]), None)
