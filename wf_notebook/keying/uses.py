"""What a method does with `self`: the attributes that it reads, the state under constant keys, and what cannot be followed."""

from __future__ import annotations

import ast
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from .bare import attributes_of
from .reach import Chain, Reach, chain_of, mangled

if TYPE_CHECKING:
    from types import FunctionType

STATE = "session_state"

#: Methods of a dict that read one key, the first argument.
_READ_ONE = {"get", "pop", "setdefault", "__getitem__", "__contains__"}
#: Methods that read none.
_READ_NONE = {"update"}


class Key(NamedTuple):
    """A key of the state, as it is written: a constant, or the name of one."""

    constant: Any
    name: Chain | None


class Pass(NamedTuple):
    """`self` handed to a function: which one, and as which of its arguments."""

    function: Chain
    place: int | str
    line: int


class Escape(NamedTuple):
    """A use of `self` that cannot be followed, or of its state alone."""

    why: str
    line: int
    of_state: bool = False


@dataclass
class Uses:
    """What a function does with one of its parameters, in the order in which it does."""

    attributes: dict[str, None] = field(default_factory=dict)
    stores: dict[str, None] = field(default_factory=dict)
    keys: dict[Key, int] = field(default_factory=dict)
    #: Keys of the state that are set and not read; None for one that is known only when it runs.
    writes: dict[Key | None, None] = field(default_factory=dict)
    supers: dict[str, None] = field(default_factory=dict)
    passes: list[Pass] = field(default_factory=list)
    escapes: list[Escape] = field(default_factory=list)
    #: Whether its class is used as a whole.
    whole_class: bool = False


def uses_of(function: FunctionType, reach: Reach, parameter: str) -> Uses:
    """Return what a function does with a parameter; with what `*args` begins with, if that is its name."""
    uses = Uses()
    if reach.tree is None or reach.found is None:
        attributes = attributes_of(function.__code__, parameter.removeprefix("*"))
        if attributes is None or STATE in attributes:
            what = "hands `self` on" if attributes is None else "reads session_state"
            uses.escapes.append(Escape(f"{what}, and its source is not at hand to see how,", 1, of_state=attributes is not None))
        uses.attributes.update(dict.fromkeys(sorted(attributes or ())))
        return uses
    reader = _Reader(uses, parameter, reach.found.within, reach.found.first)
    body: Any = reach.tree.body
    for node in body if isinstance(body, list) else [body]:
        reader.visit(node)
    return uses


class _Reader(ast.NodeVisitor):
    def __init__(self, uses: Uses, parameter: str, within: str, first: int) -> None:
        self._uses = uses
        #: The parameter that is `self`; of `*args`, the name of what begins with it.
        self._self = "" if parameter.startswith("*") else parameter
        self._rest = parameter[1:] if parameter.startswith("*") else ""
        self._within = within
        self._first = first
        self._in_class = 0

    def _line(self, node: Any) -> int:
        return int(node.lineno) - self._first + 1

    def _is_self(self, node: ast.AST) -> bool:
        return isinstance(node, ast.Name) and node.id == self._self

    def _is_state(self, node: ast.AST) -> bool:
        return isinstance(node, ast.Attribute) and node.attr == STATE and self._is_self(node.value)

    def _escape(self, why: str, node: ast.AST, *, of_state: bool = False) -> None:
        self._uses.escapes.append(Escape(why, self._line(node), of_state))

    # -- scopes ------------------------------------------------------------------------------------------------------------

    def visit_FunctionDef(self, node: ast.FunctionDef) -> None:
        self._function(node)

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> None:
        self._function(node)

    def visit_Lambda(self, node: ast.Lambda) -> None:
        self._function(node)

    def _function(self, node: Any) -> None:
        named = {one.arg for one in ast.walk(node.args) if isinstance(one, ast.arg)}
        if (self._self or self._rest) not in named:
            self.generic_visit(node)
            return
        for outer in [*node.args.defaults, *filter(None, node.args.kw_defaults), *getattr(node, "decorator_list", ())]:
            self.visit(outer)

    def visit_ClassDef(self, node: ast.ClassDef) -> None:
        self._in_class += 1
        self.generic_visit(node)
        self._in_class -= 1

    # -- the state ---------------------------------------------------------------------------------------------------------

    def _key(self, node: ast.expr, where: ast.AST) -> None:
        self._visit_constant(node)
        key = self._named(node)
        if key is None:
            self._dynamic(where)
        else:
            self._uses.keys.setdefault(key, self._line(where))

    def _named(self, node: ast.expr) -> Key | None:
        try:
            key = Key(ast.literal_eval(node), None)
            hash(key)
        except (ValueError, TypeError):
            chain = chain_of(node)
            return None if chain is None or chain.root == self._self else Key(None, chain)
        return key

    def _visit_constant(self, node: ast.AST) -> None:
        if not isinstance(node, ast.Constant):
            self.visit(node)

    def _dynamic(self, node: ast.AST) -> None:
        self._escape("reads session_state dynamically", node, of_state=True)

    def visit_Subscript(self, node: ast.Subscript) -> None:
        if not self._is_state(node.value):
            self.generic_visit(node)
        elif isinstance(node.ctx, ast.Store):
            self._uses.writes[self._named(node.slice)] = None
            self.visit(node.slice)
        else:
            self._key(node.slice, node)

    def visit_AugAssign(self, node: ast.AugAssign) -> None:
        target = node.target
        if isinstance(target, ast.Subscript) and self._is_state(target.value):
            self._key(target.slice, target)
        elif isinstance(target, ast.Attribute) and self._is_self(target.value):
            self._attribute(target)
        else:
            self.visit(target)
        self.visit(node.value)

    def visit_Compare(self, node: ast.Compare) -> None:
        sides = [node.left, *node.comparators]
        if len(sides) == 2 and isinstance(node.ops[0], ast.In | ast.NotIn) and self._is_state(sides[1]):  # noqa: PLR2004 - both sides
            self._key(sides[0], node)
        else:
            self.generic_visit(node)

    # -- attributes --------------------------------------------------------------------------------------------------------

    def _attribute(self, node: ast.Attribute) -> None:
        if node.attr == STATE:
            self._dynamic(node)
        elif node.attr == "__class__":
            self._uses.whole_class = True
        elif node.attr == "__dict__":
            self._escape("reads all attributes of `self`", node)
        else:
            self._uses.attributes[mangled(node.attr, self._within)] = None

    def visit_Attribute(self, node: ast.Attribute) -> None:
        if self._is_super(node.value):
            self._uses.supers[mangled(node.attr, self._within)] = None
        elif not self._is_self(node.value):
            self.generic_visit(node)
        elif not isinstance(node.ctx, ast.Store) or node.attr in {STATE, "__class__"}:
            self._attribute(node)
        else:
            self._uses.stores[mangled(node.attr, self._within)] = None

    def _is_super(self, node: ast.AST) -> bool:
        if self._in_class or not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name) or node.func.id != "super":
            return False
        return not node.args or (len(node.args) == 2 and self._is_self(node.args[1]))  # noqa: PLR2004 - its class and self

    def visit_Call(self, node: ast.Call) -> None:
        function = node.func
        if isinstance(function, ast.Attribute) and self._is_state(function.value):
            self._state_method(function, node)
        elif isinstance(function, ast.Name) and function.id in _BUILTINS and node.args and self._is_self(node.args[0]):
            self._builtin(function.id, node)
        elif isinstance(function, ast.Name) and function.id == "super" and not self._in_class:
            self._escape("uses super() as a value", node)
        else:
            self.visit(function)
            self._arguments(function, node)

    def _state_method(self, function: ast.Attribute, node: ast.Call) -> None:
        if function.attr in _READ_ONE and node.args and not isinstance(node.args[0], ast.Starred):
            self._key(node.args[0], node)
        elif function.attr not in _READ_NONE:
            self._dynamic(node)
        else:
            self._uses.writes |= dict.fromkeys([None] * bool(node.args) + [_keyword(one) for one in node.keywords])
        for argument in [*node.args[function.attr in _READ_ONE :], *node.keywords]:
            self.visit(argument)

    def _builtin(self, name: str, node: ast.Call) -> None:
        """Follow getattr(self, "name") and its like."""
        others = node.args[1:]
        attribute = others[0].value if others and isinstance(others[0], ast.Constant) else None
        if (name == "type" and not others) or name == "isinstance":
            self._uses.whole_class = True
        elif isinstance(attribute, str) and attribute not in {STATE, "__dict__", "__class__"}:
            if name != "setattr":
                self._uses.attributes[attribute] = None
        else:
            self._escape(f"calls {name}() of `self` with a name that is known only when it runs", node)
        for other in others:
            self.visit(other)

    def _arguments(self, function: ast.AST, node: ast.Call) -> None:
        chain = chain_of(function)
        starred = False
        for place, argument in enumerate(node.args):
            first = not starred and (self._is_self(argument) or self._is_rest(argument))
            starred = starred or isinstance(argument, ast.Starred)
            if first and chain is not None and chain.root not in {self._self, self._rest}:
                self._uses.passes.append(Pass(chain, place, self._line(argument)))
            else:
                self.visit(argument)
        for keyword in node.keywords:
            if self._is_self(keyword.value) and chain is not None and chain.root != self._self and keyword.arg:
                self._uses.passes.append(Pass(chain, keyword.arg, self._line(keyword.value)))
            else:
                self.visit(keyword)

    def _is_rest(self, node: ast.AST) -> bool:
        """Return whether `self` is handed on as the first of `*args`."""
        return isinstance(node, ast.Starred) and isinstance(node.value, ast.Name) and node.value.id == self._rest

    def visit_Name(self, node: ast.Name) -> None:
        if node.id in {self._self, self._rest}:
            self._escape("hands `self` on", node)


def _keyword(one: ast.keyword) -> Key | None:
    return None if one.arg is None else Key(one.arg, None)


_BUILTINS = {"getattr", "hasattr", "setattr", "delattr", "type", "isinstance"}
