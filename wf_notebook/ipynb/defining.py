"""The workflow that the body of a cell defines: a class of its own, or agents and a run(self, …) that are bound into one."""

from __future__ import annotations

import ast
import inspect
from types import FunctionType
from typing import TYPE_CHECKING, Any, TypeGuard

from ..errors import BadCell
from ..nearest import did_you_mean
from ..workflow import Workflow
from .cell import Outline, camel_case, choose, outline, snake_case

if TYPE_CHECKING:
    from collections.abc import Callable

_NOTHING = object()
#: What a workflow has, and its class may set.
_FREE = {"run", "arun", "session_id", "session_state"}


def defined(
    tree: ast.Module, name: str | None, namespace: dict[str, Any], execute: Callable[[], object]
) -> tuple[type[Workflow], str]:
    """Let `execute` run a body in the namespace; return the class that it is about, and the name for its instance.

    Raises BadCell where it defines no workflow: if that can be read off it, before anything runs.
    """
    found = outline(tree)
    if not found.classes:
        if not found.is_classless:
            raise BadCell(f"the cell defines no workflow; {_remedy(tree)}")
        _check_names(found, name)
    before = {method: namespace.get(method, _NOTHING) for method in found.methods}
    execute()
    classes = tuple(dict.fromkeys(each for each in found.classes if is_workflow(namespace.get(each))))
    if classes:
        chosen, instance = choose(classes, name)
        return namespace[chosen], instance
    if not found.is_classless:
        raise BadCell(f"the cell defines no workflow: {found.classes[-1]!r} is no subclass of Workflow")
    return _classless(namespace, before, found, _check_names(found, name))


def is_workflow(value: Any) -> TypeGuard[type[Workflow]]:
    """Return whether a value is a class of workflows."""
    return isinstance(value, type) and issubclass(value, Workflow) and value is not Workflow


def _check_names(found: Outline, name: str | None) -> str:
    """Return the name of a cell without a class of its own; nothing in it may take the place of what every workflow has."""
    if name is None:
        raise BadCell("a cell with run(self, …) and no class needs a name: %%workflow NAME")
    for each in (*found.settings, *found.methods):
        if each not in _FREE and isinstance(inspect.getattr_static(Workflow, each, None), (property, FunctionType)):
            raise BadCell(f"{each!r} belongs to every workflow; give what the cell defines another name")
    return name


def _remedy(tree: ast.Module) -> str:
    """Return how a cell becomes a workflow that defines none: what looks like its run() comes first."""
    for node in tree.body:
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            takes = ast.unparse(node.args)
            if node.name in {"run", "arun"}:
                return f"{node.name}({takes}) lacks self: write {node.name}(self{', ' if takes else ''}{takes})"
            if takes.startswith("self") and (near := did_you_mean(node.name, ("run", "arun"))):
                return f"it has {node.name}(){near}"
    return "write a subclass of Workflow, or run(self, …), or drop the %%workflow"


def _classless(namespace: dict[str, Any], before: dict[str, Any], found: Outline, name: str) -> tuple[type[Workflow], str]:
    """Bind agents, settings and run(self, …) of a cell into a class of its own.

    The functions become methods and leave the namespace as it was before; agents, settings and helper classes stay, so that they
    can be tried alone.
    """
    attributes = {each: namespace[each] for each in (*found.settings, *found.methods) if each in namespace}
    for method, old in before.items():
        if old is _NOTHING:
            namespace.pop(method, None)
        else:
            namespace[method] = old
    title = camel_case(name)
    if found.description:
        attributes["__doc__"] = found.description
    attributes |= {"__module__": "__main__", "__qualname__": title}
    cls = type(title, (Workflow,), attributes)
    if title not in namespace or is_workflow(namespace[title]):  # `%%workflow agent` leaves Agent what it is
        namespace[title] = cls
    return cls, snake_case(title) if name == title else name
