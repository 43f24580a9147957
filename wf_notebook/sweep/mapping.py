"""From a workflow and what it is to be mapped over to a sweep that can begin."""

from __future__ import annotations

import inspect
import os
from typing import TYPE_CHECKING, Any

from ..cache import mode_of
from ..storage.files import rows_of_file
from .kinds import Kinds
from .rows import Rows, Takes, read_rows
from .settings import Settings
from .shipped import shipped
from .sweep import Sweep

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..workflow import Workflow

#: What goes without saying.
_USUAL = (("session", "each"), ("cache", "use"))


def mapped(workflow: Workflow, inputs: Any, shared: Mapping[str, Any], **options: Any) -> Sweep:
    """Return a sweep of a workflow over rows; see `Workflow.map`."""
    named = options["name"] or (workflow.session_id if workflow.session_is_chosen else workflow.name)
    if options["session"] != "one":
        named = (named or "").rstrip("/") or named  # whoever writes rg/ means the rows of the sweep rg
    mode = mode_of(options["cache"] or workflow.cache, "use")
    takes = Takes(inspect.signature(workflow.opening()), shared, name=type(workflow).__name__, kinds=Kinds(workflow.opening()))
    settings = Settings(**{**options, "name": named, "cache": mode})
    rows = read_rows(inputs, takes, read=rows_of_file)
    given = told_of(inputs, rows, shared, options)
    return Sweep(workflow, rows, settings, cargo=shipped(workflow) if settings.is_away else None, given=given)


def told_of(inputs: Any, rows: Rows, shared: Mapping[str, Any], options: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a sweep says that it was given: a file by its path, how many rows, the inputs of all, and the options.

    >>> from inspect import signature
    >>> rows = read_rows([1, 2], Takes(signature(lambda self, n: n), {}, name="Blog"), read=rows_of_file)
    >>> told_of([1, 2], rows, {"tone": "dry"}, {"limit": 4, "session": "each", "name": None})
    {'rows': 2, 'inputs': {'tone': 'dry'}, 'limit': 4}
    """
    file = {"map": os.fspath(inputs)} if isinstance(inputs, str | os.PathLike) else {}
    total = {} if rows.total is None else {"rows": rows.total}
    same = {"inputs": dict(shared)} if shared else {}
    chosen = {name: value for name, value in options.items() if value is not None and (name, value) not in _USUAL}
    if "executor" in chosen:
        chosen["executor"] = type(chosen["executor"]).__name__ if not isinstance(chosen["executor"], str) else chosen["executor"]
    return {**file, **total, **same, **chosen}
