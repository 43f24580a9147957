"""The program that a class needs to run by itself: its own source, and of files and cells what that uses by name."""

from __future__ import annotations

import ast
import builtins
import linecache
import symtable
import sys
from collections import defaultdict
from contextlib import suppress
from dataclasses import dataclass
from textwrap import dedent
from types import FunctionType, ModuleType
from typing import TYPE_CHECKING, Any

from .parsing import parsed
from .remembered import Remembered
from .source import class_source

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

#: So many characters of a value are written in the place of a definition that is not found.
_LONGEST = 1000
#: So many files and cells are kept parsed.
_FILES = 256
_PLAIN = (str, int, float, bool, bytes, type(None), list, tuple, dict, set)


@dataclass(frozen=True, slots=True)
class Program:
    """What defines a class: `body` of its own file or cell, and `before` that what it uses of other cells.

    `is_cell` says that the body is a whole cell without a class of that name; `missing` are names that were found nowhere.
    """

    name: str
    body: str
    before: str = ""
    is_cell: bool = False
    missing: tuple[str, ...] = ()


def program(cls: type) -> Program | None:
    """Return the program of a class; None where its source is not found."""
    known = _programs.get(cls)
    if known is None:
        try:
            known = _programs.put(cls, _Gathering(cls).program())
        except (SyntaxError, ValueError, RecursionError):
            return None
    return known if known.body else None


_programs: Remembered[Program] = Remembered()


@dataclass(frozen=True, slots=True)
class _Text:
    """A file or cell, parsed: its lines, its statements, and by name those that define it."""

    lines: list[str]
    statements: list[ast.stmt]
    defines: dict[str, list[ast.stmt]]

    def of(self, node: ast.stmt) -> str:
        """Return the lines of a statement."""
        decorators: list[ast.expr] = getattr(node, "decorator_list", [])
        first = min([node.lineno, *(each.lineno for each in decorators)])
        return "".join(self.lines[first - 1 : node.end_lineno]).rstrip("\n")


_texts: dict[str, _Text] = {}


def _parsed(file: str) -> _Text | None:
    lines = linecache.getlines(file)
    known = _texts.get(file)
    if known is not None and known.lines == lines:
        return known
    try:
        tree = parsed("".join(lines))
    except (SyntaxError, ValueError, RecursionError):
        return None
    defines: dict[str, list[ast.stmt]] = defaultdict(list)
    for node in tree.body:
        for name in dict.fromkeys(_bound(node)):
            defines[name].append(node)
    for oldest in [*_texts][: max(0, len(_texts) - _FILES + 1)]:
        _texts.pop(oldest, None)
    text = _texts[file] = _Text(lines, tree.body, defines)
    return text


def _bound(node: ast.AST) -> Iterator[str]:
    """Yield the names that a statement of a module binds."""
    match node:
        case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
            yield node.name
        case ast.Import() | ast.ImportFrom():
            yield from (alias.asname or alias.name.partition(".")[0] for alias in node.names)
        case ast.Name(ctx=ast.Store()):
            yield node.id
        case ast.Lambda() | ast.ListComp() | ast.SetComp() | ast.DictComp() | ast.GeneratorExp():
            return
        case _:
            for child in ast.iter_child_nodes(node):
                yield from _bound(child)


class _Gathering:
    """Gathers statements, and what they use, until nothing more is used."""

    def __init__(self, cls: type) -> None:
        self._cls = cls
        methods = [member for member in vars(cls).values() if isinstance(member, FunctionType)]
        methods = [getattr(member, "__wrapped__", member) for member in methods]
        own = [each for each in methods if isinstance(each, FunctionType) and each.__module__ == cls.__module__]
        self._own = own
        module = sys.modules.get(cls.__module__)
        files = [*(each.__code__.co_filename for each in own), getattr(module, "__file__", None)]
        self._home = next((file for file in files if file and linecache.getlines(file)), None)
        self._values: dict[str, Any] = {**vars(module or builtins)}
        for each in own:
            self._values |= each.__globals__
        for each in own:
            for name, cell in zip(each.__code__.co_freevars, each.__closure__ or (), strict=True):
                with suppress(ValueError):  # it is empty
                    self._values.setdefault(name, cell.cell_contents)
        #: File → number of a statement → the statement, or of an import the names that are used.
        self._taken: dict[str, dict[int, ast.stmt | set[str]]] = defaultdict(dict)
        self._seen: set[str] = {*dir(builtins), "__class__", "get_ipython"}
        self._written: dict[str, str] = {}
        self._missing: dict[str, None] = {}

    def program(self) -> Program:
        """Return all of it."""
        name = self._cls.__name__
        text = _parsed(self._home) if self._home else None
        if text is None or self._home is None:
            return Program(name, "")
        self._seen.add(name)
        nested, is_cell = "", False
        if any(isinstance(node, ast.ClassDef) for node in text.defines.get(name, ())) and "." not in self._cls.__qualname__:
            self._take(self._home, text, name)
        elif found := class_source(self._cls):
            nested = found
            self._use(_used(found, self._futures(text)), self._home)
        elif not {method.__name__ for method in self._own} & {*text.defines}:
            return Program(name, "")
        else:
            is_cell = True
            for place, node in enumerate(text.statements):
                self._taken[self._home][place] = node
                self._seen |= {*_bound(node)}
            self._use(_used("".join(text.lines), []), self._home)
        body = "\n\n".join(filter(None, ["".join(text.lines).strip("\n") if is_cell else self._of(self._home), nested]))
        others = [self._of(file) for file in self._order() if file != self._home]
        written = "\n".join(self._written.values())
        return Program(name, body, "\n\n".join(filter(None, [written, *others])), is_cell, tuple(self._missing))

    def _order(self) -> list[str]:
        """Return the files in the order in which cells were run."""
        place = {file: number for number, file in enumerate(linecache.cache)}
        return sorted(self._taken, key=lambda file: place.get(file, -1))

    def _futures(self, text: _Text) -> list[str]:
        return [text.of(node) for node in text.statements if isinstance(node, ast.ImportFrom) and node.module == "__future__"]

    def _of(self, file: str) -> str:
        """Return what was taken of a file, in its order; what was apart by an empty line stays so."""
        text = _parsed(file)
        taken = self._taken.get(file)
        if text is None or not taken:
            return ""
        parts = [*self._futures(text)]
        for place in sorted(taken):
            node, names = text.statements[place], taken[place]
            is_import = isinstance(node, ast.Import | ast.ImportFrom)
            is_large = isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
            line = self._import(node, names) if is_import and isinstance(names, set) else text.of(node)  # type: ignore[arg-type] # it was asked for
            parts.append(f"\n\n{line}\n" if is_large and parts else line)
        return "\n".join(parts).replace("\n\n\n\n", "\n\n\n").strip("\n")

    def _import(self, node: ast.Import | ast.ImportFrom, names: set[str]) -> str:
        aliases = [alias for alias in node.names if (alias.asname or alias.name.partition(".")[0]) in names]
        if isinstance(node, ast.Import):
            return ast.unparse(ast.Import(aliases))
        module, level = node.module or "", node.level
        if level:
            package = str(self._values.get("__package__") or "").split(".")
            module = ".".join(filter(None, [*package[: len(package) - level + 1], module]))
        return ast.unparse(ast.ImportFrom(module, aliases, 0))

    def _use(self, names: set[str], file: str) -> None:
        for name in sorted(names - self._seen):
            self._seen.add(name)
            text = next(((place, text) for place, text in self._places(name, file) if name in text.defines), None)
            if text is not None:
                self._take(*text, name)
            elif (line := _line(name, self._values)) is not None:
                self._written[name] = line
            else:
                self._missing[name] = None

    def _places(self, name: str, file: str) -> Iterator[tuple[str, _Text]]:
        """Yield where a name may be defined: where its value says, where it is used, then in cells, the newest first."""
        value = self._values.get(name)
        is_ours = getattr(value, "__module__", None) == self._cls.__module__
        places = [getattr(getattr(value, "__code__", None), "co_filename", None) if is_ours else None, file]
        if self._cls.__module__ == "__main__":
            places += [cell for cell, entry in reversed([*linecache.cache.items()]) if len(entry) > 1 and entry[1] is None]
        for place in dict.fromkeys(filter(None, places)):
            if (text := _parsed(place)) is not None:
                yield place, text

    def _take(self, file: str, text: _Text, name: str) -> None:
        nodes = text.defines[name]
        if isinstance(nodes[-1], ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Import | ast.ImportFrom):
            nodes = nodes[-1:]
        for node in nodes:
            place, taken = text.statements.index(node), self._taken[file]
            if isinstance(node, ast.Import | ast.ImportFrom):
                known = taken.setdefault(place, set())
                assert isinstance(known, set)
                known.add(name)
            elif place not in taken:
                taken[place] = node
                self._use(_used(text.of(node), self._futures(text)), file)


def _used(source: str, futures: list[str]) -> set[str]:
    r"""Return the names that a source reads and does not define.

    >>> sorted(_used("def f(x):\n    y = g(x)\n    return y + z", []))
    ['g', 'z']
    """
    table = symtable.symtable("\n".join([*futures, dedent(source)]), "source", "exec")
    made = {symbol.get_name() for symbol in table.get_symbols() if symbol.is_assigned() or symbol.is_imported()}
    return {*_read(table)} - made


def _read(table: symtable.SymbolTable) -> Iterator[str]:
    is_module = table.get_type() == "module"
    for symbol in table.get_symbols():
        if symbol.is_referenced() and (is_module or symbol.is_global()):
            yield symbol.get_name()
    for child in table.get_children():
        yield from _read(child)


def _line(name: str, values: Mapping[str, Any]) -> str | None:
    """Return a line that gives a name its value, None where no line can."""
    if name not in values:
        return None
    value = values[name]
    if isinstance(value, ModuleType):
        return f"import {value.__name__}" + ("" if value.__name__ == name else f" as {name}")
    module, kept = getattr(value, "__module__", None), getattr(value, "__name__", None)
    is_named = isinstance(module, str) and isinstance(kept, str) and module != "__main__"
    if is_named and getattr(sys.modules.get(str(module)), str(kept), None) is value:
        return f"from {module} import {kept}" + ("" if kept == name else f" as {name}")
    if type(value) in _PLAIN and len(text := repr(value)) <= _LONGEST:
        with suppress(SyntaxError, ValueError, RecursionError):
            if ast.literal_eval(parsed(text).body[0].value) == value:  # type: ignore[attr-defined] # an expression
                return f"{name} = {text}"
    return None
