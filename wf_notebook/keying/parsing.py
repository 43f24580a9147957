"""Source as a tree, for one thread at a time.

CPython 3.11 and 3.12 count how deep a tree is for all threads together while they turn it into objects, and raise SystemError
where two do so at once (gh-106905, and gh-116022 for what was left of it).
"""

from __future__ import annotations

import ast
import threading
from typing import Any

#: Held by whoever makes a tree; `traceback` makes one for each line that it shows.
PARSING = threading.RLock()


def parsed(source: str, flags: int = 0) -> ast.Module:
    """Return the tree of a source; `flags` are those of `compile`.

    >>> ast.unparse(parsed("x=1"))
    'x = 1'
    """
    with PARSING:
        tree: ast.Module = compile(source, "source", "exec", flags | ast.PyCF_ONLY_AST, dont_inherit=True)
    return tree


def compiled(tree: ast.Module, flags: int = 0) -> Any:
    """Return the code of a tree."""
    with PARSING:
        return compile(tree, "source", "exec", flags, dont_inherit=True)
