"""A value to take along: how Python says where it is, or as JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..errors import BadArguments
from ..redact import redact
from .jsontext import json_of
from .nodes import at, python_path

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .looking import Inspector

#: So many characters are copied at most; what is larger goes into a variable.
MOST = 2_000_000


def copied(inspector: Inspector, asked: Mapping[str, Any]) -> dict[str, str]:
    """Return the text to copy of the value at a path, `as` its path in Python, or `as` JSON."""
    loaded, path = inspector.loaded(asked["session"], asked.get("version")), tuple(asked["path"])
    if asked.get("as") == "path":
        return {"text": redact(python_path(loaded, path))}
    text, whole = json_of(loaded, at(loaded, path), MOST)
    if not whole:
        raise BadArguments(f"that is more than {MOST:,} characters of JSON; put it into a variable, and write it to a file")
    return {"text": text}
