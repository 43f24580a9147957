"""Cells run in plain Python, in a module that stands for the `__main__` of their notebook."""

from __future__ import annotations
import __future__

import ast
import inspect
import linecache
import os
import sys
from contextlib import chdir, contextmanager
from functools import partial
from types import ModuleType
from typing import TYPE_CHECKING, Any

from ..background import call
from ..cache import checked_mode
from ..codec.classes import stand_beside_main
from ..errors import BadCell
from .defining import defined
from .workflows import successor

if TYPE_CHECKING:
    from collections.abc import Coroutine, Iterable, Iterator
    from pathlib import Path
    from types import CodeType

    from ..workflow import Workflow
    from .cells import Cell


def execute(code: CodeType, namespace: dict[str, Any]) -> None:
    """Run the code of a cell, which may await."""
    __tracebackhide__ = True
    if code.co_flags & inspect.CO_COROUTINE:
        awaiting: Coroutine[Any, Any, None] = eval(code, namespace)  # noqa: S307 - the user's own cell
        call(awaiting)
    else:
        exec(code, namespace)  # noqa: S102 - the user's own cell


def check(cell: Cell) -> None:
    """Raise BadCell for a cell that cannot run without a notebook, or is no Python."""
    if cell.foreign:
        raise BadCell(
            f"{cell.says} is needed, and {cell.foreign[0]!r} is for a notebook alone; "
            "write it in Python, or move it into a cell that is not needed"
        )
    _ = cell.tree


class Module:
    """Where cells of a notebook have run: each once."""

    def __init__(self, notebook: Path, cells: Iterable[Cell]) -> None:
        self._notebook = notebook
        self._cells = list(cells)
        self.module = ModuleType("__main__")
        self.namespace = vars(self.module)
        self.namespace["display"] = _display
        self.done: list[Cell] = []
        stand_beside_main(self.module)

    def run(self, cell: Cell, *, session: str | None = None, storage: Any = None) -> None:
        """Run a cell; of a `%%workflow` cell the workflow is made, in the session and storage that are given or that it names."""
        __tracebackhide__ = True
        filename = self._filename(cell)
        flags = ast.PyCF_ALLOW_TOP_LEVEL_AWAIT | self._future(cell)
        work = partial(execute, compile(cell.tree, filename, "exec", flags, dont_inherit=True), self.namespace)
        try:
            if cell.is_workflow:
                self._define(cell, work, session, storage)
            else:
                work()
        except BaseException as error:
            error.add_note(f"in {cell.says} of {self._notebook.name}")
            raise
        self.done.append(cell)

    def _define(self, cell: Cell, work: partial[None], session: str | None, storage: Any) -> None:
        line, namespace = cell.line, self.namespace
        cls, name = defined(cell.tree, line.name, namespace, work)
        options = line.options.expand(namespace)
        workflow = self.make(cls, name, session=session or options.session, storage=storage or options.storage)
        workflow.cache = checked_mode(options.cache, "--cache ") or workflow.cache
        workflow.private = options.private or workflow.private

    def configured(self, name: str) -> str | None:
        """Return what the notebook sets for all of it, by `%config WorkflowMagics.NAME = "…"`."""
        return next((said for cell in reversed(self._cells) if (said := cell.configured(name)) is not None), None)

    def become_main(self) -> None:
        """Be the `__main__` of this process."""
        sys.modules["__main__"] = self.module

    def make(
        self, cls: type[Workflow], name: str, old: Workflow | None = None, *, session: str | None = None, storage: Any = None
    ) -> Workflow:
        """Make a workflow, in the place of an old one if there is one: in a session and storage, else as a kernel does."""
        if old is not None:
            session, storage = session or old.session_id, storage or old.storage
        session = session or self.configured("session") or os.environ.get("WF_SESSION") or name
        storage = storage or cls.storage or self.configured("storage") or "default"
        made = successor(cls, name, old, session=session, storage=storage, namespace=self.namespace)
        self.namespace[name] = made
        return made

    def _filename(self, cell: Cell) -> str:
        """Return the name under which tracebacks, and the keys of steps, find the source of a cell."""
        lines = cell.code.splitlines(keepends=True)
        name, number = f"{self._notebook}, cell {cell.number}", 1
        while name in linecache.cache and linecache.getlines(name) != lines:  # the notebook was changed since
            number += 1
            name = f"{self._notebook}, cell {cell.number} ({number})"
        linecache.cache[name] = len(cell.code), None, lines, name  # an entry without a time is kept as it is
        return name

    def _future(self, cell: Cell) -> int:
        """Return what cells before it, and itself, import from __future__: it holds for all cells after them."""
        flags = 0
        for each in self._cells:
            if each.number <= cell.number and each.is_python:
                for node in each.tree.body:
                    if isinstance(node, ast.ImportFrom) and node.module == "__future__":
                        flags |= sum(getattr(__future__, alias.name).compiler_flag for alias in node.names)
        return flags


@contextmanager
def at_home(folder: Path) -> Iterator[None]:
    """Work in the folder of a notebook, as its kernel does; modules beside it are found from then on."""
    here = str(folder)
    is_new = here not in sys.path
    if is_new:
        sys.path.insert(0, here)
    try:
        with chdir(folder):
            yield
    finally:
        if is_new:
            sys.path.remove(here)
            sys.path.append(here)


def _display(*values: Any, **_: Any) -> None:
    """Stand in for IPython's `display`."""
    for value in values:
        print(value)  # noqa: T201 - that is what it is for
