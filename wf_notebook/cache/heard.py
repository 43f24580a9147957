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


#: What else is to be heard while steps are done: each begins to listen, and gives what ends that.
LISTENING: list[Callable[[], Callable[[], object]]] = []

_lock = threading.Lock()
_count = 0
_ends: list[Callable[[], object]] = []


def _to_stdout() -> Callable[[], object]:
    tee = sys.stdout = _Tee(sys.stdout)

    def end() -> None:
        if sys.stdout is tee:  # who put something else in its place has the last word
            sys.stdout = tee.stdout

    return end


@contextmanager
def hearing() -> Iterator[None]:
    """Let what is printed and displayed be heard, while steps are done."""
    global _count, _ends  # noqa: PLW0603 - there is one stdout
    with _lock:
        _count += 1
        if _count == 1:
            _ends = [begin() for begin in ([_to_stdout] if sys.stdout is not None else []) + LISTENING]
    try:
        yield
    finally:
        with _lock:
            _count -= 1
            if _count == 0:
                for end in reversed(_ends):
                    end()


def listen(hear: Callable[[Heard], object]) -> None:
    """From now on let `hear` be told what is said in this context."""
    _listening.set((*_listening.get(), hear))
