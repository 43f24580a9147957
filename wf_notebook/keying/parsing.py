"""Source as a tree, for one thread at a time.

CPython 3.11 and 3.12 count how deep a tree is for all threads together while they turn it into objects, and raise SystemError
where two do so at once (gh-106905, and gh-116022 for what was left of it).
"""

from __future__ import annotations

import ast
import threading
from contextlib import suppress
from typing import Any

#: Held by whoever makes a tree; `traceback` makes one for each line that it shows.
PARSING = threading.RLock()


#: So often it is tried, where code that knows nothing of the lock makes a tree at the same moment, as IPython does of each cell.
_TIMES = 10


def parsed(source: str, flags: int = 0) -> ast.Module:
    """Return the tree of a source; `flags` are those of `compile`.

    >>> ast.unparse(parsed("x=1"))
    'x = 1'
    """
    tree: ast.Module = compiled(source, flags | ast.PyCF_ONLY_AST)
    return tree


def compiled(tree: ast.Module | str, flags: int = 0) -> Any:
    """Return the code of a tree, or of a source."""
    with PARSING:
        for _ in range(_TIMES - 1):
            with suppress(SystemError):
                return compile(tree, "source", "exec", flags, dont_inherit=True)
        return compile(tree, "source", "exec", flags, dont_inherit=True)
