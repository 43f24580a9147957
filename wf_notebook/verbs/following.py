"""A run that goes on somewhere: which one is meant, and what it says while it says it, from its store."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..accounts import account_id, account_of, shown_account
from ..errors import BadArguments, UnknownRun
from ..storage.runs import said_after
from ..unit import is_unit
from ..users import user
from .looking import run_id

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ..events import RunResponse
    from ..ipynb.going import Going
    from ..run import Run
    from ..storage.sql import SqlStorage
    from .asked import Asked

#: A store is looked at so often, in seconds: what runs say is saved four times a second.
EVERY = 0.25


def meant(asked: Asked, verb: str) -> tuple[str, list[Going]]:
    """Return the id of the run that a line means, the only one that goes on if it names none; and those that go on."""
    from ..ipynb.going import going_on  # which is large

    storage = asked.storage()
    going = going_on(storage)
    if asked.words:
        word = asked.word("the beginning of a run's id")
        if is_unit(word):
            return _sweep_that_goes_on(word, going) or run_id(asked), going
        named = [each.run.run_id for each in going if each.run.run_id.startswith(word)]
        return (named[0] if len(named) == 1 else run_id(asked)), going
    if not going:
        raise UnknownRun(f"no run goes on in {storage.url}; %wf status tells how the last ones stand")
    if len(going) > 1:
        told = ", ".join(f"{each.run.run_id[:8]} ({each.run.workflow} in {_shown(each.run)!r})" for each in going)
        raise BadArguments(f"{len(going)} runs go on: {told}; name one: %wf {verb} {going[0].run.run_id[:8]}")
    return going[0].run.run_id, going


def _sweep_that_goes_on(unit: str, going: list[Going]) -> str | None:
    """Return the run of the sweep of a name that goes on: this user's own before others', the one that began last."""
    found = [each.run for each in going if account_of(each.run.session_id, each.run.workflow) == unit[:-1]]
    own = account_id(unit[:-1], user())
    return next((run.run_id for run in sorted(found, key=lambda run: run.session_id != own)), None)


def _shown(run: Run) -> str:
    return shown_account(run.session_id, run.workflow)


def followed(
    storage: SqlStorage, run_id: str, *, wait: Callable[[float], object], seen: Callable[[Run], object] = lambda _: None
) -> Iterator[RunResponse]:
    """Yield what a run said and says, until it ends, or `wait` returns that nobody listens; `seen` is given how it stands."""
    last = 0
    while True:
        run = storage.run(run_id)  # asked first: what it said before its end is there, then
        seen(run)
        for number, response in said_after(storage.read, run_id, last):
            last = number
            yield response
        if run.status != "running" or wait(EVERY):
            return
