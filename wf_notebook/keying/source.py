"""The source of the code that runs: what the file or cell says, if it compiles to that very code."""

from __future__ import annotations
import __future__

import ast
import dis
import linecache
import sys
from contextlib import suppress
from functools import reduce
from operator import or_
from textwrap import dedent
from types import CodeType, FunctionType
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from .parsing import compiled, parsed
from .plain import SCALARS, framed, sequence, sized, unordered
from .remembered import Remembered

if TYPE_CHECKING:
    from collections.abc import Iterator

Function: TypeAlias = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda

_FUTURE: int = reduce(or_, (getattr(__future__, name).compiler_flag for name in __future__.all_feature_names))
_KINDS = (1 << 10) - 1  # of co_flags: what kind of function it is
#: So many files and cells are kept parsed.
_FILES = 256
_LOADS_CONSTANT = {dis.opmap[name] for name in ("LOAD_CONST", "RETURN_CONST") if name in dis.opmap}
_EXPRESSIONS = {"<lambda>", "<listcomp>", "<setcomp>", "<dictcomp>", "<genexpr>"}


class Found(NamedTuple):
    """The source of a function: its node, the name of the class it stands in, and its lines as they are in the file."""

    node: Function
    within: str
    text: str

    @property
    def first(self) -> int:
        """The number of its first line, that of a decorator if it has one."""
        return first_line(self.node)


def first_line(node: Function) -> int:
    """Return the line on which a function begins."""
    decorators: list[ast.expr] = getattr(node, "decorator_list", [])
    return min(node.lineno, *(one.lineno for one in decorators)) if decorators else node.lineno


def find(function: FunctionType) -> Found | None:
    """Return the source of a function, None if what the file or cell says now is not what runs."""
    code = function.__code__
    for fresh in (False, True):
        if fresh:
            linecache.checkcache(code.co_filename)
        lines = linecache.getlines(code.co_filename, function.__globals__)
        if lines and (found := _in(code, lines)):
            return found
    return None


# -- files and cells, compiled -------------------------------------------------------------------------------------------------

_Known: TypeAlias = "dict[str, list[tuple[CodeType, Function, str]]]"
_files: dict[tuple[str, int, bool], tuple[list[str], _Known]] = {}


def _in(code: CodeType, lines: list[str]) -> Found | None:
    for apart in (False, True):
        known = _functions_of(code.co_filename, lines, code.co_flags & _FUTURE, apart=apart).get(code.co_qualname, ())
        same = [one for one in known if fingerprint(one[0]) == fingerprint(code)]
        if same:
            _, node, within = min(same, key=lambda one: abs(one[0].co_firstlineno - code.co_firstlineno))
            return Found(node, within, "".join(lines[first_line(node) - 1 : node.end_lineno]))
    return None


def _functions_of(file: str, lines: list[str], flags: int, *, apart: bool) -> _Known:
    place = file, flags, apart
    known = _files.get(place)
    if known is None or known[0] != lines:
        for oldest in [*_files][: max(0, len(_files) - _FILES + 1)]:
            _files.pop(oldest, None)
        known = _files[place] = [*lines], _compiled("".join(lines), flags, apart=apart)
    return known[1]


def _compiled(text: str, flags: int, *, apart: bool) -> _Known:
    """Return the functions of a source by their qualified names: what each compiles to, and its node.

    IPython compiles each statement of a cell `apart`; to CPython 3.11 and newer a call `re.sub(…)` is another one where it has
    seen `import re` (compile.c, is_import_originated).
    """
    flags |= ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
    known: _Known = {}
    try:
        tree = parsed(text, flags)
        nodes: dict[tuple[int, str], list[tuple[Function, str]]] = {}
        for node, within in _functions(tree):
            nodes.setdefault((first_line(node), getattr(node, "name", "<lambda>")), []).append((node, within))
        units = [ast.Module([node], []) for node in tree.body] if apart else [tree]
        for code in (code for unit in units for code in _codes(compiled(unit, flags))):
            candidates = nodes.get((code.co_firstlineno, code.co_name), [])
            if len(candidates) > 1:
                candidates = [one for one in candidates if _is_of(code, one[0])]
            if len(candidates) == 1:
                known.setdefault(code.co_qualname, []).append((code, *candidates[0]))
    except (SyntaxError, ValueError, RecursionError):
        return {}
    return known


def _functions(node: ast.AST, within: str = "") -> Iterator[tuple[Function, str]]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            yield child, within
        yield from _functions(child, child.name if isinstance(child, ast.ClassDef) else within)


def _codes(code: CodeType) -> Iterator[CodeType]:
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield constant
            yield from _codes(constant)


def _is_of(code: CodeType, node: Function) -> bool:
    """Return whether one of several lambdas on a line is the one that compiled to this."""
    body: Any = node.body if isinstance(node, ast.Lambda) else node.body[-1]
    return (body.lineno, body.end_lineno, body.col_offset, body.end_col_offset) in set(code.co_positions())


def class_source(cls: type) -> str | None:
    """Return what the file or cell of a class says of it, for people to see; None where that is not found."""
    names = [member.__code__.co_filename for member in vars(cls).values() if isinstance(member, FunctionType)]
    for name in [*names, getattr(sys.modules.get(cls.__module__), "__file__", None)]:
        lines = linecache.getlines(name) if name else []
        with suppress(SyntaxError, ValueError, RecursionError):
            for node, qualname in _classes(parsed("".join(lines))):
                if qualname == cls.__qualname__.replace(".<locals>", ""):
                    return dedent("".join(lines[node.lineno - 1 : node.end_lineno])).rstrip("\n")
    return None


def _classes(node: ast.AST, around: str = "") -> Iterator[tuple[ast.ClassDef, str]]:
    for child in ast.iter_child_nodes(node):
        name = getattr(child, "name", "") if isinstance(child, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) else ""
        qualname = f"{around}.{name}".strip(".") if name else around
        if isinstance(child, ast.ClassDef):
            yield child, qualname
        yield from _classes(child, qualname)


# -- code by what it holds -----------------------------------------------------------------------------------------------------

_fingerprints: Remembered[bytes] = Remembered()


def fingerprint(code: CodeType) -> bytes:
    """Return bytes of what a code object does, equal in every process: lines, file and docstring do not count.

    >>> def one(): 'says one'; return 1
    >>> before = fingerprint(one.__code__)
    >>> def one():
    ...     'returns one'
    ...     return 1
    >>> fingerprint(one.__code__) == before
    True
    """
    known = _fingerprints.get(code)
    return known if known is not None else _fingerprints.put(code, _content(code))


def _content(code: CodeType) -> bytes:
    constants = [*code.co_consts]
    if constants and isinstance(constants[0], str) and code.co_name not in _EXPRESSIONS and not _loads_first(code.co_code):
        constants[0] = None
    names = (code.co_names, code.co_varnames, code.co_freevars, code.co_cellvars)
    counts = (code.co_argcount, code.co_posonlyargcount, code.co_kwonlyargcount, code.co_flags & _KINDS)
    return framed(
        b"code",
        b"".join(
            [
                *map(SCALARS[str], (code.co_name, code.co_qualname)),
                *map(_constant, (*names, counts)),
                *map(SCALARS[bytes], (code.co_code, code.co_exceptiontable)),
                sequence(b"t", [_constant(one) for one in constants]),
            ]
        ),
    )


def _loads_first(code: bytes) -> bool:
    """Return whether the first constant is used, and so more than a docstring."""
    return any(
        code[place] in _LOADS_CONSTANT and code[place + 1] == 0 and (place == 0 or code[place - 2] != dis.EXTENDED_ARG)
        for place in range(0, len(code), 2)
    )


def _constant(value: Any) -> bytes:
    if isinstance(value, CodeType):
        return fingerprint(value)
    if isinstance(value, tuple):
        return sequence(b"t", [_constant(item) for item in value])
    if isinstance(value, frozenset):
        return unordered(b"z", [_constant(item) for item in value])
    if isinstance(value, slice):
        return sequence(b"slice", [_constant(item) for item in (value.start, value.stop, value.step)])
    write = SCALARS.get(type(value))
    return write(value) if write else sized(b"?", repr(value).encode())
