"""What a run said, for who shows it later: from memory as long as it is there, afterwards from its store."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol
from weakref import ref

from .errors import WorkflowError
from .events import RunResponse

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from datetime import datetime

    from .log import Event, Log
    from .run import RunContext, Status

#: So many responses are kept with the record of a run; more of them only as long as the run itself is.
FEW = 100


class Speaking(Protocol):
    """As much of an open run as is needed here."""

    context: RunContext
    status: Status

    @property
    def responses(self) -> Sequence[Any]:
        """What was said so far."""


class Told:
    """What a run of this process said, and what happened in it."""

    __slots__ = ("_few", "_log", "_run", "_run_id", "_storage", "_workflow", "url")

    def __init__(self, run: Speaking, said: list[Any], log: Log, storage: Any) -> None:
        self._few = said if run.status != "running" and len(said) <= FEW else None
        self._run, self._run_id = ref(run), run.context.run_id
        self._log, self._storage = log, storage
        workflow = run.context.workflow
        self._workflow: Callable[[], Any] = ref(workflow) if hasattr(type(workflow), "session_state") else lambda: None
        self.url: str | None = getattr(storage, "url", None)

    def responses(self) -> Sequence[Any]:
        """Return what was said; of a run that is over and was long, what the store has of it."""
        if self._few is not None:
            return as_responses(self._few)
        run = self._run()
        if run is not None:
            return run.responses
        stored = self._stored()  # without it what the record has by itself must do
        return () if stored is None else stored.responses()

    def events(self) -> list[Event]:
        """Return what happened."""
        return self._log.events()

    def moments(self) -> Sequence[tuple[datetime, Any]]:
        """Return what was said and when, as far as a store has it."""
        stored = self._stored()
        return () if stored is None else stored.moments()

    def changes(self) -> Sequence[tuple[datetime, str, str]]:
        """Return what changed in the state and when, as far as a store has it."""
        stored = self._stored()
        return () if stored is None else stored.changes()

    def other(self, run_id: str) -> Any:
        """Return another run of the store, as far as it is there."""
        try:
            return None if self._storage is None else self._storage.run(run_id)
        except WorkflowError:
            return None

    def workflow(self) -> Any:
        """Return the workflow whose run it is, as long as somebody has it."""
        return self._workflow()

    def storage(self) -> Any:
        """Return where the run is kept, None where it is not."""
        return self._storage

    def _stored(self) -> Any:
        """Return what the store tells of the run; None where there is none, or it is busy, or erased it."""
        try:
            return None if self._storage is None else self._storage.run(self._run_id).told
        except WorkflowError:
            return None


def as_responses(said: Iterable[Any]) -> list[RunResponse]:
    """Return responses of which some are kept as their fields alone."""
    return [one if isinstance(one, RunResponse) else RunResponse.of(one) for one in said]
