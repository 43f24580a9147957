"""What a user gave as an argument, looked at before it is used."""

from __future__ import annotations

from typing import TypeVar

from .errors import BadSetting

T = TypeVar("T")


def checked(name: str, value: T, kinds: tuple[type, ...], give: str) -> T:
    """Return what a user gave as an argument; raise BadSetting if it is of none of these types.

    >>> checked("keep", 3, (int,), "a number")
    3
    >>> checked("keep", "a", (int,), "a number")
    Traceback (most recent call last):
    wf_notebook.errors.BadSetting: keep is of type 'str'; give a number
    """
    if isinstance(value, kinds) and (type(value) is not bool or bool in kinds):
        return value
    raise BadSetting(f"{name} is of type {type(value).__name__!r}; give {give}")
