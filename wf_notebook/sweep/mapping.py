"""From a workflow and what it is to be mapped over to a sweep that can begin."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any

from ..cache import mode_of
from ..storage.files import rows_of_file
from .kinds import Kinds
from .rows import Takes, read_rows
from .settings import Settings
from .shipped import shipped
from .sweep import Sweep

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..workflow import Workflow


def mapped(workflow: Workflow, inputs: Any, shared: Mapping[str, Any], **options: Any) -> Sweep:
    """Return a sweep of a workflow over rows; see `Workflow.map`."""
    named = options["name"] or (workflow.session_id if workflow.session_is_chosen else workflow.name)
    mode = mode_of(options["cache"] or workflow.cache, "use")
    takes = Takes(inspect.signature(workflow.opening()), shared, name=type(workflow).__name__, kinds=Kinds(workflow.opening()))
    settings = Settings(**{**options, "name": named, "cache": mode})
    rows = read_rows(inputs, takes, read=rows_of_file)
    return Sweep(workflow, rows, settings, cargo=shipped(workflow) if settings.is_away else None)
