"""An inspector of a workflow: of its session in the store, with what is unsaved saved first, or else of a copy of its memory."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

from ..errors import SessionConflict, StorageReadOnly, UnknownSession, UnsavableValue
from ..session import Session
from ..storage import open_storage
from .looking import Inspector

if TYPE_CHECKING:
    from ..workflow import Workflow


def inspect_workflow(workflow: Workflow) -> Inspector:
    """Return an inspector of a workflow's session: what `workflow.inspect()` does.

    What cannot be saved is said, and stands in nobody's way. A workflow that keeps nothing, and one that was not saved yet, are
    seen as they are now, by a copy.

    >>> from wf_notebook.workflow import Workflow
    >>> blog = Workflow(session_id="blog", session_state={"posts": ["a"]})
    >>> print(blog.inspect().notes[0])
    a copy of session 'blog' as it is now: it has no storage; Workflow(storage="default") keeps it
    """
    name = repr(workflow.session_id)
    if workflow.storage is None:
        return _copy(workflow, f'a copy of session {name} as it is now: it has no storage; Workflow(storage="default") keeps it')
    unsaved = _saved(workflow)
    with suppress(UnknownSession):
        return Inspector(workflow.storage, session=workflow.session_id, notes=unsaved)
    return _copy(workflow, f"a copy of session {name} as it is now: it was not saved yet", *unsaved)


def _saved(workflow: Workflow) -> list[str]:
    """Save what is unsaved; return what to say if that cannot be."""
    try:
        if workflow.session.loaded and workflow.session.unsaved:
            workflow.write_to_storage()
    except SessionConflict:
        name = repr(workflow.session_id)
        return [f"not saved: session {name} is in a conflict; %wf diff shows both sides, %wf resolve mine (or theirs) decides"]
    except (StorageReadOnly, UnsavableValue) as error:
        return [f"not saved: {error}"]
    return []


def _copy(workflow: Workflow, *notes: str) -> Inspector:
    """Return an inspector of the state in memory, by a copy of it."""
    storage: Any = open_storage("memory:")
    session = Session(workflow.session_id, storage=storage, state=workflow.session_state, about=workflow.session.about)
    try:
        session.save()
    except UnsavableValue as error:
        notes = (*notes, f"not shown: {error}")
    return Inspector(storage, session=workflow.session_id, notes=notes)
