"""How a program uses what it imports: attributes of a module, events, and whether its workflows are lists of steps."""

from __future__ import annotations

import ast
from functools import cached_property
from typing import TYPE_CHECKING

from .names import EVENTS, Here, here, is_of_agno_2, is_theirs

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_WORKFLOW, _EVENT = Here("wf_notebook", "Workflow"), Here("wf_notebook", "RunEvent")


class Uses:
    """What a program, a file or all the cells of a notebook, uses of what it imports."""

    def __init__(self, trees: Iterable[ast.Module]) -> None:
        self._nodes = [node for tree in trees for node in ast.walk(tree)]

    def attributes(self, name: str | None) -> set[str]:
        """Return the attributes that are used of a name; none where it is also used by itself.

        >>> Uses([ast.parse("w.Workflow(w.RunEvent.x)")]).attributes("w") == {"Workflow", "RunEvent"}
        True
        >>> Uses([ast.parse("w.Workflow; print(w)")]).attributes("w")
        set()
        """
        found = [
            node.attr
            for node in self._nodes
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == name
        ]
        named = sum(isinstance(node, ast.Name) and node.id == name for node in self._nodes)
        return {*found} if named == len(found) else set()

    @cached_property
    def is_of_agno_2(self) -> bool:
        """Whether its workflows are those of Agno 2."""
        names = {bound for bound, found in self._bound() if found == _WORKFLOW}
        return any(map(_is_of_agno_2, self._nodes)) or any(
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Name)
            and node.func.id in names
            and any(keyword.arg == "steps" for keyword in node.keywords)
            for node in self._nodes
        )

    @cached_property
    def event_names(self) -> set[str]:
        """What RunEvent is called in it."""
        return {bound for bound, found in self._bound() if found == _EVENT}

    def _bound(self) -> Iterator[tuple[str, Here | None]]:
        for node in self._nodes:
            if isinstance(node, ast.ImportFrom) and node.module and not node.level:
                for alias in node.names:
                    found = here(node.module, alias.name) if is_theirs(node.module) else Here(node.module, alias.name)
                    yield alias.asname or alias.name, found


def events_of_later(tree: ast.Module, names: set[str]) -> Iterator[tuple[int, str, str]]:
    """Yield the line of each event that Agno has since 1.6, how it is written, and what it is here."""
    for node in ast.walk(tree):
        match node:
            case ast.Attribute(value=ast.Name(id=name), attr=event) if name in names and event in EVENTS:
                yield node.lineno, f"{name}.{event}", f"{name}.{EVENTS[event]}"


def _is_of_agno_2(node: ast.AST) -> bool:
    """Return whether a statement imports what the workflows of Agno 2 are made of."""
    match node:
        case ast.Import(names=names):
            return any(is_theirs(alias.name) and is_of_agno_2(alias.name) for alias in names)
        case ast.ImportFrom(module=str(module), names=names, level=0) if is_theirs(module):
            return any(is_of_agno_2(f"{module}.{alias.name}") for alias in names)
    return False
