"""The tree of a function without what does not act: comments, docstrings, layout, annotations that nobody reads."""

from __future__ import annotations

import ast
from copy import deepcopy
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .source import Function


def normal(function: Function, *, annotated: bool) -> Function:
    """Return the tree of a function without its decorators and the expressions of its defaults, which are values by now.

    Annotations stay where they act: in classes, and in functions with a decorator, which may read them.
    """
    node = deepcopy(function)
    if not isinstance(node, ast.Lambda):
        node.decorator_list = []
    node.args.defaults, node.args.kw_defaults = [], [None for _ in node.args.kw_defaults]
    return _Bare(node if annotated else None).visit(node)  # type: ignore[no-any-return] # ast has no types for what visit gives


def bare(tree: ast.AST) -> ast.AST:
    """Return any tree without what does not act; it is changed."""
    return _Bare(None).visit(tree)  # type: ignore[no-any-return] # as above


def text(node: ast.AST) -> bytes:
    """Return a tree as bytes, without places."""
    return ast.dump(node, annotate_fields=False).encode("utf-8", "surrogatepass")


class _Bare(ast.NodeTransformer):
    def __init__(self, annotated: ast.AST | None) -> None:
        self._annotated = annotated
        self._in_class = False

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        return self._function(node)

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> ast.AST:
        return self._function(node)

    def _function(self, node: Any) -> ast.AST:
        if node is not self._annotated and not node.decorator_list:
            node.returns = None
            for argument in ast.walk(node.args):
                if isinstance(argument, ast.arg):
                    argument.annotation = None
        for argument in ast.walk(node.args):
            if isinstance(argument, ast.arg):
                argument.type_comment = None
        node.type_comment = None
        return self._block(node, in_class=False)

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.AST:
        return self._block(node, in_class=True)

    def _block(self, node: Any, *, in_class: bool) -> ast.AST:
        outer, self._in_class = self._in_class, in_class
        self.generic_visit(node)
        self._in_class = outer
        return node  # type: ignore[no-any-return] # as above

    def generic_visit(self, node: ast.AST) -> ast.AST:
        super().generic_visit(node)
        body = getattr(node, "body", None)
        if isinstance(body, list) and not body:
            node.body = [ast.Pass()]  # type: ignore[attr-defined] # it has one
        return node

    def visit_Expr(self, node: ast.Expr) -> ast.AST | None:
        """Drop texts that stand alone."""
        return None if isinstance(node.value, ast.Constant) else self.generic_visit(node)

    def visit_Constant(self, node: ast.Constant) -> ast.AST:
        node.kind = None
        return node

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.AST:
        if self._in_class:
            return self.generic_visit(node)
        if node.value is None:  # it still makes a name local
            node.annotation = ast.Constant(None)
            return self.generic_visit(node)
        return self.generic_visit(ast.copy_location(ast.Assign([node.target], node.value), node))
