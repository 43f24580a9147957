"""Functions as they count: their code, and what each name in them leads to now."""

from __future__ import annotations

import sys
from types import CellType, FunctionType, MethodType, ModuleType
from typing import TYPE_CHECKING, Any

from .held import is_no_setting
from .imports import full_name, own_module
from .instances import dict_of
from .origin import OURS, is_at_home, is_own, name_of, package_of
from .part import SOURCE, Entry, Uncacheable, clipped
from .plain import SCALARS, sequence
from .reach import Chain, Imported, Reach, reach_of
from .walk import ABSENT, Node, Walk

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .subject import Subject

#: Values in the cells of a package's own functions that are looked at.
PLAIN = {*SCALARS, list, tuple, dict, set, frozenset}


def function_content(walk: Walk, node: Node, subject: Subject | None, *, called: bool) -> bytes:
    """Return a function of the user's; `called` says that its defaults are among the arguments."""
    function, reach = node.code, reach_of(node.code)
    walk.watch.function(function)
    if keywords := function.__kwdefaults__:
        walk.watch.box(lambda: [*keywords, *keywords.values()], [*keywords, *keywords.values()])
    made = [reach.content]
    what, name = node.what, node.name
    wrapped = vars(function).get("__wrapped__")
    if wrapped is not None:
        walk.watch.name(vars(function), "__wrapped__", wrapped)
        made.append(walk.value(wrapped, what, name))
        what, name = "decorator", function.__code__.co_qualname.partition(".<locals>")[0]
    decorators = [*_decorators(walk, function, reach)]
    walk.note(
        Entry(what, name, b"".join([reach.content, *(text for text, _ in decorators)]), lambda: clipped(reach.shown, SOURCE))
    )
    made += [text + content for text, content in decorators]
    if not called:
        made += _defaults(walk, function, name)
    for chain in reach.chains:
        made.append(SCALARS[str](str(chain)) + _read(walk, function, chain))
    for imported in reach.imports:
        made.append(SCALARS[str](str(imported)) + _imported(walk, function, imported))
    if node.parameter is not None and subject is not None:
        made += subject.content(walk, function, reach, node.parameter)
    return sequence(b"function", made)


def _read(walk: Walk, function: FunctionType, chain: Chain) -> bytes:
    try:
        value = walk.found(function, chain)
    except LookupError:
        return ABSENT
    is_free = chain.root in function.__code__.co_freevars
    if is_free and chain.root == "__class__":
        return b""
    return walk.chain(value, chain.attributes, "closure" if is_free else "global", chain.root)


def _defaults(walk: Walk, function: FunctionType, name: str) -> Iterator[bytes]:
    code, given = function.__code__, function.__defaults__ or ()
    names = code.co_varnames[code.co_argcount - len(given) : code.co_argcount]
    for parameter, value in [*zip(names, given, strict=True), *(function.__kwdefaults__ or {}).items()]:
        yield SCALARS[str](parameter) + walk.value(value, "default", f"{name}({parameter})")


def _decorators(walk: Walk, function: FunctionType, reach: Reach) -> Iterator[tuple[bytes, bytes]]:
    """Yield each decorator that acts within: those above one of ours act outside of it."""
    for decorator in reversed(reach.decorators):
        try:
            itself = None if decorator.itself is None else walk.found(function, decorator.itself)
        except LookupError:
            itself = None
        if itself is not None and not is_own(itself) and package_of(itself)[0] == OURS:
            return
        made = []
        for chain in decorator.chains:
            try:
                value = walk.found(function, chain)
            except LookupError:
                continue
            made.append(walk.chain(value, chain.attributes, "decorator", chain.root))
        yield decorator.content, b"".join(made)


def _imported(walk: Walk, function: FunctionType, one: Imported) -> bytes:
    module_name = full_name(one, function.__globals__)
    module = None if module_name is None else own_module(module_name)
    if module_name is None or module is None:
        return ABSENT
    walk.watch.name(sys.modules, module_name, sys.modules.get(module_name)) if module_name in sys.modules else None
    if not isinstance(module, ModuleType):
        walk.packages.add(package_of(ModuleType(module_name)))
        return b"other"
    attributes = one.attributes if one.name is None else (one.name, *one.attributes)
    return walk.chain(module, attributes, "global", module_name.rpartition(".")[2])


def wrapper_content(walk: Walk, node: Node) -> bytes:
    """Return what a function made by others holds of the user's own: what it wraps, and what it was made with."""
    function = node.code
    made = [name_of(function).encode()]
    wrapped = vars(function).get("__wrapped__")
    if wrapped is not None:
        walk.watch.name(vars(function), "__wrapped__", wrapped)
        made.append(walk.value(wrapped, node.what, node.name))
    if package_of(function)[0] == OURS:
        return sequence(b"wrapper", made)
    if is_at_home(function):
        made += [_code_in(walk, cell, node) for cell in function.__closure__ or ()]
        return sequence(b"wrapper", made)
    return walk.held(lambda: sequence(b"holds", [*made, *_held(walk, node, wrapped)]))


def _held(walk: Walk, node: Node, inner: Any) -> Iterator[bytes]:
    """Yield what lies in the cells, the defaults and the attributes of a function, but for what it changes itself."""
    function, changes, copied = node.code, walk.changes, dict_of(inner)
    changes.of(function)
    walk.watch.function(function)
    for name, cell in zip(function.__code__.co_freevars, function.__closure__ or (), strict=True):
        yield SCALARS[str](name) + _in(walk, cell, node, name)
    if (defaults := function.__defaults__) is not getattr(inner, "__defaults__", None):
        yield walk.value(defaults, "default", node.name)
    if (keywords := function.__kwdefaults__) is not getattr(inner, "__kwdefaults__", None):
        yield walk.value(keywords, "default", node.name)

    def attributes() -> dict[str, Any]:
        return {
            name: value
            for name, value in vars(function).items()
            if name != "__wrapped__" and copied.get(name, copied) is not value and not is_no_setting(value)
            if not changes.attribute(function, name, value)
        }

    def flat() -> list[Any]:
        return [*(found := attributes()), *found.values()]

    walk.watch.box(flat, flat())
    for name, value in sorted(attributes().items()):
        yield SCALARS[str](name) + walk.value(value, "attribute", f"{node.name}.{name}")


def _in(walk: Walk, cell: CellType, node: Node, name: str) -> bytes:
    changes = walk.changes
    try:
        value = cell.cell_contents
    except ValueError:
        walk.watch.opaque(lambda: b"empty" if is_empty(cell) else b"full")
        return b"empty"
    if changes.holds(cell) or changes.holds(value) or changes.holds(getattr(value, "__self__", cell)):
        return SCALARS[str](name_of(type(value)))
    walk.watch.cell(cell, value)
    is_code = type(value) is FunctionType or issubclass(type(value), type)
    return walk.value(value, *((node.what, node.name) if is_code else ("closure", f"{node.name}({name})")))


def _code_in(walk: Walk, cell: CellType, node: Node) -> bytes:
    """Return what a function of a package itself holds in a cell, as far as that is code, plain, or of a class of the user's."""
    try:
        value = cell.cell_contents
        thing = value.__self__ if isinstance(value, MethodType) else value
        if isinstance(value, type | FunctionType) or is_own(type(thing)) or type(value) in PLAIN:
            walk.watch.cell(cell, value)
            return walk.value(value, node.what, node.name)
    except (ValueError, Uncacheable, RecursionError):
        return b"empty"
    return SCALARS[str](name_of(type(value)))


def is_empty(cell: CellType) -> bool:
    """Return whether nothing is in a cell yet."""
    try:
        _ = cell.cell_contents
    except ValueError:
        return True
    return False
