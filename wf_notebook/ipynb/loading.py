"""A notebook's workflows, without a kernel: each is defined by its cell, and by the cells that this one needs."""

from __future__ import annotations

import ast
import threading
from functools import cached_property
from typing import TYPE_CHECKING, Any

from ..cache import checked_mode
from ..errors import BadCell, UnknownWorkflow
from ..nearest import did_you_mean
from ..storage import opened
from ..workflow import Workflow
from .cell import outline, snake_case
from .cells import Cell, cells_of
from .defining import is_workflow
from .file import NotebookFile
from .needs import Binding, needed
from .running import Module, at_home, check
from .workflows import find

if TYPE_CHECKING:
    import os
    from collections.abc import Iterator


def load_notebook(path: str | os.PathLike[str]) -> Notebook:
    r"""Return the workflows of a notebook, by their names: `load_notebook("report.ipynb").blog.run(topic="cheese")`.

    Nothing runs before a workflow is asked for; then its cell does, and by the names that it uses the cells that define them, in
    plain Python, in the notebook's folder. A `%%workflow` cell is not run but defined, as by `--no-run`: in the session, the
    storage and the cache mode that its line names, or that it would have in the notebook. Lines with %load_ext, %config,
    %autoreload, %matplotlib and %pip are left out.

    Raises BadNotebook for what is no notebook. A workflow that is not there raises UnknownWorkflow; a needed cell that is no
    Python, or that only IPython can run, raises BadCell.

    >>> import json, tempfile; from pathlib import Path
    >>> path = Path(tempfile.mkdtemp(), "report.ipynb")
    >>> source = "%%workflow blog --storage memory:\ndef run(self, topic):\n    return f'On {topic}.'"
    >>> cells = [{"cell_type": "code", "source": source}]
    >>> _ = path.write_text(json.dumps({"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": cells}))
    >>> load_notebook(path)
    Notebook('report.ipynb'): blog(topic)
    >>> load_notebook(path).blog.run(topic="cheese").content
    'On cheese.'
    """
    return Notebook(path)


class _NoAttribute(UnknownWorkflow, AttributeError):
    """What is asked for as an attribute, and is no workflow."""


class Notebook:
    """The workflows of one notebook file, as it was when it was loaded."""

    def __init__(self, path: str | os.PathLike[str]) -> None:
        file = NotebookFile.read(path)
        self._cells = cells_of(file)
        self.path = file.path.absolute()
        self._modules: list[Module] = []
        self._lock = threading.RLock()

    def __repr__(self) -> str:
        listed = {name: _takes(cell, name) for name, cell in reversed(self._listed)}  # of one that has several, the first
        shown = ", ".join(f"{name}({inputs})" for name, inputs in reversed(listed.items()))
        return f"Notebook({self.path.name!r}): {shown or 'no workflow'}"

    def __dir__(self) -> list[str]:
        return [*super().__dir__(), *self.names]

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        cell = self._cell(name, _NoAttribute)
        module = self._ran(cell)
        value = module.namespace.get(name)
        return value if value is not None else self.workflow(name)

    @property
    def names(self) -> list[str]:
        """The names of its workflows, in the order of the notebook."""
        return list(dict.fromkeys(name for name, _ in self._listed))

    def workflow(
        self, name: str, *, session: str | None = None, storage: Any = None, cache: str | None = None, as_main: bool = False
    ) -> Workflow:
        """Return a workflow: in the session and storage and with the cache mode that are given, else as the notebook has it.

        `as_main` lets its module be the `__main__` of this process, as it is in a kernel.
        """
        cell = self._cell(name, UnknownWorkflow)
        module = self._ran(cell, session=session, storage=storage, as_main=as_main)
        value = module.namespace.get(name)
        if value is not None and not (is_workflow(value) or isinstance(value, Workflow)):
            others = f"; it has {', '.join(map(repr, self.names))}" if self.names else ""
            raise UnknownWorkflow(f"{name!r} of {self.path.name} is of type {type(value).__name__!r}, and no workflow{others}")
        cls, variable, found = find(module.namespace, name)
        with at_home(self.path.parent):
            if found is None:
                found = module.make(cls, variable, session=session, storage=storage)
            elif session not in {None, found.session_id} or not _is_in(found.storage, storage):
                found = module.make(cls, variable, found, session=session, storage=storage)
        found.cache = checked_mode(cache) or found.cache
        return found

    # -- where a name is ---------------------------------------------------------------------------------------------------

    @cached_property
    def _binding(self) -> Binding:
        return Binding(self._cells)

    @cached_property
    def _listed(self) -> list[tuple[str, Cell]]:
        """The names of workflows that can be read off the cells."""
        return [*self._named()]

    def _named(self) -> Iterator[tuple[str, Cell]]:
        classes = {"Workflow"}
        for place in self._binding.places.values():
            cell = place.cell
            if not cell.is_python:
                if cell.is_workflow and cell.name:
                    yield cell.name, cell
                continue
            found = [node.name for node in cell.tree.body if isinstance(node, ast.ClassDef) and _is_of(node, classes)]
            classes |= {*found}
            if cell.is_workflow:
                yield from ((name, cell) for name in place.instances(found))
            else:
                made = [name for node in cell.tree.body for name in _made_of(node, classes)]
                yield from ((name, cell) for name in [*map(snake_case, found), *made])

    def _cell(self, name: str, unknown: type[UnknownWorkflow]) -> Cell:
        """Return the cell that a name is defined in."""
        cells = list(dict.fromkeys(cell for each, cell in self._listed if each == name))
        if len([cell for cell in cells if cell.is_workflow]) > 1:
            both = " and ".join(cell.says for cell in cells if cell.is_workflow)
            raise BadCell(f"{self.path.name} has two workflows {name!r}: {both}; give one of them another name")
        if cells:
            return cells[-1]
        binders = [place.cell for place in self._binding.places.values() if name in place.bound.names]
        if binders:
            return binders[-1]
        known = self.names
        hint = did_you_mean(name, known) or (f"; it has {', '.join(map(repr, known))}" if known else "; it defines none")
        broken = next((place.cell for place in self._binding.places.values() if not place.cell.is_python), None)
        more = "" if broken is None else f"; and {broken.says} is no Python"
        raise unknown(f"{self.path.name} has no workflow {name!r}{hint}{more}")

    # -- what runs ---------------------------------------------------------------------------------------------------------

    def _ran(self, cell: Cell, *, session: str | None = None, storage: Any = None, as_main: bool = False) -> Module:
        """Return the module in which a cell has run, after the cells that it needs."""
        __tracebackhide__ = True
        with self._lock:
            cells = needed(cell, self._binding)
            for each in cells:
                check(each)
            module = self._module(cells)
            if as_main:
                module.become_main()
            with at_home(self.path.parent):
                for each in cells:
                    if each not in module.done:
                        given = {"session": session, "storage": storage} if each is cell else {}
                        module.run(each, **given)
            return module

    def _module(self, cells: list[Cell]) -> Module:
        """Return a module in which these cells run, or have run: not one where another cell bound a name of theirs."""
        bound = {place.cell: place.bound.names for place in self._binding.places.values()}
        for module in self._modules:
            new = [cell for cell in cells if cell not in module.done]
            others = [name for cell in module.done for name in bound[cell]]
            if not any(name in bound[cell] for cell in new for name in others):
                return module
        self._modules.append(Module(self.path, self._cells))
        return self._modules[-1]


def _is_in(there: Any, storage: Any) -> bool:
    """Say whether a storage is what is asked for."""
    return storage is None or there is storage or getattr(there, "url", None) == opened(storage).url


def _is_of(node: ast.ClassDef, classes: set[str]) -> bool:
    """Say whether a class is one of workflows, as it is written."""
    return any(
        isinstance(base, ast.Name | ast.Attribute) and ast.unparse(base).rpartition(".")[2] in classes for base in node.bases
    )


def _made_of(node: ast.stmt, classes: set[str]) -> Iterator[str]:
    match node:
        case ast.Assign(targets=targets, value=ast.Call(func=ast.Name(id=name))) if name in classes - {"Workflow"}:
            yield from (target.id for target in targets if isinstance(target, ast.Name))
        case _:
            pass


def _takes(cell: Cell, name: str) -> str:
    """Return the inputs of a workflow as its cell has them."""
    if not cell.is_python:
        return "…"
    found = outline(cell.tree)
    bodies: list[list[ast.stmt]] = [
        node.body for node in cell.tree.body if isinstance(node, ast.ClassDef) and name in {node.name, snake_case(node.name)}
    ]
    bodies += [node.body for node in cell.tree.body if isinstance(node, ast.ClassDef)]
    for body in bodies if found.classes else [cell.tree.body]:
        for node in body:
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name in {"run", "arun"}:
                return ast.unparse(node.args).removeprefix("self").removeprefix(", ")
    return "…"
