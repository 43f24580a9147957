"""What is recorded of a step: what it was given, what it gave, and what it may have been given that is recorded elsewhere."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from ..cache.given import given_of
from ..errors import WorkflowError
from ..events import RunResponse
from ..frames.steps import gist
from ..keying import Part

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from ..done import Done
    from ..run import Run
    from ..session import Session


@dataclass(frozen=True, eq=False)
class Recorded:
    """What is recorded of a step: of a request also the call of the agent that made it, and which of its requests it was."""

    run: Run
    session: Session
    done: Done
    outer: Done | None = None
    number: int = 0

    @property
    def called(self) -> str:
        """How errors name it."""
        return f"{self.done.kind} {self.done.name!r}"

    @cached_property
    def parts(self) -> list[Part]:
        """What it depended on."""
        return [Part(*part) for part in self.session.steps.parts(self.done) or ()]

    @cached_property
    def by_name(self) -> dict[str, Part]:
        """What it was given, by name."""
        return {part.name: part for part in self.parts if part.what in {"argument", "attribute"}}

    @cached_property
    def result(self) -> Any:
        """What it gave, as it is stored."""
        return self.session.steps.result(self.done)

    def memory(self, done: Done) -> dict[str, Any]:
        """Return what is known of an agent's call: its response, and its messages as JSON."""
        tree = self.result if done is self.done else self.session.steps.result(done)
        return (tree or {}).get("more") or {}

    def came(self) -> Any:
        """Return what it gave: an answer, a value, or the text of its stream; as text where its class is not here."""
        try:
            given = given_of(self.result, self.session.steps.blob)
        except (WorkflowError, ValueError, LookupError, TypeError):
            return gist(self.result)
        if self.done.kind == "agent":
            return given.more["response"].get("content")
        if self.done.kind == "request":
            from ..agents.once_more import said_in  # which loads pydantic-ai

            return said_in(given.value)
        return given.value if given.said is None else joined(given.said)

    def model(self) -> str | None:
        """Return the name of the model that answered."""
        models = (self.result or {}).get("used", {}).get("models") or ()
        return ", ".join(models) or None

    def at_hand(self) -> Iterator[Any]:
        """Yield values that it may have been given: inputs of the run, what other steps gave, what the state holds."""
        yield from self.run.inputs.values()
        for done in reversed(self.session.steps.all()):
            if done.kind in {"step", "tool", "agent"}:
                yield Recorded(self.run, self.session, done).came()
        yield from self.session.state.values()


def joined(said: Iterable[Any]) -> Any:
    """Return a stream as what it said: its text, or the list of what is no text."""
    items = [item.content if isinstance(item, RunResponse) else item for item in said]
    items = [item for item in items if item is not None]
    return "".join(items) if all(isinstance(item, str) for item in items) else items
