"""One import statement, rewritten: the module and the names that are called otherwise here; what else there is stays."""

from __future__ import annotations

import ast
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from .layout import DOTTED, Layout, Name
from .names import here, is_theirs, why

if TYPE_CHECKING:
    from .text import Text
    from .uses import Uses

_TOGETHER = ("stays beside a workflow of Agno 2, a list of steps", "write a class with a run() that does them, and port again")


@dataclass
class Rewriting:
    """One statement: what is to be put where in the source, and what is left, as (line, name, reason, remedy)."""

    edits: list[tuple[int, int, str]] = field(default_factory=list)
    left: list[tuple[int, str, str, str]] = field(default_factory=list)

    def leave(self, line: int, name: str, reason: str = "", remedy: str = "") -> None:
        """Note that a name stays as it was, by default for the reason that the table of names has."""
        because, instead = why(name)
        self.left.append((line, name, reason or because, remedy or instead))


def rewritten(node: ast.Import | ast.ImportFrom, text: Text, uses: Uses) -> Rewriting:
    """Return how an import is written here, and which of its names stay."""
    if uses.is_of_agno_2:
        return _as_it_is(node)
    return _module(node, text, uses) if isinstance(node, ast.Import) else _names(node, text)


def _as_it_is(node: ast.Import | ast.ImportFrom) -> Rewriting:
    """Leave all names: what is written here would not go together with a workflow that is a list of steps."""
    done = Rewriting()
    if isinstance(node, ast.ImportFrom) and node.level:
        return done
    module = f"{node.module}." if isinstance(node, ast.ImportFrom) else ""
    for alias in node.names:
        if is_theirs(f"{module}{alias.name}"):
            stays = module and here(module[:-1], alias.name)
            done.leave(alias.lineno, f"{module}{alias.name}", *(_TOGETHER if stays else ()))
    return done


def _module(node: ast.Import, text: Text, uses: Uses) -> Rewriting:
    """Rewrite `import agno.workflow as w`, if all that is used of the module is in one room here, under the same names."""
    done = Rewriting()
    for alias in node.names:
        if not is_theirs(alias.name):
            continue
        found = {name: here(alias.name, name) for name in uses.attributes(alias.asname)}
        rooms = {place.room if place and place.name == name else None for name, place in found.items()}
        room = rooms.pop() if len(rooms) == 1 else None
        if room is None:
            done.leave(alias.lineno, alias.name, "is imported as a module", f"write from {alias.name} import …, and port again")
        else:
            start, end = text.span(alias)
            written = DOTTED.match(text.source, start, end)
            assert written is not None
            done.edits.append((start, written.end(), room))
    return done


def _names(node: ast.ImportFrom, text: Text) -> Rewriting:
    """Rewrite `from agno.workflow import …`: one statement, or several where the names come to different rooms."""
    done = Rewriting()
    module = node.module
    if node.level or module is None or not is_theirs(module):
        return done
    if node.names[0].name == "*":
        done.leave(node.lineno, f"{module}.*", "brings whatever there is", "name what is used, and port again")
        return done
    groups: dict[str, list[Name]] = {}
    for alias in node.names:
        found = here(module, alias.name)
        if found is None:
            done.leave(alias.lineno, f"{module}.{alias.name}")
        name = found.name if found else alias.name
        groups.setdefault(found.room if found else module, []).append(_written(alias, name, text))
    if [*groups] != [module]:
        layout = Layout(node, text)
        if len(groups) > 1:
            done.edits.append((layout.start, layout.end, layout.split(groups)))
        else:
            ((room, names),) = groups.items()
            done.edits += [(*layout.module, room), *names]
    return done


def _written(alias: ast.alias, name: str, text: Text) -> Name:
    """Return how an imported name is written here, still bound to what the rest of the source calls it."""
    start, end = text.span(alias)
    written = text.source[start:end]
    if name != alias.name:
        was = DOTTED.match(written)
        assert was is not None
        written = f"{name}{written[was.end() :] or f' as {alias.name}'}"
    return Name(start, end, written)
