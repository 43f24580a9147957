"""The body of a `%%workflow` cell, run in the user's namespace as IPython would."""

from __future__ import annotations

import ast
from functools import partial
from typing import TYPE_CHECKING, Any

from ..ipynb.defining import defined
from ..ipynb.running import execute

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

    from ..workflow import Workflow


def define(shell: InteractiveShell, body: str, name: str | None) -> tuple[type[Workflow], str]:
    """Run the body of a cell; return the class that it is about and the name for its instance."""
    __tracebackhide__ = True
    code = _python(shell, body)
    source = "\n" + code  # the magic's own line: errors name the lines of the cell
    number = len(shell.user_ns["In"]) - 1
    filename = shell.compile.cache(source, number, raw_code=f"%%workflow {number}\n{body}")
    untyped: Any = shell
    tree: ast.Module = untyped.transform_ast(shell.compile.ast_parse(source, filename))
    return defined(tree, name, shell.user_ns, partial(_execute, shell, tree, filename))


def _python(shell: InteractiveShell, body: str) -> str:
    """Return the body as Python, its magics translated, its lines where they were (IPython drops leading empty ones)."""
    stripped = body.lstrip("\n")
    untyped: Any = shell
    return "\n" * (len(body) - len(stripped)) + str(untyped.transform_cell(stripped))


def _execute(shell: InteractiveShell, tree: ast.Module, filename: str) -> None:
    __tracebackhide__ = True
    flags = shell.compile.flags | ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
    execute(compile(tree, filename, "exec", flags, dont_inherit=True), shell.user_ns)
