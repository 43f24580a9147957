"""What a function reads by name: globals and free names with the attributes behind them, imports, decorators."""

from __future__ import annotations

import ast
from dataclasses import dataclass, field
from hashlib import blake2b
from textwrap import dedent
from typing import TYPE_CHECKING, NamedTuple

from .bare import chains as bare_chains
from .bare import global_names
from .normal import normal, text
from .remembered import Remembered
from .source import Found, Function, find, fingerprint

if TYPE_CHECKING:
    from collections.abc import Iterable
    from types import FunctionType

#: Decorators that make of a function a method of another kind, and read no annotations.
_KINDS_OF_METHOD = {"property", "classmethod", "staticmethod", "cached_property", "setter", "deleter", "getter", "override"}


class Chain(NamedTuple):
    """A name and the attributes that follow it: `helpers.text.clean`."""

    root: str
    attributes: tuple[str, ...] = ()

    def __str__(self) -> str:
        return ".".join((self.root, *self.attributes))


class Imported(NamedTuple):
    """What a function imports when it runs, and the attributes of it that it reads."""

    module: str
    level: int
    #: What `from module import name` takes of it.
    name: str | None
    attributes: tuple[str, ...]


class Decorator(NamedTuple):
    """A decorator of a function: its own chain, and what its arguments read."""

    content: bytes
    itself: Chain | None
    chains: tuple[Chain, ...]


@dataclass(frozen=True)
class Reach:
    """A function as it counts, and the names that it reads."""

    content: bytes
    chains: tuple[Chain, ...]
    imports: tuple[Imported, ...] = ()
    decorators: tuple[Decorator, ...] = ()
    shown: str = ""
    found: Found | None = None
    #: The tree that counts, None where there is no source.
    tree: Function | None = None
    names: frozenset[str] = field(default_factory=frozenset)


_known: Remembered[Reach] = Remembered()


def reach_of(function: FunctionType) -> Reach:
    """Return what a function reads.

    >>> [str(chain) for chain in reach_of(reach_of).chains][:3]
    ['_known.get', '_known.put', '_read']
    """
    known = _known.get(function.__code__)
    return known if known is not None else _known.put(function.__code__, _read(function))


def _read(function: FunctionType) -> Reach:
    code = function.__code__
    found = find(function)
    if found is None:
        chains = tuple(Chain(root, attributes) for root, attributes in bare_chains(code))
        return Reach(fingerprint(code), chains, shown=f"<code of {code.co_name}, without its source>")
    expressions = getattr(found.node, "decorator_list", [])
    decorators = tuple(_decorator(one) for one in expressions)
    annotated = any(_last(one) not in _KINDS_OF_METHOD for one in expressions)
    tree = normal(found.node, annotated=annotated)
    names = global_names(code) | {*code.co_freevars} - {"__class__"}
    reader = _Reader(names, found.within, tree)
    reader.visit(tree)
    if annotated:
        reader.names = None
        for annotation in _annotations(tree):
            reader.visit(annotation)
    return Reach(
        content=blake2b(text(tree), digest_size=16).digest(),
        chains=tuple(reader.chains),
        imports=tuple(reader.imported()),
        decorators=decorators,
        shown=dedent(found.text).rstrip("\n"),
        found=found,
        tree=tree,
        names=names,
    )


def _last(expression: ast.expr) -> str:
    """Return the last name of a decorator."""
    called = expression.func if isinstance(expression, ast.Call) else expression
    return called.attr if isinstance(called, ast.Attribute) else getattr(called, "id", "")


def _decorator(expression: ast.expr) -> Decorator:
    called = expression.func if isinstance(expression, ast.Call) else expression
    reader = _Reader(None, "", expression)
    reader.visit(expression)
    return Decorator(blake2b(text(expression), digest_size=16).digest(), chain_of(called), tuple(reader.chains))


def _annotations(tree: Function) -> Iterable[ast.AST]:
    arguments = [one.annotation for one in ast.walk(tree.args) if isinstance(one, ast.arg)]
    return [one for one in [*arguments, getattr(tree, "returns", None)] if one is not None]


def chain_of(node: ast.AST) -> Chain | None:
    """Return the chain that an expression is, None if it is none.

    >>> chain_of(ast.parse("a.b.c", mode="eval").body), chain_of(ast.parse("a().b", mode="eval").body)
    (Chain(root='a', attributes=('b', 'c')), None)
    """
    attributes: list[str] = []
    while isinstance(node, ast.Attribute):
        attributes.insert(0, node.attr)
        node = node.value
    return Chain(node.id, tuple(attributes)) if isinstance(node, ast.Name) else None


def mangled(name: str, within: str) -> str:
    """Return a private name of a class as it is looked up.

    >>> mangled("__secret", "_Post"), mangled("__init__", "Post"), mangled("__x", "")
    ('_Post__secret', '__init__', '__x')
    """
    private = name.startswith("__") and not name.endswith("__") and within.strip("_")
    return f"_{within.lstrip('_')}{name}" if private else name


class _Reader(ast.NodeVisitor):
    """Finds the chains that begin with one of these names; with any name, if None is given."""

    def __init__(self, names: frozenset[str] | None, within: str, tree: ast.AST) -> None:
        self.names = names
        self.chains: dict[Chain, None] = {}
        self._within = within
        self._imports: dict[str, list[Imported]] = {}
        self._read: dict[Imported, None] = {}
        for node in ast.walk(tree):
            if isinstance(node, ast.Import | ast.ImportFrom):
                self._note(node)

    def _note(self, node: ast.Import | ast.ImportFrom) -> None:
        for alias in node.names:
            if isinstance(node, ast.ImportFrom):
                one = Imported(node.module or "", node.level, alias.name, ())
            else:
                module = alias.name if alias.asname else alias.name.partition(".")[0]
                one = Imported(module, 0, None, ())
                if not alias.asname and "." in alias.name:  # it loads the inner one, too
                    self._read[Imported(alias.name, 0, None, ())] = None
            self._imports.setdefault(alias.asname or one.name or one.module, []).append(one)

    def imported(self) -> list[Imported]:
        """Return what is imported, as far as it is read; whole, where it is not used by its name."""
        used = {one[:3] for one in self._read}
        unused = [one for every in self._imports.values() for one in every if one[:3] not in used]
        return [*self._read, *unused]

    def _chain(self, chain: Chain) -> None:
        chain = Chain(mangled(chain.root, self._within), tuple(mangled(one, self._within) for one in chain.attributes))
        for one in self._imports.get(chain.root, ()):
            self._read[one._replace(attributes=chain.attributes)] = None
        if self.names is None or chain.root in self.names:
            self.chains[chain] = None

    def visit_Attribute(self, node: ast.Attribute) -> None:
        if chain := chain_of(node):
            self._chain(chain)
        else:
            self.generic_visit(node)

    def visit_Name(self, node: ast.Name) -> None:
        self._chain(Chain(node.id))
