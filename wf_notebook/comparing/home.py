"""Where a run was at home: its session, the state of that at the time, and its workflow as it is now."""

from __future__ import annotations

import copy
import sys
from typing import TYPE_CHECKING, Any

from ..errors import UnknownRun
from ..keys import key_of
from ..scratch import scratch
from ..workflow import Workflow

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from ..history import Version
    from ..run import Run
    from ..session import Session


def session_of(run: Run) -> Session:
    """Return the session of a run. Raises UnknownRun where it was kept in memory only, and is gone."""
    told = run.told
    workflow = told.workflow() if told is not None else None
    if workflow is not None and workflow.session_id == run.session_id:
        session: Session = workflow.session
        return session
    storage = told.storage() if told is not None else None
    if storage is None:
        raise UnknownRun(
            f"the session of run {run.run_id[:8]!r} was in memory, and is gone; give its workflow a storage, and run it again"
        )
    stored: Session = storage.session(run.session_id)
    return stored


def state_at(session: Session, version: int | None) -> dict[Any, Any]:
    """Return the state of a session at a version, a dict of its own; None is as it is now. Raises UnknownVersion."""
    if version is None:
        return copy.deepcopy(session.state)
    return copy.deepcopy(session.initial) if version == 0 else session.at(version)


def version_before(versions: Iterable[Version], run: Run) -> int:
    """Return the version from which a run began: the one before its own first, or the newest that was there when it began.

    A run that changed nothing has no version.
    """
    before = 0
    for version in versions:
        if version.run_id == run.run_id:
            return version.version - 1
        if version.saved_at <= run.started_at:
            before = version.version
    return before


def state_before(session: Session, versions: Iterable[Version], run: Run, initial: dict[Any, Any]) -> dict[Any, Any]:
    """Return the state from which a run began; `initial` is what a session without versions has.

    What was changed before the run, and was saved with it first, is no change of its own: that is as the run left it.
    """
    listed = list(versions)
    before = version_before(listed, run)
    state = dict(initial) if before == 0 else session.at(before)
    its_own = {key_of(key) for key in run.changes}
    saved = [version for version in listed if version.run_id == run.run_id]
    edited = {key for version in saved for key in version.changes} - its_own
    if edited:
        after = session.at(saved[-1].version)
        state = {key: value for key, value in state.items() if key not in edited}
        state |= {key: after[key] for key in edited if key in after}
    return state


def version_at(versions: Iterable[Version], moment: datetime) -> int:
    """Return the newest version that was there at a moment, 0 where none was."""
    return max((version.version for version in versions if version.saved_at <= moment), default=0)


def workflow_of(run: Run, step: str) -> Workflow | None:
    """Return the workflow of a run as its code is now, None where it is not here: the one that ran, or a new one of its class.

    Of several classes of its name it is one that has the step, one of the notebook or program rather than of a module, and of
    these the one that was defined last.
    """
    there = run.told.workflow() if run.told is not None else None
    if isinstance(there, Workflow):
        return as_it_is_now(there)
    named = [cls for cls in _below(Workflow) if run.workflow in {cls.__name__, cls.name} and newest_class(cls) is cls]
    named.sort(key=lambda cls: (_has(cls, step), cls.__module__ == "__main__"))
    return _made(named[-1]) if named else None


def _has(cls: type[Workflow], step: str) -> bool:
    """Say whether a class has an agent or a step of this name."""
    values = [getattr(value, "__func__", value) for each in cls.__mro__ for value in vars(each).values()]
    return hasattr(cls, step) or any(step in {getattr(one, "name", ""), getattr(getattr(one, "step", None), "name", "")}
                                     for one in values)  # fmt: skip


def as_it_is_now(workflow: Workflow) -> Workflow:
    """Return a workflow, or a new one where a cell defined its class anew: its code, and its agents with what they are told."""
    newest = newest_class(type(workflow))
    return workflow if newest is type(workflow) else _made(newest) or workflow


def newest_class(cls: type[Workflow]) -> type[Workflow]:
    """Return the class that stands now where a class was defined: a cell that is run again defines a new one."""
    found = vars(sys.modules.get(cls.__module__, sys)).get(cls.__qualname__, cls)
    return found if isinstance(found, type) and issubclass(found, Workflow) else cls


def _below(cls: type[Workflow]) -> list[type[Workflow]]:
    found: list[type[Workflow]] = list(cls.__subclasses__())
    return [each for one in found for each in (one, *_below(one))]


def _made(cls: type[Workflow]) -> Workflow | None:
    try:
        return cls()
    except Exception:  # noqa: BLE001 - the user's own constructor, which may need what nobody knows here
        return None


def scratch_of(run: Run, workflow: Workflow, moment: datetime, more: dict[Any, Any]) -> Workflow:
    """Return a copy of a workflow in which the state is as it was at a moment of a run, `more` of it by what is known better."""
    session = session_of(run)
    version = None if session.storage is None else version_at(session.versions(), moment)
    return scratch(workflow, run.session_id, {**state_at(session, version), **more}, session.steps)
