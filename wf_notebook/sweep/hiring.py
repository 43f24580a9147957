"""Who does the rows of a sweep: threads of our own, those of an executor, or other processes."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, Protocol

from .crew import Crew
from .dispatch import Dispatch
from .doing import Doing
from .halls import Pool, hall, slots
from .remote import Terms
from .tasks import Keys, Names, OneName, Recall, Tasks
from .turns import Turns

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..budget import Budget
    from ..workflow import Workflow
    from .keeping import Keeper
    from .rows import Rows
    from .settings import Settings
    from .shipped import Cargo

#: How many rows at once, where nobody says so.
LIMIT = 8


class Owner(Protocol):
    """As much of a sweep as is needed here."""

    workflow: Workflow
    name: str
    budget: Budget


def hired(
    sweep: Owner,
    rows: Rows,
    told: Settings,
    keeper: Keeper,
    *,
    cargo: Cargo | None,
    idle: Callable[[], object],
    spent: Callable[[str], object],
) -> tuple[Crew | Dispatch, Turns | None]:
    """Return who does the rows (with a `cargo`, the workflow as bytes, other processes), and who sees to it that no others do."""
    workflow = sweep.workflow
    shared = workflow.session if told.session == "one" else None
    doing = Doing(workflow, cache=told.cache, shared=shared)
    if shared is not None:
        shared.load()  # it may be another user's
    names = OneName(workflow.session_id) if shared is not None else Names(sweep.name, workflow.user_id)
    remembers = told.cache != "off" and workflow.storage is not None and not workflow.private
    keys = Keys(workflow.opening(), doing.probe, {} if shared else doing.state) if remembers else None
    looks = hasattr(workflow.storage, "finished")
    recall = Recall(workflow.storage, uses=remembers and told.cache != "refresh") if looks else None
    turns = Turns(workflow.storage, recall, shared=shared is not None) if recall is not None and remembers else None
    tasks = Tasks(rows, names, keys, turns or recall)
    if cargo is None:
        limit = told.limit or slots(told.executor) or LIMIT
        hire = None if told.executor is None else partial(Pool(told.executor).submit, "")
        return Crew(tasks, doing, keeper, limit=limit, timeout=told.timeout, idle=idle, hire=hire), turns
    terms = Terms.of(told, sweep.budget, workflow.storage)
    limits: dict[str, Any] = {"limit": told.limit, "total": rows.total}
    kept: dict[str, Any] = {"storage": workflow.storage, "recall": recall}
    ways: dict[str, Any] = {"idle": idle, "spent": spent, "budget": sweep.budget}
    crew = Dispatch(tasks, doing, keeper, hall=hall(told.executor), cargo=cargo, terms=terms, **limits, **kept, **ways)
    return crew, turns
