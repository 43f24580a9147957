"""Room for deep values also where the stack is long already, as below many frames of the user's."""

from __future__ import annotations

from contextvars import copy_context
from threading import Thread
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")


def with_room(function: Callable[[], T]) -> T:
    """Return what a function gives; one that ran out of stack is called again in a thread, whose stack is empty.

    >>> def deep(frames): return deep(frames - 1) if frames else "done"
    >>> with_room(lambda: deep(500))
    'done'
    """
    try:
        return function()
    except RecursionError:
        pass
    results: list[T] = []
    errors: list[BaseException] = []

    def run() -> None:
        try:
            results.append(function())
        except BaseException as error:  # noqa: BLE001 - it is raised in the thread that waits
            errors.append(error)

    thread = Thread(target=copy_context().run, args=(run,))
    thread.start()
    thread.join()
    if errors:
        raise errors[0]
    return results[0]
