"""One row of a comparison: an input, what it gave when it was recorded, and what it gives now."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ..frames.differing import MOST, WordDiff
from ..frames.steps import steps_of
from ..readable import as_text
from ..render.status import standing

if TYPE_CHECKING:
    from ..run import Run

#: How a row came out: a sign and a word.
CHANGED, SAME, NEW, FAILED, STOPPED = "~ changed", "= same", "+ new", "✗ failed", "■ stopped"
AS_BEFORE = "✗ failed as before"


@dataclass(frozen=True, slots=True)
class Compared:
    """An input, its recorded run (None where there is none) and the run of now (None where it was not come to).

    `error` says why it could not be run. `scores` are by name, of then and of now; `unscored` says of those what failed.
    """

    inputs: dict[str, Any]
    old: Run | None = None
    new: Run | None = None
    error: str | None = None
    scores: dict[str, tuple[float | None, float | None]] = field(default_factory=dict)
    unscored: dict[str, str] = field(default_factory=dict)

    def pair(self, name: str) -> tuple[Any, Any]:
        """Return an attribute of the records of then and of now, None where there is no record."""
        return getattr(self.old, name, None), getattr(self.new, name, None)

    @property
    def texts(self) -> tuple[str | None, str | None]:
        """What it said then, and what it says now."""
        old, new = self.pair("content")
        return old, as_text(new)

    @property
    def status(self) -> str:
        """How the run of now ended: completed, failed or stopped."""
        return self.new.status if self.new is not None else "failed" if self.error else "stopped"

    @property
    def why(self) -> str | None:
        """Why the run of now failed or stopped."""
        return self.error or (self.new.error if self.new is not None else None)

    @property
    def changed(self) -> bool | None:
        """Whether something else came: another text, or another end; None where there is nothing to tell it by."""
        if self.old is None or (self.new is None and self.error is None):
            return None
        return self.texts[0] != self.texts[1] or self.old.status != self.status

    @property
    def failed_as_before(self) -> bool:
        """Whether it failed then, and now in the same way: what is different now is not why."""
        return self.status == "failed" and self.changed is False and self.pair("error")[0] == self.why

    @property
    def outcome(self) -> str:
        """How it came out, a sign and a word."""
        if self.status != "completed":
            return AS_BEFORE if self.failed_as_before else FAILED if self.status == "failed" else STOPPED
        return NEW if self.changed is None else CHANGED if self.changed else SAME

    @property
    def diff(self) -> WordDiff:
        """What differs between the texts, word by word; nothing, where there is only one."""
        return self.diff_within(MOST)

    def diff_within(self, most: int) -> WordDiff:
        """Return the same, by so many words against words at most."""
        return WordDiff() if None in self.texts else WordDiff.between(*self.texts, most)

    @property
    def ends(self) -> str:
        """How both ended, where one of them did not complete."""
        old = standing(self.old.status, self.old.error) if self.old is not None and not self.failed_as_before else ""
        new = standing(self.status, self.why)
        ended = {self.status, self.old.status if self.old is not None else "completed"}
        return "" if ended == {"completed"} else " → ".join(filter(None, [old, new]))

    @property
    def steps(self) -> tuple[int, int]:
        """How many steps came from the store, and how many there were."""
        told = steps_of(self.new) if self.new is not None else []
        calls = [one for one in told if one["kind"] != "request" or one["hit"]]
        return sum(bool(one["hit"]) for one in calls), len(calls)

    @property
    def paid(self) -> float | None:
        """What the run of now cost by itself, in US dollars: without the steps that came from the store."""
        if self.new is None or self.new.cost is None:
            return None
        return max(0.0, self.new.cost - sum(one.get("cost") or 0.0 for one in steps_of(self.new) if one["hit"]))

    @property
    def cost_diff(self) -> float | None:
        """How much more it costs than then, in US dollars, if nothing came from the store."""
        old, new = self.pair("cost")
        return None if old is None or new is None else new - old

    @property
    def tokens(self) -> tuple[int | None, int | None]:
        """What it used then and uses now, as if nothing came from the store."""
        return _tokens(self.old), _tokens(self.new)


def _tokens(run: Run | None) -> int | None:
    return None if run is None else run.input_tokens + run.output_tokens
