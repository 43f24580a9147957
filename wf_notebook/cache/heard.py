"""What a step prints and displays while it is done, so that it can be seen again when it is not."""

from __future__ import annotations

import sys
import threading
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

#: One thing that was heard: how it was said ("stdout", "display"), and what.
Heard = tuple[str, Any]

#: Who listens to what this code says, from the outermost step to the innermost.
_listening: ContextVar[tuple[Callable[[Heard], object], ...]] = ContextVar("wf_notebook_listening", default=())

#: How that which was heard is said again; who shows more than text adds a way.
SAYING: dict[str, Callable[[Any], object]] = {"stdout": lambda text: print(text, end="")}  # noqa: T201 - it was printed


class _Tee:
    """stdout while steps are done: it goes on as before, and who listens hears it."""

    def __init__(self, stdout: Any) -> None:
        self.stdout = stdout

    def write(self, text: str) -> Any:
        """Write, and tell who listens."""
        say("stdout", text)
        return self.stdout.write(text)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.stdout, name)


def say(how: str, what: Any) -> None:
    """Tell who listens."""
    for hear in _listening.get():
        hear((how, what))


def say_again(heard: list[Heard]) -> None:
    """Say what was heard once more, as far as it can be said here."""
    for how, what in heard:
        if how in SAYING:
            SAYING[how](what)


_lock = threading.Lock()
_count = 0


@contextmanager
def stdout_heard() -> Iterator[None]:
    """Let what is printed be heard; who puts something else in the place of stdout meanwhile has the last word."""
    global _count  # noqa: PLW0603 - there is one stdout
    with _lock:
        _count += 1
        if _count == 1 and sys.stdout is not None:
            sys.stdout = _Tee(sys.stdout)
    try:
        yield
    finally:
        with _lock:
            _count -= 1
            if _count == 0 and isinstance(sys.stdout, _Tee):
                sys.stdout = sys.stdout.stdout


def listen(hear: Callable[[Heard], object]) -> None:
    """From now on let `hear` be told what is said in this context."""
    _listening.set((*_listening.get(), hear))
