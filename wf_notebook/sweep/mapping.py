"""From a workflow and what it is to be mapped over to a sweep that can begin."""

from __future__ import annotations

import inspect
import os
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ..cache import mode_of
from ..errors import BadRows
from ..given import checked
from ..storage.files import rows_of_file
from .kinds import Kinds
from .rows import OPTIONS, Rows, Takes, read_rows
from .settings import Settings
from .shipped import shipped
from .sweep import Sweep

if TYPE_CHECKING:
    from collections.abc import Container, Iterator, Mapping

    from ..workflow import Workflow

#: What goes without saying.
_USUAL = (("session", "each"), ("cache", "use"))


def mapped(workflow: Workflow, inputs: Any, shared: Mapping[str, Any], **options: Any) -> Sweep:
    """Return a sweep of a workflow over rows; see `Workflow.map`.

    Raises BadRows where what was meant as an input would be lost: an option, if run() takes one of that name and no row has it.
    """
    takes = _takes(workflow, shared)
    rows = read_rows(inputs, takes, read=rows_of_file)
    if lost := [name for name in _chosen(options) if name in takes.names]:
        rows = _with_columns(rows, lost, type(workflow).__name__)
    return _sweep(workflow, rows, options, told_of(inputs, rows, shared, options))


def mapped_by_line(workflow: Workflow, inputs: Any, given: Mapping[str, Any], *, out: str | None = None, **options: Any) -> Sweep:
    """Return the same by a line, on which options have names of their own: what run() takes is an input.

    `out` is the file into which the rows go in the end: it is only told.
    """
    names = _takes(workflow, {}).names
    also = {name: value for name, value in given.items() if name in OPTIONS and name not in names}
    if twice := [name for name in also if options.get(name) is not None]:
        raise BadRows(f"{twice[0]}= and --{twice[0].replace('_', '-')} are one and the same; write one of them")
    shared = {name: value for name, value in given.items() if name not in also}
    options = {**dict.fromkeys(OPTIONS), "session": "each", **options, **also}
    rows = read_rows(inputs, _takes(workflow, shared), read=rows_of_file)
    told = told_of(inputs, rows, shared, options)
    return _sweep(workflow, rows, options, told if out is None else {**told, "out": out})


def _takes(workflow: Workflow, shared: Mapping[str, Any]) -> Takes:
    opening = workflow.opening()
    return Takes(inspect.signature(opening), shared, name=type(workflow).__name__, kinds=Kinds(opening))


def _sweep(workflow: Workflow, rows: Rows, options: Mapping[str, Any], given: dict[str, Any]) -> Sweep:
    checked("name", options["name"] or "", (str,), "a text, which the sessions of the rows are named after")
    named = options["name"] or (workflow.session_id if workflow.session_is_chosen else workflow.name)
    if options["session"] != "one":
        named = (named or "").rstrip("/") or named  # whoever writes rg/ means the rows of the sweep rg
    settings = Settings(**{**options, "name": named, "cache": mode_of(options["cache"] or workflow.cache, "use")})
    return Sweep(workflow, rows, settings, cargo=shipped(workflow) if settings.is_away else None, given=given)


def _with_columns(rows: Rows, names: list[str], workflow: str) -> Rows:
    """Return rows that have columns of these names; else BadRows. Of rows that come one by one the first says it."""

    def check(known: Container[str]) -> None:
        if absent := next((name for name in names if name not in known), None):
            took = f"and {workflow}.run() takes an input of that name"
            raise BadRows(f"{absent}= is an option of map(), {took}; give that as a column")

    def looked_at() -> Iterator[dict[str, Any]]:
        for number, row in enumerate(rows.given):
            if not number:
                check(row)
            yield row

    if rows.total is None:
        return replace(rows, given=looked_at())
    if rows.total:
        check({name for row in rows.given for name in row})
    return rows


def _chosen(options: Mapping[str, Any]) -> dict[str, Any]:
    """Return the options that say something."""
    return {name: value for name, value in options.items() if value is not None and (name, value) not in _USUAL}


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
    chosen = _chosen(options)
    if "executor" in chosen:
        chosen["executor"] = type(chosen["executor"]).__name__ if not isinstance(chosen["executor"], str) else chosen["executor"]
    return {**file, **total, **same, **chosen}
