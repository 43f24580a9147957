"""Variables of the notebook: what an inspector has on the screen is put there, under a name that was asked for."""

from __future__ import annotations

import keyword
from typing import TYPE_CHECKING, Any

from IPython.core.getipython import get_ipython

from ..errors import BadArguments
from ..inspection.values import value_at

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..inspection import Inspector

#: Names that the notebook needs itself.
_ITS_OWN = frozenset({"In", "Out", "get_ipython", "exit", "quit", "open", "display"})


def put(name: Any, value: Any, *, replace: bool) -> dict[str, Any]:
    """Put a value into the notebook, and return what is there now.

    If the name is taken, nothing is done unless it may be replaced, and `taken` says by a value of which type.
    Raises BadArguments for what is no name.
    """
    shell = get_ipython()
    if shell is None:
        raise BadArguments("there is no notebook to put it into; write frame = inspector.frame()")
    if not isinstance(name, str) or not name.isidentifier() or keyword.iskeyword(name) or name in _ITS_OWN:
        raise BadArguments(f"{str(name)[:60]!r} cannot be the name of a variable; write letters, digits and _, such as 'posts'")
    taken = type(shell.user_ns[name]).__name__ if name in shell.user_ns else None
    if taken is not None and not replace:
        return {"name": name, "taken": taken}
    shell.user_ns[name] = value
    return {"name": name, "type": type(value).__name__, "replaced": taken}


def put_value(inspector: Inspector, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Put a copy of the value at a path of a state into the notebook."""
    value = value_at(inspector.loaded(asked["session"], asked.get("version")), tuple(asked["path"]))
    return put(asked.get("name"), value, replace=asked.get("replace") is True)
