"""Where a form is asked for: by a cell that lacks inputs, and by %wf form. Made only then: ipywidgets is slow to load."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..ipynb.workflows import find, successor
from .card import card, mapping_line
from .displayed import publish
from .views import has_widgets

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..verbs.asked import Asked
    from ..workflow import Workflow


def show_card(workflow: Workflow, name: str, absent: list[str], rows: str | None = None) -> None:
    """Show the card of a workflow that was defined and not run; `rows` is what `--map` named."""
    publish(card(type(workflow), name, absent) if rows is None else card(type(workflow), name, [], mapping_line(name, rows)))


def ask_for_inputs(workflow: Workflow, name: str, absent: list[str], inputs: Mapping[str, Any]) -> None:
    """Show the card with a form that has the inputs that are there; the card alone where no widget can be seen."""
    if not has_widgets():
        show_card(workflow, name, absent)
        return
    from .form import Form

    Form(workflow, **inputs).show(name)


def form(asked: Asked) -> Any:
    """Return the form of a workflow, in the session that the line names."""
    from .form import Form

    cls, name, found = find(asked.namespace, asked.word("the name of a workflow: %wf form NAME"))
    session = asked.options.get("session")
    if found is None or type(found) is not cls:
        of_class = {"session": name, "storage": cls.storage or "default"}
        old = {"session": found.session_id, "storage": found.storage} if found is not None else of_class
        found = asked.namespace[name] = successor(cls, name, found, namespace=asked.namespace, **old)
    made = Form(found)
    made.session.value = session or found.session_id
    return made
