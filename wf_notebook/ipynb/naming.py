"""What code binds and what it uses, by name: which cells a cell needs can be told without running any."""

from __future__ import annotations

import ast
import symtable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

#: Methods that change what they are called on: those of lists, dicts and sets.
CHANGING = {
    *("append", "extend", "insert", "remove", "pop", "clear", "sort", "reverse", "update", "setdefault", "popitem"),
    *("add", "discard", "difference_update", "intersection_update", "symmetric_difference_update"),
}
_CHOICES = (ast.If, ast.For, ast.AsyncFor, ast.While, ast.Try, ast.TryStar, ast.Match)


@dataclass(frozen=True)
class Bound:
    """The names that code binds at its top level.

    `surely` are those that it binds whatever happens; `perhaps` those that it binds in a branch, or changes: `x += 1`,
    `x[0] = 1`, `x.y = 1`, `x.append(1)`. `everything` says that it imports `*`.
    """

    surely: frozenset[str] = frozenset()
    perhaps: frozenset[str] = frozenset()
    everything: bool = False

    @property
    def names(self) -> frozenset[str]:
        """All of them."""
        return self.surely | self.perhaps


@dataclass(frozen=True)
class Used:
    """The names that code takes from elsewhere: `now`, when it runs, and `later`, when its functions are called."""

    now: frozenset[str] = frozenset()
    later: frozenset[str] = frozenset()


def bound(statements: Iterable[ast.stmt]) -> Bound:
    r"""Return what statements bind.

    >>> found = bound(ast.parse("import os.path as p\nx = 1\nif x:\n    y = 2\nz['k'] = 3\ndef f(): w = 1").body)
    >>> sorted(found.surely), sorted(found.perhaps)
    (['f', 'p', 'x'], ['y', 'z'])
    """
    surely: set[str] = set()
    perhaps: set[str] = set()
    for statement in statements:
        for name, is_sure in _bound(statement):
            (surely if is_sure and not isinstance(statement, _CHOICES) else perhaps).add(name)
    return Bound(frozenset(surely - {"*"}), frozenset(perhaps - surely - {"*"}), "*" in surely | perhaps)


def _bound(node: ast.AST) -> Iterator[tuple[str, bool]]:
    match node:
        case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
            yield node.name, True
            return
        case ast.Lambda():
            return
        case ast.Import() | ast.ImportFrom():
            for alias in node.names:
                yield alias.asname or alias.name.partition(".")[0], True
        case ast.AugAssign(target=ast.Name(id=name)):
            yield name, False
        case ast.Name(id=name, ctx=ast.Store()):
            yield name, True
        case ast.Subscript(ctx=ast.Store() | ast.Del()) | ast.Attribute(ctx=ast.Store() | ast.Del()):
            if root := _root(node):
                yield root, False
        case ast.Call(func=ast.Attribute(attr=method) as called) if method in CHANGING:
            if root := _root(called):
                yield root, False
        case ast.MatchAs(name=str(name)) | ast.MatchStar(name=str(name)) | ast.MatchMapping(rest=str(name)):
            yield name, True
        case ast.comprehension():
            for walrus in ast.walk(node):
                if isinstance(walrus, ast.NamedExpr) and isinstance(walrus.target, ast.Name):
                    yield walrus.target.id, True
            return
        case _:
            pass
    for child in ast.iter_child_nodes(node):
        if not (isinstance(node, ast.AugAssign) and child is node.target and isinstance(child, ast.Name)):
            yield from _bound(child)


def _root(node: ast.expr) -> str | None:
    while isinstance(node, ast.Subscript | ast.Attribute):
        node = node.value
    return node.id if isinstance(node, ast.Name) else None


def used(statements: Iterable[ast.stmt]) -> Used:
    r"""Return what statements use that none of them bound before.

    >>> found = used(ast.parse("x = a\ny = x\ndf = df.head()\ndef f(n=b): return n + c\nclass K:\n    k = d").body)
    >>> sorted(found.now), sorted(found.later)
    (['a', 'b', 'd', 'df'], ['c'])
    """
    now: set[str] = set()
    later: set[str] = set()
    here: set[str] = set()
    for statement in statements:
        table = symtable.symtable(ast.unparse(statement), "<cell>", "exec")
        read, called = set(_read(table, is_called=False)), set(_read(table, is_called=True))
        if isinstance(statement, ast.AugAssign) and isinstance(statement.target, ast.Name):
            read.add(statement.target.id)
        now |= read - here
        later |= called
        here |= bound([statement]).surely
    return Used(frozenset(now), frozenset(later))


def _read(table: symtable.SymbolTable, *, is_called: bool, within: bool = False) -> Iterator[str]:
    """Yield the global names that a block reads: at once, or when a function in it is called."""
    within = within or (table.get_type() == "function" and table.get_name() not in {"listcomp", "setcomp", "dictcomp", "genexpr"})
    if within == is_called:
        top = table.get_type() == "module"
        yield from (each.get_name() for each in table.get_symbols() if each.is_referenced() and (top or each.is_global()))
    for child in table.get_children():
        yield from _read(child, is_called=is_called, within=within)
