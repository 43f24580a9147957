"""A session is changed from an inspector: workflows of the notebook that are in it lose nothing of theirs, and see the change."""

from __future__ import annotations

from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

from IPython.core.getipython import get_ipython

from ..errors import SessionConflict, UnsavableValue, WorkflowError
from ..run import logger
from ..verbs.asked import Asked

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ..workflow import Workflow


@contextmanager
def taken_in(storage: Any, session_id: str) -> Iterator[None]:
    """Around a change of a session: save before it what workflows here have not saved, and let them read it afterwards.

    One that runs is left alone: it saves by itself, and reads when its next run begins.
    """
    shell = get_ipython()
    live = [] if shell is None else [each for each in Asked(shell.user_ns).of_session(session_id, storage) if is_idle(each)]
    for workflow in live:
        if workflow.session.unsaved:
            with suppress(UnsavableValue):  # all else is saved
                workflow.session.save()
    yield
    for workflow in live:
        where_cells_run(workflow_reads(workflow))


def is_idle(workflow: Workflow) -> bool:
    """Say whether a workflow has read its session, and does not run."""
    run = workflow.last_run
    return workflow.session.loaded and (run is None or run.status != "running")


def workflow_reads(workflow: Workflow) -> Callable[[], None]:
    """Return how a workflow takes in what was changed."""

    def read() -> None:
        try:
            workflow.read_from_storage()
        except SessionConflict as conflict:  # it was changed in the notebook meanwhile
            logger.warning("%s", conflict)
        except WorkflowError as error:
            logger.warning("session %r was changed, and could not be read: %s", workflow.session_id, error)

    return read


def where_cells_run(work: Callable[[], None]) -> None:
    """Do something in the thread in which cells run, once that is free: the user's code may be in the middle of a dict."""
    loop = getattr(getattr(get_ipython(), "kernel", None), "io_loop", None)
    if loop is None:
        work()
    else:
        loop.add_callback(work)
