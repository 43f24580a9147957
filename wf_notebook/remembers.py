"""The part of a session that deals with the steps that were done in it: what is forgotten, and which of several takes is used."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING, Any

from .changes import replay
from .errors import BadSetting, UnknownStep
from .nearest import did_you_mean
from .run import way_up
from .sharing import Sharing

if TYPE_CHECKING:
    import threading
    from collections.abc import Iterable, Mapping

    from .changes import Change, Encoded
    from .done import Done
    from .encoding import Snapshot
    from .steps import Steps
    from .transaction import Records


class Remembers(Sharing):
    """What a session remembers of steps."""

    steps: Steps

    _lock: threading.RLock

    def snapshot(self) -> Snapshot:
        """Return the live state as it is kept."""
        raise NotImplementedError

    def _bring(self, mine: Encoded, to: Encoded) -> None:
        raise NotImplementedError

    def _blob(self, content_hash: str) -> bytes:
        raise NotImplementedError

    def bring(self, changes: Iterable[Change], blobs: Mapping[str, bytes]) -> None:
        """Change the live state in this way; `blobs` has the arrays and frames. Raises StorageFailed where it does not fit."""
        with self._lock:
            if changes := list(changes):
                mine = self.snapshot().kept
                self._line.blobs = {**self._line.blobs, **blobs}
                self._bring(mine, replay(mine, changes))

    def lend(self, hashes: Iterable[str], to: dict[str, bytes]) -> None:
        """Give the bytes of arrays and frames of the live state."""
        to.update((name, self._blob(name)) for name in hashes if name not in to)

    def save(self, records: Records | None = None) -> None:
        """Save what changed, and rows."""
        raise NotImplementedError

    def forget(self, *, step: str | None = None, run: str | None = None) -> int:
        """Forget steps, so that they are done again; return how many.

        Args:
            step: Only those of this name.
            run: Only those that were done in this run, by its id or the beginning of it.

        Raises UnknownStep if there is none of that name, or none of that run.
        """
        found = self._named(step)
        if run is not None:
            found = [done for done in found if done.run_id and done.run_id.startswith(run)]
            if not found:
                raise UnknownStep(f"session {self.session_id!r} remembers no step of a run {run!r}; run.why() lists its steps")
        if found:
            self.save(self.steps.say("forgotten", found))
        return len(found)

    def trim(self, limit: int, *, used: Iterable[str] = ()) -> int:
        """Erase the steps that were done first, until what the others gave takes no more bytes than that; return how many went.

        `used` are the ids of steps that stay as long as there are others. `Workflow(cache_limit=…)` does this after each run.
        """
        return self.steps.trim(limit, set(used))

    def takes(self, step: str | None = None) -> Any:
        """Return the takes of steps that were done more than once with nothing changed: a table, the one in use marked."""
        return way_up("Remembers.takes")(self, step)

    def use(self, take: int, *, step: str | None = None) -> int:
        """Use the take of this number, of all steps that have so many or of one; return of how many steps.

        What depends on it is done again at the next run, and nothing else.
        """
        several = [takes for takes in self.several(step) if len(takes) >= take > 0]
        if not several:
            most = max((len(takes) for takes in self.several(step)), default=0)
            raise BadSetting(
                f"there is no take {take}{f' of {step!r}' if step else ''}"
                + (f"; takes are 1 to {most}" if most else "; run with cache='refresh' (--fresh) to have another one")
            )
        chosen = [takes[take - 1] for takes in several]
        self.save(self.steps.say("chosen", chosen))
        return len(chosen)

    def several(self, step: str | None = None) -> list[list[Done]]:
        """Return the takes of each step that has several, oldest first."""
        named = self._named(step)
        whole = {(done.name, done.place) for done in named if done.kind == "agent"}  # its requests are a part of a call
        named = [done for done in named if done.kind != "request" or (done.name, done.place) not in whole]
        ordered = sorted(named, key=lambda done: (done.name, done.place, done.key, done.made_at))
        groups = [list(group) for _, group in groupby(ordered, key=lambda done: (done.name, done.place, done.key))]
        return [takes for takes in groups if len(takes) > 1]

    def _named(self, step: str | None) -> list[Done]:
        self.check_seen()
        self.steps.catch_up()
        every = self.steps.all()
        if step is None:
            return every
        found = [done for done in every if done.name == step]
        if not found:
            names: Iterable[str] = dict.fromkeys(done.name for done in every)
            listed = "; there are " + ", ".join(map(repr, names)) if every else "; none was done yet, with cache='use'"
            raise UnknownStep(
                f"session {self.session_id!r} remembers no step {step!r}{did_you_mean(step, list(names)) or listed}"
            )
        return found
