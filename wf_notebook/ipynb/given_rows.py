"""The rows that `--map DATA` names: a variable, an expression, or the path of a file."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Any

from ..errors import BadArguments
from .line import Argument
from .options import expanded, is_expression


def given_rows(text: str, namespace: dict[str, Any]) -> Any:
    """Return what DATA is: the path of a file that is there, else the value of an expression; the user's own exceptions pass.

    >>> given_rows("[n for n in range(9) if n > limit]", {"limit": 6})
    [7, 8]
    """
    path = text
    with suppress(BadArguments):
        path = expanded("--map", text, namespace)
    if Path(path).expanduser().is_file() or not is_expression(text):
        return path
    try:
        return eval(Argument("--map", text).code(), namespace)  # noqa: S307 - what the user wrote, in the user's own kernel
    except (NameError, AttributeError) as error:
        if _names_a_file(path):
            return path  # map() says that it is not there
        here = error.__traceback__ and error.__traceback__.tb_next
        if here is None or here.tb_next is None:
            raise BadArguments(f"--map {text} has no value: {error}; write a variable, or the path of a file") from None
        raise


def _names_a_file(path: str) -> bool:
    from ..storage.files import READ

    return Path(path).suffix.lower() in READ
